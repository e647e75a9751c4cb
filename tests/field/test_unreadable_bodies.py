"""Bodies that cannot be read: every problem, with its line and column or its place."""

from __future__ import annotations

import gzip
import json

import pytest
from flask.testing import FlaskClient

from tests.contract.requests import SERVICE, hook_call
from tests.field.test_refusals import JSON, Resource, answer


def test_a_bundle_without_patient_names_its_broken_entries_too(client: FlaskClient) -> None:
    condition = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/1"}}
    entry = [
        {"resource": {**condition, "code": {"coding": {"code": "82470000"}}}},
        {"resource": {**condition, "id": [7]}},
        {"resource": "text"},
        {"resource": {**condition, "id": "d", "code": {"text": "Asthma"}}},
    ]
    status, content = answer(client, {"resourceType": "Bundle", "entry": entry}, "/evaluate")
    assert status == 422
    places = [issue["expression"][0] for issue in content["issue"]]
    assert places[0] == "Bundle.entry.resource.ofType(Patient)"
    assert {place.partition(".resource")[0] for place in places[1:]} == {
        "Bundle.entry[0]",
        "Bundle.entry[1]",
        "Bundle.entry[2]",
    }


def test_a_wrong_query_hides_no_missing_patient(client: FlaskClient) -> None:
    status, content = answer(client, {"resourceType": "Bundle", "entry": []}, "/evaluate?asOf=never")
    assert status == 400
    assert [issue["expression"][0] for issue in content["issue"]] == [
        "query.asOf",
        "Bundle.entry.resource.ofType(Patient)",
    ]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (b'{\n  "hook": "x",\n  "y": ,\n}', "(byte 24, line 3, column 8)"),
        (b'{\r\n"hook" 5}', "(byte 10, line 2, column 8)"),
        ('{"ä漢": x}'.encode(), "(byte 10, line 1, column 8)"),
        (b'{\n"hook": "x"', "line 2, column 12, its end)"),
        (b"\n\n<html>", "(byte 2, line 3, column 1)"),
    ],
)
@pytest.mark.parametrize("path", [SERVICE, "/evaluate"])
def test_what_is_not_json_says_in_which_line(client: FlaskClient, path: str, body: bytes, at: str) -> None:
    response = client.post(path, data=body, content_type=JSON)
    assert response.status_code == 400
    assert at in response.get_json(force=True)["issue"][0]["diagnostics"]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
@pytest.mark.parametrize("path", [SERVICE, "/evaluate", f"{SERVICE}/feedback"])
def test_another_encoding_is_named(client: FlaskClient, path: str, codec: str) -> None:
    response = client.post(path, data=json.dumps(hook_call()).encode(codec), content_type=JSON)
    assert response.status_code == 400
    assert "UTF-16 or UTF-32: send JSON as UTF-8" in response.get_json(force=True)["issue"][0]["diagnostics"]


def test_a_byte_order_mark_of_utf_8_is_read_and_alone_is_empty(client: FlaskClient) -> None:
    body = json.dumps(hook_call()).encode("utf-8-sig")
    assert client.post(SERVICE, data=body, content_type=JSON).status_code == 200
    response = client.post(SERVICE, data=b"\xef\xbb\xbf \n", content_type=JSON)
    assert "The body is empty" in response.get_json(force=True)["issue"][0]["diagnostics"]


def test_a_compressed_body_is_said_to_be_that(client: FlaskClient) -> None:
    body = gzip.compress(json.dumps(hook_call()).encode())
    response = client.post(SERVICE, data=body, content_type=JSON)
    assert response.status_code == 415
    assert "compressed" in response.get_json(force=True)["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"resourceType": "Bundle", "entry": {}}, "Bundle.entry"),
        ({"resourceType": 7}, "resourceType"),
        ({"resourceType": "Patient"}, "resourceType"),
        ({"entry": []}, "resourceType"),
    ],
)
def test_a_body_of_another_shape_has_a_place(client: FlaskClient, body: Resource, place: str) -> None:
    _, content = answer(client, body, "/evaluate")
    assert [issue["expression"] for issue in content["issue"]] == [[place]]
