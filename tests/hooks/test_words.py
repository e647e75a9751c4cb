"""A twitch that words may record and whose entry could not be read: a card of level info, not 412."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_mappings.record import Note, Record, Twitch
from service.cards import named_in_words
from service.cards.text import duration
from service.decision import decide
from tests.hooks.drafts import KNOWLEDGE, TABLE, calm, cards, medicine, with_drafts
from tests.hooks.requests import Resource, bundle, call, posted
from tests.hooks.requests import cards as answered_cards
from tests.hooks.situations import problem
from tests.spec.records import condition, read

IN_WORDS = Note("Observation/t1", "value not understood", "Observation.value", in_words=True)
CODED = Note("Observation/t2", "value not understood", "Observation.value")


def unread(*notes: Note, **more: Any) -> Record:
    return replace(calm(), twitch=Twitch(), unread=notes, **more)


@pytest.mark.parametrize(
    ("notes", "not_seen", "expected"),
    [
        ((IN_WORDS,), (), ("Observation/t1",)),
        ((IN_WORDS, replace(IN_WORDS, reference="Condition/c")), (), ("Observation/t1", "Condition/c")),
        ((CODED,), (), ()),
        ((IN_WORDS, CODED), (), ()),
        ((), (), ()),
        ((IN_WORDS,), ("conditions",), ()),
    ],
)
def test_only_words_alone(notes: tuple[Note, ...], not_seen: tuple[str, ...], expected: Any) -> None:
    assert named_in_words(decide(unread(*notes, not_seen=not_seen), TABLE)) == expected


@pytest.mark.parametrize("kind", ["work-up", "new-problem", "open-ends"])
def test_the_entry_is_named_by_reference(kind: str) -> None:
    (card,) = cards(kind, unread(IN_WORDS), unread())
    assert card["summary"] == "A twitch may be recorded in words: Observation/t1."
    assert card["indicator"] == "info"
    assert "suggestions" not in card


def test_an_order_that_is_no_matter_gets_no_card_of_it() -> None:
    assert cards("drafts", unread(IN_WORDS)) == []
    assert cards("drafts", with_drafts(unread(IN_WORDS), medicine("ssri")))


def test_many_entries_are_counted() -> None:
    notes = tuple(replace(IN_WORDS, reference=f"Observation/{'x' * 60}{n}") for n in range(9))
    (card,) = cards("work-up", unread(*notes))
    assert card["summary"] == "A twitch may be recorded in words: 9 entries."


def test_a_twitch_that_is_seen_needs_no_such_card() -> None:
    seen = replace(calm(), unread=(IN_WORDS,))
    assert named_in_words(decide(seen, TABLE)) == ()


WORDS: Resource = {
    "resourceType": "Observation",
    "id": "t1",
    "status": "final",
    "code": {"text": KNOWLEDGE.terminology.findings["fasciculation"].label},
    "subject": {"reference": "Patient/v34"},
    "effectiveDateTime": "2026-06-10",
    "valueString": "left side, see the letter",
}


def only(request: Resource, *observations: Resource) -> Resource:
    """The request about a patient of whom nothing else is recorded."""
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    request["prefetch"] |= dict.fromkeys(("conditions", "findings", "examinations", "labs"), empty)
    if observations:
        entries = [{"resource": observation} for observation in observations]
        request["prefetch"]["findings"] = {**empty, "total": len(entries), "entry": entries}
    return request


def test_a_call_is_answered_with_the_card(client: FlaskClient) -> None:
    (card,) = answered_cards(client, only(call("patient-view", "v34"), WORDS))
    assert "Observation/t1" in card["summary"]
    assert "letter" not in f"{card['summary']}{card['detail']}"


def test_a_coded_twitch_whose_value_is_not_understood_is_412(client: FlaskClient) -> None:
    coded = {**WORDS, "code": problem("v34", "fasciculation")["code"]}
    assert posted(client, only(call("patient-view", "v34"), coded))[0] == 412


def test_a_new_problem_in_words_opens_the_gate(client: FlaskClient) -> None:
    added = problem("v34", "fasciculation", code={"text": "Muscle twitching"})
    request = only(call("problem-list-item-create", "v34", conditions=bundle(added)))
    (card,) = answered_cards(client, request)
    assert KNOWLEDGE.wording.say("lead.in_words") in card["detail"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, "since today (2026-11-24)"),
        (1, "since yesterday (2026-11-23)"),
        (2, "2 days (since 2026-11-22)"),
    ],
)
def test_since_is_said_once(days: int, expected: str) -> None:
    record = calm(onset_days_ago=days)
    assert duration(record.twitch, record.as_of, KNOWLEDGE.wording) == expected


@pytest.mark.parametrize("written", [{"clinicalStatus": {"text": "?"}}, {"clinicalStatus": 7}])
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("c-1.a", "Condition/c-1.a"),
        ("<img src=x onerror=alert(1)>", "Bundle.entry[1].resource"),
        ("www.evil.example/a@evil", "Bundle.entry[1].resource"),
        ("x" * 65, "Bundle.entry[1].resource"),
    ],
)
def test_an_id_that_fhir_does_not_allow_is_not_named(name: str, shown: str, written: Resource) -> None:
    unread = condition("fasciculation", id=name, code={"text": "muscle twitching"}, **written)
    assert {note.reference for note in read(unread).unread} == {shown}


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("Bundle.entry[1].resource", "Bundle.entry[1].resource"),
        ("prefetch.findings.entry[0].resource", "prefetch.findings.entry[0].resource"),
        ("Condition/www.evil", "Condition/www\u2060.evil"),
    ],
)
def test_a_place_or_an_id_is_no_link(reference: str, shown: str) -> None:
    (card,) = cards("work-up", unread(replace(IN_WORDS, reference=reference)))
    assert card["summary"] == f"A twitch may be recorded in words: {shown}."
