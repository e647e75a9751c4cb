"""Whatever comes in: a clear OperationOutcome with the path at fault, never a 500, nothing of the patient."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.contract.requests import DAY, SERVICE, example, hook_call
from tools.openapi.answers import OperationOutcomeSchema

JSON = "application/json"
PATIENT_WORD = "Wolkenstein-4711"


def issues(response: TestResponse, status: int) -> list[dict[str, Any]]:
    """The issues of an error, after checking that it is an OperationOutcome and gives nothing away."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/fhir+json"
    text = response.get_data(as_text=True)
    assert "Traceback" not in text
    assert PATIENT_WORD not in text
    content = response.get_json(force=True)
    assert OperationOutcomeSchema().validate(content) == {}
    found: list[dict[str, Any]] = content["issue"]
    return found


def evaluate(client: FlaskClient, body: Any, query: str = f"asOf={DAY}", **more: Any) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"/evaluate?{query}", data=data, content_type=more.pop("content_type", JSON), **more)


DEEP = b'{"resourceType":"Bundle","entry":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"nonsense",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"resourceType":NaN}',
        b'{"resourceType":"Bundle","entry":Infinity}',
        b'{"resourceType":5}',
        b'{"resourceType":"Bundle","entry":{}}',
        b'{"resourceType":"Bundle","entry":"none"}',
        DEEP,
    ],
)
@pytest.mark.parametrize("path", ["/evaluate", SERVICE])
def test_what_is_not_json_or_not_an_object(client: FlaskClient, path: str, body: bytes) -> None:
    response = client.post(path, data=body, content_type=JSON)
    assert issues(response, 400)


@pytest.mark.parametrize(
    ("body", "byte"),
    [
        (b"{", 1),
        (b'{"resourceType": "Bundle', 24),
        (b'{"resourceType": "Bundle"', 25),
        (b'{"resourceType" "Bundle"}', 16),
        (b'{"resourceType": "Bundle"} {}', 28),
    ],
)
@pytest.mark.parametrize("path", ["/evaluate", SERVICE])
def test_what_is_not_json_says_at_which_byte(client: FlaskClient, path: str, body: bytes, byte: int) -> None:
    (issue,) = issues(client.post(path, data=body, content_type=JSON), 400)
    assert f"(byte {byte}" in issue["diagnostics"]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (
            "/evaluate",
            b'{"resourceType": "B\xffndle"}',
            "The body is not valid UTF-8 (byte 19, line 1, column 20).",
        ),
        (SERVICE, b'{"hoo\xff": "patient-view"}', "The body is not valid UTF-8 (byte 5, line 1, column 6)."),
        (SERVICE, b'{"hook": "p\xc3("}', "This value is not valid UTF-8 (byte 2)."),
    ],
)
def test_what_is_not_utf_8_says_at_which_byte(client: FlaskClient, path: str, body: bytes, said: str) -> None:
    issue, *_ = issues(client.post(path, data=body, content_type=JSON), 400)
    assert issue["diagnostics"] == said
    assert issue.get("expression") == (["hook"] if said.startswith("This") else None)


@pytest.mark.parametrize(
    ("bundle", "said"),
    [
        ({}, "resourceType"),
        ({"resourceType": "Patient", "id": "p"}, "single resource"),
        ({"resourceType": "Bundle", "type": "collection"}, "no Patient"),
        ({"resourceType": "Bundle", "type": "collection", "entry": []}, "no Patient"),
        (
            {
                "resourceType": "Bundle",
                "entry": [{"resource": {"resourceType": "Patient", "id": i}} for i in ("a", "b")],
            },
            "several Patients",
        ),
    ],
)
def test_a_body_that_cannot_be_decided(client: FlaskClient, bundle: Any, said: str) -> None:
    (issue,) = issues(evaluate(client, bundle), 422)
    assert said in issue["diagnostics"]
    assert issue["expression"]


@pytest.mark.parametrize(
    "query", ["asOf=2026-02-30", "asOf=yesterday", "asOf=", "validate=maybe", "asOff=2026-01-01"]
)
def test_a_wrong_query(client: FlaskClient, query: str) -> None:
    (issue,) = issues(evaluate(client, example("thigh-day-fifteen/bundle.json"), query), 400)
    assert issue["expression"][0].startswith("query.")


def test_all_problems_of_a_query_at_once(client: FlaskClient) -> None:
    assert (
        len(
            issues(
                evaluate(client, example("thigh-day-fifteen/bundle.json"), "asOf=x&validate=y&more=1"), 400
            )
        )
        == 3
    )


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/fhir+xml", "", "multipart/form-data"]
)
def test_another_content_type(client: FlaskClient, content_type: str) -> None:
    assert issues(evaluate(client, {}, content_type=content_type), 415)


def test_another_encoding(client: FlaskClient) -> None:
    assert issues(evaluate(client, {}, headers={"Content-Encoding": "gzip"}), 415)
    assert issues(evaluate(client, {}, content_type="application/json; charset=utf-16"), 415)


def test_an_eighty_megabyte_body(client: FlaskClient) -> None:
    assert issues(evaluate(client, b" " * 80_000_000), 413)


@pytest.mark.parametrize("fill", [b" ", b"x"])
def test_a_chunked_body_without_a_length(client: FlaskClient, fill: bytes) -> None:
    response = client.post(
        "/evaluate",
        input_stream=io.BytesIO(fill * 20_000_000),
        content_type=JSON,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert issues(response, 413)


def test_a_byte_order_mark_is_forgiven(client: FlaskClient) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(example("thigh-day-fifteen/bundle.json")).encode()
    assert evaluate(client, body).status_code == 200


def test_unknown_places_and_methods(client: FlaskClient) -> None:
    assert issues(client.get("/nowhere"), 404)
    assert issues(client.get("/knowledge/no-such-row"), 404)
    assert issues(client.post("/cds-services/no-such-service", json=hook_call()), 404)
    response = client.get("/evaluate")
    assert issues(response, 405)
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"hook": None}, "hook"),
        ({"hook": "order-sign"}, "hook"),
        ({"hook": 5}, "hook"),
        ({"hookInstance": None}, "hookInstance"),
        ({"hookInstance": ""}, "hookInstance"),
        ({"hookInstance": 7}, "hookInstance"),
        ({"hookInstance": "1" * 201}, "hookInstance"),
        ({"context": None}, "context"),
        ({"context": []}, "context"),
        ({"context": {"userId": "Practitioner/1"}}, "context.patientId"),
        ({"context": {"userId": "Practitioner/1", "patientId": " "}}, "context.patientId"),
        ({"context": {"userId": "Practitioner/1", "patientId": True}}, "context.patientId"),
        ({"context": {"userId": "Practitioner/1", "patientId": "1" * 257}}, "context.patientId"),
        ({"extension": "text"}, "extension"),
        ({"extension": {"org.fasciculation-cds": {"asOf": "never"}}}, "extension.org.fasciculation-cds.asOf"),
        ({"extension": {"org.fasciculation-cds": []}}, "extension.org.fasciculation-cds"),
        (
            {"extension": {"org.fasciculation-cds": {"assessment": "true"}}},
            "extension.org.fasciculation-cds.assessment",
        ),
        (
            {"extension": {"org.fasciculation-cds": {"assessment": 1}}},
            "extension.org.fasciculation-cds.assessment",
        ),
        ({"prefetch": [7]}, "prefetch"),
    ],
)
def test_a_wrong_member_of_a_call_is_named(client: FlaskClient, changes: dict[str, Any], path: str) -> None:
    found = issues(client.post(SERVICE, json=hook_call(**changes)), 400)
    assert path in {place for issue in found for place in issue.get("expression", [])}


def test_all_problems_of_a_call_at_once(client: FlaskClient) -> None:
    found = issues(client.post(SERVICE, json={"hook": "patient-view"}), 400)
    assert {i["expression"][0] for i in found} == {"hookInstance", "context"}


def one_bad(resource: Any) -> dict[str, Any]:
    bundle = example("thigh-day-fifteen/bundle.json")
    bundle["entry"].append({"resource": resource})
    return bundle


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Condition", "id": "bad", "code": PATIENT_WORD},
        {"resourceType": "Observation", "id": "bad", "valueQuantity": [PATIENT_WORD]},
        {"resourceType": "MedicationRequest", "id": "bad", "dosageInstruction": PATIENT_WORD},
        {"resourceType": "Procedure", "id": [5]},
        {"id": "bad"},
        {"resourceType": ""},
        [],
        PATIENT_WORD,
    ],
)
def test_a_broken_resource_is_named_and_the_rest_decided(client: FlaskClient, resource: Any) -> None:
    response = evaluate(client, one_bad(resource))
    assert response.status_code == 200
    content = response.get_json()
    assert content["cards"][0]["indicator"] == content["assessment"]["level"] == "info"
    alone = evaluate(client, example("thigh-day-fifteen/bundle.json")).get_json()
    assert content["cards"][0]["summary"] == alone["cards"][0]["summary"]
    assert content["assessment"]["notUnderstood"]
    assert PATIENT_WORD not in json.dumps(content["assessment"]["notUnderstood"])


def test_an_unknown_resource_type_is_no_problem(client: FlaskClient) -> None:
    content = evaluate(client, one_bad({"resourceType": "Spaceship", "id": "x"})).get_json()
    assert content["cards"]
    assert content["assessment"]["notUnderstood"] == []


@pytest.mark.parametrize(
    "kind", ["Spaceship", "os", "Patient.name", " ", "\u0000", "fhirtypes", "A" * 70_000]
)
def test_an_unknown_resource_type_is_named_where_validity_is_asked_for(
    client: FlaskClient, kind: str
) -> None:
    response = evaluate(client, one_bad({"resourceType": kind, "id": "x"}), f"asOf={DAY}&validate=true")
    assert response.status_code == 200
    (issue,) = (i for i in response.get_json()["outcome"]["issue"] if "resource type" in i["diagnostics"])
    assert issue["expression"][0].startswith("Bundle.entry[")


@pytest.mark.parametrize("inner", [[{}], {}, 5, None, True, "Spaceship", [[]]])
def test_a_contained_resource_of_no_type_is_a_fault_of_its_entry(client: FlaskClient, inner: Any) -> None:
    holding = {"resourceType": "Condition", "id": "x", "contained": [{"resourceType": inner, "id": "m"}]}
    response = evaluate(client, one_bad(holding), f"asOf={DAY}&validate=true")
    assert response.status_code == 200
    last = len(one_bad(None)["entry"]) - 1
    places = [issue["expression"][0] for issue in response.get_json()["outcome"]["issue"]]
    assert any(place.startswith(f"Bundle.entry[{last}].resource") for place in places)


def test_another_patients_resource_is_not_used(client: FlaskClient) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    weak = {
        "resourceType": "Condition",
        "id": "foreign",
        "subject": {"reference": "Patient/other"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "26544005"}]},
    }
    bundle["entry"].append({"resource": weak})
    content = evaluate(client, bundle).get_json()
    assert content["assessment"]["notUsed"] == [
        {"reference": "Condition/foreign", "why": "belongs to another patient"}
    ]
    assert "weakness" not in {row["id"] for row in content["assessment"]["rows"]}


@pytest.mark.parametrize(
    "day", ["2026-13-01", "2026-02-30", "yesterday", "0000-00-00", "2026-06-31T25:00:00Z"]
)
def test_an_impossible_date_is_named(client: FlaskClient, day: str) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Condition":
            entry["resource"]["onsetDateTime"] = day
    content = evaluate(client, bundle).get_json()
    assert content["cards"]
    assert any(
        note.get("expression") == "Condition.onsetDateTime" for note in content["assessment"]["notUnderstood"]
    )


HOSTILE = "</td><img src=x onerror=alert(1)> [click](javascript:alert(1)) ![x](http://evil) | **b** \u202e"


def test_hostile_text_does_not_reach_the_card_alive(client: FlaskClient) -> None:
    bundle = example("thiazide-potassium-in-range/bundle.json")
    text = json.dumps(bundle)
    for word in ("display", "text"):
        text = text.replace(f'"{word}": "', f'"{word}": {json.dumps(HOSTILE)[:-1]} ')
    response = evaluate(client, text.encode())
    assert response.status_code == 200
    for card in response.get_json()["cards"]:
        assert "<img" not in card["detail"] + card["summary"]
        assert "](" not in card["detail"]
        assert "\u202e" not in card["detail"] + card["summary"]


def test_nothing_of_the_patient_is_logged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    evaluate(client, one_bad({"resourceType": "Condition", "id": PATIENT_WORD, "code": PATIENT_WORD}))
    client.post(SERVICE, json=hook_call(context={"userId": PATIENT_WORD, "patientId": PATIENT_WORD}))
    assert PATIENT_WORD not in caplog.text


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = st.sampled_from(
    ["id", "subject", "code", "status", "onsetDateTime", "onsetAge", "bodySite", "component", "valueQuantity",
     "valueBoolean", "effectivePeriod", "referenceRange", "interpretation", "medicationCodeableConcept",
     "dosageInstruction", "contained", "extension", "clinicalStatus", "verificationStatus", "birthDate"]
)  # fmt: skip
RESOURCES = st.builds(
    lambda kind, members: {**members, "resourceType": kind},
    st.sampled_from(
        ["Patient", "Condition", "Observation", "MedicationRequest", "MedicationStatement", "Medication",
         "ServiceRequest", "Task", "Procedure", "DiagnosticReport", "FamilyMemberHistory", "Bundle"]
    ),
    st.dictionaries(MEMBERS, JSON_VALUES, max_size=6),
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(resources=st.lists(RESOURCES | JSON_VALUES, max_size=5))
def test_any_resources_are_answered(client: FlaskClient, resources: list[Any]) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    bundle["entry"] += [{"resource": resource} for resource in resources]
    response = evaluate(client, bundle)
    assert response.status_code in (200, 400, 422)
    if response.status_code == 200:
        assert response.get_json()["assessment"]["gate"]["open"] in (True, False)
