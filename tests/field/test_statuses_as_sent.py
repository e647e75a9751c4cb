"""Statuses, values, interpretations and modifiers as client systems send them: read, or unknown and named."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Status
from tests.spec.outcomes import outcome_of
from tests.spec.records import as_of, concept, condition, observation, read
from tests.spec.test_results import K, lab

SNOMED = "http://snomed.info/sct"
TWITCH = condition("fasciculation", onsetDateTime=as_of(30))
PRESENT, ABSENT, UNKNOWN = Status.PRESENT, Status.ABSENT, Status.UNKNOWN
LOCAL = {"system": "urn:example:status", "code": "17"}


def clinical(*codings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**condition("weakness"), "clinicalStatus": {"coding": list(codings), **more}}


def verification(*codings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**condition("weakness"), "verificationStatus": {"coding": list(codings), **more}}


STATUSES = [
    (clinical({"system": SNOMED, "code": "55561003"}), PRESENT),
    (clinical({"system": SNOMED, "code": "413322009"}), UNKNOWN),
    (clinical({"system": SNOMED, "code": "73425007", "display": "Inactive"}), UNKNOWN),
    (clinical({"system": "urn:oid:2.16.840.1.113883.6.96", "code": "55561003"}), PRESENT),
    (clinical({**LOCAL, "display": "Active"}), PRESENT),
    (clinical({**LOCAL, "display": "Resolved"}), UNKNOWN),
    (clinical(text="In remission"), UNKNOWN),
    (clinical(text="Aktiv"), PRESENT),
    (clinical({"code": "active"}), PRESENT),
    (clinical({"system": "http://hl7.org/fhir/condition-clinical", "code": "active"}), PRESENT),
    (
        clinical({"system": "HTTPS://terminology.hl7.org/CodeSystem/condition-clinical/", "code": "active"}),
        PRESENT,
    ),
    (verification({"system": SNOMED, "code": "410516002"}), ABSENT),
    (verification({"system": SNOMED, "code": "410594000"}), ABSENT),
    (verification({"system": SNOMED, "code": "410605003"}), PRESENT),
    (verification({**LOCAL, "display": "Refuted"}), ABSENT),
    (verification(text="Entered in Error"), UNKNOWN),
    (verification(text="entered_in_error"), UNKNOWN),
    (verification(text="Known absent"), ABSENT),
]


@pytest.mark.parametrize(("made", "status"), STATUSES)
def test_a_status_of_another_system_or_in_words(made: dict[str, Any], status: Status) -> None:
    record = read(TWITCH, made)
    assert record.finding("weakness").status is status
    assert record.not_understood == ()


@pytest.mark.parametrize(
    "made",
    [
        clinical(LOCAL),
        clinical({**LOCAL, "display": "Ongoing"}),
        clinical({"system": SNOMED, "code": "55561003"}, {"system": SNOMED, "code": "413322009"}),
        clinical({"system": SNOMED, "code": "55561003"}, text="Resolved"),
        verification(text="not refuted"),
        verification({"system": SNOMED, "code": "410593006"}),
    ],
)
def test_an_unrecognised_status_is_unknown_and_named(made: dict[str, Any]) -> None:
    record = read(TWITCH, made)
    assert record.finding("weakness").status is UNKNOWN
    assert [note.why for note in record.not_understood] == ["its status is not recognised"]


ANSWERS = [
    ({"valueCodeableConcept": concept("http://loinc.org", "LA9633-4")}, PRESENT),
    ({"valueCodeableConcept": concept("http://loinc.org", "LA9634-2")}, ABSENT),
    ({"valueCodeableConcept": concept("http://loinc.org", "la6576-8")}, PRESENT),
    ({"valueCodeableConcept": concept("urn:oid:2.16.840.1.113883.6.1", "LA6577-6")}, ABSENT),
    ({"valueCodeableConcept": concept(SNOMED, "10828004")}, PRESENT),
    ({"valueCodeableConcept": concept(SNOMED, "260385009")}, ABSENT),
    ({"valueCodeableConcept": concept(SNOMED, "410515003")}, PRESENT),
    ({"valueCodeableConcept": concept(SNOMED, "410516002 |Known absent|")}, ABSENT),
    ({"valueCodeableConcept": concept("http://terminology.hl7.org/CodeSystem/v2-0136", "N")}, ABSENT),
    ({"valueCodeableConcept": concept("http://terminology.hl7.org/CodeSystem/v2-0532", "Y")}, PRESENT),
    ({"valueString": "Y"}, PRESENT),
    ({"valueString": "not detected"}, ABSENT),
    ({"interpretation": [{"coding": [{"system": "http://hl7.org/fhir/v2/0078", "code": "NEG"}]}]}, ABSENT),
    # An answer that answers nothing.
    (
        {
            "valueCodeableConcept": {
                "coding": [{"system": SNOMED, "code": "373066001"}, {"system": SNOMED, "code": "373067005"}]
            }
        },
        UNKNOWN,
    ),
    ({"valueCodeableConcept": concept(SNOMED, "373068000")}, UNKNOWN),
    ({"valueCodeableConcept": concept(SNOMED, "410593006")}, UNKNOWN),
    (
        {
            "valueCodeableConcept": concept(
                "http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-asked"
            )
        },
        UNKNOWN,
    ),
    ({"valueString": "not present today, was present last week"}, UNKNOWN),
    ({"interpretation": [{"coding": [{"code": "ND"}]}]}, UNKNOWN),
    ({"interpretation": [{"coding": [{"code": "N", "display": "Normal"}]}]}, UNKNOWN),
    ({"interpretation": [{"text": "see report"}]}, UNKNOWN),
    ({"valueRatio": {"numerator": {"value": 4}}}, UNKNOWN),
    ({"valueSampledData": {"dimensions": 1}}, UNKNOWN),
    ({"valueTime": "12:00:00"}, UNKNOWN),
    ({"valuePeriod": {"start": as_of(3)}}, UNKNOWN),
    ({"valueAttachment": {"title": "photo"}}, UNKNOWN),
    ({"valueReference": {"reference": "Media/1"}}, UNKNOWN),
    ({"valueCoding": {"code": "no"}}, UNKNOWN),
    ({"valueCode": "no"}, UNKNOWN),
    ({"value": False}, UNKNOWN),
    (
        {
            "_valueCodeableConcept": {
                "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]
            }
        },
        UNKNOWN,
    ),
    ({"modifierExtension": [{"url": "urn:example:negated", "valueBoolean": True}]}, UNKNOWN),
    ({"status": "F"}, UNKNOWN),
    ({"status": "deleted"}, UNKNOWN),
    ({"status": "not-done", "valueBoolean": True}, UNKNOWN),
]


@pytest.mark.parametrize(("members", "status"), ANSWERS)
def test_an_answer(members: dict[str, Any], status: Status) -> None:
    record = read(TWITCH, observation("weakness", **members))
    assert record.finding("weakness").status is status
    assert bool(record.not_understood) is (status is UNKNOWN)


MODIFIED = {"modifierExtension": [{"url": "urn:example:negated", "valueBoolean": True}]}
ORDER = {
    "resourceType": "ServiceRequest",
    "id": "o",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p"},
    "code": concept("http://loinc.org", "24326-1"),
    "authoredOn": as_of(1),
}


@pytest.mark.parametrize("made", [lab(K, "4.1"), ORDER])
def test_a_modifier_that_is_not_understood_removes_no_test(made: dict[str, Any]) -> None:
    electrolytes = [
        w for w in outcome_of(read(TWITCH, made)).withheld if w.id == "electrolytes"
    ]  # the other side
    plain = {analyte for r in outcome_of(read(TWITCH, made)).recommendations for analyte in r.analytes}
    assert electrolytes or "potassium" not in plain
    record = read(TWITCH, {**made, **MODIFIED})
    asked = {analyte for r in outcome_of(record).recommendations for analyte in r.analytes}
    assert "potassium" in asked
    assert [
        note.expression for note in record.not_understood if "modifierExtension" in (note.expression or "")
    ]


@pytest.mark.parametrize("status", ["F", "completed", "final-ish"])
def test_a_result_of_an_unrecognised_status_is_named_and_never_done(status: str) -> None:
    record = read(TWITCH, lab(K, "4.1", status=status))
    asked = {analyte for r in outcome_of(record).recommendations for analyte in r.analytes}
    assert "potassium" in asked
    assert [note.expression for note in record.not_understood] == ["Observation.status"]
    assert outcome_of(read(TWITCH, lab(K, "6.9", status=status))).level == "critical"


def test_an_end_in_words_is_unknown_and_named() -> None:
    record = read(TWITCH, condition("weakness", abatementString="2 years ago"))
    assert record.finding("weakness").status is UNKNOWN
    assert [note.expression for note in record.not_understood] == ["Condition.abatementString"]
    # A status that says so needs no words.
    assert not read(TWITCH, condition("weakness", clinical="resolved", abatementString="x")).not_understood
    assert read(TWITCH, condition("weakness", abatementString=" ")).finding("weakness").status is PRESENT
