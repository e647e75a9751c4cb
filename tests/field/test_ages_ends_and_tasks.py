"""Ages and ends that cannot be read, statuses as a Coding, days in an extension, Tasks of no order."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_mappings.record import Band, Basis, Plausible, Status
from service.app import create_app
from service.config import Config
from tests.contract.requests import SERVICE, hook_call
from tests.spec.outcomes import outcome_of
from tests.spec.records import KNOWLEDGE, ago, as_of, concept, condition, observation, read, twitch
from tests.spec.test_results import FLAGS, LOINC, K, lab, only

PRESENT, ABSENT, UNKNOWN = Status.PRESENT, Status.ABSENT, Status.UNKNOWN
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ASSERTED = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
TWITCH = twitch(20)


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Config(), KNOWLEDGE).test_client()


UNREAD_ENDS = [
    {"abatementAge": {"value": 45, "unit": "Jahre"}},
    {"abatementAge": {"value": 45}},
    {"abatementRange": {"low": {"value": 44, "unit": "ans"}, "high": {"value": 45, "unit": "ans"}}},
    {"abatementDateTime": "20.11.2026"},
    {"abatementDateTime": "last month"},
]


@pytest.mark.parametrize("made", UNREAD_ENDS)
def test_an_end_that_cannot_be_read_is_unknown_and_named(made: dict[str, Any]) -> None:
    record = read(TWITCH, condition("weakness", **made))
    assert record.finding("weakness").status is UNKNOWN
    assert record.not_understood
    # A status that says so needs no end.
    assert not [
        note
        for note in read(TWITCH, condition("weakness", clinical="resolved", **made)).not_understood
        if "end" in note.why
    ]


@pytest.mark.parametrize("made", [*UNREAD_ENDS, {"abatementString": "ongoing"}])
def test_a_twitch_with_an_end_that_cannot_be_read_is_no_all_clear(
    client: FlaskClient, made: dict[str, Any]
) -> None:
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}
    listed = {**empty, "total": 1, "entry": [{"resource": condition("fasciculation", **made)}]}
    call = hook_call(
        context={"patientId": "p", "userId": "Practitioner/1"},
        prefetch={"patient": patient, "conditions": listed, "findings": empty, "labs": empty},
        extension={"org.fasciculation-cds": {"asOf": as_of(0)}},
    )
    assert client.post(SERVICE, json=call).status_code == 412


@pytest.mark.parametrize(
    "made",
    [
        {"abatementAge": {"value": "45", "unit": "a"}},
        {"abatementAge": {"value": 45, "code": "a"}},
        {"abatementAge": {"value": 540, "code": "mo"}},
    ],
)
def test_an_age_that_is_past_ends(made: dict[str, Any]) -> None:
    assert read(TWITCH, condition("weakness", **made)).finding("weakness").evidence[0].ended


@pytest.mark.parametrize("age", [{"value": 40, "unit": "Jahre"}, {"value": 40}, {"value": "x", "code": "a"}])
def test_an_onset_at_an_age_that_cannot_be_read_is_named(age: dict[str, Any]) -> None:
    record = read(condition("fasciculation", onsetAge=age))
    assert not record.twitch.onset.earliest
    assert [note.expression for note in record.not_understood] == ["Condition.onset"]


@pytest.mark.parametrize(
    ("comparator", "early", "late"), [("<", False, True), (">", True, False), (None, True, True)]
)
def test_an_age_with_a_comparator_is_open(comparator: str | None, early: bool, late: bool) -> None:
    age = {"value": 40, "code": "a", **({"comparator": comparator} if comparator else {})}
    since = read(TWITCH, condition("multiple-sclerosis", onsetAge=age)).finding("multiple-sclerosis").since
    assert (since.earliest is not None, since.latest is not None) == (early, late)


def test_a_status_as_a_coding_is_that_status() -> None:
    resolved = {"system": CLINICAL, "code": "resolved"}
    assert read(condition("fasciculation", clinicalStatus=resolved)).twitch.status is UNKNOWN
    active = {"system": CLINICAL, "code": "active"}
    assert read(condition("fasciculation", clinicalStatus=active)).twitch.status is PRESENT
    refuted = {"system": VERIFICATION, "code": "refuted", "display": "Refuted"}
    assert read(condition("fasciculation", verificationStatus=refuted)).twitch.status is ABSENT
    strange = read(condition("fasciculation", clinicalStatus={"code": "strange"}))
    assert strange.twitch.status is UNKNOWN
    assert strange.not_understood


@pytest.mark.parametrize("many", [True, False])
def test_a_flag_as_a_coding_is_that_flag(many: bool) -> None:
    flag = {"system": FLAGS, "code": "HH", "display": "Critical high"}
    assert only(lab(K, "4.9", interpretation=[flag] if many else flag)).band is Band.CRITICAL


def test_the_day_of_an_assertion_is_an_extension_in_r4() -> None:
    asserted = [{"url": ASSERTED, "valueDateTime": as_of(900)}]
    old = read(TWITCH, condition("weakness", recordedDate=None, extension=asserted)).finding("weakness")
    assert old.status is UNKNOWN
    assert old.evidence[0].history
    recorded = condition("weakness", recordedDate=as_of(3), extension=asserted)
    assert read(TWITCH, recorded).finding("weakness").recorded == ago(3)


@pytest.mark.parametrize(
    "category",
    [
        {"text": "Survey"},
        {"coding": [{"display": "Social History"}]},
        {"text": "Social history"},
        {"text": "functional status"},
    ],
)
def test_a_category_in_words(category: dict[str, Any]) -> None:
    made = {**observation("weakness", valueBoolean=False), "category": [category]}
    assert read(TWITCH, made).finding("weakness").basis is Basis.REPORTED
    exam = {**made, "category": [{"text": "Physical exam"}]}
    assert read(TWITCH, exam).finding("weakness").basis is Basis.EXAMINED


@pytest.mark.parametrize("taken", ["n", "N", "no", "No"])
def test_a_statement_of_what_is_not_taken(taken: str) -> None:
    statement = {
        "resourceType": "MedicationStatement",
        "id": "m",
        "status": "active",
        "taken": taken,
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": "Furosemide"},
        "effectivePeriod": {"start": as_of(90)},
    }
    assert read(TWITCH, statement).drugs == ()
    (drug,) = read(TWITCH, {**statement, "taken": "y"}).drugs
    assert drug.plausible is Plausible.YES


ORDER = {
    "resourceType": "ServiceRequest",
    "id": "o",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p"},
    "code": concept(LOINC, "24323-8"),
    "authoredOn": as_of(3),
}
TASK = {
    "resourceType": "Task",
    "id": "t",
    "status": "requested",
    "intent": "order",
    "for": {"reference": "Patient/p"},
    "focus": {"reference": "ServiceRequest/o"},
    "code": concept(LOINC, "24323-8"),
    "authoredOn": as_of(3),
}
NO_ORDER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("revoked", {"status": "revoked"}, {}),
    ("in error", {"status": "entered-in-error"}, {}),
    ("cancelled", {"status": "cancelled"}, {}),
    ("not to be done", {"status": "draft", "doNotPerform": True}, {}),
    ("a proposed task", {"status": "draft"}, {"intent": "proposal"}),
    ("a planned task", {"status": "draft"}, {"intent": "plan"}),
    (
        "a task that ends the order",
        {"status": "draft"},
        {"code": concept("http://hl7.org/fhir/CodeSystem/task-code", "abort")},
    ),
]


@pytest.mark.parametrize(("order", "task"), [made for _, *made in NO_ORDER], ids=[n for n, *_ in NO_ORDER])
def test_a_task_of_no_order_removes_no_test(order: dict[str, Any], task: dict[str, Any]) -> None:
    record = read(TWITCH, {**ORDER, **order}, {**TASK, **task})
    assert record.orders == ()
    assert any("potassium" in r.analytes for r in outcome_of(record).recommendations)


def test_an_open_task_of_an_order_counts() -> None:
    for status in ("active", "on-hold", "draft"):
        orders = read(TWITCH, {**ORDER, "status": status}, TASK).orders
        assert "Task/t" in [order.reference for order in orders]
    assert read(TWITCH, TASK).orders
