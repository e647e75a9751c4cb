"""What is said of several drafts of one call."""

from __future__ import annotations

from dataclasses import replace

from tests.hooks.test_remarks import ELECTROLYTES, medicine, order, patient, remark, remarks, results


def test_what_the_same_session_orders_is_not_missing() -> None:
    said = remarks(patient(), medicine("loop-diuretic"), order("potassium", selected=False))
    assert [one.lacking for one in said] == [("sodium", "calcium", "magnesium")]


def test_what_another_order_of_the_session_asks_for_is_not_left_out() -> None:
    record = patient(onset_days_ago=15, sites=["thigh"])
    others = order("sodium", "calcium", "magnesium", name="other", selected=False)
    assert remarks(record, order("potassium"), others) == ()
    assert remark(record, order("potassium"), replace(others, tests=frozenset({"sodium"}))).left_out == (
        "calcium",
        "magnesium",
    )


def test_what_a_session_leaves_out_is_said_once() -> None:
    record = patient(onset_days_ago=15, sites=["thigh"])
    found = remarks(record, order("potassium"), order("sodium", name="second"))
    assert [one.left_out for one in found] == [("calcium", "magnesium")]


def test_the_same_analytes_are_suggested_once() -> None:
    record = patient(onset_days_ago=15, sites=["thigh"])
    drug, blood = remarks(record, medicine("loop-diuretic"), order("potassium", name="blood"))
    assert drug.needed == blood.needed == ("sodium", "calcium", "magnesium")
    # The order is of the higher level: a site may keep cards below it back.
    assert (drug.level, drug.suggested, drug.elsewhere) == ("info", (), ("sodium", "calcium", "magnesium"))
    assert (blood.level, blood.suggested, blood.elsewhere) == (
        "warning",
        ("sodium", "calcium", "magnesium"),
        (),
    )


def test_of_equals_the_first_suggests_them() -> None:
    first, second = remarks(
        patient(), medicine("loop-diuretic"), medicine("thiazide-diuretic", name="second")
    )
    assert first.level == second.level
    assert (first.suggested, second.suggested) == (ELECTROLYTES, ())
    assert second.elsewhere == ELECTROLYTES


def test_a_remark_that_needs_none_suggests_none() -> None:
    drug, other = remarks(patient(), medicine("loop-diuretic"), medicine("ssri", name="other"))
    assert (drug.suggested, drug.elsewhere) == (ELECTROLYTES, ())
    assert (other.suggested, other.elsewhere) == ((), ())


def test_they_are_as_urgent_as_any_remark_needs_them() -> None:
    record = results(patient(), 0, "sodium", said="critical")
    for drafts in (
        (medicine("ssri"), medicine("loop-diuretic", name="second")),
        (medicine("loop-diuretic"), order("potassium", name="second")),
    ):
        found = remarks(record, *drafts)
        assert [one.urgent for one in found if one.suggested] == [True]


def test_a_single_remark_suggests_all_it_needs() -> None:
    said = remark(patient(), medicine("loop-diuretic"))
    assert (said.suggested, said.elsewhere) == (ELECTROLYTES, ())
