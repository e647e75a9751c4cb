"""A question in words: what is asked, and what each answer would change, whoever the patient is."""

from __future__ import annotations

from service.cards.facets import capital, joined, test_label
from service.decision.outcome import RANK, Key, Wanted
from service.decision.questions import Asked
from service.knowledge import Knowledge


class Sentences:
    """Writes questions as sentences."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.say = knowledge.wording.say

    def sentence(self, question: Asked, now: Key) -> str:
        """Is there weakness on examination? If present: EMG; if absent: no change.

        now: what is advised as long as nobody has answered.
        """
        if question.in_words:
            text = self.say(f"question.{question.id}")
            return f"{text} {capital(self._in_words(question, now))}."
        definition = self.terminology.findings[question.id]
        text = definition.question or f"{capital(definition.label)}?"
        return f"{text} {capital(self._yes_no(question, now))}."

    def _yes_no(self, question: Asked, now: Key) -> str:
        if question.together:
            # Against each other: what is assumed would change the advice as well.
            return self.say(
                "question.effect_together",
                others=self._assumed(question),
                what=self._change(question.absent, question.present),
            )
        return self.say(
            "question.effect",
            present=self._change(now, question.present),
            absent=self._change(now, question.absent),
        )

    def _in_words(self, question: Asked, now: Key) -> str:
        """If the tongue: urgent referral; if several regions: electrolytes; otherwise: no change."""
        before = question.absent if question.together else now
        changes: dict[str, list[str]] = {}
        for answer, after in question.answers:
            says = changes.setdefault(self._change(before, after), [])
            # "worsening" goes for "worsening, and continuous" too.
            if not any(known in answer for known in says):
                says.append(answer)
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

    def _assumed(self, question: Asked) -> str:
        return self.say("summary.and").join(self._one_assumed(*pair) for pair in question.together)

    def _one_assumed(self, group: str, answer: str) -> str:
        definition = self.terminology.findings.get(group)
        if definition is None:
            return self.say(f"question.assumed_{group}", answer=answer)
        return self.say(f"question.assumed_{answer}", finding=definition.label)

    def _change(self, before: Key, after: Key) -> str:
        """What the second outcome recommends that the first does not, else what is no longer recommended."""
        (old_level, old_wanted), (new_level, new_wanted) = before, after
        old = {wanted.id: wanted for wanted in old_wanted}
        new = {wanted.id for wanted in new_wanted}
        added = joined(
            self._added(wanted, old.get(wanted.id))
            for wanted in sorted(new_wanted, key=lambda wanted: not wanted.urgent)
        )
        gone = [name for name in old if name not in new]
        # Beside other changes it goes without saying that self-care gives way.
        gone = [name for name in gone if self.table.actions[name].is_test] or ([] if added else gone)
        names = [self.say(f"actions.{name}.short") for name in gone]
        removed = self.say("question.removed", what=self._either(names)) if names else ""
        if added or removed:
            return joined([added, removed])
        if new_level != old_level:
            higher = RANK[new_level] > RANK[old_level]
            return self.say(f"question.{'raised' if higher else 'lowered'}_{new_level}")
        return self.say("question.no_change" if after == before else "question.less")

    def _added(self, new: Wanted, old: Wanted | None) -> str:
        """Its short name if it is new or more urgent; else the analytes that it asks for as well."""
        if old is None or (new.urgent and not old.urgent):
            urgent = self.wording.maybe(f"actions.{new.id}.short_urgent") if new.urgent else ""
            return urgent or self.say(f"actions.{new.id}.short")
        more = [analyte for analyte in new.analytes if analyte not in old.analytes]
        return joined(test_label(analyte, self.terminology, self.wording) for analyte in more)
