"""Lists that are not whole: a refused, cut or empty-handed list is never read as an empty one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.knowledge import Knowledge
from tests.contract.fhir_server import FhirServer, addresses_of, call, fhir_serving, record, reply, site
from tests.contract.requests import DAY, SERVICE

Resource = dict[str, Any]
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-03-04"}
SUBJECT = {"reference": "Patient/p"}


def condition(code: str, name: str) -> Resource:
    coding = {"system": "http://snomed.info/sct", "code": code}
    status = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
    return {
        "resourceType": "Condition",
        "id": name,
        "clinicalStatus": {"coding": [status]},
        "code": {"coding": [coding]},
        "subject": SUBJECT,
        "recordedDate": "2026-06-10",
    }


TWITCH = condition("82470000", "twitch")
# Hypertension: relevant to nothing here.
OTHER = condition("38341003", "other")
URL = "https://ehr.example/r4/Condition/twitch"


def searchset(*entries: Any, **members: Any) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries), **members}


def batch(*entries: Any) -> Resource:
    return {"resourceType": "Bundle", "type": "batch-response", "entry": list(entries)}


def match(resource: Resource, mode: str = "match") -> Resource:
    return {"resource": resource, "search": {"mode": mode}}


def outcome(severity: Any, code: str = "processing", **issue: Any) -> Resource:
    found = {"severity": severity, "code": code, **issue}
    return {"resourceType": "OperationOutcome", "issue": [found]}


def epic(code: str, severity: str = "warning") -> Resource:
    coding = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": code}
    return match(outcome(severity, details={"coding": [coding]}), "outcome")


FORBIDDEN = {"status": "403 Forbidden", "outcome": outcome("error", "forbidden")}

# Lists of conditions that were not supplied whole; none has the twitch.
NOT_WHOLE: dict[str, Resource] = {
    "batch-403-without-resource": batch({"response": FORBIDDEN}),
    "batch-404": batch({"response": {"status": "404"}}),
    "batch-500-number": batch({"response": {"status": 500}}),
    "batch-403-with-informational-outcome": batch(
        {"response": {"status": "403"}, "resource": outcome("information")}
    ),
    "batch-one-of-two-failed": batch(
        {"response": {"status": "200 OK"}, "resource": searchset(match(OTHER), total=1)},
        {"response": {"status": "502 Bad Gateway"}},
    ),
    "batch-200-without-resource": batch({"response": {"status": "200 OK"}}),
    "batch-inner-list-cut": batch(
        {"response": {"status": "200"}, "resource": searchset(match(OTHER), total=2)}
    ),
    "total-five-no-entries": {"resourceType": "Bundle", "type": "searchset", "total": 5},
    "total-five-one-entry": searchset(match(OTHER), total=5),
    "total-as-text": searchset(match(OTHER), total="2"),
    "total-counts-no-includes": searchset(match(OTHER), match(PATIENT, "include"), total=2),
    "total-one-and-only-an-outcome": searchset(epic("4119"), total=1),
    "full-url-alone": searchset({"fullUrl": URL, "search": {"mode": "match"}}, total=1),
    "full-url-alone-beside-another": searchset(match(OTHER), {"fullUrl": URL}),
    "resource-null": searchset({"fullUrl": URL, "resource": None}),
    "entry-empty": searchset({}),
    "outcome-error": searchset(match(outcome("error", "exception"), "outcome")),
    "outcome-fatal": searchset(match(outcome("fatal"), "outcome")),
    "outcome-error-called-a-match": searchset(match(outcome("error"))),
    "outcome-error-beside-information": searchset(epic("4101"), match(outcome("error"), "outcome")),
    "outcome-without-severity": searchset(match(outcome(None), "outcome")),
    "outcome-without-issues": searchset(match({"resourceType": "OperationOutcome"}, "outcome")),
    "outcome-warning-incomplete": searchset(match(outcome("warning", "incomplete"), "outcome")),
    "outcome-warning-not-supported": searchset(match(outcome("warning", "not-supported"), "outcome")),
    "outcome-warning-forbidden": searchset(match(outcome("warning", "forbidden"), "outcome")),
    "outcome-error-in-the-place-of-an-entry": searchset(outcome("error")),
    "outcome-alone": outcome("error"),
}
# Lists of conditions that were answered, and hold no twitch.
WHOLE: dict[str, Any] = {
    "null": None,
    "empty": searchset(),
    "total-zero": searchset(total=0),
    "total-one": searchset(match(OTHER), total=1),
    "total-below": searchset(match(OTHER), match({**OTHER, "id": "o2"}), total=1),
    "total-counts-the-outcome-too": searchset(match(OTHER), epic("4119"), total=2),
    "total-null": searchset(match(OTHER), total=None),
    "total-no-number": searchset(match(OTHER), total=[7]),
    "epic-4101": searchset(epic("4101"), total=0),
    "epic-4101-informational": searchset(epic("4101", "information"), total=0),
    "epic-4119-beside-a-match": searchset(match(OTHER), epic("4119"), total=1),
    "outcome-called-a-match": searchset(match(outcome("information", "informational"))),
    "batch-of-an-empty-list": batch({"response": {"status": "200 OK"}, "resource": searchset(total=0)}),
    "batch-of-a-resource": batch({"response": {"status": "200"}, "resource": OTHER}),
}
# Lists in another form that hold the twitch; how many notes name the form.
READ: dict[str, tuple[Resource, int]] = {
    "resources-in-entry": (searchset(TWITCH), 1),
    "many-resources-in-entry": (searchset(*({**OTHER, "id": f"o{n}"} for n in range(9)), TWITCH), 1),
    "resources-and-entries-mixed": (searchset(match(OTHER), TWITCH), 1),
    "entries-for-entry": ({"resourceType": "Bundle", "type": "searchset", "entries": [match(TWITCH)]}, 1),
    "resources-in-entries": ({"resourceType": "Bundle", "type": "searchset", "entries": [TWITCH]}, 2),
    "epic-4119-beside-the-twitch": (searchset(match(TWITCH), epic("4119"), total=1), 0),
    "batch-of-a-list": (batch({"response": {"status": "200"}, "resource": searchset(match(TWITCH))}), 0),
}


def viewed(client: FlaskClient, conditions: Any, findings: Any = None) -> tuple[int, Resource]:
    prefetch = {"patient": PATIENT, "conditions": conditions, "findings": findings}
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p"},
        "prefetch": prefetch,
        "extension": {"org.fasciculation-cds": {"assessment": True, "asOf": DAY}},
    }
    response = client.post(SERVICE, json=body)
    return response.status_code, response.get_json(force=True)


def evaluated(client: FlaskClient, *entries: Any, **members: Any) -> Resource:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": list(entries), **members}
    response = client.post(f"/evaluate?asOf={DAY}", json=bundle)
    assert response.status_code == 200, response.get_data(as_text=True)
    found: Resource = response.get_json()["assessment"]
    return found


def assessed(answer: Resource) -> Resource:
    found: Resource = answer["extension"]["org.fasciculation-cds"]["assessment"]
    return found


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_a_list_that_is_not_whole_is_never_all_clear(client: FlaskClient, name: str) -> None:
    status, answer = viewed(client, NOT_WHOLE[name])
    assert status == 412
    assert "prefetch.conditions" in [place for issue in answer["issue"] for place in issue["expression"]]


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_beside_a_twitch_it_is_named_on_the_card(client: FlaskClient, name: str) -> None:
    seen = {**TWITCH, "resourceType": "Observation", "status": "final", "valueBoolean": True}
    del seen["clinicalStatus"]
    status, answer = viewed(client, NOT_WHOLE[name], searchset(match(seen)))
    assert status == 200
    assert "conditions" in assessed(answer)["notSeen"]
    assert answer["cards"][0]["detail"].startswith("Conditions were not seen.")


@pytest.mark.parametrize("name", WHOLE)
def test_a_list_that_was_answered_is_seen(client: FlaskClient, name: str) -> None:
    status, answer = viewed(client, WHOLE[name])
    assert (status, answer["cards"]) == (200, [])
    assert not {"conditions", "findings"} & set(assessed(answer)["notSeen"])
    assert assessed(answer).get("notUnderstood", []) == []


@pytest.mark.parametrize("name", READ)
def test_a_list_in_another_form_is_read(client: FlaskClient, name: str) -> None:
    content, notes = READ[name]
    status, answer = viewed(client, content)
    assert status == 200
    assert answer["cards"]
    assert assessed(answer)["gate"]["open"]
    assert len(assessed(answer).get("notUnderstood", [])) == notes


# In a Bundle that is evaluated: what could not be had, and the lists that it leaves unseen.
MANY = {"conditions", "findings", "medications", "procedures"}
COULD_NOT_BE_HAD: dict[str, tuple[Resource, set[str]]] = {
    "full-url-of-a-condition": ({"fullUrl": URL}, {"conditions"}),
    "location-with-history": (
        {"response": {"status": "201", "location": "Observation/1/_history/2"}},
        {"findings", "labs"},
    ),
    "refused-search-of-medications": (
        {"request": {"method": "GET", "url": "MedicationRequest?patient=p"}, "response": {"status": "403"}},
        {"medications"},
    ),
    "refused-read": (
        {"fullUrl": "https://ehr.example/FHIR/Procedure/x", "response": FORBIDDEN},
        {"procedures"},
    ),
    "of-no-list": ({"fullUrl": "https://ehr.example/fhir/Encounter/1"}, set()),
    "of-an-unknown-type": ({"fullUrl": "urn:uuid:0dbd-44c9"}, MANY),
    "nothing-said": ({}, MANY),
    "outcome-error": (match(outcome("error"), "outcome"), MANY),
}
ALL_TYPES = tuple(
    {"resource": {"resourceType": kind, "id": "x", "status": "final", "subject": SUBJECT}}
    for kind in ("Observation", "MedicationRequest", "MedicationStatement", "Procedure")
)


@pytest.mark.parametrize("name", COULD_NOT_BE_HAD)
def test_what_a_bundle_does_not_hold_is_named(client: FlaskClient, name: str) -> None:
    entry, unseen = COULD_NOT_BE_HAD[name]
    whole = evaluated(client, match(PATIENT), match(TWITCH), *ALL_TYPES)
    cut = evaluated(client, match(PATIENT), match(TWITCH), *ALL_TYPES, entry)
    lost = set(cut["notSeen"]) - set(whole["notSeen"])
    assert unseen <= lost
    assert bool(unseen) is bool(lost)
    assert len(cut["notUnderstood"]) == 1 + len(whole.get("notUnderstood", []))
    assert any(note["reference"].startswith("Bundle.entry[6]") for note in cut["notUnderstood"])


NOTHING_LACKING: dict[str, Resource] = {
    "epic-4119": epic("4119"),
    "informational": {"resource": outcome("information", "informational")},
    "a-deletion": {"request": {"method": "DELETE", "url": "Condition/old"}},
}


@pytest.mark.parametrize("name", NOTHING_LACKING)
def test_what_only_informs_leaves_a_bundle_as_it_is(client: FlaskClient, name: str) -> None:
    whole = evaluated(client, match(PATIENT), match(TWITCH))
    assert evaluated(client, match(PATIENT), match(TWITCH), NOTHING_LACKING[name]) == whole


@pytest.mark.parametrize("depth", [0, 1])
def test_a_search_set_below_its_total_leaves_every_list_unseen(client: FlaskClient, depth: int) -> None:
    entries: list[Resource] = [match(PATIENT), match(TWITCH)]
    cut = searchset(*entries, total=40)
    found = evaluated(client, {"resource": cut}) if depth else evaluated(client, **cut | {"entry": entries})
    assert {"patient", "conditions", "findings"} <= set(found["notSeen"])
    assert [note["expression"] for note in found["notUnderstood"]] == ["total"]


@pytest.mark.parametrize("name", ["entries", "entry"])
def test_a_bundle_in_another_form_is_read(client: FlaskClient, name: str) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", name: [PATIENT, TWITCH]}
    response = client.post(f"/evaluate?asOf={DAY}", json=bundle)
    assert response.get_json()["cards"]


# The same from the caller's FHIR server


@pytest.fixture(scope="module")
def server(knowledge: Knowledge) -> Iterator[FhirServer]:
    with fhir_serving(addresses_of(knowledge)) as served:
        yield served


@pytest.fixture(scope="module")
def calling_out(knowledge: Knowledge, server: FhirServer) -> Flask:
    return site(knowledge, server)


def fetched(app: Flask, server: FhirServer, behave: Any) -> list[str]:
    """What is not seen in a call without `labs`, which the server answers so."""
    server.reset()
    server.behaves["labs"] = behave
    prefetch = {key: value for key, value in record().items() if key != "labs"}
    response = app.test_client().post(SERVICE, json=call(prefetch, server.base))
    assert response.status_code == 200, response.get_data(as_text=True)
    not_seen: list[str] = assessed(response.get_json())["notSeen"]
    return not_seen


def labs(**members: Any) -> Resource:
    held: Resource = record()["labs"]
    return {**held, **members}


FETCHED_WHOLE: dict[str, Any] = {
    "as-it-is": labs(),
    "byte-order-mark": b"\xef\xbb\xbf" + json.dumps(labs()).encode(),
    "epic-4101": searchset(epic("4101"), total=0),
    "resources-in-entry": labs(entry=[entry["resource"] for entry in labs()["entry"]]),
}
FETCHED_CUT: dict[str, Any] = {
    "total-above": labs(total=9),
    "total-alone": searchset(total=3),
    "outcome-error": searchset(*labs()["entry"], match(outcome("error"), "outcome")),
    "full-url-alone": searchset(*labs()["entry"], {"fullUrl": "https://ehr.example/Observation/1"}),
    "refused-entry": searchset(*labs()["entry"], {"response": {"status": "403"}}),
    "in-summary": labs(
        entry=[match({**labs()["entry"][0]["resource"], "meta": {"tag": [{"code": "SUBSETTED"}]}})]
    ),
}


@pytest.mark.parametrize("name", FETCHED_WHOLE)
def test_a_fetched_list_that_is_whole(calling_out: Flask, server: FhirServer, name: str) -> None:
    assert fetched(calling_out, server, lambda handler: reply(handler, FETCHED_WHOLE[name])) == []


@pytest.mark.parametrize("name", FETCHED_CUT)
def test_a_fetched_list_that_is_not_whole(calling_out: Flask, server: FhirServer, name: str) -> None:
    assert fetched(calling_out, server, lambda handler: reply(handler, FETCHED_CUT[name])) == ["labs"]


@pytest.mark.parametrize(
    "url", ["Observation/more?key=labs", "/fhir/Observation/more?key=labs", "./Observation/more?key=labs"]
)
def test_a_relative_next_link_is_followed(calling_out: Flask, server: FhirServer, url: str) -> None:
    def behave(handler: Any) -> None:
        entries = labs()["entry"]
        if "/more?" in handler.path:
            reply(handler, labs(entry=entries[1:]))
        else:
            reply(handler, labs(entry=entries[:1], link=[{"relation": "next", "url": url}]))

    assert fetched(calling_out, server, behave) == []
    assert len(server.asked) == 2


@pytest.mark.parametrize("at", ["of-the-server", "elsewhere"])
def test_pages_are_counted_with_the_one_that_was_sent(
    calling_out: Flask, server: FhirServer, at: str
) -> None:
    """Every page states the total of all; of a link that leads elsewhere the whole list is fetched."""
    server.reset()
    server.page = 1
    first = server.first_page("labs", server.lists["labs"])
    if at == "elsewhere":
        first["link"][0]["url"] = "https://elsewhere.example/more"
    answer = calling_out.test_client().post(SERVICE, json=call({**record(), "labs": first}, server.base))
    assert first["total"] > len(first["entry"])
    assert assessed(answer.get_json())["notSeen"] == []
