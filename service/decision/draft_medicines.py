"""Remarks on draft medicines: a possible cause, or what worsens a result out of range."""

from __future__ import annotations

from collections.abc import Callable

from fhir_mappings.record import Draft, Drug, Plausible, Result
from service.decision import Decision
from service.decision.facts import POTASSIUM_RAISING
from service.decision.on_file import FiledTests
from service.decision.remarks import Remark, classes_of, raises_potassium, urgent_actions
from service.decision.table import FALSE, ROUTINE, TRUE, ActionRole, Facts, Row, Table, true_terms

Moves = Callable[[Drug, Result], bool]


class MedicineJudge:
    """Judges draft medicines by what they would change of the rows that ask to review one.

    moves: whether a medicine can move an analyte to the side where a result is out of range. What is not
    taken yet explains no result, and is named beside one only if it moves it further.
    """

    def __init__(self, decision: Decision, table: Table, moves: Moves) -> None:
        self.decision = decision
        self.moves = moves
        self.table = table
        self.facts: Facts = decision.facts
        self.on_file = FiledTests(decision.record, table, decision.facts)
        self.review = table.action_for(ActionRole.MEDICATION_REVIEW).id
        self.refuted = {d.name.casefold() for d in decision.record.drugs if d.plausible is Plausible.NO}

    def remark(self, draft: Draft) -> Remark:
        """What it does to the advice, and the blood tests that belong before it or with it."""
        taken, without = self._facts_with(draft)
        effects = tuple(
            row
            for row in self.table.rows
            if not row.last and self._reviews(row, taken) and self._adds(row, taken, without)
        )
        results = self._results_moved(draft)
        if results:
            # It counts beside such a result whatever its timing.
            effects = effects or tuple(row for row in self.table.rows if self._is_read_by(row, draft))
        else:
            effects = tuple(row for row in effects if not self._reads_results(row))
        return Remark(
            draft,
            level="warning" if results else "info",
            effects=effects,
            results=results,
            lacking=self._lacking(draft) if effects else (),
        )

    def _facts_with(self, draft: Draft) -> tuple[Facts, Facts]:
        """The facts with the drafted medicine taken, and without any medicine of its classes.

        The timing of the same medicine on file counts for the draft too. For an isolated eyelid no medicine
        is looked for as a cause.
        """
        eyelid = self.facts.get("isolated-eyelid") == TRUE
        without, taken = dict(self.facts), dict(self.facts)
        for name in classes_of(draft):
            without |= {f"drug {name}": Plausible.NO.value, f"current {name}": FALSE}
            taken |= {f"drug {name}": Plausible.NO.value, f"current {name}": TRUE}
        if any(raises_potassium(drug) for drug in draft.drugs):
            without[POTASSIUM_RAISING], taken[POTASSIUM_RAISING] = FALSE, TRUE
        for drug in draft.drugs:
            if not eyelid and drug.name.casefold() not in self.refuted:
                taken |= {f"drug {name}": Plausible.YES.value for name in drug.classes}
        return taken, without

    def _reviews(self, row: Row, facts: Facts) -> bool:
        """Whether the row holds and asks to review medicines."""
        return bool(true_terms(row.terms, facts)) and any(
            asked.id == self.review and (asked.condition is None or asked.condition(facts))
            for asked in row.actions
        )

    def _adds(self, row: Row, taken: Facts, without: Facts) -> bool:
        """Whether the draft is a reason of its own for the row, beside what is in use already."""
        return not all(true_terms((term,), without) for term in true_terms(row.terms, taken))

    def _is_read_by(self, row: Row, draft: Draft) -> bool:
        asked = {made.id for made in row.actions}
        return not row.last and self.review in asked and bool(row.drug_classes & classes_of(draft))

    def _reads_results(self, row: Row) -> bool:
        return any(x.variable in self.table.result_facts for term in row.terms for x in term)

    def _results_moved(self, draft: Draft) -> tuple[Result, ...]:
        """The results to act on that the medicine moves further, most dangerous first."""
        acting = self.table.action_for(ActionRole.ACT_ON_RESULT).id
        return tuple(
            result
            for made in self.decision.recommendations
            if made.id == acting
            for result in made.results
            if any(self.moves(drug, result) for drug in draft.drugs)
        )

    def _lacking(self, draft: Draft) -> tuple[str, ...]:
        """The analytes that the class calls for and that are neither on file, ordered nor asked for today."""
        if not classes_of(draft) & self.table.electrolytes_with_drafts_of:
            return ()
        if self.facts.get("isolated-eyelid") == TRUE:
            return ()
        action = self.table.action_for(ActionRole.MISSING_BLOOD_TESTS)
        urgent = {analyte for made in urgent_actions(self.decision) for analyte in made.analytes}
        return tuple(
            analyte
            for analyte in action.analytes
            if analyte not in urgent
            and self.on_file.answering_result(analyte, action, (), ROUTINE) is None
            and self.on_file.order_for({analyte, action.id}, action) is None
        )
