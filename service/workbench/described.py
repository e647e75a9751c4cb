"""A patient as the form describes them: read from its fields, every wrong one named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from service.errors import Issue, RequestError
from service.workbench.codings import Codings

Fields = Mapping[str, Sequence[str]]
# What FHIR takes as a date: a year, a month or a day.
_DATE = re.compile(r"[12]\d{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{1,9})?")
_STATES = ("present", "told", "absent")
_FLAGS = ("N", "L", "H", "LL", "HH")


@dataclass(frozen=True, slots=True)
class Taken:
    name: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Measured:
    """unit: "" = the analyte's own. flag: "" = none."""

    analyte: str
    value: str
    unit: str
    flag: str
    day: str


@dataclass(frozen=True, slots=True)
class Dated:
    """An order or a study, and its day."""

    id: str
    day: str


@dataclass(frozen=True, slots=True)
class Described:
    """Dates are FHIR dates, whole or in part, "" where nothing is recorded.

    onset: a date, or words such as "3 weeks". findings: finding -> present, told or absent. sites: with a
    side or "".
    """

    born: str = ""
    sex: str = ""
    twitching: bool = True
    onset: str = ""
    sites: tuple[tuple[str, str], ...] = ()
    courses: tuple[str, ...] = ()
    findings: Mapping[str, str] | None = None
    medicines: tuple[Taken, ...] = ()
    results: tuple[Measured, ...] = ()
    orders: tuple[Dated, ...] = ()
    studies: tuple[Dated, ...] = ()


def described_by(fields: Fields, codings: Codings) -> Described:
    """The patient of those fields. Raises RequestError naming each field at fault."""
    reading = _Reading(fields, codings)
    described = reading.described()
    if reading.issues:
        raise RequestError(reading.issues)
    return described


class _Reading:
    def __init__(self, fields: Fields, codings: Codings) -> None:
        self.fields = fields
        self.codings = codings
        self.issues: list[Issue] = []

    def described(self) -> Described:
        onset = self.one("onset")
        return Described(
            born=self.date("born", self.one("born")),
            sex=self.among("sex", self.one("sex"), ("female", "male", "other", "unknown")),
            twitching=self.one("twitch") != "no",
            onset=self.date("onset", onset) if onset[:1].isdigit() and "-" in onset else onset,
            sites=tuple(self.site(value) for value in self.fields.get("site", ())),
            courses=tuple(
                self.among("course", value, self.codings.courses) for value in self.fields.get("course", ())
            ),
            findings={
                name: self.among(f"finding.{name}", value, _STATES)
                for name in self.codings.findings
                if (value := self.one(f"finding.{name}"))
            },
            medicines=tuple(
                Taken(name, self.date("medicine-start", start), self.date("medicine-end", end))
                for name, start, end in self.lines("medicine", "medicine-start", "medicine-end")
            ),
            results=tuple(
                Measured(
                    self.among("result", analyte, self.codings.analytes),
                    self.number("result-value", value),
                    unit,
                    self.among("result-flag", flag, _FLAGS),
                    self.date("result-day", day),
                )
                for analyte, value, unit, flag, day in self.lines(
                    "result", "result-value", "result-unit", "result-flag", "result-day"
                )
            ),
            orders=tuple(
                Dated(self.among("order", name, self.codings.orders), self.date("order-day", day))
                for name, day in self.lines("order", "order-day")
            ),
            studies=tuple(
                Dated(self.among("study", name, self.codings.studies), self.date("study-day", day))
                for name, day in self.lines("study", "study-day")
            ),
        )

    def one(self, name: str) -> str:
        values = self.fields.get(name) or ("",)
        return values[0].strip()

    def lines(self, *names: str) -> Iterable[tuple[str, ...]]:
        """The lines of a list in the form; those without their first field are empty ones."""
        columns = [[value.strip() for value in self.fields.get(name, ())] for name in names]
        return [line for line in zip_longest(*columns, fillvalue="") if line[0]]

    def date(self, name: str, value: str) -> str:
        if value and not _DATE.fullmatch(value):
            self._wrong(name, "a date as 2026, 2026-05 or 2026-05-31")
        return value

    def number(self, name: str, value: str) -> str:
        if not _NUMBER.fullmatch(value):
            self._wrong(name, "a number such as 4.1")
        return value

    def among(self, name: str, value: str, allowed: Iterable[str]) -> str:
        if value and value not in allowed:
            self._wrong(name, "not one of the choices")
        return value

    def site(self, value: str) -> tuple[str, str]:
        site, _, side = value.partition(" ")
        if (site, side) not in self.codings.sites:
            self._wrong("site", "not one of the choices")
        return site, side

    def _wrong(self, name: str, says: str) -> None:
        self.issues.append(Issue("value", f"{name}: {says}.", f"built.{name}"))
