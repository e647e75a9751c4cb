"""Every patient in every dialect gets the answer a careful clinician would expect."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any

import msgspec
import pytest

from fhir_mappings.request.bundles import decode_bundle, submission_of_prefetch
from fhir_mappings.resources.submission import Submission
from service.evaluation import Evaluation, Evaluator
from service.knowledge import Knowledge, load_knowledge
from tests.vignettes import messy
from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.patient import AS_OF, BY_ID, EVERYONE, Person

EACH = pytest.mark.parametrize("person", EVERYONE, ids=lambda person: person.id)
IN_EACH = pytest.mark.parametrize("dialect", DIALECTS)

# What no card says, whoever it is about: a disease as likely, and a change of a medicine.
NEVER = ("likely als", "suspected als", "probable als", "stop the drug", "discontinue", "guarantee")
# Signs of the upper motor neuron are no disease.
DISEASE = re.compile(r"(?i:(?<!upper )motor neuron|amyotrophic)|\bALS\b")
INDICATORS = {"info", "warning", "critical"}


@cache
def knowledge() -> Knowledge:
    return load_knowledge()


def submission_of(dialect: str, person: Person) -> Submission:
    """What the service would read of that dialect, through bytes."""
    made = DIALECTS[dialect](person)
    if dialect in BUNDLES:
        return decode_bundle(json.dumps(made).encode())
    prefetch = msgspec.json.decode(json.dumps(made).encode(), type=dict[str, msgspec.Raw])
    return submission_of_prefetch(prefetch, person.id)


@cache
def answer_to(dialect: str, person_id: str) -> Evaluation:
    person = BY_ID[person_id]
    return Evaluator(knowledge(), "https://cds.example.org").evaluate(
        submission_of(dialect, person),
        AS_OF,
        hook_instance="00000000-0000-4000-8000-000000000000",
    )


def text_of(cards: Iterable[dict[str, Any]]) -> str:
    """Summary and detail as read: no escapes, one blank for each run of white space."""
    text = " ".join(f"{card['summary']} {card['detail']}" for card in cards)
    return " ".join(text.replace("\\", "").replace("\u2060", "").split())


# "{+14}": the date 14 days after the onset.
AFTER_ONSET = re.compile(r"\{\+(\d+)\}")


def alternatives(phrase: str, person: Person) -> list[str]:
    """What a card may say: each "|" part, and a date in each of the ways that people write it."""
    found = []
    for part in phrase.split("|"):
        dated = AFTER_ONSET.fullmatch(part.strip())
        if dated is None:
            found.append(part.strip())
            continue
        assert person.twitch.onset is not None, person.id
        due = AS_OF + timedelta(days=int(dated[1]) - person.twitch.onset)
        found += [f"{due.day} {due:%B}", f"{due.day} {due:%b}", due.isoformat()]
    return found


def missing(text: str, person: Person) -> list[str]:
    """The phrases of which no alternative stands in the text."""
    return [
        phrase
        for phrase in person.expected.mention
        if not any(one.lower() in text.lower() for one in alternatives(phrase, person))
    ]


def said_in(text: str, words: Iterable[str]) -> list[str]:
    """Those that stand in the text as whole words, in any case."""
    return [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)]


@EACH
@IN_EACH
def test_level(dialect: str, person: Person) -> None:
    result = answer_to(dialect, person.id)
    assert result.assessment["level"] in person.expected.levels
    if person.expected.silent:
        assert result.cards == []
    else:
        assert [card["indicator"] for card in result.cards] == [result.assessment["level"]]
        assert result.assessment["level"] in INDICATORS


@EACH
@IN_EACH
def test_rows(dialect: str, person: Person) -> None:
    rows = [row["id"] for row in answer_to(dialect, person.id).assessment["rows"]]
    assert sorted(rows) == sorted(person.expected.rows)


@EACH
@IN_EACH
def test_recommendations(dialect: str, person: Person) -> None:
    expected = person.expected
    items = answer_to(dialect, person.id).assessment["recommendations"]
    found = {item["id"]: item["urgency"] for item in items}
    assert [ids for ids in expected.must if not set(ids.split("|")) & set(found)] == []
    assert set(expected.must_not) & set(found) == set()
    assert {name: found.get(name) for name in expected.urgency} == dict(expected.urgency)
    asked = {analyte for item in items for analyte in item.get("analytes", ())}
    assert asked & set(expected.analytes_not) == set()
    if expected.silent:
        assert found == {}


@EACH
@IN_EACH
def test_what_is_left_out(dialect: str, person: Person) -> None:
    items = answer_to(dialect, person.id).assessment["withheld"]
    why = {item["id"]: item["why"] for item in items}
    assert {name: why.get(name) for name in person.expected.withheld} == dict(person.expected.withheld)


@EACH
@IN_EACH
def test_wording(dialect: str, person: Person) -> None:
    expected = person.expected
    text = text_of(answer_to(dialect, person.id).cards)
    assert missing(text, person) == []
    assert said_in(text, (*NEVER, *expected.never)) == []
    if not expected.disease_named:
        assert DISEASE.search(text) is None


# Section 4.7. A referral, an urgent action or a sign needs no date to come back.
NO_NET = ("neurology-referral", "emergency-assessment")
SIGNS = ("weakness", "atrophy", "sensory-loss", "coordination", "movement", "upper-motor-sign", "rigidity")


@EACH
def test_every_card_keeps_its_safety_net(person: Person) -> None:
    result = answer_to("snomed", person.id)
    present = {one["id"] for one in result.assessment["findings"] if one["status"] == "present"}
    items = result.assessment["recommendations"]
    urgent = [item for item in items if item["urgency"] != "routine" or item["id"] in NO_NET]
    for card in result.cards:
        assert len(card["summary"]) < 140
        come_back = "come back if" in text_of([card]).lower()
        if not urgent and not present & set(SIGNS):
            assert come_back


def essence(result: Evaluation) -> dict[str, Any]:
    """What must not hang on how the record is written."""
    assessment = result.assessment
    return {
        "level": assessment["level"],
        "gate": assessment["gate"]["open"],
        "range": assessment["range"],
        "rows": sorted(row["id"] for row in assessment["rows"]),
        "recommendations": sorted(
            (item["id"], item["urgency"], sorted(item.get("analytes", ())))
            for item in assessment["recommendations"]
        ),
        "withheld": sorted(item["id"] for item in assessment["withheld"]),
        "questions": sorted(item["finding"] for item in assessment["questions"]),
        "results": sorted((item["analyte"], item["value"]) for item in assessment["results"]),
        "plausible": sorted(item["plausible"] for item in assessment["drugs"]),
    }


@EACH
@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "snomed"])
def test_every_dialect_decides_the_same(dialect: str, person: Person) -> None:
    assert essence(answer_to(dialect, person.id)) == essence(answer_to("snomed", person.id))


@EACH
@IN_EACH
def test_every_statement_is_read(dialect: str, person: Person) -> None:
    statuses = {item["id"]: item["status"] for item in answer_to(dialect, person.id).assessment["findings"]}
    # The newest record of a finding decides.
    for item in sorted(person.statements, key=lambda item: -item.days):
        if item.finding in ("fatigue", "alcohol") or (item.finding == "tobacco" and not item.present):
            # Named at most; and who never smoked has a code that says nothing about the present.
            continue
        if any(other.finding == item.finding and other.days < item.days for other in person.statements):
            continue
        assert (item.finding, statuses.get(item.finding)) == (
            item.finding,
            "present" if item.present else "absent",
        )
    listed = {name: problem.reads for name, problem in person.diagnoses.items()}
    assert {name: statuses.get(name, "unknown") for name in listed} == listed


@EACH
def test_another_patients_resources_are_named_and_not_used(person: Person) -> None:
    result = answer_to("grimy", person.id)
    notes = {note["reference"] for note in result.assessment["notUsed"]}
    others = {f"Condition/{person.id}-other-0", f"Observation/{person.id}-other-3"}
    assert others <= notes
    assert not [note for note in notes if "-other-" not in note and "-error" not in note]
    used = json.dumps([result.cards, result.assessment["findings"]])
    assert f"{person.id}-other-" not in used
    assert messy.OTHER not in json.dumps([result.cards, result.assessment])


@EACH
@IN_EACH
def test_nothing_of_a_clean_record_is_misread(dialect: str, person: Person) -> None:
    notes = answer_to(dialect, person.id).assessment["notUnderstood"]
    if person.twitch.words:
        # No code is known: it opens the gate and is named.
        return
    # A medicine that belongs to no class is named as not recognised; nothing else is.
    unclassed = {"levothyroxine"} & set(person.drugs)
    assert len(notes) == len(unclassed)
    assert all(note["expression"].startswith("Medication") for note in notes)


@EACH
@IN_EACH
def test_lists_not_seen_are_those_not_sent(dialect: str, person: Person) -> None:
    not_seen = set(answer_to(dialect, person.id).assessment["notSeen"])
    assert not_seen <= _keys_without(dialect, person)


def _keys_without(dialect: str, person: Person) -> set[str]:
    if dialect == "prefetch":
        return set()
    resources = [entry["resource"] for entry in BUNDLES[dialect](person)["entry"]]
    # A list of others alone was not sent either.
    own = [r for r in resources if not r.get("subject", {}).get("reference", "").endswith(messy.OTHER)]
    types = {resource["resourceType"] for resource in own}
    keys = {
        "conditions": "Condition",
        "findings": "Observation",
        "labs": "Observation",
        "examinations": "Observation",
        "medications": "MedicationRequest",
        "medicationStatements": "MedicationStatement",
        "orders": "ProcedureRequest" if dialect == "stu3" else "ServiceRequest",
        "procedures": "Procedure",
        "reports": "DiagnosticReport",
        "familyHistory": "FamilyMemberHistory",
    }
    return {key for key, kind in keys.items() if kind not in types}
