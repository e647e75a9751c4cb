"""Results on a card: the most dangerous first, which way, what to do next, which medicine explains it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Days, Drug, Order, Record, Result
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.one_card import ABSENT, KNOWLEDGE, card

CALF = {"onset_days_ago": 15, "sites": ["calf"]}


def with_results(*results: Result, drugs: tuple[Drug, ...] = (), **given: Any) -> Record:
    record = record_of_example(ABSENT | CALF | given)
    return replace(record, results=results, drugs=drugs)


def critical(analyte: str, text: str, *, low: bool, days: int = 0) -> Result:
    return result(analyte, "critical", days, text=text, low=low)


def taken(name: str, *classes: str, **more: Any) -> Drug:
    """A medicine of those classes, begun before the twitch."""
    start = Days(days_ago(40), days_ago(40))
    return replace(
        drug(classes[0] if classes else "x"), name=name, classes=frozenset(classes), start=start, **more
    )


def above(record: Record) -> str:
    return str(card(record)["detail"].partition("\n\n---\n\n")[0])


@pytest.mark.parametrize(
    ("analyte", "text", "low", "says"),
    [
        ("potassium", "2.4", True, "critical, low: same-day treatment, ECG now, check magnesium"),
        ("potassium", "7.1", False, "critical, high: same-day treatment, ECG now."),
        ("calcium", "1.6", True, "low: same-day treatment, ECG now, check PTH"),
        ("calcium", "3.6", False, "high: same-day treatment, ECG now, check PTH"),
        ("magnesium", "0.3", True, "low: same-day treatment, ECG now"),
        ("sodium", "118", True, "low: same-day assessment; correct slowly"),
        ("sodium", "165", False, "high: same-day assessment; correct slowly"),
        ("creatine-kinase", "30000", False, "muscle breakdown? check kidney function and potassium today"),
    ],
)
def test_a_critical_result_knows_its_direction(analyte: str, text: str, low: bool, says: str) -> None:
    first = above(with_results(critical(analyte, text, low=low))).replace("**", "")
    assert says in first
    assert "treat it" not in first


def test_high_potassium_never_asks_for_magnesium() -> None:
    one = card(with_results(critical("potassium", "6.7", low=False)))
    assert one["summary"].startswith("Potassium 6.7 (24 Nov): same-day treatment, ECG now; ")
    first = one["detail"].splitlines()[0]
    assert "magnesium" not in first


@pytest.mark.parametrize(
    ("analyte", "said", "says"),
    [
        ("potassium", "low", "low: treat it, check magnesium"),
        ("potassium", "high", "high: treat it, look for its cause"),
        ("lithium", "high", "ask the prescriber about the dose today"),
        ("vitamin-b12", "low", "treat it; neurological symptoms can be the only sign"),
        ("sodium", "low", "low: look for its cause"),
    ],
)
def test_a_result_out_of_range(analyte: str, said: str, says: str) -> None:
    first = above(with_results(result(analyte, said)))
    assert says in first
    assert "act on it" not in first
    assert "ECG" not in first


MEDICINES = {
    "furosemide": ("loop-diuretic",),
    "bendroflumethiazide": ("thiazide-diuretic",),
    "spironolactone": ("potassium-sparing-diuretic",),
    "prednisone": ("corticosteroid-systemic",),
    "salbutamol": ("beta2-agonist-short",),
    "theophylline": ("xanthine",),
    "sertraline": ("ssri",),
    "omeprazole": ("other-ppi",),
    "lithium carbonate": ("other-lithium",),
    "ramipril": (),
}
EXPLAINS = {
    ("potassium", "high"): {"spironolactone", "ramipril"},
    ("potassium", "low"): {
        "furosemide",
        "bendroflumethiazide",
        "prednisone",
        "salbutamol",
        "theophylline",
        "omeprazole",
    },
    ("sodium", "low"): {"furosemide", "bendroflumethiazide", "spironolactone", "sertraline"},
    ("sodium", "high"): set(),
    ("magnesium", "low"): {"furosemide", "bendroflumethiazide", "omeprazole"},
    ("magnesium", "high"): set(),
    ("calcium", "low"): {"furosemide", "omeprazole"},
    ("calcium", "high"): {"bendroflumethiazide", "lithium carbonate"},
}


@pytest.mark.parametrize(("analyte", "way"), EXPLAINS)
@pytest.mark.parametrize("name", MEDICINES)
def test_on_names_only_what_moves_that_analyte_that_way(analyte: str, way: str, name: str) -> None:
    one = taken(name, *MEDICINES[name], raises_potassium=name == "ramipril")
    summary = card(with_results(result(analyte, way, text="9.9"), drugs=(one,)))["summary"]
    explains = name in EXPLAINS[analyte, way]
    assert (f"{analyte.capitalize()} 9.9 (24 Nov) on {name}: " in summary) is explains, summary


def test_of_two_medicines_the_one_that_explains_it() -> None:
    drugs = (taken("furosemide", "loop-diuretic"), taken("spironolactone", "potassium-sparing-diuretic"))
    high = with_results(result("potassium", "high", text="5.9"), drugs=drugs)
    assert card(high)["summary"].startswith("Potassium 5.9 (24 Nov) on spironolactone: treat it")
    assert "could spironolactone (since 2026-10-15), furosemide" in above(high)


def test_on_stands_once() -> None:
    drugs = (taken("furosemide", "loop-diuretic"), taken("salbutamol", "beta2-agonist-short"))
    low = card(with_results(result("potassium", "low", text="3.1"), drugs=drugs))["summary"]
    assert low.startswith("Potassium 3.1 (24 Nov) on furosemide and salbutamol: treat it, check magnesium")
    assert low.count(" on ") == 1


def test_a_medicine_that_is_not_recognised_explains_nothing() -> None:
    unknown = taken("thing", raises_potassium=True, recognised=False)
    assert " on thing" not in card(with_results(result("potassium", "high"), drugs=(unknown,)))["summary"]


@pytest.mark.parametrize(
    ("value", "known", "says"),
    [
        ("14.9", (), "new kidney failure?"),
        ("15", (), "low: compare with earlier results"),
        ("35", (), "low: compare with earlier results"),
        ("12", ("kidney-failure",), "low: compare with earlier results"),
    ],
)
def test_kidney_failure_is_new_only_below_15_and_unknown(
    value: str, known: tuple[str, ...], says: str
) -> None:
    low = replace(result("egfr", value), band=result("egfr", "low").band, low=True)
    record = with_results(low, **dict.fromkeys(known, "listed"), drugs=(taken("lithium", "other-lithium"),))
    # A test that is asked for and done, out of range, is acted on.
    first = above(record)
    assert ("new kidney failure" in first) is says.startswith("new")
    assert f"eGFR {value} mmol/L (2026-11-24), low: " in first
    assert says in first


DANGEROUS = [
    # The worst of all comes first in each.
    (critical("potassium", "7.1", low=False), critical("creatine-kinase", "30000", low=False)),
    (critical("potassium", "2.4", low=True), critical("sodium", "118", low=True)),
    (critical("calcium", "1.7", low=True), critical("sodium", "118", low=True)),
    (critical("sodium", "118", low=True), critical("creatine-kinase", "30000", low=False)),
    (result("lithium", "high", text="1.4"), result("sodium", "low", text="131")),
    (result("magnesium", "low", text="0.5"), result("calcium", "low", text="2.0")),
    (result("sodium", "low", text="131"), result("tsh", "low", text="0.1")),
    (critical("sodium", "118", low=True), result("potassium", "low", text="3.1")),
]


@pytest.mark.parametrize(("worse", "other"), DANGEROUS)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("days", [0, 3])
def test_the_most_dangerous_result_is_first(worse: Result, other: Result, turned: bool, days: int) -> None:
    worse = replace(worse, day=days_ago(days))
    results = (other, worse) if turned else (worse, other)
    one = card(with_results(*results))
    label = KNOWLEDGE.terminology.analytes[worse.analyte].label
    second = KNOWLEDGE.terminology.analytes[other.analyte].label
    text = one["detail"].lower()
    assert text.index(f"{label} {worse.text}".lower()) < text.index(f"{second} {other.text}".lower())
    assert f"{other.text}" not in one["summary"].partition(worse.text)[0]


def test_magnesium_is_replaced_first() -> None:
    both = with_results(result("calcium", "low", text="2.0"), result("magnesium", "low", text="0.5"))
    assert card(both)["summary"].startswith("Magnesium 0.5 (24 Nov): replace magnesium first")
    potassium = with_results(result("potassium", "low", text="3.1"), result("magnesium", "low", text="0.5"))
    assert "Potassium 3.1 (24 Nov): treat it, replace magnesium first" in card(potassium)["summary"]
    alone = above(with_results(result("magnesium", "low")))
    assert "replace magnesium first" not in alone
    grave = with_results(critical("potassium", "2.4", low=True), result("magnesium", "low", text="0.5"))
    assert "ECG now, replace magnesium first" in card(grave)["summary"]


@pytest.mark.parametrize(
    ("tsh", "t4", "says"),
    [
        ("low", "high", "TSH 1.0 mmol/L, free T4 1.0 mmol/L (2026-11-24): thyrotoxic: treat or refer."),
        ("high", "low", "TSH 1.0 mmol/L, free T4 1.0 mmol/L (2026-11-24): underactive: treat."),
        ("low", "in-range", "TSH 1.0 mmol/L (2026-11-24), low: T4 in range: repeat both."),
        ("low", None, "low: overactive thyroid? check free T4."),
        ("high", None, "high: underactive thyroid? check free T4."),
        (None, "high", "high: overactive thyroid? check TSH."),
        ("in-range", "high", "high: TSH in range: repeat both."),
    ],
)
def test_thyroid_results_are_read_together(tsh: str | None, t4: str | None, says: str) -> None:
    pairs = (("tsh", tsh), ("free-t4", t4))
    found = [result(analyte, said) for analyte, said in pairs if said is not None]
    for results in (found, found[::-1]):
        text = above(with_results(*results))
        assert says in text
        assert not ("check TSH" in text and tsh is not None)
        assert not ("check free T4" in text and t4 is not None)


def test_both_thyroid_results_lead_the_summary() -> None:
    record = with_results(result("tsh", "low", text="0.02"), result("free-t4", "high", text="35"))
    one = card(record)
    assert one["summary"].startswith("TSH 0.02, free T4 35 (24 Nov): thyrotoxic: treat or refer; calf twitch")
    assert above(record).count("T4") == 1


def test_a_repeat_that_is_ordered_stands_behind_the_value() -> None:
    low = critical("potassium", "2.4", low=True, days=1)
    order = Order(frozenset(KNOWLEDGE.table.electrolytes), days_ago(0), "stat", reference="ServiceRequest/1")
    one = card(replace(with_results(low), orders=(order,)))
    assert one["indicator"] == "warning"
    says = "Potassium 2.4 (23 Nov): same-day treatment, ECG now, check magnesium; repeat ordered 24 Nov"
    assert one["summary"].startswith(says)
    assert one["detail"].startswith(
        "1. **Potassium 2.4 mmol/L (2026-11-23), critical, low: same-day treatment"
    )
    assert "repeat ordered 2026-11-24" in one["detail"].splitlines()[0]


@pytest.mark.parametrize(
    ("priority", "days", "says"),
    [
        ("routine", 0, "; repeat ordered as routine on 2026-11-24: make it immediate.**"),
        ("urgent", 0, "; repeat ordered as urgent on 2026-11-24: make it immediate.**"),
        # Ordered before the result: it is no repeat.
        ("routine", 3, "check magnesium.**"),
    ],
)
def test_a_repeat_that_can_wait_is_made_immediate(priority: str, days: int, says: str) -> None:
    low = critical("potassium", "2.4", low=True, days=1)
    order = Order(frozenset({"potassium"}), days_ago(days), priority, reference="ServiceRequest/1")
    first = card(replace(with_results(low), orders=(order,)))["detail"].splitlines()[0]
    assert first.endswith(says)


def test_a_result_without_a_value_has_no_gap() -> None:
    empty = replace(result("calcium", "high"), text="", value=None, unit=None)
    one = card(with_results(empty))
    assert "Calcium (24 Nov): check PTH" in one["summary"]
    assert "Calcium without a value (2026-11-24), high: check PTH" in one["detail"]


def test_what_explains_a_result_is_known() -> None:
    wording, terminology = KNOWLEDGE.wording, KNOWLEDGE.terminology
    named = [*wording.dangers["critical"], *wording.dangers["out"]]
    for entry in wording.explains:
        assert entry.classes <= set(terminology.medications.class_labels)
        named += entry.analytes
    for step in wording.next_steps:
        named += [*step.analytes, *step.beside]
    assert set(named) <= set(terminology.analytes)
