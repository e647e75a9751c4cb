"""The outcome of a set of facts: rows that fire, what is recommended and withheld, and the level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from fhir_mappings.record import Drug, Order, Plausible, Result, Study
from service.decision.on_file import FiledTests, danger
from service.decision.result_facts import OUT, band_today, results_in
from service.decision.table import (
    ABSENT,
    CALM,
    EXAMINED,
    FALSE,
    LEVELS,
    NOW,
    REFERRAL,
    ROUTINE,
    TRUE,
    UNTIL_DONE,
    URGENCIES,
    Action,
    ActionRole,
    Facts,
    Row,
    RowAction,
    Table,
)


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

    urgency: routine, urgent (within two weeks) or now (the same day). analytes: the blood tests still missing.
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
    key: Key = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", key_of(self.level, self.recommendations))


def key_of(level: str, recommendations: Iterable[Recommendation]) -> Key:
    return level, tuple(Wanted(r.id, r.urgency, r.analytes or r.findings) for r in recommendations)


@dataclass(frozen=True, slots=True)
class Demand:
    """An action and every fired row that asks for it, each with what it asks."""

    action: Action
    asking: tuple[tuple[Row, RowAction], ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(row for row, _ in self.asking)

    @property
    def because(self) -> Ids:
        """The ids of the rows."""
        return tuple(dict.fromkeys(row.id for row, _ in self.asking))

    @property
    def urgency(self) -> str:
        return max((asked.urgency for _, asked in self.asking), key=URGENCY_RANK.__getitem__)

    @property
    def paediatric(self) -> bool:
        return any(asked.paediatric for _, asked in self.asking)


def demands_of(table: Table, rows: Iterable[Row], facts: Facts) -> tuple[Demand, ...]:
    """What those rows ask for, in the table's order of actions."""
    asking: dict[str, list[tuple[Row, RowAction]]] = {}
    for row in rows:
        for asked in row.actions:
            if asked.condition is None or asked.condition(facts):
                asking.setdefault(asked.id, []).append((row, asked))
    return tuple(
        Demand(action, tuple(asking[action_id]))
        for action_id, action in table.actions.items()
        if action_id in asking
    )


def outcome_of(on_file: FiledTests, facts: Facts) -> Outcome:
    """The outcome of those facts for that record: rows, actions, removals, level, and the last rows."""
    table = on_file.table
    fired = [row for row in table.rows if not row.last and row.holds(facts)]
    settled = _Settled(on_file, facts, demands_of(table, fired, facts))
    level = _level(table, facts, fired, settled.recommendations)
    read = {**facts, **_last_features(table, fired, settled.demands, level)}
    last = [row for row in table.rows if row.last and row.holds(read)]
    settled.add(demands_of(table, last, read))
    return Outcome(level, (*fired, *last), tuple(settled.recommendations), tuple(settled.withheld))


def _last_features(
    table: Table, fired: Sequence[Row], demands: Iterable[Demand], level: str
) -> dict[str, str]:
    demands = tuple(demands)
    holds = {
        "level-info": level == "info",
        "asks-for-test": any(demand.action.is_test for demand in demands),
        "asks-for-examination": any(ActionRole.EXAMINATION in demand.action.roles for demand in demands),
        "other-rows-fire": any(not row.beside_benign for row in fired),
    }
    return {name: TRUE if true else FALSE for name, true in holds.items()}


def _level(table: Table, facts: Facts, rows: Iterable[Row], recommendations: Sequence[Recommendation]) -> str:
    if any(recommendation.raises_alarm for recommendation in recommendations):
        return "critical"
    normal = facts.get("examined-normal") == TRUE
    remaining = {row for recommendation in recommendations for row in recommendation.because}
    level = "info"
    for row in rows:
        match row.level:
            case "info":
                continue
            case level_name if level_name == CALM and normal:
                continue
            case level_name if level_name == UNTIL_DONE and row.id not in remaining:
                continue
        level = "warning"
    return level


class _Settled:
    """Settles demands: what is recommended, and what is withheld because it is done, ordered or outranked."""

    def __init__(self, on_file: FiledTests, facts: Facts, demands: tuple[Demand, ...]) -> None:
        self.on_file, self.table, self.record = on_file, on_file.table, on_file.record
        self.facts = facts
        self.recommendations: list[Recommendation] = []
        self.withheld: list[Withheld] = []
        self.demands: tuple[Demand, ...] = ()
        # Results of tests that rows ask for and that are done, but out of range.
        self.to_act_on: dict[Result, Ids] = {}
        self.add(demands)
        self._act_on_done()

    def add(self, demands: tuple[Demand, ...]) -> None:
        self.demands += demands
        for demand in demands:
            self._settle(demand)

    def _settle(self, demand: Demand) -> None:
        action, because = demand.action, demand.because
        if action.withheld_from_child and self.facts.get("child-age") == TRUE:
            self.withheld.append(Withheld(action.id, "child", because))
        elif (beside := self._outranked(demand)) is not None:
            self.withheld.append(Withheld(action.id, beside, because))
        elif action.analytes:
            self._settle_blood(demand)
        elif ActionRole.ACT_ON_RESULT in action.roles:
            self._act_on(demand)
        else:
            self._settle_other(demand)

    def _outranked(self, demand: Demand) -> str | None:
        action = demand.action
        urgencies = {other.urgency for other in self.demands if other.action is not action}
        if action.withheld_beside_now and NOW in urgencies:
            return "beside-now"
        if action.withheld_beside_urgent and demand.urgency == ROUTINE:
            referred = ActionRole.RE_EXAMINE in action.roles and any(
                other.action.order == REFERRAL for other in self.demands
            )
            if referred or urgencies - {ROUTINE}:
                return "beside-urgent"
        return None

    def _settle_blood(self, demand: Demand) -> None:
        action, missing = demand.action, []
        for analyte in action.analytes:
            if not self._is_answered(demand, analyte):
                missing.append(analyte)
        if not missing:
            return
        too_low = None
        if demand.urgency != ROUTINE:
            too_low = self.on_file.order_for({*missing, action.id}, action)
        self.recommendations.append(
            Recommendation(
                action.id, demand.urgency, demand.because, tuple(missing), demand.paediatric, too_low=too_low
            )
        )

    def _is_answered(self, demand: Demand, analyte: str) -> bool:
        action, urgency = demand.action, demand.urgency
        result = self.on_file.answering_result(analyte, action, self.facts, demand.rows, urgency)
        if result is not None:
            calm = self.on_file.asked_calmly(demand.rows)
            self.withheld.append(withheld_by_result(action.id, analyte, result, demand.because, calm=calm))
            if band_today(result, self.table, self.record.as_of) in OUT:
                self.to_act_on[result] = demand.because
            return True
        order = self.on_file.order_for({analyte, action.id}, action, urgency)
        if order is not None:
            self.withheld.append(withheld_by_order(action.id, (analyte,), order, demand.because, urgency))
            return True
        return False

    def _act_on(self, demand: Demand) -> None:
        """The results for which the rows fire, the most dangerous first."""
        urgent: dict[Result, None] = {}
        results: dict[Result, None] = {}
        for row, asked in demand.asking:
            for result in self._results_of(row):
                results[result] = None
                if asked.urgency != ROUTINE:
                    urgent[result] = None
        ranked = sorted(results, key=lambda r: danger(r, self.record, self.table), reverse=True)
        in_hand = demand.urgency != ROUTINE and self.on_file.is_in_hand(urgent)
        self.recommendations.append(
            Recommendation(
                demand.action.id,
                demand.urgency,
                demand.because,
                results=tuple(ranked),
                in_hand=in_hand,
            )
        )

    def _results_of(self, row: Row) -> Iterable[Result]:
        for name in row.reads:
            for fact in self.table.result_facts.get(name, ()):
                if self.facts.get(name) == TRUE:
                    yield from results_in(fact, self.record, self.table)

    def _act_on_done(self) -> None:
        """A test that is done and out of range is acted on, whether or not a row of its own says so."""
        action = self.table.action_for(ActionRole.ACT_ON_RESULT)
        made = next((r for r in self.recommendations if r.id == action.id), None)
        known = set(made.results) if made else set()
        more = [result for result in self.to_act_on if result not in known]
        if not more:
            return
        more.sort(key=lambda r: danger(r, self.record, self.table), reverse=True)
        because = tuple(dict.fromkeys(row for result in more for row in self.to_act_on[result]))
        if made is None:
            self.recommendations.append(Recommendation(action.id, ROUTINE, because, results=tuple(more)))
            place = list(self.table.actions)
            self.recommendations.sort(key=lambda r: place.index(r.id))
            return
        merged = Recommendation(
            made.id,
            made.urgency,
            tuple(dict.fromkeys((*made.because, *because))),
            results=(*made.results, *more),
            in_hand=made.in_hand,
        )
        self.recommendations[self.recommendations.index(made)] = merged

    def _settle_other(self, demand: Demand) -> None:
        action, urgency, because = demand.action, demand.urgency, demand.because
        if action.studies and (action.is_test or urgency != NOW):
            study = self.on_file.study_done(action, demand.rows, self.facts)
            if study is not None:
                why = "done" if action.is_test else "seen"
                self.withheld.append(withheld_by_study(action.id, study, because, why, urgency))
                return
        tests = {action.id, *action.studies}
        too_low = None
        if action.ordered_days and action.can_be_ordered:
            order = self.on_file.order_for(tests, action, urgency)
            if order is not None:
                self.withheld.append(withheld_by_order(action.id, (action.id,), order, because, urgency))
                return
            too_low = self.on_file.order_for(tests, action) if urgency != ROUTINE else None
        asked = [each for _, each in demand.asking]
        self.recommendations.append(
            Recommendation(
                action.id,
                urgency,
                because,
                paediatric=demand.paediatric,
                consider=all(each.consider for each in asked),
                too_low=too_low,
                findings=self._to_examine(demand) if ActionRole.EXAMINATION in action.roles else (),
                weeks=min((each.weeks for each in asked if each.weeks is not None), default=None),
                drugs=self._to_review(demand) if ActionRole.MEDICATION_REVIEW in action.roles else (),
            )
        )

    def _to_examine(self, demand: Demand) -> Ids:
        """The findings that the rows want examined and that no clinician has looked at."""
        named = dict.fromkeys(name for _, asked in demand.asking for name in asked.findings)
        return tuple(name for name in named if self.facts.get(name) not in (EXAMINED, ABSENT))

    def _to_review(self, demand: Demand) -> tuple[Drug, ...]:
        """The medicines of the classes for which the rows fire."""
        names = {literal.variable for row in demand.rows for term in row.terms for literal in term}
        return tuple(
            drug
            for drug in self.record.drugs
            if any(
                (f"drug {name}" in names and drug.plausible is not Plausible.NO)
                or (f"current {name}" in names and drug.current)
                or (f"stopped {name}" in names and self.facts.get(f"stopped {name}") == TRUE)
                for name in drug.classes
            )
        )


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
