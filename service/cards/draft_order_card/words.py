"""Names, effects and results that the parts of a draft's card share."""

from __future__ import annotations

from fhir_mappings.record import Band, Drug, Result
from service.cards.facets import joined, result_text, study_label, test_label
from service.cards.situation import Situation
from service.decision.draft_orders import Remark, distinct, rows_asking_for
from service.decision.facts import band_today, current_results
from service.decision.table import ASK, Action, Row


class Words:
    """Words for one remark."""

    def __init__(self, remark: Remark, situation: Situation) -> None:
        self.remark = remark
        self.decision = situation.decision
        self.record = situation.decision.record
        self.knowledge = situation.knowledge
        self.table = situation.knowledge.table
        self.terminology = situation.knowledge.terminology
        self.wording = situation.knowledge.wording
        self.say = situation.knowledge.wording.say

    def effect(self, row: Row, form: str) -> str:
        """What a medicine of the row can do, in words."""
        return self.wording.maybe(f"effects.{row.id}.{form}") or self.say(
            "drafts.effect_other", row=row.label
        )

    def names(self, tests: tuple[str, ...] | list[str]) -> str:
        return joined(test_label(test, self.terminology, self.wording) for test in tests)

    def shorts(self, actions: tuple[Action, ...]) -> str:
        """MRI brain where the draft says which part, else EMG, nerve conduction."""
        return joined(
            study_label(study, self.wording)
            for action in actions
            for study in ([s for s in action.studies if s in self.remark.draft.tests] or [action.id])
        )

    def supporting(self) -> dict[str, str]:
        """What would support the study: the short phrase -> the label, one for the rows of one phrase."""
        rows = distinct(
            row for action in self.remark.unsupported for row in rows_asking_for(action, self.table)
        )
        found: dict[str, str] = {}
        for row in rows:
            phrase = self.wording.maybe(f"found.{row.id}") or row.label
            found[phrase] = min(found.get(phrase, row.label), row.label, key=len)
        return found

    def to_ask(self) -> list[str]:
        """The recommended actions that come before a study: to examine or to ask."""
        made = (recommendation.id for recommendation in self.decision.recommendations)
        return [action for action in made if self.table.actions[action].kind == ASK]

    def classes(self) -> frozenset[str]:
        return frozenset(name for row in self.remark.effects for name in row.drug_classes) & frozenset(
            name for drug in self.remark.draft.drugs for name in drug.classes
        )

    def drugs(self) -> list[Drug]:
        """The medicines of the draft that the rows are about."""
        return [drug for drug in self.remark.draft.drugs if drug.classes & self.classes()]

    def renewed(self) -> bool:
        """Whether the patient takes all of them already: nothing is begun, and nothing comes before it."""
        taken = {drug.name for drug in self.record.drugs if drug.current}
        return all(drug.name in taken for drug in self.drugs())

    def blood(self) -> tuple[Action, ...]:
        """The blood tests that the rows of the medicine ask for."""
        found = [self.table.actions[asked.id] for row in self.remark.effects for asked in row.actions]
        return tuple(dict.fromkeys(action for action in found if action.analytes))

    def done_days(self) -> int:
        return next((action.done_days for action in self.blood() if action.done_days is not None), 0)

    def results(self, tests: tuple[str, ...]) -> list[Result]:
        return [r for test in tests for r in current_results(self.record, self.table, test)]

    def band(self, result: Result) -> Band:
        return band_today(result, self.table, self.record.as_of)

    def judged(self, result: Result) -> str:
        return result_text(result, self.band(result), self.terminology, self.wording)
