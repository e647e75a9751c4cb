"""Remarks on draft orders, one for each that the table is relevant to.

A medicine of a class in the table; a study that no row asks for; a test that is on file or pending; an order
for electrolytes that leaves out some that a row asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from fhir_mappings.record import Band, Draft, Drug, Result
from service.decision import Decision, Recommendation, Withheld, decide
from service.decision.facts import band_today, current_results
from service.decision.on_file import URGENT_PRIORITIES, FiledTests, without_draft_orders
from service.decision.outcome import (
    RANK,
    highest,
    withheld_by_order,
    withheld_by_result,
    withheld_by_study,
)
from service.decision.questions import Question
from service.decision.table import EXAMINED, REPORTED, TRUE, Action, Facts, Row, RowRole, Table


@dataclass(frozen=True, slots=True)
class Remark:
    """What the table says about one draft order; empty members say nothing.

    level: of the rows that make it matter, else "info".
    effects: rows that take the medicine as a cause. lacking: analytes that those rows ask for and that are
    neither on file nor ordered. abnormal: relevant results out of range; disorders: those recorded
    without such a result (finding ids).
    unsupported: studies that no row asks for. child: studies that are for the paediatric team.
    answered: tests of the draft that are on file, done or pending. left_out: analytes of an action that a row
    asks for and that nothing orders. make_urgent: what is asked for is urgent, the draft is not.
    urgent: what is suggested is urgent. elsewhere: analytes that another remark of the call suggests.
    """

    draft: Draft
    level: str
    effects: tuple[Row, ...] = ()
    lacking: tuple[str, ...] = ()
    abnormal: tuple[Result, ...] = ()
    disorders: tuple[str, ...] = ()
    unsupported: tuple[Action, ...] = ()
    child: tuple[Action, ...] = ()
    answered: tuple[Withheld, ...] = ()
    left_out: tuple[str, ...] = ()
    because: tuple[Row, ...] = ()
    make_urgent: bool = False
    urgent: bool = False
    elsewhere: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """The analytes to order beside the draft, wherever that is suggested."""
        return self.left_out or self.lacking

    @property
    def suggested(self) -> tuple[str, ...]:
        """Those of them that this remark suggests."""
        return tuple(analyte for analyte in self.needed if analyte not in self.elsewhere)

    @property
    def is_empty(self) -> bool:
        members = self.effects, self.unsupported, self.child, self.answered, self.left_out
        return not (any(members) or self.make_urgent)

    @property
    def classes(self) -> frozenset[str]:
        """The classes of the drafted medicine that the rows take as a cause."""
        return _classes(self.draft) & {name for row in self.effects for name in row.drug_classes}

    @property
    def drugs(self) -> list[Drug]:
        """The drafted medicines of those classes."""
        return [drug for drug in self.draft.drugs if drug.classes & self.classes]


def drafts_matter(drafts: Iterable[Draft], table: Table) -> bool:
    """Whether the table is relevant to any of the drafts, whatever else is recorded."""
    return any(
        draft.selected and (_effects(draft, table) or any(_names(draft, a) for a in table.actions.values()))
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
    """The remarks, each analyte suggested by one of them, as urgently as any of them needs it.

    The first of the highest level suggests it: MIN_INDICATOR hides that one last.
    """
    urgent = {analyte for remark in remarks if remark.urgent for analyte in remark.needed}
    suggested_at: dict[str, int] = {}
    for index, remark in sorted(enumerate(remarks), key=lambda pair: -RANK[pair[1].level]):
        for analyte in remark.needed:
            suggested_at.setdefault(analyte, index)
    return tuple(
        replace(
            remark,
            elsewhere=tuple(analyte for analyte in remark.needed if suggested_at[analyte] != index),
            urgent=any(analyte in urgent for analyte in remark.needed if suggested_at[analyte] == index),
        )
        for index, remark in enumerate(remarks)
    )


class _Judge:
    """Judges each draft, by the record with the drafts and by the record without them."""

    def __init__(self, decision: Decision, table: Table) -> None:
        self.table = table
        self.decision = decision
        self.facts: Facts = decision.facts
        self.all_ordered = FiledTests(decision.record, table, decision.facts)
        self.signed = FiledTests(without_draft_orders(decision.record), table, decision.facts)
        # What the drafts leave out is named once, at the first draft that it belongs to.
        self.actions_named: set[str] = set()

    def remark(self, draft: Draft) -> Remark:
        if draft.drugs:
            return self.of_medicine(draft)
        actions = [action for action in self.table.actions.values() if _names(draft, action)]
        remark = self.of_studies(draft, [action for action in actions if action.kind == "study"])
        return self.of_orders(remark, [action for action in actions if action.kind != "study"])

    def of_medicine(self, draft: Draft) -> Remark:
        """What it can do, and what is missing before it."""
        effects = _effects(draft, self.table)
        blood = {
            asked.id: self.table.actions[asked.id]
            for row in effects
            for asked in row.actions
            if self.table.actions[asked.id].analytes
        }
        lacking = [
            analyte
            for action in blood.values()
            for analyte in action.analytes
            if self.all_ordered.answering_result(analyte, action, self.facts, ()) is None
            and self.all_ordered.order_for({analyte, action.id}, action) is None
        ]
        rows = self._rows_about(draft, effects)
        return Remark(
            draft,
            highest([row.level for row in (*effects, *rows)]),
            effects=effects,
            lacking=tuple(lacking),
            abnormal=self._abnormal() if rows else (),
            disorders=self._disorders() if rows else (),
            because=rows,
            urgent=any(asked.urgent for row in rows for asked in row.actions),
        )

    def _rows_about(self, draft: Draft, effects: tuple[Row, ...]) -> tuple[Row, ...]:
        """Fired rows that ask to review a medicine of its class, the urgent ones first."""
        others = {name: fact for name, fact in self.facts.items() if not name.startswith("current ")}
        taken = others | {f"current {name}": TRUE for name in _classes(draft)}
        reviewing = [
            row
            for row in self.decision.rows
            if effects and any(asked.condition and asked.condition(taken) for asked in row.actions)
        ]
        asked_for = {asked.id for row in reviewing for asked in row.actions if asked.condition is None}
        urgent = [
            row
            for row in self.decision.rows
            if RowRole.TREAT_TODAY in row.roles
            and any(asked.urgent and asked.id in asked_for for asked in row.actions)
        ]
        return distinct([*urgent, *reviewing])

    def _abnormal(self) -> tuple[Result, ...]:
        as_of = self.decision.record.as_of
        return tuple(
            result
            for analyte in self.table.electrolytes
            for result in current_results(self.decision.record, self.table, analyte)
            if band_today(result, self.table, as_of) in (Band.OUT_OF_RANGE, Band.CRITICAL)
        )

    def _disorders(self) -> tuple[str, ...]:
        seen = {self.table.counts_as.get(r.analyte, r.analyte) for r in self._abnormal()}
        return tuple(
            disorder.finding
            for disorder in self.table.disorders
            if disorder.analyte not in seen
            and self.facts.get(disorder.finding) in (EXAMINED, REPORTED)
            and self.facts.get(f"{disorder.analyte}-abnormal", TRUE) == TRUE
        )

    def of_studies(self, draft: Draft, actions: list[Action]) -> Remark:
        """Studies that are done, pending, for the paediatric team, or asked for by no row."""
        remark = Remark(draft, "info")
        for action in actions:
            tests = {action.id, *(study for study in action.studies if study in draft.tests)}
            rows = self._asking(action)
            study = self.signed.study_done(action, rows, self.facts)
            order = self.signed.order_for(tests, action, urgent=_is_urgent(draft))
            if action.withheld_from_child and self.facts.get("child-age") == TRUE:
                remark = replace(remark, child=(*remark.child, action))
            elif study is not None and study.id in draft.tests:
                done = withheld_by_study(action.id, study)
                remark = replace(remark, answered=(*remark.answered, done))
            elif order is not None:
                pending = withheld_by_order(action.id, (action.id,), order)
                remark = replace(remark, answered=(*remark.answered, pending))
            elif not rows:
                remark = replace(remark, unsupported=(*remark.unsupported, action))
        for wanted in self.decision.recommendations:
            if remark.child and wanted.paediatric:
                remark = self._with(remark, wanted)
        return remark

    def of_orders(self, remark: Remark, actions: list[Action]) -> Remark:
        """Blood tests and referrals: what is on file or pending, left out, or to be made urgent."""
        draft = remark.draft
        done: list[Withheld] = []
        pending: list[Withheld] = []
        open_tests = 0
        for action in actions:
            wanted = self._recommended(action.id)
            if wanted is not None and wanted.urgent and not _is_urgent(draft):
                remark = self._with(remark, wanted, make_urgent=True)
            if wanted is not None and action.analytes and action.id not in self.actions_named:
                self.actions_named.add(action.id)
                left_out = tuple(a for a in wanted.analytes if not self._drafted({a, action.id}))
                if left_out:
                    remark = self._with(remark, wanted, left_out=(*remark.left_out, *left_out))
            for test in _tests(draft, action):
                answer = self._answer(draft, action, test)
                if answer is None:
                    open_tests += 1
                elif answer.kind == "ordered":
                    pending.append(answer)
                else:
                    done.append(answer)
        # Results on file matter only where the whole draft is needless.
        answered = (*remark.answered, *pending, *(() if open_tests else done))
        acting = [w for w in answered if w.kind == "act-on"]
        levels = [row.level for w in acting for row in self._asking(self.table.actions[w.id])]
        return replace(remark, answered=answered, level=highest([remark.level, *levels]))

    def _answer(self, draft: Draft, action: Action, test: str) -> Withheld | None:
        """The result or open order that makes this test of the draft needless."""
        if action.analytes and not _is_urgent(draft):
            result = self.signed.answering_result(test, action, self.facts, self._asking(action))
            if result is not None:
                return withheld_by_result(action.id, test, result)
        order = self.signed.order_for({test, action.id}, action, urgent=_is_urgent(draft))
        return None if order is None else withheld_by_order(action.id, (test,), order)

    def _with(self, remark: Remark, wanted: Recommendation, **changes: Any) -> Remark:
        """The remark at the level of the rows that want it, which never exceeds that of the decision."""
        rows = [row for name in wanted.because if (row := self.table.row(name))]
        level = min(highest([row.level for row in rows]), self.decision.level, key=RANK.__getitem__)
        return replace(
            remark,
            level=highest([remark.level, level]),
            because=distinct([*remark.because, *rows]),
            urgent=remark.urgent or wanted.urgent,
            **changes,
        )

    def _recommended(self, action_id: str) -> Recommendation | None:
        return next((r for r in self.decision.recommendations if r.id == action_id), None)

    def _asking(self, action: Action) -> tuple[Row, ...]:
        """The fired rows that ask for it."""
        return tuple(
            row
            for row in self.decision.rows
            if any(
                a.id == action.id and (a.condition is None or a.condition(self.facts)) for a in row.actions
            )
        )

    def _drafted(self, tests: set[str]) -> bool:
        return any(draft.tests & tests for draft in self.decision.record.drafts)


def distinct(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows without repeats, in their order."""
    return tuple({row.id: row for row in rows}.values())


def rows_asking_for(action: Action, table: Table) -> tuple[Row, ...]:
    """All rows of the table that can ask for it."""
    return tuple(row for row in table.rows if any(asked.id == action.id for asked in row.actions))


def with_questions_for(actions: tuple[Action, ...], before: Callable[[], Decision]) -> Decision | None:
    """The decision before anything was drafted, with only the findings that would support those actions."""
    if not actions:
        return None
    undrafted = before()
    wanted = {action.id for action in actions}

    def supports(question: Question) -> bool:
        present, absent = (
            {made.id for made in answer.outcome.recommendations}
            for answer in (question.present, question.absent)
        )
        # What is asked beside an assumed sign is left out: the sign supports the action already.
        return not question.in_words and bool(wanted & (present - absent))

    questions = tuple(question for question in undrafted.questions if supports(question))
    return replace(undrafted, questions=questions) if questions else None


def undrafted(decision: Decision, table: Table) -> Decision:
    """The decision before anything was drafted."""
    return decide(replace(without_draft_orders(decision.record), drafts=()), table)


def _classes(draft: Draft) -> frozenset[str]:
    return frozenset(name for drug in draft.drugs for name in drug.classes)


def _effects(draft: Draft, table: Table) -> tuple[Row, ...]:
    return tuple(row for row in table.rows if row.drug_classes & _classes(draft))


def _names(draft: Draft, action: Action) -> bool:
    return not draft.tests.isdisjoint({action.id, *action.analytes, *action.studies})


def _tests(draft: Draft, action: Action) -> tuple[str, ...]:
    """What the draft asks for of an action: analytes, all of them where it names the action, else itself."""
    if action.id in draft.tests:
        return action.analytes or (action.id,)
    return tuple(analyte for analyte in action.analytes if analyte in draft.tests)


def _is_urgent(draft: Draft) -> bool:
    return draft.priority in URGENT_PRIORITIES
