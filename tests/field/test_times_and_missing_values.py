"""Results and findings with timings, open periods and texts for numbers, and values marked as missing."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Band, Status
from tests.spec.outcomes import outcome_of
from tests.spec.records import ago, as_of, concept, exam, observation, read, twitch
from tests.spec.test_results import CA, FLAGS, K, lab, only

IN, OUT, CRITICAL, NOT = Band.IN_RANGE, Band.OUT_OF_RANGE, Band.CRITICAL, Band.NOT_JUDGED
ERROR = concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", "error")
EXTENSION = [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "error"}]
NORMAL = [concept(FLAGS, "N")]
MISSING: list[tuple[str, dict[str, Any]]] = [
    ("a reason beside a value", {"dataAbsentReason": ERROR}),
    ("a reason in words", {"dataAbsentReason": {"text": "haemolysed"}}),
    ("a reason beside a normal flag", {"dataAbsentReason": ERROR, "interpretation": NORMAL}),
    (
        "an extension of the quantity",
        {"valueQuantity": {"value": 4.1, "unit": "mmol/L", "extension": EXTENSION}},
    ),
    ("an extension of the element", {"_valueQuantity": {"extension": EXTENSION}}),
    ("a normal flag without a value", {"valueQuantity": None, "interpretation": NORMAL}),
]


@pytest.mark.parametrize("made", [made for _, made in MISSING], ids=[name for name, _ in MISSING])
def test_a_value_that_is_marked_as_missing_is_no_test_done(made: dict[str, Any]) -> None:
    result = {key: value for key, value in {**lab(K, "4.1"), **made}.items() if value is not None}
    record = read(twitch(20), result)
    assert [found.band for found in record.results] == [NOT]
    assert record.not_understood
    assert any("potassium" in r.analytes for r in outcome_of(record).recommendations)


@pytest.mark.parametrize(("value", "flag", "band"), [("6.9", None, CRITICAL), ("4.1", "HH", CRITICAL)])
def test_a_missing_value_hides_no_danger_and_is_named(value: str, flag: str | None, band: Band) -> None:
    record = read(lab(K, value, flag=flag, dataAbsentReason=ERROR))
    assert [found.band for found in record.results] == [band]
    assert record.not_understood


def test_an_albumin_does_not_judge_a_calcium_that_is_missing() -> None:
    calcium, albumin = lab(CA, "2.3", dataAbsentReason=ERROR), lab("1751-7", "40", "g/L", id="a")
    assert [r.band for r in read(calcium, albumin).results if r.analyte == "calcium"] == [NOT]


TIMINGS = [
    {"event": [as_of(2)]},
    {"event": [as_of(40), None, as_of(2)]},
    {"repeat": {"boundsPeriod": {"start": as_of(3), "end": as_of(2)}}},
    {"repeat": {"boundsPeriod": {"start": as_of(2)}}},
]


@pytest.mark.parametrize("timing", TIMINGS)
def test_a_timing_dates_a_result(timing: dict[str, Any]) -> None:
    result = lab(K, "4.1", effectiveTiming=timing)
    del result["effectiveDateTime"]
    assert only(result).day == ago(2)
    # It answers the one before it.
    assert only(lab(K, "6.9", id="old", when=as_of(5)), result).band is IN


@pytest.mark.parametrize("timing", TIMINGS[:3])
def test_a_timing_dates_a_finding(timing: dict[str, Any]) -> None:
    made = observation("weakness", valueBoolean=False, effectiveDateTime=None, effectiveTiming=timing)
    finding = read(twitch(20), made).findings["weakness"]
    assert (finding.status, finding.recorded) == (Status.ABSENT, ago(2))


@pytest.mark.parametrize(("began", "status"), [(5, Status.ABSENT), (400, Status.UNKNOWN)])
def test_an_absence_of_an_open_period_was_seen_at_its_start(began: int, status: Status) -> None:
    made = exam(False, None, effectivePeriod={"start": as_of(began)})
    assert read(twitch(20), made).findings["weakness"].status is status


def test_a_presence_of_an_open_period_is_one_of_today() -> None:
    made = exam(True, None, effectivePeriod={"start": as_of(400)})
    assert read(twitch(20), made).findings["weakness"].status is Status.PRESENT


@pytest.mark.parametrize(
    ("written", "band"),
    [(">6.9", CRITICAL), ("<2.0", CRITICAL), ("6,9", CRITICAL), ("4.1 H", OUT), ("?", NOT)],
)
def test_a_text_in_the_place_of_a_number(written: str, band: Band) -> None:
    record = read(lab(K, None, valueQuantity={"value": written, "unit": "mmol/L"}))
    assert [found.band for found in record.results] == [band]
    assert bool(record.not_understood) is (band is NOT)


def test_a_range_with_a_minus_sign() -> None:
    assert only(lab(K, "6.0", referenceRange=[{"text": "3.5\u22125.1"}])).band is OUT
