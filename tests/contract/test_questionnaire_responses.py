"""Responses to the form over HTTP: sent, fetched, in a Bundle; and that nothing waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.knowledge import Knowledge
from tests.contract.fhir_server import (
    PERSON,
    FhirServer,
    addresses_of,
    assessment,
    call,
    fhir_serving,
    record,
    reply,
    site,
)
from tests.contract.requests import DAY, SERVICE
from tests.knowledge.published import RESOURCES

KEY = "questionnaireResponses"
FORM = RESOURCES["Questionnaire"]["fasciculation-assessment"]
YES = FORM["contained"][0]["expansion"]["contains"][0]
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


def response(patient: str = PERSON.id, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "form",
        "status": "completed",
        "questionnaire": f"{FORM['url']}|{FORM['version']}",
        "subject": {"reference": f"Patient/{patient}"},
        "authored": DAY,
        "author": {"reference": "Practitioner/1"},
        "item": [
            {"linkId": "group-bulbar", "item": [{"linkId": "bulbar", "answer": [{"valueCoding": YES}]}]},
        ],
        **members,
    }


def listed(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def about_bulbar(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (evidence["reference"], finding["status"])
        for finding in found["findings"]
        if finding["id"] == "bulbar"
        for evidence in finding["evidence"]
        if evidence["reference"].startswith("QuestionnaireResponse/")
    ]


def posted(client: FlaskClient, prefetch: Any, server: str | None = None) -> dict[str, Any]:
    answer = client.post(SERVICE, json=call(prefetch, server))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    content: dict[str, Any] = answer.get_json()
    return content


def without_form() -> dict[str, Any]:
    return {key: value for key, value in record().items() if key != KEY}


def test_every_hook_asks_for_the_responses_of_the_published_form(client: FlaskClient) -> None:
    for service in client.get("/cds-services").get_json()["services"]:
        path, _, query = service["prefetch"][KEY].partition("?")
        named = dict(part.split("=") for part in query.split("&"))
        assert path == "QuestionnaireResponse"
        assert (named["patient"], named["questionnaire"]) == ("{{context.patientId}}", FORM["url"])
        assert named["_sort"] == "-authored"


def test_a_response_that_was_sent_is_read(client: FlaskClient) -> None:
    found = assessment(posted(client, {**without_form(), KEY: listed(response())}))
    assert about_bulbar(found) == [("QuestionnaireResponse/form", "present")]
    assert found["notSeen"] == []


def test_a_response_in_a_bundle_is_read(client: FlaskClient) -> None:
    patient = without_form()["patient"]
    twitch = without_form()["conditions"]["entry"][0]
    body = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}, twitch]}
    plain = client.post(f"/evaluate?asOf={DAY}", json=body).get_json()["assessment"]
    body["entry"].append({"resource": response()})
    found = client.post(f"/evaluate?asOf={DAY}", json=body).get_json()["assessment"]
    assert about_bulbar(found) == [("QuestionnaireResponse/form", "present")]
    assert (plain["level"], found["level"]) == ("info", "critical")
    assert KEY not in plain["notSeen"] + found["notSeen"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        OUTCOME,
        listed(OUTCOME),
        listed({"resourceType": "Observation", "id": "o"}),
        "x",
        {**listed(), "link": [{"relation": "next", "url": "https://ehr.example/next"}]},
        {**listed(), "total": 3},
        listed(response("somebody-else")),
    ],
    ids=str,
)
def test_a_list_that_is_not_whole_is_not_missed(client: FlaskClient, value: Any) -> None:
    whole = posted(client, without_form())
    found = posted(client, {**without_form(), KEY: value})
    assert assessment(whole)["notSeen"] == assessment(found)["notSeen"] == []
    assert assessment(whole)["level"] == assessment(found)["level"]
    assert [card["summary"] for card in whole["cards"]] == [card["summary"] for card in found["cards"]]


def test_no_call_is_refused_for_it(client: FlaskClient) -> None:
    empty = dict.fromkeys(without_form())
    assert posted(client, {**empty, "patient": without_form()["patient"]})["cards"] == []
    assert posted(client, {**empty, KEY: listed(response())})["cards"] == []


@pytest.fixture(scope="module")
def serving(knowledge: Knowledge) -> Iterator[FhirServer]:
    with fhir_serving(addresses_of(knowledge)) as server:
        yield server


@pytest.fixture
def server(serving: FhirServer) -> FhirServer:
    serving.reset()
    return serving


def test_it_is_fetched_as_the_others_are(knowledge: Knowledge, server: FhirServer) -> None:
    server.lists[KEY] = listed(response())
    found = posted(site(knowledge, server).test_client(), without_form(), server.base)
    assert server.keys == [KEY]
    assert about_bulbar(assessment(found)) == [("QuestionnaireResponse/form", "present")]


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_server_without_it_blocks_nothing(knowledge: Knowledge, server: FhirServer, status: int) -> None:
    server.behaves[KEY] = lambda handler: reply(handler, OUTCOME, status)
    client = site(knowledge, server).test_client()
    found = posted(client, without_form(), server.base)
    assert server.keys == [KEY]
    assert found["cards"] == posted(client, {**without_form(), KEY: None})["cards"]
    assert assessment(found)["notSeen"] == []
