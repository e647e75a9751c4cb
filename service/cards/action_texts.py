"""Each recommendation on its own, in the words of the card."""

from __future__ import annotations

from service.cards.escaping import unescaped
from service.cards.text import capital
from service.cards.to_do import ToDo
from service.decision import Recommendation
from service.decision.table import BLOOD, STUDY, ActionRole


class ActionTexts(ToDo):
    """Writes one recommendation as plain text."""

    def of(self, made: Recommendation) -> str:
        """What to do, in full; of self-care every piece of advice."""
        if self.has(made, ActionRole.SELF_CARE):
            advice = [self.say(f"self_care.advice.{one.id}") for one in self.decision.self_care]
            return " ".join(f"{capital(text)}." for text in advice)
        # Its results are in the order of the card.
        made = next(action for action in self.actions if action.id == made.id)
        if self.table.actions[made.id].order in (BLOOD, STUDY):
            texts = [self._too_low(made, capital(", ".join(self._names_of([made]))))]
        else:
            texts = [line.full for line in self._line(made)]
        return unescaped("; ".join(texts))
