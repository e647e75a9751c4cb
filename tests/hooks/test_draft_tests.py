"""Draft blood tests and referrals: on file, pending, left out, and urgent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.decision import decide
from tests.hooks.drafts import (
    ELECTROLYTES,
    TABLE,
    above,
    calm,
    draft_cards,
    line,
    medicine,
    order,
    patient,
    pending,
    remarks,
    results,
    with_drafts,
)

LASTING = {"onset_days_ago": 15}


def test_what_an_order_leaves_out() -> None:
    (remark,) = remarks(calm(**LASTING), order("potassium"))
    assert remark.left_out == remark.suggested == ("sodium", "calcium", "magnesium")
    assert [row.id for row in remark.because]
    assert remark.level == "info"
    (unexamined,) = remarks(patient(onset_days_ago=15, sites=["thigh"]), order("potassium"))
    assert unexamined.level == "warning"


def test_nothing_is_left_out_where_no_row_asks() -> None:
    assert remarks(calm(onset_days_ago=14), order("potassium")) == ()


def test_what_is_pending_or_on_file_is_not_left_out() -> None:
    record = results(pending(calm(**LASTING), "sodium", 5), 5, "calcium")
    (remark,) = remarks(record, order("potassium"))
    assert remark.left_out == ("magnesium",)


def test_what_a_session_leaves_out_is_named_once() -> None:
    found = remarks(calm(**LASTING), order("potassium"), order("sodium", name="second"))
    assert [one.left_out for one in found] == [("calcium", "magnesium")]


def test_what_another_order_of_the_session_asks_for_is_not_left_out() -> None:
    others = order("sodium", "calcium", "magnesium", name="other", selected=False)
    assert remarks(calm(**LASTING), order("potassium"), others) == ()


@pytest.mark.parametrize(("days", "answered"), [(30, True), (31, False)])
def test_electrolytes_that_a_row_asks_for_and_that_are_on_file(days: int, answered: bool) -> None:
    # A warning row asks: a result since the onset does not count for a year.
    record = results(patient(weakness="examined"), days, *ELECTROLYTES)
    found = remarks(record, order(*ELECTROLYTES))
    assert bool(found and found[0].answered) is answered


def test_an_order_is_needless_only_as_a_whole() -> None:
    record = results(patient(weakness="examined"), 1, "potassium", "sodium")
    assert remarks(record, order("potassium", "sodium"))[0].answered
    assert not remarks(record, order("potassium", "sodium", "calcium"))[0].answered


@pytest.mark.parametrize("priority", ["urgent", "asap", "stat"])
def test_an_urgent_order_is_not_called_needless(priority: str) -> None:
    record = results(patient(weakness="examined"), 1, *ELECTROLYTES)
    assert remarks(record, order(*ELECTROLYTES, priority=priority)) == ()
    assert remarks(record, order(*ELECTROLYTES, priority="routine"))


def test_an_electrolyte_out_of_range_is_rightly_repeated() -> None:
    record = results(calm(), 1, "potassium", said="low")
    assert remarks(record, order(*ELECTROLYTES)) == ()


def test_a_test_that_no_row_asks_for_is_silent() -> None:
    assert remarks(results(calm(), 1, "tsh"), order("tsh")) == ()
    assert remarks(calm(), order("neurology-referral")) == ()


def test_a_routine_referral_where_an_urgent_one_is_needed() -> None:
    record = patient(bulbar="examined")
    (routine,) = draft_cards(record, order("neurology-referral"))
    assert routine["indicator"] == "critical"
    assert "urgent" in above(routine)[0]
    assert draft_cards(record, order("neurology-referral", priority="urgent")) == []


def test_the_level_never_exceeds_that_of_the_decision() -> None:
    record = results(calm(**LASTING), 5, "sodium")
    decision = decide(with_drafts(record, order("potassium")), TABLE)
    assert decision.level == "info"
    assert [one.level for one in remarks(record, order("potassium"))] == ["info"]


def test_the_card_of_the_higher_level_suggests_them() -> None:
    """A site may keep cards of level info back: they take no order with them."""
    drug, blood = remarks(
        patient(onset_days_ago=15, sites=["thigh"]), medicine("loop-diuretic"), order("potassium", name="b")
    )
    assert (drug.level, blood.level) == ("info", "warning")
    assert (drug.suggested, blood.suggested) == ((), ("sodium", "calcium", "magnesium"))


def test_a_draft_of_another_test_is_no_matter() -> None:
    assert remarks(calm(**LASTING), replace(order(), tests=frozenset())) == ()


@pytest.mark.parametrize(
    ("test", "said", "way"),
    [("tsh", "high", "high"), ("tsh", "low", "low"), ("creatine-kinase", "high", "high")],
)
def test_a_test_on_file_that_is_out_of_range_is_named_with_its_value(test: str, said: str, way: str) -> None:
    """ "Done, another one adds nothing" would hide what the result asks for."""
    long = {"weakness": "examined", "onset_days_ago": 200, "recorded_days_ago": 100}
    record = results(patient(**long), 10, test, said=said)
    (card,) = draft_cards(record, order(test))
    assert f"1.0 (14 Nov), {way}" in card["summary"]
    assert f"1.0 mmol/L (2026-11-14), {way}: " in line(card, 1)
    assert "adds nothing" not in card["detail"]
    (calm_card,) = draft_cards(results(patient(**long), 10, test), order(test))
    assert "adds nothing" in calm_card["detail"]


def test_only_the_first_part_of_a_summary_begins_with_a_capital() -> None:
    record = results(patient(weakness="examined", onset_days_ago=15), 10, "creatine-kinase", said="high")
    (card,) = draft_cards(record, order("creatine-kinase"))
    assert card["summary"].startswith("Refer to neurology today; creatine kinase 1.0 (14 Nov), high")
    (card,) = draft_cards(results(record, 10, "tsh"), order("tsh"))
    assert "; TSH" in card["summary"]
