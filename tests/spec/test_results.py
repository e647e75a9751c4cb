"""Section 1, Results: in range, out of range, critical, or not judged."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.record import Band, Result
from tests.spec.outcomes import outcome_of
from tests.spec.records import as_of, concept, condition, read

FLAGS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
LOINC = "http://loinc.org"
K, NA, CA, CA_IONISED, MG = "2823-3", "2951-2", "2000-8", "1994-3", "2601-3"


class Number(str):
    """A number that stays as it is written."""


def lab(code: str, value: str | None, unit: str | None = "mmol/L", **more: Any) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": more.pop("id", "r"),
        "status": more.pop("status", "final"),
        "subject": {"reference": "Patient/p"},
        "code": concept(LOINC, code),
        "effectiveDateTime": more.pop("when", as_of(1)),
    }
    if value is not None:
        comparator = value[: len(value) - len(value.lstrip("<>="))]
        quantity: dict[str, Any] = {"value": json.loads(value.lstrip("<>="))}
        if comparator:
            quantity["comparator"] = comparator
        if unit is not None:
            quantity["unit"] = unit
        resource["valueQuantity"] = quantity
    flag = more.pop("flag", None)
    if flag:
        resource["interpretation"] = [concept(FLAGS, flag)]
    low, high = more.pop("low", None), more.pop("high", None)
    if low or high:
        bounds = {"low": low, "high": high}
        in_unit = {"unit": more.pop("range_unit", unit)} if unit else {}
        resource["referenceRange"] = [
            {side: {"value": bound, **in_unit} for side, bound in bounds.items() if bound}
        ]
    return {**resource, **more}


def only(*resources: dict[str, Any], **more: Any) -> Result:
    (found,) = read(*resources, **more).results
    return found


IN, OUT, CRITICAL, NOT = Band.IN_RANGE, Band.OUT_OF_RANGE, Band.CRITICAL, Band.NOT_JUDGED


@pytest.mark.parametrize(
    ("made", "band"),
    [
        (lab(K, "4.1", low=3.5, high=5.1), IN),
        (lab(K, "3.5", low=3.5, high=5.1), IN),
        (lab(K, "5.1", low=3.5, high=5.1), IN),
        (lab(K, "3.4", low=3.5, high=5.1), OUT),
        (lab(K, "5.2", low=3.5, high=5.1), OUT),
        (lab(K, "4.1", flag="N"), IN),
        (lab(K, "4.1", flag="H"), OUT),
        (lab(K, "4.1", flag="L"), OUT),
        (lab(K, "4.1", flag="A"), OUT),
        (lab(K, "4.1", flag="HH"), CRITICAL),
        (lab(K, "4.1", flag="LL"), CRITICAL),
        (lab(K, "4.1", flag="AA"), CRITICAL),
        # flagged normal, and outside its own range: out of range
        (lab(K, "5.2", flag="N", low=3.5, high=5.1), OUT),
        # neither flag nor range: the default range, by unit, of a text too
        (lab(K, None, valueString="4.1 mmol/L"), IN),
        (lab(K, "5.5"), OUT),
        (lab(K, "4.1", unit=None), NOT),
        (lab(K, "4.1", unit="furlong"), NOT),
        # a range of another unit is compared only by an exact factor: 39.0983 mg of potassium are 1 mmol
        (lab(K, "4.1", low=137, high=199, range_unit="mg/L"), IN),
        (lab(K, "3.5", low=136.84405, high=199, range_unit="mg/L"), IN),
        (lab(K, "3.499", low=136.84405, high=199, range_unit="mg/L"), OUT),
        (lab(K, "4.1", low=3.5, high=5.1, range_unit="furlong"), NOT),
        # 0 to 0 or a reversed one is no range: the default one, by unit
        (lab(K, "4.1", referenceRange=[{"low": {"value": 0}, "high": {"value": 0}}]), IN),
        (lab(K, "5.5", referenceRange=[{"low": {"value": 0}, "high": {"value": 0}}]), OUT),
        (lab(K, "4.1", low=5.1, high=3.5), IN),
        (lab(K, "4.1", low=4.1, high=4.1), IN),
        (lab(K, "4.1", "furlong", low=5.1, high=3.5), NOT),
        # a range of another type is none
        (lab(K, "4.5", referenceRange=[{"high": {"value": 4}, "type": {"text": "recommended"}}]), IN),
        (lab(K, "4.5", referenceRange=[{"high": {"value": 4}, "type": {"text": "Normal range"}}]), OUT),
        # a range without a unit has the value's
        (lab(K, "5.2", low=3.5, high=5.1, range_unit=None), OUT),
    ],
)
def test_the_band(made: dict[str, Any], band: Band) -> None:
    assert only(made).band is band


@pytest.mark.parametrize(
    ("code", "value", "unit", "critical"),
    [
        (K, "2.5", "mmol/L", True),
        (K, "2.51", "mmol/L", False),
        (K, "6.5", "mmol/L", True),
        (K, "6.49", "mmol/L", False),
        (K, "6.5", "meq/L", True),
        (NA, "120", "mmol/L", True),
        (NA, "121", "mmol/L", False),
        (NA, "160", "mmol/L", True),
        (NA, "159", "mmol/L", False),
        (CA, "1.8", "mmol/L", True),
        (CA, "1.81", "mmol/L", False),
        (CA, "3.5", "mmol/L", True),
        (CA, "3.49", "mmol/L", False),
        # 1.8 mmol/L of calcium are 7.214 mg/dL
        (CA, "7.21", "mg/dL", True),
        (CA, "7.22", "mg/dL", False),
        (MG, "0.4", "mmol/L", True),
        (MG, "0.41", "mmol/L", False),
        # 0.4 mmol/L of magnesium are 0.9722 mg/dL
        (MG, "0.97", "mg/dL", True),
        (MG, "0.98", "mg/dL", False),
        (CA_IONISED, "1.0", "mmol/L", False),
        # without a unit, or in one that is not known, a number says nothing
        (K, "2.0", None, False),
        (K, "2.0", "furlong", False),
        # what a comparator leaves open is not critical
        (K, "<2.6", "mmol/L", False),
        (K, "<2.5", "mmol/L", True),
        (K, ">6.5", "mmol/L", True),
        (K, ">6.4", "mmol/L", False),
    ],
)
def test_critical(code: str, value: str, unit: str | None, critical: bool) -> None:
    assert (only(lab(code, value, unit)).band is CRITICAL) is critical


def test_critical_whatever_the_flag_or_range() -> None:
    assert only(lab(K, "2.4", flag="N", low=2.0, high=5.1)).band is CRITICAL


@pytest.mark.parametrize(("applies", "band"), [("male", OUT), ("female", IN)])
def test_a_range_for_the_other_sex_does_not_count(applies: str, band: Band) -> None:
    ranges = [
        {"high": {"value": 10, "unit": "U/L"}, "appliesTo": [{"text": applies}]},
        {"high": {"value": 100, "unit": "U/L"}},
    ]
    made = lab("2157-6", "50", "U/L", referenceRange=ranges)
    from tests.spec import records

    patient = {"resourceType": "Patient", "id": "p", "gender": "male"}
    body = json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in (patient, made)]}
    ).encode()
    submission = records.decode_bundle(body)
    terminology, reading = records.KNOWLEDGE.terminology, records.KNOWLEDGE.reading
    (found,) = records.record_of(submission, terminology, records.DAY, reading).results
    assert found.band is band


def test_the_value_stays_as_written() -> None:
    made = lab(K, "4.1")
    body = json.dumps(made).replace("4.1", "4.10")
    assert "4.10" in body
    from tests.spec import records

    text = records.bundle(made).replace(b'"value": 4.1', b'"value": 4.10')
    submission = records.decode_bundle(text)
    record = records.record_of(
        submission, records.KNOWLEDGE.terminology, records.DAY, records.KNOWLEDGE.reading
    )
    assert record.results[0].text == "4.10"


TSH = "3016-3"
TEXT_RANGE = {"referenceRange": [{"text": "see the manual"}]}
FLAG = {"interpretation": [{"text": "not high"}]}
# What cannot be judged, and what is named of it: the place and the reason.
UNJUDGED = {
    "a unit": (lab(K, "6.9", "furlong/L"), {("value", "its unit is not recognised")}),
    "no unit": (lab(K, "6.9", None), {("value", "it has no unit")}),
    "a text in another unit": (
        lab(K, None, valueString="6.9 furlong/L"),
        {("value", "its unit is not recognised")},
    ),
    "words": (lab(K, None, valueString="see comment"), {("value", "its value is no number")}),
    "a range in text": (
        lab(TSH, "55", "mIU/L", **TEXT_RANGE),
        {("referenceRange", "its range cannot be compared")},
    ),
    "a range of another unit": (
        lab(K, "4.1", low=137, high=199, range_unit="furlong"),
        {("referenceRange", "its range cannot be compared")},
    ),
    "a flag beside a value in its range": (
        lab(K, "4.1", low=3.5, high=5.1, flag="?"),
        {("interpretation", "its flag is not recognised")},
    ),
    "a range for others": (
        lab(TSH, "55", "mIU/L", referenceRange=[{"high": {"value": 4}, "appliesTo": [{"text": "male"}]}]),
        {("referenceRange", "its range cannot be compared")},
    ),
    "no range": (lab(TSH, "55", "mIU/L"), {("referenceRange", "it has no range")}),
    "a flag": (
        lab(TSH, "55", "mIU/L", **FLAG),
        {("interpretation", "its flag is not recognised"), ("referenceRange", "it has no range")},
    ),
    "a flag and a range": (
        lab(TSH, "55", "mIU/L", **FLAG, **TEXT_RANGE),
        {
            ("interpretation", "its flag is not recognised"),
            ("referenceRange", "its range cannot be compared"),
        },
    ),
    "not even a comparator that tells": (lab(K, "<4.1"), {("value", "its comparator leaves it open")}),
}


@pytest.mark.parametrize("name", UNJUDGED)
def test_what_cannot_be_judged_is_named(name: str) -> None:
    made, expected = UNJUDGED[name]
    record = read(made)
    assert [r.band for r in record.results] == [NOT]
    assert {note.reference for note in record.not_understood} == {"Observation/r"}
    said = {(note.expression, note.why) for note in record.not_understood}
    assert said == {(f"Observation.{place}", f"could not be judged: {why}") for place, why in expected}


@pytest.mark.parametrize(
    "made",
    [
        lab(K, "4.1"),
        lab(K, "6.9", "furlong/L", flag="H"),
        lab(K, "4.1", "furlong/L", flag="N"),
        lab(K, "4.1", "furlong/L", low=3.5, high=5.1),
        lab(TSH, "5.1", "mIU/L", low=0.4, high=4, flag="?"),
    ],
)
def test_what_is_judged_is_not_named(made: dict[str, Any]) -> None:
    assert read(made).not_understood == ()


def test_a_part_of_a_panel_that_cannot_be_judged_is_named_by_its_place() -> None:
    part = {"code": concept(LOINC, K), "valueQuantity": {"value": 6.9, "unit": "furlong/L"}}
    (note,) = read({**lab("24321-2", None), "component": [part]}).not_understood
    assert note.expression == "Observation.component[0].value"


@pytest.mark.parametrize("made", [lab(K, "6.9", "furlong/L"), lab(TSH, "55", "mIU/L", **TEXT_RANGE)])
def test_what_cannot_be_judged_is_never_done(made: dict[str, Any]) -> None:
    twitch = condition("fasciculation", onsetDateTime=as_of(30))
    decided = outcome_of(read(twitch, made))
    assert decided.level == "warning"
    assert "done" not in {w.why for w in decided.withheld}
    wanted = {analyte for r in decided.recommendations for analyte in r.analytes}
    assert {"potassium", "tsh"} <= wanted
    # The other side: judged, the same result answers.
    judged = {**made, "interpretation": [concept(FLAGS, "N")]}
    answered = outcome_of(read(twitch, judged))
    assert "done" in {w.why for w in answered.withheld}


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_what_is_final(status: str) -> None:
    assert not only(lab(K, "4.1", status=status)).preliminary


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error"])
def test_what_does_not_exist(status: str) -> None:
    assert read(lab(K, "2.0", status=status)).results == ()


def test_low_and_high() -> None:
    assert only(lab(K, "3.0", low=3.5, high=5.1)).low is True
    assert only(lab(K, "5.5", low=3.5, high=5.1)).low is False
    assert only(lab(K, "4.1", flag="A")).low is None


def test_a_panel_with_components() -> None:
    panel = {
        **lab("24321-2", None),
        "component": [
            {"code": concept(LOINC, K), "valueQuantity": {"value": 4.1, "unit": "mmol/L"}},
            {"code": concept(LOINC, NA), "valueQuantity": {"value": 139, "unit": "mmol/L"}},
        ],
    }
    assert {r.analyte: r.text for r in read(panel).results} == {"potassium": "4.1", "sodium": "139"}


EMPTY = "a result without a value"


def test_a_result_without_a_value_is_named_and_not_judged() -> None:
    record = read(lab(K, None))
    assert [(r.text, r.value, r.band) for r in record.results] == [("", None, NOT)]
    assert [(n.expression, n.why) for n in record.not_understood] == [("Observation.value", EMPTY)]


def test_the_reason_stands_in_place_of_the_value() -> None:
    made = lab(K, None, dataAbsentReason={"text": "haemolysed"})
    assert (only(made).text, only(made).value) == ("haemolysed", None)


def test_a_panel_by_the_code_of_a_result_is_none_itself() -> None:
    part = {"code": concept(LOINC, NA), "valueQuantity": {"value": 139, "unit": "mmol/L"}}
    assert [r.analyte for r in read({**lab(K, None), "component": [part]}).results] == ["sodium"]


@pytest.mark.parametrize(
    ("code", "value", "unit", "canonical"),
    [
        (K, "4.1", "mmol/L", "4.1"),
        (K, "4.1", "mEq/L", "4.1"),
        (CA, "5", "mEq/L", "2.5"),
        (K, "4.1", "furlong", None),
        (K, "4.1", None, None),
        ("1751-7", "3.8", "g/dL", "38"),
        ("1751-7", "38", "g/L", "38"),
    ],
)
def test_the_value_in_the_unit_of_its_analyte(
    code: str, value: str, unit: str | None, canonical: str | None
) -> None:
    found = only(lab(code, value, unit)).canonical
    assert found == (None if canonical is None else Decimal(canonical))


def test_a_result_of_a_day_to_come_does_not_exist() -> None:
    assert read(lab(K, "2.0", when=as_of(-2))).results == ()
    assert len(read(lab(K, "2.0", when=as_of(-1))).results) == 1
