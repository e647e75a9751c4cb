"""What every card promises, over many records: short, complete, never a word that may not stand there."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.servicerequest import ServiceRequest

from fhir_mappings.record import Days, Order, Record, Version
from service.cards import Call, cards_of
from service.decision import Decision, decide
from service.decision.table import RowRole
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, record_of_example, result

KNOWLEDGE = load_knowledge()
CALL = Call("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "https://cds.example", "Patient/p", "e1")

ABSENT = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}
# Only those whose gate is open.
RECORDS: list[Record] = [
    record
    for row in KNOWLEDGE.table.rows
    for example in row.examples
    if decide(record := record_of_example(example.given), KNOWLEDGE.table).open
]
GRAVE = {"weakness": "examined", "atrophy": "examined", "onset_days_ago": 100, "sites": ["hand"]}


def decided(record: Record) -> Decision:
    return decide(record, KNOWLEDGE.table)


def card(record: Record, call: Call = CALL) -> dict[str, Any]:
    (only,) = cards_of(decided(record), KNOWLEDGE, call)
    return only


def order_of(record: Record, label: str, call: Call = CALL) -> dict[str, Any]:
    """The first resource of the suggestion with that label."""
    (found,) = [s for s in card(record, call)["suggestions"] if s["label"] == label]
    resource: dict[str, Any] = found["actions"][0]["resource"]
    return resource


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
    for a, b in random.Random(7).sample(pairs, 200):
        for made in cards_of(decided(merged(a, b)), KNOWLEDGE, CALL):
            assert 0 < len(made["summary"]) < 140


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


def test_same_call_same_card_and_other_call_other_uuid() -> None:
    record = record_of_example({"weakness": "examined"})
    assert card(record) == card(record)
    assert card(record)["uuid"] != card(record, replace(CALL, hook_instance="other"))["uuid"]


@pytest.mark.parametrize("record", RECORDS)
def test_uuids_within_a_card_are_unique(record: Record) -> None:
    one = card(record)
    uuids = [one["uuid"], *(s["uuid"] for s in one.get("suggestions", ()))]
    assert len(set(uuids)) == len(uuids)


@pytest.mark.parametrize("record", RECORDS)
def test_words_that_are_never_said(record: Record) -> None:
    decision = decided(record)
    text = (card(record)["summary"] + card(record)["detail"]).lower()
    words = set(text.replace(".", " ").replace(",", " ").split())
    assert not words & {"stop", "rest", "als", "stretch"}
    assert "no cause" not in text
    assert "motor neuron " not in text
    if not decision.has(RowRole.BENIGN):
        assert "benign" not in text
    if not decision.has(RowRole.EXCLUDE_DISEASE) and not decision.suspected:
        assert "motor neurone disease" not in text


def test_one_link_and_a_second_only_where_there_is_a_form() -> None:
    record = record_of_example(GRAVE)
    rows = ",".join(row.id for row in decided(record).rows)
    link = {
        "label": "Why this card",
        "url": f"https://cds.example/knowledge?rows={rows}",
        "type": "absolute",
    }
    assert card(record)["links"] == [link]
    form = {"label": "Open the twitching form", "url": "https://forms.example/launch", "type": "smart"}
    assert card(record, replace(CALL, smart_url=form["url"]))["links"] == [link, form]


def test_no_icon_and_few_override_reasons() -> None:
    one = card(record_of_example({}))
    assert "icon" not in one["source"]
    assert 0 < len(one["overrideReasons"]) <= 5


def test_of_a_child_the_age_comes_first() -> None:
    record = record_of_example({"weakness": "examined", "age_years": 7})
    one = card(record)
    assert one["summary"].startswith("Age 7 years. Refer to the paediatric team today: weakness")
    assert "Tests: for the paediatric team." in one["detail"]
    assert not [s for s in one["suggestions"] if "EMG" in s["label"]]


def test_an_unknown_age_is_said() -> None:
    record = record_of_example({})
    unknown = replace(record, patient=replace(record.patient, born=Days()))
    assert "Age not recorded: read as an adult." in card(unknown)["detail"]
    assert "adult" not in card(record)["detail"]


def test_what_was_not_seen_is_named_last() -> None:
    record = replace(record_of_example({}), not_seen=("labs",))
    assert card(record)["detail"].endswith("**Not seen:** laboratory results.")


def test_hostile_text_is_escaped() -> None:
    hostile = "<img src=x onerror=alert(1)>|**x**"
    record = replace(record_of_example({}), drugs=(replace(drug("thiazide-diuretic"), name=hostile),))
    assert "<img" not in card(record)["detail"]
    assert "**x" not in card(record)["detail"]
    alone = replace(
        record_of_example({**ABSENT, "onset_days_ago": 3}), drugs=(replace(drug("ssri"), name=hostile),)
    )
    assert not set("<>|*`[]") & set(card(alone)["summary"])


def test_a_pending_order_is_named_with_its_date() -> None:
    order = Order(frozenset({"emg"}), days_ago(6), reference="ServiceRequest/1")
    record = replace(record_of_example({"weakness": "examined"}), orders=(order,))
    assert "EMG ordered 2026-11-18" in card(record)["detail"]


def test_an_order_of_too_low_a_priority_is_to_be_raised() -> None:
    order = Order(frozenset({"neurology-referral"}), days_ago(6), "routine", reference="ServiceRequest/1")
    detail = card(replace(record_of_example(GRAVE), orders=(order,)))["detail"]
    assert "within two weeks; ordered as routine on 2026-11-18: make it urgent.**" in detail


def test_a_closed_gate_gives_no_card() -> None:
    record = record_of_example({"motor-neuron-disease": "examined"})
    assert cards_of(decided(record), KNOWLEDGE, CALL) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            GRAVE | {"courses": ["worsening"]},
            "Refer urgently to neurology: weakness, wasting, worsening, hand twitch 3 months.",
        ),
        ({"onset_days_ago": 20, "sites": ["calf"]}, "Examine first: calf twitch 20 days, not examined yet."),
        ({}, "Examine first: twitch, onset unknown, not examined."),
        (
            ABSENT | {"onset_days_ago": 10, "sites": ["calf"]},
            "No tests needed: calf twitch 10 days, examination normal.",
        ),
        (
            ABSENT | {"onset_days_ago": 12, "sites": ["hand"], "drugs": {"ssri": "yes"}},
            "Could ssri play a part? Hand twitch 12 days, examination normal.",
        ),
    ],
)
def test_the_summary(given: dict[str, Any], says: str) -> None:
    assert card(record_of_example(given))["summary"] == says


def test_the_summary_where_tests_are_done_or_pending() -> None:
    given = ABSENT | {"onset_days_ago": 30, "sites": ["forearm"]}
    analytes = ("sodium", "potassium", "calcium", "magnesium", "tsh")
    done = replace(record_of_example(given), results=tuple(result(a, "in-range", 12) for a in analytes))
    says = "Tests done, normal (12 Nov): forearm twitch 30 days, examination normal."
    assert card(done)["summary"] == says
    order = Order(frozenset(analytes), days_ago(8), reference="ServiceRequest/1")
    says = "Tests pending since 16 Nov: forearm twitch 30 days, examination normal."
    assert card(replace(record_of_example(given), orders=(order,)))["summary"] == says


def test_an_abnormal_result_comes_with_what_to_do_and_the_medicine() -> None:
    record = record_of_example(ABSENT | {"onset_days_ago": 15, "sites": ["thigh"]})
    taken = replace(drug("loop-diuretic"), name="furosemide", start=Days(days_ago(40), days_ago(40)))
    record = replace(record, results=(result("potassium", "low", 3, text="3.1"),), drugs=(taken,))
    one = card(record)
    assert one["summary"] == (
        "Potassium 3.1 (21 Nov) on furosemide: treat it, check magnesium; thigh twitch 15 days, examination"
        " normal."
    )
    assert one["detail"].startswith(
        "1. Potassium 3.1 mmol/L (2026-11-21), low: treat it, check magnesium.\n2. Blood tests:"
    )


@pytest.mark.parametrize(
    ("analyte", "said", "days", "says"),
    [
        ("calcium", "high", 0, "high: check PTH, phosphate and vitamin D"),
        ("calcium", "low", 0, "low: check PTH, phosphate and vitamin D"),
        ("magnesium", "low", 0, "low: treat it; a PPI, a diuretic or alcohol can be the cause"),
        ("potassium", "critical", 7, "critical: treat it, ECG now, check magnesium"),
        ("potassium", "critical", 8, "critical: repeat today first, then treat it, ECG now, check magnesium"),
        ("tsh", "low", 0, "low: overactive thyroid? check free T4"),
    ],
)
def test_what_to_do_about_a_result(analyte: str, said: str, days: int, says: str) -> None:
    record = replace(record_of_example(ABSENT), results=(result(analyte, said, days),))
    assert says in card(record)["detail"]


def test_a_low_tsh_with_a_high_t4_is_thyrotoxic() -> None:
    results = (result("tsh", "low"), result("free-t4", "high"))
    assert "low: thyrotoxic" in card(replace(record_of_example(ABSENT), results=results))["detail"]


def test_a_twitching_tongue_is_not_shown_as_reassuring() -> None:
    detail = card(record_of_example({"sites": ["tongue"]}))["detail"]
    row = next(r for r in detail.splitlines() if r.startswith("| Site"))
    assert "**several regions, or the tongue**" in row
    assert "**one region" not in row


def test_only_what_calls_for_evaluation_is_bold() -> None:
    detail = card(record_of_example(ABSENT | {"onset_days_ago": 3, "sites": ["hand"]}))["detail"]
    assert "**" not in "".join(line for line in detail.splitlines() if line.startswith("|"))


def test_recorded_today_is_not_begun_today() -> None:
    record = record_of_example({})
    today = replace(record, twitch=replace(record.twitch, onset=Days(None, record.as_of)))
    assert " 0 days" not in card(today)["detail"]
    assert "onset not recorded; on record since 2026-11-24" in card(today)["detail"]
    assert "onset unknown" in card(today)["summary"]


def test_known_multiple_sclerosis_goes_to_the_team_that_treats_it() -> None:
    ours = "Refer to neurology, to the team that treats the known disease"
    ms = {
        "multiple-sclerosis": "listed",
        "sensory-loss": "examined",
        "weakness": "absent",
        "atrophy": "absent",
    }
    assert ours in card(record_of_example(ms))["detail"]
    assert ours not in card(record_of_example(ms | {"weakness": "examined"}))["detail"]


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
