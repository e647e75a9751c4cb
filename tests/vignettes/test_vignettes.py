"""Every patient in every dialect gets the answer a careful clinician would expect."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
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
from tests.vignettes.patient import AS_OF, PEOPLE, Person

EACH = pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
IN_EACH = pytest.mark.parametrize("dialect", DIALECTS)

# What no card says, whoever it is about: a disease as likely, and a change of a medicine.
NEVER = ("likely als", "suspected als", "probable als", "stop the drug", "discontinue", "guarantee")
DISEASE = ("motor neuron", "motor neurone", "amyotrophic")
DISEASE_WORD = re.compile(r"\bALS\b")
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
    person = next(person for person in PEOPLE if person.id == person_id)
    return Evaluator(knowledge(), "https://cds.example.org").evaluate(
        submission_of(dialect, person),
        AS_OF,
        hook_instance="00000000-0000-4000-8000-000000000000",
    )


def text_of(cards: Iterable[dict[str, Any]]) -> str:
    """Summary and detail as read: no escapes, one blank for each run of white space."""
    text = " ".join(f"{card['summary']} {card['detail']}" for card in cards)
    return " ".join(text.replace("\\", "").replace("\u2060", "").split())


def missing(text: str, phrases: Iterable[str]) -> list[str]:
    return [
        phrase
        for phrase in phrases
        if not any(one.strip().lower() in text.lower() for one in phrase.split("|"))
    ]


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
    found = {item["id"]: item for item in items}
    assert set(expected.must) - set(found) == set()
    assert set(expected.must_not) & set(found) == set()
    assert {name for name in expected.urgent if found[name]["urgency"] != "urgent"} == set()
    asked = {analyte for item in items for analyte in item.get("analytes", ())}
    assert asked & set(expected.analytes_not) == set()
    if expected.silent:
        assert found == {}


@EACH
@IN_EACH
def test_wording(dialect: str, person: Person) -> None:
    expected = person.expected
    text = text_of(answer_to(dialect, person.id).cards)
    assert missing(text, expected.mention) == []
    assert [phrase for phrase in (*NEVER, *expected.never) if phrase.lower() in text.lower()] == []
    if not expected.disease_named:
        assert [word for word in DISEASE if word in text.lower()] == []
        assert DISEASE_WORD.search(text) is None


@EACH
def test_every_card_keeps_its_safety_net(person: Person) -> None:
    for card in answer_to("snomed", person.id).cards:
        assert len(card["summary"]) < 140
        if card["indicator"] != "critical":
            net = ["two weeks", "spread", "worse", "weakness", "numb", "wasting|thinner|thin"]
            assert missing(text_of([card]), net) == []


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
    for item in person.statements:
        if item.finding in ("fatigue", "alcohol") or (item.finding == "tobacco" and not item.present):
            # Named at most; and who never smoked has a code that says nothing about the present.
            continue
        assert (item.finding, statuses.get(item.finding)) == (
            item.finding,
            "present" if item.present else "absent",
        )
    assert {name for name in person.diagnoses if statuses.get(name) != "present"} == set()


@EACH
def test_another_patients_resources_are_named_and_not_used(person: Person) -> None:
    result = answer_to("grimy", person.id)
    notes = {note["reference"] for note in result.assessment["notUsed"]}
    others = {f"Condition/{person.id}-other-0", f"Observation/{person.id}-other-3"}
    assert others <= notes
    assert not [note for note in notes if "-other-" not in note and "-error" not in note]
    used = json.dumps([result.cards, result.assessment["findings"]])
    assert "-other-" not in used
    assert messy.OTHER not in json.dumps([result.cards, result.assessment])


@EACH
@IN_EACH
def test_nothing_of_a_clean_record_is_misread(dialect: str, person: Person) -> None:
    notes = answer_to(dialect, person.id).assessment["notUnderstood"]
    # A medicine that belongs to no class is named as not recognised; nothing else is.
    unclassed = {"levothyroxine", "metformin"} & set(person.drugs)
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
    types = {entry["resource"]["resourceType"] for entry in BUNDLES[dialect](person)["entry"]}
    keys = {
        "conditions": "Condition",
        "findings": "Observation",
        "labs": "Observation",
        "medications": "MedicationRequest",
        "medicationStatements": "MedicationStatement",
        "orders": "ProcedureRequest" if dialect == "stu3" else "ServiceRequest",
        "procedures": "Procedure",
        "reports": "DiagnosticReport",
        "familyHistory": "FamilyMemberHistory",
    }
    return {key for key, kind in keys.items() if kind not in types}
