"""Section 1, Results: the flag of a result, by code or in words, and its range in text."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Band
from fhir_mappings.resources.shapes import CodeableConcept, Coding
from fhir_mappings.to_findings.flags import flags_of
from tests.spec.records import KNOWLEDGE
from tests.spec.test_results import CRITICAL, FLAGS, IN, NOT, OUT, K, lab, only

LOW, HIGH = True, False
MEANINGS = [
    ("N", IN, None),
    ("H", OUT, HIGH),
    ("L", OUT, LOW),
    ("A", OUT, None),
    ("HU", OUT, HIGH),
    ("LU", OUT, LOW),
    ("HH", CRITICAL, HIGH),
    ("LL", CRITICAL, LOW),
    ("AA", CRITICAL, None),
    # as HL7 displays them, in version 3 and in version 2
    ("Normal", IN, None),
    ("High", OUT, HIGH),
    ("Low", OUT, LOW),
    ("Abnormal", OUT, None),
    ("Significantly high", OUT, HIGH),
    ("Significantly low", OUT, LOW),
    ("Critical high", CRITICAL, HIGH),
    ("Critical low", CRITICAL, LOW),
    ("Critical abnormal", CRITICAL, None),
    ("Above high normal", OUT, HIGH),
    ("Below low normal", OUT, LOW),
    ("Above upper panic limits", CRITICAL, HIGH),
    ("Below lower panic limits", CRITICAL, LOW),
    ("Normal (applies to non-numeric results)", IN, None),
    ("Very abnormal (applies to non-numeric units)", CRITICAL, None),
    # as people write them
    ("Critically low", CRITICAL, LOW),
    ("panic high", CRITICAL, HIGH),
    ("critical", CRITICAL, None),
    ("abnormally high", OUT, HIGH),
    ("very high", OUT, HIGH),
    ("elevated", OUT, HIGH),
    ("decreased", OUT, LOW),
    ("above normal", OUT, HIGH),
    ("below reference range", OUT, LOW),
    ("out of range", OUT, None),
    ("outside normal limits", OUT, None),
    ("within normal limits", IN, None),
    ("in range", IN, None),
    ("(H)", OUT, HIGH),
    ("H*", OUT, HIGH),
]


def meaning(*concepts: CodeableConcept | None) -> tuple[Any, Any, bool]:
    flags = flags_of(concepts, KNOWLEDGE.terminology.analytes["potassium"].words.flags)
    return flags.band, flags.low, flags.unrecognised


@pytest.mark.parametrize(("words", "band", "low"), MEANINGS)
def test_what_a_flag_means(words: str, band: Band, low: bool | None) -> None:
    for written in (words, words.lower(), words.upper(), f" {words} "):
        assert meaning(CodeableConcept(text=written)) == (band, low, False)
        assert meaning(CodeableConcept([Coding(code=written)])) == (band, low, False)
        assert meaning(CodeableConcept([Coding(code="7", display=written)])) == (band, low, False)


@pytest.mark.parametrize(
    "words",
    ["?", "not high", "no longer abnormal", "high normal", "low normal", "within critical limits",
     "above lower limit", "below upper limit", "see comment", "very", "range", "POS", "high low",
     "not abnormal", "abnormal normal", "high " * 30],
)  # fmt: skip
def test_what_is_not_recognised(words: str) -> None:
    assert meaning(CodeableConcept(text=words)) == (None, None, True)


@pytest.mark.parametrize(
    "concept", [None, CodeableConcept(), CodeableConcept([None]), CodeableConcept(text=" ")]
)
def test_nothing_is_no_flag(concept: CodeableConcept | None) -> None:
    assert meaning(concept) == (None, None, False)


def test_a_change_is_neither_normal_nor_unrecognised() -> None:
    assert meaning(CodeableConcept([Coding(code="U")])) == (None, None, False)
    assert meaning(CodeableConcept([Coding(code="U")]), CodeableConcept(text="low")) == (OUT, LOW, False)


def test_of_several_the_worst_counts() -> None:
    codes = [CodeableConcept([Coding(code=code)]) for code in ("N", "HH", "H")]
    assert meaning(*codes) == (CRITICAL, HIGH, False)
    assert meaning(CodeableConcept(text="H"), CodeableConcept(text="L")) == (OUT, None, False)
    assert meaning(CodeableConcept(text="H"), CodeableConcept(text="?")) == (OUT, HIGH, True)


def test_the_flag_is_kept_as_written() -> None:
    assert only(lab(K, "4.1", interpretation=[{"text": "Critically low"}])).flag == "Critically low"
    assert only(lab(K, "4.1", flag="HH")).flag == "HH"


@pytest.mark.parametrize(
    ("flag", "value", "band"),
    [
        ({"text": "Critically low"}, "4.1", CRITICAL),
        ({"text": "High"}, "4.1", OUT),
        ({"text": "normal"}, "4.1", IN),
        ({"text": "normal"}, "5.2", OUT),
        # not recognised: in range it is not judged, out of range it is
        ({"text": "see comment"}, "4.1", NOT),
        ({"text": "see comment"}, "5.2", OUT),
        ({"text": "see comment"}, "2.5", CRITICAL),
        ({"coding": [{"system": FLAGS, "code": "?"}]}, "4.1", NOT),
    ],
)  # fmt: skip
def test_a_flag_in_words_and_a_range(flag: dict[str, Any], value: str, band: Band) -> None:
    assert only(lab(K, value, low=3.5, high=5.1, interpretation=[flag])).band is band


def test_an_unrecognised_flag_beside_a_normal_one() -> None:
    flags = [{"text": "N"}, {"text": "see comment"}]
    assert only(lab(K, "4.1", interpretation=flags)).band is NOT


@pytest.mark.parametrize(
    ("text", "value", "band"),
    [
        ("3.5 - 5.1", "3.5", IN),
        ("3.5 - 5.1", "5.1", IN),
        ("3.5 - 5.1", "3.4", OUT),
        ("3.5 - 5.1", "5.2", OUT),
        ("3.5-5.1", "5.2", OUT),
        ("3.5 – 5.1", "5.15", OUT),
        ("3.5 to 5.1 mmol/L", "5.15", OUT),
        ("3.5 to 5.1 mmol/L", "5.1", IN),
        ("3.5 - 5.1 mEq/L", "5.15", OUT),
        ("< 5.1", "5.0", IN),
        ("< 5.1", "5.1", NOT),
        ("<= 5.1", "5.1", IN),
        ("≤5.1", "5.2", OUT),
        ("> 3.5", "3.4", OUT),
        (">= 3.5", "3.5", IN),
        # no range, so the default one (3.5 to 5.2)
        ("0 - 0", "5.2", IN),
        ("0 - 0", "5.3", OUT),
        ("5.1 - 3.5", "5.2", IN),
        ("", "5.2", IN),
        # other words: not compared, and no default in their place
        ("3.5 - 5.1 (adults)", "4.1", NOT),
        ("3.5 - 5.1 furlong", "4.1", NOT),
        ("3,5 - 5,1", "4.1", IN),
        ("up to 5.1", "4.1", IN),
        ("3.5 - 5.1; critical 2.5 - 6.5", "4.1", NOT),
        ("1 - " + "9" * 120, "4.1", NOT),
    ],
)
def test_a_range_in_text(text: str, value: str, band: Band) -> None:
    assert only(lab(K, value, referenceRange=[{"text": text}])).band is band


def test_bounds_go_before_the_text() -> None:
    both = {
        "low": {"value": 3.5, "unit": "mmol/L"},
        "high": {"value": 5.1, "unit": "mmol/L"},
        "text": "9 - 10",
    }
    assert only(lab(K, "4.1", referenceRange=[both])).band is IN


def test_a_text_for_the_other_sex_is_no_range() -> None:
    other = {"text": "1 - 2", "appliesTo": [{"text": "female"}]}
    assert only(lab(K, "4.1", referenceRange=[other])).band is IN
