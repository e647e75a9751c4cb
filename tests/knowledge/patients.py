"""Records written in the small language of the table's examples. See the schema of decision_table.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fhir_mappings.record import (
    Band,
    Basis,
    Days,
    Drug,
    Evidence,
    Finding,
    Patient,
    Plausible,
    Record,
    Result,
    Site,
    Status,
    Twitch,
)

TODAY = date(2026, 11, 24)
_REGIONS = {
    "eyelid": None,
    "face": "face",
    "tongue": "tongue",
    "hand": "arms",
    "forearm": "arms",
    "thigh": "legs",
    "calf": "legs",
    "trunk": "trunk",
}
_WORDS = {"onset_days_ago", "sites", "courses", "drugs", "results", "result_days_ago", "age_years"}


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def finding(name: str, said: str, **more: Any) -> Finding:
    """A finding that was examined, reported or absent."""
    if said == "absent":
        return Finding(name, Status.ABSENT, Basis.EXAMINED, recorded=TODAY, **more)
    return Finding(
        name,
        Status.PRESENT,
        Basis(said),
        recorded=TODAY,
        first_examined=more.pop("first_examined", TODAY if said == "examined" else None),
        **more,
    )


def result(analyte: str, said: str, days: int = 0, **more: Any) -> Result:
    """A final result: low, high, in-range, out-of-range, critical or not-judged."""
    low = {"low": True, "high": False}.get(said)
    band = Band.OUT_OF_RANGE if said in ("low", "high") else Band(said)
    return Result(
        analyte,
        text=more.pop("text", "1.0"),
        unit="mmol/L",
        value=Decimal("1.0"),
        day=days_ago(days),
        band=band,
        low=low,
        reference=more.pop("reference", f"Observation/{analyte}"),
        **more,
    )


def drug(name: str, plausible: str = "yes", **more: Any) -> Drug:
    """A medicine of that class."""
    return Drug(
        name=name, classes=frozenset({name}), plausible=Plausible(plausible), why="for a test", **more
    )


def twitch(onset: int | None = None, sites: tuple[str, ...] = (), courses: tuple[str, ...] = ()) -> Twitch:
    """A current twitch; onset in days ago."""
    when = Days() if onset is None else Days(days_ago(onset), days_ago(onset))
    return Twitch(
        Status.PRESENT,
        evidence=(Evidence("Condition/twitch", "Condition.code", "twitching", Status.PRESENT),),
        onset=when,
        sites=tuple(Site(site, site, _REGIONS[site]) for site in sites),
        courses=frozenset(courses),
        references=("Condition/twitch",),
    )


def record_of_example(given: Mapping[str, Any]) -> Record:
    """The record of one example."""
    age = given.get("age_years", 40)
    # The day after the birthday: an age is reached on the birthday itself.
    born = date(TODAY.year - age, TODAY.month, TODAY.day)
    return Record(
        as_of=TODAY,
        patient=Patient(id="p", born=Days(born, born)),
        twitch=twitch(
            given.get("onset_days_ago"), tuple(given.get("sites", ())), tuple(given.get("courses", ()))
        ),
        findings={name: finding(name, said) for name, said in given.items() if name not in _WORDS},
        drugs=tuple(drug(name, said) for name, said in given.get("drugs", {}).items()),
        results=tuple(
            result(name, said, given.get("result_days_ago", 0))
            for name, said in given.get("results", {}).items()
        ),
    )
