"""Remarks on draft orders: what the table adds to each draft that it is relevant to.

A medicine that would be a cause, or that worsens a result out of range; a study that nothing supports; a test
that is on file or pending; an order for blood tests that leaves out some that a row asks for. An urgent
action is no remark: every card leads with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from fhir_mappings.record import Draft, Record
from service.decision import Decision, Withheld, decide
from service.decision.draft_medicines import MedicineJudge, Moves
from service.decision.on_file import PRIORITIES, FiledTests, without_draft_orders
from service.decision.recommendations import RANK, withheld_by_order, withheld_by_study
from service.decision.remarks import Remark, classes_of, distinct, raises_potassium
from service.decision.table import BLOOD, PRESENT, ROUTINE, STUDY, TRUE, URGENT, Action, Facts, Row, Table


def drafts_matter(drafts: Iterable[Draft], table: Table) -> bool:
    """Whether the table is relevant to any of the drafts, whatever else is recorded."""
    return any(
        draft.selected
        and (
            any(row.drug_classes & classes_of(draft) for row in table.rows)
            or any(map(raises_potassium, draft.drugs))
            or any(_names(draft, action) for action in table.actions.values())
        )
        for draft in drafts
    )


def remarks_of(decision: Decision, table: Table, moves: Moves) -> tuple[Remark, ...]:
    """The remarks in the order of the drafts.

    decision: with every draft counted as ordered, so that nothing is asked for twice. moves: see
    MedicineJudge.
    """
    if not decision.open:
        return ()
    judge = _Judge(decision, table, moves)
    remarks = [judge.remark(draft) for draft in decision.record.drafts if draft.selected]
    return _each_once([remark for remark in remarks if not remark.is_empty])


def _each_once(remarks: list[Remark]) -> tuple[Remark, ...]:
    """Each content once, each analyte suggested by one remark: the first of the highest level."""
    distinct_remarks: dict[tuple[object, ...], Remark] = {}
    for remark in remarks:
        distinct_remarks.setdefault(remark.content, remark)
    remarks = list(distinct_remarks.values())
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

    def __init__(self, decision: Decision, table: Table, moves: Moves) -> None:
        self.table = table
        self.decision = decision
        self.facts: Facts = decision.facts
        self.medicines = MedicineJudge(decision, table, moves)
        self.signed = FiledTests(without_draft_orders(decision.record), table, decision.facts)
        # What the drafts leave out is named once, at the first draft that it belongs to.
        self.actions_named: set[str] = set()

    @cached_property
    def before(self) -> Decision:
        """The decision before anything was drafted."""
        return decide(undrafted(self.decision.record), self.table)

    @cached_property
    def open_orders(self) -> dict[str, frozenset[str]]:
        """Reference of an order on file -> its tests."""
        return {order.reference: order.tests for order in self.before.record.orders}

    def remark(self, draft: Draft) -> Remark:
        if draft.drugs:
            return self.medicines.remark(draft)
        remark = Remark(draft)
        for action in self.table.actions.values():
            if _names(draft, action):
                remark = (
                    self.of_study(remark, action) if action.order == STUDY else self.of_order(remark, action)
                )
        return replace(remark, answered=remark.answered or self._answered(draft))

    def of_study(self, remark: Remark, action: Action) -> Remark:
        """A study for the paediatric team, unsupported, or too early: silent where anything supports it."""
        if action.withheld_from_child and self.facts.get("child-age") == TRUE:
            return replace(remark, child=(*remark.child, action))
        if self._asking(action) or self._supports_studies():
            return remark
        if filed := self._filed(remark.draft, action):
            return replace(remark, answered=(*remark.answered, filed))
        if self.facts.get("examined-normal") == TRUE:
            return replace(remark, unsupported=(*remark.unsupported, action))
        return replace(remark, examine_first=(*remark.examine_first, action))

    def _filed(self, draft: Draft, action: Action) -> Withheld | None:
        """The same study, done or pending, where no row asks for it."""
        studies = draft.tests & {action.id, *action.studies}
        study = self.signed.study_done(action, (), self.facts)
        if study is not None and study.id in studies:
            return withheld_by_study(action.id, study)
        order = self.signed.order_for({*studies}, action)
        return None if order is None else withheld_by_order(action.id, (action.id,), order)

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
        for withheld in self.before.withheld:
            if withheld.id != action.id or {test, action.id}.isdisjoint(withheld.tests or {action.id}):
                continue
            if withheld.why == "ordered":
                # Imaging of another part is no duplicate; nor is a routine order of an urgent one.
                same = not self.open_orders.get(withheld.reference, draft.tests).isdisjoint({test, action.id})
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


def _highest_level(rows: Iterable[Row]) -> str:
    # A level that depends on the examination or on what remains ("calm") is bounded by the decision's.
    return max((row.level if row.level in RANK else "warning" for row in rows), key=RANK.__getitem__)


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
