"""Fourth step: section 4 over what is on file. The real `outcome` against plain counting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product

from fhir_mappings.record import Record, Study
from service.decision.facts import facts_of
from service.decision.on_file import FiledTests
from service.decision.outcome import RANK, Outcome, Withheld, outcome
from service.decision.table import EXAMINED, REPORTED, TRUE, Action, Row, Table
from tools.proof.cases import AS_OF, day
from tools.proof.ledger import Ledger
from tools.proof.on_file import (
    URGENT,
    Asking,
    Ordered,
    done,
    orders_of,
    patients,
    results_of,
    still_out,
    studies_of,
)
from tools.proof.result_cases import RISING, Measured

PROMISE = "removed only by what answers it"
MONOTONE = "a worse result lowers nothing"


class Removals:
    """Each action by itself: what is on file about one action says nothing about another."""

    def __init__(self, table: Table, ledger: Ledger) -> None:
        self.table = table
        self.ledger = ledger
        self.asked = 0

    def walk(self, *, whole: bool) -> None:
        """Every action beside every patient and everything on file about it."""
        people = tuple(patients(self.table))
        for action in self.table.actions.values():
            self.asked = 0
            # What asks in nobody is asked by a result at most: one patient is enough.
            near = [asking for asking in people if whole or asking is people[0] or self.asks(asking, action)]
            for asking in near:
                if action.analytes:
                    self.blood(action, asking, whole=whole)
                else:
                    self.others(action, asking, whole=whole)
            self.ledger.cover(
                PROMISE,
                f"{action.id}: {len(near)} patients, results, orders and studies about every threshold",
                self.asked,
                "what is on file is looked up by the action's own tests"
                + ("" if whole else "; every patient, and all beside each other: --whole"),
            )

    def asks(self, asking: Asking, action: Action) -> bool:
        return bool(_asking(action, self.decided(asking.record).rows))

    def blood(self, action: Action, asking: Asking, *, whole: bool) -> None:
        """One analyte on file at a time, results beside orders; the others have nothing."""
        for analyte in action.analytes if whole else action.analytes[:1]:
            levels: dict[tuple[int, tuple[Ordered, ...]], list[tuple[int, Outcome]]] = {}
            results = list(results_of(self.table, action, asking, analyte))
            orders = list(orders_of(action, (analyte, action.id)))
            for mine, ordered in product(results, orders):
                # In the fast part results of today alone meet orders, and those alone meet results.
                if not whole and mine and ordered and (mine[0].ago != 0 or ordered[0].ago != 0):
                    continue
                found = self.outcome(asking, mine, ordered)
                self.check_blood(action, asking, analyte, mine, ordered, found)
                if len(mine) == 1 and mine[0].band in RISING and mine[0].ago is not None:
                    key = (mine[0].ago, ordered)
                    levels.setdefault(key, []).append((RISING.index(mine[0].band), found))
            for (ago, beside), risen in levels.items():
                self.check_rising(asking, f"{analyte} {ago} days ago, {beside}", risen)

    def outcome(
        self,
        asking: Asking,
        mine: Iterable[Measured],
        ordered: Iterable[Ordered],
        studies: Iterable[Study] = (),
    ) -> Outcome:
        self.asked += 1
        record = replace(
            asking.record,
            results=tuple(m.result() for m in mine),
            orders=tuple(o.order() for o in ordered),
            studies=tuple(studies),
        )
        found = self.decided(record)
        if max(len(record.results), len(record.orders), len(record.studies)) > 1:
            back = self.decided(
                replace(
                    record,
                    results=record.results[::-1],
                    orders=record.orders[::-1],
                    studies=record.studies[::-1],
                    findings=dict(reversed(list(record.findings.items()))),
                )
            )
            if found != back:
                state = {"patient": asking.name, "orders": record.orders, "studies": record.studies}
                self.ledger.violate("order-free", "outcome", state, found.withheld, back.withheld)
        self.check_promises(asking, record, found)
        return found

    def decided(self, record: Record) -> Outcome:
        facts = facts_of(record, self.table)
        return outcome(FiledTests(record, self.table, facts), facts)

    def check_promises(self, asking: Asking, record: Record, found: Outcome) -> None:
        """Section 6 of the real outcome, whatever is on file."""
        state = {"patient": asking.name, "results": record.results, "orders": record.orders}
        ids = [r.id for r in found.recommendations]
        if len(ids) != len(set(ids)):
            self.ledger.violate("nothing recommended twice", "actions", state, sorted(set(ids)), ids)
        if found.level == "critical" and not (
            any(r.urgent for r in found.recommendations)
            or any(w.kind == "ordered" and w.priority in URGENT for w in found.withheld)
        ):
            self.ledger.violate("no critical without an urgent action", "actions", state, "urgent", ids)
        asked = {a.id for row in found.rows for a in row.actions if a.condition is None}
        told = set(ids) | {w.id for w in found.withheld}
        if not asked <= told:
            self.ledger.violate(
                "nothing is removed without being named", "withheld", state, sorted(asked), sorted(told)
            )

    def check_blood(
        self,
        action: Action,
        asking: Asking,
        analyte: str,
        mine: tuple[Measured, ...],
        ordered: tuple[Ordered, ...],
        found: Outcome,
    ) -> None:
        rows = _asking(action, found.rows)
        if not rows:
            return
        state = {"patient": asking.name, "results": "; ".join(map(str, mine)), "orders": ordered}
        recommended = [r for r in found.recommendations if r.id == action.id]
        withheld = {test: w for w in found.withheld if w.id == action.id for test in w.tests}
        if self.child(asking) and action.withheld_from_child:
            kinds = {w.kind for w in found.withheld if w.id == action.id}
            if recommended or kinds != {"child"}:
                self.ledger.violate("withheld from a child", action.id, state, "child", kinds)
            return
        urgent = any(a.urgent for row in rows for a in row.actions if a.id == action.id)
        abnormal = any(still_out(self.table, m) for m in mine)
        covers = [o for o in ordered if o.counts(action) and o.test in (analyte, action.id)]
        pending = [o for o in covers if not urgent or o.priority in URGENT]
        missing = []
        for name in action.analytes:
            answered = done(
                self.table,
                action,
                asking,
                rows,
                mine if name == analyte else (),
                abnormal=abnormal and name == analyte,
            )
            waiting = [o for o in pending if o.test in (name, action.id)]
            kind = "result" if answered else "ordered" if waiting else ""
            if not kind:
                missing.append(name)
            self.check_named(action, name, kind, withheld.get(name), state)
        said = [analyte for r in recommended for analyte in r.analytes]
        if said != missing:
            self.ledger.violate(PROMISE, action.id, state, f"{missing} missing", said)
        for r in recommended:
            routine = bool([o for o in covers if o.test in (action.id, *missing)])
            if r.urgent is not urgent or (urgent and (r.routine_order is not None) is not routine):
                self.ledger.violate(
                    PROMISE, action.id, state, f"urgent: {urgent}, routine order: {routine}", r
                )

    def check_named(
        self, action: Action, name: str, kind: str, withheld: Withheld | None, state: Mapping[str, object]
    ) -> None:
        kinds = {"result": ("done", "act-on"), "ordered": ("ordered",), "": (None,)}[kind]
        said = None if withheld is None else withheld.kind
        if said not in kinds:
            self.ledger.violate(PROMISE, f"{action.id}, {name}", state, " or ".join(map(str, kinds)), said)

    def child(self, asking: Asking) -> bool:
        return facts_of(asking.record, self.table).get("child-age") == TRUE

    def check_rising(self, asking: Asking, state: str, risen: list[tuple[int, Outcome]]) -> None:
        for (low, one), (high, other) in product(risen, risen):
            if low >= high:
                continue
            given = {"patient": asking.name, "result": f"{state}: {RISING[low]} to {RISING[high]}"}
            if RANK[other.level] < RANK[one.level]:
                self.ledger.violate(MONOTONE, "level", given, f"{one.level} or higher", other.level)
            kept = {r.id for r in other.recommendations} | {w.id for w in other.withheld}
            lost = {r.id for r in one.recommendations if self.table.actions[r.id].is_test} - kept
            if lost:
                self.ledger.violate(MONOTONE, "actions", given, f"still {sorted(lost)}", sorted(kept))

    def others(self, action: Action, asking: Asking, *, whole: bool) -> None:
        """Studies, referrals and what is neither: studies beside orders."""
        signs = [None, *({0, 1, 5} if action.studies else ())]
        orders = list(orders_of(action, (action.id, *action.studies)))
        if action.ordered_days is None and not whole:
            orders = orders[:2]
        for first, studies, ordered in product(signs, studies_of(self.table, action), orders):
            if not whole and ordered and (studies or first is not None) and ordered[0].ago != 0:
                continue
            findings = {
                name: replace(found, first_examined=day(first))
                for name, found in asking.record.findings.items()
            }
            here = replace(asking, record=replace(asking.record, findings=findings))
            found = self.outcome(here, (), ordered, studies)
            rows = _asking(action, found.rows)
            if rows:
                self.check_other(action, here, first, rows, studies, ordered, found)

    def check_other(
        self,
        action: Action,
        asking: Asking,
        first: int | None,
        rows: tuple[Row, ...],
        studies: tuple[Study, ...],
        ordered: tuple[Ordered, ...],
        found: Outcome,
    ) -> None:
        state = {
            "patient": asking.name,
            "sign first examined (days ago)": first,
            "studies": studies,
            "orders": ordered,
        }
        urgent = any(a.urgent for row in rows for a in row.actions if a.id == action.id)
        tests = (action.id, *action.studies)
        days = [
            (AS_OF - study.day).days
            for study in studies
            if study.id in action.studies and study.day is not None
        ]
        young = [age for age in days if age <= self.table.thresholds.study_days]
        newer_sign = (
            first is not None and young and first < min(young) and _examined(rows, asking, self.table)
        )
        covers = [
            o for o in ordered if action.ordered_days is not None and o.counts(action) and o.test in tests
        ]
        if self.child(asking) and action.withheld_from_child:
            expected = "child"
        elif young and not newer_sign:
            expected = "done"
        elif [o for o in covers if not urgent or o.priority in URGENT]:
            expected = "ordered"
        else:
            expected = "recommended"
        said = [w.kind for w in found.withheld if w.id == action.id]
        said += ["recommended" for r in found.recommendations if r.id == action.id]
        if said != [expected]:
            self.ledger.violate(PROMISE, action.id, state, expected, said)
        for r in found.recommendations:
            if r.id == action.id and (
                r.urgent is not urgent or (r.routine_order is not None) is not bool(urgent and covers)
            ):
                self.ledger.violate(
                    PROMISE, action.id, state, f"urgent: {urgent}, routine order: {bool(covers)}", r
                )


def _asking(action: Action, rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(row for row in rows if any(a.id == action.id for a in row.actions))


def _examined(rows: Iterable[Row], asking: Asking, table: Table) -> bool:
    """Whether a row that asks reads a sign of this patient, seen or told."""
    facts = facts_of(asking.record, table)
    return any(
        literal.positive
        and literal.variable in table.signs
        and facts.get(literal.variable) in (EXAMINED, REPORTED)
        for row in rows
        for term in row.terms
        for literal in term
    )
