"""What is asked, in words: the question, and what each answer would change."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.terminology import Terminology
from service.cards.facets import capital, joined, test_label
from service.decision import Decision
from service.decision.outcome import RANK, Outcome, Recommendation
from service.decision.questions import Question, foremost
from service.decision.table import Table
from service.knowledge.wording import Wording


class Questions:
    """Writes the questions of one decision."""

    def __init__(self, decision: Decision, table: Table, terminology: Terminology, wording: Wording) -> None:
        self.decision = decision
        self.table = table
        self.terminology = terminology
        self.wording = wording
        self.say = wording.say
        self.first = foremost(decision.questions, table.thresholds.at_most_questions)

    def lines(self) -> Iterator[str]:
        """The first few as sentences, the rest by name."""
        for question in self.first:
            yield f"- {self.sentence(question)}"
        rest = joined(self.name(q) for q in self.decision.questions if q not in self.first)
        if rest:
            yield f"- {self.say('question.rest', questions=rest)}"

    def name(self, question: Question) -> str:
        """onset; muscle wasting."""
        if question.in_words:
            return self.say(f"question.name_{question.id}")
        return self.terminology.findings[question.id].label

    def sentence(self, question: Question) -> str:
        """Is there weakness on examination? If present: EMG; if absent: no change."""
        if question.in_words:
            return f"{self.say(f'question.{question.id}')} {capital(self._in_words(question))}."
        definition = self.terminology.findings[question.id]
        text = definition.question or f"{capital(definition.label)}?"
        return f"{text} {capital(self._yes_no(question))}."

    def _yes_no(self, question: Question) -> str:
        present, absent = question.present, question.absent
        if question.together:
            # Against each other: what is assumed would change the advice as well.
            return self.say(
                "question.effect_together",
                others=self._assumed(question),
                what=self._change(absent.outcome, present.outcome),
            )
        now = self._now()
        return self.say(
            "question.effect",
            present=self._change(now, present.outcome),
            absent=self._change(now, absent.outcome),
        )

    def _in_words(self, question: Question) -> str:
        """If the tongue: urgent referral; if several regions: electrolytes; otherwise: no change."""
        before = question.absent.outcome if question.together else self._now()
        changes: dict[str, list[str]] = {}
        for answer in question.answers:
            says = changes.setdefault(self._change(before, answer.outcome), [])
            # "worsening" goes for "worsening, and continuous" too.
            if not any(known in answer.says for known in says):
                says.append(answer.says)
        nothing = self.say("question.no_change")
        usual = max(changes, key=lambda change: (len(changes[change]), change == nothing))
        parts = [
            self.say("question.effect_of_answer", answer=self._either(says), what=change)
            for change, says in changes.items()
            if change != usual
        ]
        text = "; ".join([*parts, self.say("question.effect_otherwise", what=usual)])
        if not question.together:
            return text
        return self.say("question.with", others=self._assumed(question), effects=text)

    def _either(self, says: list[str]) -> str:
        *others, last = says
        return f"{joined(others)}{self.say('question.or')}{last}" if others else last

    def _assumed(self, question: Question) -> str:
        return self.say("summary.and").join(self._one_assumed(*pair) for pair in question.together)

    def _one_assumed(self, group: str, answer: str) -> str:
        definition = self.terminology.findings.get(group)
        if definition is None:
            return self.say(f"question.assumed_{group}", answer=answer)
        return self.say(f"question.assumed_{answer}", finding=definition.label)

    def _now(self) -> Outcome:
        decision = self.decision
        return Outcome(decision.level, decision.rows, decision.recommendations, decision.withheld)

    def _change(self, before: Outcome, after: Outcome) -> str:
        """What the second outcome recommends that the first does not, else what is no longer recommended."""
        old = {r.id: r for r in before.recommendations}
        new = {r.id: r for r in after.recommendations}
        added = joined(
            self._added(recommendation, old.get(recommendation.id))
            for recommendation in sorted(after.recommendations, key=lambda r: not r.urgent)
        )
        gone = [name for name in old if name not in new]
        # Beside other changes it goes without saying that self-care gives way.
        gone = [name for name in gone if self.table.actions[name].is_test] or ([] if added else gone)
        names = [self.say(f"actions.{name}.short") for name in gone]
        removed = self.say("question.removed", what=self._either(names)) if names else ""
        if added or removed:
            return joined([added, removed])
        if after.level != before.level:
            higher = RANK[after.level] > RANK[before.level]
            return self.say(f"question.{'raised' if higher else 'lowered'}_{after.level}")
        return self.say("question.no_change" if after.key == before.key else "question.less")

    def _added(self, new: Recommendation, old: Recommendation | None) -> str:
        """Its short name if it is new or more urgent; else the analytes that it asks for as well."""
        if old is None or (new.urgent and not old.urgent):
            urgent = self.wording.maybe(f"actions.{new.id}.short_urgent") if new.urgent else ""
            return urgent or self.say(f"actions.{new.id}.short")
        more = [analyte for analyte in new.analytes if analyte not in old.analytes]
        return joined(test_label(analyte, self.terminology, self.wording) for analyte in more)
