"""What a decision says: the level, what is recommended, and what is withheld and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from fhir_mappings.record import Drug, Order, Result, Study
from service.decision.table import LEVELS, ROUTINE, URGENCIES, Row


class Wanted(NamedTuple):
    """A recommendation without its reasons, to compare outcomes by."""

    id: str
    urgency: str
    analytes: tuple[str, ...]


# A level and what is recommended at it.
Key = tuple[str, tuple[Wanted, ...]]
Ids = tuple[str, ...]
RANK: Mapping[str, int] = {level: rank for rank, level in enumerate(LEVELS)}
URGENCY_RANK: Mapping[str, int] = {urgency: rank for rank, urgency in enumerate(URGENCIES)}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing to do.

    urgency: routine, urgent (within two weeks) or now (the same day). analytes: the blood tests missing.
    too_low: an open order of too low a priority. results: to act on, the most dangerous first. findings: to
    examine. weeks: until a re-examination. drugs: to review. in_hand: an order made since the result answers
    it, for the level only.
    """

    id: str
    urgency: str
    because: Ids
    analytes: tuple[str, ...] = ()
    paediatric: bool = False
    consider: bool = False
    too_low: Order | None = None
    results: tuple[Result, ...] = ()
    findings: tuple[str, ...] = ()
    weeks: int | None = None
    drugs: tuple[Drug, ...] = ()
    in_hand: bool = False

    @property
    def raises_alarm(self) -> bool:
        """Whether it makes the card critical: it cannot wait, and nobody has ordered it."""
        return self.urgency != ROUTINE and not self.in_hand


@dataclass(frozen=True, slots=True)
class Withheld:
    """Something a row asked for that is not recommended.

    why: "done" (a result or study answers it), "ordered" (pending), "seen" (a visit answers a referral),
    "child" (for the paediatric team), "beside-now" or "beside-urgent" (more urgent things come first).
    calm: only rows asked that call for nothing beyond blood tests.
    """

    id: str
    why: str
    because: Ids
    tests: tuple[str, ...] = ()
    day: date | None = None
    reference: str = ""
    priority: str | None = None
    urgency: str = ROUTINE
    calm: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision without its explanation; `key` is what two answers to a question are compared by."""

    level: str
    rows: tuple[Row, ...]
    recommendations: tuple[Recommendation, ...]
    withheld: tuple[Withheld, ...]
    # The facts that are read after the ordinary rows.
    last_facts: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    key: Key = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", key_of(self.level, self.recommendations))


def key_of(level: str, recommendations: Iterable[Recommendation]) -> Key:
    return level, tuple(Wanted(r.id, r.urgency, r.analytes) for r in recommendations)


def withheld_by_order(
    action_id: str, tests: tuple[str, ...], order: Order, because: Ids = (), urgency: str = ROUTINE
) -> Withheld:
    """Tests that are ordered already."""
    return Withheld(
        action_id, "ordered", because, tests, order.day, order.reference, order.priority, urgency=urgency
    )


def withheld_by_result(
    action_id: str, test: str, result: Result, because: Ids = (), *, calm: bool = False
) -> Withheld:
    """A test whose result is on file."""
    return Withheld(action_id, "done", because, (test,), result.day, result.reference, calm=calm)


def withheld_by_study(
    action_id: str, study: Study, because: Ids = (), why: str = "done", urgency: str = ROUTINE
) -> Withheld:
    """A study or a visit that took place."""
    return Withheld(action_id, why, because, (study.id,), study.day, study.reference, urgency=urgency)
