"""Answer a question of the decision: the Observation that a click adds to the request."""

from __future__ import annotations

from typing import Any

from fhir_mappings.to_fhir.actions import about, filled_answer
from fhir_mappings.to_fhir.in_version import in_version
from service.decision import Decision
from service.knowledge import Knowledge


def answer_observation(
    decision: Decision, knowledge: Knowledge, finding: str, *, present: bool
) -> dict[str, Any] | None:
    """The Observation of that answer on the day of the decision, as a card suggests it.

    Its id depends on the finding alone, so that a second answer replaces the first.

    Returns:
        None if no click answers this finding.
    """
    template = knowledge.templates.answers.get(finding)
    if template is None:
        return None
    record = decision.record
    subject = f"Patient/{record.patient.id}" if record.patient.id else record.patient.reference
    made = filled_answer(template, about=about(subject, None), day=record.as_of, present=present)
    return {**in_version(made, record.version), "id": f"answer-{finding}"}


def with_answer(document: dict[str, Any], observation: dict[str, Any]) -> dict[str, Any]:
    """The Bundle or hook request with that Observation, which replaces an earlier answer."""
    if "hook" not in document:
        return _added(document, observation)
    prefetch = document.get("prefetch")
    prefetch = prefetch if isinstance(prefetch, dict) else {}
    findings = prefetch.get("findings")
    if not isinstance(findings, dict) or findings.get("resourceType") != "Bundle":
        findings = {"resourceType": "Bundle", "type": "searchset"}
    return {**document, "prefetch": {**prefetch, "findings": _added(findings, observation)}}


def _added(bundle: dict[str, Any], observation: dict[str, Any]) -> dict[str, Any]:
    entries = bundle.get("entry")
    entries = entries if isinstance(entries, list) else []
    kept = [entry for entry in entries if not _is_observation(entry, observation["id"])]
    return {**bundle, "entry": [*kept, {"resource": observation}]}


def _is_observation(entry: Any, name: str) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict):
        return False
    return (resource.get("resourceType"), resource.get("id")) == ("Observation", name)
