"""Patients with several facts at once, and how urgent an action is for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fhir_mappings.record import Record
from tests.knowledge.patients import record_of_example
from tests.spec.outcomes import outcome_of

WEAK = {"weakness": "examined"}
TOLD = {"weakness": "reported"}
LOOKED = ("examined", "listed")
BASES = (*LOOKED, "reported")


def patient(*parts: dict[str, Any], **given: Any) -> Record:
    return record_of_example({name: said for part in (*parts, given) for name, said in part.items()})


def changed(record: Record, sign: str, **members: Any) -> Record:
    """The same, with other members of that finding."""
    found = replace(record.findings[sign], **members)
    return replace(record, findings={**record.findings, sign: found})


def worse(record: Record, *signs: str) -> Record:
    """The same, with a course of its own for each of those signs: worsening."""
    for sign in signs:
        record = changed(record, sign, worsening=True)
    return record


def urgency(record: Record, action: str) -> str | None:
    """How urgent that action is, if it is recommended."""
    return next((r.urgency for r in outcome_of(record).recommendations if r.id == action), None)
