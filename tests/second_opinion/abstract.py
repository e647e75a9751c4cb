"""A patient as plain values: the members of a Record as dictionaries, lists and days, without the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.second_opinion.opinion_table import knowledge

TODAY = date(2026, 11, 24)
TABLE = knowledge()
LIMITS: Mapping[str, int] = TABLE["thresholds"]
Plain = dict[str, Any]
NOWHERE: Plain = {"earliest": None, "latest": None}
REGIONS = {
    "eyelid": None,
    "face": "face",
    "tongue": "tongue",
    "hand": "arms",
    "forearm": "arms",
    "calf": "legs",
    "thigh": "legs",
    "trunk": "trunk",
}


def ago(days: int | None) -> date | None:
    return None if days is None else TODAY - timedelta(days=days)


def interval(earliest: int | None, latest: int | None) -> Plain:
    return {"earliest": ago(earliest), "latest": ago(latest)}


def evidence(status: str, basis: str | None, day: date | None, *, history: bool = False) -> Plain:
    return {
        "reference": "Observation/e",
        "expression": "Observation.value",
        "text": "as written",
        "status": status,
        "basis": basis,
        "day": day,
        "used": not history,
        "history": history,
    }


def finding(says: str, days: int | None = 0, **more: Any) -> Plain:
    """examined, listed, reported (present), absent, absent-reported, unknown, or history (unknown today)."""
    status = "present" if says in ("examined", "listed", "reported") else says.split("-")[0]
    basis: str | None = says if status == "present" else None
    if status == "absent":
        basis = "reported" if says == "absent-reported" else "examined"
    day = ago(days)
    entries = [] if says == "unknown" else [evidence(status, basis, day)]
    if says == "history":
        status, entries = "unknown", [evidence("present", "listed", ago(1500), history=True)]
    start = {"earliest": None, "latest": day} if status == "present" else NOWHERE
    made = {
        "status": status,
        "basis": basis,
        "since": NOWHERE,
        "start": start,
        "suspected": False,
        "conflict": False,
        "worsening": None,
        "first_examined": day if says == "examined" else None,
        "recorded": None if says in ("unknown", "history") else day,
        "evidence": entries,
    }
    return {**made, **more}


def drug(name: str, plausible: str = "yes", **more: Any) -> Plain:
    made = {
        "name": name,
        "classes": {name},
        "plausible": plausible,
        "start": NOWHERE,
        "end": None,
        "current": True,
        "raises_potassium": False,
    }
    return {**made, **more}


def result(analyte: str, says: str, days: int | None = 0, **more: Any) -> Plain:
    """low, high, out-of-range, critical, in-range or not-judged."""
    canonical = more.pop("canonical", None)
    made = {
        "analyte": analyte,
        "text": "1.0",
        "unit": "mmol/L",
        "value": Decimal("1.0"),
        "canonical": None if canonical is None else Decimal(canonical),
        "kind": "adjusted" if analyte == "calcium" else "ionised" if analyte == "calcium-ionised" else "",
        "day": ago(days),
        "flag": None,
        "band": "out-of-range" if says in ("low", "high") else says,
        "low": {"low": True, "high": False}.get(says),
        "preliminary": False,
        "reference": f"Observation/{analyte}",
    }
    return {**made, **more}


def order(tests: Iterable[str], days: int | None = 0, priority: str | None = None, **more: Any) -> Plain:
    tests = set(tests)
    made = {
        "tests": tests,
        "day": ago(days),
        "priority": priority,
        "status": "active",
        "reference": f"ServiceRequest/{'+'.join(sorted(tests))}-{days}-{priority}",
        "draft": False,
    }
    return {**made, **more}


def study(name: str, days: int | None = 0) -> Plain:
    return {"id": name, "day": ago(days), "reference": f"Procedure/{name}"}


def born(years: int, days: int = 0) -> Plain:
    """Born so many years and days ago."""
    day = TODAY.replace(year=TODAY.year - years) - timedelta(days=days)
    return {"earliest": day, "latest": day}


def patient(
    findings: Mapping[str, Any] | None = None,
    *,
    onset: int | Plain | None = None,
    sites: Iterable[str] = (),
    courses: Iterable[str] = (),
    age: int | None = 40,
    first: int | None = 0,
    generalized: bool = False,
    drugs: Iterable[Plain] = (),
    results: Iterable[Plain] = (),
    orders: Iterable[Plain] = (),
    studies: Iterable[Plain] = (),
    not_seen: Iterable[str] = (),
    **more: Any,
) -> Plain:
    """A record with a twitch. Findings by words ("examined") or as made by finding()."""
    made = {name: finding(says) if isinstance(says, str) else says for name, says in (findings or {}).items()}
    return {
        "as_of": TODAY,
        "patient": {
            "id": "p",
            "born": dict(NOWHERE) if age is None else born(age),
            "sex": None,
            "deceased": False,
        },
        "twitch": {
            "status": "present",
            "onset": interval(onset, onset) if isinstance(onset, int) else dict(onset or NOWHERE),
            "sites": [{"id": s, "label": s, "region": REGIONS[s], "side": None} for s in sites],
            "generalized": generalized,
            "courses": set(courses),
            "first_recorded": ago(first),
        },
        "findings": made,
        "drugs": list(drugs),
        "results": list(results),
        "orders": list(orders),
        "studies": list(studies),
        "not_seen": list(not_seen),
        "unread": [],
        **more,
    }


NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}
