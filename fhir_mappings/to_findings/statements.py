"""What single records say about a finding, and how they are weighed against each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from fhir_mappings.record import Basis, Days, Evidence, Finding, Site, Status
from fhir_mappings.resources.dates import NO_DAY

_WORSE = frozenset({"worsening", "spreading"})
_SETTLED = frozenset({"stable", "improving"})


class Said(msgspec.Struct, frozen=True, gc=False):
    """One record's word on one finding.

    day: the day it is dated by; None = undated, which is oldest. history: it speaks no longer.
    since: a stated start. at_least: the record itself proves that it was there on that day.
    """

    finding: str
    status: Status
    basis: Basis
    reference: str
    expression: str
    text: str
    day: date | None = None
    history: bool = False
    since: Days = NO_DAY
    at_least: date | None = None
    onset_text: str | None = None
    sites: tuple[Site, ...] = ()
    courses: frozenset[str] = frozenset()
    suspected: bool = False
    condition: bool = False

    @property
    def sort_day(self) -> date:
        return self.day or date.min

    @property
    def speaks(self) -> bool:
        """It says something that counts today."""
        return not self.history and self.status is not Status.UNKNOWN


class Weighed(msgspec.Struct, frozen=True, gc=False):
    """The outcome of a conflict. deciding: the records that agree with it and were used."""

    status: Status
    basis: Basis | None = None
    deciding: tuple[Said, ...] = ()
    conflict: bool = False


def weighed(said: Iterable[Said]) -> Weighed:
    """Section 1, Conflict: by body site, newest examined first, a newer report of presence looks again."""
    speaking = [one for one in said if one.speaks]
    if not speaking:
        return Weighed(Status.UNKNOWN)
    if len(speaking) == 1:
        (one,) = speaking
        basis = Basis.EXAMINED if one.basis is Basis.EXAMINED else Basis.REPORTED
        return Weighed(one.status, basis, (one,))
    places = {(site.id, site.side) for one in speaking for site in one.sites}
    unsited = [one for one in speaking if not one.sites]
    groups = [
        [one for one in speaking if not one.sites or any((s.id, s.side) == place for s in one.sites)]
        for place in sorted(places, key=str)
    ]
    if unsited:
        groups.append(unsited)
    deciding = [_decider(group) for group in groups]
    present = [one for one in deciding if one.status is Status.PRESENT]
    used = present or deciding
    conflict = any(len({one.status for one in group}) > 1 for group in groups)
    examined = any(one.basis is Basis.EXAMINED for one in used)
    agreeing = tuple(
        one
        for group, decider in zip(groups, deciding, strict=True)
        if decider in used
        for one in group
        if one.status is used[0].status
    )
    return Weighed(
        used[0].status,
        Basis.EXAMINED if examined else Basis.REPORTED,
        tuple(dict.fromkeys(agreeing)),
        conflict,
    )


def _decider(group: Sequence[Said]) -> Said:
    def newest(records: Iterable[Said]) -> Said | None:
        # On one day present beats absent; the reference makes the choice the same every time.
        return max(
            records,
            key=lambda one: (one.sort_day, one.status is Status.PRESENT, one.reference),
            default=None,
        )

    examined = newest(one for one in group if one.basis is Basis.EXAMINED)
    reported = [one for one in group if one.basis is Basis.REPORTED]
    if examined is None:
        found = newest(reported)
        assert found is not None  # noqa: S101 - a group is never empty
        return found
    if examined.status is Status.ABSENT:
        again = newest(
            one for one in reported if one.status is Status.PRESENT and one.sort_day > examined.sort_day
        )
        if again is not None:
            return again
    return examined


def finding_of(name: str, said: Sequence[Said]) -> Finding:
    """All that the records say about one finding."""
    if len(said) == 1:
        return _finding_of_one(name, said[0])
    outcome = weighed(said)
    deciding = outcome.deciding
    present = outcome.status is Status.PRESENT
    examined = [
        one.day for one in said if one.day and one.basis is Basis.EXAMINED and one.status is Status.PRESENT
    ]
    recorded = [one.day for one in deciding if one.day]
    return Finding(
        id=name,
        status=outcome.status,
        basis=outcome.basis,
        since=earliest_onset([one.since for one in deciding]) if present else NO_DAY,
        suspected=present and all(one.suspected for one in deciding),
        worsening=_worsening(deciding) if present else None,
        conflict=outcome.conflict,
        first_examined=min(examined) if examined else None,
        recorded=max(recorded) if recorded else None,
        evidence=evidence_of(said, deciding),
    )


def _finding_of_one(name: str, one: Said) -> Finding:
    """The same of one record, as most findings have: there is nothing to weigh."""
    speaks, there = one.speaks, one.status is Status.PRESENT
    examined = one.basis is Basis.EXAMINED
    present = speaks and there
    return Finding(
        id=name,
        status=one.status if speaks else Status.UNKNOWN,
        basis=(Basis.EXAMINED if examined else Basis.REPORTED) if speaks else None,
        since=one.since if present else NO_DAY,
        suspected=present and one.suspected,
        worsening=_worsening((one,)) if present and one.courses else None,
        first_examined=one.day if there and examined else None,
        recorded=one.day if speaks else None,
        evidence=(_evidence(one, used=speaks),),
    )


def evidence_of(said: Sequence[Said], used: Sequence[Said]) -> tuple[Evidence, ...]:
    """The places that were read, in an order that does not hang on how they were sent."""
    if len(said) == 1:
        return (_evidence(said[0], used=said[0] in used),)
    known = frozenset(used)
    ordered = sorted(said, key=lambda one: (one.reference, one.expression, one.status.value))
    return tuple(_evidence(one, used=one in known) for one in ordered)


def _evidence(one: Said, *, used: bool) -> Evidence:
    return Evidence(
        one.reference,
        one.expression,
        one.text,
        one.status,
        one.basis,
        one.day,
        used=used,
        history=one.history,
    )


def earliest_onset(onsets: Sequence[Days]) -> Days:
    """The earliest of several stated onsets."""
    if len(onsets) == 1:
        return onsets[0]
    known = [onset for onset in onsets if onset.known]
    return Days(
        min((onset.earliest for onset in known if onset.earliest), default=None),
        min((onset.latest for onset in known if onset.latest), default=None),
    )


def _worsening(said: Iterable[Said]) -> bool | None:
    courses = {course for one in said for course in one.courses}
    if courses & _WORSE:
        return True
    return False if courses & _SETTLED else None
