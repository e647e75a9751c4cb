"""The codes of a submission that no value set has, for a site that maps its own codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_mappings.resources.fhir_version import content_of
from fhir_mappings.resources.shapes import CodeableConcept, Coding
from fhir_mappings.resources.submission import Submission
from fhir_mappings.terminology import Terminology, code_key
from fhir_mappings.to_findings.drug_names import named_by

# Resource type -> the members with the code that identifies its content; "concept" is R5's.
_PLACES: Mapping[str, tuple[str, ...]] = {
    "Condition": ("code",),
    "Observation": ("code", "component.code"),
    "Procedure": ("code",),
    "DiagnosticReport": ("code",),
    "ServiceRequest": ("code",),
    "ProcedureRequest": ("code",),
    "FamilyMemberHistory": ("condition.code",),
    "MedicationRequest": ("medicationCodeableConcept", "medication", "contained.code"),
    "MedicationStatement": ("medicationCodeableConcept", "medication", "contained.code"),
    "Medication": ("code",),
}


@dataclass(frozen=True, slots=True)
class UnknownCode:
    """One coding as written; "" for a missing member. place: such as "Condition.code".

    system and code are "" where the concept has no coding.
    """

    place: str
    system: str
    code: str
    display: str


def unknown_codes(submission: Submission, terminology: Terminology) -> Iterator[UnknownCode]:
    """Every coding of every concept of which no coding is known, resource by resource."""
    for entry in submission.entries:
        content = content_of(bytes(entry.raw))
        kind = content.get("resourceType")
        for place in _PLACES.get(kind, ()) if isinstance(kind, str) else ():
            for concept in _concepts(content, place.split(".")):
                yield from _unknown(f"{kind}.{place}", concept, terminology)


def _concepts(value: Any, path: list[str]) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _concepts(item, path)
    elif isinstance(value, dict) and path:
        yield from _concepts(value.get(path[0]), path[1:])
    elif isinstance(value, dict):
        concept = value.get("concept", value)
        if isinstance(concept, dict) and ("coding" in concept or "text" in concept):
            yield concept


def _unknown(place: str, concept: Mapping[str, Any], terminology: Terminology) -> Iterator[UnknownCode]:
    codings = list(_codings(concept.get("coding")))
    if any(_is_known(coding, terminology) for coding in codings):
        return
    if not codings:
        yield UnknownCode(place, "", "", _text(concept.get("text")))
    for coding in codings:
        yield UnknownCode(place, coding.system or "", coding.code or "", coding.display or "")


def _codings(value: Any) -> Iterable[Coding]:
    for coding in value if isinstance(value, list) else ():
        if isinstance(coding, dict) and isinstance(coding.get("code"), str):
            yield Coding(_text(coding.get("system")), coding["code"], _text(coding.get("display")))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_known(coding: Coding, terminology: Terminology) -> bool:
    key = code_key(coding.system or "", coding.code or "")
    tables = (
        terminology.analyte_codes,
        terminology.panels,
        terminology.procedures,
        terminology.asked_for,
        terminology.tobacco_status,
    )
    if terminology.finding_of(key) or any(key in table for table in tables):
        return True
    return bool(named_by(CodeableConcept(coding=[coding]), terminology.medications).coded)
