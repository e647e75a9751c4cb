"""What the cards of the other hooks share: urgent actions first, a short part above a rule, one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any

from service.cards.card import Situation, framed
from service.cards.detail import RULE, Detail
from service.cards.fitting import LIMIT_CHARACTERS, fitting
from service.cards.parts import Part, fitted, sentence
from service.cards.spans import day_month
from service.cards.suggestions import Suggestions
from service.cards.text import joined, short_result, test_label, twitch_for
from service.cards.to_do import Line, ToDo
from service.decision import Decision, Recommendation
from service.decision.recommendations import RANK
from service.decision.remarks import distinct, urgent_actions
from service.decision.table import ActionRole, Row
from service.knowledge import Knowledge


class OfRecord:
    """What every card of one call says: it depends on the record alone, and is written once."""

    def __init__(self, situation: Situation) -> None:
        self.decision: Decision = situation.decision
        self.record = situation.decision.record
        self.knowledge: Knowledge = situation.knowledge
        self.table = situation.knowledge.table
        self.terminology = situation.knowledge.terminology
        self.wording = situation.knowledge.wording
        self.say = situation.knowledge.wording.say
        # What cannot wait comes before whatever the card is about.
        self.urgent = urgent_actions(self.decision)
        self.to_do = ToDo(replace(self.decision, recommendations=self.urgent), self.knowledge)

    @cached_property
    def twitch(self) -> str:
        return twitch_for(self.record.twitch, self.record.as_of, self.wording)

    @cached_property
    def come_back(self) -> str:
        return Detail(self.decision, self.knowledge).come_back() if self.decision.open else ""

    @cached_property
    def lines(self) -> list[Line]:
        return self.to_do.lines()

    @cached_property
    def parts(self) -> list[Sequence[str]]:
        """The parts of a summary that say what cannot wait."""
        if not self.urgent:
            return []
        first = self.to_do.actions[0]
        lead = self.to_do.lead(first)
        if ActionRole.ACT_ON_RESULT not in self.table.actions[first.id].roles or not first.results:
            # As many reasons as fit: what follows is left out first.
            leads = self.to_do.leads(first)
            return [(next((text for text in leads if len(text) < LIMIT_CHARACTERS - 1), leads[-1]),)]
        worst = first.results[0]
        value = short_result(worst, self.record.as_of, self.terminology, self.wording)
        following = self.to_do.next_step(worst)
        return [(f"{value}: {following}" if following else value, f"{value}: {lead[:1].lower()}{lead[1:]}")]

    @cached_property
    def unseen(self) -> str:
        """That what decides was not seen, or is recorded in words only."""
        missing = [key for key in ("conditions", "findings") if key in self.record.not_seen]
        notes = (
            [self.say("lead.both_unseen" if len(missing) > 1 else f"lead.{missing[0]}")] if missing else []
        )
        notes += [self.say("lead.in_words")] if self.record.twitch.in_words else []
        return " ".join(notes)

    @cached_property
    def not_read(self) -> list[str]:
        """What was not supplied, and how many entries were not understood."""
        return list(self._not_read())

    def _not_read(self) -> Iterator[str]:
        lists = joined(self.say(f"unseen.{key}") for key in self.record.not_seen)
        if lists:
            yield self.say("below.unseen", lists=lists)
        references = {
            note.reference
            for note in self.record.not_understood
            if not (note.expression or "").endswith("medication")
        }
        if references:
            place = "below.not_understood_one" if len(references) == 1 else "below.not_understood"
            yield self.say(place, count=len(references))


class HookCard:
    """Writes one card of a hook that is not the work-up card. same: of the other cards of the call."""

    def __init__(self, situation: Situation, same: OfRecord | None = None) -> None:
        self.situation = situation
        self.same = same or OfRecord(situation)
        self.decision: Decision = situation.decision
        self.record = situation.decision.record
        self.knowledge: Knowledge = situation.knowledge
        self.table = situation.knowledge.table
        self.terminology = situation.knowledge.terminology
        self.wording = situation.knowledge.wording
        self.say = situation.knowledge.wording.say
        self.call = situation.call
        self.urgent = self.same.urgent
        self.to_do = self.same.to_do

    def written(self, actions: tuple[Recommendation, ...]) -> ToDo:
        """Those actions in words."""
        return ToDo(replace(self.decision, recommendations=actions), self.knowledge)

    def framed(
        self,
        *,
        summary: Iterable[Sequence[str]],
        level: str,
        actions: Iterable[Part] = (),
        notes: Iterable[str] = (),
        evidence: Iterable[str] = (),
        rows: Iterable[Row] = (),
        suggestions: Sequence[dict[str, Any]] = (),
    ) -> dict[str, Any]:
        """The card. summary: parts, each in forms from the fullest to the shortest; actions likewise."""
        because = {row for made in self.urgent for row in made.because}
        leading = [row for row in self.decision.rows if row.id in because]
        if any(made.raises_alarm for made in self.urgent):
            level = max(level, self.decision.level, key=RANK.__getitem__)
        parts = [*self.same.parts, *summary]
        parts += [(self.same.twitch, "")] if self.decision.open else []
        return framed(
            self.knowledge,
            self.call,
            summary=fitting(parts),
            level=level,
            detail=self._detail(
                list(actions),
                [*notes, *filter(None, [self.same.come_back])],
                [*evidence, *self.same.not_read],
            ),
            rows=distinct([*leading, *rows]),
            suggestions=suggestions,
            questions=self.decision.questions,
        )

    def _detail(self, actions: list[Part], notes: list[str], evidence: list[str]) -> str:
        """Numbered actions and notes above the rule, evidence below it."""
        below = [RULE, "\n".join(f"- {line}" for line in evidence)] if evidence else []
        return "\n\n".join([*fitted(self._above(actions, notes)), *below])

    def _above(self, actions: list[Part], notes: list[str]) -> Iterator[Part]:
        lines = self.same.lines
        yield Part(
            [[f"**{sentence(text)}**" for text in form] for form in self.to_do.forms(lines)],
            (6, 1, 0.5),
            True,
        )
        yield Part([list(filter(None, [self.same.unseen]))])
        yield from actions
        # The last note goes first.
        for place, note in enumerate(filter(None, notes), 2):
            yield Part([[note], []], (place,))

    def urgent_orders(self) -> Iterator[dict[str, Any]]:
        """The suggestions that order what cannot wait."""
        urgent = replace(self.decision, recommendations=self.urgent)
        yield from Suggestions(urgent, self.knowledge, self.call).orders()

    def names(self, tests: Iterable[str]) -> str:
        """Names of analytes, studies and actions."""
        return joined(test_label(test, self.terminology, self.wording) for test in tests)

    def day(self, day: date) -> str:
        """21 Nov, for the summary."""
        return day_month(day, self.record.as_of, self.wording)


def numbered(lines: Iterable[str]) -> Part:
    """Actions of one form."""
    return Part([[sentence(line) for line in lines]], (), True)
