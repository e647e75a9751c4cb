"""Twitching for long and nothing else: the one warning that tests in range lower to info."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from fhir_mappings.record import Band
from service.decision.facts import facts_of
from service.decision.on_file import FiledTests
from service.decision.outcome import RANK, Outcome, outcome
from service.decision.table import Action, Table
from tools.proof.ledger import Ledger
from tools.proof.on_file import Asking, Ordered, patients
from tools.proof.result_cases import OUT, Measured

PROMISE = "only tests in range or ordered lower a warning, and only of duration"


@dataclass(frozen=True, slots=True)
class OnFile:
    """What is on file about one analyte. settled: in range or ordered. rises: the next worse, by name."""

    name: str
    results: tuple[Measured, ...] = ()
    orders: tuple[Ordered, ...] = ()
    settled: bool = False
    out: bool = False


def check_duration(table: Table, ledger: Ledger, *, whole: bool) -> None:
    """Both rows of duration, every analyte they ask for in every state."""
    lowered = {row.id for row in table.rows if row.downgraded_when_tests_done}
    asked = 0
    for asking in patients(table):
        fired = {row.id for row in _decided(table, asking, ()).rows if row.level == "warning"}
        if not fired or not fired <= lowered:
            continue
        actions = [table.actions[a.id] for row in table.rows if row.id in fired for a in row.actions]
        tests = list(dict.fromkeys((analyte, action) for action in actions for analyte in action.analytes))
        kinds = [tuple(_kinds(table, asking, *test, whole=whole)) for test in tests]
        levels: dict[tuple[str, ...], str] = {}
        for chosen in product(*kinds):
            asked += 1
            found = _decided(table, asking, chosen)
            names = tuple(kind.name for kind in chosen)
            levels[names] = found.level
            state = {
                "patient": asking.name,
                **dict(zip((analyte for analyte, _ in tests), names, strict=True)),
            }
            if any(kind.out for kind in chosen):
                ledger.check(
                    found.level in ("warning", "critical"), PROMISE, "level", state, "warning", found.level
                )
            else:
                expected = "info" if all(kind.settled for kind in chosen) else "warning"
                ledger.check(found.level == expected, PROMISE, "level", state, expected, found.level)
        _rising(levels, asking, ledger)
    ledger.cover(
        PROMISE, "rows of duration, all their analytes together", asked, "no other row fires beside them"
    )


def _kinds(table: Table, asking: Asking, analyte: str, action: Action, *, whole: bool) -> Iterator[OnFile]:
    done, year = action.done_days or 0, table.thresholds.benign_test_days
    since = asking.onset or 0

    def measured(name: str, band: Band, ago: int | None, *, early: bool = False) -> OnFile:
        old = ago is None or (ago > done and (ago > since or ago > year))
        settled = band is Band.IN_RANGE and not old and not early
        return OnFile(name, (Measured(analyte, band, ago, None, early),), (), settled, band in OUT)

    yield OnFile("nothing")
    yield measured("in range", Band.IN_RANGE, 0)
    yield measured("out of range", Band.OUT_OF_RANGE, 0)
    if not whole:
        return
    yield measured("critical", Band.CRITICAL, 0)
    yield measured("not judged", Band.NOT_JUDGED, 0)
    yield measured("in range at the onset", Band.IN_RANGE, since)
    yield measured("in range, too old", Band.IN_RANGE, max(since + 1, done + 1))
    yield OnFile("ordered", (), (Ordered(analyte, action.ordered_days),), True)
    yield OnFile("ordered too long ago", (), (Ordered(analyte, (action.ordered_days or 0) + 1),))


def _decided(table: Table, asking: Asking, chosen: tuple[OnFile, ...]) -> Outcome:
    record = replace(
        asking.record,
        results=tuple(m.result() for kind in chosen for m in kind.results),
        orders=tuple(o.order() for kind in chosen for o in kind.orders),
    )
    facts = facts_of(record, table)
    return outcome(FiledTests(record, table, facts), facts)


def _rising(levels: dict[tuple[str, ...], str], asking: Asking, ledger: Ledger) -> None:
    worse = {"in range": "out of range", "out of range": "critical"}
    for names, level in levels.items():
        for place, name in enumerate(names):
            then = levels.get((*names[:place], worse.get(name, ""), *names[place + 1 :]), level)
            ledger.check(
                RANK[then] >= RANK[level],
                "a worse result lowers nothing",
                "level",
                {"patient": asking.name, "results": names, "worse": place},
                f"{level} or higher",
                then,
            )
