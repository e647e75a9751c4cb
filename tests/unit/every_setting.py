"""What section 5 asks for, by trying: every group under every setting of so many others."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, product

from service.decision.outcome import RANK, Outcome
from service.decision.questions import Inquiry

Setting = frozenset[tuple[str, str]]
Reach = tuple[int, int, int]


@dataclass
class Tried:
    """What one answer can lead to, over every setting of at most so many others.

    reaches: (level, changed actions, first row moved), the first two negative, in each setting that it needs:
    the answers differ, and move a row that they move in no smaller setting, and all that is set bears on that
    row: the row reads it, or it ends another row. decides: the highest level that one answer leads to and
    another does not.
    """

    reaches: set[Reach] = field(default_factory=set)
    decides: int = 0


def tried(inquiry: Inquiry, others: int = 2) -> dict[str, Tried]:
    """Group -> what its answer can lead to; no entry: it changes nothing. Of rows, only what they read."""
    found: dict[str, Tried] = {}
    ordinary = [row.id for row in inquiry.table.rows if not row.last]
    reads = {row.id: {x.variable for term in row.terms for x in term} for row in inquiry.table.rows}

    def bears_on(row: str, sets: dict[str, dict[str, str]]) -> bool:
        return all(set(facts) & reads[row] or ends_a_row(name, sets) for name, facts in sets.items())

    def ends_a_row(name: str, sets: dict[str, dict[str, str]]) -> bool:
        without = {k: v for other, facts in sets.items() if other != name for k, v in facts.items()}
        before, after = (inquiry.outcome_with(s) for s in (without, {**without, **sets[name]}))
        return bool({r.id for r in before.rows if not r.last} - {r.id for r in after.rows})

    for group in inquiry.groups:
        rest = [other for other in inquiry.groups if other is not group]
        moved_in: dict[Setting, frozenset[str]] = {}
        for size in range(others + 1):
            for chosen in combinations(rest, size):
                for answers in product(*(other.answers for other in chosen)):
                    setting = frozenset((o.id, says) for o, (says, _) in zip(chosen, answers, strict=True))
                    sets = {name: fact for _, facts in answers for name, fact in facts.items()}
                    after = [inquiry.outcome_with({**sets, **facts}) for _, facts in group.answers]
                    moved_in[setting] = frozenset()
                    if len({one.key for one in after}) < 2:
                        continue
                    one = found.setdefault(group.id, Tried())
                    ranks = {RANK[outcome.level] for outcome in after}
                    one.decides = max(one.decides, max(ranks) if len(ranks) > 1 else 0)
                    moved = _moved(after)
                    moved_in[setting] = moved
                    smaller = [
                        moved_in[frozenset(part)] for n in range(size) for part in combinations(setting, n)
                    ]
                    needed = {o.id: dict(facts) for o, (_, facts) in zip(chosen, answers, strict=True)}
                    if any(
                        row in moved and not any(row in part for part in smaller) and bears_on(row, needed)
                        for row in ordinary
                    ):
                        reach = (
                            -max(ranks),
                            -_changed(after),
                            min(ordinary.index(row) for row in moved if row in ordinary),
                        )
                        one.reaches.add(reach)
    return found


def _moved(after: list[Outcome]) -> frozenset[str]:
    fired = [{row.id for row in one.rows} for one in after]
    return frozenset(set().union(*fired) - set.intersection(*fired))


def _changed(after: list[Outcome]) -> int:
    wanted = [{(r.id, r.urgent) for r in one.recommendations} for one in after]
    everything = set().union(*wanted)
    return len({action for one in wanted for action, _ in everything - one})
