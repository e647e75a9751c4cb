"""The pages of the knowledge, as a clinician and as a program get them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import urldefrag

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.endpoints import knowledge_routes as endpoint
from service.knowledge import Knowledge, load_knowledge
from service.knowledge.claims import Anchor, Claim
from tests.contract.pages import Page
from tests.golden.cards import DIALECT_OF
from tests.vignettes.patient import PEOPLE
from tests.vignettes.test_vignettes import answer_to
from tools.openapi.knowledge_answers import KnowledgeClaimsSchema, KnowledgeRowSchema, KnowledgeSchema

ROWS = [row.id for row in load_knowledge().table.rows]
PATHS = ["/knowledge", "/knowledge/claims", *(f"/knowledge/{row}" for row in ROWS)]
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
JSON = {"Accept": "application/json"}

EACH_ROW = pytest.mark.parametrize("row", ROWS)
EACH_PAGE = pytest.mark.parametrize("path", PATHS)


@pytest.fixture(scope="module")
def page(app: Flask) -> Callable[[str], Page]:
    parsed: dict[str, Page] = {}

    def get(path: str) -> Page:
        if path not in parsed:
            response = app.test_client().get(path, headers=HTML)
            assert response.status_code == 200, path
            parsed[path] = Page(response.get_data(as_text=True))
        return parsed[path]

    return get


@EACH_ROW
def test_a_row_shows_the_place_of_each_claim(
    row: str, page: Callable[[str], Page], knowledge: Knowledge
) -> None:
    shown, found = page(f"/knowledge/{row}"), knowledge.table.row(row)
    assert found is not None
    for name in found.claims:
        item = next(li for li in shown.root.all("li") if li.text.startswith(f"{name} "))
        source = knowledge.claims.get(name)
        assert source is not None
        assert source.says in item.text
        if isinstance(source, Anchor):
            assert source.url in [a.attributes["href"] for a in item.all("a")]
            continue
        document = knowledge.claims.documents[source.document].title
        place = re.search(
            r"heading (\d+|), sentences? ([\d, ]+)", item.text.replace("the first heading", "heading 0")
        )
        assert document in item.text
        assert place is not None
        assert int(place[1]) == source.heading
        assert tuple(int(number) for number in place[2].split(",")) == source.sentences
        assert source.sha256 in item.text
    for support in found.support:
        assert any(support.note in h.text and support.reading in h.text.lower() for h in shown.root.all("h3"))


@EACH_ROW
def test_a_row_shows_level_actions_and_examples(
    row: str, page: Callable[[str], Page], knowledge: Knowledge
) -> None:
    shown, found = page(f"/knowledge/{row}"), knowledge.table.row(row)
    assert found is not None
    (level,) = [e for e in shown.root.all("span") if "level" in e.attributes.get("class", "").split()]
    assert level.text == found.level
    tables = {
        table.all("caption")[0].attributes["id"]: table
        for table in shown.root.all("table")
        if table.all("caption")[0].attributes.get("id")
    }
    examples = [
        [c.text for c in tr.all("th", "td")] for tr in tables["examples-caption"].all("tbody")[0].all("tr")
    ]
    assert [(e[0], e[2]) for e in examples] == [
        (example.title, "holds" if example.holds else "does not hold") for example in found.examples
    ]
    if not found.actions:
        assert "asks-caption" not in tables
        return
    asked = [[c.text for c in tr.all("th", "td")] for tr in tables["asks-caption"].all("tbody")[0].all("tr")]
    assert len(asked) == len(found.actions)
    for (_, when, removed), wanted in zip(asked, found.actions, strict=True):
        assert when.startswith(wanted.urgency)
        assert ("paediatric" in when) is wanted.paediatric
        action = knowledge.table.actions[wanted.id]
        for days in (action.done_days, action.ordered_days):
            assert days is None or f"no older than {days} days" in removed
        assert ("withheld" in removed) is action.withheld_from_child


@EACH_PAGE
def test_a_page_is_well_formed(path: str, page: Callable[[str], Page]) -> None:
    shown = page(path)
    assert shown.problems == []
    assert shown.doctype.lower() == "doctype html"
    assert shown.root.all("html")[0].attributes["lang"] == "en"
    assert len(shown.ids) == len(set(shown.ids))
    (title,) = shown.root.all("title")
    assert title.text
    for tag in ("main", "header", "footer", "h1"):
        assert len(shown.root.all(tag)) == 1, tag
    assert all(nav.attributes["aria-label"] for nav in shown.root.all("nav"))
    levels = [int(heading.tag[1]) for heading in shown.root.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for table in shown.root.all("table"):
        assert table.all("caption")[0].text
        assert {th.attributes.get("scope") for th in table.all("th")} <= {"col", "row"}
        assert "colspan" not in {name for cell in table.all("td", "th") for name in cell.attributes}
        columns = len(table.all("thead")[0].all("th"))
        assert all(len(tr.all("td", "th")) == columns for tr in table.all("tbody")[0].all("tr"))
        for td in table.all("td"):
            heads = [th.text for th in table.all("thead")[0].all("th")]
            # Beside a narrow screen's block the column is named by this.
            assert td.attributes.get("data-label", heads[-1]) in heads
    for region in shown.root.all("div"):
        if region.attributes.get("role") == "region":
            assert region.attributes["aria-labelledby"] in shown.ids
            assert region.attributes["tabindex"] == "0"


@EACH_PAGE
def test_nothing_inline_needs_to_be_allowed(
    path: str, client: FlaskClient, page: Callable[[str], Page]
) -> None:
    shown = page(path)
    assert shown.root.all("script", "style", "iframe", "img", "object", "form") == []
    for element in shown.root.all(*shown.tags):
        assert not {n for n in element.attributes if n == "style" or n.startswith("on")}, element.tag
    policy = client.get(path, headers=HTML).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "style-src 'self'" in policy


def test_the_stylesheet_is_served_and_asks_nothing_of_others(client: FlaskClient) -> None:
    response = client.get("/static/pages.css")
    assert (response.status_code, response.mimetype) == (200, "text/css")
    text = response.get_data(as_text=True)
    assert "@import" not in text
    assert "url(" not in text
    for media in ("prefers-color-scheme: dark", "@media print", ":focus-visible"):
        assert media in text
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/static/%2e%2e/templates/row.html").status_code == 404


def test_every_link_resolves(app: Flask, client: FlaskClient, page: Callable[[str], Page]) -> None:
    served = any(rule.rule.startswith("/fhir/") for rule in app.url_map.iter_rules())
    known: dict[str, int] = {}
    for path in PATHS:
        for link in page(path).links:
            if re.match(r"https?://", link):
                continue
            address, fragment = urldefrag(link)
            if address.startswith("/fhir/") and not served:
                assert re.fullmatch(r"/fhir/(ValueSet|PlanDefinition)/[a-z0-9-]+", address), link
                continue
            address = address or path
            if address not in known:
                known[address] = client.get(address).status_code
            assert known[address] == 200, f"{link} on {path}"
            if fragment:
                assert fragment in page(address).ids, f"{link} on {path}"


def parts_of(rule: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in rule.get("parts", ()):
        yield part
        yield from parts_of(part)


@EACH_ROW
def test_the_overview_lists_every_row(row: str, page: Callable[[str], Page], client: FlaskClient) -> None:
    content = client.get(f"/knowledge/{row}", headers=JSON).get_json()
    (listed,) = [
        tr for tr in page("/knowledge").root.all("tr")
        if tr.all("th")[0].all("a") and tr.all("th")[0].all("a")[0].attributes["href"] == f"/knowledge/{row}"
    ]  # fmt: skip
    assert listed.all("th")[0].text == content["label"]
    when = listed.all("td")[0]
    rule = content["holdsWhen"]["rule"]
    assert [li.text.partition(":")[0] for li in when.all("li")] == [
        part["says"].partition(":")[0] for part in parts_of(rule)
    ]
    assert when.text.startswith(rule["says"])
    assert listed.all("td")[2].text == content["reading"]


def test_json_is_of_the_documented_shape(client: FlaskClient) -> None:
    assert KnowledgeSchema().validate(client.get("/knowledge", headers=JSON).get_json()) == {}
    assert KnowledgeClaimsSchema().validate(client.get("/knowledge/claims", headers=JSON).get_json()) == {}
    for row in ROWS:
        content = client.get(f"/knowledge/{row}", headers=JSON).get_json()
        assert KnowledgeRowSchema().validate(content) == {}, row
        assert content["id"] == row


def test_previous_and_next_walk_through_the_table(client: FlaskClient) -> None:
    walked, row = [], ROWS[0]
    while row:
        content = client.get(f"/knowledge/{row}", headers=JSON).get_json()
        assert content.get("previous", {}).get("id") == (walked[-1] if walked else None)
        walked.append(row)
        row = content.get("next", {}).get("id")
    assert walked == ROWS


def test_every_claim_has_its_fate_on_the_page(page: Callable[[str], Page], knowledge: Knowledge) -> None:
    shown = page("/knowledge/claims")
    rows = {tr.attributes["id"]: tr for tr in shown.root.all("tr") if "id" in tr.attributes}
    assert set(rows) == {*knowledge.claims.claims, *knowledge.claims.anchors}
    cited_by_rows = {name: [r.id for r in knowledge.table.rows if name in r.claims] for name in rows}
    for name, tr in rows.items():
        source = knowledge.claims.get(name)
        assert source is not None
        said = tr.all("td")[-1]
        if source.declined:
            assert said.text == f"Declined: {source.declined}"
        else:
            hrefs = [a.attributes["href"] for a in said.all("a")]
            assert [f"/knowledge/{row}" for row in cited_by_rows[name]] == [
                h for h in hrefs if re.match("/knowledge/", h)
            ]
            assert hrefs or "the card’s text" in said.text, name
        if isinstance(source, Claim):
            assert source.sha256 in tr.text


# What is asked for, and how the answer is kept.
def test_a_browser_gets_a_page_a_program_gets_json(client: FlaskClient) -> None:
    for accept, mimetype in (
        (HTML["Accept"], "text/html"),
        ("*/*", "text/html"),
        ("application/json", "application/json"),
        ("application/json;q=0.5, text/html", "text/html"),
        ("application/json, text/html;q=0.5", "application/json"),
    ):
        response = client.get("/knowledge/weakness", headers={"Accept": accept})
        assert response.mimetype == mimetype, accept
        assert "Accept" in response.headers["Vary"]


@EACH_PAGE
def test_an_answer_is_kept_until_the_knowledge_changes(
    path: str, client: FlaskClient, knowledge: Knowledge
) -> None:
    tags = set()
    for headers in (HTML, JSON):
        first = client.get(path, headers=headers)
        tags.add(first.headers["ETag"])
        assert knowledge.version in first.headers["ETag"]
        assert first.headers["Cache-Control"] == "no-cache"
        again = client.get(path, headers={**headers, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert "Accept" in again.headers["Vary"]
        assert client.get(path, headers={**headers, "If-None-Match": '"older"'}).data == first.data
        assert client.head(path, headers=headers).headers["ETag"] == first.headers["ETag"]
    assert len(tags) == 2


def test_a_page_is_written_once(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app(Config(), knowledge).test_client()
    first = [client.get(path, headers=headers).data for path in PATHS for headers in (HTML, JSON)]

    def written_again(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(endpoint, "_body", written_again)
    assert [client.get(path, headers=headers).data for path in PATHS for headers in (HTML, JSON)] == first


def test_an_unknown_row_is_a_page_for_browsers(client: FlaskClient) -> None:
    response = client.get("/knowledge/no-such-row", headers=HTML)
    assert (response.status_code, response.mimetype) == (404, "text/html")
    shown = Page(response.get_data(as_text=True))
    assert shown.problems == []
    assert "No such row" in shown.root.all("h1")[0].text
    assert "/knowledge" in shown.links
    assert "Accept" in response.headers["Vary"]
    for accept in ("*/*", "application/json", "application/fhir+json", "application/json, text/html;q=0.9"):
        response = client.get("/knowledge/no-such-row", headers={"Accept": accept})
        assert (response.status_code, response.mimetype) == (404, "application/fhir+json"), accept
        assert response.get_json()["resourceType"] == "OperationOutcome"
        assert "Accept" in response.headers["Vary"]


def test_what_was_asked_for_is_not_written_on_the_page(client: FlaskClient) -> None:
    text = client.get("/knowledge/%3Cscript%3Ealert(1)", headers=HTML).get_data(as_text=True)
    assert "alert" not in unescape(text)


def test_claims_is_no_row() -> None:
    assert "claims" not in ROWS


@pytest.mark.parametrize("person", [p for p in PEOPLE if p.id in DIALECT_OF], ids=lambda p: p.id)
def test_no_card_has_a_dead_link(person: object, client: FlaskClient) -> None:
    name = person.id  # type: ignore[attr-defined]
    result = answer_to(DIALECT_OF[name], name)
    urls = [
        url
        for card in result.cards
        for url in (card["source"]["url"], *(link["url"] for link in card["links"]))
    ]
    assert len(urls) > 1
    for url in urls:
        assert url.startswith("https://cds.example.org/"), url
        response = client.get(url.removeprefix("https://cds.example.org"), headers=HTML)
        assert (response.status_code, response.mimetype) == (200, "text/html"), url


def test_what_a_file_says_is_text_never_markup(knowledge: Knowledge) -> None:
    first, *rest = knowledge.table.rows
    wicked = replace(first, label='<b onclick="x">&amp; "quoted"')
    client = create_app(
        Config(), replace(knowledge, table=replace(knowledge.table, rows=(wicked, *rest)))
    ).test_client()
    for path in ("/knowledge", "/knowledge/claims", f"/knowledge/{first.id}", f"/knowledge/{rest[0].id}"):
        shown = Page(client.get(path, headers=HTML).get_data(as_text=True))
        assert shown.problems == []
        assert shown.root.all("b") == []
        assert "onclick" in shown.text
        assert "&amp;" in shown.text


def test_a_claim_of_several_sentences_names_them_all(knowledge: Knowledge) -> None:
    claim = replace(knowledge.claims.claims["S003-21"], sentences=(25, 26))
    claims = replace(knowledge.claims, claims={**knowledge.claims.claims, claim.id: claim})
    client = create_app(Config(), replace(knowledge, claims=claims)).test_client()
    for path in ("/knowledge/weakness", "/knowledge/claims"):
        assert "sentences 25, 26" in Page(client.get(path, headers=HTML).get_data(as_text=True)).text
