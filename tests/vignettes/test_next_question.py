"""One click answers a question, and the next call decides with it: from every patient, along many paths.

QUESTION_RUNS=10 walks ten times as many random paths.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from flask.testing import FlaskClient

from fhir_mappings.terminology import code_key
from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge, load_knowledge
from tests.vignettes import codes
from tests.vignettes.dialects import BUNDLES
from tests.vignettes.ehr import ENCOUNTER, HOOK, Reply, Resource, ask, canonical, finds, saved
from tests.vignettes.patient import AS_OF, BY_ID, PEOPLE
from tests.vignettes.test_dialects import model_of

RUNS = int(os.environ.get("QUESTION_RUNS", "1"))
PATHS = 50 * RUNS
LEVELS = ["none", "info", "warning", "critical"]
# Section 5: these are examined, those told; one that is added later as its own file says.
CATEGORIES = {
    **dict.fromkeys(("weakness", "atrophy", "sensory-loss", "coordination", "bulbar"), "exam"),
    **dict.fromkeys(("breathing-difficulty", "cramps", "low-tone", "movement"), "survey"),
    **dict.fromkeys(("orthopnea", "pain", "tingling"), "survey"),
}
ALIVE = [person for person in PEOPLE if not person.expected.silent]
# As wide as the question: a code for slurred speech alone would say too little of bulbar signs.
CODES = {
    "weakness": "26544005",
    "atrophy": "88092000",
    "sensory-loss": "397974008",
    "coordination": "302289002",
    "bulbar": "398432008",
    "breathing-difficulty": "267036007",
    "cramps": "55300003",
    "low-tone": "398152000",
    "movement": "22325002",
    "orthopnea": "62744007",
    "pain": "68962001",
    "tingling": "91019004",
}
CATEGORIES_OF_R4 = "http://terminology.hl7.org/CodeSystem/observation-category"
STU3_CATEGORIES = "http://hl7.org/fhir/observation-category"
# Each patient in the prefetch and in one of the bundles, all of these in turn.
WAYS = [(person.id, "prefetch") for person in ALIVE] + [
    (person.id, list(BUNDLES)[number % len(BUNDLES)]) for number, person in enumerate(ALIVE)
]
EACH = pytest.mark.parametrize(("who", "dialect"), WAYS)

Answers = tuple[tuple[str, bool], ...]
Choice = tuple[str, bool]


@cache
def knowledge() -> Knowledge:
    return load_knowledge()


@cache
def client() -> FlaskClient:
    return create_app(Config(public_base_url="https://cds.example"), knowledge()).test_client()


def category_of(name: str) -> str | None:
    return CATEGORIES.get(name) or knowledge().terminology.findings[name].category


@cache
def finding_of_code(system: str, code: str) -> str:
    """The one finding that the reading knows by that code."""
    (found,) = knowledge().terminology.finding_of(code_key(system, code))
    return found.finding


def asked_by(observation: Resource) -> Choice:
    """Which question the Observation answers, and how."""
    (coding,) = observation["code"]["coding"]
    return finding_of_code(coding["system"], coding["code"]), observation["valueBoolean"]


class Walk:
    """The states of one patient in one dialect. Equal sets of answers are one state, asked once."""

    def __init__(self, who: str, dialect: str) -> None:
        self.person = BY_ID[who]
        self.dialect = dialect
        self.known: dict[frozenset[Choice], Reply] = {}
        # Sets of answers that were asked in the order of another path too.
        self.orders: dict[frozenset[Choice], set[Answers]] = {}

    def reply(self, stored: Mapping[Choice, Resource]) -> Reply:
        state = frozenset(stored)
        if state not in self.known:
            self.known[state] = self.fresh(stored)
            check_card(self.known[state], self.person.id, self.dialect)
        return self.known[state]

    def fresh(self, stored: Mapping[Choice, Resource]) -> Reply:
        return ask(client(), self.dialect, self.person, tuple(stored.values()))

    def path(self, choose: Callable[[list[Choice]], Choice]) -> Answers:
        """Answers until nothing can be clicked; every step is checked."""
        stored: dict[Choice, Resource] = {}
        before = self.reply(stored)
        while before.answers:
            assert len(stored) <= len(knowledge().table.asked), "it does not end"
            offered = {asked_by(resource): resource for resource in before.answers}
            choice = choose(list(offered))
            stored = {**stored, choice: saved(offered[choice], f"answer-{len(stored)}")}
            after = self.reply(stored)
            check_step(before, choice, after)
            before = after
        assert {name for name in before.asked if name in {one.id for one in knowledge().table.asked}} == set()
        self.same_in_any_order(stored, before)
        return tuple(stored)

    def same_in_any_order(self, stored: Mapping[Choice, Resource], reply: Reply) -> None:
        """The answers in the order of this path lead where they led in the order that was asked first."""
        orders = self.orders.setdefault(frozenset(stored), set())
        if tuple(stored) not in orders and len(orders) < 3:
            orders.add(tuple(stored))
            assert essence(self.fresh(stored)) == essence(reply)


def essence(reply: Reply) -> dict[str, Any]:
    """What is decided and asked, without the references of what was stored."""
    kept = ("level", "range", "rows", "recommendations", "questions")
    return {name: reply.assessment[name] for name in kept}


def check_card(reply: Reply, patient_id: str, dialect: str = "prefetch") -> None:
    """At most three questions, none twice, the first in order; what is offered is right as a resource."""
    assert reply.card is not None
    assert len(reply.asked) == len(reply.assessment["questions"])
    offered = [asked_by(resource) for resource in reply.answers]
    pairs = [name for name, _ in offered[::2]]
    assert offered == [(name, there) for name in pairs for there in (True, False)]
    assert len(set(pairs)) == len(pairs)
    order = list(reply.asked)
    clickable = [name for name in order if name not in {one.id for one in knowledge().table.words}]
    first = order[:3]
    if clickable and not set(first) & set(clickable):
        first[-1] = clickable[0]
    assert pairs == [name for name in first if name in clickable]
    sentences = questions_shown(reply)
    assert len([line for line in sentences if not line.startswith("- Also:")]) == len(first)
    assert bool(order[3:]) is any(line.startswith("- Also:") for line in sentences)
    low, high = (LEVELS.index(level) for level in reply.assessment["range"])
    assert low <= LEVELS.index(reply.assessment["level"]) <= high
    for resource in reply.answers:
        check_observation(canonical(resource), reply.assessment.get("patient"), patient_id, dialect)


def questions_shown(reply: Reply) -> list[str]:
    """The lines of the card's detail under the heading of the questions."""
    assert reply.card is not None
    heading = f"**{knowledge().wording.say('headings.questions')}**\n\n"
    _, _, rest = reply.card["detail"].partition(heading)
    return rest.split("\n\n")[0].split("\n") if rest else []


@cache
def check_observation(text: str, read_id: str | None, patient_id: str, dialect: str) -> None:
    """A valid coded Observation with exactly the members of section 5; a hook call names the visit."""
    model = model_of(dialect, "Observation")
    resource: Resource = model.model_validate_json(text).model_dump(mode="json", exclude_none=True)
    (coding,) = resource["code"]["coding"]
    name = finding_of_code(coding["system"], coding["code"])
    assert coding["system"] == codes.SNOMED
    assert coding["code"] == CODES.get(name, coding["code"])
    assert resource["status"] == "preliminary"
    assert resource["status"] in _codes_of("status")
    ((category,),) = (one["coding"] for one in resource["category"])
    assert category == {
        "system": STU3_CATEGORIES if dialect == "stu3" else CATEGORIES_OF_R4,
        "code": category_of(name),
    }
    assert resource["effectiveDateTime"] == AS_OF.isoformat()
    assert isinstance(resource["valueBoolean"], bool)
    members = {"resourceType", "status", "category", "code", "subject", "effectiveDateTime", "valueBoolean"}
    if dialect == "prefetch":
        assert resource["encounter"] == {"reference": f"Encounter/{ENCOUNTER}"}
        members.add("encounter")
    assert set(resource) == members
    if read_id is None:
        assert resource["subject"]["reference"].startswith("urn:uuid:")
        return
    assert resource["subject"] == {"reference": f"Patient/{patient_id}"}
    template = next(hook["prefetch"]["findings"] for hook in knowledge().hooks if hook["id"] == HOOK)
    assert finds(template, saved(resource, "answer-1"), patient_id)
    assert not finds(template, saved(resource, "answer-1"), "somebody-else")


def _codes_of(member: str) -> list[str]:
    extra = Observation.model_fields[member].json_schema_extra
    assert isinstance(extra, dict)
    return list(extra["enum_values"])  # type: ignore[call-overload]


def check_step(before: Reply, choice: Choice, after: Reply) -> None:
    """The answer is taken, is asked no more, and does what the question said it would."""
    name, there = choice
    question = before.asked[name]
    assert name not in after.asked
    (found,) = [one for one in after.assessment["findings"] if one["id"] == name]
    assert found["status"] == ("present" if there else "absent")
    assert found["basis"] == ("examined" if category_of(name) == "exam" else "reported")
    assert any(one["used"] and one["date"] == AS_OF.isoformat() for one in found["evidence"])
    promised = question["ifPresent" if there else "ifAbsent"]
    if "together" not in question:
        assert after.assessment["level"] == promised["level"]
        assert [one["id"] for one in after.assessment["recommendations"]] == promised["recommendations"]
    low, high = (LEVELS.index(level) for level in before.assessment["range"])
    new_low, new_high = (LEVELS.index(level) for level in after.assessment["range"])
    assert low <= new_low <= LEVELS.index(after.assessment["level"]) <= new_high <= high


def always(there: bool) -> Callable[[list[Choice]], Choice]:
    return lambda offered: next(choice for choice in offered if choice[1] is there)


def alone(name: str) -> Callable[[list[Choice]], Choice]:
    """That one is there, nothing else is."""
    return lambda offered: next(choice for choice in offered if choice[1] is (choice[0] == name))


@cache
def walk(who: str, dialect: str) -> Walk:
    return Walk(who, dialect)


@EACH
def test_all_absent(who: str, dialect: str) -> None:
    reached = walk(who, dialect).path(always(False))
    assert not any(there for _, there in reached)


@EACH
def test_all_present(who: str, dialect: str) -> None:
    reached = walk(who, dialect).path(always(True))
    assert all(there for _, there in reached)


@EACH
def test_each_alone_present(who: str, dialect: str) -> None:
    names = [name for name, _ in walk(who, dialect).path(always(False))]
    for name in names:
        reached = walk(who, dialect).path(alone(name))
        assert [one for one, there in reached if there] == [name]


@EACH
def test_random_paths(who: str, dialect: str) -> None:
    chance = random.Random(f"{who} {dialect}")
    for _ in range(PATHS):
        walk(who, dialect).path(chance.choice)


def test_the_paths_are_not_trivial() -> None:
    """From the bare code everything that a click answers in an adult is reached."""
    reached = {name for name, _ in walk("v44", "prefetch").path(always(False))}
    assert reached == {one.id for one in knowledge().table.asked} - {"low-tone", "breathing-difficulty"}
    beside_weakness = walk("v44", "prefetch").path(lambda o: chosen_first(o, "weakness"))
    assert "breathing-difficulty" in {name for name, _ in beside_weakness}


def chosen_first(offered: list[Choice], name: str) -> Choice:
    return (name, True) if (name, True) in offered else always(False)(offered)
