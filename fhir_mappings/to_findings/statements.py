"""Statements of single records about a finding, and how conflicts between them are resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from operator import attrgetter

import msgspec

from fhir_mappings.record import Basis, Days, Evidence, Finding, Site, Status
from fhir_mappings.resources.dates import NO_DAY

_WORSE = frozenset({"worsening", "spreading"})
_SETTLED = frozenset({"stable", "improving"})
_day = attrgetter("day")
_Evident = Callable[["Statement"], tuple[str, str, str, Status, Basis, date | None]]
_evident: _Evident = attrgetter("reference", "expression", "text", "status", "basis", "day")
_RANK = {Basis.REPORTED: 0, Basis.LISTED: 1, Basis.EXAMINED: 2}


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One record's claim about one finding.

    day: the day it is dated by; None = undated, which is oldest. history: it no longer counts.
    ended: history because of its status, not of its age. acute: of a state that counts for days only.
    since: a stated start. at_least: the record itself proves that it was there on that day.
    condition: made by a Condition. in_words: of a record whose code is not known.
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
    ended: bool = False
    acute: bool = False
    in_words: bool = False

    @property
    def sort_day(self) -> date:
        """Its day; the first of all days if it is undated."""
        return self.day or date.min

    @property
    def counts(self) -> bool:
        """Whether it states presence or absence today."""
        return not self.history and self.status is not Status.UNKNOWN


class Resolution(msgspec.Struct, frozen=True, gc=False):
    """The outcome of statements about one finding. deciding: those that agree with it and were used."""

    status: Status
    basis: Basis | None = None
    deciding: tuple[Statement, ...] = ()
    conflict: bool = False


def resolve(statements: Iterable[Statement]) -> Resolution:
    """Resolve the statements that count: by body site, the newest examined or listed one decides.

    A newer report of presence overrules an absence (section 1 of the decision model, Conflict).
    """
    return resolve_all([statement for statement in statements if statement.counts])


def resolve_all(counting: Sequence[Statement]) -> Resolution:
    """Resolve statements of presence and absence, those of history too."""
    if not counting:
        return Resolution(Status.UNKNOWN)
    if len(counting) == 1:
        return Resolution(counting[0].status, counting[0].basis, (counting[0],))
    places = {(site.id, site.side) for statement in counting for site in statement.sites}
    unsited = [statement for statement in counting if not statement.sites]
    groups = [[s for s in counting if not s.sites or _is_at(s, place)] for place in places]
    if unsited:
        groups.append(unsited)
    decided = [(_decider(group), group) for group in groups]
    present = any(decider.status is Status.PRESENT for decider, _ in decided)
    status = Status.PRESENT if present else Status.ABSENT
    used = [(decider, group) for decider, group in decided if decider.status is status]
    return Resolution(
        status,
        max((decider.basis for decider, _ in used), key=_RANK.__getitem__),
        tuple(statement for _, group in used for statement in group if statement.status is status),
        conflict=any(len({statement.status for statement in group}) > 1 for group in groups),
    )


def _is_at(statement: Statement, place: tuple[str, str | None]) -> bool:
    return any((site.id, site.side) == place for site in statement.sites)


def _decider(group: Sequence[Statement]) -> Statement:
    """The statement of a group, which is not empty, that decides."""
    # On one day examined beats listed, then present beats absent; the reference makes the order certain.
    newest_first = sorted(
        group,
        key=lambda s: (s.sort_day, _RANK[s.basis], s.status is Status.PRESENT, s.reference),
        reverse=True,
    )
    looked = next((s for s in newest_first if s.basis is not Basis.REPORTED), None)
    if looked is None:
        return newest_first[0]
    if looked.status is Status.ABSENT:
        for statement in newest_first:
            if (
                statement.basis is Basis.REPORTED
                and statement.status is Status.PRESENT
                and statement.sort_day > looked.sort_day
            ):
                return statement
    return looked


def finding_of(
    name: str,
    statements: Sequence[Statement],
    outcome: Resolution,
    twitch_onset: date | None,
) -> Finding:
    """The finding that the statements about it result in.

    Args:
        twitch_onset: the earliest possible onset of the twitch.
    """
    deciding = outcome.deciding
    present = outcome.status is Status.PRESENT
    since = _earliest([statement.since for statement in deciding]) if present else NO_DAY
    shown = [s for s in statements if s.status is Status.PRESENT]
    absence = _last_absence(statements, deciding) if shown else None
    seen = _seen(shown, deciding, absence) if shown else []
    looked = [s.day for s in seen if s.day and s.basis is not Basis.REPORTED] if seen else []
    return Finding(
        id=name,
        status=outcome.status,
        basis=outcome.basis,
        since=since,
        start=_start(since, seen, absence, twitch_onset) if present else NO_DAY,
        suspected=present and all(statement.suspected for statement in deciding),
        worsening=_worsening(deciding) if present else None,
        conflict=outcome.conflict,
        first_examined=min(looked, default=None),
        recorded=max(filter(None, map(_day, deciding)), default=None),
        evidence=evidence_of(statements, deciding),
    )


def _last_absence(statements: Iterable[Statement], deciding: Sequence[Statement]) -> date | None:
    """The newest day before the deciding records on which an examination found it absent.

    An absence elsewhere on the body is another's.
    """
    newest = max((s.sort_day for s in deciding), default=date.min)
    sited = all(s.sites for s in deciding)
    places = {(site.id, site.side) for s in deciding for site in s.sites}
    return max(
        (
            s.day
            for s in statements
            if s.day
            and s.day < newest
            and s.status is Status.ABSENT
            and s.basis is Basis.EXAMINED
            and (not s.sites or (sited and places <= {(site.id, site.side) for site in s.sites}))
        ),
        default=None,
    )


def _seen(shown: Iterable[Statement], deciding: Iterable[Statement], absence: date | None) -> list[Statement]:
    """The records of it as present since it was last absent; those that are only too old are among them."""
    used = set(map(id, deciding))
    return [
        s
        for s in shown
        if (not s.ended or id(s) in used) and (s.day is None or absence is None or s.day > absence)
    ]


def _start(since: Days, seen: Sequence[Statement], absence: date | None, twitch_onset: date | None) -> Days:
    """When it began: as stated, else by the first record and the onset of the twitch, after any absence."""
    days = [s.day for s in seen if s.day]
    first = min(days, default=None)
    earliest, latest = since.earliest, since.latest
    if not since.known:
        # An undated record may be the first.
        all_dated = len(days) == len(seen)
        if all_dated and first is not None and twitch_onset is not None and first >= twitch_onset:
            earliest = twitch_onset
        latest = first
    elif earliest is not None and first is not None and first < earliest:
        # Recorded before it is said to have begun: how much longer ago is not known.
        earliest = None
    if absence is not None:
        earliest = max(earliest or date.min, absence + timedelta(days=1))
        if latest is not None and latest < earliest:
            latest = first
    if first is not None and latest is not None:
        latest = min(latest, first)
    return Days(earliest, latest)


def evidence_of(statements: Iterable[Statement], used: Iterable[Statement]) -> tuple[Evidence, ...]:
    """The places that were read, in an order that does not depend on how they were sent."""
    # By their identity: to hash all members of a statement takes longer than to resolve it.
    identities = set(map(id, used))
    ordered = sorted(statements, key=attrgetter("reference", "expression", "status"))
    found = []
    for s in ordered:
        found.append(Evidence(*_evident(s), used=id(s) in identities, history=s.history, ended=s.ended))
    return tuple(found)


def _earliest(onsets: Iterable[Days]) -> Days:
    """The earliest of several stated onsets."""
    known = [onset for onset in onsets if onset.known]
    return Days(
        min((onset.earliest for onset in known if onset.earliest), default=None),
        min((onset.latest for onset in known if onset.latest), default=None),
    )


def _worsening(statements: Iterable[Statement]) -> bool | None:
    courses = {course for statement in statements for course in statement.courses}
    if courses & _WORSE:
        return True
    return False if courses & _SETTLED else None
