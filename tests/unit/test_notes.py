"""What stands above the rule beside the actions: a likely local cause, and a sign that was not found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from fhir_mappings.record import Basis, Evidence, Finding, Record, Status
from tests.knowledge.patients import TODAY, days_ago, finding, record_of_example
from tests.unit.one_card import ABSENT, card


def above(record: Record) -> str:
    text: str = card(record)["detail"]
    return text.partition("\n---\n")[0]


def with_words(record: Record, name: str, words: str) -> Record:
    one = record.findings[name]
    evidence = tuple(replace(entry, text=words) for entry in one.evidence)
    return replace(record, findings={**record.findings, name: replace(one, evidence=evidence)})


@pytest.mark.parametrize(
    ("name", "site", "words"),
    [
        ("arm-nerve", "hand", "Carpal tunnel syndrome"),
        ("lumbosacral-radiculopathy", "calf", "Sciatica"),
    ],
)
def test_a_likely_local_cause_stands_above_the_rule(name: str, site: str, words: str) -> None:
    record = record_of_example({name: "listed", "sites": [site], "onset_days_ago": 5, **ABSENT})
    record = with_words(record, name, words)
    assert f"Likely local cause: {words[0].lower()}{words[1:]}." in above(record)
    assert "**Also:**" not in card(record)["detail"]
    elsewhere = record_of_example({name: "listed", "sites": ["trunk"], "onset_days_ago": 5, **ABSENT})
    assert "Likely local cause" not in above(elsewhere)


def test_another_disease_in_the_limb_is_no_local_cause() -> None:
    given = {"arm-nerve": "listed", "lumbosacral-radiculopathy": "listed", "sites": ["hand"], **ABSENT}
    record = with_words(record_of_example(given), "arm-nerve", "Ulnar nerve entrapment")
    assert "Likely local cause: ulnar nerve entrapment." in above(record)
    assert "**Also:** Lumbosacral-radiculopathy." in card(record)["detail"]


def listed_and_absent(day: date | None, basis: Basis = Basis.LISTED, *, history: bool = False) -> Record:
    record = record_of_example({"onset_days_ago": 40, **ABSENT})
    entry = Evidence(
        "Condition/w", "Condition.code", "weak", Status.PRESENT, basis, day, used=False, history=history
    )
    seen = Evidence("Observation/w", "Observation.value", "no", Status.ABSENT, Basis.EXAMINED, TODAY)
    both = Finding(
        "weakness", Status.ABSENT, Basis.EXAMINED, conflict=True, recorded=TODAY, evidence=(entry, seen)
    )
    return replace(record, findings={**record.findings, "weakness": both})


def test_a_listed_sign_that_was_not_found_is_to_be_settled() -> None:
    text = "Weakness listed 3 Nov, none found 24 Nov: settle which is right."
    assert text in above(listed_and_absent(days_ago(21)))
    undated = "Weakness listed, none found 24 Nov: settle which is right."
    assert undated in above(listed_and_absent(None))


@pytest.mark.parametrize(
    "record",
    [
        listed_and_absent(days_ago(21), Basis.REPORTED),
        listed_and_absent(days_ago(21), Basis.EXAMINED),
        listed_and_absent(days_ago(900), history=True),
        record_of_example({"weakness": "listed"}),
    ],
)
def test_what_does_not_contradict_is_not_to_be_settled(record: Record) -> None:
    assert "settle which is right" not in above(record)


def test_an_old_bulbar_sign_beside_an_eyelid_is_asked_about() -> None:
    record = record_of_example(
        {"sites": ["eyelid"], "onset_days_ago": 10, "bulbar": "listed", "recorded_days_ago": 30}
    )
    text = above(record)
    assert "Speech or swallowing difficulty on the problem list since 2026-10-25: new or changing?" in text
    assert "Breath" not in text.replace("breathing change", "")
    hand = record_of_example(
        {"sites": ["hand"], "onset_days_ago": 10, "bulbar": "listed", "recorded_days_ago": 30}
    )
    assert "new or changing?" not in above(hand)
    assert "also lying flat?" in above(hand)
    # Weakness is reason enough to ask.
    findings = {**record.findings, "weakness": finding("weakness", "examined")}
    assert "also lying flat?" in above(replace(record, findings=findings))
