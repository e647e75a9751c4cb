"""The orders and the answers that a card offers: valid FHIR, with their reason, in each version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.servicerequest import ServiceRequest

from fhir_mappings.record import Record, Version
from fhir_mappings.to_fhir.actions import check_template, operation_outcome, order_template
from service.cards import Call, cards_of
from service.knowledge.templates import check_templates
from tests.knowledge.patients import record_of_example, result
from tests.unit.one_card import ABSENT, CALL, GRAVE, KNOWLEDGE, RECORDS, card, decided


def order_of(record: Record, label: str, call: Call = CALL) -> dict[str, Any]:
    """The first resource of the suggestion with that label."""
    (found,) = [s for s in card(record, call)["suggestions"] if s["label"] == label]
    resource: dict[str, Any] = found["actions"][0]["resource"]
    return resource


def test_the_shipped_templates_are_valid_fhir() -> None:
    """The server does not validate them: it would load the models for it at every start."""
    check_templates(KNOWLEDGE.templates)
    with pytest.raises(ValueError, match="ServiceRequest"):
        check_template(order_template([("http://loinc.org", "1 2  3", "")], "Sodium"))
    OperationOutcome.model_validate(operation_outcome([("error", "invalid", "A sample.", "Bundle")]))


@pytest.mark.parametrize("record", RECORDS)
def test_every_resource_in_a_card_is_valid_fhir(record: Record) -> None:
    models = {"ServiceRequest": ServiceRequest, "Observation": Observation}
    for suggestion in card(record).get("suggestions", []):
        for action in suggestion["actions"]:
            resource = action["resource"]
            models[resource["resourceType"]].model_validate(resource)
            assert resource["subject"] == {"reference": "Patient/p"}
            assert resource["encounter"] == {"reference": "Encounter/e1"}


def test_an_order_is_a_draft_proposal_with_its_reason() -> None:
    order = order_of(record_of_example({"weakness": "examined"}), "Order EMG")
    assert (order["status"], order["intent"], order["priority"]) == ("draft", "proposal", "routine")
    assert order["reasonReference"] == [{"reference": "Condition/twitch"}]
    assert order["authoredOn"] == "2026-11-24"
    assert order["category"] == [{"text": "Diagnostic study"}]
    assert "requester" not in order
    assert "reasonCode" not in order


def test_a_referral_says_why() -> None:
    order = order_of(record_of_example(GRAVE), "Refer to neurology, urgent")
    assert order["priority"] == "urgent"
    assert order["category"] == [{"text": "Referral"}]
    (reason,) = order["reasonCode"]
    assert reason["text"] == (
        "hand twitch 3 months; wasting (examined 2026-11-24); weakness (examined 2026-11-24);"
        " motor neurone disease?"
    )
    alone = order_of(record_of_example({"weakness": "examined"}), "Refer to neurology")
    assert alone["reasonCode"] == [{"text": "twitch, onset unknown; weakness (examined 2026-11-24)"}]


def test_an_order_for_today_is_stat() -> None:
    record = replace(record_of_example(ABSENT), results=(result("potassium", "critical"),))
    labels = [s["label"] for s in card(record)["suggestions"]]
    (label,) = [text for text in labels if text.endswith(", today")]
    assert order_of(record, label)["priority"] == "stat"


@pytest.mark.parametrize(
    ("user", "requests"),
    [
        ("Practitioner/1", True),
        ("PractitionerRole/1", True),
        ("Patient/1", False),
        ("RelatedPerson/1", False),
        ("Practitioner/a b", False),
        (None, False),
    ],
)
def test_only_a_practitioner_requests(user: str | None, requests: bool) -> None:
    order = order_of(record_of_example(GRAVE), "Order EMG", replace(CALL, user=user))
    assert order.get("requester") == ({"reference": user} if requests else None)


def test_orders_are_recommended_and_answers_are_not() -> None:
    kinds = set()
    for record in RECORDS:
        for made in cards_of(decided(record), KNOWLEDGE, CALL):
            for suggestion in made.get("suggestions", []):
                kind = suggestion["actions"][0]["resource"]["resourceType"]
                kinds.add(kind)
                assert suggestion.get("isRecommended", False) is (kind == "ServiceRequest")
    assert kinds == {"ServiceRequest", "Observation"}


def test_one_click_says_that_the_examination_is_normal() -> None:
    suggestions = {s["label"]: s for s in card(record_of_example({}))["suggestions"]}
    created = [action["resource"] for action in suggestions["Examined: normal"]["actions"]]
    assert len(created) == 3
    present = [label for label in suggestions if label.endswith(": present")]
    assert present == ["Weakness: present", "Wasting: present", "Sensory loss: present"]
    created.append(suggestions["Weakness: present"]["actions"][0]["resource"])
    for resource, value in zip(created, (False, False, False, True), strict=True):
        assert resource["status"] == "preliminary"
        assert resource["category"][0]["coding"][0]["code"] == "exam"
        assert resource["valueBoolean"] is value
        assert resource["effectiveDateTime"] == "2026-11-24"
    # Only what is not known is asked.
    partly = {s["label"]: s for s in card(record_of_example({"weakness": "absent"}))["suggestions"]}
    assert len(partly["Examined: normal"]["actions"]) == 2
    assert "Weakness: present" not in partly


def test_a_symptom_is_a_survey_and_has_two_answers() -> None:
    record = record_of_example({"weakness": "examined", "bulbar": "absent", "onset_days_ago": 100})
    suggestions = {s["label"]: s for s in card(record)["suggestions"]}
    answers = [label for label in suggestions if label.startswith("Breath")]
    assert {label.rpartition(": ")[2] for label in answers} == {"present", "absent"}
    for label in answers:
        resource = suggestions[label]["actions"][0]["resource"]
        assert resource["category"][0]["coding"][0]["code"] == "survey"


@pytest.mark.parametrize("version", [Version.R5, Version.STU3])
def test_orders_in_other_versions(version: Version) -> None:
    record = replace(record_of_example(GRAVE), version=version)
    order = order_of(record, "Refer to neurology, urgent", replace(CALL, user="Practitioner/1"))
    if version is Version.R5:
        assert order["reason"][0]["concept"]["text"].startswith("hand twitch")
        assert order["requester"] == {"reference": "Practitioner/1"}
    else:
        assert order["resourceType"] == "ProcedureRequest"
        assert order["requester"] == {"agent": {"reference": "Practitioner/1"}}
