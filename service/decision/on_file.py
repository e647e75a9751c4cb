"""Tests on file: results, open orders, studies and visits that already answer an action.

Section 4 of the decision model. All of it depends on the record and on the rows that ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from fhir_mappings.record import Band, Basis, Finding, Order, Plausible, Record, Result, Status, Study
from service.decision.result_facts import (
    OUT,
    band_today,
    current_results,
    days_between,
    disorders_of,
    is_critical,
)
from service.decision.table import (
    CALM,
    EXAMINED,
    NOW,
    PRESENT,
    ROUTINE,
    TONGUE_SITE,
    TRUE,
    URGENT,
    Action,
    Disorder,
    Facts,
    Row,
    Table,
)

# The priorities of an order that are at least as urgent as an action.
PRIORITIES: Mapping[str, frozenset[str]] = {
    URGENT: frozenset({"urgent", "asap", "stat"}),
    NOW: frozenset({"asap", "stat"}),
}


@dataclass(frozen=True, slots=True)
class FiledTests:
    """The tests on file of one record. base: its facts; a sign that other facts add was examined today."""

    record: Record
    table: Table
    base: Facts
    # Analyte -> its final results, newest first. Every answer to a question needs them again.
    _finals: dict[str, list[Result]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _orders: dict[tuple[frozenset[str], int | None, str], Order | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    # Action -> its newest study: every draft of one asks again.
    _studies: dict[str, Study | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    _disorders: list[Disorder] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._disorders.extend(disorders_of(self.record, self.table))
        for result in self.record.results:
            if not result.preliminary:
                counted = self.table.counts_as.get(result.analyte, result.analyte)
                self._finals.setdefault(counted, []).append(result)
        for results in self._finals.values():
            results.sort(key=lambda r: (r.day or date.min, r.reference), reverse=True)

    def answering_result(
        self, analyte: str, action: Action, rows: Iterable[Row], urgency: str
    ) -> Result | None:
        """The final result that makes another one needless, or None."""
        results = self._finals.get(analyte)
        if action.done_days is None or not results:
            return None
        if action.repeat_abnormal and self._is_abnormal(analyte):
            return None
        rows = tuple(rows)
        days = self.table.thresholds.now_result_days if urgency == NOW else action.done_days
        floor = self._latest_start(rows, action.id)
        # A result that could not be judged may be abnormal: neither it nor an older one answers the test.
        # Undated, it may be the newest.
        unjudged = max((r.day or date.max for r in results if r.band is Band.NOT_JUDGED), default=None)
        for result in results:
            if result.day is None or self._precedes_disorder(result, action):
                continue
            if unjudged is not None and result.day <= unjudged:
                continue
            age = days_between(result.day, self.record.as_of)
            if age <= days and (floor is None or result.day >= floor):
                return result
            if urgency == ROUTINE and self.asked_calmly(rows) and self._in_range_since_onset(result):
                return result
        return None

    def _is_abnormal(self, analyte: str) -> bool:
        """Whether any result of it is out of range today, a preliminary one too."""
        return abnormal_result(self.record, self.table, (analyte,)) is not None

    def asked_calmly(self, rows: Iterable[Row]) -> bool:
        """Whether only rows ask that call for nothing beyond blood tests."""
        levels = {row.level for row in rows}
        return levels == {CALM}

    def order_for(self, tests: set[str], action: Action, urgency: str = ROUTINE) -> Order | None:
        """The newest open order for one of those tests, of at least that urgency.

        An order without a date could be of any age: it is shown, and removes nothing; a draft is of today.
        """
        key = frozenset(tests), action.ordered_days, urgency
        if key in self._orders:
            return self._orders[key]
        fitting = PRIORITIES.get(urgency)
        orders = [
            order
            for order in self.record.orders
            if not order.tests.isdisjoint(tests)
            and (order.draft or self._young(order.day, action.ordered_days))
            and (fitting is None or order.priority in fitting)
        ]
        self._orders[key] = max(orders, key=lambda o: (o.day or date.max, o.reference), default=None)
        return self._orders[key]

    def most_dangerous_first(self, results: Iterable[Result]) -> tuple[Result, ...]:
        """Those results, ranked."""
        return tuple(sorted(results, key=lambda r: danger(r, self.record, self.table), reverse=True))

    def is_in_hand(self, results: Iterable[Result]) -> bool:
        """Whether each critical result has an order for today of its analyte, made since the result."""
        critical = [r for r in results if is_critical(r, self.record, self.table)]
        return bool(critical) and all(self._reordered(result) for result in critical)

    def _reordered(self, result: Result) -> bool:
        analyte = self.table.counts_as.get(result.analyte, result.analyte)
        actions = {a.id for a in self.table.actions.values() if analyte in a.analytes}
        return any(
            not order.tests.isdisjoint({analyte, result.analyte, *actions})
            and order.priority in PRIORITIES[NOW]
            and (
                order.draft or (order.day is not None and result.day is not None and order.day >= result.day)
            )
            for order in self.record.orders
        )

    def study_done(self, action: Action, rows: Iterable[Row], facts: Facts) -> Study | None:
        """A study or visit of the last half year, unless a sign whose row asks for it came after it.

        A study answers a sign that was examined before it; a visit one that was recorded before it.
        """
        newest = self._newest_study(action)
        if newest is None or newest.day is None:
            return None
        for row in rows:
            for sign in self._findings_of(row, facts):
                first = self._first(sign, facts, examined=action.is_test)
                if first is not None and first > newest.day:
                    return None
            if not action.is_test and self._twitch_shows_sign(row, facts, newest.day):
                return None
        return newest

    def _newest_study(self, action: Action) -> Study | None:
        """The newest study of the action that is young enough."""
        if action.id not in self._studies:
            limit = self.table.thresholds.study_days
            found = [s for s in self.record.studies if s.id in action.studies and self._young(s.day, limit)]
            # Of two on one day the reference decides, so that their order in the record does not.
            self._studies[action.id] = max(found, key=_dated, default=None)
        return self._studies[action.id]

    def _twitch_shows_sign(self, row: Row, facts: Facts, day: date) -> bool:
        """Whether the row fires by a twitch of the tongue that was first recorded after that day."""
        first = self.record.twitch.first_recorded
        return (
            facts.get(TONGUE_SITE) == TRUE
            and TONGUE_SITE in row.reads
            and (first is None or first > day or self.base.get(TONGUE_SITE) != TRUE)
        )

    def _findings_of(self, row: Row, facts: Facts) -> frozenset[str]:
        """The signs and symptoms that are present and for which the row asks; a diagnosis is neither."""
        known = {*self.table.signs, *self.table.asked}
        return frozenset(
            literal.variable
            for term in row.terms
            for literal in term
            if literal.positive and literal.variable in known and facts.get(literal.variable) in PRESENT
        )

    def _first(self, name: str, facts: Facts, *, examined: bool) -> date | None:
        if self.base.get(name) not in PRESENT or (
            facts.get(name) == EXAMINED and self.base.get(name) != EXAMINED
        ):
            return self.record.as_of
        finding = self.record.finding(name)
        if examined:
            return finding.first_examined
        return _first_recorded(finding)

    def _young(self, day: date | None, limit: int | None) -> bool:
        return day is not None and (limit is None or days_between(day, self.record.as_of) <= limit)

    def _in_range_since_onset(self, result: Result) -> bool:
        latest = self.record.twitch.onset.latest
        return (
            result.band is Band.IN_RANGE
            and latest is not None
            and result.day is not None
            and result.day >= latest
            and days_between(result.day, self.record.as_of) <= self.table.thresholds.calm_test_days
        )

    def _latest_start(self, rows: Iterable[Row], action_id: str) -> date | None:
        """The newest start of a plausible drug whose row asks for that action."""
        asking = [row for row in rows if action_id in [asked.id for asked in row.actions]]
        classes = frozenset().union(*[row.drug_classes for row in asking])
        starts = [
            drug.start.latest or drug.start.earliest
            for drug in self.record.drugs
            if drug.classes & classes and drug.plausible is not Plausible.NO
        ]
        return max(filter(None, starts), default=None)

    def _precedes_disorder(self, result: Result, action: Action) -> bool:
        """A recorded disorder is answered only by results that came after it."""
        if not action.repeat_abnormal:
            return False
        analyte = self.table.counts_as.get(result.analyte, result.analyte)
        for disorder in self._disorders:
            if disorder.analyte in (None, analyte):
                recorded = self.record.finding(disorder.finding).recorded
                if recorded is None or (result.day is not None and result.day <= recorded):
                    return True
        return False


def _first_recorded(finding: Finding) -> date | None:
    """The first record of it as present that counts today, since an examination last found it absent."""
    recorded = finding.recorded or date.max
    absences = [
        e.day
        for e in finding.evidence
        if e.day and e.day < recorded and e.status is Status.ABSENT and e.basis is Basis.EXAMINED
    ]
    since = max(absences, default=date.min)
    days = [e.day for e in finding.evidence if e.day and e.status is Status.PRESENT and not e.history]
    return min((day for day in days if day > since), default=finding.recorded)


def _dated(study: Study) -> tuple[date, str]:
    return study.day or date.min, study.reference


def without_draft_orders(record: Record) -> Record:
    """The record without the orders of the hook's context."""
    return replace(record, orders=tuple(order for order in record.orders if not order.draft))


def abnormal_result(record: Record, table: Table, analytes: Iterable[str]) -> Result | None:
    """The most dangerous result of those analytes that is out of range today, if any."""
    results = [
        result
        for analyte in analytes
        for result in current_results(record, table, analyte)
        if band_today(result, table, record.as_of) in OUT or is_critical(result, record, table)
    ]
    return max(results, key=lambda r: danger(r, record, table), default=None)


def danger(result: Result, record: Record, table: Table) -> tuple[object, ...]:
    """A sort key: a critical result is more dangerous than one out of range, then the newer one.

    Of two of one analyte and day the one further outside its range, whatever their references.
    """
    critical = is_critical(result, record, table)
    return critical, result.day or date.max, result.analyte, result.outside, result.reference


def newest_orders(record: Record) -> Mapping[str, Order]:
    """test id -> its newest open order."""
    newest: dict[str, Order] = {}
    for order in sorted(record.orders, key=lambda o: (o.day or date.min, o.reference)):
        for test in order.tests:
            newest[test] = order
    return newest
