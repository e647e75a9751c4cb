"""What to ask next: which unknown finding or fact would on its own change the advice (section 5).

Each answer is tried on the basis that it will have, with everything else as recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fhir_mappings.record import Basis, Evidence, Finding, Status
from service.decision.facts import NEW_TWITCH, answered, facts_of, old_evidence
from service.decision.on_file import FiledTests
from service.decision.outcome import outcome_after, outcome_of
from service.decision.recommendations import RANK, URGENCY_RANK, Outcome, Recommendation
from service.decision.table import (
    ABSENT,
    ABSENT_NOT_EXAMINED,
    EXAMINED,
    NOW,
    PRESENT,
    TRUE,
    UNKNOWN,
    ActionRole,
    AskedQuestion,
    Facts,
    Table,
)


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """An answer to a question and where it leads. finding: "" of an answer in words; present: None then."""

    says: str
    outcome: Outcome
    finding: str = ""
    present: bool | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answers lead to different advice.

    order: the lowest is asked first. findings: that it asks about; none where it is answered in words.
    on_card: it is put on a card, not in the assessment alone. forced: asked whatever it changes, because a
    referral for today rests on it. old: the record, too old to count, that it asks about.
    """

    id: str
    order: int
    findings: tuple[str, ...]
    answers: tuple[AnswerOutcome, ...]
    on_card: bool = False
    forced: bool = False
    old: Evidence | None = None

    @property
    def in_words(self) -> bool:
        return not self.findings

    @property
    def level(self) -> str:
        """The highest level that an answer can lead to."""
        return max((answer.outcome.level for answer in self.answers), key=RANK.__getitem__)

    @property
    def highest(self) -> AnswerOutcome:
        """The answer that leads highest."""
        return max(self.answers, key=_weight)

    @property
    def lowest(self) -> AnswerOutcome:
        """The answer that leads lowest."""
        return min(self.answers, key=_weight)


def _weight(answer: AnswerOutcome) -> tuple[int, int, int]:
    level, wanted = answer.outcome.key
    return RANK[level], len(wanted), sum(URGENCY_RANK[urgency] for _, urgency, _ in wanted)


class Inquiry:
    """The questions of one record."""

    def __init__(self, on_file: FiledTests, facts: Facts) -> None:
        self.on_file = on_file
        self.table: Table = on_file.table
        self.record = on_file.record
        self.facts = facts
        self.now = outcome_of(on_file, facts)
        self._forced = any(map(self._rests_on_weakness, self.now.recommendations))
        self._recorded = self._facts_recorded()
        self._open = self._findings_open()
        self._judged_beside = self._findings_judged_beside()

    def questions(self) -> tuple[Question, ...]:
        """All questions in the table's order, those of a card marked."""
        found: list[Question] = []
        for asked in self.table.questions:
            found += self._in_words(asked) if asked.answers else self._asked(asked)
        found.sort(key=lambda question: question.order)
        # "Whatever its order": what must stand on the card takes its place before the others.
        first = sorted(found, key=lambda question: (not (question.forced or question.old), question.order))
        orders = list(dict.fromkeys(question.order for question in first if question.on_card))
        kept = frozenset(orders[: self.table.thresholds.at_most_questions])
        return tuple(
            replace(question, on_card=question.on_card and question.order in kept) for question in found
        )

    def span(self) -> tuple[str, str]:
        """Lowest and highest of today's level and of the unknown signs all absent and all present."""
        unknown = [
            name
            for asked in self.table.questions
            if asked.in_range
            for name in asked.findings
            if name in self._open
        ]
        # "All absent (examined), and all present (examined)."
        levels = [self.now.level]
        levels += [self._with(dict.fromkeys(unknown, fact)).level for fact in (ABSENT, EXAMINED)]
        return min(levels, key=RANK.__getitem__), max(levels, key=RANK.__getitem__)

    def _asked(self, asked: AskedQuestion) -> Iterator[Question]:
        forced = asked.always_beside_now and self._forced
        answers: list[AnswerOutcome] = []
        findings: list[str] = []
        for name in asked.findings:
            if name not in self._open:
                continue
            given = self.table.asked[name]
            pair = (
                AnswerOutcome("present", self._after(name, given.present), name, True),
                AnswerOutcome("absent", self._after(name, given.absent), name, False),
            )
            if forced or pair[0].outcome.key != pair[1].outcome.key:
                findings.append(name)
                answers += pair
        # Each old record has a question of its own, which names it.
        for name in list(findings):
            old = old_evidence(self.record.finding(name))
            if old is not None:
                own = tuple(answer for answer in answers if answer.finding == name)
                if asked.order > 1:
                    findings.remove(name)
                    answers = [answer for answer in answers if answer.finding != name]
                yield self._question(asked, name, (name,), own, forced, old)
        if findings:
            yield self._question(asked, asked.id, tuple(findings), tuple(answers), forced)

    def _question(
        self,
        asked: AskedQuestion,
        name: str,
        findings: tuple[str, ...],
        answers: tuple[AnswerOutcome, ...],
        forced: bool = False,
        old: Evidence | None = None,
    ) -> Question:
        on_card = asked.on_card(self.facts) or old is not None or forced
        if self.now.level == "critical":
            on_card = on_card and (asked.on_critical_card or forced) and not self._asks_nothing()
        return Question(name, asked.order, findings, answers, on_card, forced, old)

    def _in_words(self, asked: AskedQuestion) -> Iterator[Question]:
        """A question whose answers set facts; an answer against what is recorded is none."""
        if asked.sets <= self._recorded:
            return
        answers = [
            AnswerOutcome(answer.says, outcome_after(self.on_file, answer.sets, self.now))
            for answer in asked.answers
            if not self._recorded.intersection(dict(answer.sets.items() - self.facts.items()))
        ]
        if len({answer.outcome.key for answer in answers}) > 1:
            yield self._question(asked, asked.id, (), tuple(answers))

    def _facts_recorded(self) -> set[str]:
        """The facts that are known. That a twitch is new is not where only its first record is."""
        recorded = {name for name, fact in self.facts.items() if fact != UNKNOWN}
        if self.facts[NEW_TWITCH] == TRUE and self.record.twitch.onset.earliest is None:
            recorded.remove(NEW_TWITCH)
        return recorded

    def _asks_nothing(self) -> bool:
        """Whether every critical row is a result, a poisoning or a withdrawal."""
        critical = [row for row in self.now.rows if row.level == "critical"]
        return bool(critical) and all(row.asks_nothing(self.facts) for row in critical)

    def _findings_open(self) -> set[str]:
        """The findings that are unknown; a sign that was only reported absent is open to examination."""
        facts, asked = self.facts, self.table.asked
        return {
            name
            for name in self.table.asked_findings
            if (fact := facts.get(name, UNKNOWN)) == UNKNOWN
            or (fact == ABSENT_NOT_EXAMINED and asked[name].present == EXAMINED)
        }

    def _after(self, name: str, fact: str) -> Outcome:
        if fact in PRESENT and name in self._judged_beside:
            return self._rejudged(name, fact)
        return self._with({name: fact})

    def _with(self, answers: Facts) -> Outcome:
        """The outcome with those answers of today."""
        changed = answered(self.record, self.table, self.facts, answers)
        return outcome_after(self.on_file, changed, self.now)

    def _findings_judged_beside(self) -> set[str]:
        """The findings beside which a result on file has other limits."""
        beside = self.table.critical_beside
        measured = {result.analyte for result in self.record.results} & beside.keys()
        return {name for analyte in measured for name in beside[analyte].findings}

    def _rejudged(self, name: str, fact: str) -> Outcome:
        found = Finding(name, Status.PRESENT, Basis(fact), recorded=self.record.as_of)
        record = replace(self.record, findings={**self.record.findings, name: found})
        facts = facts_of(record, self.table)
        facts |= answered(record, self.table, facts, {name: fact})
        return outcome_of(FiledTests(record, self.table, self.facts), facts)

    def _rests_on_weakness(self, made: Recommendation) -> bool:
        """Whether it is a referral for today because of a weakness."""
        action = self.table.actions[made.id]
        if made.urgency != NOW or ActionRole.REFERRAL not in action.roles:
            return False
        rows = (self.table.row(name) for name in made.because)
        return self.facts.get("weakness") in PRESENT and any(
            row is not None and row.level == "critical" and "weakness" in row.reads for row in rows
        )


def on_card(questions: Iterable[Question]) -> tuple[Question, ...]:
    """The questions of a card."""
    return tuple(question for question in questions if question.on_card)
