"""Panels: what stands in a component is had by our own prefetch, and counts as if it stood alone."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config, ConfigError
from service.knowledge import Knowledge
from tests.contract.requests import DAY, SERVICE
from tests.spec.records import code_of

Resource = dict[str, Any]
LOINC = "http://loinc.org"
SUBJECT = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-03-04"}
TWITCH = {
    "resourceType": "Condition",
    "id": "c",
    "code": code_of("fasciculation"),
    "subject": SUBJECT,
    "onsetDateTime": "2026-05-01",
    "recordedDate": "2026-06-01",
}


def searchset(*resources: Resource) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources]}


def observation(category: str, code: Resource, **members: Any) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "id": f"panel-{category}",
        "status": "final",
        "category": [{"coding": [{"system": system, "code": category}]}],
        "code": code,
        "subject": SUBJECT,
        "effectiveDateTime": "2026-06-12",
        **members,
    }


def panel(*findings: str, present: bool = True, category: str = "exam") -> Resource:
    """A panel in words, with a component for each finding."""
    components = [{"code": code_of(finding), "valueBoolean": present} for finding in findings]
    return observation(category, {"text": "Neurological examination"}, component=components)


def electrolytes(code: str) -> Resource:
    component = {
        "code": {"coding": [{"system": LOINC, "code": "2823-3"}]},
        "valueQuantity": {"value": 6.9, "unit": "mmol/L"},
    }
    return observation("laboratory", {"coding": [{"system": LOINC, "code": code}]}, component=[component])


def viewed(client: FlaskClient, status: int = 200, **lists: Resource | None) -> Resource:
    keys = ("conditions", "findings", "labs", "examinations", "medications", "medicationStatements")
    prefetch = {"patient": PATIENT, **dict.fromkeys(keys), **lists}
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p"},
        "prefetch": {key: value for key, value in prefetch.items() if value != {}},
        "extension": {"org.fasciculation-cds": {"assessment": True, "asOf": DAY}},
    }
    response = client.post(SERVICE, json=body)
    assert response.status_code == status, response.get_data(as_text=True)
    answer: Resource = response.get_json(force=True)
    return answer


def assessed(answer: Resource) -> Resource:
    found: Resource = answer["extension"]["org.fasciculation-cds"]["assessment"]
    return found


# What the examinations hold -> the level with a twitch of six weeks on the problem list.
HELD: dict[str, Resource] = {
    "weak-and-wasted": panel("weakness", "atrophy"),
    "weak": panel("weakness"),
    "wasted": panel("atrophy"),
    "numb": panel("sensory-loss"),
    "normal": panel("weakness", "atrophy", "sensory-loss", present=False),
    "symptoms-told": panel("breathing-difficulty", category="survey"),
    "habits": panel("caffeine", category="social-history"),
}
NO_LIST: Resource = {}


@pytest.mark.parametrize("name", HELD)
def test_examinations_count_as_findings(client: FlaskClient, name: str) -> None:
    conditions, held = searchset(TWITCH), searchset(HELD[name])
    by_findings = assessed(viewed(client, conditions=conditions, findings=held))
    by_examinations = assessed(viewed(client, conditions=conditions, examinations=held))
    without = assessed(viewed(client, conditions=conditions))
    for member in ("level", "rows", "recommendations", "questions"):
        assert by_examinations[member] == by_findings[member]
    assert {f["id"]: f["status"] for f in by_examinations["findings"]} != {
        f["id"]: f["status"] for f in without["findings"]
    }


@pytest.mark.parametrize("name", HELD)
def test_what_stands_in_both_lists_counts_once(client: FlaskClient, name: str) -> None:
    conditions, held = searchset(TWITCH), searchset(HELD[name])
    once = viewed(client, conditions=conditions, findings=held)
    assert viewed(client, conditions=conditions, findings=held, examinations=held)["cards"] == once["cards"]


def test_a_twitch_in_an_examination_opens_the_gate(client: FlaskClient) -> None:
    assert viewed(client, examinations=searchset(panel("fasciculation")))["cards"]
    assert viewed(client, examinations=searchset(panel("fasciculation", present=False)))["cards"] == []


def test_without_examinations_a_card_comes_and_names_them(client: FlaskClient) -> None:
    answer = viewed(client, conditions=searchset(TWITCH), examinations=NO_LIST)
    assert "examinations" in assessed(answer)["notSeen"]
    assert "Not seen:** examinations" in answer["cards"][0]["detail"]
    statuses = {f["id"]: f["status"] for f in assessed(answer)["findings"]}
    assert statuses.get("weakness", "unknown") == "unknown"


def test_without_examinations_and_a_twitch_the_gate_is_decided(client: FlaskClient) -> None:
    """Servers that do not know the key are no reason for 412 at every chart."""
    answer = viewed(client, examinations=NO_LIST)
    assert answer["cards"] == []
    assert "examinations" in assessed(answer)["notSeen"]


@pytest.mark.parametrize("key", ["conditions", "findings"])
def test_examinations_do_not_replace_the_lists_of_the_gate(client: FlaskClient, key: str) -> None:
    lists: dict[str, Resource | None] = {key: NO_LIST, "examinations": searchset(panel("weakness"))}
    issues = viewed(client, 412, **lists)["issue"]
    assert [issue["expression"] for issue in issues] == [[f"prefetch.{key}"]]


def test_an_examination_that_cannot_be_read_may_have_been_the_twitch(client: FlaskClient) -> None:
    broken = {**panel("fasciculation"), "component": 7}
    issues = viewed(client, 412, examinations=searchset(broken))["issue"]
    assert [issue["expression"] for issue in issues] == [["prefetch.examinations.entry[0].resource"]]


@pytest.mark.parametrize("code", ["24326-1", "24320-4", "24321-2", "51990-0", "24322-0", "24323-8"])
def test_potassium_of_a_panel_is_asked_for_and_read(
    client: FlaskClient, knowledge: Knowledge, code: str
) -> None:
    answer = viewed(client, conditions=searchset(TWITCH), labs=searchset(electrolytes(code)))
    assert assessed(answer)["level"] == "critical"
    for hook in knowledge.hooks:
        assert code in hook["prefetch"]["labs"].partition("&code=")[2].partition("&")[0].split(",")


# PREFETCH_SEARCH


def templates(knowledge: Knowledge, search: str) -> list[dict[str, str]]:
    config = Config(public_base_url="https://cds.example", prefetch_search=search)
    services = create_app(config, knowledge).test_client().get("/cds-services").get_json()["services"]
    return [service["prefetch"] for service in services]


def test_by_code_examinations_are_asked_for(knowledge: Knowledge) -> None:
    for prefetch in templates(knowledge, "code"):
        assert prefetch["examinations"].startswith("Observation?patient={{context.patientId}}&category=exam")
        assert not [text for text in prefetch.values() if "combo-code" in text]


def test_by_combo_code_panels_are_searched_and_examinations_dropped(knowledge: Knowledge) -> None:
    by_code = templates(knowledge, "code")
    for before, prefetch in zip(by_code, templates(knowledge, "combo-code"), strict=True):
        assert list(prefetch) == [key for key in before if key != "examinations"]
        for key, text in prefetch.items():
            searched = "combo-code" if key in ("findings", "labs") else "code"
            assert text == before[key].replace("&code=", f"&{searched}=")


def test_by_combo_code_examinations_are_not_missed(knowledge: Knowledge) -> None:
    config = Config(public_base_url="https://cds.example", prefetch_search="combo-code")
    client = create_app(config, knowledge).test_client()
    answer = viewed(client, conditions=searchset(TWITCH), examinations=NO_LIST)
    assert "examinations" not in assessed(answer)["notSeen"]


@pytest.mark.parametrize("written", ["", "code", "combo-code"])
def test_the_setting(written: str) -> None:
    assert Config.from_environ({"PREFETCH_SEARCH": written}).prefetch_search == (written or "code")


@pytest.mark.parametrize("written", ["combo", "Code", "code,combo-code", "component-code"])
def test_a_wrong_setting_stops_the_start(written: str) -> None:
    with pytest.raises(ConfigError, match=r"^PREFETCH_SEARCH: one of code, combo-code"):
        Config.from_environ({"PREFETCH_SEARCH": written})
