"""GET /knowledge?rows=…: why a card was given, for the rows that it names."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge
from service.knowledge.page_contents import MOST_ROWS, Explained

KNOWLEDGE = load_knowledge()
ROWS = {row.id: row for row in KNOWLEDGE.table.rows}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Config(), KNOWLEDGE).test_client()


def asked(client: FlaskClient, rows: str, accept: str = "application/json") -> TestResponse:
    return client.get("/knowledge", query_string={"rows": rows}, headers={"Accept": accept})


def content_of(client: FlaskClient, rows: str) -> dict[str, Any]:
    answer = asked(client, rows)
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    content: dict[str, Any] = answer.get_json()
    return content


def test_each_row_says_what_it_means_and_rests_on(client: FlaskClient) -> None:
    content = content_of(client, "tingling,bulbar")
    assert content["knowledgeVersion"] == KNOWLEDGE.version
    assert content["notRows"] == []
    for shown in content["rows"]:
        row = ROWS[shown["id"]]
        assert (shown["label"], shown["level"], shown["url"]) == (
            row.label,
            row.level,
            f"/knowledge/{row.id}",
        )
        assert [one["id"] for one in shown["asksFor"]] == [action.id for action in row.actions]
        assert [(one["urgency"]) for one in shown["asksFor"]] == [action.urgency for action in row.actions]
        assert [[claim["id"] for claim in one["claims"]] for one in shown["restsOn"]] == [
            list(support.ids) for support in row.support
        ]
        assert [(one["reading"], one["note"]) for one in shown["restsOn"]] == [
            (support.reading, support.note) for support in row.support
        ]


def test_the_gravest_stands_first_and_none_twice(client: FlaskClient) -> None:
    content = content_of(client, "self-care,tingling,kidney-failure,weakness,bulbar,tingling")
    assert [(row["id"], row["level"]) for row in content["rows"]] == [
        ("bulbar", "critical"),
        ("weakness", "warning"),
        ("kidney-failure", "until-done"),
        ("tingling", "calm"),
        ("self-care", "info"),
    ]


def test_names_that_are_no_rows_are_listed_and_cut(client: FlaskClient) -> None:
    long = "x" * 500
    content = content_of(client, f"no-such-row,weakness,,{long}")
    assert [row["id"] for row in content["rows"]] == ["weakness"]
    assert content["notRows"] == ["no-such-row", "x" * 60]


def test_no_more_rows_than_one_page_shows(client: FlaskClient) -> None:
    assert len(ROWS) > MOST_ROWS == 60
    content = content_of(client, ",".join(ROWS))
    assert {row["id"] for row in content["rows"]} == set(list(ROWS)[:MOST_ROWS])
    unknown = content_of(client, ",".join(["weakness", *(f"no-{n}" for n in range(100))]))
    assert len(unknown["notRows"]) == MOST_ROWS - 1


@pytest.mark.parametrize("rows", ["no-such-row", "no-such-row,another", ",,"])
def test_nothing_known_is_not_found(client: FlaskClient, rows: str) -> None:
    answer = asked(client, rows)
    assert answer.status_code == 404
    assert answer.get_json()["resourceType"] == "OperationOutcome"
    page = asked(client, rows, "text/html")
    assert (page.status_code, page.mimetype) == (404, "text/html")


def test_a_browser_gets_a_page(client: FlaskClient) -> None:
    page = asked(client, "weakness,no-such-row", "text/html,application/xhtml+xml")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert ROWS["weakness"].label in page.text
    assert "no-such-row" in page.text
    assert ROWS["atrophy"].label not in page.text


HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.mark.parametrize("rows", [f"weakness,{HOSTILE}", HOSTILE])
def test_what_was_sent_is_escaped(client: FlaskClient, rows: str) -> None:
    page = asked(client, rows, "text/html")
    assert page.mimetype == "text/html"
    assert "<script>alert" not in page.text
    if page.status_code == 200:
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert content_of(client, rows)["notRows"] == [HOSTILE]


def test_every_row_can_be_asked_for() -> None:
    explained = Explained(KNOWLEDGE)
    for name in ROWS:
        assert [row["id"] for row in explained.rows([name])["rows"]] == [name]
