"""What CDS Hooks asks of discovery, prefetch and answers, by the number of the requirement."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from tests.contract.requests import SERVICE, hook_call
from tests.contract.test_bad_input import issues

Content = dict[str, Any]
TOKEN = re.compile(r"\{\{(.*?)\}\}")
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


@pytest.fixture
def services(client: FlaskClient) -> list[Content]:
    found: list[Content] = client.get("/cds-services").get_json()["services"]
    return found


@pytest.fixture
def templates(services: list[Content]) -> list[str]:
    return [template for service in services for template in service["prefetch"].values()]


def test_cds_hooks_1_requests_and_answers_are_json(client: FlaskClient) -> None:
    assert client.get("/cds-services").mimetype == "application/json"
    assert client.post(SERVICE, json=hook_call()).mimetype == "application/json"
    assert issues(client.post(SERVICE, data="<xml/>", content_type="application/xml"), 415)


@pytest.mark.parametrize("base", ["https://cds.example", "https://ehr.example/fasciculation"])
def test_cds_hooks_2_behind_a_proxy_with_tls_all_is_https(knowledge: Knowledge, base: str) -> None:
    """The service listens on loopback; TLS ends at the proxy in front of it, which PUBLIC_BASE_URL names."""
    client = create_app(Config(public_base_url=base), knowledge).test_client()
    answer = client.post(SERVICE, json=hook_call())
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    (card,) = answer.get_json()["cards"]
    addresses = [card["source"]["url"], *(link["url"] for link in card["links"])]
    assert len(addresses) == 2
    assert all(address.startswith(f"{base}/") for address in addresses)


def empty_or_null(value: Any, path: str = "") -> list[str]:
    if value is None or value == "" or value == {} or value == []:
        return [path]
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [found for name, member in members for found in empty_or_null(member, f"{path}.{name}")]


def test_cds_hooks_3_no_member_is_null_or_empty(client: FlaskClient) -> None:
    for content in (
        client.get("/cds-services").get_json(),
        client.post(SERVICE, json=hook_call(extension=None)).get_json(),
        client.post(SERVICE, data=b"{", content_type="application/json").get_json(force=True),
    ):
        assert content
        assert empty_or_null(content) == []


def test_cds_hooks_4_discovery_stands_at_its_address(client: FlaskClient) -> None:
    assert client.get("/cds-services").status_code == 200
    assert client.get("/services").status_code == 404


def test_cds_hooks_5_discovery_is_had_by_get(client: FlaskClient) -> None:
    assert client.get("/cds-services").get_json()["services"]
    assert client.post("/cds-services", json={}).status_code == 405


def test_cds_hooks_6_discovery_is_an_object_with_a_list(client: FlaskClient) -> None:
    content = client.get("/cds-services").get_json()
    assert list(content) == ["services"]
    assert isinstance(content["services"], list)


@pytest.mark.parametrize("member", ["hook"])
def test_cds_hooks_7_every_service_names_its_hook(services: list[Content], member: str) -> None:
    assert {service[member] for service in services} >= {"patient-view"}


def test_cds_hooks_8_every_service_has_a_title(services: list[Content]) -> None:
    assert all(isinstance(service["title"], str) and service["title"] for service in services)


def test_cds_hooks_9_every_service_has_a_description(services: list[Content]) -> None:
    assert all(isinstance(service["description"], str) and service["description"] for service in services)


def test_cds_hooks_10_every_service_has_an_id_of_its_own(services: list[Content]) -> None:
    ids = [service["id"] for service in services]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z-]+", found) for found in ids)


def test_cds_hooks_13_discovery_answers_200(client: FlaskClient) -> None:
    assert client.get("/cds-services").status == "200 OK"


def test_cds_hooks_16_every_service_stands_at_its_id(client: FlaskClient, services: list[Content]) -> None:
    for service in services:
        # 400: it is there, and asks for a whole call.
        assert client.post(f"/cds-services/{service['id']}", json={}).status_code == 400
    assert client.post("/cds-services/another", json={}).status_code == 404


def test_cds_hooks_29_prefetch_stands_in_discovery(services: list[Content]) -> None:
    assert all(service["prefetch"] for service in services)


def test_cds_hooks_36_every_template_has_a_key_under_which_it_is_read(
    client: FlaskClient, services: list[Content]
) -> None:
    assert all(isinstance(template, str) for one in services for template in one["prefetch"].values())
    assert all(re.fullmatch(r"[A-Za-z]+", key) for one in services for key in one["prefetch"])
    offered = next(one for one in services if one["hook"] == "patient-view")["prefetch"]
    # A list that is null is empty; that there is no patient is seen.
    answered = client.post(SERVICE, json=hook_call(prefetch=dict.fromkeys(offered))).get_json()
    assert answered["extension"]["org.fasciculation-cds"]["assessment"]["notSeen"] == ["patient"]


@pytest.mark.parametrize("key", ["conditions", "findings", "labs", "medications", "familyHistory"])
def test_cds_hooks_52_an_operation_outcome_in_place_of_data_is_not_an_empty_list(
    client: FlaskClient, key: str
) -> None:
    call = hook_call()
    call["prefetch"] = {**call["prefetch"], key: OUTCOME}
    answered = client.post(SERVICE, json=call)
    if key == "conditions":
        # The twitch of this patient stands there.
        assert {issue["expression"][0] for issue in issues(answered, 412)} == {"prefetch.conditions"}
        return
    assert key in answered.get_json()["extension"]["org.fasciculation-cds"]["assessment"]["notSeen"]
    assert "Not seen" in answered.get_json()["cards"][0]["detail"]


def test_cds_hooks_54_data_that_cannot_be_had_is_412(client: FlaskClient) -> None:
    found = issues(client.post(SERVICE, json=hook_call(prefetch=None)), 412)
    assert {issue["expression"][0] for issue in found} == {"prefetch.conditions", "prefetch.findings"}


def test_cds_hooks_55_tokens_stand_between_two_braces(templates: list[str]) -> None:
    assert all(TOKEN.search(template) for template in templates)
    assert all("{" not in TOKEN.sub("", t) and "}" not in TOKEN.sub("", t) for t in templates)


def test_cds_hooks_56_tokens_are_members_of_the_context(templates: list[str]) -> None:
    assert {name for template in templates for name in TOKEN.findall(template)} == {"context.patientId"}


def test_cds_hooks_57_tokens_are_of_the_roots_plain_members(templates: list[str]) -> None:
    for name in (name for template in templates for name in TOKEN.findall(template)):
        assert re.fullmatch(r"context\.[A-Za-z]+", name)
        assert isinstance(hook_call()["context"][name.partition(".")[2]], str)


def test_cds_hooks_58_queries_keep_to_the_recommended_part_of_fhir(templates: list[str]) -> None:
    for template in templates:
        address = urlsplit(template)
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.patientId\}\})?", address.path)
        for name, value in parse_qsl(address.query, strict_parsing=bool(address.query)):
            # By reference, by token, and how many: a questionnaire is referred to by its canonical URL.
            assert name in ("patient", "questionnaire", "code", "category", "status", "_sort", "_count")
            assert not re.match(r"(eq|lt|gt|ge|le)\d", value)


def test_cds_hooks_59_a_token_begins_with_context(templates: list[str]) -> None:
    assert all(n.startswith("context.") for template in templates for n in TOKEN.findall(template))


def test_cds_hooks_74_success_is_200_with_cards(client: FlaskClient) -> None:
    answer = client.post(SERVICE, json=hook_call())
    assert answer.status_code == 200
    assert isinstance(answer.get_json()["cards"], list)


def test_cds_hooks_75_nothing_is_done_without_the_user(client: FlaskClient) -> None:
    """systemActions are optional: the service has none, because every order is the clinician's."""
    assert "systemActions" not in client.post(SERVICE, json=hook_call()).get_json()


def test_cds_hooks_77_nothing_to_say_is_200_and_no_card(client: FlaskClient) -> None:
    answer = client.post(SERVICE, json=hook_call(prefetch={"conditions": None, "findings": None}))
    assert (answer.status_code, answer.get_json()["cards"]) == (200, [])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_cds_hooks_208_browsers_may_ask_from_elsewhere(client: FlaskClient, method: str) -> None:
    headers = {"Origin": "https://ehr.example", "Access-Control-Request-Method": method}
    preflight = client.options(SERVICE if method == "POST" else "/cds-services", headers=headers)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] in ("*", "https://ehr.example")
    assert method in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]


def test_cds_hooks_211_one_id_for_all_hooks_where_a_site_wants_it(knowledge: Knowledge) -> None:
    client = create_app(Config(shared_service_id="twitching"), knowledge).test_client()
    found = client.get("/cds-services").get_json()["services"]
    assert {service["id"] for service in found} == {"twitching"}
    assert len({service["hook"] for service in found}) == len(found)


def test_cds_hooks_214_an_extension_is_an_object(client: FlaskClient) -> None:
    answer = client.post(SERVICE, json=hook_call()).get_json()
    for extension in (answer["extension"], answer["cards"][0]["extension"]):
        assert all(isinstance(value, dict) for value in extension.values())
    assert issues(client.post(SERVICE, json=hook_call(extension={"org.fasciculation-cds": "yes"})), 400)


def test_cds_hooks_215_an_extension_has_a_reverse_domain_name(client: FlaskClient) -> None:
    answer = client.post(SERVICE, json=hook_call()).get_json()
    for extension in (answer["extension"], answer["cards"][0]["extension"]):
        assert all(re.fullmatch(r"[a-z]+(\.[a-z-]+)+", name) for name in extension)


def tokens_of(services: list[Content], hook: str) -> set[str]:
    return {
        token
        for service in services
        if service["hook"] == hook
        for template in service["prefetch"].values()
        for token in TOKEN.findall(template)
    }


def test_cds_hooks_library_16_order_sign_asks_for_no_drafts(services: list[Content]) -> None:
    assert tokens_of(services, "order-sign") == {"context.patientId"}


def test_cds_hooks_library_89_order_select_asks_for_no_selections(services: list[Content]) -> None:
    assert "context.selections" not in tokens_of(services, "order-select")
    assert tokens_of(services, "order-select")


def test_cds_hooks_library_93_order_select_asks_for_no_drafts(services: list[Content]) -> None:
    assert "context.draftOrders" not in tokens_of(services, "order-select")
    assert tokens_of(services, "order-select")


def test_cds_hooks_ballot_1_discovery_names_the_version_of_the_specification(services: list[Content]) -> None:
    assert all(re.fullmatch(r"\d+\.\d+\.\d+(-[a-z]+)?", service["version"]) for service in services)


def test_cds_hooks_ballot_2_discovery_names_the_version_of_each_hook(services: list[Content]) -> None:
    """As the library of hooks publishes them."""
    published = {
        "patient-view": "1.0",
        "order-select": "1.0",
        "order-sign": "1.0",
        "encounter-discharge": "1.0",
        "problem-list-item-create": "0.1.0",
    }
    assert {service["hook"]: service["hookVersion"] for service in services} == published


def test_cds_hooks_ballot_3_an_error_holds_an_operation_outcome(client: FlaskClient) -> None:
    (first, *_) = issues(client.post(SERVICE, json={}), 400)
    assert first["diagnostics"]


def test_cds_hooks_ballot_5_no_template_reckons_with_today(templates: list[str]) -> None:
    assert not [template for template in templates if "today" in template]
