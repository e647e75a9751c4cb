"""What is already asked for and what was done; and what the family history says."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.to_findings import record_of
from tests.spec.records import DAY, KNOWLEDGE, as_of, bundle, code_of, concept, condition, observation, read

LOINC = "http://loinc.org"
EMG, NCS, TSH, BMP = "18749-2", "29755-6", "3016-3", "24321-2"
CONSULTATION, NEUROPHYSIOLOGY = "34797-1", "80664-6"
MINE = {"subject": {"reference": "Patient/p"}}


def request(code: str = EMG, **more: Any) -> dict[str, Any]:
    made = {
        "resourceType": "ServiceRequest",
        "id": "o",
        "status": "active",
        "intent": "order",
        "code": concept(LOINC, code),
        "authoredOn": as_of(6),
        **MINE,
        **more,
    }
    return {key: value for key, value in made.items() if value is not None}


def asked_by(*resources: dict[str, Any]) -> set[str]:
    return {test for order in read(*resources).orders for test in order.tests}


@pytest.mark.parametrize(
    ("changes", "stands"),
    [
        ({}, True),
        ({"status": "on-hold"}, True),
        ({"status": "draft"}, False),
        ({"status": "completed"}, False),
        ({"status": "revoked"}, False),
        ({"status": "entered-in-error"}, False),
        ({"intent": "original-order"}, True),
        ({"intent": "reflex-order"}, True),
        ({"intent": "proposal"}, False),
        ({"intent": "plan"}, False),
        ({"doNotPerform": True}, False),
        ({"authoredOn": as_of(-2)}, False),
        ({"authoredOn": None}, True),
    ],
)
def test_an_order_that_stands(changes: dict[str, Any], stands: bool) -> None:
    assert bool(asked_by(request(**changes))) is stands


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        (EMG, {"emg"}),
        (NCS, {"ncs"}),
        (TSH, {"tsh"}),
        # a panel counts for the analytes that it names, and for no other
        (BMP, {"sodium", "potassium", "calcium"}),
        ("24326-1", {"sodium", "potassium"}),
        ("1994-3", {"calcium-ionised", "calcium"}),
    ],
)
def test_what_a_code_asks_for(code: str, tests: set[str]) -> None:
    assert asked_by(request(code)) == tests


def test_the_day_and_the_priority() -> None:
    (order,) = read(request(priority="Urgent")).orders
    assert (str(order.day), order.priority, order.reference) == (as_of(6), "urgent", "ServiceRequest/o")


@pytest.mark.parametrize(
    ("status", "stands"),
    [("requested", True), ("in-progress", True), ("completed", False), ("cancelled", False)],
)
def test_a_task(status: str, stands: bool) -> None:
    task = {
        "resourceType": "Task",
        "id": "t",
        "status": status,
        "intent": "order",
        "for": {"reference": "Patient/p"},
        "focus": {"reference": "ServiceRequest/o"},
        "authoredOn": as_of(2),
    }
    assert bool(asked_by(request(status="completed"), task)) is stands


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [
        ("DiagnosticReport", "final", True),
        ("DiagnosticReport", "amended", True),
        ("DiagnosticReport", "corrected", True),
        ("DiagnosticReport", "appended", True),
        ("DiagnosticReport", "partial", False),
        ("DiagnosticReport", "preliminary", False),
        ("DiagnosticReport", "cancelled", False),
        ("Procedure", "completed", True),
        ("Procedure", "in-progress", False),
        ("Procedure", "not-done", False),
        ("Observation", "final", True),
        ("Observation", "preliminary", False),
    ],
)
def test_a_study_that_was_done(kind: str, status: str, done: bool) -> None:
    member = "performedDateTime" if kind == "Procedure" else "effectiveDateTime"
    made = {
        "resourceType": kind,
        "id": "s",
        "status": status,
        "code": concept(LOINC, EMG),
        member: as_of(20),
        **MINE,
    }
    studies = read(made).studies
    assert [(s.id, str(s.day)) for s in studies] == ([("emg", as_of(20))] if done else [])


@pytest.mark.parametrize("status", ["completd", "erledigt", "??", "done!"])
@pytest.mark.parametrize("kind", ["DiagnosticReport", "Procedure", "ServiceRequest", "Observation"])
def test_a_status_that_nobody_knows_is_named(kind: str, status: str) -> None:
    made = request(**{"resourceType": kind, "status": status})
    record = read(made)
    assert (record.studies, record.orders) == ((), ())
    assert [(n.reference, n.expression, n.why) for n in record.not_understood] == [
        (f"{kind}/o", f"{kind}.status", "its status is not recognised")
    ]
    # of what is no test of ours nothing is said
    assert read({**made, "code": concept(LOINC, "0000-0")}).not_understood == ()


@pytest.mark.parametrize("kind", ["DiagnosticReport", "Procedure", "ServiceRequest", "Task"])
@pytest.mark.parametrize(
    "status",
    ["unknown", "cancelled", "in-progress", "registered", "revoked", "on-hold", "entered-in-error", ""],
)
def test_a_status_of_fhir_is_not_named(kind: str, status: str) -> None:
    statuses = {
        "DiagnosticReport": "registered partial preliminary modified final amended corrected cancelled",
        "Procedure": "preparation in-progress not-done on-hold stopped completed suspended aborted",
        "ServiceRequest": "draft active on-hold suspended revoked completed cancelled ended",
        "Task": "draft requested received accepted rejected ready cancelled in-progress on-hold failed",
    }
    if status in (*statuses[kind].split(), "unknown", "entered-in-error", ""):
        assert read(request(**{"resourceType": kind, "status": status})).not_understood == ()


def referral(**more: Any) -> dict[str, Any]:
    coding = KNOWLEDGE.order_codes["neurology-referral"].codings[0]
    return {**request(**{"status": "completed", **more}), "code": concept(coding[0], coding[1])}


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({}, 6),
        ({"intent": "original-order"}, 6),
        ({"occurrenceDateTime": as_of(2)}, 2),
        ({"occurrencePeriod": {"start": as_of(4), "end": as_of(3)}}, 3),
        ({"occurrencePeriod": {"start": as_of(4)}}, 4),
        # still open, ended otherwise, never ordered, or not there yet
        ({"status": "active"}, None),
        ({"status": "revoked"}, None),
        ({"status": "draft"}, None),
        ({"status": "entered-in-error"}, None),
        ({"intent": "proposal"}, None),
        ({"intent": "plan"}, None),
        ({"doNotPerform": True}, None),
        ({"authoredOn": as_of(-2)}, None),
    ],
)
def test_a_completed_neurology_referral_is_a_consultation(changes: dict[str, Any], day: int | None) -> None:
    record = read(referral(**changes))
    found = [(s.id, str(s.day), s.reference) for s in record.studies]
    expected = ("neurology-consultation", as_of(day or 0), "ServiceRequest/o")
    assert found == ([] if day is None else [expected])
    assert bool(record.orders) is (changes.get("status") == "active")


def test_a_completed_order_of_a_study_does_not_prove_that_it_was_done() -> None:
    assert read(request(status="completed")).studies == ()


def test_an_undated_referral_is_a_consultation_of_no_day() -> None:
    (study,) = read(referral(authoredOn=None)).studies
    assert study.day is None


@pytest.mark.parametrize(
    ("code", "kind", "status", "seen"),
    [
        (CONSULTATION, "DiagnosticReport", "final", True),
        (CONSULTATION, "DiagnosticReport", "preliminary", False),
        (CONSULTATION, "Procedure", "completed", True),
        (CONSULTATION, "Procedure", "in-progress", False),
        (CONSULTATION, "Observation", "final", True),
        (CONSULTATION, "Observation", "cancelled", False),
        # a neurophysiologist who measures is no neurologist who examines
        (NEUROPHYSIOLOGY, "DiagnosticReport", "final", False),
    ],
)
def test_a_consultation_note(code: str, kind: str, status: str, seen: bool) -> None:
    member = "performedDateTime" if kind == "Procedure" else "effectiveDateTime"
    made = {"resourceType": kind, "id": "s", "status": status, "code": concept(LOINC, code),
            member: as_of(20), **MINE}  # fmt: skip
    found = [(study.id, str(study.day)) for study in read(made).studies]
    assert found == ([("neurology-consultation", as_of(20))] if seen else [])


def test_of_referral_and_note_the_newer_one() -> None:
    note = {"resourceType": "DiagnosticReport", "id": "s", "status": "final",
            "code": concept(LOINC, CONSULTATION), "effectiveDateTime": as_of(3), **MINE}  # fmt: skip
    assert [s.reference for s in read(referral(), note).studies] == ["DiagnosticReport/s"]
    assert [s.reference for s in read(referral(occurrenceDateTime=as_of(1)), note).studies] == [
        "ServiceRequest/o"
    ]


@pytest.mark.parametrize(
    ("medicine", "named"),
    [
        ({"medicationReference": {"reference": "Medication/m", "display": "Furosemide"}}, True),
        ({"medicationReference": {"reference": "Medication/there"}}, False),
        ({"medicationCodeableConcept": {"text": "Furosemide"}}, False),
    ],
)
def test_a_drafted_medicine_whose_medication_was_not_sent_is_named(
    medicine: dict[str, Any], named: bool
) -> None:
    drafted = {"resourceType": "MedicationRequest", "id": "d", "status": "draft", "intent": "order"}
    there = {"resourceType": "Medication", "id": "there", "code": {"text": "Furosemide"}}
    submission = decode_bundle(bundle({**drafted, **medicine, **MINE}, there))
    entries = tuple(
        msgspec.structs.replace(entry, draft=entry.kind == "MedicationRequest")
        for entry in submission.entries
    )
    record = record_of(
        dataclasses.replace(submission, entries=entries), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading
    )
    assert [[drug.name for drug in draft.drugs] for draft in record.drafts] == [["furosemide"]]
    why = "the medicine it refers to was not supplied"
    expected = [("MedicationRequest/d", "MedicationRequest.medication", why)] if named else []
    assert [(n.reference, n.expression, n.why) for n in record.not_understood] == expected


def test_the_newest_of_each_kind() -> None:
    made = [
        {"resourceType": "Procedure", "id": name, "status": "completed", "code": concept(LOINC, EMG),
         "performedDateTime": as_of(days), **MINE}
        for name, days in (("a", 300), ("b", 20), ("c", 100))
    ]  # fmt: skip
    assert [study.reference for study in read(*made).studies] == ["Procedure/b"]


def relative(code: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "FamilyMemberHistory",
        "id": "f",
        "status": "completed",
        "patient": {"reference": "Patient/p"},
        "condition": [{"code": code}],
        **more,
    }


@pytest.mark.parametrize(
    ("disease", "neurological"),
    [
        ("motor-neuron-disease", True),
        ("multiple-sclerosis", True),
        ("diabetes", False),
        ("heart-failure", False),
    ],
)
def test_the_family(disease: str, neurological: bool) -> None:
    found = read(relative(code_of(disease))).finding("family-neurological")
    assert (found.status.value == "present") is neurological
    assert read(relative(code_of(disease))).finding(disease).status.value == "unknown"


def test_a_wrong_entry_in_the_family_history() -> None:
    made = relative(code_of("motor-neuron-disease"), status="entered-in-error")
    assert read(made).finding("family-neurological").status.value == "unknown"


def test_references_of_every_form_find_the_patient() -> None:
    for reference in ("Patient/p", "http://ehr.example/fhir/Patient/p", "Patient/p/_history/3"):
        assert read(condition("weakness", subject={"reference": reference})).finding("weakness").evidence


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/q"},
        {"reference": "Group/p"},
        {"display": "somebody"},
        None,
        {"reference": "#p"},
    ],
)
def test_what_is_not_surely_of_the_patient_is_not_used(subject: dict[str, Any] | None) -> None:
    record = read(condition("fasciculation"), observation("weakness", valueBoolean=True, subject=subject))
    assert record.finding("weakness").status.value == "unknown"
    assert [note.reference for note in record.not_used] == ["Observation/weakness"]
