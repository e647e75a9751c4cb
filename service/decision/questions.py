"""What to ask next: which unknown finding or fact would on its own change the advice (section 5).

Each answer is tried on the basis that it will have, with everything else as recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fhir_mappings.record import Basis, Evidence, Finding, Status
from service.decision.facts import NEW_TWITCH, answered, facts_of, old_evidence
from service.decision.on_file import FiledTests
from service.decision.outcome import outcome_of
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
    return RANK[level], len(wanted), sum(URGENCY_RANK[action.urgency] for action in wanted)


class Inquiry:
    """The questions of one record."""

    def __init__(self, on_file: FiledTests, facts: Facts) -> None:
        self.on_file = on_file
        self.table: Table = on_file.table
        self.record = on_file.record
        self.facts = facts
        self.now = outcome_of(on_file, facts)
        self._forced = any(self._rests_on_weakness(made) for made in self.now.recommendations)
        self._outcomes: dict[frozenset[tuple[str, str]], Outcome] = {}

    def questions(self) -> tuple[Question, ...]:
        """All questions in the table's order, those of a card marked."""
        found = [question for asked in self.table.questions for question in self._asked(asked)]
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
            if self._is_open(asked, name)
        ]
        levels = [self.now.level]
        for present in (False, True):
            facts = self.facts
            for name in unknown:
                # "All absent (examined), and all present (examined)."
                facts = answered(self.record, self.table, facts, name, EXAMINED if present else ABSENT)
            levels.append(self._outcome(facts).level)
        return min(levels, key=RANK.__getitem__), max(levels, key=RANK.__getitem__)

    def _asked(self, asked: AskedQuestion) -> Iterator[Question]:
        if asked.answers:
            yield from self._in_words(asked)
            return
        forced = asked.always_beside_now and self._forced
        answers: list[AnswerOutcome] = []
        findings: list[str] = []
        for name in asked.findings:
            if not self._is_open(asked, name):
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
        on_card = self._may_be_on_card(asked) or old is not None or forced
        if self.now.level == "critical":
            on_card = on_card and (asked.on_critical_card or forced) and not self._asks_nothing()
        return Question(name, asked.order, findings, answers, on_card, forced, old)

    def _in_words(self, asked: AskedQuestion) -> Iterator[Question]:
        """A question whose answers set facts; an answer against what is recorded is none."""
        names = {name for answer in asked.answers for name in answer.sets}
        if all(self._is_recorded(name) for name in names):
            return
        answers = [
            AnswerOutcome(answer.says, self._outcome({**self.facts, **answer.sets}))
            for answer in asked.answers
            if all(self.facts[n] == fact for n, fact in answer.sets.items() if self._is_recorded(n))
        ]
        if len({answer.outcome.key for answer in answers}) > 1:
            yield self._question(asked, asked.id, (), tuple(answers))

    def _is_recorded(self, name: str) -> bool:
        """Whether the fact is known. That a twitch is new is not where only its first record is."""
        fact = self.facts.get(name, UNKNOWN)
        if name == NEW_TWITCH and fact == TRUE:
            return self.record.twitch.onset.earliest is not None
        return fact != UNKNOWN

    def _may_be_on_card(self, asked: AskedQuestion) -> bool:
        return asked.on_card(self.facts)

    def _asks_nothing(self) -> bool:
        """Whether every critical row is a result, a poisoning or a withdrawal."""
        critical = [row for row in self.now.rows if row.level == "critical"]
        return bool(critical) and all(row.asks_nothing(self.facts) for row in critical)

    def _is_open(self, asked: AskedQuestion, name: str) -> bool:
        """Whether the finding is unknown; a sign that was only reported absent is open to examination."""
        fact = self.facts.get(name, UNKNOWN)
        if fact == ABSENT_NOT_EXAMINED:
            return self.table.asked[name].present == EXAMINED
        return fact == UNKNOWN

    def _after(self, name: str, fact: str) -> Outcome:
        if fact in PRESENT and self._is_judged_beside(name):
            return self._rejudged(name, fact)
        return self._outcome(answered(self.record, self.table, self.facts, name, fact))

    def _is_judged_beside(self, name: str) -> bool:
        """Whether a result on file has other limits beside that finding."""
        beside = self.table.critical_beside
        return any(
            result.analyte in beside and name in beside[result.analyte].findings
            for result in self.record.results
        )

    def _rejudged(self, name: str, fact: str) -> Outcome:
        found = Finding(name, Status.PRESENT, Basis(fact), recorded=self.record.as_of)
        record = replace(self.record, findings={**self.record.findings, name: found})
        facts = answered(record, self.table, facts_of(record, self.table), name, fact)
        return outcome_of(FiledTests(record, self.table, self.facts), facts)

    def _outcome(self, facts: Facts) -> Outcome:
        changed = frozenset(item for item in facts.items() if self.facts.get(item[0], UNKNOWN) != item[1])
        if not changed:
            return self.now
        if changed not in self._outcomes:
            self._outcomes[changed] = outcome_of(self.on_file, facts, self.now)
        return self._outcomes[changed]

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
