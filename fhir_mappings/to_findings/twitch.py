"""All current statements about the fasciculation, taken together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fhir_mappings.record import Days, Status, Twitch
from fhir_mappings.to_findings.statements import Statement, evidence_of, resolve


def twitch_of(
    statements: Sequence[Statement],
    loose_courses: frozenset[str],
    as_of: date,
    label: str,
    told: Sequence[Statement] = (),
) -> Twitch:
    """The twitch. An Observation that did not see it does not close an active Condition.

    Args:
        loose_courses: recorded by Observations of no finding themselves.
        label: how the knowledge files call the twitch.
        told: by answers of a form about the twitch: they join one that is on record, and make none.
    """
    current = [s for s in statements if s.counts and s.status is Status.PRESENT]
    # Twitching is intermittent: not seeing it today does not end it.
    if resolve([s for s in statements if s.condition]).status is not Status.PRESENT:
        outcome = resolve(statements)
        if outcome.status is not Status.PRESENT:
            return Twitch(outcome.status, evidence_of(statements, outcome.deciding))
        deciding = set(map(id, outcome.deciding))
        current = [s for s in current if id(s) in deciding]
    joined = [*current, *(s for s in told if s.counts)]
    sites = sorted({site for s in joined for site in s.sites}, key=str)
    courses = {course for s in joined for course in s.courses} | loose_courses
    if "worsening" in courses and _names_newer_region(joined):
        courses.add("spreading")
    newest = max((s.sort_day for s in current), default=date.min)
    return Twitch(
        Status.PRESENT,
        evidence=evidence_of((*statements, *told), joined),
        onset=_onset(joined, as_of),
        onset_texts=tuple(sorted({s.onset_text for s in current if s.onset_text})),
        sites=tuple(site for site in sites if site.id != "generalized"),
        generalized=any(site.id == "generalized" for site in sites),
        courses=frozenset(courses),
        label=label,
        references=tuple(sorted({s.reference for s in current})),
        not_seen_lately=any(
            s.counts and s.status is Status.ABSENT and not s.condition and s.sort_day >= newest
            for s in statements
        ),
        in_words=all(s.in_words for s in current),
        first_recorded=min((s.day for s in current if s.day), default=None),
    )


def _onset(current: Sequence[Statement], as_of: date) -> Days:
    """The earliest stated onset; the days on which it was recorded prove only "at least since"."""
    stated = [s.since for s in current if s.since.known]
    earliest = min((days.earliest for days in stated if days.earliest), default=None)
    bounds = [days.latest for days in stated if days.latest]
    bounds += [s.at_least for s in current if s.at_least]
    latest = min([*bounds, as_of]) if bounds else None
    if earliest is not None and latest is not None and latest < earliest:
        # Recorded before it is said to have begun: how much longer ago is not known.
        earliest = None
    return Days(earliest, latest)


def _names_newer_region(current: Sequence[Statement]) -> bool:
    """Whether a later record names a region that no earlier one does."""
    by_day: dict[date, set[str]] = {}
    for statement in current:
        if statement.sites:
            regions = {site.region for site in statement.sites if site.region}
            by_day.setdefault(statement.sort_day, set()).update(regions)
    days = sorted(by_day)
    seen = by_day[days[0]] if days else set()
    return any(by_day[day] - seen for day in days[1:])
