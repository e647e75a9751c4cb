"""What a 412 says of lists that the client's FHIR server was, or was not, asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.knowledge import Knowledge
from tests.contract.fhir_server import (
    OTHER,
    PERSON,
    FhirServer,
    addresses_of,
    call,
    fhir_serving,
    record,
    reply,
    site,
)
from tests.contract.requests import SERVICE

LISTS = ("conditions", "findings")


@pytest.fixture(scope="module")
def served(knowledge: Knowledge) -> Iterator[tuple[FhirServer, FlaskClient]]:
    with fhir_serving(addresses_of(knowledge)) as server:
        yield server, site(knowledge, server).test_client()


@pytest.fixture
def server(served: tuple[FhirServer, FlaskClient]) -> FhirServer:
    served[0].reset()
    return served[0]


def words(served: tuple[FhirServer, FlaskClient], **changes: Any) -> dict[str, str]:
    """Place -> diagnostics of the 412 to a call without the lists that tell whether there is a twitch."""
    server, client = served
    prefetch = {key: value for key, value in record().items() if key not in LISTS}
    response = client.post(SERVICE, json=call(prefetch, server.base, **changes))
    assert response.status_code == 412
    assert PERSON.id not in response.get_data(as_text=True)
    issues = response.get_json(force=True)["issue"]
    return {issue["expression"][0]: issue["diagnostics"] for issue in issues}


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        (None, "(no-token): the call has no fhirAuthorization"),
        ({"token_type": "Bearer"}, "(token-unusable): access_token is not"),
        ({"access_token": "a b"}, "(token-unusable): access_token is not"),
        ({"access_token": "x", "token_type": "mac"}, "(token-not-bearer): token_type is not Bearer"),
        ({"access_token": "x", "patient": OTHER}, "(token-of-another-patient): the patient of fhirAuth"),
    ],
)
def test_a_server_that_was_not_asked_is_not_said_to_have_refused(
    served: tuple[FhirServer, FlaskClient], server: FhirServer, authorization: Any, reason: str
) -> None:
    found = words(served, fhirAuthorization=authorization)
    assert all(f"was not asked for them {reason}" in found[f"prefetch.{key}"] for key in LISTS)
    assert not server.asked


def test_a_server_that_is_not_allowed_is_said_to_be_that(
    served: tuple[FhirServer, FlaskClient], server: FhirServer
) -> None:
    found = words(served, fhirServer="https://other.example/fhir")
    assert "(server-not-allowed): it is none of FHIR_SERVERS" in found["prefetch.conditions"]
    assert not server.asked


def test_lists_of_another_patient_are_not_said_to_be_missing(
    served: tuple[FhirServer, FlaskClient], server: FhirServer
) -> None:
    for key in LISTS:
        text = json.dumps(server.lists[key]).replace(f"Patient/{PERSON.id}", f"Patient/{OTHER}")
        server.lists[key] = json.loads(text)
    for key, said in words(served).items():
        assert (
            f"the subject of fhirServer.{key.partition('.')[2]}.page[0].entry[0].resource is another" in said
        )
        assert "were not sent" not in said
        assert OTHER not in said


def test_a_list_that_is_broken_off_is_said_to_be_a_part(
    served: tuple[FhirServer, FlaskClient], server: FhirServer
) -> None:
    cough = {"resourceType": "Condition", "id": "c", "code": {"text": "Cough"}}
    subject = {"reference": f"Patient/{PERSON.id}"}
    part = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": {**cough, "subject": subject}}],
    }
    server.lists["conditions"] = {**part, "total": 9}
    server.behaves["findings"] = lambda handler: reply(handler, {}, 403)
    found = words(served)
    assert "fhirServer.conditions holds a part of the conditions" in found["prefetch.conditions"]
    assert "fhirServer did not give them: forbidden." in found["prefetch.findings"]


PATIENTS = [
    f"Patient/{PERSON.id}",
    f" {PERSON.id} ",
    f"https://ehr.example/fhir/Patient/{PERSON.id}",
    f"Patient/{PERSON.id}/_history/1",
]


@pytest.mark.parametrize("patient", PATIENTS)
def test_the_patient_of_a_token_is_compared_in_every_form(
    served: tuple[FhirServer, FlaskClient], server: FhirServer, patient: str
) -> None:
    prefetch = {key: value for key, value in record().items() if key != "labs"}
    authorization = {"access_token": "x", "patient": patient}
    response = served[1].post(SERVICE, json=call(prefetch, server.base, fhirAuthorization=authorization))
    assert response.status_code == 200
    assert server.keys == ["labs"]


@pytest.mark.parametrize(
    "patient", ["", OTHER, f"https://e.example/Patient/{OTHER}", 5, True, [PERSON.id], {}]
)
def test_a_token_of_another_patient_is_not_used(
    served: tuple[FhirServer, FlaskClient], server: FhirServer, patient: Any
) -> None:
    found = words(served, fhirAuthorization={"access_token": "x", "patient": patient})
    assert "token-of-another-patient" in found["prefetch.conditions"]
    assert not server.asked


def test_a_call_without_a_server_says_so_where_the_service_may_fetch(
    served: tuple[FhirServer, FlaskClient], server: FhirServer
) -> None:
    found = words(served, fhirServer=None)
    assert all("(no-server): the call has no fhirServer" in found[f"prefetch.{key}"] for key in LISTS)


def test_a_call_with_a_server_says_so_where_the_service_may_not_fetch(client: FlaskClient) -> None:
    response = client.post(SERVICE, json=call({}, "https://ehr.example/fhir"))
    assert response.status_code == 412
    for issue in response.get_json(force=True)["issue"]:
        assert "(fetching-off): FHIR_SERVERS is empty" in issue["diagnostics"]
        assert "ehr.example" not in issue["diagnostics"]


def test_a_call_without_a_server_says_nothing_of_fetching_where_there_is_none(client: FlaskClient) -> None:
    text = client.post(SERVICE, json=call({}, None)).get_data(as_text=True)
    assert "fhirServer" not in text
