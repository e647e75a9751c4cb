"""Feedback over HTTP: what is taken, what is refused with its place, and that nothing is half kept."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.cards.card_ids import CardIds, code_of, id_of
from tests.contract.feedback_site import NOW, PATH, SECRET, Site, accepted, overridden, places
from tests.contract.requests import DAY, SERVICE, example, hook_call

ANOTHER_CALL = "11111111-1111-4111-8111-111111111111"
REASON = {"code": "patient-refuses", "system": "http://terminology.hl7.org/CodeSystem/x"}


def test_cds_hooks_148_accepted_suggestions_are_kept(site: Site) -> None:
    # Not examined yet: two orders, then the answers.
    card = site.card(prefetch=example("lists-not-sent/patient-view.json")["prefetch"])
    order, normal, bulbar = 0, 2, 6
    answered = site.post(accepted(card, order, normal, bulbar))
    assert (answered.status_code, answered.get_json()) == (200, {})
    (kept,) = site.kept()
    said = CardIds((SECRET,), SERVICE.split("/")[-1]).read(card["uuid"])
    assert (kept.card, kept.outcome, kept.row) == (card["uuid"], "accepted", "not-examined")
    assert (kept.code, kept.version) == (code_of("not-examined"), said.version)
    assert site.knowledge.version.startswith(f"{kept.version:02x}")
    assert (kept.at, kept.week, kept.received) == (
        datetime(2026, 6, 15, 10, 5, 31, tzinfo=UTC),
        "2026-W25",
        NOW,
    )
    found = {(one.suggestion, one.kind, one.name) for one in site.kept_suggestions()}
    assert found == {
        (card["suggestions"][order]["uuid"], "order", "electrolytes"),
        (card["suggestions"][normal]["uuid"], "answer-absent", "examination"),
        (card["suggestions"][bulbar]["uuid"], "answer-present", "bulbar"),
    }


def test_cds_hooks_148_overridden_with_and_without_a_reason(site: Site, card: dict[str, Any]) -> None:
    answered = site.post(
        overridden(card, outcomeTimestamp="2020-12-11T00:00:00Z"),
        overridden(card, overrideReason={"reason": REASON, "userComment": "We did that."}),
        overridden(card, overrideReason={"userComment": "Later."}, outcomeTimestamp="2026-06-15T11:00:00Z"),
    )
    assert answered.status_code == 200
    kept = site.kept()
    assert {(k.reason_code, k.comment) for k in kept} == {
        (None, None),
        ("patient-refuses", "We did that."),
        (None, "Later."),
    }
    assert site.kept_suggestions() == []


def test_several_cards_and_what_is_not_known_are_taken(site: Site, card: dict[str, Any]) -> None:
    other = site.card(hookInstance=ANOTHER_CALL)
    body = {
        "feedback": [
            {**accepted(card), "more": [1], "overrideReason": None},
            {**overridden(other), "acceptedSuggestions": [], "overrideReason": {"reason": None, "x": {}}},
        ],
        "extension": {"org.example": {}},
    }
    assert site.client.post(PATH, json=body).status_code == 200
    assert len(site.kept()) == 2


def test_nothing_to_keep_is_taken(site: Site) -> None:
    assert site.post().status_code == 200
    assert site.kept() == []


def test_ids_may_come_in_upper_case(site: Site, card: dict[str, Any]) -> None:
    item = accepted(card)
    assert site.post(item).status_code == 200
    item["card"] = item["card"].upper()
    item["acceptedSuggestions"][0]["id"] = item["acceptedSuggestions"][0]["id"].upper()
    assert site.post(item).status_code == 200
    assert len(site.kept()) == 1


@pytest.mark.parametrize("instance", ["7", "é漢 / not a UUID", ANOTHER_CALL.upper(), "x" * 200])
def test_ids_of_a_call_with_any_hook_instance_are_taken(site: Site, instance: str) -> None:
    card = site.card(hookInstance=instance)
    assert site.post(accepted(card, 0, 1)).status_code == 200
    assert [kept.card for kept in site.kept()] == [card["uuid"]]
    assert len(site.kept_suggestions()) == 2
    # It names this call, not any call whose hookInstance is no UUID.
    other = site.card(hookInstance="8")["suggestions"][0]["uuid"]
    mixed = accepted(card, acceptedSuggestions=[{"id": other}])
    assert places(site.post(mixed)) == ["feedback[0].acceptedSuggestions[0].id"]


def test_a_suggestion_that_is_named_twice_is_kept_once(site: Site, card: dict[str, Any]) -> None:
    twice = accepted(card, 0, 1, 0)
    assert len(twice["acceptedSuggestions"]) == 3
    twice["acceptedSuggestions"][2] = {"id": twice["acceptedSuggestions"][0]["id"].upper()}
    assert site.post(twice, accepted(card, 1, 0, 1), accepted(card, 0, 1)).status_code == 200
    assert len(site.kept()) == 1
    assert sorted(kept.suggestion for kept in site.kept_suggestions()) == sorted(
        card["suggestions"][number]["uuid"] for number in (0, 1)
    )


def test_a_repeat_is_kept_once_and_a_later_action_for_itself(site: Site, card: dict[str, Any]) -> None:
    for _ in range(3):
        assert site.post(accepted(card, 0, 1), accepted(card, 1, 0)).status_code == 200
    assert len(site.kept()) == 1
    assert len(site.kept_suggestions()) == 2
    # The same instant, written otherwise.
    for same in ("2026-06-15T12:05:31+02:00", "2026-06-15t10:05:31.000z", "2026-06-15T10:05:31-00:00"):
        assert site.post(accepted(card, 1, 0, outcomeTimestamp=same)).status_code == 200
    assert len(site.kept()) == 1
    for other in (
        accepted(card, 0),
        accepted(card, 0, 1, outcomeTimestamp="2026-06-15T10:05:31.000001Z"),
        overridden(card),
        overridden(card, outcomeTimestamp="2026-06-15T10:05:32Z"),
    ):
        before = len(site.kept())
        assert site.post(other).status_code == 200
        assert len(site.kept()) == before + 1


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-06-15T10:05:31Z", "2026-06-15T10:05:31+00:00"),
        ("2026-06-15T10:05:31.5Z", "2026-06-15T10:05:31.500000+00:00"),
        ("2026-06-15T10:05:31.123456789Z", "2026-06-15T10:05:31.123456+00:00"),
        ("2026-06-15T23:30:00-05:00", "2026-06-16T04:30:00+00:00"),
        ("2024-12-30T00:30:00+01:00", "2024-12-29T23:30:00+00:00"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00+00:00"),
        ("2026-06-16T12:00:00Z", "2026-06-16T12:00:00+00:00"),
        ("2025-12-31T23:59:60Z", "2025-12-31T23:59:59.999999+00:00"),
    ],
)
def test_times_are_kept_in_utc(site: Site, card: dict[str, Any], written: str, utc: str) -> None:
    assert site.post(overridden(card, outcomeTimestamp=written)).status_code == 200
    (kept,) = site.kept()
    assert kept.at.isoformat() == utc
    assert kept.at.tzinfo == UTC


def test_the_week_is_that_of_utc(site: Site, card: dict[str, Any]) -> None:
    site.post(overridden(card, outcomeTimestamp="2024-12-30T00:30:00+01:00"))
    assert site.kept()[0].week == "2024-W52"


def ids(site: Site, service: str = SERVICE.split("/")[-1], secret: str = SECRET) -> CardIds:
    return CardIds((secret,), service)


def test_the_id_of_a_suggestion_is_no_card_and_the_other_way(site: Site, card: dict[str, Any]) -> None:
    turned = accepted(card, card=card["suggestions"][0]["uuid"])
    assert places(site.post(turned)) == ["feedback[0].card"]
    turned = accepted(card, acceptedSuggestions=[{"id": card["uuid"]}])
    assert places(site.post(turned)) == ["feedback[0].acceptedSuggestions[0].id"]
    assert site.kept() == []


def test_a_suggestion_of_another_call_is_refused(site: Site, card: dict[str, Any]) -> None:
    other = site.card(hookInstance=ANOTHER_CALL)
    assert other["uuid"] != card["uuid"]
    item = accepted(card, acceptedSuggestions=[{"id": other["suggestions"][0]["uuid"]}])
    assert places(site.post(item)) == ["feedback[0].acceptedSuggestions[0].id"]
    assert site.kept() == []


def test_an_id_signed_for_another_service_or_by_another_secret_is_refused(site: Site) -> None:
    for signer in (ids(site, "/evaluate"), ids(site, "other"), ids(site, secret="x" * 32)):
        forged = id_of(signer, site.knowledge.version, ANOTHER_CALL, "card", "persistent")
        item = {"card": forged, "outcome": "overridden", "outcomeTimestamp": "2026-06-15T10:05:31Z"}
        assert places(site.post(item)) == ["feedback[0].card"]
    assert site.kept() == []


def test_a_card_of_evaluate_has_ids_that_feedback_refuses(site: Site) -> None:
    answered = site.client.post(f"/evaluate?asOf={DAY}", json=example("thigh-day-fifteen/bundle.json"))
    (card,) = answered.get_json()["cards"]
    assert set(places(site.post(accepted(card)))) == {
        "feedback[0].card",
        "feedback[0].acceptedSuggestions[0].id",
    }


def test_a_card_of_an_older_knowledge_is_taken_even_if_its_row_is_gone(site: Site) -> None:
    old = id_of(ids(site), "fff0000", ANOTHER_CALL, "card", "a-row-of-old")
    order = id_of(ids(site), "fff0000", ANOTHER_CALL, "order", "an-action-of-old")
    item = accepted({"uuid": old, "suggestions": [{"uuid": order}]})
    assert site.post(item).status_code == 200
    (kept,) = site.kept()
    assert (kept.version, kept.code, kept.row) == (0xFF, code_of("a-row-of-old"), None)
    (suggestion,) = site.kept_suggestions()
    assert (suggestion.code, suggestion.name) == (code_of("an-action-of-old"), None)


def test_a_card_that_was_signed_before_the_secret_changed_is_taken(site: Site, card: dict[str, Any]) -> None:
    later = Site(site.url, site.knowledge, settings={"card_secrets": ("n" * 32, SECRET)})
    assert later.card()["uuid"] != card["uuid"]
    assert later.post(accepted(card)).status_code == 200
    assert places(site.post(accepted(later.card())))
    assert len(site.kept()) == 1


def test_with_one_id_for_all_hooks_feedback_goes_there(site: Site) -> None:
    shared = Site(site.url, site.knowledge, settings={"shared_service_id": "twitch"})
    (card,) = shared.client.post("/cds-services/twitch", json=hook_call()).get_json()["cards"]
    assert shared.post(accepted(card), path="/cds-services/twitch/feedback").status_code == 200
    places(shared.post(accepted(card)), 404)
    assert site.kept()[0].service == "twitch"


def test_without_secrets_no_id_is_taken(site: Site) -> None:
    unsigned = Site(site.url, site.knowledge, settings={"card_secrets": ()})
    assert places(unsigned.post(overridden(unsigned.card()))) == ["feedback[0].card"]


def test_no_comment_and_no_id_is_logged(
    site: Site, card: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "Mrs Example said no"  # noqa: S105
    item = overridden(card, overrideReason={"userComment": secret, "reason": REASON})
    assert site.post(item).status_code == 200
    refused = site.post({**item, "outcome": secret, "card": secret, "outcomeTimestamp": secret})
    assert secret not in refused.get_data(as_text=True)
    assert secret not in caplog.text
    assert card["uuid"] not in caplog.text


def test_comments_go_in_time_and_the_rest_stays(site: Site, card: dict[str, Any]) -> None:
    said = {"reason": REASON, "userComment": "We did that."}
    site.post(overridden(card, overrideReason=said))
    site.clock.now = NOW + timedelta(days=20)
    site.post(overridden(card, overrideReason=said, outcomeTimestamp="2026-06-30T00:00:00Z"))
    site.clock.now = NOW + timedelta(days=30) - timedelta(seconds=1)
    site.post(accepted(card))
    assert [kept.comment for kept in site.kept()] == ["We did that.", "We did that.", None]
    # The purge comes along with a later post, at most once an hour.
    site.clock.now = NOW + timedelta(days=30, hours=2)
    site.post(accepted(card, 1))
    assert [kept.comment for kept in site.kept()] == [None, "We did that.", None, None]
    assert [kept.reason_code for kept in site.kept()][:2] == ["patient-refuses"] * 2


def test_retention_of_no_days_keeps_no_comment(site: Site, card: dict[str, Any]) -> None:
    never = Site(site.url, site.knowledge, settings={"feedback_retention_days": 0})
    assert never.post(overridden(card, overrideReason={"userComment": "Later."})).status_code == 200
    assert site.kept()[0].comment is None


def test_answers_and_refusals_may_be_read_by_a_browser_of_a_named_origin(site: Site) -> None:
    origin = "https://ehr.example"
    client = Site(site.url, site.knowledge, settings={"cors_origins": ("*", origin)}).client
    for method, body in (("POST", {"feedback": []}), ("POST", {"feedback": [1]}), ("OPTIONS", None)):
        answered = client.open(PATH, method=method, json=body, headers={"Origin": origin})
        assert answered.headers["Access-Control-Allow-Origin"] == origin
        assert "Authorization" in answered.headers["Access-Control-Allow-Headers"]
