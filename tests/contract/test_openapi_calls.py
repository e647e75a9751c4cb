"""Every call of openapi.yaml is answered as it says; every answer it describes has a call, or a reason."""

from __future__ import annotations

from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Config
from service.feedback.upgrade import upgrade
from service.knowledge import Knowledge
from tests.contract.calls import SampleCall, filled, sample_calls
from tools.openapi.calls import CALLS, CallsError, with_calls
from tools.openapi.document import document, with_sample_calls

PUBLISHED = document()
ALL = {call.id: call for call in sample_calls()}
# Answers that no request brings about by itself.
WITHOUT_CALL = {
    "304": "needs the ETag of an earlier answer",
    "401": "only where callers sign, or an admin token is set",
    "403": "only where callers sign",
    "408": "needs a body that does not arrive",
    "413": "needs a body of 16 MiB",
    "503": "needs something that is down",
}
# Routes that are off in the service as it starts; tests/field/test_workbench.py calls them.
OFF = {"workbenchPatient"}


@pytest.fixture(scope="module")
def keeping(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The service that signs its cards and keeps feedback."""
    store = f"sqlite:///{tmp_path_factory.mktemp('feedback') / 'feedback.sqlite3'}"
    upgrade(store)
    config = Config(card_secrets=("for-these-tests-alone-and-long-enough",), feedback_db=store)
    return create_app(config, knowledge)


def sent(client: FlaskClient, call: SampleCall) -> TestResponse:
    body = call.body
    if call.after is not None and body is not None:
        body = filled(body, sent(client, ALL[call.after]).get_json())
    return client.open(call.address, method=call.method, headers=dict(call.headers), data=body)


@pytest.mark.parametrize("name", ALL)
def test_a_call_is_answered_as_it_says(keeping: Flask, name: str) -> None:
    call = ALL[name]
    response = sent(keeping.test_client(), call)
    assert response.status_code == call.status, response.get_data(as_text=True)
    described = resolved(operation_of(name)["responses"][str(call.status)])
    if "content" in described:
        assert response.mimetype in described["content"]
    if call.status >= 400:
        outcome = response.get_json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert all(issue["diagnostics"] for issue in outcome["issue"])


def operation_of(name: str) -> dict[str, Any]:
    operations = [one for methods in PUBLISHED["paths"].values() for one in methods.values()]
    (found,) = [one for one in operations if one["operationId"] == name.split()[0]]
    content: dict[str, Any] = found
    return content


def resolved(found: dict[str, Any]) -> dict[str, Any]:
    """What it refers to in the document, or the thing itself."""
    content: Any = found
    while "$ref" in content:
        content = reduce(getitem, content["$ref"].removeprefix("#/").split("/"), PUBLISHED)
    assert isinstance(content, dict)
    return content


def test_every_answer_that_is_described_has_a_call_or_a_reason() -> None:
    for methods in with_sample_calls()["paths"].values():
        for operation in methods.values():
            called = {str(call["status"]) for call in operation[CALLS]}
            if operation["operationId"] in OFF:
                assert called == {"404"}
                continue
            assert set(operation["responses"]) - called <= set(WITHOUT_CALL), operation["operationId"]
            assert not called & set(WITHOUT_CALL)


def test_names_are_single_and_what_comes_before_exists() -> None:
    assert len(ALL) == len(list(sample_calls()))
    assert {call.after for call in ALL.values() if call.after} <= set(ALL)


PATHS: dict[str, Any] = {"/x": {"get": {"operationId": "x", "responses": {"200": {}}}}}


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        ({}, "x: no call"),
        ({"x": [{"name": "a", "says": "b", "status": 404}]}, "404 is not among the answers"),
        ({"x": [{"name": "a", "says": "b", "status": 200, "colour": "red"}]}, "x a: members"),
        ({"x": [{"name": "a", "says": "b", "status": 200}], "y": []}, "calls of no operation: ['y']"),
        ({"x": [{"name": "a", "says": "b", "status": 200, "at": "/{id}"}]}, "a parameter without a value"),
    ],
)
def test_calls_that_do_not_fit_are_refused(calls: dict[str, Any], says: str) -> None:
    with pytest.raises(CallsError) as refused:
        dict(with_calls(PATHS, calls, {}, Path()))
    assert says in str(refused.value)
