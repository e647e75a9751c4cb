"""Orders, studies and families that R5 or STU3 writes otherwise than R4: the same record comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Status, Version
from tests.spec.records import as_of, code_of, concept, read
from tests.spec.versions import EMG, PERSON, resource, same

REFERRAL = concept("http://snomed.info/sct", "183521007")


def request_of(kind: str = "ServiceRequest", **members: Any) -> dict[str, Any]:
    return resource(kind, **{"status": "active", "intent": "order", "authoredOn": as_of(3), **members})


R4_ORDER = request_of(code=EMG, priority="urgent")


@pytest.mark.parametrize(
    ("other", "version"),
    [
        (request_of(code={"concept": EMG}, priority="urgent"), Version.R5),
        (
            request_of(
                code={"concept": EMG},
                priority="urgent",
                reason=[{"reference": {"reference": "Condition/c"}}],
                bodyStructure={"reference": "BodyStructure/s"},
            ),
            Version.R5,
        ),
        (
            request_of(
                code={"concept": {"text": "Study"}},
                priority="urgent",
                orderDetail=[{"parameter": [{"code": {"text": "which"}, "valueCodeableConcept": EMG}]}],
            ),
            Version.R5,
        ),
        (request_of("ProcedureRequest", code=EMG, priority="urgent", context={}), Version.STU3),
    ],
)
def test_an_order_is_the_same_order(other: dict[str, Any], version: Version) -> None:
    record = same(R4_ORDER, other, version)
    assert [(sorted(order.tests), order.priority) for order in record.orders] == [(["emg"], "urgent")]


@pytest.mark.parametrize(
    ("stu3", "open_"), [("active", True), ("suspended", True), ("cancelled", False), ("draft", False)]
)
@pytest.mark.parametrize("kind", ["ProcedureRequest", "ReferralRequest"])
def test_the_status_of_a_request_of_stu3(kind: str, stu3: str, open_: bool) -> None:
    member = {"code": EMG} if kind == "ProcedureRequest" else {"serviceRequested": [REFERRAL]}
    record = read(request_of(kind, status=stu3, **member))
    assert record.version is Version.STU3
    assert len(record.orders) == open_
    assert "orders" not in record.not_seen


@pytest.mark.parametrize("member", ["type", "serviceRequested"])
def test_a_referral_of_stu3_is_a_referral(member: str) -> None:
    written = REFERRAL if member == "type" else [REFERRAL]
    (order,) = read(request_of("ReferralRequest", **{member: written}, priority="urgent")).orders
    (same_order,) = read(request_of(code=REFERRAL, priority="urgent")).orders
    assert order.tests == same_order.tests == {"neurology-referral"}
    assert order.priority == "urgent"


def test_an_order_in_words_alone_is_named_in_r5_too() -> None:
    notes = read(request_of(code={"concept": {"text": "Some test"}})).not_understood
    assert [note.why for note in notes] == ["an order without a code"]


def done(**members: Any) -> dict[str, Any]:
    return resource("Procedure", status="completed", code=EMG, **members)


@pytest.mark.parametrize(
    ("r4", "r5"),
    [
        ({"performedDateTime": as_of(9)}, {"occurrenceDateTime": as_of(9)}),
        (
            {"performedPeriod": {"start": as_of(9), "end": as_of(8)}},
            {"occurrencePeriod": {"start": as_of(9), "end": as_of(8)}, "reportedReference": PERSON},
        ),
    ],
)
def test_a_procedure_occurred_in_r5(r4: dict[str, Any], r5: dict[str, Any]) -> None:
    record = same(done(**r4), done(**r5), Version.R5)
    assert [study.id for study in record.studies] == ["emg"]


@pytest.mark.parametrize(("not_done", "studies"), [(True, 0), (False, 1)])
def test_a_procedure_of_stu3_may_not_have_been_done(not_done: bool, studies: int) -> None:
    record = read(done(performedDateTime=as_of(9), notDone=not_done))
    assert record.version is Version.STU3
    assert len(record.studies) == studies


@pytest.mark.parametrize(("status", "studies"), [("final", 1), ("modified", 0)])
def test_a_report_that_r5_modified_before_it_was_final_is_not_done(status: str, studies: int) -> None:
    report = resource("DiagnosticReport", status=status, code=EMG, effectiveDateTime=as_of(9), note=[])
    record = read(report)
    assert record.version is Version.R5
    assert len(record.studies) == studies


@pytest.mark.parametrize(("not_done", "status"), [(True, Status.UNKNOWN), (False, Status.PRESENT)])
def test_a_family_history_of_stu3_may_not_have_been_taken(not_done: bool, status: Status) -> None:
    history = {
        "resourceType": "FamilyMemberHistory",
        "id": "f",
        "status": "completed",
        "patient": PERSON,
        "relationship": {"text": "father"},
        "condition": [{"code": code_of("motor-neuron-disease")}],
        "notDone": not_done,
    }
    record = read(history)
    assert record.version is Version.STU3
    assert record.finding("family-neurological").status is status


def task(**members: Any) -> dict[str, Any]:
    one = {
        "resourceType": "Task",
        "id": "t",
        "status": "requested",
        "intent": "order",
        "authoredOn": as_of(2),
    }
    return {**one, "for": PERSON, "code": {"text": "Fulfil"}, **members}


@pytest.mark.parametrize(
    ("other", "version"),
    [({"reason": [{"concept": EMG}]}, Version.R5), ({"reason": EMG}, Version.STU3)],
)
def test_the_reason_of_a_task(other: dict[str, Any], version: Version) -> None:
    record = read(task(**other))
    assert record == replace(read(task(reasonCode=EMG)), version=version)
    assert [order.tests for order in record.orders] == [{"emg"}]


def test_a_task_not_to_do_in_r5_is_no_order() -> None:
    assert len(read(task(reason=[{"concept": EMG}], doNotPerform=False)).orders) == 1
    assert read(task(reason=[{"concept": EMG}], doNotPerform=True)).orders == ()


def test_a_task_may_be_about_a_request_of_any_version() -> None:
    about = {**request_of("ProcedureRequest", code=EMG, status="completed"), "id": "r"}
    record = read(task(focus={"reference": "ProcedureRequest/r"}), about)
    assert [(order.reference, order.tests) for order in record.orders] == [("Task/t", {"emg"})]
