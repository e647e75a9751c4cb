"""An EHR that asks the service and does what its suggestions say: it stores an answer and asks again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient

from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.patient import AS_OF, Person

Resource = dict[str, Any]
HOOK = "fasciculation-patient-view"
ENCOUNTER = "visit-1"


@dataclass(frozen=True)
class Reply:
    """What the service answered. card: the work-up card, or None."""

    card: Resource | None
    assessment: Resource

    @property
    def asked(self) -> dict[str, Resource]:
        """finding -> its question in the assessment, in their order."""
        return {question["finding"]: question for question in self.assessment["questions"]}

    @property
    def clicks(self) -> list[list[Resource]]:
        """The suggestions that answer a question: the Observations that each creates, in their order."""
        suggestions = (self.card or {}).get("suggestions", ())
        created = [[action["resource"] for action in one["actions"]] for one in suggestions]
        return [found for found in created if found[0]["resourceType"] == "Observation"]

    @property
    def answers(self) -> list[Resource]:
        """The Observations that the card offers, in their order."""
        return [resource for click in self.clicks for resource in click]


def ask(client: FlaskClient, dialect: str, person: Person, stored: tuple[Resource, ...] = ()) -> Reply:
    """The patient written in that dialect, with what was stored since; a bundle goes to /evaluate."""
    written = DIALECTS[dialect](person)
    if dialect in BUNDLES:
        written["entry"] = [*written["entry"], *({"resource": resource} for resource in stored)]
        return evaluate(client, written)
    return call(client, person.id, with_findings(written, stored))


def evaluate(client: FlaskClient, bundle: Resource) -> Reply:
    response = client.post(f"/evaluate?asOf={AS_OF}", json=bundle)
    assert response.status_code == 200, response.get_data(as_text=True)
    content = response.get_json()
    return Reply(next(iter(content["cards"]), None), content["assessment"])


def call(client: FlaskClient, patient_id: str, prefetch: Mapping[str, Any]) -> Reply:
    """The patient-view hook."""
    body = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_DNS, "ehr.example.org")),
        "context": {"userId": "Practitioner/1", "patientId": patient_id, "encounterId": ENCOUNTER},
        "prefetch": prefetch,
        "extension": {"org.fasciculation-cds": {"assessment": True, "asOf": AS_OF.isoformat()}},
    }
    response = client.post(f"/cds-services/{HOOK}", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    content = response.get_json()
    assessment = content["extension"]["org.fasciculation-cds"]["assessment"]
    return Reply(next(iter(content["cards"]), None), assessment)


def with_findings(prefetch: Mapping[str, Any], stored: tuple[Resource, ...]) -> dict[str, Any]:
    """The prefetch whose list of findings holds those as well, the newest first, as the template asks."""
    found = [{"resource": resource, "search": {"mode": "match"}} for resource in reversed(stored)]
    bundle = prefetch["findings"]
    entries = [*found, *bundle.get("entry", ())]
    grown = {**bundle, "total": len(entries), **({"entry": entries} if entries else {})}
    return {**prefetch, "findings": grown}


def saved(resource: Resource, name: str) -> Resource:
    """What a server makes of a create: an id and a version, nothing else."""
    return {**resource, "id": name, "meta": {"versionId": "1", "lastUpdated": f"{AS_OF}T10:00:00Z"}}


def finds(template: str, resource: Resource, patient_id: str) -> bool:
    """Whether a FHIR search by that prefetch template would bring the resource."""
    address = urlsplit(template.replace("{{context.patientId}}", patient_id))
    assert address.path == resource["resourceType"]
    searched = {name: values[0] for name, values in parse_qs(address.query).items()}
    codes = {coding["code"] for coding in resource["code"]["coding"]}
    sorts = {coding["code"] for one in resource["category"] for coding in one["coding"]}
    held = {
        "patient": {patient_id} if resource["subject"].get("reference") == f"Patient/{patient_id}" else set(),
        "code": codes,
        "category": sorts,
        "status": {resource["status"]},
    }
    for name, values in searched.items():
        if name not in ("_sort", "_count") and not held[name] & set(values.split(",")):
            return False
    return True


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
