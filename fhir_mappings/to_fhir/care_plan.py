"""A proposal for one patient as a FHIR R4 CarePlan: the answer of $apply.

CarePlan -> contained RequestGroup -> one action for each thing to do -> contained ServiceRequests, or a Task
for what is no order. The same values give the same resource: ids are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from fhir_mappings.to_fhir.actions import PRIORITIES

# The levels are those of a CDS Hooks card, and their code system is that of FHIR R4.
_LEVELS = "http://cds-hooks.hl7.org/CodeSystem/indicator"
_GROUP = "recommendations"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a row rests on. kind: a FHIR related-artifact-type; label: the id of a claim or anchor."""

    kind: str
    label: str
    display: str
    citation: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class ProposedAction:
    """One thing to do. text: what to do, in full. orders: ServiceRequests; none for advice."""

    id: str
    title: str
    text: str
    why: str
    urgency: str
    orders: tuple[dict[str, Any], ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for one patient on one day.

    subject: the member `subject` of the orders. plan: canonical URL and version of the PlanDefinition.
    reasons: (id, label) of the rows that fired. level: "" = none. notes: what is unknown, and why nothing is
    proposed where there are no actions.
    """

    subject: dict[str, Any]
    day: date
    plan: str
    title: str
    description: str = ""
    level: str = ""
    actions: tuple[ProposedAction, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def care_plan(proposal: Proposal) -> dict[str, Any]:
    """The CarePlan; without actions it has no activity."""
    plan: dict[str, Any] = {"resourceType": "CarePlan"}
    if proposal.level:
        plan["meta"] = {"tag": [{"system": _LEVELS, "code": proposal.level}]}
    activity: dict[str, Any] = {}
    if proposal.actions:
        requests: list[dict[str, Any]] = []
        group = _request_group(proposal, requests)
        plan["contained"] = [group, *requests]
        activity = {"activity": [{"reference": {"reference": f"#{_GROUP}"}}]}
    return {
        **plan,
        "instantiatesCanonical": [proposal.plan],
        "status": "draft",
        "intent": "proposal",
        "title": proposal.title,
        **({"description": proposal.description} if proposal.description else {}),
        "subject": proposal.subject,
        "created": proposal.day.isoformat(),
        **activity,
        **({"note": [{"text": text} for text in proposal.notes]} if proposal.notes else {}),
    }


def _request_group(proposal: Proposal, requests: list[dict[str, Any]]) -> dict[str, Any]:
    """The group; what its actions refer to is added to the requests."""
    group: dict[str, Any] = {
        "resourceType": "RequestGroup",
        "id": _GROUP,
        "instantiatesCanonical": [proposal.plan],
        "status": "draft",
        "intent": "proposal",
        "subject": proposal.subject,
        "authoredOn": proposal.day.isoformat(),
    }
    if proposal.reasons:
        # Rows and actions have ids of their own, of which some are the same.
        group["reasonCode"] = [{"id": f"row.{name}", "text": label} for name, label in proposal.reasons]
    group["action"] = [_action(action, proposal, requests) for action in proposal.actions]
    return group


def _action(action: ProposedAction, proposal: Proposal, requests: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": action.id,
        "title": action.title,
        "description": action.why,
        "textEquivalent": action.text,
        "priority": PRIORITIES[action.urgency],
        "documentation": [_related(evidence) for evidence in action.evidence],
    }
    # R4 (rqg-1): an action has a resource or actions, and never neither: what is no order is a Task.
    parts = []
    for request in action.orders or (_task(action, proposal),):
        name = f"request-{len(requests) + 1}"
        requests.append({"resourceType": request["resourceType"], "id": name, **request})
        parts.append({"title": request["code"]["text"], "resource": {"reference": f"#{name}"}})
    if len(parts) == 1:
        made["resource"] = parts[0]["resource"]
    else:
        made["selectionBehavior"] = "any"
        made["action"] = [{**part, "priority": made["priority"]} for part in parts]
    return {name: value for name, value in made.items() if value}


def _task(action: ProposedAction, proposal: Proposal) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "status": "draft",
        "intent": "proposal",
        "priority": PRIORITIES[action.urgency],
        "code": {"text": action.title},
        "description": action.text,
        "for": proposal.subject,
        "authoredOn": proposal.day.isoformat(),
    }


def _related(evidence: Evidence) -> dict[str, Any]:
    related = {
        "type": evidence.kind,
        "label": evidence.label,
        "display": evidence.display,
        "citation": evidence.citation,
    }
    return related | ({"url": evidence.url} if evidence.url else {})
