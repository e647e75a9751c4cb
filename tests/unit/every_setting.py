"""What section 5 asks for, by trying: every group under every setting of so many others."""

from __future__ import annotations

from itertools import combinations, product

from service.decision.outcome import RANK, Outcome
from service.decision.questions import Inquiry

Setting = frozenset[tuple[str, str]]
Reach = tuple[int, int, int]


def reaches(inquiry: Inquiry, others: int = 2) -> dict[str, set[Reach]]:
    """Group -> what its answer can lead to, in every setting of at most that many others that it needs.

    A group without an entry changes nothing. A setting is needed for a row if the answers differ, that row is
    among what they move, and no smaller setting does as much. Each reach is (level, changed actions, first
    row moved), the first two negative, so that the smallest comes first. Reads only outcomes, no condition.
    """
    found: dict[str, set[Reach]] = {}
    ordinary = [row.id for row in inquiry.table.rows if not row.last]
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
                    moved = _moved(after)
                    moved_in[setting] = moved
                    smaller = [
                        moved_in[frozenset(part)] for n in range(size) for part in combinations(setting, n)
                    ]
                    if any(row in moved and not any(row in one for one in smaller) for row in ordinary):
                        reach = (
                            -max(RANK[one.level] for one in after),
                            -_changed(after),
                            min(ordinary.index(row) for row in moved if row in ordinary),
                        )
                        found.setdefault(group.id, set()).add(reach)
    return found


def _moved(after: list[Outcome]) -> frozenset[str]:
    fired = [{row.id for row in one.rows} for one in after]
    return frozenset(set().union(*fired) - set.intersection(*fired))


def _changed(after: list[Outcome]) -> int:
    wanted = [{(r.id, r.urgent) for r in one.recommendations} for one in after]
    everything = set().union(*wanted)
    return len({action for one in wanted for action, _ in everything - one})
