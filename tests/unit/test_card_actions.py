"""What a card says of emergencies, of what is made or seen, of medicines by their dates, and of advice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Days, Drug, Order, Record, Study
from service.cards.text import capital, small
from service.decision.table import ActionRole, RowRole
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.one_card import ABSENT, GRAVE, KNOWLEDGE, RECORDS, card, decided

CALF = {"onset_days_ago": 10, "sites": ["calf"]}
NORMAL = ABSENT | CALF
CHEMISTRY = frozenset(KNOWLEDGE.table.electrolytes)


def above(record: Record) -> str:
    return str(card(record)["detail"].partition("\n\n---\n\n")[0])


def below(record: Record) -> str:
    return str(card(record)["detail"].partition("\n\n---\n\n")[2])


def order(tests: str | frozenset[str], days: int, priority: str = "routine") -> Order:
    named = tests if isinstance(tests, frozenset) else frozenset({tests})
    return Order(named, days_ago(days), priority, reference=f"ServiceRequest/{min(named)}")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"current": ["other-lithium"], "coordination": "examined"},
            "possible lithium toxicity, whatever the level",
        ),
        ({"results": {"lithium": "critical"}}, "possible lithium toxicity; lithium 1.0 (24 Nov)"),
        ({"lithium-poisoning": "listed"}, "lithium poisoning recorded"),
        ({"cholinergic-poisoning": "listed"}, "possible poisoning, ask about insecticides"),
        ({"guillain-barre": "listed"}, "Guillain-Barré syndrome"),
        ({"cauda-equina": "listed"}, "cauda equina syndrome"),
        ({"alcohol-withdrawal": "listed"}, "alcohol withdrawal"),
        (
            {"onset_days_ago": 1, "sites": ["calf", "hand", "trunk"], "breathing-difficulty": "reported"},
            "possible poisoning, ask about insecticides",
        ),
    ],
)
def test_an_emergency_says_why_in_its_first_words(given: dict[str, Any], says: str) -> None:
    one = card(record_of_example(CALF | given))
    assert one["summary"].startswith(f"Emergency assessment now: {says}")
    assert one["detail"].startswith(f"1. **Emergency assessment now: {says.partition(';')[0]}")
    assert one["summary"].count(says) == 1


def test_every_row_that_asks_for_an_emergency_has_its_reason() -> None:
    emergency = KNOWLEDGE.table.action_for(ActionRole.EMERGENCY).id
    seen = 0
    for record in RECORDS:
        made = [m for m in decided(record).recommendations if m.id == emergency]
        seen += len(made)
        if made:
            assert "Emergency assessment now: " in card(record)["summary"]
    assert seen > 5


def test_no_disease_is_to_be_excluded_beside_an_emergency() -> None:
    text = "Consider motor neurone disease"
    assert text in above(record_of_example(GRAVE))
    poisoned = record_of_example(GRAVE | {"current": ["other-lithium"]})
    assert decided(poisoned).has(RowRole.EXCLUDE_DISEASE)
    assert text not in above(poisoned)


def test_what_is_made_for_today_is_called_so() -> None:
    weak = {"weakness": "examined", "onset_days_ago": 10, "sites": ["calf"], "courses": ["worsening"]}
    orders = (
        order("neurology-referral", 0, "stat"),
        order(CHEMISTRY, 0, "stat"),
    )
    one = card(replace(record_of_example(weak), orders=orders))
    says = "Same-day neurology referral made 24 Nov; electrolytes ordered urgently 24 Nov"
    assert one["summary"].startswith(says)
    assert one["detail"].startswith(f"**{says}.**")
    assert "today made" not in one["detail"] + one["summary"]


def test_a_referral_that_is_made_stands_beside_what_is_to_do() -> None:
    weak = {"weakness": "examined", "onset_days_ago": 10, "sites": ["calf"], "courses": ["worsening"]}
    record = replace(record_of_example(weak), orders=(order("neurology-referral", 6, "stat"),))
    text = above(record)
    assert "Blood tests today" in text.splitlines()[0]
    assert "Same-day neurology referral made 18 Nov." in text


WASTED = {"atrophy": "examined", "onset_days_ago": 30, "sites": ["hand"]}
STUDIES = ("emg", "ncs")


def test_a_pending_referral_and_tests_are_both_named() -> None:
    weak = {"weakness": "examined", "onset_days_ago": 90, "sites": ["hand"]}
    tests = CHEMISTRY | {"tsh", "creatine-kinase", *STUDIES}
    given = record_of_example(weak | {"atrophy": "absent", "sensory-loss": "absent"})
    both = replace(given, orders=(order("neurology-referral", 5), order(tests, 5)))
    assert above(both).startswith("Neurology referral and tests pending since 19 Nov.")
    assert card(both)["summary"].startswith("Neurology referral and tests pending since 19 Nov: weakness")
    apart = replace(given, orders=(order("neurology-referral", 8), order(tests, 5)))
    assert above(apart).startswith("Neurology referral pending since 16 Nov; tests pending since 19 Nov.")
    only = replace(given, orders=(order("neurology-referral", 5),))
    assert above(only).startswith("Neurology referral pending since 19 Nov.\n\n1. ")


def test_a_visit_stands_in_the_first_line() -> None:
    weak = {"weakness": "examined", "onset_days_ago": 90, "sites": ["hand"], "recorded_days_ago": 40}
    tests = CHEMISTRY | {"tsh", "creatine-kinase", *STUDIES}
    given = record_of_example(weak | {"atrophy": "absent", "sensory-loss": "absent"})
    seen = replace(
        given,
        orders=(order(tests, 5),),
        studies=(Study("neurology-consultation", days_ago(20), "Encounter/1"),),
    )
    assert above(seen).startswith("Seen by neurology 4 Nov; tests pending since 19 Nov.")
    without = replace(seen, orders=())
    assert above(without).startswith("Seen by neurology 4 Nov.\n\n1. ")


def test_a_result_that_nothing_acts_on_is_said_above_the_rule() -> None:
    high = replace(record_of_example(NORMAL), results=(result("creatine-kinase", "high", 3, text="700"),))
    assert "Creatine kinase 700 mmol/L (2026-11-21), high." in above(high)
    assert card(high)["summary"].startswith("Creatine kinase 700 (21 Nov), high")
    assert "No tests needed" not in above(high) + card(high)["summary"]


def stopped(days: int, **more: Any) -> Drug:
    """An antidepressant that ended so many days before an onset of 10 days ago."""
    end = days_ago(10 + days)
    return replace(
        drug("ssri", "no", current=False, end=Days(end, end)),
        name="sertraline",
        start=Days(days_ago(400), days_ago(400)),
        **more,
    )


def test_a_medicine_that_was_stopped_says_how_long_before() -> None:
    record = replace(record_of_example(NORMAL), drugs=(stopped(8),))
    one = card(record)
    assert one["summary"].startswith("Could sertraline, stopped 6 Nov, play a part? Calf twitch 10 days")
    assert "could sertraline (stopped 2026-11-06, 8 days before the twitching) play a part?" in above(record)
    assert "stopped 2026-11-06, 8 days before the twitching" in below(record)
    assert "not linked" not in one["detail"]
    longer = replace(record, twitch=replace(record.twitch, onset=Days(days_ago(30), days_ago(30))))
    ended = replace(stopped(8), end=Days(days_ago(38), days_ago(38)))
    assert "sertraline until 17 Oct" in card(replace(longer, drugs=(ended,)))["summary"]
    assert "the day before the twitching" in above(replace(record, drugs=(stopped(1),)))
    old = replace(record, drugs=(stopped(300),))
    assert "ended 2026-01-18, by its dates not linked" in below(old)
    assert "sertraline" not in above(old)


def test_a_medicine_begun_after_the_twitch_bears_on_the_result() -> None:
    begun = replace(drug("ssri", "no"), name="sertraline", start=Days(days_ago(5), days_ago(5)))
    record = replace(record_of_example(NORMAL), drugs=(begun,))
    assert "by its dates not linked" in below(record)
    low = replace(record, results=(result("sodium", "low"),))
    says = "since 2026-11-19, begun after the twitching; bears on sodium"
    assert says in above(low)
    assert "not linked" not in card(low)["detail"]


def test_come_back_reads_as_a_sentence() -> None:
    says = "**Come back if** it is not gone by 1 Dec, spreads or gets worse, a limb gets weak, thin or numb,"
    assert says in above(record_of_example(ABSENT | {"onset_days_ago": 10, "sites": ["hand"]}))
    long = above(record_of_example(ABSENT | {"onset_days_ago": 20, "sites": ["hand"]}))
    assert "**Come back if** it spreads or gets worse, a limb" in long


@pytest.mark.parametrize(
    ("text", "large", "little"),
    [
        ("eGFR 12", "eGFR 12", "eGFR 12"),
        ("calcium", "Calcium", "calcium"),
        ("Guillain-Barré syndrome", "Guillain-Barré syndrome", "Guillain-Barré syndrome"),
        ("HbA1c 60", "HbA1c 60", "HbA1c 60"),
        ("TSH", "TSH", "TSH"),
        ("Weakness, HbA1c", "Weakness, HbA1c", "weakness, HbA1c"),
    ],
)
def test_names_keep_their_letters(text: str, large: str, little: str) -> None:
    assert capital(text) == large
    assert small(text) == little
