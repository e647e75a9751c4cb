"""GET /feedback/summary: numbers that were worked out by hand, as JSON and as a page."""

from __future__ import annotations

import base64
import re
import uuid
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from service.cards.card_ids import code_of
from service.feedback import Accepted, Feedback, Share, Store
from service.knowledge import Knowledge
from tests.contract.feedback_site import NOW, Site, accepted, overridden, places
from tests.contract.pages import Page
from tools.openapi.answers import FeedbackSummarySchema

PATH = "/feedback/summary"
JSON = {"Accept": "application/json"}
WEEK_1, WEEK_2 = datetime(2026, 6, 8, tzinfo=UTC), datetime(2026, 6, 15, 9, tzinfo=UTC)
OFFERED = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
EMG = Accepted(str(uuid.UUID(int=500)), "order", code_of("emg"), "emg")
PRESENT = Accepted(str(uuid.UUID(int=501)), "answer-present", code_of("weakness"), "weakness")


def card(number: int, row: str | None, outcome: str, at: datetime = WEEK_1, **more: Any) -> Feedback:
    code = code_of(row) if row is not None else 0xABCDE
    return Feedback("one", str(uuid.UUID(int=number)), outcome, at, 1, code, row, **more)


GIVEN = [
    # weakness: 1 accepted, 2 overridden; two feedbacks on card 1 are one card, accepted after all, of week 1.
    card(1, "weakness", "overridden", WEEK_1, reason=(OFFERED, "patient-refuses"), comment="Mrs Example"),
    card(1, "weakness", "accepted", WEEK_2, accepted=(EMG,)),
    card(1, "weakness", "accepted", WEEK_2.replace(hour=10), accepted=(EMG, PRESENT)),
    card(2, "weakness", "overridden", WEEK_2, reason=(OFFERED, "patient-refuses")),
    card(3, "weakness", "overridden", WEEK_2, reason=("urn:other", "Mrs Example again")),
    # persistent: 2 accepted.
    card(4, "persistent", "accepted", WEEK_1, accepted=(EMG,)),
    card(5, "persistent", "accepted", WEEK_2, accepted=(PRESENT,)),
    # No row; a row of old with its name; one without.
    card(6, "", "overridden", WEEK_2),
    card(7, "a-row-of-old", "overridden", WEEK_2),
    card(8, None, "overridden", WEEK_2),
]


@pytest.fixture
def counted(knowledge: Knowledge, store_url: str) -> Site:
    Store(store_url, 30, lambda: NOW).add(GIVEN)
    return Site(store_url, knowledge)


def test_the_numbers(counted: Site) -> None:
    answered = counted.client.get(PATH, headers=JSON)
    content = answered.get_json()
    assert FeedbackSummarySchema().validate(content) == {}
    assert content["knowledgeVersion"] == counted.knowledge.version
    # Wilson by hand, 3 of 8: (0.375 + 3.8415/16 -+ 1.96 sqrt(0.375 0.625 / 8 + 3.8415/256)) / (1 + 3.8415/8).
    assert content["all"] == {"accepted": 3, "overridden": 5, "percent": 37.5, "interval": [13.7, 69.4]}
    rows = {row.pop("row"): row for row in content["rows"]}
    assert list(rows) == ["weakness", "persistent", "", "a-row-of-old", "code abcde"]
    labels = {row.id: row.label for row in counted.knowledge.table.rows}
    assert rows["weakness"] == {
        "label": labels["weakness"],
        "accepted": 1,
        "overridden": 2,
        "percent": 33.3,
        "interval": [6.1, 79.2],
    }
    assert rows["persistent"] == {
        "label": labels["persistent"],
        "accepted": 2,
        "overridden": 0,
        "percent": 100.0,
        "interval": [34.2, 100.0],
    }
    assert rows[""]["label"] == "card without a row"
    assert rows["a-row-of-old"]["label"] == rows["code abcde"]["label"] == "no longer in the table"
    assert rows[""]["interval"] == [0.0, 79.3]
    assert [(w["week"], w["accepted"], w["overridden"]) for w in content["weeks"]] == [
        ("2026-W24", 2, 0),
        ("2026-W25", 1, 5),
    ]
    # Card 1 was accepted after all.
    assert content["reasons"] == [
        {"display": "no reason given", "cards": 3},
        {"code": "patient-refuses", "display": "The patient declines", "cards": 1},
        {"display": "a reason that the card did not offer", "cards": 1},
    ]
    assert content["suggestions"] == [
        {"kind": "answer-present", "name": "weakness", "cards": 2},
        {"kind": "order", "name": "emg", "cards": 2},
    ]


@pytest.mark.parametrize(
    ("yes", "no", "low", "high"),
    [
        # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29; method 3 (score), to four digits.
        (81, 182, 25.53, 36.62),
        (15, 133, 6.24, 16.05),
        (0, 20, 0.00, 16.11),
        (1, 28, 0.61, 17.18),
        (20, 0, 83.89, 100.00),
        (0, 0, 0.0, 100.0),
    ],
)
def test_intervals_are_those_of_the_literature(yes: int, no: int, low: float, high: float) -> None:
    assert [round(end, 2) for end in Share(yes, no).interval] == [low, high]


def test_nobody_sees_a_comment_or_what_others_wrote_as_a_reason(counted: Site) -> None:
    for headers in ({}, JSON):
        text = counted.client.get(PATH, headers=headers).get_data(as_text=True)
        assert "Example" not in text
        assert str(uuid.UUID(int=1)) not in text


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_holds_the_same_numbers_beside_its_chart(counted: Site) -> None:
    answered = counted.client.get(PATH, headers={"Accept": "text/html"})
    assert answered.mimetype == "text/html"
    assert answered.headers["Cache-Control"] == "no-store"
    assert "Accept" in answered.headers["Vary"]
    text = answered.get_data(as_text=True)
    page = _Page()
    page.feed(text)
    assert not [tag for tag, attributes in page.tags if tag in ("script", "style") or "style" in attributes]
    table = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text[text.index("caption-rows") :]))
    for row in counted.client.get(PATH, headers=JSON).get_json()["rows"]:
        low, high = row["interval"]
        numbers = f"{row['accepted']} {row['overridden']} {row['percent']} % {low} to {high} %"
        assert numbers in table, row["row"]
    svg = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])  # noqa: S314 - ours
    dots = svg.findall("circle")
    lines = [line for line in svg.findall("line") if line.get("class") == "interval"]
    assert len(dots) == len(lines) == 5
    # 33.3 % of the scale from 330 to 750, its interval from 6.1 to 79.2 %.
    assert float(dots[0].attrib["cx"]) == pytest.approx(330 + 420 * 0.333, abs=0.06)
    assert float(lines[0].attrib["x1"]) == pytest.approx(330 + 420 * 0.061, abs=0.06)
    assert float(lines[0].attrib["x2"]) == pytest.approx(330 + 420 * 0.792, abs=0.06)


def test_what_is_posted_is_what_is_counted(site: Site, card: dict[str, Any]) -> None:
    other = site.card(hookInstance="11111111-1111-4111-8111-111111111111")
    assert site.post(accepted(card, 0), accepted(card, 0), overridden(other)).status_code == 200
    content = site.client.get(PATH, headers=JSON).get_json()
    assert [(r["row"], r["accepted"], r["overridden"]) for r in content["rows"]] == [("persistent", 1, 1)]
    assert content["suggestions"] == [{"kind": "order", "name": "electrolytes", "cards": 1}]


def test_nothing_yet(site: Site) -> None:
    content = site.client.get(PATH, headers=JSON).get_json()
    assert content["all"] == {"accepted": 0, "overridden": 0, "interval": [0.0, 100.0]}
    assert "0 cards accepted, 0 overridden." in site.client.get(PATH).get_data(as_text=True)


def test_a_dead_store_is_503(knowledge: Knowledge, tmp_path: Path) -> None:
    site = Site(f"sqlite:///{tmp_path}/none/feedback.sqlite3", knowledge)
    assert places(site.client.get(PATH), 503) == [""]


def test_it_is_for_admins(knowledge: Knowledge, tmp_path: Path, site: Site) -> None:
    file = tmp_path / "token"
    file.write_text("only-for-these-tests-5f2c\n")
    closed = Site(site.url, knowledge, settings={"admin_token_file": file})
    assert places(closed.client.get(PATH), 401)
    basic = base64.b64encode(b"any:only-for-these-tests-5f2c").decode()
    assert closed.client.get(PATH, headers={"Authorization": f"Basic {basic}"}).status_code == 200


LATER = WEEK_1.replace(hour=8)
REASONS = [("patient-refuses", "The patient declines"), (None, "no reason given")]


@pytest.mark.parametrize(
    ("items", "accepted_cards", "reasons"),
    {
        "overridden-twice": ([("overridden", 0), ("overridden", 1)], 0, ["no reason given"]),
        "overridden-twice-newest-first": ([("overridden", 1), ("overridden", 0)], 0, ["no reason given"]),
        "overridden-then-accepted": ([("overridden", 0), ("accepted", 1)], 1, []),
        "accepted-then-dismissed": ([("accepted", 0), ("overridden", 1)], 1, []),
        "accepted-twice": ([("accepted", 0), ("accepted", 1)], 1, []),
        "overridden-once": ([("overridden", 0)], 0, ["The patient declines"]),
    }.values(),
    ids=["two-reasons", "late-post", "accepted-after-all", "rest-dismissed", "two-suggestions", "one"],
)
def test_several_items_of_one_card_are_one_card(
    knowledge: Knowledge,
    store_url: str,
    items: list[tuple[str, int]],
    accepted_cards: int,
    reasons: list[str],
) -> None:
    store = Store(store_url, 30, lambda: NOW)
    for outcome, when in items:
        code = REASONS[when][0]
        more: dict[str, Any] = (
            {"accepted": (EMG,)} if outcome == "accepted" else {"reason": (OFFERED, code) if code else None}
        )
        store.add([card(1, "weakness", outcome, LATER if when else WEEK_1, **more)])
    content = Site(store_url, knowledge).client.get(PATH, headers=JSON).get_json()
    overridden_cards = 1 - accepted_cards
    for share in (content["all"], *content["rows"], *content["weeks"]):
        assert (share["accepted"], share["overridden"]) == (accepted_cards, overridden_cards)
    assert [(reason["display"], reason["cards"]) for reason in content["reasons"]] == [
        (display, 1) for display in reasons
    ]
    assert sum(suggestion["cards"] for suggestion in content["suggestions"]) == accepted_cards


def test_every_link_of_the_page_exists(knowledge: Knowledge, store_url: str) -> None:
    rows = [row.id for row in knowledge.table.rows]
    Store(store_url, 30, lambda: NOW).add(
        [*GIVEN, *(card(number, row, "overridden") for number, row in enumerate(rows, 100))]
    )
    client = Site(store_url, knowledge).client
    page = Page(client.get(PATH).get_data(as_text=True))
    assert {f"/knowledge/{row}" for row in rows} <= set(page.links)
    for link in page.links:
        path, _, fragment = link.partition("#")
        answered = client.get(path or PATH)
        assert answered.status_code == 200, link
        if fragment:
            assert fragment in Page(answered.get_data(as_text=True)).ids, link
