"""What a call lacks or has in another form: a card where nothing rests on it, else the reason and place."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from tests.contract.requests import SERVICE, hook_call
from tests.docs.conftest import PROJECT
from tests.hooks.requests import EXTENSION, call, orders, prescription

Resource = dict[str, Any]
JSON = "application/json"
ID = hook_call()["context"]["patientId"]
EMPTY = {"patient": hook_call()["prefetch"]["patient"], "conditions": None, "findings": None}


def answer(client: FlaskClient, body: Resource, path: str = SERVICE) -> tuple[int, Resource]:
    response = client.post(path, json=body)
    content: Resource = response.get_json(force=True)
    return response.status_code, content


def issues(client: FlaskClient, body: Resource, status: int) -> list[tuple[str, str]]:
    """(place, words) of the issues, which repeat no id and no name."""
    found, content = answer(client, body)
    assert found == status
    assert ID not in json.dumps(content)
    return [(issue["expression"][0], issue["diagnostics"]) for issue in content["issue"]]


def named(content: Resource) -> list[str]:
    notes = content["extension"][EXTENSION]["assessment"]["notUnderstood"]
    return [note["expression"] for note in notes if "expression" in note]


def with_id(name: Any, written: str | None = None) -> Resource:
    """The example about a patient of that id. written: as the record has it."""
    text = json.dumps(hook_call()).replace(f'"{ID}"', json.dumps(written or str(name)))
    body: Resource = json.loads(text.replace(f"Patient/{ID}", f"Patient/{written or name}"))
    body["context"]["patientId"] = name
    return body


# A card all the same

INSTANCES = [
    "3f2504e04f8941d39a0c0305e82c3301",
    "{3f2504e0-4f89-41d3-9a0c-0305e82c3301}",
    "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "1",
    "call 7 of 2026-06-15",
    "Aufruf Nr. 7 ä漢😀",
    "a\nb",
    "x" * 200,
]


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_hook_instance_of_any_text_gives_ids_that_feedback_reads(
    client: FlaskClient, instance: str
) -> None:
    body = hook_call(hookInstance=instance)
    status, content = answer(client, body)
    assert status == 200
    assert answer(client, body)[1] == content
    (card,) = content["cards"]
    assert card["uuid"] != answer(client, hook_call())[1]["cards"][0]["uuid"]
    accepted = [{"id": card["suggestions"][0]["uuid"]}]
    item = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": accepted}
    feedback = {"feedback": [{**item, "outcomeTimestamp": "2026-06-15T10:05:31Z"}]}
    assert client.post(f"{SERVICE}/feedback", json=feedback).status_code in (200, 400, 503)


@pytest.mark.parametrize("instance", ["", 7, [], {}, True, "x" * 201])
def test_a_hook_instance_that_is_no_text_of_200_characters_is_400(client: FlaskClient, instance: Any) -> None:
    assert [place for place, _ in issues(client, hook_call(hookInstance=instance), 400)] == ["hookInstance"]


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("mrn_00123", None),
        (12724066, "12724066"),
        (-5, "-5"),
        ("Patient/x1", "x1"),
        ("/Patient/x1", "x1"),
        (" x1 ", "x1"),
        ("https://ehr.example/fhir/Patient/x1", "x1"),
        ("Patient/x1/_history/2", "x1"),
        ("e." + "x" * 200, None),
        ("a b", None),
        ("1|2^3&4", None),
        ("urn:oid:1.2.3", None),
    ],
)
def test_a_patient_id_is_only_compared(client: FlaskClient, sent: Any, written: str | None) -> None:
    status, content = answer(client, with_id(sent, written))
    assert status == 200
    assert len(content["cards"]) == 1
    assert "Not seen:** patient" not in content["cards"][0]["detail"]


@pytest.mark.parametrize("sent", ["x2", "X1", "Patient/x2", "x1x", 1, "x", "https://ehr.example/Patient/x2"])
def test_another_patient_id_is_another_patient(client: FlaskClient, sent: Any) -> None:
    assert answer(client, with_id(sent, "x1"))[0] == 412


@pytest.mark.parametrize("sent", ["", " ", "\t\n", "\x0b\n\x1f", "\x85", "\x7f", "\u2003"])
def test_a_blank_patient_id_is_400_here_and_by_the_description(client: FlaskClient, sent: str) -> None:
    body = hook_call()
    body["context"]["patientId"] = sent
    assert {place for place, _ in issues(client, body, 400)} == {"context.patientId"}
    schemas = yaml.safe_load((PROJECT / "openapi.yaml").read_text(encoding="utf-8"))["components"]["schemas"]
    pattern = schemas["PatientViewContext"]["properties"]["patientId"]["pattern"]
    # The white space of JavaScript, which is not all that of Python.
    blank = r"\t\n\v\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
    dialect = pattern.replace(r"[\s\S]", "(?s:.)").replace(r"\s", blank)
    assert not re.search(dialect, sent)
    assert re.search(dialect, f"{sent}x")


CONTEXT = hook_call()["context"]


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"context": {"patientId": ID}}, ["context.userId"]),
        ({"context": {**CONTEXT, "userId": None}}, ["context.userId"]),
        ({"context": {**CONTEXT, "userId": ""}}, ["context.userId"]),
        ({"context": {**CONTEXT, "userId": {"reference": "Practitioner/1"}}}, ["context.userId"]),
        ({"context": {**CONTEXT, "userId": 7}}, ["context.userId"]),
        ({"context": {**CONTEXT, "encounterId": ["e1"]}}, ["context.encounterId"]),
        ({"context": {**CONTEXT, "encounterId": 4711}}, []),
        ({"context": {**CONTEXT, "encounterId": None}}, []),
        ({"context": {**CONTEXT, "encounterId": "an odd | one"}}, ["context.encounterId"]),
        ({"context": {**CONTEXT, "encounterId": " "}}, []),
        ({"fhirServer": 7}, ["fhirServer"]),
        ({"fhirServer": " https://ehr.example/fhir "}, []),
        ({"fhirAuthorization": []}, ["fhirAuthorization"]),
        ({"fhirAuthorization": "token"}, ["fhirAuthorization"]),
        ({"fhirAuthorization": {"token_type": "Bearer"}}, []),
    ],
)
def test_a_member_that_nothing_rests_on_loses_no_card(
    client: FlaskClient, changes: Resource, places: list[str]
) -> None:
    status, content = answer(client, hook_call(**changes))
    assert status == 200
    assert len(content["cards"]) == 1
    assert named(content) == places
    plain = answer(client, hook_call())[1]
    assert content["cards"][0]["detail"] == plain["cards"][0]["detail"]


@pytest.mark.parametrize("extension", [[], None, {}, [{"url": "https://ehr.example/x"}]])
def test_an_extension_that_is_no_object_loses_no_card(client: FlaskClient, extension: Any) -> None:
    body = {**hook_call(), "extension": extension}
    status, content = answer(client, body)
    assert status == 200
    assert len(content["cards"]) == 1


@pytest.mark.parametrize(
    "hook", ["order-select", "order-sign", "problem-list-item-create", "encounter-discharge"]
)
def test_no_hook_rests_on_its_user(client: FlaskClient, hook: str) -> None:
    body = orders(hook, "v05", prescription("v05", "escitalopram"))
    if hook == "problem-list-item-create":
        body = call(hook, "v05", conditions={"resourceType": "Bundle", "entry": []})
    if hook == "encounter-discharge":
        body = call(hook, "v05")
    del body["context"]["userId"]
    status, content = answer(client, body, f"/cds-services/fasciculation-{hook}")
    assert status == 200
    missing = (
        ["context.userId", "context.encounterId"] if hook == "encounter-discharge" else ["context.userId"]
    )
    assert named(content)[-len(missing) :] == missing


# All problems at once


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"hookInstance": 7, "context": {}}, ["hookInstance", "context.patientId"]),
        ({"hookInstance": 7, "prefetch": [{}]}, ["prefetch", "hookInstance"]),
        ({"hookInstance": 7, "prefetch": ""}, ["prefetch", "hookInstance"]),
        ({"hookInstance": 7, "prefetch": []}, ["hookInstance"]),
        (
            {"hookInstance": "", "extension": {EXTENSION: {"asOf": "never"}}},
            ["hookInstance", f"extension.{EXTENSION}.asOf"],
        ),
        ({"hook": 5, "hookInstance": 7, "context": {}}, ["hook", "hookInstance", "context.patientId"]),
        ({"hook": "appointment-book", "context": {}}, ["hook", "context.patientId"]),
        ({"hook": None, "context": {"patientId": []}}, ["hook", "context.patientId"]),
        ({"context": [], "extension": 5, "hookInstance": None}, ["context", "extension", "hookInstance"]),
    ],
)
def test_a_call_is_answered_with_every_problem(
    client: FlaskClient, changes: Resource, places: list[str]
) -> None:
    found = issues(client, hook_call(**changes), 400)
    assert sorted(place for place, _ in found) == sorted(places)


def test_members_there_twice_hide_no_other_problem(client: FlaskClient) -> None:
    body = (
        b'{"hook":"patient-view","hookInstance":"","context":{"patientId":"a","patientId":"b"},"prefetch":7}'
    )
    content = client.post(SERVICE, data=body, content_type=JSON).get_json(force=True)
    assert [issue["expression"][0] for issue in content["issue"]] == ["prefetch", "context", "hookInstance"]
    assert all(issue["diagnostics"] for issue in content["issue"])


# 412


def without_patient(**lists: Any) -> Resource:
    return hook_call(prefetch={**EMPTY, **lists})


def of_another(body: Resource, key: str) -> Resource:
    text = json.dumps(body["prefetch"][key]).replace(ID, "somebody-else")
    return {**body, "prefetch": {**body["prefetch"], key: json.loads(text)}}


def test_an_empty_list_for_a_prefetch_is_one_without_keys(client: FlaskClient) -> None:
    assert issues(client, hook_call(prefetch=[]), 412) == issues(client, hook_call(prefetch={}), 412)


def test_a_patient_of_another_id_than_the_context_is_named(client: FlaskClient) -> None:
    body = hook_call()
    body["context"] = {**CONTEXT, "patientId": "somebody-else"}
    places = dict(issues(client, body, 412))
    assert "another patient than context.patientId" in places["prefetch.patient.id"]
    assert "subject of prefetch.conditions.entry[0].resource" in places["prefetch.conditions"]
    assert "not sent" not in json.dumps(places)


def test_empty_lists_beside_another_patient_are_no_all_clear(client: FlaskClient) -> None:
    places = dict(issues(client, of_another(without_patient(), "patient"), 412))
    assert list(places) == ["prefetch.patient.id", "prefetch.conditions", "prefetch.findings"]
    assert "is empty, which says nothing beside another patient" in places["prefetch.conditions"]


def test_empty_lists_beside_the_patient_are_an_all_clear(client: FlaskClient) -> None:
    assert answer(client, without_patient())[1]["cards"] == []


def test_empty_lists_without_a_patient_are_an_all_clear(client: FlaskClient) -> None:
    for patient in (None, {"resourceType": "Bundle", "type": "searchset"}, {"resourceType": "Patient"}):
        assert answer(client, without_patient(patient=patient))[1]["cards"] == []


def test_a_list_of_another_patient_is_named_beside_the_patient(client: FlaskClient) -> None:
    body = of_another(
        {**hook_call(), "prefetch": {**EMPTY, "conditions": hook_call()["prefetch"]["conditions"]}},
        "conditions",
    )
    assert [place for place, words in issues(client, body, 412) if "subject of" in words] == [
        "prefetch.conditions"
    ]


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("condition", "perhaps conditions"),
        ("Conditions", "perhaps conditions"),
        ("Condition", "perhaps conditions"),
        ("observations", "perhaps findings or labs"),
        ("Observation", "perhaps findings or labs"),
        ("conditons", "perhaps conditions"),
        ("finding", "perhaps findings"),
        ("problems", "they are patient, conditions, findings"),
        ("item1", "they are patient, conditions, findings"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(client: FlaskClient, key: str, near: str) -> None:
    prefetch = {"patient": EMPTY["patient"], key: hook_call()["prefetch"]["conditions"]}
    places = dict(issues(client, hook_call(prefetch=prefetch), 412))
    assert near in places[f"prefetch.{key}"]
    assert "conditions were not sent" in places["prefetch.conditions"]


def test_an_unknown_key_beside_a_card_is_named(client: FlaskClient) -> None:
    body = hook_call()
    body["prefetch"]["observation"] = None
    content = answer(client, body)[1]
    assert named(content) == ["prefetch.observation"]
    assert "not understood" not in content["cards"][0]["detail"]


@pytest.mark.parametrize("key", [ID, f"conditions-{ID}", "Wolkenstein, Maria", "x" * 41, "", "a.b"])
def test_a_key_that_could_name_the_patient_is_not_repeated(client: FlaskClient, key: str) -> None:
    places = issues(client, hook_call(prefetch={key: None}), 412)
    assert "prefetch" in [place for place, _ in places]
    assert not key or key not in json.dumps(places)


FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (FAILED, "holds an OperationOutcome in place of conditions"),
        (json.dumps(EMPTY["patient"]), "got str"),
        ([], "got array"),
        (7, "got int"),
        ({}, "has no resourceType"),
        (EMPTY["patient"], "is no resource of conditions"),
        ({"resourceType": "Bundle", "entry": {}}, "got object"),
        (
            {"resourceType": "Bundle", "link": [{"relation": "next", "url": "https://ehr.example/2"}]},
            "a part",
        ),
    ],
)
def test_a_list_that_is_no_list_says_why(client: FlaskClient, sent: Any, words: str) -> None:
    ((place, said),) = issues(client, without_patient(conditions=sent), 412)
    assert place == "prefetch.conditions"
    assert words in said
    assert "not sent" not in said


def test_a_subject_without_a_reference_is_said_to_be_that(client: FlaskClient) -> None:
    twitch = hook_call()["prefetch"]["conditions"]
    for entry in twitch["entry"]:
        entry["resource"]["subject"] = {"display": "the patient"}
    ((place, said),) = issues(client, without_patient(conditions=twitch), 412)
    assert place == "prefetch.conditions"
    assert "prefetch.conditions.entry[0].resource names no patient" in said
