"""The facts of a record, by the table's thresholds: what the conditions read.

Facts are strings: a finding is examined, listed, reported, absent (on examination), absent-not-examined or
unknown; a feature true, false or unknown; a drug class yes, possible, no or unknown.
"""

from __future__ import annotations

from datetime import date

from fhir_mappings.record import Basis, Days, Drug, Evidence, Finding, Plausible, Record, Status
from service.decision.result_facts import add_result_facts, days_between, present
from service.decision.table import (
    ABSENT,
    ABSENT_NOT_EXAMINED,
    EXAMINED,
    FALSE,
    PRESENT,
    TRUE,
    UNKNOWN,
    Facts,
    Table,
)

# Facts that are computed, not recorded. The last ones are read after the ordinary rows.
LAST_FEATURES = frozenset({"level-info", "asks-for-test", "asks-for-examination", "other-rows-fire"})
SITE_FEATURES = frozenset(
    {"several-regions", "isolated-eyelid", "leg-site", "arm-site", "face-site", "tongue-site"}
)
POTASSIUM_RAISING, NEW_TWITCH = "potassium-raising-medicine", "new-within-a-year"
FEATURES = (
    LAST_FEATURES
    | SITE_FEATURES
    | {
        "lasts-long",
        "lasts-long-for-eyelid",
        "short",
        "short-for-eyelid",
        "began-within-two-days",
        NEW_TWITCH,
        "getting-worse",
        "continuous",
        "persistent-pattern",
        "weakness-recent",
        "weakness-settled-course",
        "old-bulbar-only",
        "child-age",
        "small-child",
        "sixty-or-older",
        "raises-potassium",
        POTASSIUM_RAISING,
        "disorder-recent",
        "disorder-old",
        "other-finding-present",
        "named-beside-pregnancy",
        "sign-in-history",
        "sign-disputed",
        "examined-normal",
    }
)

_RANK = {Plausible.NO.value: 0, Plausible.POSSIBLE.value: 1, Plausible.YES.value: 2}
_STABLE = frozenset({"stable", "improving"})
_WORSE = frozenset({"worsening", "spreading"})
_INTERRUPTED = frozenset({"intermittent", "recurrent"})


def facts_of(record: Record, table: Table) -> dict[str, str]:
    """Every fact that a condition of the table can read."""
    facts = {
        finding.id: fact for finding in record.findings.values() if (fact := finding_fact(finding)) != UNKNOWN
    }
    _twitch_facts(record, table, facts)
    _course_facts(record, table, facts)
    _drug_facts(record, table, facts)
    add_result_facts(record, table, facts)
    _pattern_facts(record, table, facts)
    return facts


def finding_fact(finding: Finding) -> str:
    """The fact of a finding: its basis where it is present, and whether its absence was examined."""
    if finding.status is Status.PRESENT:
        return finding.basis.value if finding.basis else EXAMINED
    if finding.status is Status.ABSENT:
        return ABSENT if finding.basis is Basis.EXAMINED else ABSENT_NOT_EXAMINED
    return UNKNOWN


def is_examined_normal(facts: Facts, table: Table) -> bool:
    """Whether every sign that "benign" needs is absent on examination."""
    return {ABSENT}.issuperset(map(facts.get, table.benign_signs))


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
    for name, short, days in (
        ("lasts-long", "short", limits.persistent_days),
        ("lasts-long-for-eyelid", "short-for-eyelid", limits.eyelid_days),
    ):
        facts[name] = longer_than(twitch.onset, days, as_of)
        facts[short] = _inverted(facts[name])
    facts["began-within-two-days"] = recent(twitch.onset, limits.sudden_days, as_of)
    first = twitch.onset.earliest or twitch.first_recorded
    facts[NEW_TWITCH] = recent(Days(first, twitch.onset.latest), limits.new_onset_days, as_of)
    sited, regions = bool(twitch.sites) or twitch.generalized, twitch.regions

    def site_fact(true: bool) -> str:
        return TRUE if true else FALSE if sited else UNKNOWN

    facts["several-regions"] = site_fact(twitch.generalized or len(regions) > 1)
    facts["isolated-eyelid"] = site_fact(twitch.isolated_eyelid)
    for name, region in (("leg", "legs"), ("arm", "arms"), ("face", "face"), ("tongue", "tongue")):
        facts[f"{name}-site"] = site_fact(region in regions)
    years = record.patient.born, as_of
    facts["child-age"] = age_below(years[0], limits.child_years, as_of)
    facts["small-child"] = age_below(years[0], limits.small_child_years, as_of)
    facts["sixty-or-older"] = _inverted(age_below(years[0], limits.old_years, as_of))


def _inverted(fact: str) -> str:
    return {TRUE: FALSE, FALSE: TRUE}.get(fact, UNKNOWN)


def _course_facts(record: Record, table: Table, facts: dict[str, str]) -> None:
    """Course of the twitch and of each sign, each by its own record only."""
    courses = record.twitch.courses
    facts["continuous"] = TRUE if "continuous" in courses else FALSE if courses & _INTERRUPTED else UNKNOWN
    facts["persistent-pattern"] = TRUE if "persistent" in courses else UNKNOWN
    worsening = {f.id for f in record.findings.values() if f.status is Status.PRESENT and f.worsening}
    worse = bool(courses & _WORSE) or not worsening.isdisjoint(table.signs)
    facts["getting-worse"] = TRUE if worse else FALSE if courses & _STABLE else UNKNOWN
    weakness = record.finding("weakness")
    settled = weakness.worsening is False and weakness.status is Status.PRESENT
    facts["weakness-settled-course"] = TRUE if settled else FALSE
    facts["weakness-recent"] = recent(weakness.start, table.thresholds.rapid_weakness_days, record.as_of)
    facts["old-bulbar-only"] = TRUE if _old_bulbar_only(record) else FALSE


def recent(start: Days, days: int, as_of: date) -> str:
    """true if even the earliest possible start is at most so many days ago, false if the latest is not."""
    if start.earliest is not None and days_between(start.earliest, as_of) <= days:
        return TRUE
    if start.latest is not None and days_between(start.latest, as_of) > days:
        return FALSE
    return UNKNOWN


def _old_bulbar_only(record: Record) -> bool:
    """Whether the bulbar sign is listed or reported, and only on days before the twitch can have begun."""
    finding, onset = present(record, "bulbar"), record.twitch.onset.earliest
    if finding is None or finding.basis is Basis.EXAMINED or finding.worsening or onset is None:
        return False
    days = [e.day for e in finding.evidence if e.status is Status.PRESENT and not e.history]
    return bool(days) and all(day is not None and day < onset for day in days)


def _drug_facts(record: Record, table: Table, facts: dict[str, str]) -> None:
    for drug in record.drugs:
        stopped = stopped_before(drug, record, table)
        for drug_class in drug.classes:
            key = f"drug {drug_class}"
            plausible = drug.plausible.value
            if _RANK[plausible] >= _RANK.get(facts.get(key, ""), -1):
                facts[key] = plausible
            if drug.current:
                facts[f"current {drug_class}"] = TRUE
            elif stopped:
                facts[f"stopped {drug_class}"] = TRUE
    unseen = {"medications", "medicationStatements"} <= set(record.not_seen)
    raises = [drug for drug in record.drugs if drug.raises_potassium and drug.current]
    facts["raises-potassium"] = TRUE if unseen or raises else FALSE
    known = any(drug.recognised for drug in raises)
    facts[POTASSIUM_RAISING] = TRUE if known else FALSE


def stopped_before(drug: Drug, record: Record, table: Table) -> bool:
    """Whether its latest possible end lies before the earliest onset, by at most so many days."""
    end, onset = drug.end, record.twitch.onset
    if end is None or end.latest is None or onset.earliest is None:
        return False
    days = days_between(end.latest, onset.earliest)
    return 0 < days <= table.thresholds.antidepressant_stopped_days


def _pattern_facts(record: Record, table: Table, facts: dict[str, str]) -> None:
    """What speaks against the benign pattern beside the rows."""
    facts["examined-normal"] = TRUE if is_examined_normal(facts, table) else FALSE
    quiet = table.triggers | table.benign_ignores
    others = [f for f in record.findings.values() if f.status is Status.PRESENT and f.id not in quiet]
    facts["other-finding-present"] = TRUE if others else FALSE
    named = [f for f in named_findings(record, table) if f.id not in table.benign_ignores]
    facts["named-beside-pregnancy"] = TRUE if named else FALSE
    signs = [record.findings[name] for name in table.history_signs if name in record.findings]
    old = [e for sign in signs for e in sign.evidence if e.history and e.status is Status.PRESENT]
    facts["sign-in-history"] = TRUE if old else FALSE
    facts["sign-disputed"] = TRUE if [sign for sign in signs if sign.conflict] else FALSE


def named_findings(record: Record, table: Table) -> tuple[Finding, ...]:
    """Diagnoses that are named without changing a level, and acute states that are over, but not for long."""
    recorded = record.findings
    named = [f for f in map(recorded.get, table.named) if f is not None and f.status is Status.PRESENT]
    limits = table.thresholds
    for name in sorted(table.acute & record.findings.keys()):
        finding = record.findings[name]
        old = old_evidence(finding)
        if finding.status is Status.PRESENT or old is None or old.day is None:
            continue
        if days_between(old.day, record.as_of) <= limits.acute_named_days:
            named.append(finding)
    return tuple(named)


def old_evidence(finding: Finding) -> Evidence | None:
    """The newest record of its presence that no longer counts."""
    old = [e for e in finding.evidence if e.history and e.status is Status.PRESENT]
    return max(old, key=lambda e: (e.day or date.min, e.reference), default=None)


def answered(record: Record, table: Table, facts: Facts, answers: Facts) -> dict[str, str]:
    """The facts that answers of today about findings give: what the next call would read otherwise."""
    changed = dict(answers)
    if answers.get("weakness") in PRESENT:
        start = _start_if_found_today(record)
        changed["weakness-recent"] = recent(start, table.thresholds.rapid_weakness_days, record.as_of)
        changed["weakness-settled-course"] = FALSE
    if not answers.keys().isdisjoint(table.benign_signs):
        changed["examined-normal"] = TRUE if is_examined_normal({**facts, **answers}, table) else FALSE
    for finding, fact in answers.items():
        if fact in PRESENT and finding not in table.triggers and finding not in table.benign_ignores:
            changed["other-finding-present"] = TRUE
    return changed


def _start_if_found_today(record: Record) -> Days:
    """When a weakness that is found today can have begun (section 1, "Start of a finding")."""
    finding, onset = record.finding("weakness"), record.twitch.onset.earliest
    absent = [
        e.day
        for e in finding.evidence
        if e.status is Status.ABSENT and e.basis is Basis.EXAMINED and e.day is not None
    ]
    gone = max(absent, default=date.min)
    # Too old to count, not ended, and not found absent since: it was there all the time.
    listed = [
        e.day
        for e in finding.evidence
        if e.status is Status.PRESENT and e.history and not e.ended and (e.day is None or e.day > gone)
    ]
    if listed:
        return Days(None, min((day for day in listed if day), default=None))
    bounds = [day for day in (onset, *(date.fromordinal(d.toordinal() + 1) for d in absent)) if day]
    bounds = [day for day in bounds if day <= record.as_of]
    return Days(max(bounds, default=None), record.as_of)
