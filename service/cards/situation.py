"""What a card is made of: the decision, the one without what the context brings, and the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.cards.suggestions import Call
from service.decision import Decision
from service.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class Situation:
    """before: the decision of the record without what the context brings, made only where it is asked for."""

    decision: Decision
    before: Callable[[], Decision]
    knowledge: Knowledge
    call: Call

    @property
    def is_read(self) -> bool:
        """Whether the context brings anything that makes or unmakes a finding, or may do so unread."""
        now, old = self.decision.record, self.before().record
        return (now.twitch, now.findings, now.unread) != (old.twitch, old.findings, old.unread)

    @property
    def changes_advice(self) -> bool:
        """Whether it brings a twitch, or changes what is advised about one that was there."""
        old = self.before()
        if self.decision.record.twitch != old.record.twitch:
            return True
        return _advice(self.decision) != _advice(old)


def _advice(decision: Decision) -> tuple[object, ...]:
    return (
        decision.gate,
        decision.level,
        decision.rows,
        decision.recommendations,
        decision.withheld,
        decision.self_care,
        decision.suspected,
    )
