"""What every card promises, over many records: short, complete, never a word that may not stand there."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from fhir_mappings.record import Days, Order, Record
from service.cards import cards_of
from service.decision.table import RowRole
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.one_card import ABSENT, CALL, GRAVE, KNOWLEDGE, RECORDS, card, decided


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
    linked = card(record, replace(CALL, smart_url="https://forms.example/launch"))
    assert linked["links"][0] == link
    assert len(linked["links"]) == 2


def test_no_icon_and_few_override_reasons() -> None:
    one = card(record_of_example({}))
    assert "icon" not in one["source"]
    assert 0 < len(one["overrideReasons"]) <= 5


def test_of_a_child_the_age_comes_first() -> None:
    record = record_of_example({"weakness": "examined", "age_years": 7})
    one = card(record)
    assert one["summary"].startswith("Age 7 years. Refer to the paediatric team today: weakness")
    assert "Other tests: for the paediatric team." in one["detail"]
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


@pytest.mark.parametrize(
    ("signs", "named"),
    [
        (("atrophy", "weakness"), "weakness, wasting"),
        (("coordination", "sensory-loss"), "sensory loss, coordination difficulty"),
        (("rigidity", "upper-motor-sign"), "upper motor neurone sign, muscle rigidity"),
    ],
)
def test_signs_of_one_level_are_named_in_the_order_of_the_table(signs: tuple[str, ...], named: str) -> None:
    one = card(record_of_example(dict.fromkeys(signs, "examined")))
    assert f": {named}, " in one["summary"]
    assert f"**Because:** {named} (examined" in one["detail"]


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
        ("potassium", "critical", 7, "critical: same-day treatment, ECG now"),
        ("potassium", "critical", 8, "critical: repeat today first, then same-day treatment, ECG now"),
        ("tsh", "low", 0, "low: overactive thyroid? check free T4"),
    ],
)
def test_what_to_do_about_a_result(analyte: str, said: str, days: int, says: str) -> None:
    record = replace(record_of_example(ABSENT), results=(result(analyte, said, days),))
    assert says in card(record)["detail"]


def test_a_low_tsh_with_a_high_t4_is_thyrotoxic() -> None:
    results = (result("tsh", "low"), result("free-t4", "high"))
    detail = card(replace(record_of_example(ABSENT), results=results))["detail"]
    assert "(2026-11-24): thyrotoxic: treat or refer" in detail


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
