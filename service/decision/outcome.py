"""The outcome of a set of facts: rows that fire, the level, what is recommended and what is withheld."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from fhir_mappings.record import Band, Order, Result, Study
from service.decision.on_file import FiledTests
from service.decision.table import FALSE, LEVELS, TRUE, Action, Facts, Row, RowAction, Table


class Wanted(NamedTuple):
    """A recommendation without its reasons, to compare outcomes by."""

    id: str
    urgent: bool
    analytes: tuple[str, ...]


# A level and what is recommended at it.
Key = tuple[str, tuple[Wanted, ...]]
Ids = tuple[str, ...]
RANK: Mapping[str, int] = {level: rank for rank, level in enumerate(LEVELS)}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing to do. analytes: the blood tests still missing. routine_order: an order of routine priority
    where an urgent one is needed."""

    id: str
    urgent: bool
    because: tuple[str, ...]
    analytes: tuple[str, ...] = ()
    paediatric: bool = False
    routine_order: Order | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """Something a row asked for that is not recommended.

    kind: "done" (a result or study answers it), "act-on" (the result is out of range: act on it, do not
    repeat it), "ordered" (pending) or "child" (for the paediatric team).
    """

    id: str
    kind: str
    because: tuple[str, ...]
    tests: tuple[str, ...] = ()
    day: date | None = None
    reference: str = ""
    priority: str | None = None


def withheld_by_order(action_id: str, tests: tuple[str, ...], order: Order, because: Ids = ()) -> Withheld:
    """Tests that are ordered already."""
    return Withheld(action_id, "ordered", because, tests, order.day, order.reference, order.priority)


def withheld_by_result(action_id: str, test: str, result: Result, because: Ids = ()) -> Withheld:
    """A test whose result is on file."""
    kind = "act-on" if result.band in (Band.OUT_OF_RANGE, Band.CRITICAL) else "done"
    return Withheld(action_id, kind, because, (test,), result.day, result.reference)


def withheld_by_study(action_id: str, study: Study, because: Ids = ()) -> Withheld:
    """A study that is done."""
    return Withheld(action_id, "done", because, (study.id,), study.day, study.reference)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision without its explanation; `key` is what two answers to a question are compared by."""

    level: str
    rows: tuple[Row, ...]
    recommendations: tuple[Recommendation, ...]
    withheld: tuple[Withheld, ...]
    key: Key = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", key_of(self.level, self.recommendations))


def key_of(level: str, recommendations: Iterable[Recommendation]) -> Key:
    return level, tuple(Wanted(r.id, r.urgent, r.analytes) for r in recommendations)


def level_of(table: Table, facts: Facts) -> tuple[tuple[Row, ...], dict[str, str]]:
    """The rows that fire, in the table's order, and the facts with those that are read last."""
    return read_last(table, [row for row in table.rows if not row.last and row.holds(facts)], facts)


def read_last(table: Table, fired: list[Row], facts: Facts) -> tuple[tuple[Row, ...], dict[str, str]]:
    """Those rows and the ones that are read after them, and the facts with what these read."""
    read = dict(facts)
    read["no-critical-row"] = FALSE if any(row.level == "critical" for row in fired) else TRUE
    quiet = all(
        row.level == "info" and not any(table.actions[action.id].is_test for action in row.actions)
        for row in fired
    )
    read["no-test-and-no-warning"] = TRUE if quiet else FALSE
    fired += [row for row in table.rows if row.last and row.holds(read)]
    return tuple(fired), read


def highest(levels: Sequence[str]) -> str:
    """The highest of the levels; "none" of nothing."""
    return max(levels, key=RANK.__getitem__, default="none")


def outcome(on_file: FiledTests, facts: Facts) -> Outcome:
    """The outcome of those facts for that record."""
    rows, read = level_of(on_file.table, facts)
    return outcome_of_rows(on_file, rows, read, demands_of(on_file.table, rows, read))


def outcome_of_rows(
    on_file: FiledTests, rows: tuple[Row, ...], read: Facts, demands: Iterable[Demand]
) -> Outcome:
    """The outcome of those rows and their demands, less what is on file or ordered.

    read: the facts with those read last.
    """
    recommendations: list[Recommendation] = []
    withheld: list[Withheld] = []
    for demand in demands:
        _add_outcome_of(on_file, read, demand, recommendations, withheld)
    return Outcome(_level(on_file, read, rows), rows, tuple(recommendations), tuple(withheld))


def _level(on_file: FiledTests, facts: Facts, rows: Sequence[Row]) -> str:
    level = highest([row.level for row in rows])
    if level != "warning":
        return level
    warning = [row for row in rows if row.level == "warning"]
    if not all(row.downgraded_when_tests_done for row in warning):
        return level
    actions = [on_file.table.actions[a.id] for row in warning for a in row.actions]
    settled = all(
        on_file.in_range_or_ordered(analyte, action, facts)
        for action in actions
        for analyte in action.analytes
    )
    return "info" if settled else level


@dataclass(frozen=True, slots=True)
class Demand:
    """An action and every fired row that asks for it. because: the ids of the rows."""

    action: Action
    rows: tuple[Row, ...]
    because: Ids
    urgent: bool
    paediatric: bool


def demands_of(table: Table, rows: Iterable[Row], facts: Facts) -> tuple[Demand, ...]:
    """What those rows ask for, in the table's order of actions."""
    asking: dict[str, list[tuple[Row, RowAction]]] = {}
    for row in rows:
        for asked in row.actions:
            if asked.condition is None or asked.condition(facts):
                asking.setdefault(asked.id, []).append((row, asked))
    return tuple(
        Demand(
            action,
            tuple(row for row, _ in asking[action_id]),
            tuple(row.id for row, _ in asking[action_id]),
            any(asked.urgent for _, asked in asking[action_id]),
            any(asked.paediatric for _, asked in asking[action_id]),
        )
        for action_id, action in table.actions.items()
        if action_id in asking
    )


def _add_outcome_of(
    on_file: FiledTests,
    facts: Facts,
    demand: Demand,
    recommendations: list[Recommendation],
    withheld: list[Withheld],
) -> None:
    action = demand.action
    if action.withheld_from_child and facts.get("child-age") == TRUE:
        withheld.append(Withheld(action.id, "child", demand.because))
        return
    if action.analytes:
        missing = [
            analyte for analyte in action.analytes if not _answered(on_file, facts, demand, analyte, withheld)
        ]
        if not missing:
            return
        routine = on_file.order_for({*missing, action.id}, action) if demand.urgent else None
        recommendations.append(
            Recommendation(action.id, demand.urgent, demand.because, tuple(missing), routine_order=routine)
        )
        return
    study = on_file.study_done(action, demand.rows, facts) if action.studies else None
    if study is not None:
        withheld.append(withheld_by_study(action.id, study, demand.because))
        return
    tests = {action.id, *action.studies}
    order = on_file.order_for(tests, action, urgent=demand.urgent) if action.ordered_days else None
    if order is not None:
        withheld.append(withheld_by_order(action.id, (action.id,), order, demand.because))
        return
    routine = on_file.order_for(tests, action) if demand.urgent and action.ordered_days else None
    recommendations.append(
        Recommendation(
            action.id,
            demand.urgent,
            demand.because,
            paediatric=demand.paediatric,
            routine_order=routine,
        )
    )


def _answered(
    on_file: FiledTests, facts: Facts, demand: Demand, analyte: str, withheld: list[Withheld]
) -> bool:
    action = demand.action
    result = on_file.answering_result(analyte, action, facts, demand.rows)
    if result is not None:
        withheld.append(withheld_by_result(action.id, analyte, result, demand.because))
        return True
    order = on_file.order_for({analyte, action.id}, action, urgent=demand.urgent)
    if order is not None:
        withheld.append(withheld_by_order(action.id, (analyte,), order, demand.because))
        return True
    return False
