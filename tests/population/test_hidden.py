"""No hidden count follows from the figures that are shown, whatever the counts are."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest

from service.population.report import SMALL, Cells, report_of
from tests.population.exports import AS_OF, knowledge


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_parts_and_their_sum(parts: int) -> None:
    """The hidden parts are together no small count; they are, where nothing else is left to hide."""
    cells = Cells(True)
    for values in product((0, 1, 2, 3, 4, 5, 9), repeat=parts):
        counts = dict(zip("abcd", values, strict=False))
        hidden = [counts[name] for name, count in cells.parts(counts).items() if count is None]
        assert all(count for count in hidden)
        shown = [count for count in values if count >= SMALL]
        if hidden and any(count not in hidden for count in shown):
            assert len(hidden) > 1
            assert sum(hidden) >= SMALL


COUNTS = (0, 0, 1, 2, 3, 4, 5, 9, 30)


@pytest.mark.parametrize("seed", range(20))
def test_figures_of_one_report(seed: int) -> None:
    """Known wholes: the living = all levels = all gates but deceased; cards = twitches + cards of words."""
    chance = random.Random(seed)
    for _ in range(50):
        examined = {name: chance.choice(COUNTS) for name in ("never", "partly", "done")}
        quiet = {"known-disease": chance.choice(COUNTS), "unread": chance.choice(COUNTS), "no-twitch": 1000}
        carded = {"open": sum(examined.values()), "in-words": chance.choice(COUNTS)}
        cards, none, deceased = sum(carded.values()), sum(quiet.values()), chance.choice(COUNTS)
        info = chance.randint(0, cards)
        warning = chance.randint(0, cards - info)
        figures: dict[str, Any] = {
            "patients": none + cards + deceased,
            "living": none + cards,
            "gates": {**quiet, **carded, "deceased": deceased},
            "levels": {"none": none, "info": info, "warning": warning, "critical": cards - info - warning},
            "examined": examined,
        }
        report = report_of(figures, knowledge().table, as_of=AS_OF, knowledge="k", files=1, size=1)
        gates, shown = report["patients"]["gates"], report["cards"]
        assert gates.pop("deceased") == report["patients"]["decided"] - report["patients"]["living"]
        twitches = _sum(report["examination"].values())
        cells = {**quiet, **carded, **examined}
        seen = {**gates, **report["examination"]}
        assert not [name for name, count in cells.items() if 0 < count < SMALL and seen[name] is not None]
        wholes = [
            (none + cards, gates.values()),
            (shown["levels"]["none"], [gates[name] for name in quiet]),
            (shown["count"], [gates[name] if name == "in-words" else twitches for name in carded]),
            (shown["count"], [gates[name] for name in carded]),
            (gates["open"], report["examination"].values()),
        ]
        for whole, parts in wholes:
            if whole is not None and list(parts).count(None) == 1:
                assert whole - sum(count or 0 for count in parts) >= SMALL


def _sum(counts: Iterable[int | None]) -> int | None:
    found = list(counts)
    return None if None in found else sum(count or 0 for count in found)


@pytest.mark.parametrize("few", range(1, SMALL))
def test_what_a_row_off_saves(few: int) -> None:
    figures = {
        "living": 1000,
        "rows": {"bulbar": {"critical": 30}},
        "without": {"bulbar": {"critical>warning": 12, "critical>info": few}},
    }
    report = report_of(figures, knowledge().table, as_of=AS_OF, knowledge="k", files=1, size=1)
    (row,) = report["rowsOff"]
    # Both fall below critical, the few below warning too.
    assert row["levels"] == {"critical>info": None, "critical>warning": None}
    assert row["saved"] == {"warning": None, "critical": 12 + few}
