"""A problem that is put on the list although an examination disagrees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_mappings.record import Basis, Evidence, Finding, Record, Status
from tests.hooks.drafts import above, calm, cards
from tests.knowledge.patients import TODAY, days_ago

EXAMINED_ABSENT = Evidence(
    "Observation/exam", "Observation.value", "no weakness", Status.ABSENT, Basis.EXAMINED, TODAY
)
LISTED = Evidence("Condition/new", "Condition.code", "weakness", Status.PRESENT, Basis.LISTED, TODAY)


def with_weakness(record: Record, *evidence: Evidence, status: Status, basis: Basis) -> Record:
    conflict = len({one.status for one in evidence}) > 1
    found = Finding("weakness", status, basis, conflict=conflict, recorded=TODAY, evidence=evidence)
    return replace(record, findings={**record.findings, "weakness": found})


def hook(examined: Evidence, listed: Evidence = LISTED) -> tuple[Record, Record]:
    """The record with the new problem, and without it. Of one day the examination decides."""
    base = calm()
    before = with_weakness(base, examined, status=examined.status, basis=Basis.EXAMINED)
    now = with_weakness(base, examined, listed, status=examined.status, basis=Basis.EXAMINED)
    return now, before


@pytest.mark.parametrize(
    ("examined", "expected"),
    [
        (EXAMINED_ABSENT, True),
        (replace(EXAMINED_ABSENT, day=days_ago(1)), False),
        (replace(EXAMINED_ABSENT, day=None), False),
        (replace(EXAMINED_ABSENT, basis=Basis.REPORTED), False),
        (replace(EXAMINED_ABSENT, basis=Basis.LISTED), False),
        (replace(EXAMINED_ABSENT, history=True), False),
        (replace(EXAMINED_ABSENT, status=Status.UNKNOWN), False),
        (replace(EXAMINED_ABSENT, status=Status.PRESENT), False),
    ],
)
def test_only_an_examination_that_disagrees_is_named(examined: Evidence, expected: bool) -> None:
    found = cards("new-problem", *hook(examined))
    assert any("on the problem list, but examination" in card["summary"] for card in found) is expected


def test_it_is_named_before_any_test_is_advised() -> None:
    (card,) = cards("new-problem", *hook(EXAMINED_ABSENT))
    assert card["summary"].startswith(
        "Weakness put on the problem list, but examination found none 24 Nov"
    )
    assert above(card)[0].startswith("1. Weakness put on the problem list")
    assert "Examine again before any test" in above(card)[0]
    assert "suggestions" not in card
    assert "EMG" not in card["detail"]


def test_a_refuted_entry_against_an_examined_sign() -> None:
    seen = replace(EXAMINED_ABSENT, status=Status.PRESENT)
    refuted = replace(LISTED, status=Status.ABSENT)
    (card,) = cards("new-problem", *hook(seen, refuted))
    assert "recorded as refuted, but examination found it" in card["summary"]


@pytest.mark.parametrize(("listed", "expected"), [(2, True), (3, True), (4, True), (1, False), (None, False)])
def test_only_an_examination_that_is_not_older_than_the_entry(listed: int | None, expected: bool) -> None:
    """After an older examination the problem may be new."""
    examined = replace(EXAMINED_ABSENT, day=days_ago(2))
    entry = replace(LISTED, day=None if listed is None else days_ago(listed))
    found = cards("new-problem", *hook(examined, entry))
    assert any("on the problem list, but examination" in card["summary"] for card in found) is expected


def test_an_entry_that_was_there_before_is_no_news() -> None:
    now, _ = hook(EXAMINED_ABSENT)
    assert cards("new-problem", now, now) == []


def test_an_urgent_action_comes_before_it() -> None:
    now, before = hook(EXAMINED_ABSENT)
    bulbar = Finding("bulbar", Status.PRESENT, Basis.EXAMINED, recorded=TODAY, first_examined=TODAY)
    both = [replace(r, findings={**r.findings, "bulbar": bulbar}) for r in (now, before)]
    (card,) = cards("new-problem", *both)
    assert card["indicator"] == "critical"
    assert "neurology" in above(card)[0]
    assert "Examine again" in above(card)[1]
