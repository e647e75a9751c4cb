"""What becomes of a suggestion that was accepted: the record holds it, and the next call decides with it."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.requests import DAY, EXAMPLES, example

Content = dict[str, Any]
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/bundle.json"))


def evaluated(client: FlaskClient, name: str, *more: Content) -> Content:
    bundle = example(f"{name}/bundle.json")
    bundle["entry"] += [
        {"resource": {"id": f"accepted-{number}", **resource}} for number, resource in enumerate(more)
    ]
    response = client.post(f"/evaluate?asOf={DAY}", json=bundle)
    assert response.status_code == 200
    content: Content = response.get_json()
    return content


def resources(suggestion: Content) -> list[Content]:
    return [action["resource"] for action in suggestion["actions"]]


def answers(content: Content) -> list[Content]:
    """The suggestions that answer a question."""
    return [
        suggestion
        for card in content["cards"]
        for suggestion in card.get("suggestions", ())
        if resources(suggestion)[0]["resourceType"] == "Observation"
    ]


def changed(before: Content, after: Content) -> dict[str, Content]:
    """The findings that are another status now."""
    old = {one["id"]: one["status"] for one in before["assessment"]["findings"]}
    return {
        one["id"]: one
        for one in after["assessment"]["findings"]
        if one["status"] != old.get(one["id"], "unknown")
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_has_the_effect_that_was_said(client: FlaskClient, name: str) -> None:
    before = evaluated(client, name)
    said = {question["finding"]: question for question in before["assessment"]["questions"]}
    for suggestion in answers(before):
        after = evaluated(client, name, *resources(suggestion))
        findings = changed(before, after)
        assert len(findings) == len(resources(suggestion)), suggestion["label"]
        for finding, found in findings.items():
            category = resources(suggestion)[0]["category"][0]["coding"][0]["code"]
            assert found["basis"] == {"exam": "examined", "survey": "reported"}[category]
            assert finding not in {question["finding"] for question in after["assessment"]["questions"]}
        if len(findings) == 1:
            ((finding, found),) = findings.items()
            promised = said[finding]["ifPresent" if found["status"] == "present" else "ifAbsent"]
            decided = after["assessment"]
            assert decided["level"] == promised["level"], suggestion["label"]
            assert {one["id"] for one in decided["recommendations"]} == set(promised["recommendations"])


def test_both_kinds_of_answers_were_tried(client: FlaskClient) -> None:
    labels = {one["label"] for name in NAMES for one in answers(evaluated(client, name))}
    assert "Examined: normal" in labels
    assert len([label for label in labels if label.endswith(": present")]) >= 5
    assert len([label for label in labels if label.endswith(": absent")]) >= 3


def test_an_examination_without_findings_answers_the_whole_question(client: FlaskClient) -> None:
    before = evaluated(client, "unexamined-forearm")
    (normal,) = [one for one in answers(before) if one["label"] == "Examined: normal"]
    after = evaluated(client, "unexamined-forearm", *resources(normal))
    assert set(changed(before, after)) == {"weakness", "atrophy", "sensory-loss"}
    assert before["assessment"]["range"][1] == "critical"
    assert "Examined: normal" not in {one["label"] for one in answers(after)}
    assert "ask-examination" not in {one["id"] for one in after["assessment"]["recommendations"]}


def order_of(content: Content, label: str) -> Content:
    """The order that a suggestion of that label makes, as a site files it."""
    (suggestion,) = [one for card in content["cards"] for one in card["suggestions"] if one["label"] == label]
    (order,) = resources(suggestion)
    return {**order, "intent": "order", "status": "active"}


@pytest.mark.parametrize(("priority", "enough"), [("routine", False), ("urgent", True), ("stat", True)])
def test_an_order_counts_if_its_priority_is_high_enough(
    client: FlaskClient, priority: str, *, enough: bool
) -> None:
    before = evaluated(client, "wasting-hand")
    order = {**order_of(before, "Refer to neurology, urgent"), "priority": priority}
    after = evaluated(client, "wasting-hand", order)
    advised = {one["id"]: one for one in after["assessment"]["recommendations"]}
    withheld = {one["id"]: one["why"] for one in after["assessment"]["withheld"]}
    detail = after["cards"][0]["detail"]
    if enough:
        assert "neurology-referral" not in advised
        assert withheld["neurology-referral"] == "ordered"
    else:
        assert advised["neurology-referral"]["urgency"] == "urgent"
        assert advised["neurology-referral"]["ordered"] == {
            "date": DAY,
            "priority": priority,
            "reference": "ServiceRequest/accepted-0",
        }
        assert "make it urgent" in detail.split("\n")[0]
    assert ("ordered as routine" in detail) is not enough


@pytest.mark.parametrize("priority", ["urgent", "asap"])
def test_what_is_due_now_is_not_covered_by_an_urgent_order(client: FlaskClient, priority: str) -> None:
    before = evaluated(client, "weak-legs-five-days")
    order = {**order_of(before, "Refer to neurology, today"), "priority": priority}
    after = evaluated(client, "weak-legs-five-days", order)
    advised = {one["id"]: one for one in after["assessment"]["recommendations"]}
    assert ("neurology-referral" in advised) is (priority == "urgent")


def test_a_sign_on_the_problem_list_is_listed(client: FlaskClient) -> None:
    """A Condition does not say that anybody looked today."""
    (present, *_) = [one for one in answers(evaluated(client, "one-code-only")) if "Weakness" in one["label"]]
    (answer,) = resources(present)
    listed = {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "recordedDate": DAY,
        "subject": answer["subject"],
        "code": answer["code"],
    }
    content = evaluated(client, "one-code-only", listed)
    found = {one["id"]: one for one in content["assessment"]["findings"]}
    assert (found["weakness"]["status"], found["weakness"]["basis"]) == ("present", "listed")
    because = content["cards"][0]["detail"].partition("**Because:**")[2].partition("\n")[0]
    assert "weakness" in because
    assert "problem list" in because
    assert "examined 20" not in because
