"""Records written in the small language of the table's examples. decision_table.yaml says what it is."""

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
from service.decision.facts import facts_of
from service.decision.on_file import FiledTests
from service.decision.outcome import outcome_of
from service.decision.recommendations import Outcome
from service.decision.table import Table

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
_WORDS = {
    "onset_days_ago",
    "sites",
    "courses",
    "drugs",
    "current",
    "stopped_days_before_onset",
    "results",
    "result_days_ago",
    "age_years",
    "recorded_days_ago",
    "facts",
}


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def finding(name: str, said: str, day: date = TODAY, **more: Any) -> Finding:
    """A finding that was examined, listed, reported, absent (on examination) or absent-not-examined."""
    if said.startswith("absent"):
        basis = Basis.EXAMINED if said == "absent" else Basis.REPORTED
        return Finding(name, Status.ABSENT, basis, recorded=day, **more)
    more.setdefault("first_examined", day if said == "examined" else None)
    evidence = Evidence(f"Condition/{name}", "Condition.code", name, Status.PRESENT, Basis(said), day)
    more.setdefault("evidence", (evidence,))
    # Told, a disease that closes the gate is a suspicion.
    more.setdefault("suspected", said == "reported")
    return Finding(name, Status.PRESENT, Basis(said), recorded=day, **more)


def start(onset: Days, recorded: date) -> Days:
    """When a finding began that states no onset: section 1, "Start of a finding"."""
    if onset.earliest is not None and recorded >= onset.earliest:
        return Days(onset.earliest, recorded)
    return Days(None, recorded)


def result(analyte: str, said: str, days: int = 0, **more: Any) -> Result:
    """A final result: low, high, in-range, out-of-range, critical or not-judged; a number is in range."""
    low = {"low": True, "high": False}.get(said)
    number = said if said.replace(".", "").isdigit() else more.pop("text", "1.0")
    band = Band.IN_RANGE if number == said else Band.OUT_OF_RANGE if low is not None else Band(said)
    more.setdefault("canonical", Decimal(number) if number == said else None)
    return Result(
        analyte,
        text=number,
        unit=more.pop("unit", "mmol/L"),
        value=Decimal(number),
        day=days_ago(days),
        band=band,
        low=more.pop("low", low),
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
        first_recorded=TODAY,
    )


def _drugs(given: Mapping[str, Any]) -> tuple[Drug, ...]:
    taken = [drug(name, said) for name, said in given.get("drugs", {}).items()]
    taken += [drug(name, "no") for name in given.get("current", ())]
    for name, days in given.get("stopped_days_before_onset", {}).items():
        end = days_ago(given["onset_days_ago"] + days)
        taken.append(drug(name, "no", current=False, end=Days(end, end)))
    return tuple(taken)


def record_of_example(given: Mapping[str, Any]) -> Record:
    """The record of one example, without the facts that it sets."""
    age = given.get("age_years", 40)
    # An age is reached on the birthday itself.
    born = date(TODAY.year - age, TODAY.month, TODAY.day)
    seen = twitch(given.get("onset_days_ago"), tuple(given.get("sites", ())), tuple(given.get("courses", ())))
    recorded = days_ago(given.get("recorded_days_ago", 0))
    return Record(
        as_of=TODAY,
        patient=Patient(id="p", born=Days(born, born)),
        twitch=seen,
        findings={
            name: finding(name, said, recorded, start=start(seen.onset, recorded))
            for name, said in given.items()
            if name not in _WORDS
        },
        drugs=_drugs(given),
        results=tuple(
            result(name, said, given.get("result_days_ago", 0))
            for name, said in given.get("results", {}).items()
        ),
    )


def outcome_of_example(given: Mapping[str, Any], table: Table) -> Outcome:
    """What follows for the patient of one example, with the facts that it sets."""
    record = record_of_example(given)
    facts = facts_of(record, table)
    facts |= {name: str(value).lower() for name, value in given.get("facts", {}).items()}
    return outcome_of(FiledTests(record, table, facts), facts)
