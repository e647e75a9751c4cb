"""The card where words may record a twitch and the rest of the entry could not be read."""

from __future__ import annotations

import re
from typing import Any

from service.cards.card import Situation
from service.cards.escaping import escaped, folded, plain
from service.cards.hook_card import HookCard
from service.decision import Decision

_MOST_NAMED = 3
# The place of an entry in the submission: "Bundle.entry[3].resource".
_PLACE = re.compile(r"[A-Za-z.]+(\.entry)?\[\d+\](\.resource)?")


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
        card.say("open_ends.words", references=", ".join(map(_named, some))),
        card.say("open_ends.words_some", count=len(references)),
    ]
    return card.framed(
        summary=[summaries],
        level="info",
        notes=[card.say("open_ends.words_says", references=", ".join(map(escaped, some)))],
    )


def _named(reference: str) -> str:
    return folded(reference) if _PLACE.fullmatch(reference) else plain(reference)
