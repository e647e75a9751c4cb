"""What one member of a resource cannot hold loses that member, never the call; ids and dates beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_mappings.record import Record, Status
from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.to_findings import record_of
from tests.spec.records import DAY, KNOWLEDGE, as_of, bundle, condition, observation, read, twitch

Resource = dict[str, Any]
DEEP = b"[" * 600 + b"]" * 600
MARK = "HERE"

# What stands behind an odd onset, in the same resource.
BEHIND = {
    "large-integer": b"1" + b"0" * 5000,
    "large-exponent": b"1e400",
    "no-utf-8": b'"\xff"',
    "half-a-character": rb'"\ud800"',
    "deep": DEEP,
}


def read_bytes(body: bytes) -> Record:
    return record_of(decode_bundle(body), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)


@pytest.mark.parametrize("value", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("member", ["note", "onsetString", "recordedDate", "bodySite"])
def test_an_odd_member_beside_an_odd_one_is_never_a_failure(
    client: FlaskClient, member: str, value: bytes
) -> None:
    made = {**condition("fasciculation"), "onsetDateTime": 5, member: MARK}
    body = bundle(made).replace(f'"{MARK}"'.encode(), value)
    response = client.post("/evaluate", data=body, content_type="application/fhir+json")
    if response.status_code == 400:
        assert "Not valid JSON" in response.get_json(force=True)["issue"][0]["diagnostics"]
        return
    assert response.status_code == 200
    assessment = response.get_json()["assessment"]
    named = {note["expression"] for note in assessment["notUnderstood"]}
    assert named & (
        {"Condition.onsetDateTime"} if assessment["gate"]["open"] else {"Bundle.entry[1].resource"}
    )


@pytest.mark.parametrize("number", ["1e400", "1" + "0" * 5000])
def test_a_number_out_of_range_loses_its_member_alone(number: str) -> None:
    made = condition("fasciculation", onsetDateTime=MARK)
    record = read_bytes(bundle(made).replace(f'"{MARK}"'.encode(), number.encode()))
    assert record.twitch.status is Status.PRESENT
    assert [note.expression for note in record.not_understood] == ["Condition.onsetDateTime"]


@pytest.mark.parametrize("name", [7, 12724066, 0])
def test_an_id_as_a_number_is_that_id(name: int) -> None:
    made = condition("fasciculation", subject={"reference": f"Patient/{name}"}) | {"id": name + 1}
    body = json.loads(bundle(made))
    body["entry"][0]["resource"]["id"] = name
    record = read_bytes(json.dumps(body).encode())
    assert record.patient.id == str(name)
    assert record.twitch.references == (f"Condition/{name + 1}",)
    assert (record.not_used, record.not_understood) == ((), ())


@pytest.mark.parametrize("name", [True, 1.5, ["p"], {"value": "p"}])
def test_another_id_names_nothing_and_is_named(name: Any) -> None:
    record = read({**condition("fasciculation"), "id": name})
    assert record.twitch.status is Status.PRESENT
    assert [note.expression for note in record.not_understood] == ["Condition.id"]


@pytest.mark.parametrize("onset", [as_of(-2), "9999-12-31", "2027"])
def test_an_onset_after_the_decision_is_named(onset: str) -> None:
    record = read(condition("fasciculation", onsetDateTime=onset))
    assert record.twitch.onset.earliest is None
    assert [(note.expression, note.why) for note in record.not_understood] == [
        ("Condition.onset", "begins after the day of the decision")
    ]


@pytest.mark.parametrize("onset", [as_of(0), as_of(-1), "2026", "2026-11"])
def test_an_onset_that_may_be_today_is_read(onset: str) -> None:
    record = read(condition("fasciculation", onsetDateTime=onset))
    assert record.twitch.onset.latest == DAY
    assert record.not_understood == ()


@pytest.mark.parametrize("value", [b'"\xff"', b'"\xe4"'])
def test_bytes_that_are_no_utf_8_are_said_to_be_that(value: bytes) -> None:
    made = observation("weakness", valueBoolean=True, status=MARK)
    record = read_bytes(bundle(twitch(20), made).replace(f'"{MARK}"'.encode(), value))
    assert record.finding("weakness").status is Status.UNKNOWN
    assert "UTF-8" in record.not_understood[-1].why
