"""Totals, links, statuses and outcomes of lists in other forms than those of FHIR."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.field.test_lists import (
    OTHER,
    TWITCH,
    Resource,
    assessed,
    batch,
    match,
    outcome,
    searchset,
    viewed,
)

PAGE = "https://ehr.example/Condition?page=2"
NOT_WHOLE: dict[str, Resource] = {
    "outcome-warning-in-capitals": searchset(match(outcome("Warning", "Timeout"), "outcome")),
    "outcome-error-in-capitals": searchset(match(outcome("ERROR"), "outcome")),
    "batch-status-line": batch({"response": {"status": "HTTP/1.1 403 Forbidden"}, "resource": searchset()}),
    "batch-status-line-2": batch({"response": {"status": "HTTP/2 503"}, "resource": outcome("information")}),
    "batch-200-with-an-error": batch(
        {"response": {"status": "200", "outcome": outcome("error", "exception")}, "resource": searchset()}
    ),
    "batch-without-status-with-an-error": batch(
        {"response": {"outcome": outcome("fatal")}, "resource": searchset()}
    ),
    "total-with-blanks": searchset(match(OTHER), total=" 2 "),
    "total-as-decimal": searchset(match(OTHER), total=2.0),
    "total-as-decimal-text": searchset(match(OTHER), total="2.0"),
    "next-in-capitals": searchset(match(OTHER), link=[{"relation": "Next", "url": PAGE}]),
    "next-with-blanks": searchset(match(OTHER), link=[{"relation": " next ", "url": PAGE}]),
    "next-in-a-list": searchset(match(OTHER), link=[{"relation": ["next"], "url": PAGE}]),
    "next-behind-self": searchset(match(OTHER), link=[{"relation": "self"}, {"relation": "NEXT"}]),
    "link-without-relation": searchset(match(OTHER), link=[{"rel": "next", "url": PAGE}]),
}
WHOLE: dict[str, Any] = {
    "total-unknown": searchset(match(OTHER), total=-1),
    "total-in-words": searchset(match(OTHER), total="nan"),
    "total-below-all": searchset(match(OTHER), total="-inf"),
    "total-endless": searchset(match(OTHER), total="1 or more"),
    "self-in-capitals": searchset(match(OTHER), link=[{"relation": "Self", "url": PAGE}]),
    "previous": searchset(match(OTHER), link=[{"relation": "previous", "url": PAGE}]),
    "informational-in-capitals": searchset(match(outcome("Information", "Informational"), "outcome")),
    "batch-200-with-a-hint": batch(
        {"response": {"status": "200 OK", "outcome": outcome("information")}, "resource": searchset()}
    ),
    "batch-status-line-200": batch({"response": {"status": "HTTP/1.1 200 OK"}, "resource": searchset()}),
}


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_a_cut_list_is_no_all_clear(client: FlaskClient, name: str) -> None:
    status, answer = viewed(client, NOT_WHOLE[name])
    assert status == 412
    assert "prefetch.conditions" in [place for issue in answer["issue"] for place in issue["expression"]]


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_list_is_seen(client: FlaskClient, name: str) -> None:
    status, answer = viewed(client, WHOLE[name])
    assert (status, answer["cards"]) == (200, [])
    assert "conditions" not in assessed(answer)["notSeen"]


@pytest.mark.parametrize("total", [5, "5", " 5.0 "])
def test_a_total_above_what_came_is_said_to_be_that(client: FlaskClient, total: Any) -> None:
    (issue,) = viewed(client, searchset(match(OTHER), total=total))[1]["issue"]
    assert "a total above what came" in issue["diagnostics"]


def test_a_cut_list_with_the_twitch_has_its_card(client: FlaskClient) -> None:
    status, answer = viewed(client, searchset(match(TWITCH), link=[{"relation": "Next", "url": PAGE}]))
    assert status == 200
    assert answer["cards"][0]["detail"].startswith("Conditions were not seen")
