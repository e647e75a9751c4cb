"""A PlanDefinition with its Library of facts and its ActivityDefinitions, from plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from service.decision.table import LEVELS, NOW, ROUTINE, URGENT
from tools.artifacts.publication import Publication

_PLAN_TYPE = "http://terminology.hl7.org/CodeSystem/plan-definition-type"
_LIBRARY_TYPE = "http://terminology.hl7.org/CodeSystem/library-type"
# The levels of a row are those of a CDS Hooks card, and their code system is that of FHIR R4.
_LEVELS = "http://cds-hooks.hl7.org/CodeSystem/indicator"
_FHIRPATH = "text/fhirpath"
_PRIORITIES = {ROUTINE: "routine", URGENT: "urgent", NOW: "stat"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition as FHIRPath over the Parameters of the facts, and in words."""

    expression: str
    says: str


@dataclass(frozen=True, slots=True)
class Input:
    """What a condition is read from: a resource type, and where in it the codes of which value set stand.

    Without a value set, `path` is a member that must be there.
    """

    kind: str
    path: str
    value_set: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What a row rests on. kind: a FHIR related-artifact-type; label: the id of a claim or anchor."""

    kind: str
    label: str
    display: str
    citation: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Step:
    """An action of the plan; all of its rules must be true.

    level: of a row, None elsewhere. urgency: None where nothing is done. definition: the id of an
    ActivityDefinition. triggers: names of the hooks at which it is read.
    """

    id: str
    title: str
    says: str = ""
    level: str | None = None
    urgency: str | None = None
    rules: tuple[Rule, ...] = ()
    inputs: tuple[Input, ...] = ()
    sources: tuple[Source, ...] = ()
    triggers: tuple[str, ...] = ()
    definition: str | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """library: the id of the Library of its facts. documents: what the whole rests on."""

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


def fact_library(
    name: str, title: str, description: str, facts: Iterable[Fact], publication: Publication
) -> dict[str, Any]:
    """The facts that the conditions of a plan read, each an input parameter."""
    return {
        **publication.head("Library", name, title, description),
        "type": {"coding": [{"system": _LIBRARY_TYPE, "code": "model-definition"}]},
        "parameter": [
            {"name": f.name, "use": "in", "min": 0, "max": "1", "documentation": f.says, "type": "code"}
            for f in facts
        ],
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


def _action(step: Step, publication: Publication) -> dict[str, Any]:
    action: dict[str, Any] = {"id": step.id, "title": step.title}
    if step.says:
        action["description"] = step.says
    if step.urgency is not None:
        action["priority"] = _PRIORITIES[step.urgency]
    if step.level in LEVELS:
        action["code"] = [{"coding": [{"system": _LEVELS, "code": step.level}]}]
    elif step.level:
        action["code"] = [{"text": step.level}]
    lists: dict[str, Sequence[dict[str, Any]]] = {
        "documentation": [_related(source) for source in step.sources],
        "trigger": [{"type": "named-event", "name": name} for name in step.triggers],
        "condition": [_condition(rule) for rule in step.rules],
        "input": [_requirement(need, publication) for need in step.inputs],
    }
    action |= {member: entries for member, entries in lists.items() if entries}
    if step.definition:
        action["definitionCanonical"] = publication.pinned("ActivityDefinition", step.definition)
    if step.steps:
        action["selectionBehavior"] = "any"
        action["action"] = [_action(inner, publication) for inner in step.steps]
    return action


def _condition(rule: Rule) -> dict[str, Any]:
    return {
        "kind": "applicability",
        "expression": {"description": rule.says, "language": _FHIRPATH, "expression": rule.expression},
    }


def _requirement(need: Input, publication: Publication) -> dict[str, Any]:
    if need.value_set is None:
        return {"type": need.kind, "mustSupport": [need.path]}
    canonical = publication.pinned("ValueSet", need.value_set)
    return {"type": need.kind, "codeFilter": [{"path": need.path, "valueSet": canonical}]}


def _related(source: Source) -> dict[str, Any]:
    related = {
        "type": source.kind,
        "label": source.label,
        "display": source.display,
        "citation": source.citation,
    }
    return related | ({"url": source.url} if source.url else {})
