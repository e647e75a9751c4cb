"""The facts of a record, by the table's thresholds: what the conditions read.

Facts are strings: a finding is examined, reported, absent or unknown; a feature true, false or unknown; a
drug class yes, possible, no or unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from fhir_mappings.record import Band, Days, Finding, Plausible, Record, Result, Status
from service.decision.table import ABSENT, EXAMINED, FALSE, TRUE, UNKNOWN, Disorder, Table

# Facts that are computed, not recorded. No row has one of these names. The last two are read after the
# ordinary rows.
LAST_FEATURES = frozenset({"no-critical-row", "no-test-and-no-warning"})
FEATURES = LAST_FEATURES | {
    "lasts-long",
    "lasts-long-for-eyelid",
    "several-regions",
    "isolated-eyelid",
    "leg-site",
    "tongue-site",
    "worsening",
    "spreading",
    "continuous",
    "weakness-worsening",
    "atrophy-worsening",
    "weakness-recent",
    "child-age",
    "raises-potassium",
    "any-electrolyte-abnormal",
    "any-electrolyte-critical",
    "low-sodium",
    "b12-result-low",
    "thyroid-result-abnormal",
}

_RANK = {Plausible.NO.value: 0, Plausible.POSSIBLE.value: 1, Plausible.YES.value: 2}
_OUT = (Band.OUT_OF_RANGE, Band.CRITICAL)
_STABLE = frozenset({"stable", "improving"})
_INTERRUPTED = frozenset({"intermittent", "recurrent"})


def facts_of(record: Record, table: Table) -> dict[str, str]:
    """Every fact that a condition of the table can read."""
    facts: dict[str, str] = {}
    for finding in record.findings.values():
        if finding.status is Status.PRESENT:
            facts[finding.id] = finding.basis.value if finding.basis else EXAMINED
        elif finding.status is Status.ABSENT:
            facts[finding.id] = ABSENT
    if "conditions" not in record.not_seen:
        # A diagnosis row asks what is recorded; a list that was seen settles that.
        for diagnosis in table.diagnoses:
            facts.setdefault(diagnosis, ABSENT)
    _twitch_facts(record, table, facts)
    _drug_facts(record, facts)
    _result_facts(record, table, facts)
    return facts


def present(record: Record, name: str) -> Finding | None:
    """That finding, where it is recorded as present."""
    finding = record.findings.get(name)
    return finding if finding is not None and finding.status is Status.PRESENT else None


def days_between(day: date, as_of: date) -> int:
    """How many days ago; negative for a day to come."""
    return (as_of - day).days


def longer_than(onset: Days, limit: int, as_of: date) -> str:
    """true if even the latest possible onset is more than `limit` days ago, false if the earliest is not."""
    if onset.latest is not None and days_between(onset.latest, as_of) > limit:
        return TRUE
    if onset.earliest is not None and days_between(onset.earliest, as_of) <= limit:
        return FALSE
    return UNKNOWN


def age_below(born: Days, years: int, as_of: date) -> str:
    """Whether the patient is younger than that many years; unknown where the birth date leaves it open."""
    if born.earliest is not None and as_of < _birthday(born.earliest, years):
        return TRUE
    if born.latest is not None and as_of >= _birthday(born.latest, years):
        return FALSE
    return UNKNOWN


def _birthday(born: date, years: int) -> date:
    # A birth date may be any that can be written: the calendar ends before the birthday.
    if born.year + years > date.max.year:
        return date.max
    try:
        return born.replace(year=born.year + years)
    except ValueError:  # 29 February
        return date(born.year + years, 3, 1)


def _twitch_facts(record: Record, table: Table, facts: dict[str, str]) -> None:
    limits, twitch, as_of = table.thresholds, record.twitch, record.as_of
    facts["lasts-long"] = longer_than(twitch.onset, limits.persistent_days, as_of)
    facts["lasts-long-for-eyelid"] = longer_than(twitch.onset, limits.eyelid_days, as_of)
    sited, regions = bool(twitch.sites) or twitch.generalized, twitch.regions

    def site_fact(true: bool) -> str:
        return TRUE if true else FALSE if sited else UNKNOWN

    facts["several-regions"] = site_fact(twitch.generalized or len(regions) > 1)
    facts["isolated-eyelid"] = site_fact(twitch.isolated_eyelid)
    facts["leg-site"] = site_fact("legs" in regions)
    facts["tongue-site"] = site_fact("tongue" in regions)
    courses = twitch.courses
    settled = FALSE if courses & _STABLE else UNKNOWN
    facts["worsening"] = TRUE if "worsening" in courses else settled
    facts["spreading"] = TRUE if "spreading" in courses else settled
    facts["continuous"] = TRUE if "continuous" in courses else FALSE if courses & _INTERRUPTED else UNKNOWN
    for sign in ("weakness", "atrophy"):
        worse = record.finding(sign).worsening
        facts[f"{sign}-worsening"] = UNKNOWN if worse is None else TRUE if worse else FALSE
    onset = record.finding("weakness").since
    onset = onset if onset.known else twitch.onset
    # True only if every possible day is recent; an onset of no certain day that may be recent is unknown.
    long = longer_than(onset, limits.rapid_weakness_days, as_of)
    facts["weakness-recent"] = {TRUE: FALSE, FALSE: TRUE}.get(long, UNKNOWN)
    facts["child-age"] = age_below(record.patient.born, limits.child_years, as_of)


def _drug_facts(record: Record, facts: dict[str, str]) -> None:
    for drug in record.drugs:
        for drug_class in drug.classes:
            key = f"drug {drug_class}"
            plausible = drug.plausible.value
            if _RANK[plausible] >= _RANK.get(facts.get(key, ""), -1):
                facts[key] = plausible
            if drug.current:
                facts[f"current {drug_class}"] = TRUE
    unseen = {"medications", "medicationStatements"} <= set(record.not_seen)
    raises = unseen or any(drug.raises_potassium and drug.current for drug in record.drugs)
    facts["raises-potassium"] = TRUE if raises else FALSE


def current_results(record: Record, table: Table, analyte: str) -> list[Result]:
    """The results on file that count as that analyte (ionised calcium counts as calcium)."""
    return [r for r in record.results if table.counts_as.get(r.analyte, r.analyte) == analyte]


def band_today(result: Result, table: Table, as_of: date) -> Band:
    """The band of a result today: with age, critical becomes out of range, and that becomes not judged."""
    limits = table.thresholds
    if result.band not in _OUT:
        return result.band
    # An undated abnormal result is not known to be old.
    age = 0 if result.day is None else days_between(result.day, as_of)
    if result.band is Band.CRITICAL and age <= limits.critical_days:
        return Band.CRITICAL
    return Band.OUT_OF_RANGE if age <= limits.out_of_range_days else Band.NOT_JUDGED


def _result_facts(record: Record, table: Table, facts: dict[str, str]) -> None:
    as_of, limits = record.as_of, table.thresholds
    bands = [
        (table.counts_as.get(result.analyte, result.analyte), band_today(result, table, as_of), result.low)
        for result in record.results
    ]
    critical = {analyte for analyte, band, _ in bands if band is Band.CRITICAL}
    disorders = [disorder for disorder in table.disorders if has_disorder(record, table, disorder)]
    abnormal: set[str | None] = {analyte for analyte, band, _ in bands if band in _OUT}
    abnormal |= {disorder.analyte for disorder in disorders}
    for analyte in table.electrolytes:
        facts[f"{analyte}-abnormal"] = TRUE if analyte in abnormal else FALSE
    # A disorder may name none of them.
    any_abnormal = None in abnormal or not abnormal.isdisjoint(table.electrolytes)
    facts["any-electrolyte-abnormal"] = TRUE if any_abnormal else FALSE
    facts["any-electrolyte-critical"] = FALSE if critical.isdisjoint(table.electrolytes) else TRUE
    low_sodium = any(
        analyte == "sodium" and low is True and band in _OUT for analyte, band, low in bands
    ) or any(d.analyte == "sodium" and d.low for d in disorders)
    facts["low-sodium"] = TRUE if low_sodium else FALSE
    b12 = any(_low(r) and _within(r, limits.low_b12_days, as_of) for r in _of(record, table.b12_analytes))
    facts["b12-result-low"] = TRUE if b12 else FALSE
    thyroid = any(
        r.band in _OUT and _within(r, limits.thyroid_days, as_of) for r in _of(record, table.thyroid_analytes)
    )
    facts["thyroid-result-abnormal"] = TRUE if thyroid else FALSE


def _of(record: Record, analytes: Iterable[str]) -> list[Result]:
    return [r for r in record.results if r.analyte in analytes]


def _low(result: Result) -> bool:
    return result.low is True and result.band in _OUT


def _within(result: Result, days: int, as_of: date) -> bool:
    return result.day is None or days_between(result.day, as_of) <= days


def has_disorder(record: Record, table: Table, disorder: Disorder) -> bool:
    """A recorded electrolyte disorder, unless a later final result is in range.

    One that names no electrolyte needs all of them in range. A result of the same day does not count: which
    came first is not recorded.
    """
    finding = present(record, disorder.finding)
    if finding is None:
        return False

    def cleared(analyte: str) -> bool:
        return any(
            r.band is Band.IN_RANGE
            and not r.preliminary
            and r.day is not None
            and (finding.recorded is None or r.day > finding.recorded)
            for r in current_results(record, table, analyte)
        )

    analytes = (disorder.analyte,) if disorder.analyte else table.electrolytes
    return not all(cleared(analyte) for analyte in analytes)
