"""Section 1, Results: for each fact which analytes, in which state, and for how many days."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.decision.facts import facts_of
from tests.knowledge.patients import record_of_example, result
from tests.spec.outcomes import TABLE

ELECTROLYTES = ("sodium", "potassium", "calcium", "calcium-ionised", "magnesium")
THYROID = ("tsh", "free-t4", "total-t4")
ABNORMAL = ("out-of-range", "low", "high", "critical")
OTHERS = (*ELECTROLYTES, *THYROID, "creatine-kinase", "lithium", "vitamin-b12", "creatinine", "egfr",
          "hba1c", "zinc", "holotranscobalamin")  # fmt: skip
# name -> analytes, states in which it holds, first and last day.
FACTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], int, int]] = {
    "any-electrolyte-abnormal": (ELECTROLYTES, ABNORMAL, 0, 90),
    "any-electrolyte-abnormal-old": (ELECTROLYTES, ABNORMAL, 91, 180),
    "any-electrolyte-critical": (ELECTROLYTES, ("critical",), 0, 30),
    "sodium-abnormal": (("sodium",), ABNORMAL, 0, 180),
    "potassium-abnormal": (("potassium",), ABNORMAL, 0, 180),
    "calcium-abnormal": (("calcium", "calcium-ionised"), ABNORMAL, 0, 180),
    "magnesium-abnormal": (("magnesium",), ABNORMAL, 0, 180),
    "sodium-abnormal-recent": (("sodium",), ABNORMAL, 0, 90),
    "sodium-low": (("sodium",), ("low",), 0, 90),
    "potassium-low": (("potassium",), ("low",), 0, 90),
    "potassium-high": (("potassium",), ("high",), 0, 90),
    "calcium-low": (("calcium", "calcium-ionised"), ("low",), 0, 90),
    "calcium-high": (("calcium", "calcium-ionised"), ("high",), 0, 90),
    "magnesium-low": (("magnesium",), ("low",), 0, 90),
    "ck-critical": (("creatine-kinase",), ("critical",), 0, 30),
    "ck-abnormal": (("creatine-kinase",), ABNORMAL, 0, 180),
    "lithium-result-critical": (("lithium",), ("critical",), 0, 30),
    "lithium-result-abnormal": (("lithium",), ABNORMAL, 0, 180),
    "lithium-result-high": (("lithium",), ("high",), 0, 90),
    "other-critical": (
        (*THYROID, "vitamin-b12", "creatinine", "egfr", "hba1c", "zinc", "holotranscobalamin"),
        ("critical",), 0, 30,
    ),
    "b12-result-low": (("vitamin-b12", "holotranscobalamin"), ("low",), 0, 365),
    "b12-result-abnormal": (("vitamin-b12", "holotranscobalamin"), ABNORMAL, 0, 365),
    "thyroid-result-abnormal": (THYROID, ABNORMAL, 0, 90),
    "thyroid-result-abnormal-old": (THYROID, ABNORMAL, 91, 365),
}  # fmt: skip


def holds(name: str, analyte: str, band: str, days: int) -> bool:
    record = replace(record_of_example({}), results=(result(analyte, band, days),))
    return facts_of(record, TABLE)[name] == "true"


def test_these_are_all() -> None:
    assert set(TABLE.result_facts) == {*FACTS, "egfr-below-15"}


@pytest.mark.parametrize("name", FACTS)
def test_of_which_analytes_in_which_state_and_how_long(name: str) -> None:
    analytes, states, first, last = FACTS[name]
    for analyte in OTHERS:
        for band in (*ABNORMAL, "in-range", "not-judged"):
            for day in (first - 1, first, last, last + 1):
                if day < 0:
                    continue
                expected = analyte in analytes and band in states and first <= day <= last
                assert holds(name, analyte, band, day) is expected, (analyte, band, day)


@pytest.mark.parametrize(
    ("value", "days", "expected"),
    [("14.9", 0, True), ("14.9", 180, True), ("14.9", 181, False), ("15", 0, False)],
)
def test_egfr_below_15(value: str, days: int, expected: bool) -> None:
    assert holds("egfr-below-15", "egfr", value, days) is expected
    assert not holds("egfr-below-15", "creatinine", value, days)
