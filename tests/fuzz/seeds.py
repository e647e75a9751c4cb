"""What is mutated: every vignette in every dialect, and a call of every hook that the service has."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient

from service.knowledge import Knowledge
from tests.fuzz.mutations import CANARY
from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.patient import AS_OF, PEOPLE, Person

EXTENSION = "org.fasciculation-cds"


@dataclass(frozen=True)
class Seed:
    """A request that is answered with 200."""

    name: str
    path: str
    body: Any


def seeds(knowledge: Knowledge) -> tuple[Seed, ...]:
    return (*_evaluations(), *_calls(knowledge))


def feedback_seeds(client: FlaskClient, calls: Iterable[Seed]) -> Iterable[Seed]:
    """Feedback on the cards that those calls are answered with: accepted, and overridden with a comment."""
    for one in calls:
        if not one.path.startswith("/cds-services/"):
            continue
        for card in client.post(one.path, json=one.body).get_json()["cards"]:
            said = {"card": card["uuid"], "outcomeTimestamp": f"{AS_OF}T10:05:31Z"}
            # Both answers to one question cannot have been accepted.
            accepted = [{"id": suggestion["uuid"]} for suggestion in card.get("suggestions", ())[:1]]
            reason = {"reason": card["overrideReasons"][0], "userComment": CANARY}
            items: list[dict[str, Any]] = [{**said, "outcome": "overridden", "overrideReason": reason}]
            if accepted:
                items.append({**said, "outcome": "accepted", "acceptedSuggestions": accepted})
            yield Seed(f"{one.name} feedback", f"{one.path}/feedback", {"feedback": items})


def _evaluations() -> Iterable[Seed]:
    for person in PEOPLE:
        for dialect, written in BUNDLES.items():
            yield Seed(
                f"{person.id} {dialect}", f"/evaluate?asOf={AS_OF}&validate=true", _marked(written(person))
            )


def _calls(knowledge: Knowledge) -> Iterable[Seed]:
    for hook in knowledge.hooks:
        for person in PEOPLE:
            yield Seed(f"{person.id} {hook['hook']}", f"/cds-services/{hook['id']}", call(hook, person))


def call(hook: Mapping[str, Any], person: Person) -> dict[str, Any]:
    """A call with the context that any hook asks for; what another hook reads is ignored."""
    subject = {"reference": f"Patient/{person.id}"}
    drafts = [
        {
            "resourceType": "MedicationRequest",
            "id": "draft-1",
            "status": "draft",
            "intent": "order",
            "subject": subject,
            "medicationCodeableConcept": {"text": "salbutamol"},
            "note": [{"text": CANARY}],
        },
        {
            "resourceType": "ServiceRequest",
            "id": "draft-2",
            "status": "draft",
            "intent": "order",
            "subject": subject,
            "code": {"text": "EMG"},
        },
    ]
    problem = {"resourceType": "Condition", "id": "new", "subject": subject, "code": {"text": "restless"}}
    context = {
        "userId": "Practitioner/1",
        "patientId": person.id,
        "encounterId": "visit-1",
        "selections": ["MedicationRequest/draft-1"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft} for draft in drafts]},
        "conditions": {"resourceType": "Bundle", "entry": [{"resource": problem}]},
    }
    return {
        "hook": hook["hook"],
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_DNS, person.id)),
        "fhirServer": "https://fhir.hospital.example/R4",
        "fhirAuthorization": {
            "access_token": f"{CANARY}-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.rs",
            "subject": "cds",
        },
        "context": context,
        "prefetch": _marked(DIALECTS["prefetch"](person)),
        "extension": {EXTENSION: {"assessment": True, "asOf": AS_OF.isoformat()}},
    }


def _marked(tree: dict[str, Any]) -> dict[str, Any]:
    """With a name, a number and a note that no log and no error may hold."""
    for resource in _resources(tree):
        if resource.get("resourceType") == "Patient":
            resource["name"] = [{"family": CANARY, "given": [CANARY]}]
            resource["telecom"] = [{"system": "phone", "value": CANARY}]
        else:
            resource["note"] = [{"text": CANARY}]
    return tree


def _resources(tree: Any) -> Iterable[dict[str, Any]]:
    if isinstance(tree, dict):
        if tree.get("resourceType") not in (None, "Bundle"):
            yield tree
        for member in tree.values():
            yield from _resources(member)
    elif isinstance(tree, list):
        for member in tree:
            yield from _resources(member)
