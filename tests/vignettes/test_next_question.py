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

from fhir_mappings.code_systems import code_key
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
# Section 5: these are examined, the others told.
EXAMINED = ("weakness", "atrophy", "sensory-loss")
CATEGORIES = {
    **dict.fromkeys((*EXAMINED, "coordination", "upper-motor-sign", "rigidity"), "exam"),
    **dict.fromkeys(("breathing-difficulty", "cramps", "movement", "stiffness"), "survey"),
    **dict.fromkeys(("orthopnea", "pain", "tingling"), "survey"),
}
AT_MOST = 3
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

# A finding and whether it is there; what one click answers: one finding, or all signs that are absent.
Choice = tuple[str, bool]
Click = tuple[Choice, ...]
Answers = tuple[Click, ...]


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


def clicked(resources: list[Resource]) -> Click:
    """What a click answers."""
    return tuple(asked_by(resource) for resource in resources)


class Walk:
    """The states of one patient in one dialect. Equal sets of answers are one state, asked once."""

    def __init__(self, who: str, dialect: str) -> None:
        self.person = BY_ID[who]
        self.dialect = dialect
        self.known: dict[frozenset[Choice], Reply] = {}
        # Sets of answers that were asked in the order of another path too.
        self.orders: dict[frozenset[Choice], set[tuple[Choice, ...]]] = {}

    def reply(self, stored: Mapping[Choice, Resource]) -> Reply:
        state = frozenset(stored)
        if state not in self.known:
            self.known[state] = self.fresh(stored)
            check_card(self.known[state], self.person.id, self.dialect)
        return self.known[state]

    def fresh(self, stored: Mapping[Choice, Resource]) -> Reply:
        return ask(client(), self.dialect, self.person, tuple(stored.values()))

    def path(self, choose: Callable[[list[Click]], Click]) -> Answers:
        """Clicks until nothing can be clicked; every step is checked."""
        stored: dict[Choice, Resource] = {}
        chosen: list[Click] = []
        before = self.reply(stored)
        while before.clicks:
            assert len(chosen) <= len(knowledge().table.asked), "it does not end"
            offered = {clicked(resources): resources for resources in before.clicks}
            click = choose(list(offered))
            for answer, resource in zip(click, offered[click], strict=True):
                stored[answer] = saved(resource, f"answer-{len(stored)}")
            chosen.append(click)
            after = self.reply(stored)
            check_step(before, click, after)
            before = after
        self.same_in_any_order(stored, before)
        return tuple(chosen)

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
    """Few questions, each finding once; what is offered is right as a resource."""
    assert reply.card is not None
    assert len(reply.asked) == len(reply.assessment["questions"])
    offered = [clicked(resources) for resources in reply.clicks]
    assert len(set(offered)) == len(offered)
    for click in offered:
        # Only what is examined is answered together, and only as absent.
        assert len(click) == 1 or (
            not any(there for _, there in click) and all(category_of(name) == "exam" for name, _ in click)
        )
    answers = [answer for click in offered for answer in click]
    wanted = to_examine(reply)
    # The answers of an examination come before those of the questions.
    assert wanted <= {name for name, _ in answers}
    names = {name for name, _ in answers} - wanted
    assert names <= set(reply.asked)
    both = sorted((name, there) for name in names | wanted for there in (True, False))
    assert sorted(answers) == both
    order_of = {name: one.order for one in knowledge().table.questions for name in one.findings}
    assert len({order_of[name] for name in names}) <= AT_MOST
    orders = [order_of[name] for name, _ in answers if name in names]
    assert orders == sorted(orders)
    low, high = (LEVELS.index(level) for level in reply.assessment["range"])
    assert low <= LEVELS.index(reply.assessment["level"]) <= high
    for resource in reply.answers:
        check_observation(canonical(resource), reply.assessment.get("patient"), patient_id, dialect)


def to_examine(reply: Reply) -> set[str]:
    """The findings that the card wants examined."""
    return {name for made in reply.assessment["recommendations"] for name in made.get("findings", ())}


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


def check_step(before: Reply, click: Click, after: Reply) -> None:
    """The answers are taken, are asked no more, and a single one does what its question said."""
    found = {one["id"]: one for one in after.assessment["findings"]}
    for name, there in click:
        assert name not in after.asked
        assert name not in to_examine(after)
        assert found[name]["status"] == ("present" if there else "absent")
        assert found[name]["basis"] == ("examined" if category_of(name) == "exam" else "reported")
        assert any(one["used"] and one["date"] == AS_OF.isoformat() for one in found[name]["evidence"])
    # What is examined is in the assessment as a question only where its answer changes something.
    if len(click) == 1 and click[0][0] in before.asked:
        ((name, there),) = click
        promised = before.asked[name]["ifPresent" if there else "ifAbsent"]
        assert after.assessment["level"] == promised["level"]
        assert [one["id"] for one in after.assessment["recommendations"]] == promised["recommendations"]


def always(there: bool) -> Callable[[list[Click]], Click]:
    return lambda offered: next(click for click in offered if click[0][1] is there)


def alone(name: str) -> Callable[[list[Click]], Click]:
    """That one is there; nothing else is, as far as a click can say so."""

    def chosen(offered: list[Click]) -> Click:
        if ((name, True),) in offered:
            return ((name, True),)
        return always(False)(offered)

    return chosen


@cache
def walk(who: str, dialect: str) -> Walk:
    return Walk(who, dialect)


@EACH
def test_all_absent(who: str, dialect: str) -> None:
    reached = walk(who, dialect).path(always(False))
    assert not any(there for click in reached for _, there in click)


@EACH
def test_all_present(who: str, dialect: str) -> None:
    reached = walk(who, dialect).path(always(True))
    assert all(there for click in reached for _, there in click)


@EACH
def test_each_alone_present(who: str, dialect: str) -> None:
    names = [name for click in walk(who, dialect).path(always(False)) for name, _ in click]
    for name in names:
        reached = walk(who, dialect).path(alone(name))
        assert [one for click in reached for one, there in click if there] == [name]


@EACH
def test_random_paths(who: str, dialect: str) -> None:
    chance = random.Random(f"{who} {dialect}")
    for _ in range(PATHS):
        walk(who, dialect).path(chance.choice)


def test_one_click_says_that_the_examination_is_normal() -> None:
    """From the bare code: three Observations, and nothing of it is asked again."""
    first, *_ = walk("v44", "prefetch").path(always(False))
    assert first == tuple((name, False) for name in EXAMINED)
    assert walk("v44", "prefetch").known[frozenset(first)].assessment["level"] == "info"


def test_breathing_is_asked_beside_weakness_only() -> None:
    calm = {name for click in walk("v44", "prefetch").path(always(False)) for name, _ in click}
    assert not calm & {"breathing-difficulty", "orthopnea"}
    weak = {name for click in walk("v44", "prefetch").path(alone("weakness")) for name, _ in click}
    assert {"bulbar", "breathing-difficulty", "orthopnea"} <= weak
