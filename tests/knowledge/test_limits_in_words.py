"""A threshold of the table is said as it stands, in figures and in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from service.knowledge import HERE, load_knowledge
from service.knowledge.loading import load_yaml
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
    }


def test_no_number_of_the_table_is_typed_in_the_wording() -> None:
    typed = {place for place, text in raw_texts(load_yaml(HERE / "wording.yaml")) if NUMBER.search(text)}
    # Two weeks is what urgent means: an urgency, no threshold of the table.
    assert typed == {"actions.neurology-referral.says_urgent", "lead.blood_urgent"}


def raw_texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of the file as it is written, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from raw_texts(inner, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from raw_texts(inner, place)


def test_the_table_says_its_own_numbers() -> None:
    """Labels and answers stand beside the thresholds, in words that a clinician writes."""
    table = KNOWLEDGE.table
    labels = {row.id: row.label for row in table.rows if NUMBER.search(row.label)}
    persistent, eyelid = time_in_words(LIMITS.persistent_days), time_in_words(LIMITS.eyelid_days)
    rapid, years = time_in_words(LIMITS.rapid_weakness_days), LIMITS.child_years
    stopped, recent = (
        time_in_words(days) for days in (LIMITS.antidepressant_stopped_days, LIMITS.recent_result_days)
    )
    assert LIMITS.long_result_days == LIMITS.new_onset_days == 365
    assert {row: label for row, label in labels.items() if not row.startswith("child")} == {
        "persistent": f"twitching for more than {persistent}",
        "eyelid-long": f"eyelid twitching for more than {eyelid}",
        "antidepressant-stopped": f"an antidepressant ended within {stopped} before the twitch",
        "electrolyte-abnormal-old": f"an electrolyte out of range, {recent.split()[0]} to "
        f"{time_in_words(LIMITS.out_of_range_days)} ago",
        "thyroid-abnormal-old": f"a thyroid result out of range, {recent} to a year ago",
        "rapid-weakness": f"weakness within {rapid}, not known to be settling",
        "rapid-weakness-reported": f"weakness reported within {rapid}, and getting worse",
    }
    children = [label for row, label in labels.items() if row.startswith("child")]
    assert len(children) == 4
    assert all(label.startswith(f"younger than {years}") for label in children)
    (old,) = [row.label for row in table.rows if "or older" in row.label]
    assert old.startswith(f"new twitching at {LIMITS.old_years} or older")
    answers = {asked.id: [answer.says for answer in asked.answers] for asked in table.questions}
    assert LIMITS.sudden_days == 2
    assert answers["onset"] == [
        "at most two days ago",
        f"three days to {persistent} ago",
        f"{persistent} to {eyelid} ago",
        f"{eyelid} to a year ago",
        "over a year ago",
    ]
    assert answers["weakness-start"][0] == f"within {rapid}"
    assert answers["age"] == [
        f"younger than {LIMITS.small_child_years}",
        f"{LIMITS.small_child_years} to {years - 1}",
        f"{years} to {LIMITS.old_years - 1}",
        f"{LIMITS.old_years} or older",
    ]
