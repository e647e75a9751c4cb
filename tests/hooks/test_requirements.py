"""What CDS Hooks and its hook library ask of a service's hooks, by the number of the requirement."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from schemas.hooks import CONTEXTS
from tests.hooks.requests import Resource, answered, call, cards, orders, prescription, typed
from tests.hooks.situations import SITUATIONS

V05 = "v05"
# By the hook library: each definition's own version.
VERSIONS = {
    "patient-view": "1.0",
    "order-select": "1.0",
    "order-sign": "1.0",
    "encounter-discharge": "1.0",
    "problem-list-item-create": "0.1.0",
}


@pytest.fixture
def services(client: FlaskClient) -> dict[str, Resource]:
    found = client.get("/cds-services").get_json()["services"]
    return {service["hook"]: service for service in found}


def tokens(service: Resource) -> set[str]:
    return {token for text in service["prefetch"].values() for token in re.findall(r"{{(.*?)}}", text)}


def test_cds_hooks_7_each_service_names_its_hook_id_and_description(services: dict[str, Resource]) -> None:
    assert set(services) == set(CONTEXTS)
    for hook, service in services.items():
        assert service["id"] == f"fasciculation-{hook}"
        assert service["description"]


def test_the_ballot_the_version_of_the_hook_is_that_of_its_definition(services: dict[str, Resource]) -> None:
    assert {hook: service["hookVersion"] for hook, service in services.items()} == VERSIONS
    assert {service["version"] for service in services.values()} == {"3.0.0-ballot"}
    assert not any("cards" in service for service in services.values())


def test_cds_hooks_16_each_answers_at_its_own_address(client: FlaskClient) -> None:
    for hook in VERSIONS:
        asked = next((r for _, r in SITUATIONS.values() if r["hook"] == hook), call("patient-view", V05))
        assert "cards" in answered(client, asked)


def test_cds_hooks_57_tokens_are_primitive_fields_of_the_context(services: dict[str, Resource]) -> None:
    for hook, service in services.items():
        for token in tokens(service):
            name = token.removeprefix("context.")
            assert type(CONTEXTS[hook]().fields[name]).__name__ == "PatientId"


def test_cds_hooks_59_tokens_are_named_after_the_context(services: dict[str, Resource]) -> None:
    assert {token for service in services.values() for token in tokens(service)} == {"context.patientId"}


def test_cds_hooks_library_16_order_sign_takes_no_drafts_as_token(services: dict[str, Resource]) -> None:
    assert "context.draftOrders" not in tokens(services["order-sign"])


def test_cds_hooks_library_89_order_select_takes_no_selections_as_token(
    services: dict[str, Resource],
) -> None:
    assert "context.selections" not in tokens(services["order-select"])


def test_cds_hooks_library_93_order_select_takes_no_drafts_as_token(services: dict[str, Resource]) -> None:
    assert "context.draftOrders" not in tokens(services["order-select"])


def test_cds_hooks_54_what_cannot_be_had_is_412(client: FlaskClient) -> None:
    for asked in (
        orders("order-sign", V05, prescription(V05, "furosemide")),
        call("encounter-discharge", V05, encounterId="e"),
    ):
        response = client.post(f"/cds-services/fasciculation-{asked['hook']}", json={**asked, "prefetch": {}})
        assert response.status_code == 412


def test_cds_hooks_77_nothing_to_say_is_an_empty_array(client: FlaskClient) -> None:
    asked = orders("order-sign", V05, typed(V05, "amoxicillin"))
    assert answered(client, {**asked, "extension": None}) == {"cards": []}


def test_cds_hooks_83_every_summary_is_short(client: FlaskClient) -> None:
    found = [card["summary"] for _, asked in SITUATIONS.values() for card in cards(client, asked)]
    assert len(found) > 20
    assert all(0 < len(summary) < 140 for summary in found)


def test_cds_hooks_93_suggestions_come_with_a_selection_behaviour(client: FlaskClient) -> None:
    for _, asked in SITUATIONS.values():
        for card in cards(client, asked):
            assert card["selectionBehavior"] == "any"


def test_cds_hooks_131_what_is_created_is_a_new_resource(client: FlaskClient) -> None:
    for _, asked in SITUATIONS.values():
        for card in cards(client, asked):
            for action in [action for one in card.get("suggestions", ()) for action in one["actions"]]:
                assert action["type"] == "create"
                assert "id" not in action["resource"]


def test_cds_hooks_3_nothing_is_null_or_empty(client: FlaskClient) -> None:
    def check(value: object) -> None:
        assert value is not None
        assert value not in ("", [], {})
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for one in inner:
            check(one)

    for _, asked in SITUATIONS.values():
        for card in cards(client, asked):
            check(card)


@pytest.mark.parametrize("hook", VERSIONS)
def test_the_example_of_each_hook_in_openapi_gets_a_card(client: FlaskClient, hook: str) -> None:
    paths = client.get("/openapi.json").get_json()["paths"]
    content = paths[f"/cds-services/fasciculation-{hook}"]["post"]["requestBody"]["content"][
        "application/json"
    ]
    (example,) = content["examples"].values()
    (card,) = cards(client, example["value"])
    assert card["summary"]
