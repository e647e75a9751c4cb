"""The sixteen patients as typed values. Days are whole days before the decision date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

# Any day does, as long as nothing in the tests depends on today.
AS_OF = date(2026, 6, 15)


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
class Twitch:
    """The twitch: status "present" or "absent"; onset None: not recorded."""

    status: str = "present"
    sites: tuple[str, ...] = ()
    side: str | None = None
    onset: int | None = None
    courses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A result; value, low and high are decimals as a laboratory prints them."""

    analyte: str
    value: str
    unit: str
    days: int
    flag: str
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer must and must not say. See patients.yaml."""

    levels: tuple[str, ...]
    rows: tuple[str, ...]
    silent: bool = False
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
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
    diagnoses: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    drugs: Mapping[str, int] = field(default_factory=dict)
    results: tuple[Value, ...] = ()
    orders: Mapping[str, int] = field(default_factory=dict)
    studies: Mapping[str, int] = field(default_factory=dict)
    procedures: Mapping[str, int] = field(default_factory=dict)

    @property
    def birth_date(self) -> str:
        """A day on which the patient is exactly between two birthdays of months."""
        return day(round(self.age_months * 30.4375) + 10)


def _statements(entry: Mapping[str, Any]) -> tuple[Statement, ...]:
    found = [Statement(name, present=False) for name in entry.get("normal", ())]
    for name, says in entry.get("findings", {}).items():
        found.append(
            Statement(
                name,
                present=says["status"] == "present",
                examined=says.get("basis", "examined") == "examined",
                days=says.get("days", 0),
                since=says.get("since"),
                course=says.get("course"),
            )
        )
    for name, status in entry.get("triggers", {}).items():
        found.append(Statement(name, present=status == "present", examined=False, social=True))
    return tuple(found)


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def _person(entry: Mapping[str, Any]) -> Person:
    same = ("id", "title", "age_months", "sex")
    maps = ("refuted", "diagnoses", "drugs", "orders", "studies", "procedures")
    unknown = set(entry) - {*same, *maps, "twitch", "normal", "findings", "triggers", "problems", "results"}
    if unknown - {"expected"}:
        raise ValueError(f"{entry['id']}: not a member of a patient: {sorted(unknown)}")
    return Person(
        **{key: entry[key] for key in same},
        **{key: entry.get(key, {}) for key in maps},
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
BY_ID = {person.id: person for person in PEOPLE}
