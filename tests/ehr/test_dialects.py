"""Every dialect on a real FHIR server: the card by prefetch, and by FHIR_SERVERS, is that of all of it.

The server knows code and combo-code: PREFETCH_SEARCH=code asks it as a server without combo-code is asked.
FamilyMemberHistory, which it cannot search by patient (test_fetching.py), is left out on both sides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests
from flask import Flask

from fhir_mappings.request.bundles import decode_bundle
from service.app import create_app
from service.cards.card_ids import CardIds
from service.config import Config
from service.evaluation import Evaluator
from service.fhir_client import template_of
from service.knowledge import Knowledge
from tests.ehr.conftest import Ehr
from tests.ehr.stored import bundle_of, name_of, stored_as
from tests.ehr.test_fetching import EXTENSION, UNSEARCHABLE, assessment
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.ehr import HOOK
from tests.vignettes.patient import AS_OF, PEOPLE, Person

INSTANCE = "8a5f5e3e-6d4f-4b5e-9b59-0d4b1f6a6c11"
USER = "Practitioner/1"
URL = "https://cds.example"
COMPARED = ("level", "gate", "rows", "recommendations", "questions")
# With the codes of these systems the address is longer than servers take. By `code`, their Observations come
# by category; combo-code has no such list.
OF_OTHER_SYSTEMS = {"hpo", "icd"}
SEARCHED = [("code", dialect) for dialect in DIALECTS] + [
    ("combo-code", dialect) for dialect in DIALECTS if dialect not in OF_OTHER_SYSTEMS
]


@pytest.fixture(scope="session")
def sites(knowledge: Knowledge, ehr: Ehr) -> dict[str, Flask]:
    config = Config(public_base_url=URL, fhir_servers=(ehr.base,), fhir_timeout=30.0)
    return {
        search: create_app(replace(config, prefetch_search=search), knowledge)
        for search in ("code", "combo-code")
    }


@pytest.fixture(scope="session")
def answers() -> dict[str, Any]:
    """The server's answers by address: the two searches differ in few."""
    return {}


def asked(site: Flask, patient_id: str, **members: Any) -> dict[str, Any]:
    body = {
        "hook": "patient-view",
        "hookInstance": INSTANCE,
        "context": {"userId": USER, "patientId": patient_id},
        "extension": {EXTENSION: {"assessment": True, "asOf": AS_OF.isoformat()}},
        **members,
    }
    response = site.test_client().post(f"/cds-services/{HOOK}", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    content: dict[str, Any] = response.get_json()
    return content


def prefetched(site: Flask, ehr: Ehr, token: str, patient_id: str, answers: dict[str, Any]) -> dict[str, Any]:
    """What a client sends that fills the templates of discovery from that server."""
    services = site.test_client().get("/cds-services").get_json()["services"]
    templates = next(service["prefetch"] for service in services if service["id"] == HOOK)
    prefetch = {}
    for key, text in templates.items():
        template = template_of(text, {"patientId": patient_id})
        assert template is not None
        if template.address not in answers:
            headers = {"Authorization": f"Bearer {token}"}
            response = requests.get(f"{ehr.base}/{template.address}", headers=headers, timeout=60)
            assert response.status_code == 200, response.text
            answers[template.address] = response.json()
        prefetch[key] = answers[template.address]
    return {key: value for key, value in prefetch.items() if key != UNSEARCHABLE}


def whole(knowledge: Knowledge, dialect: str, person: Person, not_seen: list[str]) -> dict[str, Any]:
    """The answer to everything that is on the server about that patient, and not about another."""
    stored, left_out = stored_as(dialect, person), f"{dialect}-{person.id}-other-"
    resources = [
        r for r in stored if r["resourceType"] != "FamilyMemberHistory" and not r["id"].startswith(left_out)
    ]
    submission = replace(
        decode_bundle(bundle_of(resources)),
        not_seen=tuple(not_seen),
        patient_id=name_of(dialect, person),
    )
    evaluation = Evaluator(knowledge, URL).evaluate(
        submission, AS_OF, hook_instance=INSTANCE, user=USER, ids=CardIds((), HOOK)
    )
    return {"cards": evaluation.cards, "assessment": evaluation.assessment}


def differences(expected: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    found = [] if answer["cards"] == expected["cards"] else ["cards"]
    return found + [n for n in COMPARED if assessment(answer)[n] != expected["assessment"][n]]


@pytest.mark.parametrize(("search", "dialect"), SEARCHED)
def test_the_card_is_that_of_the_whole_record(
    knowledge: Knowledge,
    sites: dict[str, Flask],
    ehr: Ehr,
    answers: dict[str, Any],
    search: str,
    dialect: str,
) -> None:
    """By our own prefetch for every patient; by FHIR_SERVERS for each patient in some of the dialects."""
    token, site = ehr.token(), sites[search]
    first = list(DIALECTS).index(dialect)
    fetching = {person.id for person in PEOPLE[first :: len(DIALECTS)]}
    authorization = {"access_token": token, "token_type": "Bearer"}
    wrong = {}
    for person in PEOPLE:
        patient_id = name_of(dialect, person)
        sent = asked(site, patient_id, prefetch=prefetched(site, ehr, token, patient_id, answers))
        expected = whole(knowledge, dialect, person, assessment(sent)["notSeen"])
        wrong[person.id] = differences(expected, sent)
        if person.id in fetching:
            had = asked(site, patient_id, fhirServer=ehr.base, fhirAuthorization=authorization)
            expected = whole(knowledge, dialect, person, assessment(had)["notSeen"])
            wrong[f"{person.id} fetched"] = differences(expected, had)
        assert set(assessment(sent)["notSeen"]) <= {UNSEARCHABLE}
    assert {name: found for name, found in wrong.items() if found} == {}
