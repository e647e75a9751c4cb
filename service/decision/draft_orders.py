"""Remarks on draft orders: what the table adds to each draft that it is relevant to.

A medicine that would be a cause, or that worsens a result out of range; a study that nothing supports; a test
that is on file or pending; an order for blood tests that leaves out some that a row asks for. An urgent action
is no remark: every card leads with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from fhir_mappings.record import Draft, Drug, Plausible, Record, Result
from service.decision import Decision, Recommendation, Withheld, decide
from service.decision.on_file import PRIORITIES, FiledTests, without_draft_orders
from service.decision.recommendations import RANK
from service.decision.table import (
    BLOOD,
    FALSE,
    PRESENT,
    ROUTINE,
    STUDY,
    TRUE,
    URGENT,
    Action,
    ActionRole,
    Facts,
    Row,
    Table,
)


@dataclass(frozen=True, slots=True)
class Remark:
    """What the table says about one draft order; empty members say nothing.

    effects: rows that hold once the drafted medicine is taken and that ask to review it. results: out of
    range, read by those rows. lacking: blood tests to take before or with the medicine.
    unsupported: studies that nothing recorded supports, in a patient examined as normal.
    examine_first: the same where the examination is missing. child: studies for the paediatric team.
    answered: tests of the draft that are on file or pending. left_out: analytes of an action that a row asks
    for and that nothing orders. because: the fired rows that ask for them.
    elsewhere: analytes that another remark of the call suggests.
    """

    draft: Draft
    level: str = "info"
    effects: tuple[Row, ...] = ()
    results: tuple[Result, ...] = ()
    lacking: tuple[str, ...] = ()
    unsupported: tuple[Action, ...] = ()
    examine_first: tuple[Action, ...] = ()
    child: tuple[Action, ...] = ()
    answered: tuple[Withheld, ...] = ()
    left_out: tuple[str, ...] = ()
    because: tuple[Row, ...] = ()
    elsewhere: frozenset[str] = frozenset()

    @property
    def suggested(self) -> tuple[str, ...]:
        """The analytes that this remark suggests to order."""
        return tuple(a for a in (*self.lacking, *self.left_out) if a not in self.elsewhere)

    @property
    def is_empty(self) -> bool:
        members = self.effects, self.unsupported, self.examine_first, self.child, self.answered
        return not (any(members) or self.left_out)

    @property
    def drugs(self) -> tuple[Drug, ...]:
        """The drafted medicines that the effects are about."""
        classes = {name for row in self.effects for name in row.drug_classes}
        return tuple(drug for drug in self.draft.drugs if drug.classes & classes)


def urgent_actions(decision: Decision) -> tuple[Recommendation, ...]:
    """The actions that cannot wait and that no order of that priority covers, as the decision ranks them."""
    return tuple(made for made in decision.recommendations if made.urgency != ROUTINE)


def drafts_matter(drafts: Iterable[Draft], table: Table) -> bool:
    """Whether the table is relevant to any of the drafts, whatever else is recorded."""
    return any(
        draft.selected
        and (
            any(row.drug_classes & _classes(draft) for row in table.rows)
            or any(_names(draft, action) for action in table.actions.values())
        )
        for draft in drafts
    )


def remarks_of(decision: Decision, table: Table) -> tuple[Remark, ...]:
    """The remarks in the order of the drafts.

    decision: with every draft counted as ordered, so that nothing is asked for twice.
    """
    if not decision.open:
        return ()
    judge = _Judge(decision, table)
    remarks = [judge.remark(draft) for draft in decision.record.drafts if draft.selected]
    return _each_once([remark for remark in remarks if not remark.is_empty])


def _each_once(remarks: list[Remark]) -> tuple[Remark, ...]:
    """The remarks, each analyte suggested by one: the first of the highest level, hidden last."""
    suggested_at: dict[str, int] = {}
    for index, remark in sorted(enumerate(remarks), key=lambda pair: -RANK[pair[1].level]):
        for analyte in remark.suggested:
            suggested_at.setdefault(analyte, index)
    return tuple(
        replace(remark, elsewhere=frozenset(a for a in remark.suggested if suggested_at[a] != index))
        for index, remark in enumerate(remarks)
    )


class _Judge:
    """Judges each draft by the decision with the drafts and by the one without them."""

    def __init__(self, decision: Decision, table: Table) -> None:
        self.table = table
        self.decision = decision
        self.facts: Facts = decision.facts
        self.review = table.action_for(ActionRole.MEDICATION_REVIEW).id
        # What the drafts leave out is named once, at the first draft that it belongs to.
        self.actions_named: set[str] = set()

    @cached_property
    def before(self) -> Decision:
        """The decision before anything was drafted."""
        return decide(undrafted(self.decision.record), self.table)

    def remark(self, draft: Draft) -> Remark:
        if draft.drugs:
            return self.of_medicine(draft)
        remark = Remark(draft)
        for action in self.table.actions.values():
            if _names(draft, action):
                remark = (
                    self.of_study(remark, action) if action.order == STUDY else self.of_order(remark, action)
                )
        answered = self._answered(draft)
        return replace(remark, answered=answered) if answered else remark

    def of_medicine(self, draft: Draft) -> Remark:
        """What it does to the advice, and the blood tests that belong before it or with it."""
        taken, without = self._facts_with(draft)
        effects = tuple(
            row
            for row in self.table.rows
            if not row.last and self._reviews(row, taken) and not self._reviews(row, without)
        )
        results = self._results_behind(effects, taken, without)
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
        refuted = {d.name.casefold() for d in self.decision.record.drugs if d.plausible is Plausible.NO}
        eyelid = self.facts.get("isolated-eyelid") == TRUE
        without, taken = dict(self.facts), dict(self.facts)
        for name in _classes(draft):
            without |= {f"drug {name}": Plausible.NO.value, f"current {name}": FALSE}
            taken |= {f"drug {name}": Plausible.NO.value, f"current {name}": TRUE}
        for drug in draft.drugs:
            if not eyelid and drug.name.casefold() not in refuted:
                taken |= {f"drug {name}": Plausible.YES.value for name in drug.classes}
        return taken, without

    def _reviews(self, row: Row, facts: Facts) -> bool:
        """Whether the row holds and asks to review medicines."""
        return row.holds(facts) and any(
            asked.id == self.review and (asked.condition is None or asked.condition(facts))
            for asked in row.actions
        )

    def _results_behind(self, effects: tuple[Row, ...], taken: Facts, without: Facts) -> tuple[Result, ...]:
        """The results to act on that those rows read together with the medicine, most dangerous first."""
        analytes = {
            analyte
            for row in effects
            for term in row.terms
            if all(x.true_in(taken) for x in term) and not all(x.true_in(without) for x in term)
            for x in term
            for fact in self.table.result_facts.get(x.variable, ())
            for analyte in fact.analytes
        }
        acting = self.table.action_for(ActionRole.ACT_ON_RESULT).id
        return tuple(
            result
            for made in self.decision.recommendations
            if made.id == acting
            for result in made.results
            if self.table.counts_as.get(result.analyte, result.analyte) in analytes
        )

    def _lacking(self, draft: Draft) -> tuple[str, ...]:
        """The analytes that are neither on file nor ordered, where the class calls for them."""
        if not _classes(draft) & self.table.electrolytes_with_drafts_of:
            return ()
        if self.facts.get("isolated-eyelid") == TRUE:
            return ()
        action = self.table.action_for(ActionRole.MISSING_BLOOD_TESTS)
        on_file = FiledTests(self.decision.record, self.table, self.facts)
        return tuple(
            analyte
            for analyte in action.analytes
            if on_file.answering_result(analyte, action, (), ROUTINE) is None
            and on_file.order_for({analyte, action.id}, action) is None
        )

    def of_study(self, remark: Remark, action: Action) -> Remark:
        """A study for the paediatric team, unsupported, or too early: silent where anything supports it."""
        if action.withheld_from_child and self.facts.get("child-age") == TRUE:
            return replace(remark, child=(*remark.child, action))
        if self._asking(action) or self._supports_studies():
            return remark
        if self.facts.get("examined-normal") == TRUE:
            return replace(remark, unsupported=(*remark.unsupported, action))
        return replace(remark, examine_first=(*remark.examine_first, action))

    def _supports_studies(self) -> bool:
        """A sign on any basis, or a fired row that says so."""
        return any(self.facts.get(sign) in PRESENT for sign in self.table.signs) or any(
            row.supports_studies for row in self.decision.rows
        )

    def of_order(self, remark: Remark, action: Action) -> Remark:
        """What an order for blood tests leaves out. An urgent one leads every card and is no remark."""
        made = next((r for r in self.decision.recommendations if r.id == action.id), None)
        if (
            made is None
            or action.order != BLOOD
            or made.urgency != ROUTINE
            or action.id in self.actions_named
        ):
            return remark
        self.actions_named.add(action.id)
        asking = self._asking(action)
        level = min(_highest_level(asking), self.decision.level, key=RANK.__getitem__)
        return replace(
            remark,
            level=max(remark.level, level, key=RANK.__getitem__),
            left_out=(*remark.left_out, *made.analytes),
            because=distinct((*remark.because, *asking)),
        )

    def _answered(self, draft: Draft) -> tuple[Withheld, ...]:
        """The results and open orders that make the whole draft needless."""
        found: dict[Withheld, None] = {}
        for action in self.table.actions.values():
            for test in _tests(draft, action):
                answer = self._answer(draft, action, test)
                if answer is None:
                    return ()
                found[answer] = None
        return tuple(found)

    def _answer(self, draft: Draft, action: Action, test: str) -> Withheld | None:
        """The result, study, consultation or open order that answers this test of the draft."""
        urgent = draft.priority in PRIORITIES[URGENT]
        orders = {order.reference: order.tests for order in self.before.record.orders}
        for withheld in self.before.withheld:
            if withheld.id != action.id or {test, action.id}.isdisjoint(withheld.tests or {action.id}):
                continue
            if withheld.why == "ordered":
                # Imaging of another part is no duplicate; nor is a routine order of an urgent one.
                same = not orders.get(withheld.reference, draft.tests).isdisjoint({test, action.id})
                if same and (not urgent or withheld.priority in PRIORITIES[URGENT]):
                    return withheld
            elif withheld.why in ("done", "seen") and not urgent:
                return withheld
        return None

    def _asking(self, action: Action) -> tuple[Row, ...]:
        """The fired rows that ask for it."""
        return tuple(
            row
            for row in self.decision.rows
            if any(
                asked.id == action.id and (asked.condition is None or asked.condition(self.facts))
                for asked in row.actions
            )
        )


def undrafted(record: Record) -> Record:
    """The record before anything was drafted."""
    return replace(without_draft_orders(record), drafts=())


def distinct(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows without repeats, in their order."""
    return tuple({row.id: row for row in rows}.values())


def _highest_level(rows: Iterable[Row]) -> str:
    # A level that depends on the examination or on what remains ("calm") is bounded by the decision's.
    return max((row.level if row.level in RANK else "warning" for row in rows), key=RANK.__getitem__)


def _classes(draft: Draft) -> frozenset[str]:
    return frozenset(name for drug in draft.drugs for name in drug.classes)


def _names(draft: Draft, action: Action) -> bool:
    return not draft.tests.isdisjoint({action.id, *action.analytes, *action.studies})


def _tests(draft: Draft, action: Action) -> tuple[str, ...]:
    """What the draft asks for of an action: analytes, all of them where it names the action, else itself."""
    if not _names(draft, action):
        return ()
    if not action.analytes:
        return tuple(study for study in action.studies if study in draft.tests) or (action.id,)
    if action.id in draft.tests:
        return action.analytes
    return tuple(analyte for analyte in action.analytes if analyte in draft.tests)
