"""Medicines from records to findings: what counts, what they are made of, what route and time make of them.

The terms and codes here are made up; the real ones are read in tests/knowledge/.
"""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import msgspec

from fhir_mappings.code_systems import RXNORM
from fhir_mappings.medication_tables import Ingredient, Medications
from fhir_mappings.record import Days, Drug, Note, Reading
from fhir_mappings.resources.shapes import Medication, MedicationRequest, MedicationStatement
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.findings import Reader
from fhir_mappings.to_findings.medications import drugs_of

AS_OF = date(2026, 11, 20)
ONSET = Days(date(2026, 10, 1), date(2026, 10, 1))
BEFORE, AFTER = "2026-09-01", "2026-10-02"


def steroid(medication_class: str) -> Ingredient:
    return Ingredient("steroidone", medication_class, route_decides=True)


WATER = Ingredient("waterazide", "thiazide-diuretic")
SPARING = Ingredient("sparamide", "potassium-sparing-diuretic")
TABLES = Medications(
    codes={
        (RXNORM, "w"): (WATER,),
        (RXNORM, "w+s"): (WATER, SPARING),
        (RXNORM, "steroid"): (steroid("systemic"), steroid("local")),
        (RXNORM, "steroid tablet"): (Ingredient("steroidone", "systemic", route="oral"),),
    },
    terms={
        "waterazide": (WATER,),
        "sparamide": (SPARING,),
        "steroidone": (steroid("systemic"), steroid("local")),
        "creamium": (Ingredient("creamium", "tricyclic", route_decides=True),),
    },
    form_words={
        "tablet": "oral",
        "oral": "oral",
        "cream": "topical",
        "skin": "topical",
        "patch": "transdermal",
    },
    class_routes={
        "systemic": frozenset({"oral", "parenteral"}),
        "local": frozenset({"topical"}),
        "tricyclic": frozenset({"oral"}),
    },
    potassium_raising_atc=frozenset({"Z09"}),
    potassium_raising_stems=frozenset({"pril", "sartan"}),
)


def entry(**members: Any) -> Any:
    """What is read of an entry."""
    return SimpleNamespace(**{"expression": "x", "names": (), "draft": False, "selected": True, **members})


def read(
    *records: dict[str, Any], onset: Days = ONSET, shared: dict[str, dict[str, Any]] | None = None
) -> tuple[tuple[Drug, ...], tuple[Note, ...]]:
    """A record with `effectivePeriod`, `taken` or a given resourceType is a statement, else a request."""
    requests: list[Located[MedicationRequest]] = []
    statements: list[Located[MedicationStatement]] = []
    for number, record in enumerate(records):
        body = json.dumps({"status": "active", "intent": "order", **record}).encode()
        if record.get("resourceType") == "MedicationStatement":
            statement = msgspec.json.decode(body, type=MedicationStatement)
            statements.append(Located(statement, record.get("id", f"MedicationStatement/{number}"), entry()))
        else:
            request = msgspec.json.decode(body, type=MedicationRequest)
            drafted = entry(draft=record.get("context draft", False))
            requests.append(Located(request, record.get("id", f"MedicationRequest/{number}"), drafted))
    medications = {
        name: Located(msgspec.convert(value, Medication), name, entry(names=(name, *value.get("also", ()))))
        for name, value in (shared or {}).items()
    }
    terminology = Terminology(medications=TABLES)
    reader = Reader(terminology, AS_OF, Reading(finding_days=180, future_days=1), born=Days())
    drugs = drugs_of(reader, requests, statements, medications, onset)
    return drugs, tuple(reader.notes)


def one(*records: dict[str, Any], **more: Any) -> Drug:
    drugs, _ = read(*records, **more)
    assert len(drugs) == 1, drugs
    return drugs[0]


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"medicationCodeableConcept": {"text": name}, "authoredOn": BEFORE, **more}


def statement(name: str = "waterazide", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "medicationCodeableConcept": {"text": name},
        **more,
    }


def bounds(start: str | None = None, end: str | None = None) -> dict[str, Any]:
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    return {"timing": {"repeat": {"boundsPeriod": period}}}


def supply(start: str | None = None, end: str | None = None) -> dict[str, Any]:
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    return {"validityPeriod": period}


# --- what counts
