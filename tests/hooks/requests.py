"""Calls about the test patients, as an EHR sends them: the record as prefetch, the rest as context."""

from __future__ import annotations

import uuid
from typing import Any

from flask.testing import FlaskClient

from tests.vignettes import codes, medicine_codes
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.patient import AS_OF, BY_ID

Resource = dict[str, Any]
EXTENSION = "org.fasciculation-cds"


def call(hook: str, who: str, *stored: Resource, **context: Any) -> Resource:
    """The request. stored: what is in the record besides; context: what the hook adds to it."""
    person = BY_ID[who]
    return {
        "hook": hook,
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{hook}.{who}.vignettes.example.org")),
        "context": {"userId": "Practitioner/example", "patientId": who, **context},
        "prefetch": with_stored(DIALECTS["prefetch"](person), stored),
        "extension": {EXTENSION: {"assessment": True, "asOf": AS_OF.isoformat()}},
    }


_KEYS = {"Condition": "conditions", "ServiceRequest": "orders", "MedicationRequest": "medications"}


def with_stored(prefetch: Resource, stored: tuple[Resource, ...]) -> Resource:
    """The prefetch whose lists hold those resources as well."""
    lists = dict(prefetch)
    for resource in stored:
        laboratory = "laboratory" in str(resource.get("category"))
        key = _KEYS.get(resource["resourceType"], "labs" if laboratory else "findings")
        bundle = lists[key]
        entries = [*bundle.get("entry", ()), {"resource": resource}]
        lists[key] = {**bundle, "total": len(entries), "entry": entries}
    return lists


def bundle(*resources: Any) -> Resource:
    """As the reference client sends it: without a type."""
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}


def _draft(kind: str, who: str, name: str, **members: Any) -> Resource:
    """As the reference client writes one: category and reasonCode are objects, which FHIR forbids."""
    return {
        "resourceType": kind,
        "id": name,
        "status": "draft",
        "intent": "order",
        "category": {"coding": [{"code": "outpatient"}]},
        "reasonCode": {"text": "as discussed"},
        "subject": {"reference": f"Patient/{who}"},
        "authoredOn": AS_OF.isoformat(),
        **members,
    }


def prescription(who: str, drug: str, name: str = "rx", **members: Any) -> Resource:
    """A draft of a medicine of the tables, by its RxNorm code."""
    concept = medicine_codes.drug_concept(drug, codes.RXNORM)
    return _draft("MedicationRequest", who, name, medicationCodeableConcept=concept, **members)


def typed(who: str, text: str, name: str = "rx", **members: Any) -> Resource:
    """A draft of a medicine in words."""
    return _draft("MedicationRequest", who, name, medicationCodeableConcept={"text": text}, **members)


def request(who: str, test: str, name: str = "sr", **members: Any) -> Resource:
    """A draft of a test: an analyte or study of the test patients, "panel" or "mri"."""
    found = {"panel": codes.BASIC_PANEL, "mri": MRI_BRAIN}.get(test)
    code = found or (codes.LOINC, *(codes.STUDIES.get(test) or codes.ANALYTES[test]))
    return _draft("ServiceRequest", who, name, code=codes.concept(*code), **members)


MRI_BRAIN = (codes.LOINC, "24590-2", "MR Brain")


def orders(hook: str, who: str, *drafts: Resource, stored: tuple[Resource, ...] = ()) -> Resource:
    """order-select, where every draft is selected, or order-sign."""
    context: Resource = {"draftOrders": bundle(*drafts)}
    if hook == "order-select":
        context["selections"] = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
    return call(hook, who, *stored, **context)


def answered(client: FlaskClient, request: Resource) -> Resource:
    """The body of the answer, which must be one."""
    response = client.post(f"/cds-services/fasciculation-{request['hook']}", json=request)
    assert response.status_code == 200, response.get_data(as_text=True)
    content: Resource = response.get_json()
    return content


def cards(client: FlaskClient, request: Resource) -> list[Resource]:
    found: list[Resource] = answered(client, request)["cards"]
    return found


def posted(client: FlaskClient, body: Resource) -> tuple[int, list[str]]:
    """The status, and the places at fault."""
    response = client.post(f"/cds-services/fasciculation-{body['hook']}", json=body)
    issues = response.get_json().get("issue", ())
    return response.status_code, sorted(place for issue in issues for place in issue.get("expression", ()))
