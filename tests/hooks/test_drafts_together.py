"""What is said of several drafts of one call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_mappings.to_findings import record_of
from service import evaluation
from service.decision import decide, draft_orders
from tests.hooks.requests import bundle, call, cards, orders, request
from tests.hooks.situations import problem
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


def test_the_record_is_decided_once_more_for_all_drafts(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each draft, a body of half a megabyte would take fifteen seconds."""
    decided = 0

    def counted(*args: Any) -> Any:
        nonlocal decided
        decided += 1
        return decide(*args)

    monkeypatch.setattr(draft_orders, "decide", counted)
    drafts = [request("v05", "emg", name=f"sr{number}") for number in range(5)]
    assert len(cards(client, orders("order-sign", "v05", *drafts))) == 5
    assert decided == 1


def test_a_new_problem_is_decided_with_it_and_without_it(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counted(*args: Any) -> Any:
        nonlocal read
        read += 1
        return record_of(*args)

    monkeypatch.setattr(evaluation, "record_of", counted)
    body = call("problem-list-item-create", "v05", conditions=bundle(problem("v05", "weakness")))
    assert cards(client, body)
    assert read == 2
