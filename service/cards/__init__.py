"""A decision as CDS Hooks cards. Wording and codes come from the knowledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from service.cards.card import Call, Situation, framed
from service.cards.contradictions import contradiction_line, contradictions, with_contradiction
from service.cards.detail import Detail
from service.cards.discharge_card import discharge_cards
from service.cards.draft_order_card import draft_order_cards
from service.cards.suggestions import Suggestions
from service.cards.summary import summary_of
from service.cards.words_card import named_in_words, words_card
from service.decision import Decision
from service.decision.draft_orders import drafts_matter
from service.knowledge import Knowledge

__all__ = ["Call", "Situation", "cards_of", "cards_to", "matters", "named_in_words", "reads_drafts"]

Cards = list[dict[str, Any]]


def cards_to(kind: str, situation: Situation) -> Cards:
    """The cards of that kind (see hooks.yaml), none where there is nothing to say.

    An urgent action that nothing orders gets the work-up card where no other card leads with it.
    """
    undecided = bool(situation.decision.gate)
    if undecided and (words := named_in_words(situation.decision)) and matters(kind, situation):
        return [words_card(situation, words)]
    cards = _KINDS[kind](situation)
    if not cards and any(made.raises_alarm for made in situation.decision.recommendations):
        return _work_up(situation)
    return cards


def matters(kind: str, situation: Situation) -> bool:
    """Whether the cards can depend on the record: the table reads something that the context brings."""
    if reads_drafts(kind):
        return drafts_matter(situation.decision.record.drafts, situation.knowledge.table)
    return kind != "new-problem" or situation.is_read


def reads_drafts(kind: str) -> bool:
    """Whether cards of that kind are about draft orders, whatever the gate."""
    return kind == "drafts"


def cards_of(decision: Decision, knowledge: Knowledge, call: Call) -> Cards:
    """One work-up card, or none where the gate is closed."""
    if not decision.open:
        return []
    detail = Detail(decision, knowledge)
    return [_card(decision, knowledge, call, detail, summary_of(decision, knowledge, detail))]


def _card(
    decision: Decision, knowledge: Knowledge, call: Call, detail: Detail, summary: str
) -> dict[str, Any]:
    return framed(
        knowledge,
        call,
        summary=summary,
        level=decision.level,
        detail=detail.markdown(),
        rows=decision.rows,
        suggestions=Suggestions(decision, knowledge, call).all(),
        questions=decision.questions,
    )


def _work_up(situation: Situation) -> Cards:
    return cards_of(situation.decision, situation.knowledge, situation.call)


def _new_problem(situation: Situation) -> Cards:
    """The work-up card, where the problem changes what is advised or contradicts an examination.

    What contradicts is named before any test.
    """
    found = contradictions(situation)
    if not found:
        return _work_up(situation) if situation.changes_advice else []
    decision, knowledge = situation.decision, situation.knowledge
    detail = Detail(decision, knowledge, contradiction_line(found, situation))
    summary = with_contradiction(summary_of(decision, knowledge, detail), found, situation)
    return [_card(decision, knowledge, situation.call, detail, summary)]


_KINDS: Mapping[str, Callable[[Situation], Cards]] = {
    "work-up": _work_up,
    "new-problem": _new_problem,
    "drafts": draft_order_cards,
    "open-ends": discharge_cards,
}
