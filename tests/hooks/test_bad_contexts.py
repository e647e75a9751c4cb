"""Contexts that are malformed: what is refused and where it says so, and what is read all the same."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.hooks.requests import (
    EXTENSION,
    Resource,
    answered,
    bundle,
    call,
    orders,
    posted,
    prescription,
)
from tests.hooks.situations import problem

V05 = "v05"
RX = prescription(V05, "escitalopram")
SELECTED = ["MedicationRequest/rx"]


@pytest.mark.parametrize(
    ("hook", "context", "places"),
    [
        ("order-select", {}, ["context.draftOrders", "context.selections"]),
        ("order-select", {"draftOrders": bundle(RX)}, ["context.selections"]),
        ("order-select", {"selections": SELECTED}, ["context.draftOrders"]),
        (
            "order-select",
            {"draftOrders": None, "selections": None},
            ["context.draftOrders", "context.selections"],
        ),
        ("order-select", {"draftOrders": bundle(RX), "selections": "rx"}, ["context.selections"]),
        ("order-select", {"draftOrders": bundle(RX), "selections": [None]}, ["context.selections[0]"]),
        (
            "order-select",
            {"draftOrders": bundle(RX), "selections": [["a"], 7]},
            ["context.selections[0]", "context.selections[1]"],
        ),
        ("order-select", {"draftOrders": [RX], "selections": SELECTED}, ["context.draftOrders"]),
        ("order-sign", {}, ["context.draftOrders"]),
        ("order-sign", {"draftOrders": "Bundle"}, ["context.draftOrders"]),
        (
            "order-sign",
            {"draftOrders": {"resourceType": "Bundle", "entry": {}}},
            ["context.draftOrders.entry"],
        ),
        (
            "order-sign",
            {"draftOrders": {"resourceType": "Bundle", "entry": "x"}},
            ["context.draftOrders.entry"],
        ),
        ("order-sign", {"draftOrders": RX}, ["context.draftOrders.resourceType"]),
        (
            "order-sign",
            {"draftOrders": {"resourceType": 7, "entry": 7}},
            ["context.draftOrders.entry", "context.draftOrders.resourceType"],
        ),
        ("order-sign", {"draftOrders": {"entry": [], "link": 7}}, ["context.draftOrders.link"]),
        ("problem-list-item-create", {}, ["context.conditions"]),
        ("problem-list-item-create", {"conditions": None}, ["context.conditions"]),
        ("problem-list-item-create", {"conditions": [problem(V05, "weakness")]}, ["context.conditions"]),
        (
            "problem-list-item-create",
            {"conditions": problem(V05, "weakness")},
            ["context.conditions.resourceType"],
        ),
        ("encounter-discharge", {"patientId": None}, ["context.patientId"]),
        (
            "order-sign",
            {"draftOrders": {"entry": 7, "link": 7}, "userId": None, "patientId": []},
            ["context.draftOrders.entry", "context.draftOrders.link", "context.patientId"],
        ),
    ],
)
def test_a_malformed_context_is_400_and_says_where(
    client: FlaskClient, hook: str, context: Resource, places: list[str]
) -> None:
    assert posted(client, call(hook, V05, **context)) == (400, places)


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_body_without_a_context_is_400(client: FlaskClient, hook: str) -> None:
    for context in (None, "x", [], 7):
        body = {**orders(hook, V05, RX), "context": context}
        assert posted(client, body) == (400, ["context"])


BAD: list[Any] = [
    None,
    7,
    "text",
    [],
    {},
    {"resource": None},
    {"resource": 7},
    {"resource": {}},
    {"resource": {"resourceType": 7}},
    {"resource": {"resourceType": "MedicationRequest", "id": [7]}},
    {"resource": {"resourceType": "MedicationRequest", "subject": 7}},
    {"resource": {"resourceType": "MedicationRequest", "medicationCodeableConcept": [7]}},
    {"resource": {"resourceType": "ServiceRequest", "code": "EMG"}},
    {"resource": {"resourceType": "OperationOutcome", "issue": []}},
    {"fullUrl": 7, "resource": RX},
]


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_draft_is_named_and_the_rest_is_read(client: FlaskClient, bad: Any) -> None:
    body = orders("order-sign", V05, RX)
    body["context"]["draftOrders"]["entry"].insert(0, bad)
    content = answered(client, body)
    assert [card["summary"].split()[0] for card in content["cards"]] == ["Escitalopram"]
    named = [n["reference"] for n in content["extension"][EXTENSION]["assessment"]["notUnderstood"]]
    assert bool(named) is ("Outcome" not in str(bad))
