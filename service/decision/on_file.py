"""Tests on file: results, open orders and studies that already answer a test.

Section 4 of the decision table. All of it depends on the record and on the rows that ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from fhir_mappings.record import Band, Order, Plausible, Record, Result, Study
from service.decision.facts import band_today, current_results, days_between, has_disorder
from service.decision.table import EXAMINED, REPORTED, TRUE, Action, Facts, Row, Table

URGENT_PRIORITIES = frozenset({"urgent", "asap", "stat"})


@dataclass(frozen=True, slots=True)
class FiledTests:
    """The tests on file of one record. base: its facts; a sign that other facts add was examined today."""

    record: Record
    table: Table
    base: Facts
    # Analyte -> its final results, newest first. Every answer to a question needs them again.
    _finals: dict[str, list[Result]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _orders: dict[tuple[frozenset[str], int | None, bool], Order | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on file, ordered or done."""
        return not (self.record.results or self.record.orders or self.record.studies)

    def answering_result(
        self, analyte: str, action: Action, facts: Facts, rows: Iterable[Row]
    ) -> Result | None:
        """The final result that makes another one needless, or None."""
        results = self._final(analyte)
        if action.done_days is None or not results:
            return None
        rows = tuple(rows)
        if action.repeat_abnormal and facts.get(f"{analyte}-abnormal") == TRUE:
            return None
        benign = bool(rows) and all(row.downgraded_when_tests_done for row in rows)
        floor = self._latest_start(rows, action.id)
        # A result that could not be judged may be abnormal: neither it nor an older one answers the test.
        # Undated, it may be the newest.
        unjudged = max((r.day or date.max for r in results if r.band is Band.NOT_JUDGED), default=None)
        for result in results:
            if result.day is None or self._asked_by_unnamed_disorder(result, action):
                continue
            if unjudged is not None and result.day <= unjudged:
                continue
            age = days_between(result.day, self.record.as_of)
            if age <= action.done_days and (floor is None or result.day >= floor):
                return result
            if benign and self._in_range_since_onset(result):
                return result
        return None

    def in_range_or_ordered(self, analyte: str, action: Action, facts: Facts) -> bool:
        """Whether a test asked for by duration alone is in range or ordered: nothing is left to do."""
        if facts.get(f"{analyte}-abnormal") == TRUE:
            return False
        if self.order_for({analyte, action.id}, action) is not None:
            return True
        recent = action.done_days or 0
        newest = self._newest_final(analyte)
        # What could not be judged may be abnormal; undated, it may be the newest.
        undated = [result for result in self._final(analyte) if result.day is None]
        return not any(result.band is Band.NOT_JUDGED for result in [*newest, *undated]) and any(
            result.band is Band.IN_RANGE
            and result.day is not None
            and (days_between(result.day, self.record.as_of) <= recent or self._in_range_since_onset(result))
            for result in newest
        )

    def order_for(self, tests: set[str], action: Action, *, urgent: bool = False) -> Order | None:
        """The newest open order for one of those tests; with urgent, only one of urgent priority.

        An order without a date could be of any age: it is shown, and removes nothing; a draft is of today.
        """
        key = frozenset(tests), action.ordered_days, urgent
        if key in self._orders:
            return self._orders[key]
        orders = [
            order
            for order in self.record.orders
            if not order.tests.isdisjoint(tests)
            and (order.draft or self._young(order.day, action.ordered_days))
            and (not urgent or order.priority in URGENT_PRIORITIES)
        ]
        self._orders[key] = max(orders, key=lambda o: (o.day or date.max, o.reference), default=None)
        return self._orders[key]

    def study_done(self, action: Action, rows: Iterable[Row], facts: Facts) -> Study | None:
        """A study of the last half year, unless a sign whose row asks for it was first examined after it."""
        limit = self.table.thresholds.study_days
        newest: Study | None = None
        for study in self.record.studies:
            if study.id not in action.studies or not self._young(study.day, limit):
                continue
            # Of two on one day the reference decides, so that their order in the record does not.
            if newest is None or _dated(study) > _dated(newest):
                newest = study
        if newest is None or newest.day is None:
            return None
        for row in rows:
            for sign in self._signs_of(row, facts):
                first = self._first_examined(sign, facts)
                if first is not None and first > newest.day:
                    return None
        return newest

    def _signs_of(self, row: Row, facts: Facts) -> frozenset[str]:
        """The signs recorded as present for which the row asks; a diagnosis asks for no second study."""
        return frozenset(
            literal.variable
            for term in row.terms
            for literal in term
            if literal.positive
            and literal.variable in self.table.signs
            and facts.get(literal.variable) in (EXAMINED, REPORTED)
        )

    def _first_examined(self, sign: str, facts: Facts) -> date | None:
        if facts.get(sign) == EXAMINED and self.base.get(sign) != EXAMINED:
            return self.record.as_of
        return self.record.finding(sign).first_examined

    def _young(self, day: date | None, limit: int | None) -> bool:
        return day is not None and (limit is None or days_between(day, self.record.as_of) <= limit)

    def _final(self, analyte: str) -> list[Result]:
        if not self._finals:
            for result in self.record.results:
                if not result.preliminary:
                    counted = self.table.counts_as.get(result.analyte, result.analyte)
                    self._finals.setdefault(counted, []).append(result)
            for results in self._finals.values():
                results.sort(key=lambda r: (r.day or date.min, r.reference), reverse=True)
        return self._finals.get(analyte, [])

    def _newest_final(self, analyte: str) -> list[Result]:
        # Total and ionised calcium count as one analyte: only the newer of them decides.
        results = self._final(analyte)
        return [r for r in results if r.day == results[0].day] if results else []

    def _in_range_since_onset(self, result: Result) -> bool:
        latest = self.record.twitch.onset.latest
        return (
            result.band is Band.IN_RANGE
            and latest is not None
            and result.day is not None
            and result.day >= latest
            and days_between(result.day, self.record.as_of) <= self.table.thresholds.benign_test_days
        )

    def _latest_start(self, rows: Iterable[Row], action_id: str) -> date | None:
        """The newest start of a plausible drug whose row asks for that action."""
        taken = [d for d in self.record.drugs if d.classes and d.plausible is not Plausible.NO]
        if not taken:
            return None
        classes = frozenset(
            name for row in rows if any(a.id == action_id for a in row.actions) for name in row.drug_classes
        )
        starts = (drug.start.latest or drug.start.earliest for drug in taken if drug.classes & classes)
        return max(filter(None, starts), default=None)

    def _asked_by_unnamed_disorder(self, result: Result, action: Action) -> bool:
        """An imbalance that names no electrolyte is answered only by results that came after it."""
        if not action.repeat_abnormal:
            return False
        for disorder in self.table.disorders:
            if disorder.analyte is None and has_disorder(self.record, self.table, disorder):
                recorded = self.record.finding(disorder.finding).recorded
                if recorded is not None and result.day is not None and result.day <= recorded:
                    return True
        return False


def _dated(study: Study) -> tuple[date, str]:
    return study.day or date.min, study.reference


def without_draft_orders(record: Record) -> Record:
    """The record without the orders of the hook's context."""
    return replace(record, orders=tuple(order for order in record.orders if not order.draft))


def abnormal_result(record: Record, table: Table, analytes: Iterable[str]) -> Result | None:
    """The newest result of those analytes that is out of range today, a critical one first, if any."""
    bands = (Band.OUT_OF_RANGE, Band.CRITICAL)
    abnormal = [
        (bands.index(band), result)
        for analyte in analytes
        for result in current_results(record, table, analyte)
        if (band := band_today(result, table, record.as_of)) in bands
    ]
    worst = max(abnormal, key=lambda x: (x[0], x[1].day or date.min, x[1].reference), default=None)
    return worst[1] if worst else None


def newest_orders(record: Record) -> Mapping[str, Order]:
    """test id -> its newest open order."""
    newest: dict[str, Order] = {}
    for order in sorted(record.orders, key=lambda o: (o.day or date.min, o.reference)):
        for test in order.tests:
            newest[test] = order
    return newest
