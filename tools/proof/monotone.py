"""Monotone in danger: one finding, region, recorded condition, course or result more, or worse, at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from service.decision.facts import LAST_FEATURES
from service.decision.outcome import RANK
from service.decision.table import Table
from tools.proof.ledger import Ledger
from tools.proof.reading import Axis
from tools.proof.rows import RowTable

PROMISE = "monotone in danger"
# Section 6 excepts them: age and the length of history have no steps, and these explain a symptom away.
EXPLAINS = frozenset({"heart-failure"})


def check_steps(table: Table, axes: Iterable[Axis], truths: Sequence[RowTable], ledger: Ledger) -> None:
    """For every step up, every row that it stops must be made good by one that then certainly holds.

    Rows that do not read what the step changes hold as before, so only the operands of the row that
    stops, and the rows that read nothing else, need to be walked.
    """
    axes = tuple(axes)
    rows = [truth for truth in truths if not truth.row.last]
    owner = {name: axis for axis in axes for name in axis.variables}
    asked = 0
    for axis in axes:
        reading = [truth for truth in rows if not set(axis.variables).isdisjoint(truth.variables)]
        for low, high in axis.steps:
            before = dict(zip(axis.variables, axis.values[low], strict=True))
            after = dict(zip(axis.variables, axis.values[high], strict=True))
            for truth in reading:
                was, then = truth.where(before).holds, truth.where(after).holds
                asked += 2 * len(was)
                if axis.id in EXPLAINS:
                    if any(b > a for a, b in zip(was, then, strict=True)):
                        ledger.violate(PROMISE, truth.row.id, after, "explains a symptom away", "raises")
                elif any(a > b for a, b in zip(was, then, strict=True)):
                    asked += _made_good(table, truth, axis, (before, after), rows, owner, ledger)
    ledger.cover(
        PROMISE,
        f"{sum(len(axis.steps) for axis in axes)} steps of {sum(1 for axis in axes if axis.steps)} groups",
        asked,
        "a step changes only the rows that read its operands",
    )


def _made_good(
    table: Table,
    lost: RowTable,
    axis: Axis,
    step: tuple[Mapping[str, str], Mapping[str, str]],
    rows: Sequence[RowTable],
    owner: Mapping[str, Axis],
    ledger: Ledger,
) -> int:
    before, after = step
    others = dict.fromkeys(
        owner[name] for name in lost.variables if name not in axis.variables and name not in LAST_FEATURES
    )
    known = {name for other in (axis, *others) for name in other.variables}
    near = [truth for truth in rows if set(truth.variables) <= known]
    asked = 0
    for values in product(*(other.values for other in others)):
        rest = {
            k: v
            for o, value in zip(others, values, strict=True)
            for k, v in zip(o.variables, value, strict=True)
        }
        asked += 1
        if not lost.at({**rest, **before}) or lost.at({**rest, **after}):
            continue
        hold = [truth.row for truth in near if truth.at({**rest, **after})]
        level = max((row.level for row in hold), key=RANK.__getitem__, default="none")
        tests = {a.id for row in hold for a in row.actions if table.actions[a.id].is_test}
        wanted = {a.id for a in lost.row.actions if table.actions[a.id].is_test}
        lower = RANK[level] < RANK[lost.row.level] and lost.row.level != "info"
        if lower or not wanted <= tests:
            ledger.violate(
                PROMISE,
                lost.row.id,
                {**rest, **after},
                f"as with {', '.join(f'{k}={before[k]}' for k in before if before[k] != after[k])}:"
                f" {lost.row.level}, {sorted(wanted)}",
                f"{level}, {sorted(tests)}",
            )
    return asked
