"""What an order records that was taken before it was written: reports, renewals, repeats."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Days, Plausible
from fhir_mappings.resources.dates import days_of
from tests.unit.medicines import AFTER, BEFORE, bounds, one, read, statement, supply, text

LATER = "2026-11-10"
OLD = {"priorPrescription": {"reference": "MedicationRequest/elsewhere"}}
REPORTS: list[dict[str, Any]] = [
    {"reportedBoolean": True, "intent": "plan"},
    {"reportedBoolean": True},
    {"reportedReference": {"reference": "Patient/p"}},
    {"reported": True},
    OLD,
]


@pytest.mark.parametrize("more", REPORTS)
def test_it_began_before_it_was_reported_or_renewed(more: dict[str, Any]) -> None:
    late = one(text("waterazide", authoredOn=AFTER, **more))
    assert (late.plausible, late.start) == (Plausible.POSSIBLE, Days(None, days_of(AFTER).latest))
    assert "started on or before" in late.why
    assert one(text("waterazide", authoredOn=BEFORE, **more)).plausible is Plausible.YES


@pytest.mark.parametrize("more", [{"reportedBoolean": False}, {"reported": False}, {"intent": "plan"}, {}])
def test_an_order_that_reports_nothing_begins_when_it_is_written(more: dict[str, Any]) -> None:
    assert one(text("waterazide", authoredOn=AFTER, **more)).plausible is Plausible.NO


@pytest.mark.parametrize("more", REPORTS)
def test_a_start_that_it_has_counts(more: dict[str, Any]) -> None:
    for start in ({"dosageInstruction": [bounds(AFTER)]}, {"dispenseRequest": supply(AFTER)}):
        assert one(text("waterazide", authoredOn=LATER, **start, **more)).plausible is Plausible.NO


@pytest.mark.parametrize("more", REPORTS)
@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_that_it_reports_or_renews_is_its_start(more: dict[str, Any], reverse: bool) -> None:
    report, order = text("waterazide", authoredOn=LATER, **more), text("waterazide", authoredOn=AFTER)
    drug = one(*([order, report] if reverse else [report, order]))
    assert (drug.plausible, drug.start) == (Plausible.NO, days_of(AFTER))
    # Of another name for the same ingredient, read apart from it.
    other = text("Waterazide 5 mg", authoredOn=AFTER)
    assert one(*([other, report] if reverse else [report, other])).start == days_of(AFTER)
    # It was reported before it was ordered.
    early = text("waterazide", authoredOn=AFTER, **more)
    assert one(early, text("waterazide", authoredOn=LATER)).plausible is Plausible.POSSIBLE


def request(days: int, unit: str = "d", **more: Any) -> dict[str, Any]:
    return {"expectedSupplyDuration": {"value": days, "code": unit}, **more}


@pytest.mark.parametrize(
    ("dispense", "plausible"),
    [
        (request(28), Plausible.NO),
        (request(28, numberOfRepeatsAllowed=0), Plausible.NO),
        (request(28, numberOfRepeatsAllowed=3), Plausible.NO),
        (request(28, numberOfRepeatsAllowed=5), Plausible.YES),
        (request(1, "mo", numberOfRepeatsAllowed=11), Plausible.YES),
        (request(28, numberOfRepeatsAllowed="five"), Plausible.NO),
        (request(28, numberOfRepeatsAllowed=-5), Plausible.NO),
        (request(28, numberOfRepeatsAllowed=10**9), Plausible.YES),
        ({"numberOfRepeatsAllowed": 5}, Plausible.NO),
    ],
)
@pytest.mark.parametrize("status", ["completed", "stopped"])
def test_repeats_may_be_taken_too(dispense: dict[str, Any], plausible: Plausible, status: str) -> None:
    drug = one(text("waterazide", authoredOn="2026-05-01", status=status, dispenseRequest=dispense))
    assert drug.plausible is plausible
    assert not drug.current


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (statement(effectivePeriod={"start": LATER, "end": BEFORE}), "MedicationStatement.effectivePeriod"),
        (
            text("waterazide", authoredOn=None, dosageInstruction=[bounds(LATER, BEFORE)]),
            "MedicationRequest.dosageInstruction.timing.repeat.bounds",
        ),
    ],
)
def test_a_reversed_period_is_named_and_says_nothing(record: dict[str, Any], place: str) -> None:
    (drug,), notes = read(record)
    assert (drug.plausible, drug.start, drug.end) == (Plausible.POSSIBLE, Days(), None)
    assert [(n.why, n.expression) for n in notes] == [("a period that ends before it begins", place)]


def test_a_period_of_one_day_or_of_imprecise_days_is_not_reversed() -> None:
    for period in ({"start": BEFORE, "end": BEFORE}, {"start": "2026-09-15", "end": "2026-09"}):
        assert read(statement(effectivePeriod=period))[1] == ()
