"""The work-up card: all that is advised for one patient, and why."""

from __future__ import annotations

from typing import Any

from service.cards.card import framed
from service.cards.detail import Detail
from service.cards.suggestions import Call, Suggestions
from service.cards.summary import summary_of
from service.decision import Decision
from service.knowledge import Knowledge


def cards_of(decision: Decision, knowledge: Knowledge, call: Call) -> list[dict[str, Any]]:
    """One work-up card, or none where the gate is closed. No member is null or empty."""
    if not decision.open:
        return []
    return [
        framed(
            knowledge,
            call,
            summary=summary_of(decision, knowledge),
            level=decision.level,
            detail=Detail(decision, knowledge).markdown(),
            rows=decision.rows,
            suggestions=Suggestions(decision, knowledge, call).all(),
        )
    ]
