"""Section 5 once more, and plainly: write each answer into the record, and decide again.

Shares the decision with the service, and nothing of its questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fhir_mappings.record import Basis, Days, Evidence, Finding, Record, Site, Status
from service.decision.facts import facts_of
from service.decision.on_file import FiledTests
from service.decision.outcome import outcome_of
from service.decision.recommendations import Outcome, Recommendation
from service.knowledge import load_knowledge

TABLE = load_knowledge().table
RANKS = ("none", "info", "warning", "critical")
# What is asked as yes or no; signs are examined, symptoms told.
SIGNS = ("weakness", "atrophy", "sensory-loss", "coordination", "upper-motor-sign", "rigidity", "bulbar")
SYMPTOMS = ("breathing-difficulty", "orthopnea", "movement", "tingling", "pain", "cramps", "stiffness")
IN_RANGE = ("weakness", "atrophy", "sensory-loss", "bulbar", "breathing-difficulty", "orthopnea")
# Days ago, as an answer to "since when".
ONSETS = (1, 10, 50, 200, 500)
PLACES = (("eyelid", None), ("hand", "arms"), ("calf", "legs"), ("face", "face"), ("trunk", "trunk"),
          ("tongue", "tongue"))  # fmt: skip
COURSES = ({"stable", "intermittent"}, {"stable", "continuous"}, {"worsening", "intermittent"},
           {"worsening", "continuous"})  # fmt: skip
AGES = (2, 10, 40, 70)

Advice = tuple[str, tuple[tuple[object, ...], ...]]


@dataclass(frozen=True)
class Tried:
    """What each answer leads to; of a yes or no question first present, then absent."""

    outcomes: tuple[Outcome, ...]

    @property
    def differ(self) -> bool:
        return len({advice(outcome) for outcome in self.outcomes}) > 1


def decided(record: Record) -> Outcome:
    facts = facts_of(record, TABLE)
    return outcome_of(FiledTests(record, TABLE, facts), facts)


def advice(outcome: Outcome) -> Advice:
    """The level and what is recommended at it."""

    def wanted(made: Recommendation) -> tuple[object, ...]:
        return made.id, made.urgency, made.analytes, made.findings

    return outcome.level, tuple(map(wanted, outcome.recommendations))


def is_open(record: Record, name: str) -> bool:
    """Unknown, or a sign that nobody examined and that is only said to be absent."""
    finding = record.finding(name)
    if finding.status is Status.ABSENT:
        return name in SIGNS and finding.basis is not Basis.EXAMINED
    return finding.status is Status.UNKNOWN


def found(record: Record, name: str, present: bool, basis: Basis | None = None) -> Record:
    """The record with that finding, seen or told today."""
    basis = basis or (Basis.EXAMINED if name in SIGNS else Basis.REPORTED)
    before = record.finding(name).evidence
    status = Status.PRESENT if present else Status.ABSENT
    evidence = Evidence("Observation/answer", "Observation.value", name, status, basis, record.as_of)
    absent = [e.day for e in before if e.status is Status.ABSENT and e.basis is Basis.EXAMINED and e.day]
    bounds = [day + timedelta(days=1) for day in absent]
    bounds += [record.twitch.onset.earliest] if record.twitch.onset.earliest else []
    earliest = max((day for day in bounds if day <= record.as_of), default=None)
    latest = record.as_of
    # Recorded long ago, and never as ended or absent: not later than that.
    lasting = [
        e.day
        for e in before
        if e.status is Status.PRESENT
        and e.history
        and not e.ended
        and e.day
        and e.day > max(absent, default=date.min)
    ]
    if lasting:
        latest = min(lasting)
        earliest = earliest if earliest and earliest <= latest else None
    finding = Finding(
        name,
        status,
        basis,
        start=Days(earliest, latest) if present else Days(),
        first_examined=record.as_of if present and basis is Basis.EXAMINED else None,
        recorded=record.as_of,
        evidence=(*before, evidence),
    )
    return replace(record, findings={**record.findings, name: finding})


def _with_onset(record: Record) -> Iterator[Record]:
    known = record.twitch.onset
    for days in ONSETS:
        day = record.as_of - timedelta(days=days)
        if (known.earliest or date.min) <= day <= (known.latest or date.max):
            yield replace(record, twitch=replace(record.twitch, onset=Days(day, day)))


def _with_site(record: Record) -> Iterator[Record]:
    if not record.twitch.sites:
        places = [(place,) for place in PLACES] + [(PLACES[1], PLACES[2])]
        for chosen in places:
            sites = tuple(Site(name, name, region) for name, region in chosen)
            yield replace(record, twitch=replace(record.twitch, sites=sites))


def _with_course(record: Record) -> Iterator[Record]:
    known = record.twitch.courses
    steady = known & {"stable", "improving"}
    worse = known & {"worsening", "spreading"}
    broken = known & {"intermittent", "recurrent"}
    for courses in COURSES:
        against = (
            (steady and "worsening" in courses)
            or (worse and "stable" in courses)
            or (broken and "continuous" in courses)
            or ("continuous" in known and "intermittent" in courses)
        )
        if not against:
            yield replace(record, twitch=replace(record.twitch, courses=frozenset(known | courses)))


def _with_age(record: Record) -> Iterator[Record]:
    if not record.patient.born.known:
        for age in AGES:
            born = date(record.as_of.year - age, record.as_of.month, record.as_of.day)
            yield replace(record, patient=replace(record.patient, born=Days(born, born)))


def _with_start(record: Record) -> Iterator[Record]:
    weak = record.finding("weakness")
    facts = facts_of(record, TABLE)
    if weak.status is Status.PRESENT and facts["weakness-recent"] == "unknown":
        for days in (28, 29):
            day = record.as_of - timedelta(days=days)
            started = replace(weak, start=Days(day, day))
            yield replace(record, findings={**record.findings, "weakness": started})


def every_answer(record: Record) -> dict[str, Tried]:
    """Finding or question in words -> what its answers lead to, where it is open."""
    tried = {
        name: Tried(tuple(decided(found(record, name, present)) for present in (True, False)))
        for name in (*SIGNS, *SYMPTOMS)
        if is_open(record, name)
    }
    words = {
        "onset": _with_onset,
        "site": _with_site,
        "course": _with_course,
        "age": _with_age,
        "weakness-start": _with_start,
    }
    for name, answers in words.items():
        outcomes = tuple(map(decided, answers(record)))
        if outcomes:
            tried[name] = Tried(outcomes)
    return tried


def levels(record: Record) -> tuple[str, str]:
    """Of today, and of all that is unknown of orders 1 to 3 absent, and present, on examination."""
    unknown = [name for name in IN_RANGE if is_open(record, name)]
    reached = [RANKS.index(decided(record).level)]
    for present in (False, True):
        completed = record
        for name in unknown:
            completed = found(completed, name, present, Basis.EXAMINED)
        reached.append(RANKS.index(decided(completed).level))
    return RANKS[min(reached)], RANKS[max(reached)]
