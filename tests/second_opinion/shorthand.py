"""Patients of a truth table in few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.second_opinion.abstract import drug, finding, interval, patient, result

Plain = dict[str, Any]


def f(**findings: Any) -> Plain:
    """A patient with those findings; underscores are hyphens."""
    return patient({name.replace("_", "-"): says for name, says in findings.items()})


def w(findings: Mapping[str, Any] | None = None, **more: Any) -> Plain:
    return patient(findings, **more)


def on(*names: str, plausible: str = "yes", **more: Any) -> Plain:
    return patient(drugs=[drug(name, plausible, **more) for name in names])


def lab(*values: Any, **more: Any) -> Plain:
    return patient(results=[result(*values, **more)])


def weak(says: str = "examined", recent: int | None = 10, **more: Any) -> Plain:
    """Weakness that began so many days ago."""
    start = interval(recent, recent) if recent is not None else interval(None, None)
    return finding(says, start=start, **more)


def old_bulbar(says: str = "listed", days: int | None = 30, **more: Any) -> Plain:
    return {"bulbar": finding(says, days, **more)}


EYELID: Plain = {"sites": ["eyelid"]}
CALF: Plain = {"sites": ["calf"]}
WIDE: Plain = {"sites": ["hand", "calf"]}
STOPPED: Plain = {"drugs": [drug("ssri", "no", end=interval(34, 34), current=False)]}
CK_HIGH = [result("creatine-kinase", "high")]
STATIN = [drug("other-statin")]
OFF_STATIN = [drug("other-statin", current=False)]
ABN_NA, LOW_K = [result("sodium", "high")], [result("potassium", "low")]
NEW_60: Plain = {"age": 60, "onset": 300, "first": 300}
