"""A twitch that is recorded in words alone: never a silent "no card", never a rejected call."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.requests import example

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
HOOKS = ("patient-view", "order-sign", "encounter-discharge", "problem-list-item-create")
EVERY_HOOK = pytest.mark.parametrize("hook", HOOKS)
NOT_UNDERSTOOD = pytest.mark.parametrize(
    "members",
    [
        {"clinicalStatus": {"coding": [{"system": "http://example.org", "code": "perhaps"}]}},
        {"verificationStatus": {"coding": [{"system": VERIFICATION, "code": "perhaps"}]}},
    ],
    ids=["status", "verification"],
)


def worded(hook: str, **members: Any) -> dict[str, Any]:
    """A call whose twitch is recorded by words, here and in the context of the hook."""
    call = example(f"thigh-day-fifteen/{hook}.json")
    subject = {"reference": f"Patient/{call['context']['patientId']}"}
    active = {"coding": [{"system": CLINICAL, "code": "active"}]}
    twitch = {
        "resourceType": "Condition",
        "id": "words",
        "subject": subject,
        "code": {"text": "Muscle twitching"},
        "clinicalStatus": active,
        **members,
    }
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": twitch}]}
    call["prefetch"] = {**call["prefetch"], "conditions": bundle}
    if "conditions" in call["context"]:
        call["context"] = {**call["context"], "conditions": {**bundle, "type": "collection"}}
    return call


def answered(client: FlaskClient, call: dict[str, Any], status: int = 200) -> dict[str, Any]:
    response = client.post(f"/cds-services/fasciculation-{call['hook']}", json=call)
    assert response.status_code == status, response.get_data(as_text=True)
    content: dict[str, Any] = response.get_json(force=True)
    return content


def assessment(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["extension"]["org.fasciculation-cds"]["assessment"]
    return found


def test_words_open_the_gate_as_reported(client: FlaskClient) -> None:
    content = answered(client, worded("patient-view"))
    (card,) = content["cards"]
    assert card["detail"].startswith("The twitch is recorded in words only: check the entry.")
    decided = assessment(content)
    assert decided["gate"]["open"] is True
    (twitch,) = [finding for finding in decided["findings"] if finding["id"] == "fasciculation"]
    assert (twitch["status"], twitch["basis"]) == ("present", "reported")
    assert [note["reference"] for note in decided["notUnderstood"]] == ["Condition/words"]


def test_a_coded_twitch_has_no_basis(client: FlaskClient) -> None:
    """It is not a sign that somebody examined or reported: the gate asks whether it is recorded."""
    content = answered(client, example("thigh-day-fifteen/patient-view.json"))
    (twitch,) = [finding for finding in assessment(content)["findings"] if finding["id"] == "fasciculation"]
    assert "basis" not in twitch
    assert "recorded in words" not in content["cards"][0]["detail"]


@NOT_UNDERSTOOD
@EVERY_HOOK
def test_words_that_cannot_be_judged_have_a_card_and_no_advice(
    client: FlaskClient, hook: str, members: dict[str, Any]
) -> None:
    content = answered(client, worded(hook, **members))
    (card,) = content["cards"]
    assert card["indicator"] == "info"
    assert card["summary"].startswith("A twitch may be recorded in words: Condition/words")
    assert "suggestions" not in card
    assert "Muscle twitching" not in card["detail"]
    decided = assessment(content)
    assert (decided["gate"]["open"], decided["level"]) == (False, "none")
    assert "Condition/words" in {note["reference"] for note in decided["notUnderstood"]}


@NOT_UNDERSTOOD
@pytest.mark.parametrize("key", ["findings", "conditions"])
def test_where_a_list_is_missing_too_the_call_is_rejected(
    client: FlaskClient, key: str, members: dict[str, Any]
) -> None:
    """The missing list may hold a twitch that can be read."""
    call = worded("patient-view", **members)
    if key == "conditions":
        words = {
            "resourceType": "Observation",
            "id": "words",
            "status": "final",
            "subject": call["prefetch"]["conditions"]["entry"][0]["resource"]["subject"],
            "code": {"text": "Muscle twitching"},
            "valueString": "see the letter",
        }
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": words}]}
        call["prefetch"]["findings"] = bundle
    del call["prefetch"][key]
    places = [issue["expression"][0] for issue in answered(client, call, 412)["issue"]]
    assert places[0] == f"prefetch.{key}"
    assert len(places) > 1


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_words_that_deny_it_open_nothing(client: FlaskClient, status: str) -> None:
    denied = {"verificationStatus": {"coding": [{"system": VERIFICATION, "code": status}]}}
    content = answered(client, worded("patient-view", **denied))
    assert content["cards"] == []
    assert assessment(content)["gate"]["open"] is False


def test_an_unreadable_entry_without_words_is_rejected(client: FlaskClient) -> None:
    """Nothing says which entry it is: a card could name no twitch."""
    call = worded("patient-view", code=7)
    (issue, *_) = answered(client, call, 412)["issue"]
    assert "could not be read" in issue["diagnostics"]
