"""Results that no laboratory writes: a card says them in few characters, and never fails."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.record import Band, Result
from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.to_findings import record_of
from service.cards import Call, cards_of
from service.cards.fitting import LIMIT_CHARACTERS
from service.cards.text import brief_value, value_text
from service.decision import decide
from service.decision.on_file import danger
from tests.spec.records import DAY, KNOWLEDGE, bundle, concept, condition
from tests.spec.test_results import CA, FLAGS, LOINC, K, lab

CALL = Call(str(uuid.UUID(int=1)), "https://cds.example")
ALBUMIN = min(
    code
    for (system, code), name in KNOWLEDGE.terminology.analyte_codes.items()
    if system == LOINC and name == "albumin"
)


def card(*resources: dict[str, Any], number: str = "") -> dict[str, Any]:
    """The work-up card; 777.5 is written as that number."""
    body = bundle(condition("fasciculation"), *resources).replace(b"777.5", number.encode() or b"777.5")
    record = record_of(decode_bundle(body), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    (made,) = cards_of(decide(record, KNOWLEDGE.table), KNOWLEDGE, CALL)
    assert len(made["summary"]) < LIMIT_CHARACTERS
    return made


@pytest.mark.parametrize("number", ["1e25", "1e39", "9.99999e24", "1e-38", "1" * 29, "1" * 40])
def test_a_calcium_of_any_size_is_adjusted(number: str) -> None:
    card(lab(CA, "777.5"), lab(ALBUMIN, "20", "g/L", id="a"), number=number)
    card(lab(CA, "1.9"), lab(ALBUMIN, "777.5", "g/L", id="a"), number=number)


def test_an_adjusted_calcium_keeps_its_whole_digits() -> None:
    assert "Calcium 100 mmol/L" in card(lab(CA, "100"), lab(ALBUMIN, "40", "g/L", id="a"))["detail"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("4.10", "4.10"),
        ("3.12345", "3.123"),
        ("<0.0012345", "<0.001234"),
        ("123456", "123456"),
        ("123456789", "123456789"),
        ("1" * 29, "1.111e+28"),
        (">" + "9" * 30, ">1e+30"),
        ("0" * 124 + "1", "1"),
        ("0" * 124 + "1.5", "1.5"),
        ("0." + "0" * 300 + "1", "1e-301"),
        ("0." + "0" * 30, "0"),
        ("positive", "positive"),
        ("haemolysed sample", "haemolysed s…"),
        ("1" * 10_001, "1" * 12 + "…"),
    ],
)
def test_a_value_is_written_in_few_characters(written: str, shown: str) -> None:
    assert brief_value(Result("potassium", written)) == shown


def test_the_detail_keeps_words() -> None:
    assert value_text(Result("potassium", "haemolysed sample")) == "haemolysed sample"


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize(("worse", "other", "low"), [("2.6", "3.4", True), ("5.9", "5.6", False)])
def test_of_one_analyte_and_day_the_value_decides_which_is_more_dangerous(
    worse: str, other: str, low: bool, names: tuple[str, str]
) -> None:
    results = [
        Result(
            "potassium",
            text,
            day=date(2026, 11, 20),
            band=Band.OUT_OF_RANGE,
            low=low,
            canonical=Decimal(text),
            reference=name,
        )
        for text, name in zip((worse, other), names, strict=True)
    ]
    record = record_of(decode_bundle(bundle()), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    assert max(results, key=lambda r: danger(r, record, KNOWLEDGE.table)).text == worse


_LONG = ["0" * 124 + "1", "0." + "0" * 300 + "1", "1" * 29, "w" * 200, "<" * 50, "1" * 10_001]


@pytest.mark.parametrize("text", _LONG)
@pytest.mark.parametrize("flag", ["LL", "HH", "AA"])
def test_no_text_of_a_result_is_too_long_for_a_summary(text: str, flag: str) -> None:
    for code in (K, CA):
        card(lab(code, None, valueString=text, interpretation=[concept(FLAGS, flag)]))
