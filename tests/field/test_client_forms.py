"""What a client writes in another form than the specification: read, or named with the next step."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.requests import SERVICE, hook_call
from tests.hooks.requests import EXTENSION, orders, prescription

Resource = dict[str, Any]
EVALUATE = "/evaluate?asOf=2026-06-15"
ID = hook_call()["context"]["patientId"]


def record(**lists: Any) -> Resource:
    """The resources of the example as one Bundle. lists: other resources in place of those of a list."""
    prefetch = hook_call()["prefetch"]
    found = [prefetch["patient"]]
    for key in prefetch:
        bundle = prefetch[key] or {}
        found += lists.get(key, [entry["resource"] for entry in bundle.get("entry", ())])
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in found]}


def resources(key: str) -> list[Resource]:
    return [entry["resource"] for entry in copy.deepcopy(hook_call()["prefetch"][key].get("entry", ()))]


def of(subject: Any, key: str) -> list[Resource]:
    """The resources of that list with that subject."""
    return [{**resource, "subject": subject} for resource in resources(key)]


def assessed(client: FlaskClient, bundle: Resource) -> Resource:
    response = client.post(EVALUATE, json=bundle)
    assert response.status_code == 200, response.get_data(as_text=True)
    found: Resource = response.get_json()["assessment"]
    return found


# Lists of a Bundle that are another patient's

FOREIGN = [
    {"reference": "Patient/another"},
    {"reference": "urn:uuid:0b7a2d4e-9a55-4d0f-9b8e-1f0c4a7c9d10"},
    {"identifier": {"system": "https://hospital.example/mrn", "value": "1"}},
    {"display": "somebody"},
]


@pytest.mark.parametrize("subject", FOREIGN)
def test_a_bundle_whose_conditions_are_of_others_says_that_none_were_seen(
    client: FlaskClient, subject: Resource
) -> None:
    found = assessed(client, record(conditions=of(subject, "conditions")))
    assert "conditions" in found["notSeen"]
    assert "findings" not in found["notSeen"]


@pytest.mark.parametrize("subject", FOREIGN)
def test_a_bundle_of_others_alone_is_no_all_clear(client: FlaskClient, subject: Resource) -> None:
    lists = {key: of(subject, key) for key in ("conditions", "findings", "labs", "examinations")}
    found = assessed(client, record(**lists))
    assert {"conditions", "findings", "labs", "examinations"} <= set(found["notSeen"])
    assert "No current" not in found["gate"]["reason"]


def test_a_bundle_with_one_condition_of_another_saw_the_conditions(client: FlaskClient) -> None:
    both = [*resources("conditions"), {**of(FOREIGN[0], "conditions")[0], "id": "another-1"}]
    assert "conditions" not in assessed(client, record(conditions=both))["notSeen"]


def test_a_patient_without_an_id_is_no_all_clear(client: FlaskClient) -> None:
    bundle = record()
    del bundle["entry"][0]["resource"]["id"]
    found = assessed(client, bundle)
    assert {"conditions", "findings"} <= set(found["notSeen"])


# Types that are misspelt, or of a version that is not read

MISNAMED = {
    "condition": "write Condition",
    "CONDITION": "write Condition",
    " Condition ": "write Condition",
    "Medicationrequest": "write MedicationRequest",
    "MedicationOrder": "send a MedicationRequest",
    "DiagnosticOrder": "send a ServiceRequest",
    "bundle": "write Bundle",
}


@pytest.mark.parametrize(("kind", "step"), MISNAMED.items())
def test_a_misnamed_type_in_a_bundle_is_named(client: FlaskClient, kind: str, step: str) -> None:
    bundle = record()
    bundle["entry"].append({"resource": {**resources("conditions")[0], "id": "odd", "resourceType": kind}})
    notes = assessed(client, bundle)["notUnderstood"]
    (note,) = [one for one in notes if step in one["why"]]
    assert note["expression"] == "resourceType"
    assert note["reference"] == f"Bundle.entry[{len(bundle['entry']) - 1}].resource"


@pytest.mark.parametrize("kind", ["condition", "Condition ", "CONDITION"])
def test_a_twitch_of_a_misspelt_type_is_no_all_clear(client: FlaskClient, kind: str) -> None:
    twitch = {**resources("conditions")[0], "resourceType": kind}
    other = {**resources("conditions")[0], "id": "c2", "code": {"text": "Cough"}}
    lists = [
        twitch,
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": twitch}]},
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": other}, {"resource": twitch}]},
    ]
    for conditions in lists:
        body = hook_call()
        body["prefetch"] |= {"conditions": conditions, "findings": None, "examinations": None}
        response = client.post(SERVICE, json=body)
        assert response.status_code == 412, conditions
        text = response.get_data(as_text=True)
        assert "write Condition" in text
        assert ID not in text


@pytest.mark.parametrize("kind", ["Coverage", "AllergyIntolerance", "Procedure", "ProcedureRequest", "Task"])
def test_a_type_as_fhir_writes_it_is_no_news(client: FlaskClient, kind: str) -> None:
    bundle = record()
    bundle["entry"].append({"resource": {"resourceType": kind, "id": "other", "status": "completed"}})
    assert "resourceType" not in json.dumps(assessed(client, bundle)["notUnderstood"])


def test_a_misspelt_bundle_in_place_of_a_list_is_named(client: FlaskClient) -> None:
    body = hook_call()
    body["prefetch"]["conditions"]["resourceType"] = "bundle"
    body["prefetch"] |= {"findings": None, "examinations": None}
    response = client.post(SERVICE, json=body)
    assert response.status_code == 412
    assert "write Bundle" in response.get_data(as_text=True)


# Members of a call that are used for nothing are named


def named(client: FlaskClient, body: Resource, path: str = SERVICE) -> dict[str, str]:
    """Place -> why, of what the assessment does not understand; the answer has a card."""
    body.setdefault("extension", {}).setdefault(EXTENSION, {})["assessment"] = True
    response = client.post(path, json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    content = response.get_json()
    notes = content["extension"][EXTENSION]["assessment"]["notUnderstood"]
    assert ID not in json.dumps([note["why"] for note in notes])
    return {note["expression"]: note["why"] for note in notes if "expression" in note}


@pytest.mark.parametrize("option", ["asof", "as_of", "AsOf", "asOF", "explain"])
def test_an_option_that_nobody_knows_is_named(client: FlaskClient, option: str) -> None:
    body = hook_call(extension={EXTENSION: {option: "2026-06-15"}})
    assert "asOf" in named(client, body)[f"extension.{EXTENSION}.{option}"]


@pytest.mark.parametrize("option", [f"of {ID}", ID, "Jane Doe 1980", "x" * 60])
def test_the_name_of_an_option_that_may_be_of_the_patient_is_not_repeated(
    client: FlaskClient, option: str
) -> None:
    body = hook_call(extension={EXTENSION: {option: True}})
    assert f"extension.{EXTENSION}" in named(client, body)


@pytest.mark.parametrize(
    "options", [{"assessment": None}, {"asOf": None}, {"assessment": None, "asOf": None}]
)
def test_an_option_that_is_null_loses_no_card(client: FlaskClient, options: Resource) -> None:
    response = client.post(SERVICE, json=hook_call(extension={EXTENSION: options}))
    assert response.status_code == 200
    assert len(response.get_json()["cards"]) == 1


@pytest.mark.parametrize(
    "user", ["dr smith", "{{context.userId}}", "7", "  ", "https://ehr.example/fhir/Practitioner/1"]
)
def test_a_user_that_is_no_reference_is_named(client: FlaskClient, user: str) -> None:
    body = hook_call()
    body["context"]["userId"] = user
    assert "Practitioner/1" in named(client, body)["context.userId"]


@pytest.mark.parametrize(
    "user", ["Practitioner/1", "PractitionerRole/a.b-c", "Patient/x", " Practitioner/1 "]
)
def test_a_user_that_is_a_reference_is_no_news(client: FlaskClient, user: str) -> None:
    body = hook_call()
    body["context"]["userId"] = user
    assert "context.userId" not in named(client, body)


@pytest.mark.parametrize("encounter", ["{{context.encounterId}}", "Patient/7", "a b", "%ENC%"])
def test_an_encounter_that_is_no_id_is_named(client: FlaskClient, encounter: str) -> None:
    body = hook_call()
    body["context"]["encounterId"] = encounter
    assert "context.encounterId" in named(client, body)


@pytest.mark.parametrize(
    "encounter",
    ["e1", "Encounter/e1", " e1 ", "Encounter/e1/_history/2", "https://ehr.example/fhir/Encounter/e1"],
)
def test_an_encounter_in_any_form_of_an_id_is_that_of_the_orders(client: FlaskClient, encounter: str) -> None:
    body = hook_call()
    body["context"]["encounterId"] = encounter
    assert "context.encounterId" not in named(client, body)
    (card,) = client.post(SERVICE, json=body).get_json()["cards"]
    found = {
        action["resource"]["encounter"]["reference"]
        for suggestion in card["suggestions"]
        for action in suggestion["actions"]
    }
    assert found == {"Encounter/e1"}


SELECT = "/cds-services/fasciculation-order-select"


@pytest.mark.parametrize(
    "selection", ["MedicationRequest/other", "#rx", "medicationrequest/rx2", "{{context.selections}}", ""]
)
def test_a_selection_of_nothing_is_named(client: FlaskClient, selection: str) -> None:
    body = orders("order-select", "v08", prescription("v08", "salbutamol"))
    body["context"]["selections"].append(selection)
    found = named(client, body, SELECT)
    assert [place for place in found if "selections" in place] == ["context.selections[1]"]
    assert len(client.post(SELECT, json=body).get_json()["cards"]) == 1


@pytest.mark.parametrize(
    "selection",
    [
        "MedicationRequest/rx",
        "rx",
        "https://ehr.example/MedicationRequest/rx",
        "MedicationRequest/rx/_history/1",
    ],
)
def test_a_selection_of_a_draft_is_no_news(client: FlaskClient, selection: str) -> None:
    body = orders("order-select", "v08", prescription("v08", "salbutamol"))
    body["context"]["selections"] = [selection]
    assert not [place for place in named(client, body, SELECT) if "selections" in place]


def test_selections_of_nothing_cost_no_more_than_they_are_long(client: FlaskClient) -> None:
    body = orders("order-select", "v08", prescription("v08", "salbutamol"))
    body["context"]["selections"] = [f"x{number}" for number in range(5_000)]
    named_places = [place for place in named(client, body, SELECT) if "selections" in place]
    assert 1_000 <= len(named_places) <= 1_001


# Messages name the thing and the next step


def said(response: Any, status: int) -> str:
    assert response.status_code == status, response.get_data(as_text=True)
    text: str = response.get_data(as_text=True)
    assert ID not in text
    return text


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("GET", SERVICE, "POST"),
        ("PUT", SERVICE, "POST"),
        ("POST", "/cds-services", "GET"),
        ("GET", "/evaluate", "POST"),
        ("GET", f"{SERVICE}/feedback", "POST"),
        ("DELETE", "/fhir/metadata", "GET"),
    ],
)
def test_a_method_that_is_not_taken_says_which_is(
    client: FlaskClient, method: str, path: str, takes: str
) -> None:
    assert f"This address takes {takes} alone." in said(client.open(path, method=method), 405)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("asof=2026-06-15", "known are asOf, validate"),
        ("asOf=15.06.2026", "write YYYY-MM-DD"),
        ("asOf=2026-06-15T00:00:00Z", "write YYYY-MM-DD"),
        ("asOf=2026-06-15&asOf=2025-06-15", "query.asOf: Given more than once."),
        ("validate=true&validate=false", "query.validate: Given more than once."),
        ("validate=yes", "true, false"),
    ],
)
def test_a_query_that_is_not_understood_says_what_is(client: FlaskClient, query: str, words: str) -> None:
    assert words in said(client.post(f"/evaluate?{query}", json=record()), 400)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"context": []}, "context: Not an object."),
        ({"hookInstance": 7}, "hookInstance: Not text."),
        ({"extension": {EXTENSION: {"asOf": "2026-06"}}}, "write YYYY-MM-DD"),
        ({"extension": {EXTENSION: {"assessment": "true"}}}, "Neither true nor false."),
        (
            {"hook": "order-sign", "context": {"patientId": ID, "draftOrders": []}},
            "draftOrders: Not an object.",
        ),
    ],
)
def test_a_member_of_another_form_is_said_in_words_of_json(
    client: FlaskClient, changes: Resource, words: str
) -> None:
    assert words in said(client.post(SERVICE, json=hook_call(**changes)), 400)


@pytest.mark.parametrize("kind", ["Bundle", "Parameters", "Patient"])
def test_a_resource_in_place_of_a_call_is_sent_on(client: FlaskClient, kind: str) -> None:
    assert "post a Bundle to /evaluate" in said(client.post(SERVICE, json={"resourceType": kind}), 400)


@pytest.mark.parametrize("kind", ["Bundle", "OperationOutcome", "Parameters"])
def test_a_resource_in_place_of_the_prefetch_is_named_once(client: FlaskClient, kind: str) -> None:
    prefetch = {"resourceType": kind, "type": "collection", "entry": []}
    response = client.post(SERVICE, json=hook_call(prefetch=prefetch))
    text = said(response, 412)
    assert "prefetch.resourceType says that prefetch is one resource" in text
    assert len(response.get_json(force=True)["issue"]) == 3


def test_a_patient_without_an_id_is_not_said_to_be_another(client: FlaskClient) -> None:
    body = hook_call(extension={EXTENSION: {"assessment": True}})
    del body["prefetch"]["patient"]["id"]
    found = client.post(SERVICE, json=body).get_json()["extension"][EXTENSION]["assessment"]
    assert found["notUsed"][0]["why"] == "has no id, so it cannot be compared"
    assert "patient" in found["notSeen"]


@pytest.mark.parametrize(
    ("packing", "status"), [("", 200), ("identity", 200), ("Identity", 200), ("gzip", 415)]
)
def test_a_body_that_says_it_is_not_packed_is_read(client: FlaskClient, packing: str, status: int) -> None:
    response = client.post(SERVICE, json=hook_call(), headers={"Content-Encoding": packing})
    assert response.status_code == status


# An order form that has not filled in the patient yet

NOBODY: list[Resource] = [{}, {"subject": {}}, {"subject": {"display": "the patient"}}, {"subject": None}]
SIGN = "/cds-services/fasciculation-order-sign"


def without_subject(resource: Resource, changes: Resource) -> Resource:
    return {**{name: value for name, value in resource.items() if name != "subject"}, **changes}


@pytest.mark.parametrize("changes", NOBODY)
def test_a_draft_without_a_subject_is_the_patients(client: FlaskClient, changes: Resource) -> None:
    draft = without_subject(prescription("v08", "salbutamol"), changes)
    content = client.post(SIGN, json=orders("order-sign", "v08", draft)).get_json()
    assert len(content["cards"]) == 1


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/another"},
        {"reference": "Group/1", "display": "a ward"},
        {"identifier": {"value": "1"}},
        {"identifier": {"system": "https://hospital.example/mrn", "value": "1"}},
        {"type": "Group"},
    ],
)
def test_an_order_form_about_another_is_not_the_patients(client: FlaskClient, subject: Resource) -> None:
    draft = without_subject(prescription("v08", "salbutamol"), {"subject": subject})
    content = client.post(SIGN, json=orders("order-sign", "v08", draft)).get_json()
    assert not content["cards"]
    assert len(content["extension"][EXTENSION]["assessment"]["notUsed"]) == 1
