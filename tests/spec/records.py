"""FHIR resources in one line each, read by the real mapping with the real terminology."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from fhir_mappings.record import Evidence, Finding, Record
from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.resources.submission import Submission
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings import RecordReader, record_of
from fhir_mappings.to_findings.unknown_codes import Unknown, unknown_of
from service.knowledge import load_knowledge

KNOWLEDGE = load_knowledge()
DAY = date(2026, 11, 24)
_SNOMED = "http://snomed.info/sct"
_CODED = ("valueCodeableConcept", "dataAbsentReason")


def as_of(days_ago: int) -> str:
    return (DAY - timedelta(days=days_ago)).isoformat()


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def code_of(finding: str) -> dict[str, Any]:
    """A SNOMED code of that finding or body site, from the compiled terminology."""
    terminology = KNOWLEDGE.terminology
    definition = terminology.findings.get(finding)
    if definition is not None and definition.answer is not None:
        return concept(*definition.answer)
    meanings = (
        (len(found), key[1])
        for key, found in terminology.finding_codes.items()
        if key[0] == _SNOMED and finding in [code.finding for code in found]
    )
    # A code of this finding alone, where there is one.
    codes = [code for _, code in sorted(meanings)]
    codes += sorted(
        key[1]
        for key, site in terminology.sites.items()
        if key[0] == _SNOMED and site.id == finding and not site.side
    )
    return concept(_SNOMED, codes[0])


def _resource(kind: str, name: str, members: dict[str, Any]) -> dict[str, Any]:
    resource = {
        "resourceType": kind,
        "id": name,
        "subject": {"reference": "Patient/p"},
        "code": code_of(name),
        **members,
    }
    return {key: value for key, value in resource.items() if value is not None}


def condition(
    finding: str, *, clinical: str | None = "active", verification: str | None = "confirmed", **members: Any
) -> dict[str, Any]:
    statuses = {
        "clinicalStatus": clinical
        and concept("http://terminology.hl7.org/CodeSystem/condition-clinical", clinical),
        "verificationStatus": verification
        and concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", verification),
    }
    if "bodySite" in members:
        members["bodySite"] = [code_of(site) for site in members["bodySite"]]
    return _resource("Condition", finding, {"recordedDate": as_of(0), **statuses, **members})


def observation(finding: str, **members: Any) -> dict[str, Any]:
    for name in _CODED:
        if isinstance(members.get(name), tuple):
            members[name] = concept(*members[name])
    if isinstance(members.get("interpretation"), tuple):
        members["interpretation"] = [concept(*members["interpretation"])]
    if "category" in members:
        members["category"] = [
            concept("http://terminology.hl7.org/CodeSystem/observation-category", members["category"])
        ]
    if "bodySite" in members:
        members["bodySite"] = code_of(members["bodySite"])
    return _resource("Observation", finding, {"status": "final", "effectiveDateTime": as_of(0), **members})


def bundle(*resources: dict[str, Any], birth: str | None = "1980-01-01") -> bytes:
    patient = {"resourceType": "Patient", "id": "p"} | ({"birthDate": birth} if birth else {})
    entries = [{"resource": resource} for resource in (patient, *resources)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def read(
    *resources: dict[str, Any],
    birth: str | None = "1980-01-01",
    day: date = DAY,
    terminology: Terminology = KNOWLEDGE.terminology,
) -> Record:
    """The record of a patient "p" with those resources."""
    submission = decode_bundle(bundle(*resources, birth=birth))
    return record_of(submission, terminology, day, KNOWLEDGE.reading)


def unknown_in(submission: Submission) -> Unknown:
    """The unknown codes of the one patient of the submission."""
    reader = RecordReader(submission, KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    reader.record()
    return unknown_of(reader.entries, KNOWLEDGE.terminology)


def defined(finding: str, **members: Any) -> Terminology:
    """The real terminology, with other members of that finding's definition."""
    terminology = KNOWLEDGE.terminology
    changed = replace(terminology.findings[finding], **members)
    return replace(terminology, findings={**terminology.findings, finding: changed})


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def twitch(onset: int | None = None, **more: Any) -> dict[str, Any]:
    return condition("fasciculation", **({} if onset is None else {"onsetDateTime": as_of(onset)}), **more)


def exam(present: bool, days: int | None, name: str = "exam", **more: Any) -> dict[str, Any]:
    return observation(
        "weakness",
        id=name,
        valueBoolean=present,
        effectiveDateTime=None if days is None else as_of(days),
        **more,
    )


def listed(days: int | None, finding: str = "weakness", **more: Any) -> dict[str, Any]:
    return condition(finding, recordedDate=None if days is None else as_of(days), **more)


def only(finding: Finding) -> Evidence:
    (evidence,) = finding.evidence
    return evidence
