"""GET / and POST /workbench/answer without a browser: what is shown, and what becomes of what is pasted."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from tests.contract.pages import Page
from tests.contract.requests import example, hook_call
from tests.contract.test_bad_input import issues
from tests.spec.forms import NO

DAY = "2026-06-15"
HOSTILE = '<img src=x onerror="alert(1)"> [a](javascript:alert(2)) </pre><script>alert(3)</script> {{ 7*7 }}'


def asked(client: FlaskClient, content: Any, **more: Any) -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    reply = client.post("/workbench/answer", json={"text": text, "asOf": DAY, **more})
    assert reply.status_code == 200, reply.get_data(as_text=True)
    said: dict[str, Any] = reply.get_json()
    return said


def test_the_page_shows_the_card_of_the_first_patient(client: FlaskClient) -> None:
    reply = client.get("/")
    page = Page(reply.get_data(as_text=True))
    assert page.problems == []
    assert len(set(page.ids)) == len(page.ids)
    assert "Order TSH" in page.text
    assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
    assert not any("style" in element.attributes for element in page.root.all(*page.tags))


def test_every_bundled_patient_has_a_page_of_its_own(client: FlaskClient) -> None:
    links = [link for link in Page(client.get("/").get_data(as_text=True)).links if "example=" in link]
    assert len(links) > 20
    replies = [client.get(link) for link in links]
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.data for reply in replies}) > 20
    assert "No such example" in issues(client.get("/?example=nobody"), 404)[0]["diagnostics"]
    assert issues(client.get("/?asOf=yesterday"), 400)
    assert issues(client.get("/?example=low-calcium&hook=no-such"), 404)


def test_what_is_shown_is_what_the_service_answers(client: FlaskClient) -> None:
    bundle = json.dumps(example("thigh-day-fifteen/bundle.json"))
    shown = asked(client, bundle)
    answered = client.post(
        f"/evaluate?asOf={DAY}", data=bundle.encode(), content_type="application/fhir+json"
    ).get_json()
    page = Page(f"<body>{shown['html']}</body>")
    (response,) = [e for e in page.root.all("pre") if e.attributes.get("id") == "response"]
    assert json.loads("".join(response.pieces)) == answered
    assert shown["level"] == answered["assessment"]["level"]
    assert answered["cards"][0]["summary"] in page.text


def test_a_hook_request_keeps_its_own_day_until_another_is_chosen(client: FlaskClient) -> None:
    call = {**hook_call(), "extension": {"org.fasciculation-cds": {"asOf": "2026-06-15"}}}
    assert asked(client, call, asOf="2026-07-01")["asOf"] == "2026-06-15"
    text = json.dumps(call)
    assert asked(client, text, asOf="2026-06-15", chosen=True)["text"] == text, "nothing to rewrite"
    chosen = asked(client, call, asOf="2026-07-01", chosen=True)
    assert chosen["asOf"] == "2026-07-01"
    assert json.loads(chosen["text"])["extension"]["org.fasciculation-cds"]["asOf"] == "2026-07-01"


def test_numbers_stay_as_they_were_written(client: FlaskClient) -> None:
    text = json.dumps(example("thigh-day-fifteen/bundle.json"))
    huge = "1" * 5000
    text = f'{text[:-1]}, "kept": [4.10, 1e2, -0.0, {huge}]}}'
    fields = {"text": text, "asOf": DAY, "author": "patient", "answer.stiffness": NO["code"]}
    page = Page(client.post("/workbench/form", data=fields).get_data(as_text=True))
    (area,) = page.root.all("textarea")
    said = re.sub(r"\s", "", "".join(area.pieces))
    assert '"form-patient-2026-06-15"' in said
    assert f'"kept":[4.10,1e2,-0.0,{huge}]' in said


def test_what_was_not_understood_is_named_with_its_place(client: FlaskClient) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    twitch = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Condition")
    bundle["entry"].append({"resource": {**twitch, "id": "odd", "onsetDateTime": "some day"}})
    page = Page(f"<body>{asked(client, bundle)['html']}</body>")
    (section,) = [s for s in page.root.all("section") if s.attributes["aria-labelledby"] == "read-title"]
    first = section.all("li")[0].text
    assert first.startswith("Condition/odd: ")
    assert first.endswith("(Condition.onsetDateTime)")


def test_what_a_record_says_is_shown_as_text(client: FlaskClient) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    bundle["entry"].append(
        {
            "resource": {
                "resourceType": "MedicationRequest",
                "id": "rx",
                "status": "active",
                "intent": "order",
                "subject": {"reference": "Patient/v05"},
                "medicationCodeableConcept": {"text": HOSTILE},
            }
        }
    )
    for resource in (entry["resource"] for entry in bundle["entry"]):
        for member in ("code", "bodySite"):
            if isinstance(resource.get(member), dict):
                resource[member]["text"] = HOSTILE
    html = asked(client, bundle)["html"]
    page = Page(f"<body>{html}</body>")
    assert page.problems == []
    assert not page.root.all("script", "img", "style", "iframe")
    for element in page.root.all(*page.tags):
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
    assert all(not link.startswith("javascript:") for link in page.links)
    assert "{{ 7*7 }}" in page.text
    assert "alert(3)" in page.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1"),
        ('{"resourceType": "Bundle",\n}', "line 2"),
        ("[]", "no object"),
        ("[" * 100_000, "too deeply"),
        ('{"resourceType": "Bundle", "half": "\\ud800 "}', "JSON"),
        ('{"resourceType": "Patient"}', "not a Bundle"),
        ('{"resourceType": "Bundle", "entry": []}', "atient"),
        ('{"hook": "patient-view"}', "hookInstance"),
        ('{"hook": 7}', "hook"),
        ('{"hook": {}}', "hook"),
        ('{"hook": "patient-view", "hookInstance": "x", "context": NaN}', "JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(client: FlaskClient, text: str, says: str) -> None:
    reply = client.post("/workbench/answer", json={"text": text, "asOf": DAY})
    assert says in " ".join(issue["diagnostics"] for issue in issues(reply, 422))


def test_the_members_of_a_request_are_checked(client: FlaskClient) -> None:
    text = json.dumps(example("thigh-day-fifteen/bundle.json"))
    for wrong in (
        {"asOf": "soon"},
        {"apply": {"finding": "orthopnea", "answer": "absent"}},
        {"text": 3},
        {"more": 1},
    ):
        assert issues(client.post("/workbench/answer", json={"text": text, **wrong}), 400)
    assert issues(client.post("/workbench/answer", json={}), 400)[0]["expression"] == ["text"]


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-20", "9999-12-31"])
def test_the_calendar_has_ends(client: FlaskClient, day: str) -> None:
    assert client.get(f"/?asOf={day}").status_code == 200
    posted = {"text": json.dumps(example("thigh-day-fifteen/bundle.json")), "asOf": day}
    assert client.post("/workbench/answer", json=posted).status_code == 200


def test_nothing_of_what_is_pasted_is_logged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    word = "Qx7-secret-of-a-patient"
    bundle = example("thigh-day-fifteen/bundle.json")
    bundle["entry"][0]["resource"]["name"] = [{"family": word}]
    reply = client.post("/workbench/answer", json={"text": json.dumps(bundle), "asOf": DAY})
    assert reply.headers["Cache-Control"] == "no-store"
    client.post("/workbench/answer", json={"text": f'{{"resourceType": "{word}"', "asOf": DAY})
    assert word not in caplog.text


def test_a_call_can_be_repeated_with_curl(client: FlaskClient) -> None:
    html = asked(client, "{" + '"resourceType":"Bundle",\n"x":"it\'s"\n,"entry":' + json.dumps(
        example("thigh-day-fifteen/bundle.json")["entry"]) + "}")["html"]  # fmt: skip
    (curl,) = [e for e in Page(f"<body>{html}</body>").root.all("pre") if e.attributes.get("id") == "curl"]
    text = "".join(curl.pieces)
    assert text.startswith("curl -s -H 'Content-Type: application/fhir+json'")
    assert f"/evaluate?asOf={DAY}' <<'JSON'\n{{" in text
    assert text.rstrip().endswith("\nJSON")


def test_results_are_shown_with_their_own_range(client: FlaskClient) -> None:
    html = client.get("/?example=thiazide-potassium-in-range").get_data(as_text=True)
    assert "3.5 to 5.1 mmol/L" in html
    assert "(default)" not in html


def test_the_picture_is_told_in_words_too(client: FlaskClient) -> None:
    page = Page(client.get("/?example=escitalopram-after-onset").get_data(as_text=True))
    assert page.problems == []
    assert "○ escitalopram (SSRI): cannot be the cause" in page.text
    rows = {row.children[0].text: row for row in page.root.all("tr") if len(row.children) == 4}
    assert rows["Site"].children[1].text == "left hand"


def test_what_the_hook_refuses_is_told_with_its_reason(client: FlaskClient) -> None:
    call = {**hook_call(), "prefetch": {}}
    shown = asked(client, call)
    answered = client.post("/cds-services/fasciculation-patient-view", json=call)
    assert answered.status_code == 412
    page = Page(f"<body>{shown['html']}</body>")
    assert "The service answers 412" in page.text
    assert "send prefetch.conditions" in page.text
    (response,) = [e for e in page.root.all("pre") if e.attributes.get("id") == "response"]
    assert json.loads("".join(response.pieces)) == answered.get_json()


@pytest.mark.parametrize("hook", ["patient-view", "order-sign", "encounter-discharge"])
def test_a_hook_call_is_shown_as_it_is_answered(client: FlaskClient, hook: str) -> None:
    call = example(f"thigh-day-fifteen/{hook}.json")
    answered = client.post(f"/cds-services/fasciculation-{hook}", json=call).get_json()
    page = Page(f"<body>{asked(client, json.dumps(call))['html']}</body>")
    (response,) = [e for e in page.root.all("pre") if e.attributes.get("id") == "response"]
    assert json.loads("".join(response.pieces)) == answered
    for card in answered["cards"]:
        assert card["summary"] in page.text


def test_an_illness_that_decides_nothing_is_named_beside_the_columns(client: FlaskClient) -> None:
    page = Page(client.get("/?example=diabetes-numb-feet").get_data(as_text=True))
    rows = {row.children[0].text: row for row in page.root.all("tr") if len(row.children) == 4}
    assert "diabetes" in rows["Background"].children[1].text
    assert "this patient" not in rows["Background"].text
    assert "this patient" in rows["Weakness"].children[2].text


def test_what_is_urgent_is_advised_first(client: FlaskClient) -> None:
    page = Page(client.get("/?example=breathless-lying-flat").get_data(as_text=True))
    (section,) = [s for s in page.root.all("section") if s.attributes["aria-labelledby"] == "advised-title"]
    items = [item.text for item in section.all("li")]
    assert "(urgent)" in items[0]
    assert any("(urgent)" not in item for item in items[1:])


@pytest.mark.parametrize(
    ("setting", "says"), [({"silent": True}, "SILENT"), ({"min_indicator": "critical"}, "MIN_INDICATOR")]
)
def test_a_site_that_shows_no_card_is_told_why_there_is_none(
    knowledge: Knowledge, setting: dict[str, Any], says: str
) -> None:
    page = Page(create_app(Config(**setting), knowledge).test_client().get("/").get_data(as_text=True))
    assert "No card." in page.text
    assert says in page.text
    assert "twitching for more than 14 days" in page.text, "the reasons stay"


@pytest.mark.parametrize("chosen", [0, 1, 2.5, 1e132, "on", "true", None])
def test_whether_a_day_was_chosen_is_true_or_false(client: FlaskClient, chosen: Any) -> None:
    posted = {"text": json.dumps({"resourceType": "Bundle"}), "chosen": chosen}
    response = client.post("/workbench/answer", json=posted)
    assert response.status_code == 400
    assert response.get_json()["issue"][0]["expression"] == ["chosen"]
