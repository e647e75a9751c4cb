"""A long word of a record is neither repeated in the answer nor read to its end."""

from __future__ import annotations

import pytest

from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.request.json_body import json_bytes
from fhir_mappings.to_findings import record_of
from service.assessment import assessment_of
from service.cards import escaping
from service.decision import decide
from tests.spec.records import DAY, KNOWLEDGE, as_of, bundle, code_of, observation, read, unknown_in
from tests.unit.bodies import Resource, prescription, result, study


def answered(*resources: Resource) -> int:
    """The length of the assessment."""
    submission, terminology = decode_bundle(bundle(*resources)), KNOWLEDGE.terminology
    decision = decide(record_of(submission, terminology, DAY, KNOWLEDGE.reading), KNOWLEDGE.table)
    return len(json_bytes(assessment_of(decision, KNOWLEDGE, unknown_in(submission))))


def test_a_long_id_is_not_repeated_in_the_answer() -> None:
    parts = [{"code": code_of("fasciculation"), "valueBoolean": True}] * 100
    short, long = (answered(observation("weakness", id=name, component=parts)) for name in ("i", "i" * 1000))
    assert long < short + 100 * 50
    assert "i" * 256 in str(read(observation("fasciculation", id="i" * 256)).twitch.references)


def test_a_long_text_is_not_repeated_in_the_answer() -> None:
    codes = [code_of(name)["coding"][0] for name in ("fasciculation", "weakness", "atrophy")]
    assert answered(observation("weakness", code={"coding": codes, "text": "x" * 100_000})) < 20_000


@pytest.mark.parametrize(
    "resource",
    [
        {**result("5"), "valueString": "x" * 100_000},
        {**result("5"), "valueString": None, "valueQuantity": {"value": 5, "unit": "u" * 100_000}},
        {**result("5"), "valueString": None, "dataAbsentReason": {"text": "x" * 100_000}},
        {**result("5"), "interpretation": [{"text": "x" * 100_000}]},
    ],
)
def test_a_long_text_of_a_result_is_not_repeated_in_the_answer(resource: Resource) -> None:
    assert answered({name: member for name, member in resource.items() if member is not None}) < 20_000


def test_a_long_name_of_a_medicine_or_priority_is_not_repeated_in_the_answer() -> None:
    assert answered(prescription(0, medicationCodeableConcept={"text": "x" * 100_000})) < 20_000
    assert answered({**study(0), "priority": "x" * 100_000, "authoredOn": as_of(1)}) < 20_000


def test_a_long_relationship_is_not_repeated_for_each_condition() -> None:
    conditions = [{"code": code_of("motor-neuron-disease")}] * 50
    history = {"resourceType": "FamilyMemberHistory", "id": "f", "status": "completed"}
    relative = {"patient": {"reference": "Patient/p"}, "relationship": {"text": "v" * 100_000}}
    assert answered({**history, **relative, "condition": conditions}) < 30_000


def test_a_long_text_is_not_read_to_its_end_for_a_line_of_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(escaping, "_printable", lambda text: read.append(len(text)) or "")
    escaping.folded("\n" * 1_000_000)
    assert read == [10_000]
