"""What a card says of rows, actions and findings of the table, whoever the patient is.

Each phrase is made when it is first needed and then remembered, so many of each kind. It is remembered by
ids, levels and words of the table alone, never by a name, a date, a result or a reference. Where a record
fills something in, the phrase leaves a place for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import ParamSpec, TypeVar

from fhir_mappings.record import Basis, Status
from service.cards.facets import capital, joined, test_label
from service.cards.sentences import Sentences
from service.decision.outcome import RANK
from service.decision.table import FALSE, TRUE
from service.knowledge import Knowledge

# Of each kind: of a few dozen rows, actions and findings few stand together.
REMEMBERED = 1024
# Where the day goes in a phrase that has one.
DAY = "{day}"

P = ParamSpec("P")
T = TypeVar("T")


def _remembered(phrase: Callable[P, T]) -> Callable[P, T]:
    return lru_cache(maxsize=REMEMBERED)(phrase)  # type: ignore[return-value]


@lru_cache(maxsize=4)
def phrases_of(knowledge: Knowledge) -> Phrases:
    """The phrases of that knowledge. A service has one; one that tries knowledge out has two."""
    return Phrases(knowledge)


class Phrases:
    """The phrases of one knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.rows = {row.id: row for row in self.table.rows}
        self.links: Mapping[str, str] = {row.id: self.say("link", row=row.label) for row in self.table.rows}
        # The classes of medicines that a row takes as a cause.
        self.causes = frozenset(name for row in self.table.rows for name in row.drug_classes)
        columns = ("feature", "recorded", "reassuring", "evaluate")
        self.table_head = f"| {' | '.join(self.say(f'table.{column}') for column in columns)} |"
        # The rows whose phrase names a result.
        self.naming_results = frozenset(
            name for name in self.rows if "{abnormal}" in self.wording.texts.get(f"found.{name}", "")
        )
        self.sentence = _remembered(Sentences(knowledge).sentence)
        self.claims = _remembered(self._claims)
        self.found = _remembered(partial(self.found_with, ""))
        self.recommendation = _remembered(self._recommendation)
        self.short_name = _remembered(self._short_name)
        self.to_do = _remembered(self._to_do)
        self.order = _remembered(self._order)
        self.answer = _remembered(self._answer)
        self.feature = _remembered(self._feature)
        self.finding = _remembered(self._finding)

    def _claims(self, rows: tuple[str, ...]) -> tuple[str, ...]:
        """The claims that those rows rest on."""
        return tuple(sorted({claim for name in rows for claim in self.rows[name].claims}))

    def found_with(self, abnormal: str, rows: tuple[str, ...]) -> tuple[str, ...]:
        """The phrases of the summary for those rows, the worst first. abnormal: the result that they name."""
        ranked = sorted(rows, key=lambda name: -RANK[self.rows[name].level])
        said = (self.wording.maybe(f"found.{name}", abnormal=abnormal) for name in ranked)
        phrases = dict.fromkeys(phrase for phrase in said if phrase)
        # "weakness" says nothing beside "weakness and wasting, worsening".
        words = {phrase: set(phrase.replace(",", "").split()) for phrase in phrases}
        return tuple(p for p in phrases if not any(words[p] < words[other] for other in phrases))

    def _recommendation(
        self, action: str, urgent: bool, because: tuple[str, ...], analytes: tuple[str, ...], paediatric: bool
    ) -> str:
        """**Blood test: sodium, potassium** – because: muscle wasting; twitching for more than two weeks."""
        ranked = sorted(
            (row for name in because if (row := self.rows.get(name))), key=lambda row: -RANK[row.level]
        )
        labels = "; ".join(dict.fromkeys(row.label for row in ranked[:3]))
        text = self._action(action, urgent, because, analytes, paediatric)
        return f"**{text}** – {self.say('reasons', rows=labels)}"

    def _action(
        self, action: str, urgent: bool, because: tuple[str, ...], analytes: tuple[str, ...], paediatric: bool
    ) -> str:
        """The action in words, by its urgency and by who it goes to."""
        place = f"actions.{action}"
        names = joined(test_label(analyte, self.terminology, self.wording) for analyte in analytes)
        choices = []
        if paediatric:
            choices.append(f"{place}.paediatric_urgent" if urgent else f"{place}.paediatric")
        if urgent:
            choices.append(f"{place}.urgent")
        elif len(because) == 1:
            choices.append(f"{place}.for_row.{because[0]}")
        choices.append(f"{place}.says")
        return next(text for choice in choices if (text := self.wording.maybe(choice, analytes=names)))

    def _short_name(self, action: str, urgent: bool) -> str:
        """EMG; urgent neurology referral."""
        place = f"actions.{action}.short"
        return (urgent and self.wording.maybe(f"{place}_urgent")) or self.say(place)

    def _to_do(self, actions: tuple[tuple[str, bool], ...]) -> tuple[str, str]:
        """Those actions, the urgent ones first: by name, and shorter with blood tests as one phrase."""
        ranked = sorted(actions, key=lambda action: not action[1])
        names = [self.short_name(name, urgent) for name, urgent in ranked]
        blood = [self.table.actions[name].kind == "blood" for name, _ in ranked]
        today = any(urgent for (_, urgent), is_blood in zip(ranked, blood, strict=True) if is_blood)
        tests = self.say("summary.blood_today" if today else "summary.blood")
        brief = [tests if is_blood else name for name, is_blood in zip(names, blood, strict=True)]
        return joined(names), joined(brief)

    def _order(self, action: str, analytes: tuple[str, ...], paediatric: bool) -> str:
        """The label of the suggestion that orders it."""
        known = self.terminology.analytes
        names = ", ".join(known[analyte].label for analyte in analytes if analyte in known)
        label = self.wording.maybe(f"actions.{action}.order", analytes=names)
        return (paediatric and self.wording.maybe(f"actions.{action}.paediatric")) or label

    def _answer(self, finding: str, answer: str) -> str:
        """The label of the suggestion that records the answer."""
        name = capital(self.terminology.findings[finding].label)
        return self.say("question.label", finding=name, answer=self.say(f"status.{answer}"))

    def _feature(self, name: str, fact: str) -> tuple[str, str]:
        """A row of the table before and after what is recorded; the column it falls into is bold."""
        label = self.wording.maybe(f"table.rows.{name}.label")
        if label:
            reassuring = self.say(f"table.rows.{name}.reassuring")
            evaluate = self.say(f"table.rows.{name}.evaluate")
        else:
            label = capital(self.terminology.findings[name].label)
            reassuring, evaluate = self.say("status.absent"), self.say("status.present")
        reassuring = f"**{reassuring}**" if fact == FALSE else reassuring
        evaluate = f"**{evaluate}**" if fact == TRUE else evaluate
        return f"| {label} | ", f" | {reassuring} | {evaluate} |"

    def _finding(self, status: Status, basis: Basis | None, dated: bool, conflict: bool) -> str:
        """present, examined {day}; records disagree, the one shown was used."""
        says = self.say(f"status.{status.value}")
        if status is Status.UNKNOWN:
            return says
        if status is Status.PRESENT or basis is not None:
            on = self.say("table.on_date", date=DAY) if dated else ""
            place = "table.reported" if basis is Basis.REPORTED else "table.examined"
            text = self.say(place, status=says, on=on)
        else:
            text = self.say("table.status_only", status=says)
        return text + (self.say("table.conflict") if conflict else "")
