"""Draft medicines: truth tables over class, timing of the same medicine on file, site and results."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Draft, Drug, Status, Twitch
from tests.hooks.drafts import (
    ELECTROLYTES,
    TABLE,
    above,
    calm,
    draft_cards,
    medicine,
    order,
    pending,
    remarks,
    results,
)
from tests.knowledge.patients import drug, result

DIURETICS = (
    "thiazide-diuretic",
    "loop-diuretic",
    "carbonic-anhydrase-inhibitor",
    "diuretic-other",
    "potassium-sparing-diuretic",
)
WITH_ELECTROLYTES = (*DIURETICS, "xanthine", "other-lithium")
WITHOUT = (
    "corticosteroid-systemic",
    "corticosteroid-mineralocorticoid",
    "beta2-agonist-short",
    "beta2-agonist-long",
    "ssri",
    "snri",
    "antidepressant-tricyclic",
    "cns-stimulant",
    "dopaminergic-levodopa",
    "other-cholinesterase-inhibitor",
)
CAUSES = (*WITH_ELECTROLYTES, *WITHOUT)
# Read by no row, or only beside an abnormal result.
NO_CAUSES = ("corticosteroid-inhaled", "corticosteroid-topical-local", "other-statin", "other-ppi")


@pytest.mark.parametrize("name", CAUSES)
def test_a_class_of_a_row_gets_one_card(name: str) -> None:
    (remark,) = remarks(calm(), medicine(name))
    assert remark.effects
    assert remark.level == "info"
    assert len(draft_cards(calm(), medicine(name))) == 1


@pytest.mark.parametrize("name", NO_CAUSES)
def test_another_class_gets_none(name: str) -> None:
    assert draft_cards(calm(), medicine(name)) == []


@pytest.mark.parametrize("name", CAUSES)
def test_no_twitch_no_card(name: str) -> None:
    assert draft_cards(replace(calm(), twitch=Twitch()), medicine(name)) == []
    assert draft_cards(replace(calm(), twitch=Twitch(Status.ABSENT)), medicine(name)) == []


# (timing of the same medicine on file, still taken) -> a card
TIMINGS = [
    (None, True, True),
    ("yes", True, True),
    ("possible", True, True),
    ("no", True, False),
    ("yes", False, True),
    ("no", False, False),
]


@pytest.mark.parametrize("name", CAUSES)
@pytest.mark.parametrize(("plausible", "current", "expected"), TIMINGS)
def test_the_timing_of_the_same_medicine_on_file_decides(
    name: str, plausible: str | None, current: bool, expected: bool
) -> None:
    taken = (drug(name, plausible, current=current),) if plausible else ()
    assert bool(draft_cards(replace(calm(), drugs=taken), medicine(name))) is expected


def test_the_timing_of_another_medicine_of_the_class_does_not() -> None:
    other = replace(drug("ssri", "no"), name="escitalopram")
    assert draft_cards(replace(calm(), drugs=(other,)), medicine("ssri"))


def test_the_name_is_compared_without_case() -> None:
    taken = replace(drug("ssri", "no"), name="SSRI")
    assert draft_cards(replace(calm(), drugs=(taken,)), medicine("ssri")) == []


@pytest.mark.parametrize("name", WITH_ELECTROLYTES)
def test_electrolytes_come_before_or_with_it(name: str) -> None:
    (remark,) = remarks(calm(), medicine(name))
    assert remark.lacking == ELECTROLYTES
    (card,) = draft_cards(calm(), medicine(name))
    assert f"before or with {name}" in card["summary"]
    assert [one["label"] for one in card["suggestions"]]


@pytest.mark.parametrize("name", WITHOUT)
def test_no_electrolytes_with_the_others(name: str) -> None:
    (remark,) = remarks(calm(), medicine(name))
    assert remark.lacking == ()
    (card,) = draft_cards(calm(), medicine(name))
    assert "suggestions" not in card
    assert "before or with" not in card["summary"]


@pytest.mark.parametrize("name", CAUSES)
def test_no_card_says_first(name: str) -> None:
    (card,) = draft_cards(calm(), medicine(name))
    assert " first" not in f"{card['summary']} {card['detail']}"


@pytest.mark.parametrize("name", CAUSES)
@pytest.mark.parametrize(
    ("sites", "expected"), [(["eyelid"], False), (["eyelid", "thigh"], True), ([], True)]
)
def test_none_for_an_isolated_eyelid(name: str, sites: list[str], expected: bool) -> None:
    assert bool(draft_cards(calm(sites=sites), medicine(name))) is expected


@pytest.mark.parametrize(("days", "lacking"), [(30, ()), (31, ("potassium",))])
def test_a_result_is_missing_after_thirty_days(days: int, lacking: tuple[str, ...]) -> None:
    record = results(results(calm(), 1, "sodium", "calcium", "magnesium"), days, "potassium")
    (remark,) = remarks(record, medicine("loop-diuretic"))
    assert remark.lacking == lacking


@pytest.mark.parametrize(
    ("days", "said", "claimed"),
    [
        (31, "in-range", False),
        (3, "low", False),
        (3, "not-judged", False),
        (400, "in-range", False),
        (3, None, True),
    ],
)
def test_what_has_a_result_is_not_called_absent(days: int, said: str | None, claimed: bool) -> None:
    record = calm() if said is None else results(calm(), days, "potassium", said=said)
    (card,) = draft_cards(record, medicine("loop-diuretic"))
    assert ("not on file" in card["detail"]) is claimed
    assert "sodium, potassium, calcium, magnesium" in card["detail"]


@pytest.mark.parametrize(("days", "lacking"), [(90, ()), (91, ("potassium",))])
def test_a_pending_order_is_waited_for_for_ninety_days(days: int, lacking: tuple[str, ...]) -> None:
    record = results(calm(), 1, "sodium", "calcium", "magnesium")
    (remark,) = remarks(pending(record, "potassium", days), medicine("loop-diuretic"))
    assert remark.lacking == lacking


def test_a_result_that_could_not_be_judged_is_not_on_file() -> None:
    record = results(results(calm(), 1, "sodium", "calcium", "magnesium"), 1, "potassium", said="not-judged")
    (remark,) = remarks(record, medicine("loop-diuretic"))
    assert remark.lacking == ("potassium",)


def test_what_the_same_session_orders_is_not_missing() -> None:
    (remark,) = remarks(calm(), medicine("loop-diuretic"), order("potassium", selected=False))
    assert remark.lacking == ("sodium", "calcium", "magnesium")


# A result out of range that the medicine can explain counts whatever the timing of the medicine.
@pytest.mark.parametrize(
    ("name", "analyte", "said", "expected"),
    [
        ("loop-diuretic", "potassium", "low", True),
        ("loop-diuretic", "magnesium", "low", True),
        ("ssri", "sodium", "low", True),
        ("ssri", "potassium", "low", False),
        ("other-ppi", "magnesium", "low", True),
        ("other-ppi", "sodium", "low", False),
        ("other-lithium", "calcium", "high", True),
        ("other-lithium", "lithium", "high", True),
        ("cns-stimulant", "potassium", "low", False),
    ],
)
def test_a_result_that_it_can_explain(name: str, analyte: str, said: str, expected: bool) -> None:
    record = results(calm(), 1, analyte, said=said)
    found = remarks(record, medicine(name))
    assert [r.analyte for one in found for r in one.results] == ([analyte] if expected else [])
    assert [one.level for one in found if one.results] == (["warning"] if expected else [])
    refuted = replace(record, drugs=(drug(name, "no"),))
    assert bool(remarks(refuted, medicine(name))) is expected


@pytest.mark.parametrize(("days", "expected"), [(90, ["potassium"]), (91, [])])
def test_only_a_recent_result(days: int, expected: list[str]) -> None:
    record = results(calm(), days, "potassium", said="low")
    (remark,) = remarks(record, medicine("loop-diuretic"))
    assert [r.analyte for r in remark.results] == expected


# (class, analyte, way) -> what the card of a draft that is not taken yet says of the value.
MOVED = [
    ("loop-diuretic", "potassium", "low", "lower"),
    ("thiazide-diuretic", "calcium", "high", "raise"),
    ("potassium-sparing-diuretic", "potassium", "high", "raise"),
    ("ssri", "sodium", "low", "lower"),
    ("potassium-sparing-diuretic", "calcium", "low", ""),
    ("potassium-sparing-diuretic", "potassium", "low", ""),
    ("loop-diuretic", "potassium", "high", ""),
    ("thiazide-diuretic", "calcium", "low", ""),
    ("thiazide-diuretic", "sodium", "out-of-range", ""),
]


@pytest.mark.parametrize(("name", "analyte", "way", "expected"), MOVED)
@pytest.mark.parametrize("days", [0, 30])
def test_a_medicine_not_taken_explains_no_result(
    name: str, analyte: str, way: str, expected: str, days: int
) -> None:
    (card,) = draft_cards(results(calm(), days, analyte, said=way), medicine(name))
    text = f"{card['summary']} {card['detail']}"
    assert "play a part" not in text
    assert ("further" in text) is bool(expected)
    if expected:
        assert f"{name} can {expected} it further" in card["summary"]
        assert f"can {expected} {analyte} further: settle that before it is signed" in card["detail"]
        assert card["indicator"] == "warning"


@pytest.mark.parametrize(("current", "expected"), [(True, True), (False, False)])
def test_a_medicine_that_is_taken_may_explain_it(current: bool, expected: bool) -> None:
    taken = (drug("loop-diuretic", "yes", current=current),)
    record = replace(results(calm(), 1, "potassium", said="low"), drugs=taken)
    (card,) = draft_cards(record, medicine("loop-diuretic"))
    assert ("may play a part" in card["summary"]) is expected
    assert ("can lower it further" in card["summary"]) is not expected


ANOTHER_IN_USE = [
    ("thiazide-diuretic", "loop-diuretic", "potassium", "low"),
    ("loop-diuretic", "thiazide-diuretic", "sodium", "low"),
    ("ssri", "loop-diuretic", "sodium", "low"),
    ("snri", "ssri", "sodium", "low"),
    ("other-ppi", "loop-diuretic", "magnesium", "low"),
    ("beta2-agonist-short", "xanthine", "potassium", "low"),
    ("potassium-sparing-diuretic", "loop-diuretic", "potassium", "high"),
]


@pytest.mark.parametrize(("name", "other", "analyte", "way"), ANOTHER_IN_USE)
@pytest.mark.parametrize("timing", ["yes", "no"])
def test_another_medicine_in_use_hides_no_draft(
    name: str, other: str, analyte: str, way: str, timing: str
) -> None:
    """A second diuretic, an SSRI beside one: each draft is judged by its own class."""
    taking = replace(calm(), drugs=(drug(other, timing, current=True),))
    if name in CAUSES:
        assert len(draft_cards(taking, medicine(name))) == 1
    (card,) = draft_cards(results(taking, 3, analyte, said=way), medicine(name))
    assert card["indicator"] == "warning"
    assert f"{name} can {'lower' if way == 'low' else 'raise'} it further" in card["summary"]


RAISING = Drug("ramipril", frozenset(), raises_potassium=True)


@pytest.mark.parametrize("in_use", [(), ("potassium-sparing-diuretic",), ("loop-diuretic", "ssri")])
@pytest.mark.parametrize("renewed", [False, True])
def test_what_raises_potassium_is_named_beside_a_high_one(in_use: tuple[str, ...], renewed: bool) -> None:
    drugs = tuple(drug(name, current=True) for name in in_use)
    drugs += (replace(RAISING, current=True),) if renewed else ()
    taking, draft = replace(calm(), drugs=drugs), Draft("MedicationRequest/rx", drugs=(RAISING,))
    (card,) = draft_cards(results(taking, 3, "potassium", said="high"), draft)
    assert card["indicator"] == "warning"
    said = "ramipril may play a part" if renewed else "ramipril can raise it further"
    assert said in card["summary"]
    for way, analyte in (("low", "potassium"), ("in-range", "potassium"), ("high", "sodium")):
        assert draft_cards(results(taking, 3, analyte, said=way), draft) == []
    unknown = replace(RAISING, recognised=False)
    high = results(taking, 3, "potassium", said="high")
    assert draft_cards(high, Draft("MedicationRequest/rx", drugs=(unknown,))) == []


def test_of_a_combination_only_what_moves_the_value_is_named() -> None:
    both = Draft("MedicationRequest/rx", drugs=(RAISING, drug("thiazide-diuretic")))
    (card,) = draft_cards(results(calm(), 3, "potassium", said="high"), both)
    assert ": ramipril can raise it further" in card["summary"]
    (card,) = draft_cards(results(calm(), 3, "potassium", said="low"), both)
    assert ": thiazide-diuretic can lower it further" in card["summary"]


def test_a_critical_value_that_it_does_not_move_leads_without_it() -> None:
    """Calcium 1.78 and spironolactone: what it does is raise potassium."""
    low = result("calcium", "critical", 0, low=True)
    record = replace(calm(), results=(low,))
    (card,) = draft_cards(record, medicine("potassium-sparing-diuretic"))
    text = f"{card['summary']} {card['detail']}"
    assert "further" not in text
    assert "play a part" not in text
    assert "can raise potassium" in text
    (other,) = draft_cards(record, medicine("loop-diuretic"))
    assert "loop-diuretic can lower calcium further" in other["summary"]


def test_a_critical_result_leads_the_card_of_the_medicine() -> None:
    record = results(calm(), 0, "potassium", said="critical")
    (card,) = draft_cards(record, medicine("loop-diuretic"))
    assert card["indicator"] == "critical"
    assert above(card)[0].startswith("1. ")
    assert "potassium" in above(card)[0].lower()


def test_several_drafts_suggest_the_same_analytes_once() -> None:
    first, second = remarks(calm(), medicine("loop-diuretic"), medicine("thiazide-diuretic", name="second"))
    assert (first.suggested, second.suggested) == (ELECTROLYTES, ())
    assert second.elsewhere == set(ELECTROLYTES)


@pytest.mark.parametrize("name", CAUSES)
def test_a_draft_written_twice_is_one_card(name: str) -> None:
    """The second of two diuretics would only add that the tests are suggested on the first."""
    first, second = medicine(name), medicine(name, name="second")
    assert len(remarks(calm(onset_days_ago=15), first, second)) == 1
    (once,) = draft_cards(calm(onset_days_ago=15), first)
    (twice,) = draft_cards(calm(onset_days_ago=15), first, second)
    assert once == twice


def test_cards_keep_the_order_of_the_drafts() -> None:
    drafts = medicine("ssri"), medicine("snri", name="second"), medicine("ssri", name="third")
    found = remarks(calm(), *drafts)
    assert [one.draft.reference for one in found] == ["MedicationRequest/rx", "MedicationRequest/second"]


def test_the_same_draft_twice_is_one_card() -> None:
    assert len(draft_cards(calm(), medicine("ssri"), medicine("ssri", name="second"))) == 1
    assert len(draft_cards(calm(), medicine("ssri"), medicine("snri", name="second"))) == 2


def test_an_unselected_draft_gets_no_card() -> None:
    assert draft_cards(calm(), medicine("ssri", selected=False)) == []


@pytest.mark.parametrize(("unknown", "said"), [(True, ", if systemic,"), (False, " can lower potassium")])
def test_a_route_that_is_not_recorded_is_in_the_summary(unknown: bool, said: str) -> None:
    one = Drug("hydrocortisone", frozenset({"corticosteroid-systemic"}), route_unknown=unknown)
    (card,) = draft_cards(calm(), Draft("MedicationRequest/rx", drugs=(one,)))
    assert card["summary"].startswith(f"Hydrocortisone{said}")


def test_every_pair_of_classes_in_one_medicine_fits() -> None:
    worst = results(calm(), 0, *ELECTROLYTES, said="critical")
    for record in (calm(), worst):
        for one in CAUSES:
            for other in CAUSES:
                both: Any = Drug(f"{one} and {other}", frozenset({one, other}))
                (card,) = draft_cards(record, Draft("MedicationRequest/rx", drugs=(both,)))
                assert len(card["summary"]) < 140
                assert len(above(card)) <= 12


@pytest.mark.parametrize("length", [1, 60, 139, 200, 100_000])
def test_a_name_of_any_length_fits(length: int) -> None:
    named = Drug("x" * length, frozenset(CAUSES))
    (card,) = draft_cards(calm(), Draft("MedicationRequest/rx", drugs=(named,)))
    assert len(card["summary"]) < 140


def test_the_classes_of_the_truth_tables_are_those_of_the_table() -> None:
    assert set(WITH_ELECTROLYTES) == set(TABLE.electrolytes_with_drafts_of)
