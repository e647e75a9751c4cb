"""A problem that is put on the list although an examination disagrees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_mappings.record import Basis, Evidence, Finding, Record, Status
from tests.hooks.drafts import above, calm, cards, line, results
from tests.knowledge.patients import TODAY, days_ago, drug

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
    assert any("on the problem list, but examination" in card["detail"] for card in found) is expected


REFUTED = replace(LISTED, status=Status.ABSENT, text="weakness")


@pytest.mark.parametrize(
    ("found", "none", "expected"),
    [
        (0, None, True),
        (3, None, True),
        (100, None, True),
        (None, None, False),
        # examined again since
        (20, 2, False),
        (2, 20, True),
        (None, 0, False),
    ],
)
def test_what_was_found_does_not_end_by_being_refuted(
    found: int | None, none: int | None, expected: bool
) -> None:
    """A weakness examined three days ago is refuted on the list: the alarm does not end in silence."""
    examined = [
        replace(EXAMINED_ABSENT, reference=f"Observation/{status}", status=status, day=days_ago(days))
        for status, days in ((Status.PRESENT, found), (Status.ABSENT, none))
        if days is not None
    ]
    base = calm()
    before = with_weakness(base, *examined, status=Status.PRESENT, basis=Basis.EXAMINED)
    now = with_weakness(base, *examined, REFUTED, status=Status.ABSENT, basis=Basis.LISTED)
    text = "".join(card["detail"] for card in cards("new-problem", now, before))
    assert ("recorded as refuted, but present on examination" in text) is expected


def test_it_is_named_before_any_test_is_advised() -> None:
    (card,) = cards("new-problem", *hook(EXAMINED_ABSENT))
    assert card["summary"].startswith("Weakness put on the problem list, but examination found none 24 Nov")
    assert above(card)[0].startswith("1. Weakness put on the problem list")
    assert "Examine again before any test" in above(card)[0]
    assert "No tests needed" not in card["summary"] + card["detail"]
    assert "EMG" not in card["detail"]


def test_it_is_the_work_up_card_with_all_its_suggestions() -> None:
    """Potassium 3.1 on furosemide, electrolytes and TSH to order: none of it is lost."""
    now, before = hook(EXAMINED_ABSENT)
    taken, twitch = (drug("loop-diuretic", "yes"),), calm(onset_days_ago=20).twitch
    pair = [
        replace(results(r, 1, "potassium", said="low"), drugs=taken, twitch=twitch) for r in (now, before)
    ]
    (card,) = cards("new-problem", *pair)
    (work_up,) = cards("work-up", pair[0])
    assert card["indicator"] == work_up["indicator"] == "warning"
    assert card["suggestions"] == work_up["suggestions"]
    assert card["summary"].startswith(work_up["summary"].rstrip("."))
    assert card["summary"].endswith("; weakness listed, none found.")
    lines = above(card)
    assert lines[0].startswith("1. Weakness put on the problem list")
    assert any("treat it" in text for text in lines[1:])
    assert "settle" not in "".join(lines[1:])


SIGNS = ("weakness", "atrophy", "sensory-loss", "bulbar", "coordination", "upper-motor-sign", "rigidity")


@pytest.mark.parametrize("days", [0, 1])
def test_seven_contradictions_stay_on_one_short_line(days: int) -> None:
    base = calm(onset_days_ago=40)
    now, before = base, base
    for place, name in enumerate(SIGNS):
        seen = replace(EXAMINED_ABSENT, day=days_ago(days * place))
        listed = replace(LISTED, day=seen.day)
        now = with_finding(now, name, seen, listed)
        before = with_finding(before, name, seen)
    (card,) = cards("new-problem", now, before)
    lines = above(card)
    assert len(lines) <= 12
    assert sum(len(text.split()) for text in lines) <= 110
    assert "and 4 more put on the problem list" in line(card, 1)


def with_finding(record: Record, name: str, *evidence: Evidence) -> Record:
    found = Finding(name, Status.ABSENT, Basis.EXAMINED, recorded=TODAY, evidence=evidence)
    return replace(record, findings={**record.findings, name: found})


def test_of_several_only_the_first_word_has_a_capital() -> None:
    base = calm()
    seen = replace(EXAMINED_ABSENT, status=Status.PRESENT)
    refuted = replace(LISTED, status=Status.ABSENT)
    now = with_finding(with_finding(base, "weakness", EXAMINED_ABSENT, LISTED), "cramps", seen, refuted)
    before = with_finding(with_finding(base, "weakness", EXAMINED_ABSENT), "cramps", seen)
    (card,) = cards("new-problem", now, before)
    text = line(card, 1)
    assert text.startswith("Weakness put on")
    assert "; muscle cramps recorded as refuted, but present on examination" in text


def test_a_refuted_entry_against_an_examined_sign() -> None:
    seen = replace(EXAMINED_ABSENT, status=Status.PRESENT)
    refuted = replace(LISTED, status=Status.ABSENT)
    (card,) = cards("new-problem", *hook(seen, refuted))
    assert "recorded as refuted, but present on examination" in card["detail"]


@pytest.mark.parametrize(("listed", "expected"), [(2, True), (3, True), (4, True), (1, False), (None, False)])
def test_only_an_examination_that_is_not_older_than_the_entry(listed: int | None, expected: bool) -> None:
    """After an older examination the problem may be new."""
    examined = replace(EXAMINED_ABSENT, day=days_ago(2))
    entry = replace(LISTED, day=None if listed is None else days_ago(listed))
    found = cards("new-problem", *hook(examined, entry))
    assert any("on the problem list, but examination" in card["detail"] for card in found) is expected


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
    (work_up,) = cards("work-up", both[0])
    assert card["summary"].startswith(work_up["summary"].rstrip("."))
    assert card["suggestions"] == work_up["suggestions"]
