"""What became of cards, counted: per row, per reason, per week. No patient, no comment, no id of a card."""

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
    """Cards that were answered. A card counts once: as accepted if anything of it was ever accepted."""

    accepted: int
    overridden: int

    @property
    def answered(self) -> int:
        return self.accepted + self.overridden

    @property
    def percent(self) -> float | None:
        """None of nothing."""
        return 100 * self.accepted / self.answered if self.answered else None

    @property
    def interval(self) -> tuple[float, float]:
        """Of the percentage, at 95 %, by Wilson (1927): holds for few cards and at 0 and 100 % as well."""
        n = self.answered
        if not n:
            return 0.0, 100.0
        p = self.accepted / n
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Summary:
    """rows: name of the leading row -> share, the most answered first. weeks: ISO week -> share, in order.

    A card belongs to the week of its first answer. reasons: (system, code), None = none given -> overridden
    cards. suggestions: (kind, name) -> cards on which it was accepted. Both: the most frequent first.
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
    """names: kind of id -> code -> name, as of now; what is not there has its name of then, or its code.

    Raises StoreDown.
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
    kind, code = ACCEPTED.c.kind, ACCEPTED.c.code
    rows, weeks, reasons, suggestions = store.found(
        select(cards.c.code, func.max(cards.c.row), *share).group_by(cards.c.code),
        select(cards.c.week, *share).group_by(cards.c.week).order_by(cards.c.week),
        select(FEEDBACK.c.reason_system, FEEDBACK.c.reason_code, func.count(distinct(FEEDBACK.c.card)))
        .where(~accepted)
        .group_by(FEEDBACK.c.reason_system, FEEDBACK.c.reason_code),
        select(kind, code, func.max(ACCEPTED.c.name), func.count(distinct(FEEDBACK.c.card)))
        .join(FEEDBACK, FEEDBACK.c.id == ACCEPTED.c.feedback)
        .group_by(kind, code),
    )
    shares = {_name(names, "card", code, then): _share(yes, n) for code, then, yes, n in rows}
    return Summary(
        dict(sorted(shares.items(), key=lambda found: (-found[1].answered, found[0]))),
        {week: _share(yes, n) for week, yes, n in weeks},
        _frequent([((system, code) if code else None, n) for system, code, n in reasons]),
        _frequent([((kind, _name(names, kind, code, then)), n) for kind, code, then, n in suggestions]),
    )


def _name(names: Mapping[str, Mapping[int, str]], kind: str, code: int, then: str | None) -> str:
    found = names[kind].get(code, then)
    return f"code {code:05x}" if found is None else found


def _share(accepted: int, answered: int) -> Share:
    return Share(int(accepted), int(answered) - int(accepted))


def _frequent(found: Sequence[tuple[_Key, int]]) -> Mapping[_Key, int]:
    return dict(sorted(found, key=lambda one: (-one[1], str(one[0]))))
