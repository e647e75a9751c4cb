"""What the service answers, held against the schemas and against what CDS Hooks and interfaces ask for."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from tests.contract.requests import DAY, EXAMPLES, SERVICE, example, hook_call
from tools.openapi.answers import DiscoverySchema, EvaluationSchema, HookAnswerSchema, OperationOutcomeSchema

LEVELS = ["info", "warning", "critical"]
FILES = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.glob("*/*.json")}
BUNDLES = sorted(name for name in FILES if name.endswith("/bundle.json"))
CALLS = sorted(name for name in FILES if name.endswith("/patient-view.json"))
HOOKS = sorted(FILES - {*BUNDLES, *CALLS})
assert len(BUNDLES) == len(CALLS) == len(HOOKS) / 4 > 20


def evaluated(client: FlaskClient, bundle: Any, query: str = f"asOf={DAY}") -> dict[str, Any]:
    response = client.post(f"/evaluate?{query}", json=bundle)
    assert response.status_code == 200
    content: dict[str, Any] = response.get_json()
    return content


@pytest.mark.parametrize("name", BUNDLES)
def test_every_evaluation_fits_its_schema(client: FlaskClient, name: str) -> None:
    assert EvaluationSchema().validate(evaluated(client, example(name), f"asOf={DAY}&validate=true")) == {}


@pytest.mark.parametrize("name", CALLS)
def test_every_hook_answer_fits_its_schema(client: FlaskClient, name: str) -> None:
    response = client.post(SERVICE, json=example(name))
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert HookAnswerSchema().validate(response.get_json()) == {}


@pytest.mark.parametrize("name", HOOKS)
def test_every_answer_to_another_hook_fits_its_schema(client: FlaskClient, name: str) -> None:
    call = example(name)
    assert name.endswith(f"/{call['hook']}.json")
    response = client.post(f"/cds-services/fasciculation-{call['hook']}", json=call)
    assert response.status_code == 200
    assert HookAnswerSchema().validate(response.get_json()) == {}


def test_the_same_request_gives_the_same_bytes(client: FlaskClient) -> None:
    first = client.post(f"/evaluate?asOf={DAY}", json=example("thigh-day-fifteen/bundle.json"))
    assert (
        first.data == client.post(f"/evaluate?asOf={DAY}", json=example("thigh-day-fifteen/bundle.json")).data
    )


def test_discovery(client: FlaskClient) -> None:
    content = client.get("/cds-services").get_json()
    assert DiscoverySchema().validate(content) == {}
    hooks = [service["hook"] for service in content["services"]]
    assert sorted(hooks) == [
        "encounter-discharge", "order-select", "order-sign", "patient-view", "problem-list-item-create",
    ]  # fmt: skip
    assert [service["id"] for service in content["services"]] == [f"fasciculation-{hook}" for hook in hooks]
    service = content["services"][0]
    assert service["hook"] == "patient-view"
    assert list(service["prefetch"]) == [
        "patient", "conditions", "findings", "labs", "examinations", "medications", "medicationStatements",
        "orders", "procedures", "reports", "familyHistory", "questionnaireResponses",
    ]  # fmt: skip


def test_prefetch_uses_only_plain_searches(client: FlaskClient) -> None:
    services = client.get("/cds-services").get_json()["services"]
    for template in [template for service in services for template in service["prefetch"].values()]:
        path, _, query = template.partition("?")
        if not query:
            assert path == "Patient/{{context.patientId}}"
            continue
        names = [part.partition("=")[0] for part in query.split("&")]
        assert set(names) <= {"patient", "code", "category", "status", "questionnaire", "_sort", "_count"}
        assert len(set(names)) == len(names)
        assert len(template) < 8000


def test_a_record_without_a_twitch_gives_no_card(client: FlaskClient) -> None:
    assert evaluated(client, example("loop-diuretic-no-twitch/bundle.json"))["cards"] == []


def test_the_assessment_comes_only_when_asked(client: FlaskClient) -> None:
    asked = client.post(SERVICE, json=hook_call()).get_json()
    assert asked["extension"]["org.fasciculation-cds"]["assessment"]["asOf"] == DAY
    plain = client.post(SERVICE, json=hook_call(extension=None)).get_json()
    assert "extension" not in plain


def without(call: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {**call, "prefetch": {k: v for k, v in call["prefetch"].items() if k not in keys}}


@pytest.mark.parametrize("key", ["conditions", "findings"])
def test_412_where_no_twitch_was_seen_and_not_all_was(client: FlaskClient, key: str) -> None:
    call = without(hook_call(), "conditions", "findings")
    other = ({"conditions", "findings"} - {key}).pop()
    call["prefetch"][other] = None
    response = client.post(SERVICE, json=call)
    assert response.status_code == 412
    (issue,) = response.get_json(force=True)["issue"]
    assert issue["expression"] == [f"prefetch.{key}"]


def test_no_prefetch_at_all_is_412(client: FlaskClient) -> None:
    response = client.post(SERVICE, json=hook_call(prefetch=None))
    assert response.status_code == 412
    assert OperationOutcomeSchema().validate(response.get_json(force=True)) == {}


def test_empty_lists_are_seen(client: FlaskClient) -> None:
    call = hook_call(prefetch={"patient": None, "conditions": None, "findings": None})
    response = client.post(SERVICE, json=call)
    assert response.get_json()["cards"] == []


def test_a_twitch_that_was_seen_is_answered_and_the_rest_named(client: FlaskClient) -> None:
    call = without(hook_call(), "findings", "labs", "medications")
    content = client.post(SERVICE, json=call).get_json()
    detail = content["cards"][0]["detail"]
    assert detail.startswith("Examination and symptom records were not seen.")
    assert "**Not seen:** examination and symptom records, laboratory results, prescriptions" in detail
    seen = content["extension"]["org.fasciculation-cds"]["assessment"]["notSeen"]
    assert {"findings", "labs", "medications"} <= set(seen)


def test_patient_id_may_carry_its_type(client: FlaskClient) -> None:
    call = hook_call()
    bare = client.post(SERVICE, json=call).get_json()
    call["context"] = {**call["context"], "patientId": "Patient/" + call["context"]["patientId"]}
    assert client.post(SERVICE, json=call).get_json() == bare


def test_unknown_members_are_tolerated(client: FlaskClient) -> None:
    assert client.post(SERVICE, json=hook_call(vendor={"a": 1})).status_code == 200


@pytest.mark.parametrize(
    ("name", "level"),
    [("thigh-day-fifteen", "info"), ("thigh-furosemide", "warning"), ("wasting-hand", "critical")],
)
@pytest.mark.parametrize("setting", LEVELS)
def test_min_indicator(knowledge: Knowledge, setting: str, name: str, level: str) -> None:
    client = create_app(Config(min_indicator=setting), knowledge).test_client()
    content = evaluated(client, example(f"{name}/bundle.json"))
    shown = LEVELS.index(level) >= LEVELS.index(setting)
    assert [card["indicator"] for card in content["cards"]] == ([level] if shown else [])
    assert content["assessment"]["level"] == level


def test_silent(knowledge: Knowledge) -> None:
    content = evaluated(
        create_app(Config(silent=True), knowledge).test_client(), example("thigh-furosemide/bundle.json")
    )
    assert content["cards"] == []
    assert content["assessment"]["level"] == "warning"


def test_a_shared_service_id(knowledge: Knowledge) -> None:
    client = create_app(Config(shared_service_id="twitch"), knowledge).test_client()
    assert client.get("/cds-services").get_json()["services"][0]["id"] == "twitch"
    assert client.post("/cds-services/twitch", json=hook_call()).status_code == 200


def test_validation_on_request(client: FlaskClient) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    assert evaluated(client, bundle, "validate=true")["outcome"]["issue"][0]["severity"] == "information"
    bundle["entry"][0]["resource"]["gender"] = ["female"]
    outcome = evaluated(client, bundle, "validate=true")["outcome"]
    assert any("gender" in issue["expression"][0] for issue in outcome["issue"])
    assert "outcome" not in evaluated(client, bundle)


def test_a_preflight_needs_no_token(client: FlaskClient) -> None:
    response = client.options(SERVICE, headers={"Origin": "https://ehr.example"})
    assert response.status_code == 200
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_cors_headers_stand_on_errors_too(client: FlaskClient) -> None:
    assert client.post(SERVICE, data=b"{").headers["Access-Control-Allow-Origin"] == "*"


def test_only_named_origins(knowledge: Knowledge) -> None:
    client = create_app(Config(cors_origins=("https://ehr.example",)), knowledge).test_client()
    allowed = client.get("/cds-services", headers={"Origin": "https://ehr.example"})
    other = client.get("/cds-services", headers={"Origin": "https://other.example"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://ehr.example"
    assert "Access-Control-Allow-Origin" not in other.headers


def test_no_card_has_a_dead_link(client: FlaskClient) -> None:
    for name in BUNDLES:
        for card in evaluated(client, example(name))["cards"]:
            for url in [card["source"]["url"], *(link["url"] for link in card["links"])]:
                path = url.removeprefix("https://cds.example")
                assert client.get(path).status_code == 200, url


def test_pages_are_html_or_json_by_accept(client: FlaskClient, app: Flask) -> None:
    for path in ("/knowledge", "/knowledge/persistent"):
        page = client.get(path, headers={"Accept": "text/html"})
        assert page.mimetype == "text/html"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert client.get(path, headers={"Accept": "application/json"}).mimetype == "application/json"
    assert "S003-20" in client.get("/knowledge/persistent").get_data(as_text=True)


def test_health_and_readiness(client: FlaskClient, knowledge: Knowledge) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json()["knowledgeVersion"] == knowledge.version


def test_the_front_page(client: FlaskClient) -> None:
    assert "not a certified medical device" in client.get("/").get_data(as_text=True).replace("is not", "not")


def test_a_prefetch_of_somebody_else_is_412_not_all_clear(client: FlaskClient) -> None:
    call = hook_call()
    call["context"] = {**call["context"], "patientId": "somebody-else"}
    response = client.post(SERVICE, json=call)
    assert response.status_code == 412
    assert {i["expression"][0] for i in response.get_json(force=True)["issue"]} == {
        "prefetch.patient.id",
        "prefetch.conditions",
        "prefetch.findings",
    }
