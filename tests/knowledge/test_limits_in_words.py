"""A threshold of the table is said as it stands, in figures and in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.knowledge import HERE, load_knowledge
from service.knowledge.wording import time_in_words
from tests.knowledge.test_plain_words import copied

KNOWLEDGE = load_knowledge()
LIMITS = KNOWLEDGE.table.thresholds
TEXTS = KNOWLEDGE.wording.texts
NUMBER = re.compile(r"\d+ days|(?:one|two|three|four|six|twelve) (?:days|weeks|months)|under \d+|than \d+")


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (1, "1 day"),
        (7, "one week"),
        (13, "13 days"),
        (14, "two weeks"),
        (15, "15 days"),
        (28, "four weeks"),
        (30, "one month"),
        (90, "three months"),
        (91, "91 days"),
        (0, "0 days"),
    ],
)
def test_a_time_in_words(days: int, said: str) -> None:
    assert time_in_words(days) == said


def test_the_cards_follow_the_table(tmp_path: Path) -> None:
    table = (HERE / "decision_table.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("persistent_days: 14", "persistent_days: 21"),
        ("eyelid_days: 90", "eyelid_days: 120"),
        ("child_years: 16", "child_years: 18"),
    ):
        assert table.count(old) == 1
        table = table.replace(old, new)
    folder = copied(tmp_path)
    (folder / "decision_table.yaml").write_text(table, encoding="utf-8")
    texts = load_knowledge(folder).wording.texts
    assert {place: text for place, text in texts.items() if text != TEXTS[place]} == {
        "found.persistent": "over three weeks",
        "found.eyelid-long": "over four months",
        "found.child": "under 18",
        "table.rows.duration.reassuring": "21 days or less",
        "table.rows.duration.evaluate": "longer (eyelid alone: over 120 days)",
        "drafts.child": "{tests}, under 18: for the paediatric team",
        "safety_net": TEXTS["safety_net"].replace("two weeks", "three weeks"),
    }


def test_no_number_of_the_table_is_typed_in_the_wording() -> None:
    written = (HERE / "wording.yaml").read_text(encoding="utf-8").split("rests_on:")[0]
    lines = [line for line in written.splitlines() if not line.lstrip().startswith("#")]
    assert [line for line in lines if NUMBER.search(line)] == []


def test_the_table_says_its_own_numbers() -> None:
    """Labels and answers stand beside the thresholds, in words that a clinician writes."""
    table = KNOWLEDGE.table
    labels = {row.id: row.label for row in table.rows if NUMBER.search(row.label)}
    persistent, eyelid = time_in_words(LIMITS.persistent_days), time_in_words(LIMITS.eyelid_days)
    rapid, years = time_in_words(LIMITS.rapid_weakness_days), LIMITS.child_years
    assert {row: label for row, label in labels.items() if not row.startswith("child")} == {
        "persistent": f"twitching for more than {persistent}",
        "eyelid-long": f"eyelid twitching for more than {eyelid}",
        "rapid-weakness": f"weakness that began within {rapid} and is getting worse",
    }
    children = [label for row, label in labels.items() if row.startswith("child")]
    assert len(children) == 3
    assert all(label.startswith(f"younger than {years}") for label in children)
    answers = {words.id: [answer.says for answer in words.answers] for words in table.words}
    assert answers["onset"] == [
        f"{persistent} or less",
        f"{persistent.split()[0]} to {rapid}",
        f"{rapid} to {eyelid}",
        f"over {eyelid}",
    ]
    assert answers["age"] == [f"{years} or older", f"younger than {years}"]
