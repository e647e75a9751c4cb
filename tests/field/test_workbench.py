"""What is pasted into the workbench: as of which day, on which line the fault is, and as NDJSON."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.evaluation import today
from tests.command_line.running import as_lines, bundle_of, run
from tests.contract.pages import Page
from tests.contract.requests import hook_call
from tests.contract.test_bad_input import issues

SUBJECT = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1980-03-01"}
TWITCH = {
    "resourceType": "Condition",
    "id": "twitch",
    "subject": SUBJECT,
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "82470000"}]},
}


def shown(client: FlaskClient, text: str, **more: Any) -> dict[str, Any]:
    reply = client.post("/workbench/answer", json={"text": text, **more})
    assert reply.status_code == 200, reply.get_data(as_text=True)
    answer: dict[str, Any] = reply.get_json()
    return answer


def refusal(client: FlaskClient, text: str) -> list[str]:
    reply = client.post("/workbench/answer", json={"text": text})
    return [issue["diagnostics"] for issue in issues(reply, 422)]


def page_of(answer: dict[str, Any]) -> Page:
    page = Page(f"<body>{answer['html']}</body>")
    assert page.problems == []
    return page


def indented(*resources: Any) -> str:
    return json.dumps(json.loads(bundle_of(*resources)), indent=1)


def line_with(text: str, words: str) -> str:
    (number,) = [number for number, line in enumerate(text.splitlines(), 1) if words in line]
    return f"line {number}"


@pytest.mark.parametrize("days", [0, -1, -400, 2, 30, 4000])
def test_a_record_is_decided_as_of_today_and_later_entries_are_not_used(
    client: FlaskClient, days: int
) -> None:
    day = str(today() + timedelta(days))
    answer = shown(client, indented(PATIENT, {**TWITCH, "recordedDate": day, "onsetDateTime": day}))
    assert answer["asOf"] == str(today())
    text = page_of(answer).text
    assert ("Not used" in text) == (days > 1)
    assert answer["level"] == "none" if days > 1 else "Examine first" in text


def test_a_day_that_was_set_is_kept(client: FlaskClient) -> None:
    answer = shown(client, indented(PATIENT, TWITCH), asOf="2026-06-15", chosen=True)
    assert answer["asOf"] == "2026-06-15"


@pytest.mark.parametrize(
    ("text", "line"),
    {
        "a-comma-too-many": ('{"resourceType": "Bundle",\n "entry": [],\n}', "line 3, column 1"),
        "a-quote-that-is-open": ('{\n"resourceType": "Bundle\n}', "line 2, column 24"),
        "a-word": ('{"resourceType": "Bundle",\n\n "entry": [None]}', "line 3, column 12"),
        "an-end-too-early": ('{"resourceType": "Bundle",\n "entry": [', "line 2, column 12"),
        "an-empty-field": ("", "line 1, column 1"),
        "a-line-of-ndjson": ('{"resourceType": "Patient", "id": "p"}\n{"id": }', "line 2"),
        "a-type-of-ndjson": ('{"resourceType": "Patient", "id": "p"}\n\n{"id": "x"}', "line 3"),
        "a-bundle-in-ndjson": (
            '{"resourceType": "Patient", "id": "p"}\n{"resourceType": "Bundle"}',
            "line 2",
        ),
        "a-text-in-ndjson": ('{"resourceType": "Patient", "id": "p"}\n"Patient"', "line 2"),
    }.values(),
)
def test_the_bad_line_is_named(client: FlaskClient, text: str, line: str) -> None:
    assert line in " ".join(refusal(client, text))


def test_a_fault_of_a_hook_request_leads_to_its_line(client: FlaskClient) -> None:
    call = json.dumps({**hook_call(), "hookInstance": 7}, indent=1)
    assert any(f"({line_with(call, 'hookInstance')})" in said for said in refusal(client, call))


@pytest.mark.parametrize(
    ("odd", "words"),
    {
        "an-onset": ({**TWITCH, "id": "odd", "onsetDateTime": "some day"}, "some day"),
        "a-resource-without-type": ({"id": "no-type"}, "no-type"),
        "a-number-as-resource": (12345, "12345"),
        "another-patient": ({**TWITCH, "id": "o", "subject": {"reference": "Patient/q"}}, "Patient/q"),
    }.values(),
    ids=["onset", "no-type", "number", "another-patient"],
)
def test_an_entry_that_could_not_be_read_leads_to_its_line(client: FlaskClient, odd: Any, words: str) -> None:
    text = indented(PATIENT, TWITCH, odd)
    buttons = [
        element.attributes["data-line"]
        for element in page_of(shown(client, text)).root.all("button")
        if "data-line" in element.attributes
    ]
    assert buttons
    first = text[: text.index(words)].rindex('"resource"')
    within = range(text.count("\n", 0, first) + 1, text.count("\n", 0, text.index(words)) + 2)
    assert all(int(button) in within for button in buttons)


NDJSON = {
    "plain": as_lines(PATIENT, TWITCH).decode(),
    "blank-lines": "\n" + as_lines(PATIENT).decode() + "\n\n" + as_lines(TWITCH).decode() + "\n",
    "carriage-returns": as_lines(PATIENT, TWITCH).decode().replace("\n", "\r\n"),
    "no-last-newline": as_lines(PATIENT, TWITCH).decode().rstrip(),
    "an-organization": as_lines(PATIENT, TWITCH, {"resourceType": "Organization", "id": "o"}).decode(),
    "patient-last": as_lines(TWITCH, PATIENT).decode(),
}


@pytest.mark.parametrize("name", NDJSON)
def test_ndjson_is_one_patient_in_the_page_and_on_the_command_line(client: FlaskClient, name: str) -> None:
    answer = shown(client, NDJSON[name], asOf="2026-06-15", chosen=True)
    bundle = json.loads(answer["text"])
    assert bundle["resourceType"] == "Bundle"
    ran = run("evaluate", "--as-of=2026-06-15", "--format=json", "-", stdin=NDJSON[name].encode())
    (evaluated,) = ran.lines
    assert evaluated["assessment"]["level"] == answer["level"]
    assert [card["summary"] for card in evaluated["cards"]]
    assert all(card["summary"] in page_of(answer).text for card in evaluated["cards"])


def test_ndjson_of_several_patients_is_refused(client: FlaskClient) -> None:
    lines = as_lines(PATIENT, {**PATIENT, "id": "q"}, TWITCH).decode()
    assert "several Patients" in " ".join(refusal(client, lines))


def test_a_resource_of_no_patient_is_named_on_the_command_line() -> None:
    lines = as_lines(PATIENT, TWITCH, {**TWITCH, "id": "lost", "subject": None})
    ran = run("evaluate", "--as-of=2026-06-15", "-", stdin=lines)
    assert "1 resources name no patient" in ran.err
    assert ran.code == 1


@pytest.mark.parametrize(
    ("patient", "says"),
    {
        "both": (PATIENT, "Age 46 years, female."),
        "no-sex": ({**PATIENT, "gender": None}, "Age 46 years, sex not recorded."),
        "no-age": ({"resourceType": "Patient", "id": "p", "gender": "male"}, "Age not recorded, male."),
        "nothing": ({"resourceType": "Patient", "id": "p"}, "Age not recorded, sex not recorded."),
        "deceased": ({**PATIENT, "deceasedBoolean": True}, "Age 46 years, female, deceased."),
        "an-infant": ({**PATIENT, "birthDate": "2026-06-01"}, "Age 14 days, female."),
    }.values(),
    ids=["both", "no-sex", "no-age", "nothing", "deceased", "infant"],
)
def test_age_and_sex_are_shown(client: FlaskClient, patient: dict[str, Any], says: str) -> None:
    known = {name: value for name, value in patient.items() if value is not None}
    answer = shown(client, indented(known, TWITCH), asOf=str(date(2026, 6, 15)), chosen=True)
    assert f"Patient: {says}" in page_of(answer).text


UNKNOWN = {
    "a-local-code": ({"coding": [{"system": "urn:oid:1.2.3", "code": "X1", "display": "Skin rash"}]}, "X1"),
    "a-code-without-system": ({"coding": [{"code": "X1"}]}, "X1"),
    "words-alone": ({"text": "Skin rash"}, "Skin rash"),
    "hostile-words": ({"text": "<b>Skin rash</b>"}, "<b>Skin rash</b>"),
}


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("count", [1, 3])
def test_what_no_value_set_knows_is_listed_with_its_count(client: FlaskClient, name: str, count: int) -> None:
    code, words = UNKNOWN[name]
    others = [{**TWITCH, "id": f"c{number}", "code": code} for number in range(count)]
    page = page_of(shown(client, indented(PATIENT, TWITCH, *others)))
    (section,) = [s for s in page.root.all("section") if s.attributes["aria-labelledby"] == "read-title"]
    assert "Not recognised" in section.text
    assert "was understood" not in section.text
    (row,) = [row for row in section.all("tr") if words in row.text]
    assert row.children[0].text == str(count)


def test_everything_is_understood_where_every_code_is_known(client: FlaskClient) -> None:
    text = page_of(shown(client, indented(PATIENT, TWITCH))).text
    assert "Everything that was sent was understood." in text
    assert "Not recognised" not in text
