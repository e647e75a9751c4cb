"""Units, ranges, flags and values as laboratories write them: judged, or named and never done."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.record import Band
from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.to_findings import record_of
from tests.spec.outcomes import outcome_of
from tests.spec.records import DAY, KNOWLEDGE, as_of, bundle, condition, read
from tests.spec.test_results import FLAGS, MG, NA, K, lab, only

IN, OUT, CRITICAL, NOT = Band.IN_RANGE, Band.OUT_OF_RANGE, Band.CRITICAL, Band.NOT_JUDGED
TSH, CK, LITHIUM, CALCIUM = "3016-3", "2157-6", "14334-7", "2000-8"

UNITS = [
    (K, "6.9", "MEQ/L", CRITICAL),
    (K, "6.9", "Meq/l", CRITICAL),
    (K, "6.9", "MMOL/L", CRITICAL),
    (K, "6.9", "mmol/litre", CRITICAL),
    (K, "6.9", "millimoles per liter", CRITICAL),
    (K, "6.9", "mEq / L", CRITICAL),
    (K, "6.9", "mmol/L.", CRITICAL),
    (K, "6.9", "mequiv/L", CRITICAL),
    (K, "4.1", "Milliequivalents/Liter", IN),
    (NA, "118", "mval/l", CRITICAL),
    (MG, "0.9", "MG/DL", CRITICAL),
    (CALCIUM, "7.0", "mg/100 mL", CRITICAL),
    (CK, "6000", "IU/l", CRITICAL),
    (CK, "110", "µkat/L", CRITICAL),
    (LITHIUM, "1.6", "meq/l", CRITICAL),
    (K, "6.9", "mmol L-1", CRITICAL),
    (K, "6.9", "mmol.L-1", CRITICAL),
    (K, "6.9", "mmol·L⁻¹", CRITICAL),
    (K, "6.9", "mmol L⁻¹", CRITICAL),
    (K, "6.9", "mmol*L-1", CRITICAL),
    (K, "6.9", "mmol·l\u22121", CRITICAL),
    (K, "6.9", "meq.L^-1", CRITICAL),
    (K, "6.9", "10*-3.mol/L", CRITICAL),
    (K, "6.9", "mmol/L{serum}", CRITICAL),
    (K, "6.9", "mmol{K}/L", CRITICAL),
    (K, "6.9", "mmol/L (calc)", CRITICAL),
    (K, "6.9", "mmol/l serum", CRITICAL),
    (K, "6.9", "mmole/L;", CRITICAL),
    (MG, "0.9", "mg dL-1", CRITICAL),
    (CK, "6000", "U L-1", CRITICAL),
    # Recognised by none of the analytes, or of another quantity.
    (K, "6.9", "furlong", NOT),
    (K, "6.9", "g", NOT),
    (K, "6.9", "mmol", NOT),
    (K, "6.9", "mmol/{24.h}", NOT),
    (K, "6.9", "mmol L-10", NOT),
    (K, "6.9", "mmol L1", NOT),
    (K, "6.9", "mmol/L/h", NOT),
    (K, "6.9", "mmol/L urine", NOT),
    (K, "6.9", "mmol/mL", NOT),
    (K, "6.9", "L mmol-1", NOT),
    (K, "6.9", "%", NOT),
    (K, "6.9", None, NOT),
    (NA, "140", "mg/dL", NOT),
]


@pytest.mark.parametrize(("code", "value", "unit", "band"), UNITS)
def test_a_unit(code: str, value: str, unit: str | None, band: Band) -> None:
    record = read(lab(code, value, unit))
    assert [result.band for result in record.results] == [band]
    assert bool(record.not_understood) is (band is NOT)


def test_a_code_and_a_unit_that_contradict_each_other_are_not_judged() -> None:
    quantity = {"value": 6.9, "unit": "mmol/L", "code": "mg/dL"}
    assert only(lab(K, None, valueQuantity=quantity)).band is NOT
    assert only(lab(K, None, valueQuantity={**quantity, "code": "MMOL/L"})).band is CRITICAL
    assert only(lab(K, None, valueQuantity={**quantity, "code": "1"})).band is CRITICAL


def ranged(code: str, value: str, unit: str | None, *ranges: dict[str, Any]) -> dict[str, Any]:
    return lab(code, value, unit, referenceRange=list(ranges))


TEXTS = [
    ("3.5 - 5.1", "5.4", OUT),
    ("3.5-5.1", "4.0", IN),
    ("3,5 - 5,1", "5.4", OUT),
    ("(3.5 - 5.1)", "3.2", OUT),
    ("[3.5-5.1]", "4.0", IN),
    ("3.5 – 5.1 mmol/L", "5.4", OUT),
    ("3.5-5.1 MEQ/L", "5.4", OUT),
    ("3.5 mmol/L - 5.1 mmol/L", "5.4", OUT),
    ("3.5 to 5.1", "4.0", IN),
    ("3.5..5.1", "5.4", OUT),
    ("Normal: 3.5 - 5.1", "5.4", OUT),
    ("Reference range: 3.5-5.1 mmol/L", "5.4", OUT),
    ("< 5.1", "5.4", OUT),
    ("<5.1 mmol/L", "4.0", IN),
    ("up to 5.1", "5.4", OUT),
    ("≤ 5.1", "5.1", IN),
    ("> 3.5", "3.2", OUT),
    # No range: the default one judges.
    ("0 - 0", "4.0", IN),
    ("0-0", "5.4", OUT),
    ("5.1 - 3.5", "4.0", IN),
    ("-1 - -1", "5.4", OUT),
    ("0 - 9999", "5.4", OUT),
    # A range in words is never compared, and the default one does not take its place.
    ("see note", "4.0", NOT),
    ("3.5 - 5.1 (adults), 3.0 - 6.0 (newborns)", "4.0", NOT),
    ("137 - 199 mg/L", "5.4", OUT),
    ("3.5 - 5.1 furlong", "5.4", NOT),
]


@pytest.mark.parametrize(("text", "value", "band"), TEXTS)
def test_a_range_in_text(text: str, value: str, band: Band) -> None:
    record = read(ranged(K, value, "mmol/L", {"text": text}))
    assert [result.band for result in record.results] == [band]
    assert bool(record.not_understood) is (band is NOT)


@pytest.mark.parametrize(
    ("low", "high", "value", "band"),
    [
        (0, 0, "4.0", IN),
        (5.1, 3.5, "4.0", IN),
        (-1, -1, "4.0", IN),
        (3.5, 9999, "6.0", OUT),
        (0, 99999, "6.0", OUT),
        (-1, 5.1, "5.4", OUT),
        (4, 4, "4.2", IN),
        (None, 0, "4.0", IN),
        (0, None, "6.0", OUT),
        (3.0, 6.0, "5.4", IN),
    ],
)
def test_bounds_that_are_no_range(low: float | None, high: float | None, value: str, band: Band) -> None:
    bounds = {
        name: {"value": bound, "unit": "mmol/L"}
        for name, bound in (("low", low), ("high", high))
        if bound is not None
    }
    assert only(ranged(K, value, "mmol/L", bounds)).band is band


def test_an_impossible_range_leaves_an_analyte_without_a_default_unjudged() -> None:
    record = read(ranged(TSH, "55", "mIU/L", {"low": {"value": 0}, "high": {"value": 0}}))
    assert [result.band for result in record.results] == [NOT]
    assert record.not_understood


@pytest.mark.parametrize(
    ("unit", "range_unit"),
    [("mIU/L", "uIU/mL"), ("uIU/mL", "mU/L"), ("µIU/mL", "mIU/l"), ("m[IU]/L", "uIU/ML"), ("MIU/L", "mIU/L")],
)
def test_a_range_in_an_equal_unit(unit: str, range_unit: str) -> None:
    bounds = {side: {"value": v, "unit": range_unit} for side, v in (("low", 0.4), ("high", 4.0))}
    assert only(ranged(TSH, "9.8", unit, bounds)).band is OUT
    assert only(ranged(TSH, "2.1", unit, bounds)).band is IN


@pytest.mark.parametrize(
    ("unit", "range_unit", "band"),
    [("pg/mL", "ng/L", OUT), ("pg/mL", "PG/ML", OUT), ("pg/mL", "pmol/L", NOT), ("ng/mL", "ug/L", OUT)],
)
def test_equal_units_of_an_analyte_without_factors(unit: str, range_unit: str, band: Band) -> None:
    bounds = {side: {"value": v, "unit": range_unit} for side, v in (("low", 200), ("high", 900))}
    assert only(ranged("2132-9", "150", unit, bounds)).band is band


def two(value: str, *highs: float) -> dict[str, Any]:
    ranges = [{"low": {"value": 0.4}, "high": {"value": high}} for high in highs]
    return ranged(TSH, value, "mIU/L", *ranges)


def test_several_ranges_without_a_type_judge_what_they_agree_on() -> None:
    assert only(two("9.8", 4.0, 5.0)).band is OUT
    assert only(two("2.0", 4.0, 5.0)).band is IN
    assert only(two("4.5", 4.0, 5.0)).band is NOT
    assert only(two("4.5", 5.0, 4.0)).band is NOT


TYPES = [
    ({"text": "Reference Range"}, None, OUT),
    ({"text": "normal range"}, None, OUT),
    ({"coding": [{"system": "urn:x", "code": "R", "display": "Reference range"}]}, None, OUT),
    ({"text": "Ref range"}, [{"text": "Adult"}], OUT),
    (None, [{"text": "Adults"}], OUT),
    (None, [{"text": "All"}], OUT),
    (None, [{"coding": [{"code": "F", "display": "Female"}]}], OUT),
    (None, [{"text": "Men"}], NOT),
    (None, [{"text": "Newborn"}], NOT),
    ({"text": "Therapeutic"}, None, NOT),
    ({"coding": [{"code": "treatment"}]}, None, NOT),
]


@pytest.mark.parametrize(("kind", "applies_to", "band"), TYPES)
def test_types_and_people_in_words(
    kind: dict[str, Any] | None, applies_to: list[dict[str, Any]] | None, band: Band
) -> None:
    made = {"low": {"value": 0.4}, "high": {"value": 4.0}}
    made |= {"type": kind} if kind else {}
    made |= {"appliesTo": applies_to} if applies_to else {}
    body = bundle(ranged(TSH, "9.8", "mIU/L", made)).replace(
        b'"birthDate"', b'"gender": "female", "birthDate"'
    )
    submission = decode_bundle(body)
    (result,) = record_of(submission, KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading).results
    assert result.band is band


@pytest.mark.parametrize(
    ("flag", "band"),
    [
        ("High", OUT),
        ("LOW", OUT),
        ("*", OUT),
        ("H*", OUT),
        ("(H)", OUT),
        ("H>", OUT),
        ("L<", OUT),
        ("↑", OUT),
        ("↓", OUT),
        ("↑↑", OUT),
        ("(↓)", OUT),
        ("++", OUT),
        ("--", OUT),
        ("H!", OUT),
        ("H H", OUT),
        ("Hi", OUT),
        ("OOR", OUT),
        ("ABN", OUT),
        ("too low", OUT),
        ("erhöht", OUT),
        ("CH", CRITICAL),
        ("CL", CRITICAL),
        ("CRIT", CRITICAL),
        ("Crit High", CRITICAL),
        ("H CH", CRITICAL),
        ("CL,L", CRITICAL),
        ("Low Low", CRITICAL),
        ("High-High", CRITICAL),
        ("PH", CRITICAL),
        ("ALERT HIGH", CRITICAL),
        ("Very abnormal (applies to non-numeric units)", CRITICAL),
        # Thresholds of a protocol, changes and no flag: the number decides.
        ("HX", IN),
        ("LX", IN),
        ("EX", IN),
        ("W", IN),
        ("N/A", IN),
        # Beyond what the method measures: the value has a comparator.
        (">", NOT),
        ("<", NOT),
        ("Off scale high", NOT),
        # They also mean positive, nothing, and corrected.
        ("C", NOT),
        ("H C", NOT),
        ("+", NOT),
        ("-", NOT),
        ("QCF", NOT),
        ("H L", NOT),
        ("N H", NOT),
        ("nicht erhöht", NOT),
        ("Abnormal", OUT),
        ("Panic", CRITICAL),
        ("High Panic", CRITICAL),
        ("Critical", CRITICAL),
        ("CRITICAL LOW", CRITICAL),
        ("AA", CRITICAL),
        ("Normal", IN),
        ("see comment", NOT),
        ("?", NOT),
    ],
)
def test_a_flag_of_a_laboratory(flag: str, band: Band) -> None:
    for interpretation in ({"text": flag}, {"coding": [{"code": flag}]}, {"coding": [{"display": flag}]}):
        made = lab(K, "4.1", "mmol/L", interpretation=[interpretation])
        assert only(made).band is band
    assert only(lab(K, "4.1", "mmol/L", interpretation=[{"coding": [{"system": FLAGS, "code": flag}]}])).band


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ('"6.9"', "6.9"),
        ('"6,9"', "6.9"),
        ('"1,234.5"', "1234.5"),
        ('"1.234,5"', "1234.5"),
        ('"0,400"', "0.400"),
        ('"1,234"', None),
        ('"1,23,4"', None),
        ('"six"', None),
    ],
)
def test_the_number_of_a_quantity_that_is_text(written: str, number: str | None) -> None:
    quantity = {"value": written.strip('"'), "unit": "U/L"}
    (result,) = read(lab(CK, None, valueQuantity=quantity)).results
    assert result.value == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    "made",
    [
        lab(K, "4.1", "furlong"),
        lab(K, "4.1", None),
        lab(K, None, valueString="4.1"),
        ranged(K, "4.1", "mmol/L", {"text": "see note"}),
        lab(K, "4.1", "mmol/L", interpretation=[{"text": "see comment"}]),
        lab(K, None, valueRatio={"numerator": {"value": 4}, "denominator": {"value": 1}}),
        lab(K, None, valueSampledData={"dimensions": 1}),
        lab(K, None, dataAbsentReason={"text": "unknown"}),
    ],
)
def test_what_cannot_be_judged_asks_for_its_test_and_is_named(made: dict[str, Any]) -> None:
    record = read(condition("fasciculation", onsetDateTime=as_of(30)), made)
    decided = outcome_of(record)
    assert record.not_understood
    assert "potassium" in {analyte for r in decided.recommendations for analyte in r.analytes}
    assert not [w for w in decided.withheld if w.id == "electrolytes"]


def q(value: float, **more: Any) -> dict[str, Any]:
    return {"value": value, "unit": "mmol/L", **more}


@pytest.mark.parametrize(
    ("made", "value", "band"),
    [
        # A text completes a range of which a converter brought over one side, or none.
        ({"low": q(3.5), "text": "3.5-5.1"}, "5.6", OUT),
        ({"low": q(3.5), "text": "3.5-5.1"}, "4.1", IN),
        ({"high": q(5.1), "text": "3.5 - 5.1 mmol/L"}, "3.1", OUT),
        ({"low": q(0), "high": q(0), "text": "3.0 - 6.0"}, "5.6", IN),
        ({"low": q(3.5), "text": "see note"}, "4.1", IN),
        # One side alone does not say that the other is in range.
        ({"low": q(3.5)}, "5.6", NOT),
        ({"text": "< 5.1"}, "2.9", NOT),
        ({"text": "< 5.1"}, "4.1", IN),
        ({"text": "< 5.1"}, "5.4", OUT),
        # A comparator that contradicts its side.
        ({"low": q(5.1, comparator="<")}, "4.1", NOT),
        ({"high": q(3.5, comparator=">=")}, "4.1", NOT),
        ({"high": q(5.1, comparator="<")}, "4.1", IN),
        ({"text": "3.5 -- 5.1"}, "5.4", OUT),
        ({"text": "3.5~5.1"}, "5.4", OUT),
        ({"text": "3.5\uff5e5.1"}, "4.1", IN),
        # Words for "no range": the default one judges.
        ({"text": "-"}, "4.1", IN),
        ({"text": "N/A"}, "5.6", OUT),
        ({"low": {"unit": "mmol/L"}, "high": {"unit": "mmol/L"}}, "4.1", IN),
        ({"text": "Not established"}, "4.1", NOT),
    ],
)
def test_a_range_that_is_half_or_no_range(made: dict[str, Any], value: str, band: Band) -> None:
    record = read(ranged(K, value, "mmol/L", made))
    assert [result.band for result in record.results] == [band]
    assert bool(record.not_understood) is (band is NOT)


@pytest.mark.parametrize(
    ("code", "value", "unit", "band"),
    [
        (K, "-4.0", "mmol/L", NOT),
        (K, "9999", "mmol/L", NOT),
        (K, "999.9", "mmol/L", NOT),
        (NA, "99999", "mmol/L", NOT),
        (TSH, "-1", "mIU/L", NOT),
        (K, "9.9", "mmol/L", CRITICAL),
        (K, "0", "mmol/L", CRITICAL),
        (CK, "9999", "U/L", CRITICAL),
    ],
)
def test_a_number_that_stands_for_none_is_no_result(code: str, value: str, unit: str, band: Band) -> None:
    record = read(lab(code, value, unit, low=0.1, high=5000))
    assert [result.band for result in record.results] == [band]
    assert bool(record.not_understood) is (band is NOT)


def test_a_flag_of_the_method_is_a_comparator() -> None:
    made = lab(K, "6.8", "mmol/L", interpretation=[{"coding": [{"code": ">"}]}])
    assert (only(made).band, only(made).text) == (CRITICAL, ">6.8")
    # TSH that is not measurable: below its range, though the flag says nothing of it.
    below = lab(TSH, "0.01", "mIU/L", low=0.4, high=4.0, interpretation=[{"coding": [{"code": "<"}]}])
    assert (only(below).band, only(below).low) == (OUT, True)
    within = lab(CK, "20", "U/L", high=200, interpretation=[{"text": "Off scale low"}])
    assert only(within).band is IN
    both = lab(CK, "20", "U/L", high=200, interpretation=[{"text": "<"}, {"text": ">"}])
    assert only(both).band is NOT
