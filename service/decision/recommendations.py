"""What a decision says: the level, what is recommended, and what is withheld and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter

from fhir_mappings.record import Drug, Order, Result, Study
from service.decision.table import LEVELS, ROUTINE, URGENCIES, Action, Row, RowAction

Ids = tuple[str, ...]
_WANTED = attrgetter("id", "urgency", "analytes")
Asking = tuple[Row, RowAction]
# A level, and the id, urgency and analytes of what is recommended at it: what outcomes are compared by.
Key = tuple[str, tuple[tuple[str, str, Ids], ...]]
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


class Demand:
    """An action and every fired row that asks for it, with what it asks; and what comes of it.

    because: the ids of the rows. made: at most one recommendation. to_act_on: results out of range that
    answer a test -> the rows that ask for it.
    """

    __slots__ = (
        "action",
        "asking",
        "because",
        "consider",
        "made",
        "paediatric",
        "rows",
        "to_act_on",
        "urgency",
        "weeks",
        "withheld",
    )

    def __init__(self, action: Action, asking: list[Asking]) -> None:
        self.action = action
        self.asking = asking
        self.rows: list[Row] = []
        self.urgency = ROUTINE
        self.paediatric, self.consider = False, True
        self.weeks: int | None = None
        because: dict[str, None] = {}
        for row, asked in asking:
            self.rows.append(row)
            because[row.id] = None
            self.paediatric = self.paediatric or asked.paediatric
            self.consider = self.consider and asked.consider
            if asked.weeks is not None:
                self.weeks = min(asked.weeks, self.weeks or asked.weeks)
            if URGENCY_RANK[asked.urgency] > URGENCY_RANK[self.urgency]:
                self.urgency = asked.urgency
        self.because: Ids = tuple(because)
        self.made: list[Recommendation] = []
        self.withheld: list[Withheld] = []
        self.to_act_on: dict[Result, Ids] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision without its explanation; `key` is what two answers to a question are compared by."""

    level: str
    rows: tuple[Row, ...]
    recommendations: tuple[Recommendation, ...]
    withheld: tuple[Withheld, ...]
    key: Key = field(repr=False, compare=False)
    # The ordinary rows, by their id.
    fired: Mapping[str, Row] = field(default_factory=dict, repr=False, compare=False)
    # What the ordinary rows ask for, by the id of the action.
    demands: Mapping[str, Demand] = field(default_factory=dict, repr=False, compare=False)
    # What the last rows read of these, and what they ask for.
    features: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    last_demands: Mapping[str, Demand] = field(default_factory=dict, repr=False, compare=False)


def key_of(level: str, recommendations: Iterable[Recommendation]) -> Key:
    return level, tuple(map(_WANTED, recommendations))


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
