"""Results and recorded disorders as facts: what is out of range, critical or unanswered today."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from fhir_mappings.record import Band, Finding, Record, Result, Status
from service.decision.table import FALSE, TRUE, Disorder, ResultFact, Table

OUT = (Band.OUT_OF_RANGE, Band.CRITICAL)


def present(record: Record, name: str) -> Finding | None:
    """That finding, where it is recorded as present."""
    finding = record.findings.get(name)
    return finding if finding is not None and finding.status is Status.PRESENT else None


def days_between(day: date, as_of: date) -> int:
    """How many days ago; negative for a day to come."""
    return (as_of - day).days


def current_results(record: Record, table: Table, analyte: str) -> list[Result]:
    """The results on file that count as that analyte (ionised calcium counts as calcium)."""
    return [r for r in record.results if table.counts_as.get(r.analyte, r.analyte) == analyte]


def band_today(result: Result, table: Table, as_of: date) -> Band:
    """The band of a result today: with age, critical becomes out of range, and that becomes not judged."""
    limits = table.thresholds
    if result.band not in OUT:
        return result.band
    age = age_of(result, as_of)
    if result.band is Band.CRITICAL and age <= limits.critical_days:
        return Band.CRITICAL
    days = limits.long_result_days if result.analyte in table.long_analytes else limits.out_of_range_days
    return Band.OUT_OF_RANGE if age <= days else Band.NOT_JUDGED


def age_of(result: Result, as_of: date) -> int:
    """Its age in days. An undated result is not known to be old; one of tomorrow's date is of today."""
    return 0 if result.day is None else max(0, (as_of - result.day).days)


def is_critical(result: Result, record: Record, table: Table) -> bool:
    """Whether it is critical today, by its band or beside a finding that lowers the limit (A43)."""
    limit = table.thresholds.critical_days
    return _is_beyond_limits(result, record, table) and age_of(result, record.as_of) <= limit


def _is_beyond_limits(result: Result, record: Record, table: Table) -> bool:
    """Whether it was critical when it was measured: out of range too, for as long as that counts."""
    if result.band is Band.CRITICAL:
        return True
    beside = table.critical_beside.get(result.analyte)
    return (
        beside is not None
        and result.canonical is not None
        and result.canonical < beside.low
        and any(present(record, name) for name in beside.findings)
    )


def results_in(fact: ResultFact, record: Record, table: Table) -> list[Result]:
    """The results that are in that state."""
    return [
        result
        for result in record.results
        if table.counts_as.get(result.analyte, result.analyte) in fact.analytes
        and _is_in(
            fact, result, age_of(result, record.as_of), _is_beyond_limits(result, record, table), table
        )
    ]


def _is_in(fact: ResultFact, result: Result, age: int, beyond: bool, table: Table) -> bool:
    """Whether a result of that age is in that state. beyond: it was critical when it was measured."""
    if not fact.from_days <= age <= fact.at_most_days:
        return False
    if fact.below is not None:
        return _is_below(result, fact.below)
    if fact.state == "critical":
        return beyond and age <= table.thresholds.critical_days
    if result.band not in OUT and not beyond:
        return False
    return fact.state == "out-of-range" or result.low is (fact.state == "low")


def _is_below(result: Result, limit: Decimal) -> bool:
    """Whether its value is surely less: "<15" is below 15."""
    if result.canonical is None:
        return False
    return result.canonical < limit or (result.canonical == limit and result.text.startswith("<"))


def as_judged(result: Result, table: Table) -> Result:
    """The result as a card shows it: one under a limit of the table is low, whatever its range says."""
    if result.band in OUT:
        return result
    for _, fact in table.facts_about.get(table.counts_as.get(result.analyte, result.analyte), ()):
        if fact.below is not None and _is_below(result, fact.below):
            return replace(result, band=Band.OUT_OF_RANGE, low=True)
    return result


def add_result_facts(record: Record, table: Table, facts: dict[str, str]) -> None:
    """Add the facts about results and recorded disorders."""
    facts |= dict.fromkeys(table.result_facts, FALSE)
    for result in record.results:
        age, beyond = age_of(result, record.as_of), _is_beyond_limits(result, record, table)
        for name, fact in table.facts_about.get(table.counts_as.get(result.analyte, result.analyte), ()):
            if facts[name] == FALSE and _is_in(fact, result, age, beyond, table):
                facts[name] = TRUE
    facts["disorder-recent"] = facts["disorder-old"] = FALSE
    for disorder in disorders_of(record, table):
        recorded = record.finding(disorder.finding).recorded
        old = recorded is not None and (
            days_between(recorded, record.as_of) > table.thresholds.recent_result_days
        )
        facts["disorder-old" if old else "disorder-recent"] = TRUE


def disorders_of(record: Record, table: Table) -> list[Disorder]:
    """The recorded disorders that no result has answered since."""
    recorded = [disorder for disorder in table.disorders if disorder.finding in record.findings]
    return [disorder for disorder in recorded if has_disorder(record, table, disorder)]


def has_disorder(record: Record, table: Table, disorder: Disorder) -> bool:
    """A recorded electrolyte disorder without a judged final result of that electrolyte since.

    One that names no electrolyte needs a result of all of them. A result of the same day does not count:
    which came first is not recorded.
    """
    finding = present(record, disorder.finding)
    if finding is None:
        return False

    def measured(analyte: str) -> bool:
        return any(
            r.band is not Band.NOT_JUDGED
            and not r.preliminary
            and r.day is not None
            and finding.recorded is not None
            and r.day > finding.recorded
            for r in current_results(record, table, analyte)
        )

    analytes = (disorder.analyte,) if disorder.analyte else table.electrolytes
    return not all(measured(analyte) for analyte in analytes)
