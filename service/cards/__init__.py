"""A decision as CDS Hooks cards. Wording and codes come from the knowledge; this only puts them in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from service.cards.discharge_card import open_ends_cards
from service.cards.draft_order_card import draft_cards
from service.cards.situation import Situation
from service.cards.suggestions import Call
from service.cards.versions import written_in
from service.cards.work_up import cards_of
from service.decision.draft_orders import drafts_matter

__all__ = ["Call", "Situation", "cards_of", "cards_to", "matters"]

Cards = list[dict[str, Any]]


def cards_to(kind: str, situation: Situation) -> Cards:
    """The cards of that kind (see hooks.yaml), none where there is nothing to say."""
    version = situation.decision.record.version
    return [written_in(card, version) for card in _KINDS[kind](situation)]


def matters(kind: str, situation: Situation) -> bool:
    """Whether the answer can depend on the record: what the context brings is something the table reads."""
    if kind == "drafts":
        return drafts_matter(situation.decision.record.drafts, situation.knowledge.table)
    return kind != "new-problem" or situation.is_read


def _work_up(situation: Situation) -> Cards:
    return cards_of(situation.decision, situation.knowledge, situation.call)


def _new_problem(situation: Situation) -> Cards:
    """The work-up card, where the problem is a twitch or changes what is advised about one."""
    return _work_up(situation) if situation.changes_advice else []


_KINDS: Mapping[str, Callable[[Situation], Cards]] = {
    "work-up": _work_up,
    "new-problem": _new_problem,
    "drafts": draft_cards,
    "open-ends": open_ends_cards,
}
