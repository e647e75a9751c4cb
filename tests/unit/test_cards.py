"""What every card promises, over many records: short, complete, never a word that may not stand there."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.servicerequest import ServiceRequest

from fhir_mappings.record import Days, Order, Record
from service.cards import Call, cards_of
from service.decision import decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, record_of_example, result

KNOWLEDGE = load_knowledge()
CALL = Call("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "https://cds.example", "Patient/p", "e1")

ABSENT = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}
RECORDS: list[Record] = [
    record_of_example(example.given) for row in KNOWLEDGE.table.rows for example in row.examples
]


def card(record: Record, call: Call = CALL) -> dict[str, Any]:
    (only,) = cards_of(decide(record, KNOWLEDGE.table), KNOWLEDGE, call)
    return only


def merged(a: Record, b: Record) -> Record:
    return replace(
        a,
        findings={**b.findings, **a.findings},
        drugs=a.drugs + b.drugs,
        results=a.results + b.results,
        twitch=a.twitch if a.twitch.sites else b.twitch,
    )


def test_the_summary_always_fits() -> None:
    pairs = list(combinations(RECORDS, 2))
    # Every row in many pairs, and the same pairs each time; all of them take more than a minute.
    for a, b in random.Random(7).sample(pairs, 400):
        summary = card(merged(a, b))["summary"]
        assert 0 < len(summary) < 140


def test_everything_at_once_fits() -> None:
    record = RECORDS[0]
    for other in RECORDS:
        record = merged(record, other)
    assert len(card(record)["summary"]) < 140


@pytest.mark.parametrize("record", RECORDS)
def test_no_member_is_null_or_empty(record: Record) -> None:
    def check(value: Any) -> None:
        assert value is not None
        assert value not in ("", [], {})
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(inner)

    check(card(record))


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
    order = card(record_of_example({"weakness": "examined"}))["suggestions"][0]["actions"][0]["resource"]
    assert (order["status"], order["intent"]) == ("draft", "proposal")
    assert order["reasonReference"] == [{"reference": "Condition/twitch"}]


def test_an_urgent_order_says_so() -> None:
    record = replace(record_of_example({}), results=(result("potassium", "critical"),))
    order = card(record)["suggestions"][0]["actions"][0]["resource"]
    assert order["priority"] == "urgent"


def test_the_answer_to_a_question_is_a_preliminary_observation() -> None:
    suggestions = {s["label"]: s for s in card(record_of_example({}))["suggestions"]}
    present, absent = suggestions["Weakness: present"], suggestions["Weakness: absent"]
    for suggestion, value in ((present, True), (absent, False)):
        resource = suggestion["actions"][0]["resource"]
        assert resource["status"] == "preliminary"
        assert resource["category"][0]["coding"][0]["code"] == "exam"
        assert resource["valueBoolean"] is value
        assert resource["effectiveDateTime"] == "2026-11-24"


def test_same_call_same_card_and_other_call_other_uuid() -> None:
    record = record_of_example({"weakness": "examined"})
    assert card(record) == card(record)
    assert card(record)["uuid"] != card(record, replace(CALL, hook_instance="other"))["uuid"]


def test_uuids_within_a_card_are_unique() -> None:
    one = card(record_of_example({}))
    uuids = [one["uuid"], *(s["uuid"] for s in one["suggestions"])]
    assert len(set(uuids)) == len(uuids)


@pytest.mark.parametrize("record", RECORDS)
def test_words_that_never_stand_there(record: Record) -> None:
    decision = decide(record, KNOWLEDGE.table)
    text = (card(record)["summary"] + card(record)["detail"]).lower()
    assert "stop" not in text.split()
    assert "low potassium" not in text or decision.fired("electrolyte-abnormal")
    if not decision.signs_known_absent:
        assert "benign" not in text
    if not any(decision.fired(row) for row in ("weakness-and-atrophy", "bulbar")) and not decision.suspected:
        assert "motor neuron" not in text
        assert "als" not in text.split()


@pytest.mark.parametrize("record", RECORDS)
def test_every_card_below_critical_has_the_safety_net(record: Record) -> None:
    one = card(record)
    assert ("Safety net" in one["detail"]) is (one["indicator"] != "critical")


def test_at_most_three_questions_are_clickable_and_all_are_named() -> None:
    decision = decide(record_of_example({}), KNOWLEDGE.table)
    one = card(record_of_example({}))
    clickable = {s["label"].rsplit(":", 1)[0] for s in one["suggestions"] if s["label"].endswith("present")}
    assert 0 < len(clickable) <= 3
    for question in decision.questions:
        if not question.in_words:
            label = KNOWLEDGE.terminology.findings[question.id].label
            text = KNOWLEDGE.terminology.findings[question.id].question or label
            assert label.lower() in one["detail"].lower() or text in one["detail"]


def test_an_unknown_age_is_said() -> None:
    record = record_of_example({})
    unknown = replace(record, patient=replace(record.patient, born=Days()))
    assert "adult" in card(unknown)["detail"]
    assert "adult" not in card(record)["detail"]


def test_what_was_not_seen_comes_first() -> None:
    record = replace(record_of_example({}), not_seen=("labs",))
    assert card(record)["detail"].startswith("Not seen, so not counted: laboratory results.")


def test_hostile_text_is_escaped() -> None:
    hostile = "<img src=x onerror=alert(1)>|**x**"
    record = replace(record_of_example({}), drugs=(replace(drug("thiazide-diuretic"), name=hostile),))
    assert "<img" not in card(record)["detail"]
    assert "\\*\\*x" in card(record)["detail"]


def test_a_pending_order_is_named_with_its_date() -> None:
    order = Order(frozenset({"emg"}), days_ago(6), reference="ServiceRequest/1")
    record = replace(record_of_example({"weakness": "examined"}), orders=(order,))
    assert "EMG: pending since 2026-11-18" in card(record)["detail"]


def test_a_closed_gate_gives_no_card() -> None:
    record = record_of_example({"motor-neuron-disease": "examined"})
    assert cards_of(decide(record, KNOWLEDGE.table), KNOWLEDGE, CALL) == []


def test_a_twitching_tongue_is_not_shown_as_reassuring() -> None:
    row = next(
        r for r in card(record_of_example({"sites": ["tongue"]}))["detail"].splitlines() if "Site" in r
    )
    assert "**several regions, or the tongue**" in row
    assert "**one region" not in row


def test_recorded_today_is_not_begun_today() -> None:
    record = record_of_example({})
    today = replace(record, twitch=replace(record.twitch, onset=Days(None, record.as_of)))
    assert " 0 days" not in card(today)["detail"]
    assert "how long it has lasted is unknown" in card(today)["detail"]


def test_multiple_sclerosis_alone_goes_to_the_team_that_treats_it() -> None:
    ours = "Refer to the neurology team that treats the multiple sclerosis"
    assert f"**{ours}**" in card(record_of_example({"multiple-sclerosis": "examined"}))["detail"]
    both = {"multiple-sclerosis": "examined", "weakness": "examined", "atrophy": "examined"}
    assert ours not in card(record_of_example(both))["detail"]
    urgent = {"multiple-sclerosis": "examined", "bulbar": "examined"}
    assert ours not in card(record_of_example(urgent))["detail"]
