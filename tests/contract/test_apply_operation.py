"""$apply: the decision of /evaluate as a CarePlan, and every way of asking for it wrongly."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fhir_mappings.request.parameters import IGNORED
from fhir_mappings.resources.budget import Budget
from service.app import create_app
from service.care_plan import PLAN as SERVED
from service.config import Config
from service.knowledge import Knowledge, load_knowledge
from tests.contract.requests import APPLY, DAY, EXAMPLES, applied, example
from tests.knowledge.published import PUBLICATION
from tests.knowledge.test_artifacts import problems_of
from tools.artifacts.work_up import PLAN

NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/bundle.json"))
PRIORITIES = {"routine": "routine", "urgent": "urgent", "now": "stat"}
BASE = "https://cds.example"
SAMPLE = "thigh-furosemide"


def sent(client: FlaskClient, body: Any, day: str | None = DAY, **more: Any) -> TestResponse:
    query = {"asOf": day} if day else {}
    return client.post(
        APPLY, data=json.dumps(body), content_type="application/fhir+json", query_string=query, **more
    )


def care_plan(client: FlaskClient, body: Any, day: str = DAY) -> dict[str, Any]:
    response = sent(client, body, day)
    assert response.status_code == 200, response.get_data(as_text=True)
    assert response.mimetype == "application/fhir+json"
    plan: dict[str, Any] = response.get_json(force=True)
    assert problems_of(plan) == []
    return plan


def bundle_of(name: str) -> dict[str, Any]:
    return example(f"{name}/bundle.json")


def patient_in(bundle: dict[str, Any]) -> str:
    """How an entry refers to the patient of that Bundle."""
    entries = [entry for entry in bundle["entry"] if isinstance(entry, dict)]
    found = next(entry for entry in entries if entry.get("resource", {}).get("resourceType") == "Patient")
    name: str = f"Patient/{found['resource']['id']}" if "id" in found["resource"] else found["fullUrl"]
    return name


def evaluated(client: FlaskClient, bundle: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = client.post("/evaluate", json=bundle, query_string={"asOf": DAY}).get_json()
    return content


def group_of(plan: dict[str, Any]) -> dict[str, Any]:
    (activity,) = plan["activity"]
    return contained(plan)[activity["reference"]["reference"].removeprefix("#")]


def contained(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {resource["id"]: resource for resource in plan.get("contained", ())}
    assert len(found) == len(plan.get("contained", ()))
    return found


def requested(action: dict[str, Any]) -> list[str]:
    """The ids of what an action refers to."""
    # rqg-1 of R4, which the models do not check.
    assert ("resource" in action) != ("action" in action)
    return [one["resource"]["reference"][1:] for one in action.get("action", [action])]


def refused(response: TestResponse, status: int) -> list[dict[str, Any]]:
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/fhir+json"
    outcome = response.get_json(force=True)
    assert problems_of(outcome) == []
    issues: list[dict[str, Any]] = outcome["issue"]
    return issues


def test_the_plan_that_is_applied_is_the_one_that_is_published() -> None:
    assert SERVED == PLAN
    assert f"/fhir/PlanDefinition/{PLAN}/$apply" == APPLY


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_decision_of_evaluate(client: FlaskClient, knowledge: Knowledge, name: str) -> None:
    bundle = bundle_of(name)
    answer = evaluated(client, bundle)
    assessment = answer["assessment"]
    plan = care_plan(client, applied(bundle))
    assert (plan["resourceType"], plan["status"], plan["intent"]) == ("CarePlan", "draft", "proposal")
    assert plan["created"] == DAY
    assert plan["instantiatesCanonical"] == [
        f"{PUBLICATION.canonical('PlanDefinition', PLAN)}|{knowledge.version}"
    ]
    assert plan["subject"] == {"reference": patient_in(bundle)}
    notes = " ".join(note["text"] for note in plan["note"])
    assert all(key in notes for key in assessment["notSeen"])
    assert knowledge.version in notes
    if not assessment["recommendations"]:
        assert not {"activity", "contained", "meta"} & plan.keys()
        assert assessment["gate"]["reason"] in notes
        return
    (card,) = answer["cards"]
    assert plan["description"] == card["summary"]
    assert [tag["code"] for tag in plan["meta"]["tag"]] == [assessment["level"]]
    assert f"whole: {assessment['level']}." in notes
    group = group_of(plan)
    assert (group["resourceType"], group["status"], group["intent"]) == ("RequestGroup", "draft", "proposal")
    assert group["subject"] == plan["subject"]
    assert [reason["id"] for reason in group["reasonCode"]] == [f"row.{r['id']}" for r in assessment["rows"]]
    assert [(action["id"], action["priority"]) for action in group["action"]] == [
        (made["id"], PRIORITIES[made["urgency"]]) for made in assessment["recommendations"]
    ]
    for action, made in zip(group["action"], assessment["recommendations"], strict=True):
        claims = {claim for row in made["because"] for claim in knowledge.table.row(row).claims}  # type: ignore[union-attr]
        assert {one["label"] for one in action["documentation"]} == claims
        assert action["title"]
        assert action["textEquivalent"]
        assert not re.search(r"\*\*|\\|&(lt|gt|amp);", action["textEquivalent"])
        assert not set("<>\\") & set(action["title"])
        assert len(requested(action)) >= len(made["analytes"])


@pytest.mark.parametrize("name", NAMES)
def test_its_orders_are_those_of_the_card(client: FlaskClient, name: str) -> None:
    bundle = bundle_of(name)
    drafted = [
        action["resource"]
        for card in evaluated(client, bundle)["cards"]
        for suggestion in card.get("suggestions", ())
        if suggestion.get("isRecommended")
        for action in suggestion["actions"]
    ]
    plan = care_plan(client, applied(bundle))
    if not drafted:
        assert not [one for one in contained(plan).values() if one["resourceType"] == "ServiceRequest"]
        return
    resources = contained(plan)
    requests = [resources[name] for action in group_of(plan)["action"] for name in requested(action)]
    # Each that is contained is referred to, once.
    assert len(requests) == len(resources) - 1
    orders = [one for one in requests if one["resourceType"] != "Task"]
    assert [order["code"] for order in orders] == [one["code"].get("concept", one["code"]) for one in drafted]
    assert {order["resourceType"] for order in orders} == {"ServiceRequest"}
    for order, one in zip(orders, drafted, strict=True):
        if one["resourceType"] == "ServiceRequest" and "concept" not in one["code"]:
            assert order == {"id": order["id"], **one}


def test_what_is_no_order_is_a_task(client: FlaskClient, knowledge: Knowledge) -> None:
    seen = set()
    for name in NAMES:
        plan = care_plan(client, applied(bundle_of(name)))
        for action in group_of(plan)["action"] if "activity" in plan else ():
            if knowledge.table.actions[action["id"]].order is None:
                seen.add(action["id"])
                (task,) = [contained(plan)[one] for one in requested(action)]
                assert (task["resourceType"], task["status"], task["intent"]) == ("Task", "draft", "proposal")
                assert (task["description"], task["priority"], task["for"]) == (
                    action["textEquivalent"],
                    action["priority"],
                    plan["subject"],
                )
    assert len(seen) > 3


def test_the_same_request_gives_the_same_bytes(client: FlaskClient) -> None:
    body = applied(bundle_of(SAMPLE))
    assert sent(client, body).data == sent(client, body).data


def test_unknown_codes_and_what_is_not_understood_are_named(client: FlaskClient) -> None:
    bundle = bundle_of(SAMPLE)
    subject = patient_in(bundle)
    strange = {"system": "http://ehr.example/codes", "code": "zz-9"}
    bundle["entry"] += [
        {"resource": {"resourceType": "Condition", "id": "odd", "subject": {"reference": subject},
                      "code": {"coding": [strange]}}},
        {"resource": {"resourceType": "Observation", "id": "bad", "status": 7}},
    ]  # fmt: skip
    notes = [note["text"] for note in care_plan(client, applied(bundle))["note"]]
    assert any("zz-9" in text and text.startswith("Unknown code") for text in notes)
    assert any("Observation/bad" in text and text.startswith("Not understood") for text in notes)


def test_a_record_of_another_version_gets_orders_of_r4(client: FlaskClient) -> None:
    plan = care_plan(client, applied(bundle_of("wasting-hand-in-stu3")))
    assert {one["resourceType"] for one in plan["contained"]} >= {"ServiceRequest"}
    assert not [one for one in plan["contained"] if one["resourceType"] == "ProcedureRequest"]


@pytest.mark.parametrize("subject", ["Patient/{}", "{}", f"{BASE}/r4/Patient/{{}}", "Patient/{}/_history/2"])
def test_the_subject_may_be_named(client: FlaskClient, subject: str) -> None:
    bundle = bundle_of(SAMPLE)
    named = subject.format(bundle["entry"][0]["resource"]["id"])
    plan = care_plan(client, applied(bundle, subject=named))
    assert plan == care_plan(client, applied(bundle))
    body = applied(bundle)
    body["parameter"].append({"name": "subject", "valueReference": {"reference": named}})
    assert care_plan(client, body) == plan


def test_parameters_about_user_and_setting_change_nothing(client: FlaskClient) -> None:
    bundle = bundle_of(SAMPLE)
    assert care_plan(client, applied(bundle, **dict.fromkeys(IGNORED, "x"))) == care_plan(
        client, applied(bundle)
    )


def bad(*parameters: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


DATA = {"name": "data", "resource": bundle_of(SAMPLE)}
SUBJECT = {"name": "subject", "valueString": "Patient/a"}
PATIENT = {"resourceType": "Patient", "id": "secret-id"}


@pytest.mark.parametrize(
    ("body", "expression", "words"),
    [
        (bundle_of(SAMPLE), "resourceType", "parameter data"),
        ({"resourceType": "Parameters"}, "Parameters.parameter", "data is missing"),
        (bad(), "Parameters.parameter", "data is missing"),
        (bad(DATA, DATA), "Parameters.parameter[1]", "more than once"),
        (bad({"name": "data"}), "Parameters.parameter[0].resource", "has no resource"),
        (bad({"name": "data", "resource": PATIENT}), "Parameters.parameter[0].resource", "not a Bundle"),
        (bad({"name": "data", "resource": []}), "Parameters.parameter[0].resource", "not a Bundle"),
        (bad({"name": "data", "resource": "x"}), "Parameters.parameter[0].resource", "not a Bundle"),
        (bad(DATA, {"name": "subject", "valueString": 7}), "Parameters.parameter[1]", "subject"),
        (bad(DATA, {"name": "subject"}), "Parameters.parameter[1]", "subject"),
        (bad(DATA, SUBJECT, SUBJECT), "Parameters.parameter[2]", "once"),
        (bad(DATA, {"name": "dataEndpoint"}), "Parameters.parameter[1].name", "dataEndpoint"),
        (bad(DATA, {"name": "Jane Doe secret-id"}), "Parameters.parameter[1].name", "another name"),
        (bad(DATA, {}), "Parameters.parameter[1].name", "another name"),
        (bad(DATA, "x"), "Parameters.parameter", "shape"),
    ],
)  # fmt: skip
def test_wrong_parameters(client: FlaskClient, body: Any, expression: str, words: str) -> None:
    issues = refused(sent(client, body), 400)
    (issue,) = [one for one in issues if one.get("expression", [""])[0].startswith(expression)]
    assert words in issue["diagnostics"]
    assert "secret-id" not in json.dumps(issues)


def test_all_that_is_wrong_is_said_at_once(client: FlaskClient) -> None:
    body = bad({"name": "subject"}, {"name": "parameters"})
    assert len(refused(sent(client, body, "2026-06-31"), 400)) == 4


def test_a_member_that_occurs_twice_is_refused(client: FlaskClient) -> None:
    data = json.dumps(applied(bundle_of(SAMPLE)))[:-1] + ', "parameter": []}'
    response = client.post(APPLY, data=data, content_type="application/fhir+json")
    assert "same name" in refused(response, 400)[0]["diagnostics"]


@pytest.mark.parametrize(
    ("bundle", "subject"),
    [
        ({"resourceType": "Bundle", "entry": []}, None),
        (
            {
                "resourceType": "Bundle",
                "entry": [{"resource": PATIENT}, {"resource": {**PATIENT, "id": "b"}}],
            },
            None,
        ),
        (bundle_of(SAMPLE), "Patient/secret-id"),
    ],
    ids=["none", "several", "another"],
)
def test_not_about_one_patient(client: FlaskClient, bundle: Any, subject: str | None) -> None:
    body = applied(bundle, subject=subject) if subject else applied(bundle)
    assert "secret-id" not in json.dumps(refused(sent(client, body), 422))


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
def test_another_content_type(client: FlaskClient, content_type: str) -> None:
    refused(client.post(APPLY, data=b"{}", content_type=content_type), 415)


def test_formats(client: FlaskClient) -> None:
    body = applied(bundle_of(SAMPLE))
    refused(sent(client, body, headers={"Accept": "application/fhir+xml"}), 406)
    assert client.post(f"{APPLY}?_format=json", json=body).status_code == 200
    assert client.post(APPLY, json=body).status_code == 200
    refused(client.post(f"{APPLY}?colour=blue", json=body), 400)


def test_it_is_no_address_to_read(client: FlaskClient) -> None:
    assert "POST" in client.get(APPLY).headers["Allow"]
    assert client.get(APPLY).status_code == 405


def test_a_body_or_a_bundle_beyond_its_budget(knowledge: Knowledge) -> None:
    body = applied(bundle_of(SAMPLE))
    small = create_app(Config(public_base_url=BASE, max_body_bytes=500), knowledge).test_client()
    refused(sent(small, body), 413)
    few = create_app(
        Config(public_base_url=BASE, budget=replace(Budget(), entries=1)), knowledge
    ).test_client()
    assert refused(sent(few, body), 413)[0]["code"] == "too-costly"


@pytest.mark.parametrize("settings", [{"silent": True}, {"min_indicator": "critical"}])
def test_what_no_card_says_is_not_proposed(knowledge: Knowledge, settings: dict[str, Any]) -> None:
    client = create_app(Config(public_base_url=BASE, **settings), knowledge).test_client()
    plan = care_plan(client, applied(bundle_of(SAMPLE)))
    assert not {"activity", "contained", "description", "meta"} & plan.keys()
    assert "show no card of level warning" in plan["note"][0]["text"]


def test_changed_knowledge_applies_and_names_its_version(tmp_path: Path) -> None:
    (tmp_path / "wording.yaml").write_text('gate:\n  no-twitch: "No twitch."\n', encoding="utf-8")
    changed = load_knowledge(overlay=tmp_path)
    config = Config(public_base_url=BASE, knowledge_overlay=tmp_path)
    client = create_app(config, changed).test_client()
    assert client.get(f"/fhir/PlanDefinition/{PLAN}").status_code == 404
    plan = care_plan(client, applied(bundle_of(SAMPLE)))
    assert plan["instantiatesCanonical"][0].endswith(f"|{changed.version}")


def test_it_is_counted_and_logged_by_its_template(knowledge: Knowledge) -> None:
    client = create_app(Config(public_base_url=BASE), knowledge).test_client()
    care_plan(client, applied(bundle_of(SAMPLE)))
    text = client.get("/metrics").get_data(as_text=True)
    assert f'requests_total{{method="POST",route="{APPLY}",status="200"}} 1.0' in text
    assert 'cards_total{hook="apply",' in text
