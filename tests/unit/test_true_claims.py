"""What a card claims is true of the record: judged, examined, recorded, on file; nothing is said twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.record import Band, Basis, Days, Drug, Evidence, Finding, Order, Record, Result, Status
from service.cards import Situation, cards_to
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.one_card import ABSENT, CALL, KNOWLEDGE, card, decided

CALF = {"onset_days_ago": 15, "sites": ["calf"]}


def calm(**more: Any) -> Record:
    return replace(record_of_example(ABSENT | CALF), **more)


def detail(record: Record) -> str:
    return str(card(record)["detail"])


def above(record: Record) -> str:
    return detail(record).partition("\n\n---\n\n")[0]


def unranged(analyte: str, value: str, days: int = 3) -> Result:
    """A result without a range and a flag."""
    made = result(analyte, "in-range", days, text=value.lstrip("<"))
    return replace(made, text=value, band=Band.NOT_JUDGED, low=None, canonical=Decimal(value.lstrip("<")))


@pytest.mark.parametrize("value", ["14.9", "12", "8", "<15"])
@pytest.mark.parametrize("days", [0, 20, 180])
def test_what_the_table_itself_judges_needs_no_range(value: str, days: int) -> None:
    one = card(calm(results=(unranged("egfr", value, days),)))
    text = f"{one['summary']} {one['detail']}"
    assert "could not be judged" not in text
    assert "new kidney failure?" in one["summary"]
    assert ", low: new kidney failure?" in one["detail"]
    dialysis = record_of_example(ABSENT | CALF | {"kidney-failure": "listed"})
    assert "could not be judged" not in detail(replace(dialysis, results=(unranged("egfr", value, days),)))


@pytest.mark.parametrize("value", ["15", "40", "90"])
def test_above_that_limit_a_value_without_a_range_is_not_judged(value: str) -> None:
    assert "could not be judged" in detail(calm(results=(unranged("egfr", value),)))


@pytest.mark.parametrize(
    ("analyte", "said", "days"),
    [("potassium", "low", 181), ("potassium", "high", 500), ("magnesium", "low", 200), ("tsh", "high", 366)],
)
def test_an_abnormal_result_that_is_too_old_is_not_called_unjudged(
    analyte: str, said: str, days: int
) -> None:
    text = detail(calm(results=(result(analyte, said, days),)))
    assert f"{said}, too old to count" in text
    assert "could not be judged" not in text


@pytest.mark.parametrize(
    ("analyte", "days"), [("potassium", 91), ("sodium", 150), ("tsh", 120), ("calcium", 180)]
)
def test_an_old_result_is_named_once_above_the_rule(analyte: str, days: int) -> None:
    made = result(analyte, "low", days)
    assert above(calm(results=(made,))).count(made.day.isoformat()) == 1  # type: ignore[union-attr]


def examined_before(days: dict[str, int], basis: Basis = Basis.EXAMINED) -> Record:
    """Signs that were examined too long ago."""
    record = record_of_example({"onset_days_ago": 300, "sites": ["calf"]})
    findings = dict(record.findings)
    for name, ago in days.items():
        old = Evidence("Observation/o", "", name, Status.ABSENT, basis=basis, day=days_ago(ago), history=True)
        findings[name] = Finding(name, Status.UNKNOWN, evidence=(old,))
    return replace(record, findings=findings)


@pytest.mark.parametrize(
    ("days", "basis", "says"),
    [
        ({}, Basis.EXAMINED, "not examined yet"),
        (dict.fromkeys(ABSENT, 200), Basis.EXAMINED, "not examined since 8 May"),
        ({"weakness": 190}, Basis.EXAMINED, "not examined since 18 May"),
        ({"weakness": 250, "atrophy": 200}, Basis.EXAMINED, "not examined since 8 May"),
        (dict.fromkeys(ABSENT, 200), Basis.REPORTED, "not examined yet"),
        (dict.fromkeys(ABSENT, 200), Basis.LISTED, "not examined yet"),
    ],
)
def test_an_old_examination_was_one(days: dict[str, int], basis: Basis, says: str) -> None:
    one = card(examined_before(days, basis))
    assert says in one["summary"]
    assert says in one["detail"]
    assert one["summary"].count("not examined") == 1


@pytest.mark.parametrize("in_use", [(), ("loop-diuretic",)])
def test_a_medicine_that_the_card_reviews_was_judged(in_use: tuple[str, ...]) -> None:
    raising = Drug("ramipril", frozenset(), raises_potassium=True, start=Days(days_ago(90), days_ago(90)))
    raising = replace(raising, current=True)
    drugs = (raising, *(drug(name, current=True) for name in in_use))
    text = detail(calm(drugs=drugs, results=(result("potassium", "high"),)))
    assert "could ramipril (since" in text or "ramipril (since" in text
    assert "not judged" not in text
    assert "ramipril, since" in text
    assert "()" not in text
    assert "1 other medicine, not judged" in detail(calm(drugs=(raising,)))


def test_no_medicine_is_its_own_class() -> None:
    levodopa = replace(drug("dopaminergic-levodopa"), name="levodopa", start=Days(days_ago(90), days_ago(90)))
    assert "levodopa, since" in detail(calm(drugs=(levodopa,)))
    assert "levodopa (levodopa)" not in detail(calm(drugs=(levodopa,)))


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (Days(days_ago(90), days_ago(90)), "since 2026-08-26, route unknown"),
        (Days(), "(route unknown)"),
    ],
)
def test_an_unknown_route_hides_no_start(start: Days, says: str) -> None:
    made = replace(drug("corticosteroid-systemic", "possible"), name="hydrocortisone", route_unknown=True)
    text = above(calm(drugs=(replace(made, start=start),)))
    assert says in text


@pytest.mark.parametrize("name", ["cramps", "pain", "bulbar"])
def test_what_is_recorded_and_does_not_count_is_not_called_unrecorded(name: str) -> None:
    entry = Evidence("Observation/o", "Observation.code", name, Status.UNKNOWN, day=days_ago(0))
    found = Finding(name, Status.UNKNOWN, evidence=(entry,))
    record = calm()
    record = replace(record, findings={**record.findings, name: found})
    (row,) = [line for line in detail(record).splitlines() if "not counted" in line]
    assert "recorded 2026-11-24, not counted" in row
    assert "not recorded" not in row


@pytest.mark.parametrize(
    ("finding", "text", "says"),
    [
        (
            "chronic-kidney-disease",
            "Chronic kidney disease stage 3 (disorder)",
            "Chronic kidney disease stage 3.",
        ),
        ("chronic-kidney-disease", "Chronic kidney disease stage 3A", "Chronic kidney disease stage 3A."),
        (
            "central-lesion",
            "Late effects of cerebrovascular disease",
            "Late effects of cerebrovascular disease.",
        ),
        ("lung-disease", "Chronic obstructive lung disease", "Chronic obstructive lung disease."),
    ],
)
def test_the_stage_of_a_disease_is_not_cut_off(finding: str, text: str, says: str) -> None:
    entry = Evidence("Condition/c", "", text, Status.PRESENT, basis=Basis.LISTED, day=days_ago(90))
    record = record_of_example(ABSENT | CALF | {finding: "listed"})
    made = replace(record.finding(finding), evidence=(entry,))
    assert f"**Also:** {says}" in detail(replace(record, findings={**record.findings, finding: made}))


@pytest.mark.parametrize("tests", [{"tsh"}, {"potassium", "sodium", "calcium", "magnesium"}])
def test_a_second_identical_order_changes_nothing(tests: set[str]) -> None:
    one = Order(frozenset(tests), days_ago(4), "routine", "active", "ServiceRequest/a")
    for other in ("ServiceRequest/0", "ServiceRequest/b"):
        twice = tuple(sorted((one, replace(one, reference=other)), key=lambda o: o.reference))
        assert detail(calm(orders=twice)) == detail(calm(orders=(one,)))


def test_high_hba1c_is_not_looked_into_for_its_cause() -> None:
    record = record_of_example({**ABSENT, "sensory-loss": "examined", **CALF})
    one = card(replace(record, results=(result("hba1c", "high", 10),)))
    assert "look for its cause" not in one["summary"]
    assert "diabetes" in one["summary"]


@pytest.mark.parametrize(("analyte", "said"), [("potassium", "low"), ("sodium", "low"), ("tsh", "high")])
def test_a_discharge_says_which_result_is_to_be_acted_on(analyte: str, said: str) -> None:
    record = calm(results=(result(analyte, said, 2),))
    decision = decided(record)
    (one,) = cards_to("open-ends", Situation(decision, lambda: decision, KNOWLEDGE, CALL))
    label = KNOWLEDGE.terminology.analytes[analyte].label
    assert f"act on {label} " in one["summary"]
    assert "the result" not in one["summary"]


@pytest.mark.parametrize("most", [3, 4, 5, 6])
@pytest.mark.parametrize("findings", [{}, {"tingling": "reported", "cramps": "reported", "pain": "reported"}])
def test_the_most_dangerous_result_keeps_its_line(most: int, findings: dict[str, str]) -> None:
    """Of a patient with everything the card still says first what to do first."""
    said = [
        ("potassium", "high"),
        ("magnesium", "low"),
        ("calcium", "low"),
        ("sodium", "low"),
        ("tsh", "high"),
        ("vitamin-b12", "low"),
    ]
    classes = ("loop-diuretic", "potassium-sparing-diuretic", "ssri", "other-ppi", "beta2-agonist-short")
    drugs = tuple(
        replace(drug(name, current=True), start=Days(days_ago(90), days_ago(90))) for name in classes
    )
    record = record_of_example(ABSENT | CALF | findings | {"age_years": 90})
    text = above(replace(record, drugs=drugs, results=tuple(result(*pair, 3) for pair in said[:most])))
    assert text.startswith("1. Potassium 1.0 mmol/L (2026-11-21), high: treat it, look for its cause.")
    assert len(text.split()) <= 110
