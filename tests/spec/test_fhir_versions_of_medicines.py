"""Medicines that R5 or STU3 writes otherwise than R4: the same record comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Drug, Plausible, Record, Version
from tests.spec.records import as_of, concept, observation, read
from tests.spec.versions import DOCTOR, TWITCH, resource, same

FUROSEMIDE = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "4603"}]}


def drug(record: Record) -> Drug | None:
    return next(iter(record.drugs), None)


REQUEST = resource("MedicationRequest", status="active", intent="order", authoredOn=as_of(90))
STATEMENT = resource("MedicationStatement", status="active", effectivePeriod={"start": as_of(90)})
MEDICATION = {"resourceType": "Medication", "id": "m", "code": FUROSEMIDE}
FORM = {"text": "tablet"}


@pytest.mark.parametrize("record", [REQUEST, STATEMENT], ids=["request", "statement"])
def test_medication_holds_a_concept_in_r5(record: dict[str, Any]) -> None:
    r5 = {**record, "medication": {"concept": FUROSEMIDE}}
    found = drug(same({**record, "medicationCodeableConcept": FUROSEMIDE}, r5, Version.R5))
    assert found is not None
    assert (found.name, found.plausible) == ("furosemide", Plausible.YES)


@pytest.mark.parametrize("record", [REQUEST, STATEMENT], ids=["request", "statement"])
def test_medication_holds_a_reference_in_r5(record: dict[str, Any]) -> None:
    reference = {"reference": "Medication/m"}
    r5 = {**record, "medication": {"reference": reference}}
    found = drug(same({**record, "medicationReference": reference}, r5, Version.R5, MEDICATION))
    assert found is not None
    assert found.name == "furosemide"


def made_of(part: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Medication", "id": "m", "ingredient": [part], **members}


@pytest.mark.parametrize(
    ("r4", "r5"),
    [
        (made_of({"itemCodeableConcept": FUROSEMIDE}), made_of({"item": {"concept": FUROSEMIDE}})),
        (
            made_of({"itemReference": {"reference": "#x"}}, contained=[{**MEDICATION, "id": "x"}]),
            made_of({"item": {"reference": {"reference": "#x"}}}, contained=[{**MEDICATION, "id": "x"}]),
        ),
        (
            made_of(
                {"itemReference": {"reference": "#x"}},
                contained=[{"resourceType": "Substance", "id": "x", "code": FUROSEMIDE}],
            ),
            # What a substance is, too, became a concept or a reference.
            made_of(
                {"item": {"reference": {"reference": "#x"}}},
                contained=[
                    {
                        "resourceType": "Substance",
                        "id": "x",
                        "instance": False,
                        "code": {"concept": FUROSEMIDE},
                    }
                ],
            ),
        ),
        ({**MEDICATION, "form": FORM}, {**MEDICATION, "doseForm": FORM}),
    ],
)
def test_a_medication_is_made_of_the_same_in_r5(r4: dict[str, Any], r5: dict[str, Any]) -> None:
    request = {
        **REQUEST,
        "contained": [{**r4, "id": "m"}],
        "medicationReference": {"reference": "Medication/m"},
    }
    del request["contained"]
    in_r4 = read(TWITCH, request, r4)
    changed = {**request, "medication": {"reference": request["medicationReference"]}}
    del changed["medicationReference"]
    in_r5 = read(TWITCH, changed, r5)
    assert in_r5 == replace(in_r4, version=Version.R5)
    assert [one.name for one in in_r5.drugs] == ["furosemide"]


def test_a_request_may_say_when_it_is_taken_in_r5() -> None:
    """R5's period of taking is what the bounds of a dosage are in R4."""
    bounds = {"start": as_of(200), "end": as_of(100)}
    dosage = [{"timing": {"repeat": {"boundsPeriod": bounds}}}]
    r4 = {**REQUEST, "medicationCodeableConcept": FUROSEMIDE, "dosageInstruction": dosage}
    r5 = {**REQUEST, "medication": {"concept": FUROSEMIDE}, "effectiveDosePeriod": bounds}
    r5["dosageInstruction"] = [{"asNeeded": True, "text": "as needed"}]
    r5["renderedDosageInstruction"] = "as needed"
    found = drug(same(r4, r5, Version.R5))
    assert found is not None
    # It ended before the twitch began.
    assert found.plausible is Plausible.NO


def test_a_prescription_that_ended_in_r5_was_completed_in_r4() -> None:
    r4 = {**REQUEST, "status": "completed", "medicationCodeableConcept": FUROSEMIDE}
    found = drug(same(r4, {**REQUEST, "status": "ended", "medication": {"concept": FUROSEMIDE}}, Version.R5))
    assert found is not None
    assert not found.current


def test_a_requester_of_stu3_is_an_object() -> None:
    stu3 = {**REQUEST, "medicationCodeableConcept": FUROSEMIDE, "requester": {"agent": DOCTOR}, "context": {}}
    record = read({**observation("fasciculation")}, stu3)
    assert record.version is Version.STU3
    assert [one.name for one in record.drugs] == ["furosemide"]


@pytest.mark.parametrize(
    ("taken", "r4"),
    [("y", "active"), ("n", "not-taken"), ("unk", "unknown"), ("na", "unknown")],
)
def test_whether_a_medicine_is_taken_is_asked_apart_in_stu3(taken: str, r4: str) -> None:
    one = {**STATEMENT, "medicationCodeableConcept": FUROSEMIDE}
    in_r4 = read(TWITCH, {**one, "status": r4})
    in_stu3 = read(TWITCH, {**one, "taken": taken})
    assert in_stu3 == replace(in_r4, version=Version.STU3)
    assert len(in_stu3.drugs) == (taken != "n")
    if taken in ("unk", "na"):
        assert in_stu3.drugs[0].plausible is Plausible.POSSIBLE


ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"


@pytest.mark.parametrize(
    ("status", "adherence", "r4"),
    [
        ("recorded", None, "active"),
        ("recorded", "taking", "active"),
        ("recorded", "taking-not-as-directed", "active"),
        ("recorded", "not-taking", "not-taken"),
        ("recorded", "on-hold-as-directed", "on-hold"),
        ("recorded", "stopped", "stopped"),
        ("recorded", "stopped-not-as-directed", "stopped"),
        ("recorded", "unknown", "unknown"),
        ("entered-in-error", "taking", "entered-in-error"),
        ("draft", "taking", "entered-in-error"),
        ("draft", None, "entered-in-error"),
    ],
)
def test_the_status_of_a_statement_is_its_adherence_in_r5(
    status: str, adherence: str | None, r4: str
) -> None:
    r5 = {**STATEMENT, "status": status, "medication": {"concept": FUROSEMIDE}}
    if adherence is not None:
        r5["adherence"] = {"code": concept(ADHERENCE, adherence)}
    record = same({**STATEMENT, "status": r4, "medicationCodeableConcept": FUROSEMIDE}, r5, Version.R5)
    assert len(record.drugs) == (r4 not in ("not-taken", "entered-in-error"))


@pytest.mark.parametrize(
    "timing",
    [
        {"event": [as_of(90)]},
        {"event": [as_of(20), as_of(90)]},
        {"repeat": {"boundsPeriod": {"start": as_of(90)}}},
    ],
)
def test_a_statement_may_have_a_timing_in_r5(timing: dict[str, Any]) -> None:
    r5 = resource("MedicationStatement", status="recorded", medication={"concept": FUROSEMIDE})
    found = drug(read(TWITCH, {**r5, "effectiveTiming": timing}))
    assert found is not None
    assert (found.start.earliest, found.plausible) == (found.start.latest, Plausible.YES)
    assert str(found.start.earliest) == as_of(90)
