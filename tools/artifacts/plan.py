"""A PlanDefinition, its ActivityDefinitions and the Library of its conditions, from plain values."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.decision.table import NOW, ROUTINE, URGENT
from tools.artifacts.publication import Publication

_PLAN_TYPE = "http://terminology.hl7.org/CodeSystem/plan-definition-type"
_LIBRARY_TYPE = "http://terminology.hl7.org/CodeSystem/library-type"
# R4 has no other code of CQL; the names of the conditions are CQL expressions as well.
_CQL, _ELM = "text/cql", "application/elm+json"
_PRIORITIES = {ROUTINE: "routine", URGENT: "urgent", NOW: "stat"}


@dataclass(frozen=True, slots=True)
class Source:
    """What a row rests on. kind: a FHIR related-artifact-type; label: the id of a claim or anchor."""

    kind: str
    label: str
    display: str
    citation: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """An action of the plan. condition: the name of the definition that must be true, and in words.

    urgency: "" of a part, which has that of the whole. reasons: labels of rows. definition: the id of an
    ActivityDefinition. triggers: names of hooks.
    """

    id: str
    title: str
    condition: tuple[str, str]
    says: str = ""
    urgency: str = ""
    reasons: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    triggers: tuple[str, ...] = ()
    definition: str | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """library: the id of the Library of its conditions. documents: what the whole rests on."""

    id: str
    title: str
    description: str
    purpose: str
    usage: str
    library: str
    documents: tuple[Source, ...]
    steps: tuple[Step, ...]


def plan_definition(plan: Plan, publication: Publication) -> dict[str, Any]:
    """The plan as an event-condition-action rule."""
    return {
        **publication.head("PlanDefinition", plan.id, plan.title, plan.description),
        "type": {"coding": [{"system": _PLAN_TYPE, "code": "eca-rule"}]},
        "purpose": plan.purpose,
        "usage": plan.usage,
        "relatedArtifact": [_related(source) for source in plan.documents],
        "library": [publication.pinned("Library", plan.library)],
        "action": [_action(step, publication) for step in plan.steps],
    }


def logic_library(
    name: str,
    title: str,
    description: str,
    content: tuple[str, str | None],
    reads: Iterable[str],
    publication: Publication,
) -> dict[str, Any]:
    """The Library of the conditions.

    Args:
        content: CQL, and its translation to ELM, None where it is not translated yet.
        reads: the resource types that it retrieves.
    """
    cql, elm = content
    attachments = [_attachment(_CQL, cql)] + ([_attachment(_ELM, elm)] if elm is not None else [])
    return {
        **publication.head("Library", name, title, description),
        "type": {"coding": [{"system": _LIBRARY_TYPE, "code": "logic-library"}]},
        "parameter": [
            {"name": "AsOf", "use": "in", "min": 0, "max": "1", "type": "date"},
            {"name": "Level", "use": "out", "min": 1, "max": "1", "type": "string"},
            {"name": "Rows", "use": "out", "min": 0, "max": "*", "type": "string"},
        ],
        "dataRequirement": [{"type": kind} for kind in reads],
        "content": attachments,
    }


def activity_definition(
    name: str, description: str, code: dict[str, Any], publication: Publication
) -> dict[str, Any]:
    """A proposal to order what that code says."""
    terms = publication.terms_of(coding["system"] for coding in code.get("coding", ()))
    return {
        **publication.head("ActivityDefinition", name, code["text"], description),
        **({"copyright": terms} if terms else {}),
        "kind": "ServiceRequest",
        "code": code,
        "intent": "proposal",
    }


def _attachment(kind: str, text: str) -> dict[str, Any]:
    return {"contentType": kind, "data": b64encode(text.encode()).decode()}


def _action(step: Step, publication: Publication) -> dict[str, Any]:
    name, words = step.condition
    action: dict[str, Any] = {"id": step.id, "title": step.title}
    action |= {"description": step.says} if step.says else {}
    action |= {"priority": _PRIORITIES[step.urgency]} if step.urgency else {}
    lists: Mapping[str, Sequence[dict[str, Any]]] = {
        "reason": [{"text": label} for label in step.reasons],
        "documentation": [_related(source) for source in step.sources],
        "trigger": [{"type": "named-event", "name": hook} for hook in step.triggers],
    }
    action |= {member: entries for member, entries in lists.items() if entries}
    expression = {"description": words, "language": _CQL, "expression": name}
    action["condition"] = [{"kind": "applicability", "expression": expression}]
    if step.definition:
        action["definitionCanonical"] = publication.pinned("ActivityDefinition", step.definition)
    if step.steps:
        action["selectionBehavior"] = "any"
        action["action"] = [_action(inner, publication) for inner in step.steps]
    return action


def _related(source: Source) -> dict[str, Any]:
    related = {
        "type": source.kind,
        "label": source.label,
        "display": source.display,
        "citation": source.citation,
    }
    return related | ({"url": source.url} if source.url else {})
