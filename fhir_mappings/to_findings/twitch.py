"""All current fasciculation records, taken together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fhir_mappings.record import Days, Status, Twitch
from fhir_mappings.to_findings.statements import Said, evidence_of, weighed


def twitch_of(said: Sequence[Said], loose_courses: frozenset[str], as_of: date, label: str) -> Twitch:
    """The twitch. An active Condition is not closed by an Observation that did not see it."""
    by_all = weighed(said)
    conditions = [one for one in said if one.condition]
    by_condition = weighed(conditions) if len(conditions) < len(said) else by_all
    current = [one for one in said if one.speaks and one.status is Status.PRESENT]
    # Twitching is intermittent: not seeing it today does not end it.
    if by_condition.status is not Status.PRESENT:
        if by_all.status is not Status.PRESENT:
            return Twitch(by_all.status, evidence_of(said, by_all.deciding))
        deciding = frozenset(by_all.deciding)
        current = [one for one in current if one in deciding]
    sites = {site for one in current for site in one.sites}
    # Two sites are compared as they are written, which takes longer than all else here.
    ordered = sorted(sites, key=str) if len(sites) > 1 else sites
    courses = {course for one in current for course in one.courses} | loose_courses
    if "worsening" in courses and _newer_region(current):
        courses.add("spreading")
    unseen = [one for one in said if one.speaks and one.status is Status.ABSENT and not one.condition]
    newest = max((one.sort_day for one in current), default=date.min)
    return Twitch(
        Status.PRESENT,
        evidence=evidence_of(said, current),
        onset=_onset(current, as_of),
        onset_texts=tuple(sorted({one.onset_text for one in current if one.onset_text})),
        sites=tuple([site for site in ordered if site.id != "generalized"]),
        generalized=any(site.id == "generalized" for site in sites),
        courses=frozenset(courses),
        label=label,
        references=tuple(sorted({one.reference for one in current})),
        not_seen_lately=any(one.sort_day >= newest for one in unseen),
    )


def _onset(current: Sequence[Said], as_of: date) -> Days:
    """The earliest stated onset; the days on which it was recorded prove only "at least since"."""
    stated = [one.since for one in current if one.since.known]
    earliest = min((days.earliest for days in stated if days.earliest), default=None)
    bounds = [days.latest for days in stated if days.latest]
    bounds += [one.at_least for one in current if one.at_least]
    latest = min([*bounds, as_of]) if bounds else None
    if earliest is not None and latest is not None and latest < earliest:
        # Recorded before it is said to have begun: how much longer ago is not known.
        earliest = None
    return Days(earliest, latest)


def _newer_region(current: Sequence[Said]) -> bool:
    """Whether a later record names a region that no earlier one does."""
    by_day: dict[date, set[str]] = {}
    for one in current:
        if one.sites:
            by_day.setdefault(one.sort_day, set()).update(s.region for s in one.sites if s.region)
    seen: set[str] = set()
    for index, day in enumerate(sorted(by_day)):
        if index and by_day[day] - seen:
            return True
        seen |= by_day[day]
    return False
