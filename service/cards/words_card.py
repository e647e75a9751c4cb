"""The card where words may record a twitch and the rest of the entry could not be read."""

from __future__ import annotations

from typing import Any

from service.cards.card import Situation
from service.cards.escaping import escaped, plain
from service.cards.hook_card import HookCard
from service.decision import Decision

_MOST_NAMED = 3


def named_in_words(decision: Decision) -> tuple[str, ...]:
    """The references of the entries, where words alone keep the gate from being decided."""
    unread = decision.record.unread
    if decision.gate != "unread" or not all(note.in_words for note in unread):
        return ()
    return tuple(dict.fromkeys(note.reference for note in unread))


def words_card(situation: Situation, references: tuple[str, ...]) -> dict[str, Any]:
    """Name the entries by reference, never by their content."""
    card = HookCard(situation)
    some = references[:_MOST_NAMED]
    summaries = [
        card.say("open_ends.words", references=", ".join(map(plain, some))),
        card.say("open_ends.words_some", count=len(references)),
    ]
    return card.framed(
        summary=[summaries],
        level="info",
        notes=[card.say("open_ends.words_says", references=", ".join(map(escaped, some)))],
    )
