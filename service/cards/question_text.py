"""What is asked, in words: the line on the card, and each question with what its answers would change."""

from __future__ import annotations

from fhir_mappings.record import Evidence
from service.cards.spans import recorded_as, recorded_how
from service.cards.text import action_name, capital, finding_name, joined, together
from service.decision import Decision
from service.decision.questions import Question
from service.decision.recommendations import Outcome, key_of
from service.decision.table import LEVELS, ActionRole
from service.knowledge import Knowledge

_RANK = {level: rank for rank, level in enumerate(LEVELS)}


class Questions:
    """The questions of one decision in words."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.decision = decision
        self.questions = decision.questions
        self.knowledge = knowledge
        self.findings = knowledge.terminology.findings
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        examination = knowledge.table.action_for(ActionRole.EXAMINATION).id
        # What is to be examined is an action where it is one, and no question.
        self._examines = examination in [made.id for made in decision.recommendations]
        self._asked_by_rows = self._of_rows()
        self.first = self._first()

    def _first(self) -> tuple[Question, ...]:
        """The questions of the card in their order, at most three lines: old records come before others."""
        asked = [question for question in self.questions if question.on_card or question.forced]
        asked.sort(key=lambda question: question.order)
        room = self.knowledge.table.thresholds.at_most_questions - len(self._asked_by_rows)
        kept: set[str] = set()
        for question in sorted(asked, key=lambda question: not (question.forced or question.old)):
            if self._is_action(question):
                kept.add(question.id)
            elif room > 0:
                kept.add(question.id)
                room -= 1
        return tuple(question for question in asked if question.id in kept)

    def _is_action(self, question: Question) -> bool:
        return self._examines and question.old is None and self.examines(question)

    def name(self, question: Question) -> str:
        """onset; wasting."""
        if question.in_words:
            return self.wording.maybe(f"question.name_{question.id}") or question.id.replace("-", " ")
        return joined(self._finding(name) for name in question.findings)

    def on_card(self) -> list[str]:
        """The questions of the card's one line."""
        asked = list(self._asked_by_rows)
        for question in self.first:
            if question.old is not None:
                asked.append(self._about_old(question, question.old))
            elif question.in_words:
                asked.append(self.wording.maybe(f"ask.{question.id}") or f"{self.name(question)}?")
            elif self._is_action(question):
                continue
            elif self.examines(question):
                what = together([self.examined(name) for name in question.findings], self.wording)
                asked.append(self.say("ask.examine", what=what))
            else:
                asked.append(self._asked(question))
        return list(dict.fromkeys(asked))

    def _of_rows(self) -> list[str]:
        """What a fired row asks about the findings that it wants examined."""
        examination = self.knowledge.table.action_for(ActionRole.EXAMINATION).id
        record, texts = self.decision.record, []
        for row in self.decision.rows:
            place = f"ask_of_row.{row.id}"
            for made in row.actions if place in self.wording.texts else ():
                for name in made.findings if made.id == examination else ():
                    when = recorded_how(record.finding(name), record.as_of, self.wording)
                    texts.append(self.say(place, finding=self._finding(name), when=when))
        return texts

    def examines(self, question: Question) -> bool:
        """Whether the question is answered by examining the signs that "examination normal" rests on."""
        return not set(self.knowledge.table.benign_signs).isdisjoint(question.findings)

    def examined(self, name: str) -> str:
        """What is examined for that finding: "strength"."""
        return self.wording.maybe(f"examine.{name}") or self._finding(name)

    def _asked(self, question: Question) -> str:
        """Speech or swallowing difficulty?"""
        names = question.findings
        place = f"ask.{names[0] if len(names) == 1 else question.id}"
        name = self._either([self._finding(name) for name in names])
        return self.wording.maybe(place) or self.say("ask.other", finding=name)

    def _about_old(self, question: Question, old: Evidence) -> str:
        name = question.findings[0] if question.findings else question.id
        when = recorded_as(old.basis, old.day, self.decision.record.as_of, self.wording)
        return self.say("ask.old", finding=self._finding(name), when=when)

    def _finding(self, name: str) -> str:
        return finding_name(name, self.knowledge.terminology, self.wording)

    def sentence(self, question: Question) -> str:
        """Is there weakness on examination? If present: EMG; if absent: no change."""
        if question.in_words:
            text = self.wording.maybe(f"question.{question.id}") or f"{capital(self.name(question))}?"
            return f"{text} {capital(self._effects_of_answers(question))}."
        definition = self.findings.get(question.findings[0]) if len(question.findings) == 1 else None
        asked = definition.question if definition else None
        text = asked or f"{capital(self.name(question))}?"
        present, absent = question.answers[0].outcome, question.answers[-1].outcome
        effect = self.say("question.effect", present=self._change(present), absent=self._change(absent))
        return f"{text} {capital(effect)}."

    def _effects_of_answers(self, question: Question) -> str:
        """If the tongue: urgent referral; if several regions: electrolytes; otherwise: no change."""
        changes: dict[str, list[str]] = {}
        for answer in question.answers:
            answers = changes.setdefault(self._change(answer.outcome), [])
            # "worsening" covers "worsening, and continuous" too.
            if not any(shorter in answer.says for shorter in answers):
                answers.append(answer.says)
        nothing = self.say("question.no_change")
        usual = max(changes, key=lambda change: (len(changes[change]), change == nothing))
        parts = [
            self.say("question.effect_of_answer", answer=self._either(answers), what=change)
            for change, answers in changes.items()
            if change != usual
        ]
        return "; ".join([*parts, self.say("question.effect_otherwise", what=usual)])

    def _either(self, names: list[str]) -> str:
        *others, last = names
        return f"{joined(others)}{self.say('question.or')}{last}" if others else last

    def _change(self, after: Outcome) -> str:
        """What the outcome recommends that the decision does not, else what is no longer recommended."""
        decision = self.decision
        old = {made.id: made for made in decision.recommendations}
        added = joined(
            action_name(made.id, made.urgency, self.wording)
            for made in after.recommendations
            if made.id not in old or made.urgency != old[made.id].urgency
        )
        new = {made.id for made in after.recommendations}
        gone = [name for name in old if name not in new]
        # Beside other changes only tests that fall away are named, not self-care.
        tests = [name for name in gone if self.knowledge.table.actions[name].is_test]
        names = [self.say(f"actions.{name}.short") for name in tests or ([] if added else gone)]
        removed = self.say("question.removed", what=self._either(names)) if names else ""
        if added or removed:
            return joined([added, removed])
        if after.level != decision.level:
            higher = _RANK[after.level] > _RANK[decision.level]
            return self.say(f"question.{'raised' if higher else 'lowered'}_{after.level}")
        same = after.key == key_of(decision.level, decision.recommendations)
        return self.say("question.no_change" if same else "question.less")
