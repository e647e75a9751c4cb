"""Feedback that is refused: every fault with its place, all at once, and nothing is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.feedback_site import PATH, Site, accepted, overridden, places

WRONG: list[tuple[str, Any, list[str]]] = [
    ("card missing", {"card": None}, ["feedback[1].card"]),
    ("card a number", {"card": 5}, ["feedback[1].card"]),
    ("card empty", {"card": ""}, ["feedback[1].card"]),
    ("not ours", {"card": "4e0a3a1e-3283-4575-ab82-028d55fe2719"}, ["feedback[1].card"]),
    ("outcome missing", {"outcome": None}, ["feedback[1].outcome"]),
    ("outcome unknown", {"outcome": "ignored"}, ["feedback[1].outcome"]),
    ("outcome a list", {"outcome": ["accepted"]}, ["feedback[1].outcome"]),
    ("nothing accepted", {"acceptedSuggestions": None}, ["feedback[1].acceptedSuggestions"]),
    ("none accepted", {"acceptedSuggestions": []}, ["feedback[1].acceptedSuggestions"]),
    ("accepted an object", {"acceptedSuggestions": {}}, ["feedback[1].acceptedSuggestions"]),
    ("accepted a text", {"acceptedSuggestions": ["x"]}, ["feedback[1].acceptedSuggestions[0]"]),
    ("without id", {"acceptedSuggestions": [{}]}, ["feedback[1].acceptedSuggestions[0].id"]),
    ("id null", {"acceptedSuggestions": [{"id": None}]}, ["feedback[1].acceptedSuggestions[0].id"]),
    ("id not ours", {"acceptedSuggestions": [{"id": "x"}]}, ["feedback[1].acceptedSuggestions[0].id"]),
    ("too many", {"acceptedSuggestions": [{"id": "x"}] * 51}, ["feedback[1].acceptedSuggestions"]),
    ("overridden and accepted", {"outcome": "overridden"}, ["feedback[1].acceptedSuggestions"]),
    ("time missing", {"outcomeTimestamp": None}, ["feedback[1].outcomeTimestamp"]),
    ("reason a text", {"overrideReason": "no"}, ["feedback[1].overrideReason"]),
    (
        "coding without members",
        {"overrideReason": {"reason": {}}},
        ["feedback[1].overrideReason.reason.code", "feedback[1].overrideReason.reason.system"],
    ),
    (
        "comment a number",
        {"overrideReason": {"userComment": 1}},
        ["feedback[1].overrideReason.userComment"],
    ),
    (
        "comment too long",
        {"overrideReason": {"userComment": "x" * 4001}},
        ["feedback[1].overrideReason.userComment"],
    ),
    (
        "comment with NUL",
        {"overrideReason": {"userComment": "a\0b"}},
        ["feedback[1].overrideReason.userComment"],
    ),
    (
        "half a character",
        {"overrideReason": {"userComment": "\ud800", "reason": {"code": "\udfff", "system": "\0"}}},
        [
            "feedback[1].overrideReason.reason.code",
            "feedback[1].overrideReason.reason.system",
            "feedback[1].overrideReason.userComment",
        ],
    ),
    *(
        (f"time {written}", {"outcomeTimestamp": written}, ["feedback[1].outcomeTimestamp"])
        for written in (
            "2026-06-15",
            "2026-06-15T10:05:31",
            "2026-06-15T10:05Z",
            "2026-06-15 10:05:31Z",
            "20260615T100531Z",
            "2026-W25-1T10:05:31Z",
            "2026-02-30T10:05:31Z",
            "2026-06-15T25:05:31Z",
            "2026-06-15T10:05:61Z",
            "2026-06-15T10:05:31+24:00",
            "2026-06-15T10:05:31.Z",
            "२०२६-06-15T10:05:31Z",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "1970-01-01T00:00:00Z",
            "2019-12-31T23:59:59Z",
            "2026-06-16T12:00:01Z",
            "1781518000",
            1781518000,
            None,
            {},
        )
        if written is not None
    ),
]


@pytest.mark.parametrize(("changes", "where"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_named_and_nothing_is_kept(
    site: Site, card: dict[str, Any], changes: dict[str, Any], where: list[str]
) -> None:
    answered = site.post(overridden(card), accepted(card, **changes))
    assert sorted(places(answered)) == where
    assert site.kept() == []


def test_all_that_is_wrong_is_said_at_once(site: Site, card: dict[str, Any]) -> None:
    answered = site.post(
        accepted(card, outcome=None, acceptedSuggestions=[{}]), {}, accepted(card, outcomeTimestamp="x"), 7
    )
    assert sorted(places(answered)) == [
        "feedback[0].acceptedSuggestions[0].id",
        "feedback[0].outcome",
        "feedback[1].card",
        "feedback[1].outcome",
        "feedback[1].outcomeTimestamp",
        "feedback[2].outcomeTimestamp",
        "feedback[3]",
    ]
    assert site.kept() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"{}", 400),
        (b'{"feedback": null}', 400),
        (b'{"feedback": {}}', 400),
        (b'{"feedback": [null]}', 400),
        (b'{"feedback": [[]]}', 400),
        (b'{"feedback": [], "feedback": []}', 400),
        (b'{"feedback": [NaN]}', 400),
        (b'{"feedback": "\xff"}', 400),
        (b'{"feedback": ' + b"[" * 100_000, 400),
        (b'{"feedback": [' + b'{"card": "x"},' * 100 + b"{}]}", 400),
    ],
)
def test_a_body_that_is_no_feedback(site: Site, body: bytes, status: int) -> None:
    answered = site.client.post(PATH, data=body, content_type="application/json")
    assert places(answered, status)
    assert site.kept() == []


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (b'{\n  "feedback": [],\n  "y": ,\n}', "(byte 27, line 3, column 8)"),
        (b'{\r\n"feedback" 5}', "(byte 14, line 2, column 12)"),
        ('{"ä漢": x}'.encode(), "(byte 10, line 1, column 8)"),
        (b'{\n"feedback": [', "(byte 15, line 2, column 14)"),
        (b'{\n"feedback": "\xff"}', "not UTF-8 (byte 15, line 2, column 14)"),
    ],
)
def test_what_is_not_json_says_in_which_line(site: Site, body: bytes, at: str) -> None:
    answered = site.client.post(PATH, data=body, content_type="application/json")
    assert places(answered) == [""]
    assert at in answered.get_json(force=True)["issue"][0]["diagnostics"]


def test_a_body_of_another_type(site: Site) -> None:
    places(site.client.post(PATH, data=b"{}", content_type="text/plain"), 415)
    places(site.client.post(PATH, data={"feedback": "x"}), 415)


def test_a_service_that_is_not_there(site: Site, card: dict[str, Any]) -> None:
    places(site.post(accepted(card), path="/cds-services/other/feedback"), 404)
    assert site.client.get(PATH).status_code == 405
