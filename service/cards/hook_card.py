"""What the cards of the other hooks share: urgent actions first, a short part above a rule, one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from fhir_mappings.record import Result
from service.cards.card import Situation, framed
from service.cards.escaping import folded
from service.cards.suggestions import Suggestions
from service.cards.summary import fitting
from service.cards.text import action_name, capital, joined, recommendation_text, test_label
from service.decision import Decision
from service.decision.draft_orders import distinct, urgent_actions
from service.decision.outcome import RANK
from service.decision.table import Row
from service.knowledge import Knowledge

_MOST_LINES_ABOVE = 12
_LONGEST_VALUE_CHARACTERS = 12
_RULE = "---"


class HookCard:
    """Writes one card of a hook that is not the work-up card."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.decision: Decision = situation.decision
        self.knowledge: Knowledge = situation.knowledge
        self.table = situation.knowledge.table
        self.terminology = situation.knowledge.terminology
        self.wording = situation.knowledge.wording
        self.say = situation.knowledge.wording.say
        self.call = situation.call
        # What cannot wait comes before whatever the card is about.
        self.urgent = urgent_actions(self.decision)

    def framed(
        self,
        *,
        summary: Iterable[Sequence[str]],
        level: str,
        actions: Iterable[str],
        notes: Iterable[str],
        evidence: Iterable[str],
        rows: Iterable[Row],
        suggestions: Sequence[dict[str, Any]],
    ) -> dict[str, Any]:
        """The card. summary: parts, each in forms from the fullest to the shortest."""
        urgent_rows = {row for made in self.urgent for row in made.because}
        leading = [row for row in self.decision.rows if row.id in urgent_rows]
        if any(made.raises_alarm for made in self.urgent):
            level = max(level, self.decision.level, key=RANK.__getitem__)
        return framed(
            self.knowledge,
            self.call,
            summary=fitting([*self._urgent_parts(), *summary]),
            level=level,
            detail=self._detail(actions, notes, evidence),
            rows=distinct([*leading, *rows]),
            suggestions=suggestions,
        )

    def _urgent_parts(self) -> list[Sequence[str]]:
        names = [action_name(made.id, made.urgency, self.wording) for made in self.urgent]
        return [(capital(joined(names)), capital(names[0]))] if names else []

    def _detail(self, actions: Iterable[str], notes: Iterable[str], evidence: Iterable[str]) -> str:
        """Numbered actions and notes above the rule, evidence below it."""
        lines = [recommendation_text(made, self.knowledge) for made in self.urgent] + list(actions)
        above = [f"{number}. {line}" for number, line in enumerate(lines, 1)]
        notes = list(notes)[: max(_MOST_LINES_ABOVE - len(above), 0)]
        below = list(evidence)
        parts = ["\n".join(above[:_MOST_LINES_ABOVE]), "\n\n".join(notes)]
        parts += [_RULE, "\n".join(f"- {line}" for line in below)] if below else []
        return "\n\n".join(part for part in parts if part)

    def urgent_orders(self) -> Iterator[dict[str, Any]]:
        """The suggestions that order what cannot wait."""
        urgent = replace(self.decision, recommendations=self.urgent)
        yield from Suggestions(urgent, self.knowledge, self.call).orders()

    def names(self, tests: Iterable[str]) -> str:
        """Names of analytes, studies and actions."""
        return joined(test_label(test, self.terminology, self.wording) for test in tests)

    def value(self, result: Result) -> str:
        """potassium 3.1 mmol/L (21 Nov); the name alone where the value is long."""
        name = self.names([result.analyte])
        unit = result.unit or ""
        if max(len(result.text), len(unit)) > _LONGEST_VALUE_CHARACTERS:
            return name
        day = f"({self.day(result.day)})" if result.day else ""
        return " ".join(filter(None, (name, folded(result.text), folded(unit), day)))

    def day(self, day: date) -> str:
        """21 Nov; with the year where it is another one."""
        year = "" if day.year == self.decision.record.as_of.year else f" {day.year}"
        return f"{day.day} {day:%b}{year}"

    def unseen(self) -> str:
        """The lists that were not supplied."""
        lists = joined(self.say(f"unseen.{key}") for key in self.decision.record.not_seen)
        return self.say("unseen_says", lists=lists) if lists else ""
