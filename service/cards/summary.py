"""The summary of a card, under 140 characters: what to do first, then the finding that decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.cards.detail import Detail
from service.cards.fitting import LIMIT_CHARACTERS, SummaryTooLong
from service.cards.reasons import Reason
from service.cards.spans import age_of
from service.cards.text import capital, joined, short_result, together, twitch_for, twitch_phrase
from service.cards.to_do import ToDo
from service.decision import Decision, Recommendation
from service.decision.table import ActionRole, RowRole
from service.knowledge import Knowledge

_MOST_REASONS = 4


def summary_of(decision: Decision, knowledge: Knowledge, detail: Detail | None = None) -> str:
    """Plain text, such as "Examine first: calf twitch 20 days, not examined yet."

    Raises:
        SummaryTooLong: even the shortest form is too long.
    """
    return _Summary(decision, knowledge, detail or Detail(decision, knowledge)).text()


class _Summary:
    def __init__(self, decision: Decision, knowledge: Knowledge, detail: Detail) -> None:
        self.decision = decision
        self.record = decision.record
        self.as_of = decision.record.as_of
        self.table = knowledge.table
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.detail = detail
        self.to_do: ToDo = self.detail.to_do
        self.first = self.to_do.actions[0] if self.to_do.actions else None

    def text(self) -> str:
        """The fullest form that fits."""
        age = self._age()
        reasons = self._reasons()
        for lead, names in self.leads():
            facts = [reason for reason in reasons if reason.key not in names]
            for count in range(min(len(facts), _MOST_REASONS), -1, -1):
                for patient in self._patients():
                    text = self._sentence(age, lead, joined([*self._facts(facts[:count]), *patient]))
                    if len(text) < LIMIT_CHARACTERS:
                        return text
        raise SummaryTooLong

    def _sentence(self, age: str, lead: str, facts: str) -> str:
        if not facts:
            text = lead
        elif lead.endswith("?"):
            text = f"{lead} {capital(facts)}"
        else:
            text = f"{lead}{'; ' if ': ' in lead else ': '}{facts}"
        text = self.say("summary.child", age=age, rest=text) if age else text
        return text if text.endswith((".", "?")) else f"{text}."

    def _age(self) -> str:
        """Of a child the age comes first."""
        if not self.decision.has(RowRole.CHILD):
            return ""
        return age_of(self.record.patient.born, self.as_of, self.wording)

    def leads(self) -> Iterator[tuple[str, frozenset[str]]]:
        """The beginning, from the fullest form to the shortest, and the reasons that it names already."""
        made = self.to_do.made()
        if self.first is not None and self.first.in_hand and self.first.results:
            yield from self._of_result(self.first)
        elif made and not any(action.raises_alarm for action in self.decision.recommendations):
            yield capital("; ".join(made)), frozenset()
            yield capital(made[0]), frozenset()
        elif self.first is None:
            status = self.detail.status
            shown = {f"result {result.analyte}" for result in status.abnormal()[:1]}
            yield status.short(), frozenset(shown)
        elif self.to_do.has(self.first, ActionRole.ACT_ON_RESULT) and self.first.results:
            yield from self._of_result(self.first)
        elif self.to_do.has(self.first, ActionRole.EMERGENCY):
            for lead in self.to_do.leads(self.first):
                yield lead, frozenset(self.to_do.emergencies(self.first))
        else:
            drug = frozenset(f"drug {drug.name}" for drug in self.to_do.in_order(self.first.drugs)[:1])
            yield self.to_do.lead(self.first), drug

    def _of_result(self, first: Recommendation) -> Iterator[tuple[str, frozenset[str]]]:
        """Potassium 3.1 (21 Nov) on furosemide: treat it."""
        result = first.results[0]
        value, following = self.to_do.summary_result(result)
        if first.in_hand:
            following = self.to_do.repeated(result, following, short=True)
        names = set(self.to_do.keys(result))
        names |= {f"drug {drug.name}" for made in self.to_do.actions for drug in made.drugs}
        yield self.say("summary.result", value=value, next=following), frozenset(names)
        yield value, frozenset(names)
        yield short_result(result, self.as_of, self.to_do.terminology, self.wording), frozenset(names)

    def _facts(self, reasons: Sequence[Reason]) -> Iterator[str]:
        """Each fact once; medicines that are taken share one "on"."""
        taken = together([reason.taken for reason in reasons], self.wording)
        for reason in reasons:
            if not reason.taken:
                yield reason.short
            elif taken:
                yield self.say("summary.taking", drug=taken)
                taken = ""

    def _reasons(self) -> list[Reason]:
        """What decides: the facts of the rows that ask for the first action, then those of the others."""
        rows = [row for row in self.decision.rows if not row.last and RowRole.NAMED not in row.roles]
        first = set(self.first.because) if self.first else set()
        # Where nothing is left to do, what was done or ordered says why.
        others = {name for made in self.to_do.actions or self.decision.withheld for name in made.because}
        found = [
            *self.detail.reasons.of([row for row in rows if row.id in first]),
            *self.detail.reasons.of([row for row in rows if row.id in others - first]),
        ]
        return list({reason.key: reason for reason in reversed(found)}.values())[::-1]

    def _patients(self) -> Iterator[list[str]]:
        """The twitch and the examination, from the fullest form to the shortest."""
        twitch = twitch_for(self.record.twitch, self.as_of, self.wording)
        examination = self.detail.examination()
        yield [twitch, examination]
        brief = twitch_phrase(self.record.twitch, self.wording)
        yield [brief, examination]
        yield [brief]
        yield []
