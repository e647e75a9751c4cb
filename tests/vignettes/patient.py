"""The test patients as typed values. Days are whole days before the decision date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

# Any day does, as long as nothing in the tests depends on today.
AS_OF = date(2026, 6, 15)
# What a whole examination looks for.
NORMAL = (
    "weakness",
    "atrophy",
    "sensory-loss",
    "tingling",
    "pain",
    "cramps",
    "coordination",
    "movement",
    "bulbar",
    "breathing-difficulty",
)


def day(days_ago: int) -> str:
    """That many days before the decision date, as a FHIR date."""
    return (AS_OF - timedelta(days=days_ago)).isoformat()


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that was looked for or told. since: days back to its own start. social: a habit."""

    finding: str
    present: bool
    examined: bool = True
    days: int = 0
    since: int | None = None
    course: str | None = None
    social: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry of the problem list. reads: the status that its finding has today."""

    recorded: int
    onset: int | None = None
    verification: str = "confirmed"
    clinical: str = "active"
    reads: str = "present"


@dataclass(frozen=True, slots=True)
class Course:
    """A course of a medicine; end None: it is still taken."""

    start: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """A test or a referral that was ordered."""

    days: int
    priority: str = "routine"
    status: str = "active"


@dataclass(frozen=True, slots=True)
class Twitch:
    """The twitch: status "present" or "absent"; onset None: not recorded; words: text without a code."""

    status: str = "present"
    words: str | None = None
    sites: tuple[str, ...] = ()
    side: str | None = None
    onset: int | None = None
    courses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A result; value, low and high are decimals as a laboratory prints them; flag "": none."""

    analyte: str
    value: str
    unit: str
    days: int
    flag: str = ""
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer must and must not be. See patients.yaml."""

    levels: tuple[str, ...]
    rows: tuple[str, ...]
    silent: bool = False
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    urgency: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)
    analytes_not: tuple[str, ...] = ()
    mention: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    disease_named: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One test patient."""

    id: str
    title: str
    age_months: int
    sex: str
    twitch: Twitch
    expected: Expected
    statements: tuple[Statement, ...] = ()
    refuted: Mapping[str, int] = field(default_factory=dict)
    diagnoses: Mapping[str, Problem] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    family: Mapping[str, str] = field(default_factory=dict)
    drugs: Mapping[str, Course] = field(default_factory=dict)
    results: tuple[Value, ...] = ()
    orders: Mapping[str, Ordered] = field(default_factory=dict)
    studies: Mapping[str, int] = field(default_factory=dict)
    procedures: Mapping[str, int] = field(default_factory=dict)

    @property
    def birth_date(self) -> str:
        """A day on which the patient is exactly between two birthdays of months."""
        return day(round(self.age_months * 30.4375) + 10)


def _normal(says: Any) -> tuple[str, ...]:
    """The findings looked for today and not there: their names, or all but some."""
    if isinstance(says, dict):
        return tuple(name for name in NORMAL if name not in says["but"])
    return NORMAL if says == "all" else tuple(says)


def _statements(entry: Mapping[str, Any]) -> tuple[Statement, ...]:
    found = [Statement(name, present=False) for name in _normal(entry.get("normal", ()))]
    for name, records in entry.get("findings", {}).items():
        for record in records if isinstance(records, list) else [records]:
            found.append(
                Statement(
                    name,
                    present=record["status"] == "present",
                    examined=record.get("basis", "examined") == "examined",
                    days=record.get("days", 0),
                    since=record.get("since"),
                    course=record.get("course"),
                )
            )
    for name, status in entry.get("triggers", {}).items():
        found.append(Statement(name, present=status == "present", examined=False, social=True))
    return tuple(found)


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def _problem(says: int | Mapping[str, Any]) -> Problem:
    """A number of days: begun and recorded on that day."""
    return Problem(says, says) if isinstance(says, int) else Problem(**says)


def _course(says: int | Mapping[str, Any]) -> Course:
    return Course(says) if isinstance(says, int) else Course(**says)


def _ordered(says: int | Mapping[str, Any]) -> Ordered:
    return Ordered(says) if isinstance(says, int) else Ordered(**says)


# Members that map a name to something -> how its value is written.
_MAPS: Mapping[str, Any] = {
    "refuted": int,
    "diagnoses": _problem,
    "family": str,
    "drugs": _course,
    "orders": _ordered,
    "studies": int,
    "procedures": int,
}


def _person(entry: Mapping[str, Any]) -> Person:
    same = ("id", "title", "age_months", "sex")
    lists = ("twitch", "normal", "findings", "triggers", "problems", "results", "expected")
    unknown = set(entry) - {*same, *_MAPS, *lists}
    if unknown:
        raise ValueError(f"{entry['id']}: not a member of a patient: {sorted(unknown)}")
    maps: dict[str, Any] = {
        key: {name: made(says) for name, says in entry.get(key, {}).items()} for key, made in _MAPS.items()
    }
    return Person(
        **{key: entry[key] for key in same},
        **maps,
        twitch=Twitch(**_tuples(entry["twitch"])),
        statements=_statements(entry),
        problems=tuple(entry.get("problems", ())),
        results=tuple(Value(**item) for item in entry.get("results", ())),
        expected=Expected(**_tuples(entry["expected"])),
    )


def people(file: str) -> tuple[Person, ...]:
    """The patients of a file beside this one, in its order."""
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    return tuple(_person(entry) for entry in yaml.safe_load(text))


PEOPLE = people("patients.yaml")
OWN = people("more_patients.yaml")
EVERYONE = (*PEOPLE, *OWN)
BY_ID = {person.id: person for person in EVERYONE}
