"""Medicine records: which count, and when they begin and end."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Days, Plausible
from fhir_mappings.resources.dates import days_of
from tests.unit.medicines import (
    AFTER,
    BEFORE,
    bounds,
    one,
    read,
    statement,
    supply,
    text,
)


@pytest.mark.parametrize(
    "record",
    [
        text("waterazide", status="entered-in-error"),
        text("waterazide", status="cancelled"),
        text("waterazide", status="draft"),
        text("waterazide", intent="proposal"),
        text("waterazide", doNotPerform=True),
        text("waterazide", **{"context draft": True}),
        text("waterazide", authoredOn="2026-11-22"),
        statement(status="not-taken"),
        statement(status="entered-in-error"),
        statement(taken="n"),
        statement(adherence={"code": {"coding": [{"code": "not-taking"}]}}, status="recorded"),
        statement(dateAsserted="2026-11-22", effectivePeriod={"start": BEFORE}),
        statement(effectiveDateTime="2026-11-22"),
    ],
)
def test_does_not_count(record: dict[str, Any]) -> None:
    assert read(record) == ((), ())


@pytest.mark.parametrize(
    "record",
    [
        text("waterazide", status="on-hold"),
        text("waterazide", intent="instance-order"),
        # US Core records so what a patient takes at home
        text("waterazide", intent="plan"),
        text("waterazide", doNotPerform=False),
        statement(taken="y", effectivePeriod={"start": BEFORE}),
        statement(status="recorded", effectivePeriod={"start": BEFORE}),
    ],
)
def test_counts(record: dict[str, Any]) -> None:
    drug = one(record)
    assert (drug.plausible, drug.current) == (Plausible.YES, True)


def test_the_day_after_the_decision_date_still_exists() -> None:
    assert one(text("waterazide", authoredOn="2026-11-21")).plausible is Plausible.NO


@pytest.mark.parametrize(
    "record",
    [
        text("waterazide", status="unknown"),
        text("waterazide", status=None),
        statement(status="intended", effectivePeriod={"start": BEFORE}),
        statement(taken="unk", effectivePeriod={"start": BEFORE}),
    ],
)
def test_status_unknown_is_possible(record: dict[str, Any]) -> None:
    drug = one(record)
    assert drug.plausible is Plausible.POSSIBLE
    assert drug.why.endswith("not known whether it is taken")


def test_a_record_of_unknown_status_makes_no_sure_one_less_sure() -> None:
    assert one(text("waterazide"), text("waterazide", status="unknown")).plausible is Plausible.YES


def test_a_yes_that_hangs_on_a_record_of_unknown_status_is_only_possible() -> None:
    drug = one(text("waterazide", authoredOn=AFTER), text("waterazide", status="unknown"))
    assert drug.plausible is Plausible.POSSIBLE


# --- start and end


@pytest.mark.parametrize(
    ("record", "start"),
    [
        (text("waterazide", authoredOn=AFTER, dosageInstruction=[bounds(BEFORE)]), BEFORE),
        (text("waterazide", authoredOn=AFTER, dispenseRequest=supply(BEFORE)), BEFORE),
        (
            text(
                "waterazide", dosageInstruction=[bounds("2026-08-01")], dispenseRequest=supply("2026-07-01")
            ),
            "2026-08-01",
        ),
        (text("waterazide", authoredOn=BEFORE), BEFORE),
        (statement(effectiveDateTime="2026-08"), "2026-08"),
        (statement(effectivePeriod={"start": BEFORE}, dateAsserted=AFTER), BEFORE),
        (statement(dosage=[bounds("2026-08-02")], dateAsserted=AFTER), "2026-08-02"),
    ],
)
def test_start(record: dict[str, Any], start: str) -> None:
    assert one(record).start == days_of(start)


def test_a_statement_without_a_time_has_no_known_start() -> None:
    drug = one(statement(dateAsserted=BEFORE))
    assert (drug.start, drug.plausible) == (Days(), Plausible.POSSIBLE)


def test_a_renewal_is_not_a_start() -> None:
    drug = one(text("waterazide", authoredOn="2026-11-01"), text("waterazide", authoredOn="2024-01-01"))
    assert drug.plausible is Plausible.YES
    assert drug.start == days_of("2024-01-01")
    assert drug.reference == "MedicationRequest/1"


@pytest.mark.parametrize(
    ("record", "plausible", "current"),
    [
        (text("waterazide", status="stopped"), "no", False),
        (text("waterazide", status="completed"), "no", False),
        (text("waterazide", status="stopped", authoredOn=None), "possible", False),
        # the end of a permission to dispense is no end: of what was completed, the start is
        (text("waterazide", status="completed", dispenseRequest=supply(BEFORE, AFTER)), "no", False),
        (text("waterazide", status="completed", dispenseRequest=supply(AFTER, "2027-01-01")), "no", False),
        (text("waterazide", dispenseRequest=supply("2024-01-01", "2024-03-31")), "yes", True),
        (text("waterazide", dispenseRequest=supply(AFTER, "2026-11-01")), "no", True),
        (text("waterazide", dosageInstruction=[bounds(BEFORE, "2026-11-20")]), "yes", False),
        (text("waterazide", dosageInstruction=[bounds(BEFORE, "2026-11-21")]), "yes", True),
        (statement(status="stopped", effectivePeriod={"start": BEFORE, "end": AFTER}), "yes", False),
        (statement(effectivePeriod={"end": "2026-09-30"}), "no", False),
    ],
)
def test_end(record: dict[str, Any], plausible: str, current: bool) -> None:
    drug = one(record)
    assert (drug.plausible.value, drug.current) == (plausible, current)


def test_the_latest_end_of_a_period_counts() -> None:
    periods = [bounds(BEFORE, "2026-09-15"), bounds(BEFORE, AFTER)]
    drug = one(text("waterazide", dosageInstruction=periods, dispenseRequest=supply(None, "2026-12-31")))
    assert (drug.plausible, drug.end, drug.current) == (Plausible.YES, days_of(AFTER), False)


STOPPED = text("waterazide", status="stopped")


@pytest.mark.parametrize(
    ("records", "end"),
    [
        # one that is open keeps it open
        ([STOPPED, text("waterazide")], None),
        ([{**STOPPED, "authoredOn": "2026-09-03"}, STOPPED], "2026-09-03"),
        ([statement(effectivePeriod={"start": BEFORE, "end": "2026-09-20"}), STOPPED], "2026-09-20"),
        # not after the decision date, whatever is written
        ([statement(status="stopped", effectivePeriod={"start": BEFORE, "end": "2027-01-01"})], "2026-11-20"),
    ],
)
def test_the_end_over_all_records(records: list[dict[str, Any]], end: str | None) -> None:
    drug = one(*records)
    assert drug.end == (None if end is None else days_of(end))
    assert drug.current is (end is None)


@pytest.mark.parametrize("start", ["2026-11-21", AFTER, BEFORE, None])
def test_current_whatever_its_start(start: str | None) -> None:
    assert one(statement(effectivePeriod={"start": start} if start else {})).current
    assert not one(statement(status="completed", effectivePeriod={"start": start} if start else {})).current


@pytest.mark.parametrize(
    ("status", "current"),
    [("active", True), ("on-hold", True), ("unknown", True), ("stopped", False), ("completed", False)],
)
def test_what_is_held_or_of_unknown_status_may_be_taken(status: str, current: bool) -> None:
    assert one(text("waterazide", status=status)).current is current


def test_a_date_that_cannot_be_read_is_unknown_and_reported() -> None:
    drugs, notes = read(text("waterazide", authoredOn="2026-13-45"))
    assert drugs[0].plausible is Plausible.POSSIBLE
    assert [note.expression for note in notes] == ["MedicationRequest.authoredOn"]
    assert all("2026-13" not in note.why for note in notes)
