"""Counts of feedback by row, reason and week, without patients, comments and ids of cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TypeVar

from sqlalchemy import case, distinct, func, select

from service.feedback.store import Store
from service.feedback.tables import ACCEPTED, FEEDBACK

_Key = TypeVar("_Key")
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Share:
    """Cards with feedback. A card counts once: as accepted if any of its suggestions was ever accepted."""

    accepted: int
    overridden: int

    @property
    def answered(self) -> int:
        return self.accepted + self.overridden

    @property
    def percent(self) -> float | None:
        """Percentage of accepted cards; None without feedback."""
        return 100 * self.accepted / self.answered if self.answered else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the percentage (Wilson 1927: valid for few cards, 0 and 100 %)."""
        n = self.answered
        if not n:
            return 0.0, 100.0
        p = self.accepted / n
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of cards.

    Attributes:
        rows: Leading row to share, the row with the most feedback first.
        weeks: ISO week of the first feedback on a card to share, in order.
        reasons: (system, code), or None without a reason, to overridden cards, the most frequent first. The
            newest of a card counts.
        suggestions: (kind, name) to the cards on which it was accepted, the most frequent first.
    """

    rows: Mapping[str, Share]
    weeks: Mapping[str, Share]
    reasons: Mapping[tuple[str, str] | None, int]
    suggestions: Mapping[tuple[str, str], int]

    @property
    def all(self) -> Share:
        shares = self.weeks.values()
        return Share(sum(s.accepted for s in shares), sum(s.overridden for s in shares))


def summary_of(store: Store, names: Mapping[str, Mapping[int, str]]) -> Summary:
    """Count the feedback in the store. Raises StoreDown.

    Args:
        names: Kind of id to code to its present name. Other codes have the stored name, or the code as name.
    """
    accepted = FEEDBACK.c.outcome == "accepted"
    cards = (
        select(
            func.max(FEEDBACK.c.code).label("code"),
            func.max(FEEDBACK.c.row).label("row"),
            func.max(case((accepted, 1), else_=0)).label("accepted"),
            func.min(FEEDBACK.c.week).label("week"),
        )
        .group_by(FEEDBACK.c.card)
        .subquery()
    )
    share = func.sum(cards.c.accepted), func.count()
    newest_first = FEEDBACK.c.at.desc(), FEEDBACK.c.id.desc()
    # A card that was accepted after all is not overridden, and one has one reason: its newest.
    overridden = (
        select(
            FEEDBACK.c.reason_system,
            FEEDBACK.c.reason_code,
            func.row_number().over(partition_by=FEEDBACK.c.card, order_by=newest_first).label("age"),
        )
        .where(FEEDBACK.c.card.not_in(select(FEEDBACK.c.card).where(accepted)))
        .subquery()
    )
    reason = overridden.c.reason_system, overridden.c.reason_code
    kind, code = ACCEPTED.c.kind, ACCEPTED.c.code
    rows, weeks, reasons, suggestions = store.select(
        select(cards.c.code, func.max(cards.c.row), *share).group_by(cards.c.code),
        select(cards.c.week, *share).group_by(cards.c.week).order_by(cards.c.week),
        select(*reason, func.count()).where(overridden.c.age == 1).group_by(*reason),
        select(kind, code, func.max(ACCEPTED.c.name), func.count(distinct(FEEDBACK.c.card)))
        .join(FEEDBACK, FEEDBACK.c.id == ACCEPTED.c.feedback)
        .group_by(kind, code),
    )
    shares = {_name(names, "card", code, then): _share(yes, n) for code, then, yes, n in rows}
    return Summary(
        dict(sorted(shares.items(), key=lambda item: (-item[1].answered, item[0]))),
        {week: _share(yes, n) for week, yes, n in weeks},
        _frequent([((system, code) if code else None, n) for system, code, n in reasons]),
        _frequent([((kind, _name(names, kind, code, then)), n) for kind, code, then, n in suggestions]),
    )


def _name(names: Mapping[str, Mapping[int, str]], kind: str, code: int, then: str | None) -> str:
    name = names[kind].get(code, then)
    return f"code {code:05x}" if name is None else name


def _share(accepted: int, answered: int) -> Share:
    return Share(int(accepted), int(answered) - int(accepted))


def _frequent(counts: Sequence[tuple[_Key, int]]) -> Mapping[_Key, int]:
    return dict(sorted(counts, key=lambda item: (-item[1], str(item[0]))))
