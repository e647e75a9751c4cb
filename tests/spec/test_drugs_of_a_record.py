"""Section 1, Drug timing, from FHIR to the record: which medicines count, since when and until when.

The decision day is 2026-11-24; the twitch began on 2026-10-05, 50 days before it.
"""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Drug
from tests.spec.records import as_of, condition, read

TWITCH = condition("fasciculation", onsetDateTime=as_of(50))
BEFORE, AFTER = as_of(80), as_of(20)


def request(name: str = "Furosemide 40 mg tablet", **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": members.pop("id", "r"),
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": name},
        "subject": {"reference": "Patient/p"},
        **members,
    }


def statement(name: str = "Furosemide 40 mg tablet", **members: Any) -> dict[str, Any]:
    made = request(name, id=members.pop("id", "s"), **members)
    return {
        **{key: value for key, value in made.items() if key != "intent"},
        "resourceType": "MedicationStatement",
    }


def taken(start: str | None = None, end: str | None = None) -> dict[str, Any]:
    period = {side: day for side, day in (("start", start), ("end", end)) if day}
    return {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": period}}}]}


def supply(start: str | None = None, end: str | None = None) -> dict[str, Any]:
    period = {side: day for side, day in (("start", start), ("end", end)) if day}
    return {"dispenseRequest": {"validityPeriod": period}}


def drugs(*resources: dict[str, Any], twitch: dict[str, Any] = TWITCH) -> list[Drug]:
    forwards, backwards = read(twitch, *resources).drugs, read(*reversed(resources), twitch).drugs
    assert forwards == backwards
    return list(forwards)


TABLE = [
    # --- the start: of a period, else of a supply, else the day it was written
    ([request(authoredOn=as_of(51))], "yes", True),
    ([request(authoredOn=as_of(50))], "possible", True),
    ([request(authoredOn=as_of(49))], "no", True),
    ([request(authoredOn=AFTER, **taken(BEFORE))], "yes", True),
    ([request(authoredOn=BEFORE, **taken(AFTER))], "no", True),
    ([request(authoredOn=AFTER, **supply(BEFORE))], "yes", True),
    ([request(authoredOn=BEFORE, **supply(AFTER))], "no", True),
    ([request(**taken(AFTER), **supply(BEFORE))], "no", True),
    ([request()], "possible", True),
    ([statement(effectivePeriod={"start": BEFORE})], "yes", True),
    ([statement(dateAsserted=BEFORE)], "possible", True),
    # --- over all records: a renewal is not a start
    ([request(authoredOn=AFTER), request(id="b", authoredOn=BEFORE)], "yes", True),
    ([request(authoredOn=AFTER), statement(effectivePeriod={"start": BEFORE})], "yes", True),
    # --- the end of a period
    ([request(**taken(BEFORE, as_of(51)))], "no", False),
    ([request(**taken(BEFORE, as_of(50)))], "yes", False),
    ([request(**taken(BEFORE, as_of(0)))], "yes", False),
    ([request(**taken(BEFORE, as_of(-1)))], "yes", True),
    ([request(**taken(BEFORE, as_of(51))), request(id="b", **taken(BEFORE, as_of(9)))], "yes", False),
    ([request(**taken(BEFORE, as_of(51))), request(id="b", authoredOn=BEFORE)], "yes", True),
    # --- the end of a permission to dispense is none
    ([request(authoredOn=BEFORE, **supply(as_of(400), as_of(300)))], "yes", True),
    ([request(authoredOn=BEFORE, **supply(None, as_of(51)))], "yes", True),
    # --- stopped or completed without an end: it ended on its last start
    ([request(status="stopped", authoredOn=BEFORE)], "no", False),
    ([request(status="completed", authoredOn=BEFORE)], "no", False),
    ([request(status="completed", authoredOn=BEFORE, **supply(BEFORE, AFTER))], "no", False),
    ([request(status="completed", **taken(BEFORE, AFTER))], "yes", False),
    ([request(status="stopped", authoredOn=as_of(90)), request(id="b", status="stopped", authoredOn=AFTER)],
     "yes", False),
    ([request(status="stopped", authoredOn=as_of(90)), request(id="b", authoredOn=AFTER)], "yes", True),
    # --- the status
    ([request(status="on-hold", authoredOn=BEFORE)], "yes", True),
    ([request(status="unknown", authoredOn=BEFORE)], "possible", True),
    ([statement(status="intended", effectivePeriod={"start": BEFORE})], "possible", True),
    ([request(intent="plan", authoredOn=BEFORE)], "yes", True),
]  # fmt: skip


@pytest.mark.parametrize(("records", "plausible", "current"), TABLE)
def test_one_medicine(records: list[dict[str, Any]], plausible: str, current: bool) -> None:
    (drug,) = drugs(*records)
    assert (drug.plausible.value, drug.current) == (plausible, current)
    assert drug.why


@pytest.mark.parametrize(
    "record",
    [
        request(status="entered-in-error", authoredOn=BEFORE),
        request(status="cancelled", authoredOn=BEFORE),
        request(status="draft", authoredOn=BEFORE),
        request(intent="proposal", authoredOn=BEFORE),
        request(doNotPerform=True, authoredOn=BEFORE),
        request(authoredOn=as_of(-2)),
        statement(status="not-taken"),
        statement(status="entered-in-error"),
    ],
)
def test_no_medicine(record: dict[str, Any]) -> None:
    assert drugs(record) == []
    # nor does it move the start of another record
    (drug,) = drugs(request(id="other", authoredOn=AFTER), record)
    assert drug.plausible.value == "no"


@pytest.mark.parametrize(
    ("onset", "plausible"),
    [
        ({"onsetPeriod": {"start": as_of(60)}}, "yes"),
        ({"onsetDateTime": "2026"}, "possible"),
        ({"recordedDate": as_of(50)}, "possible"),
        ({"recordedDate": as_of(90)}, "no"),
    ],
)
def test_an_onset_that_is_not_one_day(onset: dict[str, Any], plausible: str) -> None:
    (drug,) = drugs(request(authoredOn=BEFORE), twitch=condition("fasciculation", **onset))
    assert drug.plausible.value == plausible


def test_a_route_that_is_not_known() -> None:
    (drug,) = drugs(request("Hydrocortisone", authoredOn=BEFORE))
    assert (drug.plausible.value, drug.route_unknown) == ("possible", True)
    assert drug.why.endswith("route unknown")
    (drug,) = drugs(request("Hydrocortisone 10 mg tablet", authoredOn=BEFORE))
    assert (drug.plausible.value, drug.route_unknown) == ("yes", False)


@pytest.mark.parametrize(
    ("records", "end"),
    [
        ([request("Sertraline", **taken(as_of(300), as_of(64)))], as_of(64)),
        ([request("Sertraline", status="stopped", authoredOn=as_of(64))], as_of(64)),
        ([request("Sertraline", authoredOn=as_of(64))], None),
    ],
)
def test_the_end_stays_for_an_antidepressant_that_was_stopped(
    records: list[dict[str, Any]], end: str | None
) -> None:
    (drug,) = drugs(*records)
    assert (drug.end and str(drug.end.earliest), drug.plausible.value) == (end, "no" if end else "yes")


@pytest.mark.parametrize("made", [request, statement])
@pytest.mark.parametrize(
    ("status", "named"),
    [
        ("??", True),
        ("aktiv", True),
        ("taking", True),
        ("active", False),
        ("unknown", False),
        ("stopped", False),
        ("", False),
    ],
)
def test_a_status_that_nobody_knows_is_named(made: Any, status: str, named: bool) -> None:
    """It may be taken: it counts as possible, and the card says that an entry was not understood."""
    record = read(made(status=status))
    assert len(record.drugs) == 1
    notes = [(n.expression or "").partition(".")[2] for n in record.not_understood]
    assert notes == (["status"] if named else [])
    if named:
        assert record.drugs[0].plausible.value == "possible"
