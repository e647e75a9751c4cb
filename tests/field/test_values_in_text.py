"""Values that laboratories write as text: with a name, flags, a unit and a range."""

from __future__ import annotations

import pytest

from fhir_mappings.record import Band
from tests.field.test_results_as_sent import CALCIUM, CRITICAL, IN, NOT, OUT, TSH, q
from tests.spec.records import read
from tests.spec.test_results import MG, NA, K, lab, only

VALUES = [
    ("6,9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("6.9 (H) mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("6.9 mmol/L (H)", CRITICAL, "6.9", "mmol/L"),
    ("6.9 mmol/L High", CRITICAL, "6.9", "mmol/L"),
    ("H 6.9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("6.9H mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("6.9H", OUT, "6.9", None),
    ("6.9 HH", CRITICAL, "6.9", None),
    ("6.9*", OUT, "6.9", None),
    ("4.1 mmol/L", IN, "4.1", "mmol/L"),
    ("4.1mmol/l", IN, "4.1", "mmol/l"),
    (">10.0 mmol/L", CRITICAL, ">10.0", "mmol/L"),
    ("> 10.0 mmol/L", CRITICAL, ">10.0", "mmol/L"),
    ("less than 2.0 mmol/L", CRITICAL, "<2.0", "mmol/L"),
    ("≥7 mmol/L", CRITICAL, ">=7", "mmol/L"),
    ("6,90 MEQ/L", CRITICAL, "6.90", "MEQ/L"),
    ("K 6.9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("K+ 6.9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("K: 6.9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("Potassium = 6.9 mEq/L", CRITICAL, "6.9", "mEq/L"),
    ("serum potassium: H 6.9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("Result: 6.9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("= 6.9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("6.9 H mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("6.9 mmol/L, HIGH", CRITICAL, "6.9", "mmol/L"),
    ("HIGH: 6.9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("6.9 ↑", OUT, "6.9", None),
    ("↑6.9 mmol/L", CRITICAL, "6.9", "mmol/L"),
    ("6.9 mmol/L ↑↑", CRITICAL, "6.9", "mmol/L"),
    ("6.9++", OUT, "6.9", None),
    ("6.9 CH", CRITICAL, "6.9", None),
    ("6.9 mmol L-1", CRITICAL, "6.9", "mmol L-1"),
    ("5.4 mmol/L (3.5-5.1)", OUT, "5.4", "mmol/L"),
    ("5.4 mmol/L [3.5 - 5.6]", IN, "5.4", "mmol/L"),
    ("5.4 H mmol/L (<= 5.1 mmol/L)", OUT, "5.4", "mmol/L"),
    ("5.4 mmol/L 3.5-5.1", OUT, "5.4", "mmol/L"),
    ("5.4 mmol/L ref: 3.5 - 5.6", IN, "5.4", "mmol/L"),
    ("5.4 mmol/L H 3.5-5.1 mmol/L", OUT, "5.4", "mmol/L"),
    ("6.9\nmmol/L\n(H)", CRITICAL, "6.9", "mmol/L"),
    # Named, and shown as written.
    ("6.9", NOT, "6.9", None),
    ("= 6.9", NOT, "6.9", None),
    ("Na 6.9 mmol/L", NOT, "Na 6.9 mmol/L", None),
    ("not 6.9 mmol/L", NOT, "not 6.9 mmol/L", None),
    ("no more than 6.9 mmol/L", NOT, "no more than 6.9 mmol/L", None),
    ("~6.9 mmol/L", NOT, "~6.9 mmol/L", None),
    ("4.1-4.3", NOT, "4.1-4.3", None),
    ("6.9 (repeat 4.1) mmol/L", NOT, "6.9 (repeat 4.1) mmol/L", None),
    ("6.9 haemolysed, repeat", NOT, "6.9 haemolysed, repeat", None),
    ("4.1 or 4.3 mmol/L", NOT, "4.1 or 4.3 mmol/L", None),
    ("6,900 mmol/L", NOT, "6,900 mmol/L", None),
    ("pending", NOT, "pending", None),
    ("4.1 mmol/L (checked)", NOT, "4.1 mmol/L (checked)", None),
    ("4.1-4.3 mmol/L", NOT, "4.1-4.3 mmol/L", None),
]


@pytest.mark.parametrize(("text", "band", "shown", "unit"), VALUES)
def test_a_value_in_text(text: str, band: Band, shown: str, unit: str | None) -> None:
    for value in ({"valueString": text}, {"valueCodeableConcept": {"text": text}}):
        record = read(lab(K, None, **value))
        (result,) = record.results
        assert (result.band, result.text, result.unit) == (band, shown, unit)
        assert bool(record.not_understood) is (band is NOT)


def test_a_range_of_its_own_goes_before_one_in_the_text() -> None:
    made = {"valueString": "5.4 mmol/L (3.5-5.1)", "referenceRange": [{"low": q(3.5), "high": q(5.6)}]}
    assert only(lab(K, None, **made)).band is IN


@pytest.mark.parametrize(
    ("code", "text", "band"),
    [
        (CALCIUM, "Ca2+ 2.3 mmol/L", IN),
        (CALCIUM, "Ca++ 1.7 mmol/L", CRITICAL),
        (CALCIUM, "Corrected calcium: 2.3 mmol/L", IN),
        (MG, "Mg(2+) 0.3 mmol/L", CRITICAL),
        (NA, "Na+ = 118 mmol/L", CRITICAL),
        (TSH, "TSH 9.8 mIU/L (0.4 - 4.0)", OUT),
        (TSH, "Free T4 12 pmol/L", NOT),
        ("2132-9", "B12 150 pg/mL (200-900)", OUT),
    ],
)
def test_a_value_after_the_name_of_its_analyte(code: str, text: str, band: Band) -> None:
    assert only(lab(code, None, valueString=text)).band is band
