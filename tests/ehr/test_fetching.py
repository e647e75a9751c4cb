"""Without any prefetch, from a real FHIR server: the card that the same record gets as a prefetch.

The server cannot search FamilyMemberHistory by patient, says so and returns everybody's: that list is never
seen, and every answer is held against the prefetch without it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from tests.ehr.conftest import Ehr
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.ehr import HOOK
from tests.vignettes.patient import AS_OF, BY_ID, PEOPLE, Person

UNSEARCHABLE = "familyHistory"
EXTENSION = "org.fasciculation-cds"
ALL = [
    "patient", "conditions", "findings", "labs", "examinations", "medications", "medicationStatements",
    "orders", "procedures", "reports", "familyHistory",
]  # fmt: skip


@pytest.fixture(scope="session")
def site(knowledge: Knowledge, ehr: Ehr) -> Flask:
    config = Config(public_base_url="https://cds.example", fhir_servers=(ehr.base,), fhir_timeout=30.0)
    return create_app(config, knowledge)


@pytest.fixture
def asking(site: Flask) -> FlaskClient:
    return site.test_client()


def prefetch_of(patient_id: str) -> dict[str, Any]:
    """All but the list that this server cannot search."""
    whole = DIALECTS["prefetch"](BY_ID[patient_id])
    return {key: value for key, value in whole.items() if key != UNSEARCHABLE}


def answered(client: FlaskClient, patient_id: str, status: int = 200, **members: Any) -> dict[str, Any]:
    body = {
        "hook": "patient-view",
        "hookInstance": "8a5f5e3e-6d4f-4b5e-9b59-0d4b1f6a6c11",
        "context": {"userId": "Practitioner/1", "patientId": patient_id},
        "extension": {EXTENSION: {"assessment": True, "asOf": AS_OF.isoformat()}},
        **members,
    }
    response = client.post(f"/cds-services/{HOOK}", json=body)
    assert response.status_code == status, response.get_data(as_text=True)
    content: dict[str, Any] = response.get_json(force=True)
    return content


def fetched(
    client: FlaskClient, ehr: Ehr, patient_id: str, token: str | None = None, status: int = 200
) -> dict[str, Any]:
    authorization = {"access_token": token or ehr.token(), "token_type": "Bearer", "expires_in": 300}
    return answered(client, patient_id, status, fhirServer=ehr.base, fhirAuthorization=authorization)


def assessment(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["extension"][EXTENSION]["assessment"]
    return found


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
def test_cds_hooks_34_every_patient_gets_the_card_of_the_prefetch(
    asking: FlaskClient, ehr: Ehr, person: Person
) -> None:
    sent = answered(asking, person.id, prefetch=prefetch_of(person.id))
    had = fetched(asking, ehr, person.id)
    assert assessment(had)["notSeen"] == [UNSEARCHABLE]
    assert assessment(had)["notUsed"] == []
    assert had["cards"] == sent["cards"]
    for name in ("level", "gate", "rows", "recommendations", "questions"):
        assert assessment(had)[name] == assessment(sent)[name]


def test_an_unknown_patient_gets_no_advice(asking: FlaskClient, ehr: Ehr) -> None:
    """The searches of such a patient find nothing, and that is an answer."""
    had = fetched(asking, ehr, "nobody")
    assert had["cards"] == []
    assert assessment(had)["notSeen"] == ["patient", UNSEARCHABLE]


def test_a_token_for_some_types_leaves_the_rest_unseen(asking: FlaskClient, ehr: Ehr) -> None:
    token = ehr.token("system/Patient.read system/Condition.read")
    had = fetched(asking, ehr, "v05", token)
    assert assessment(had)["notSeen"] == [key for key in ALL if key not in ("patient", "conditions")]
    detail = had["cards"][0]["detail"]
    assert detail.startswith("Examination and symptom records were not seen.\n")
    assert "**Not seen:** examination and symptom records, laboratory results, examinations," in detail


@pytest.mark.parametrize("token", ["no-such-token", "a.b.c"])
def test_cds_hooks_54_a_token_that_is_refused(asking: FlaskClient, ehr: Ehr, token: str) -> None:
    issues = fetched(asking, ehr, "v05", token, 412)["issue"]
    assert [issue["expression"] for issue in issues] == [["prefetch.conditions"], ["prefetch.findings"]]
    assert all(issue["diagnostics"].endswith("not give them: unauthorized.") for issue in issues)


def test_its_pages_are_followed(asking: FlaskClient, ehr: Ehr) -> None:
    """More results than one page of the template holds; those that count are the oldest."""
    prefetch = prefetch_of("v08")
    potassium = prefetch["labs"]["entry"][0]["resource"]
    days = [AS_OF - timedelta(days=number) for number in range(450)]
    new = [
        {**potassium, "id": f"new-{day}", "status": "entered-in-error", "effectiveDateTime": day.isoformat()}
        for day in days
    ]
    ehr.store(new)
    try:
        had = fetched(asking, ehr, "v08")
    finally:
        ehr.delete(*(f"Observation/{one['id']}" for one in new))
    assert assessment(had)["notSeen"] == [UNSEARCHABLE]
    assert assessment(had)["results"] == assessment(answered(asking, "v08", prefetch=prefetch))["results"]
    assert len(assessment(had)["results"]) == 2


def test_a_first_page_as_prefetch_is_carried_on(asking: FlaskClient, ehr: Ehr) -> None:
    whole = DIALECTS["prefetch"](BY_ID["v08"])
    conditions = whole["conditions"]
    link = {"relation": "next", "url": f"{ehr.base}/Condition?patient=v08&_count=1&_offset=1"}
    first = {**conditions, "entry": conditions["entry"][:1], "link": [link]}
    authorization = {"access_token": ehr.token(), "token_type": "Bearer"}
    had = answered(
        asking,
        "v08",
        prefetch={**whole, "conditions": first},
        fhirServer=ehr.base,
        fhirAuthorization=authorization,
    )
    assert assessment(had)["notSeen"] == []
    assert had["cards"] == answered(asking, "v08", prefetch=whole)["cards"]


def test_what_it_returns_of_other_patients_is_not_used(asking: FlaskClient, ehr: Ehr) -> None:
    """It ignores patient= on FamilyMemberHistory and returns everybody's."""
    before = fetched(asking, ehr, "v05")
    code = DIALECTS["prefetch"](PEOPLE[0])["conditions"]["entry"][0]["resource"]["code"]
    history = {
        "resourceType": "FamilyMemberHistory",
        "id": "of-another",
        "status": "completed",
        "patient": {"reference": "Patient/v39"},
        "relationship": {"text": "mother"},
        "condition": [{"code": code}],
    }
    ehr.store([history])
    try:
        had = fetched(asking, ehr, "v05")
        own = {**history, "id": "of-ours", "patient": {"reference": "Patient/v05"}}
        ehr.store([own])
        both = fetched(asking, ehr, "v05")
    finally:
        ehr.delete("FamilyMemberHistory/of-another", "FamilyMemberHistory/of-ours")
    others = [{"reference": "FamilyMemberHistory/of-another", "why": "belongs to another patient"}]
    assert assessment(had)["notUsed"] == others
    assert assessment(had)["findings"] == assessment(before)["findings"]
    assert had["cards"][0]["summary"] == before["cards"][0]["summary"]
    assert assessment(both)["notUsed"] == others
    assert assessment(both)["notSeen"] == [UNSEARCHABLE]
