"""pages.yaml: a broken file is refused by name, and what it leaves out is missed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from service.knowledge import HERE, load_knowledge
from service.knowledge.loading import KnowledgeError
from service.knowledge.page_wording import FILE, PageWording, joined, load_page_wording

KNOWLEDGE = load_knowledge()
TEXT = (HERE / FILE).read_text(encoding="utf-8")


def loaded(folder: Path, text: str) -> PageWording:
    (folder / FILE).write_text(text, encoding="utf-8")
    return load_page_wording(folder, KNOWLEDGE.table, KNOWLEDGE.terminology, KNOWLEDGE.claims)


def test_the_file_as_it_is_shipped_is_whole(tmp_path: Path) -> None:
    assert loaded(tmp_path, TEXT) == KNOWLEDGE.pages


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  getting-worse: {", "  getting-bad: {", "features.getting-worse: no text"),
        ("  getting-worse: {", "  potassium-low: {", "features.potassium-low: text for something"),
        ('for more than {persistent_days} days"', 'for more than {forever} days"', "nothing fills {forever}"),
        ('  stated: "', '  state: "', "readings"),
        ("claims: [S000-45]", "claims: [S000-99x]", "no claim or anchor S000-99x"),
        ("rows: [widespread, bulbar]", "rows: [widespread, bulbous]", "no row 'bulbous'"),
        ("courses: [continuous]", "courses: [continual]", "features.continuous.courses: 'continual' is none"),
        ("lists: [signs]", "lists: [sighs]", "features.getting-worse.lists"),
        ("{names} on examination or", "{name} on examination or", "phrases.examined: nothing fills {name}"),
        ("{names} on examination or", "{names on examination or", "phrases.examined: a brace is left open"),
        ('  critical_days: "', '  criticaldays: "', "thresholds.critical_days: no text"),
        ('not-judged: "', 'judged: "', "bands.not-judged: no text"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(KnowledgeError) as error:
        loaded(tmp_path, TEXT.replace(old, new, 1))
    assert "pages.yaml" in str(error.value)
    assert said in str(error.value)


def test_a_row_may_not_take_the_address_of_another_page(tmp_path: Path) -> None:
    table = replace(
        KNOWLEDGE.table, rows=(*KNOWLEDGE.table.rows, replace(KNOWLEDGE.table.rows[0], id="claims"))
    )
    (tmp_path / FILE).write_text(TEXT, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"rows\.claims: is the address of another page"):
        load_page_wording(tmp_path, table, KNOWLEDGE.terminology, KNOWLEDGE.claims)


def test_every_feature_of_the_card_is_in_the_two_columns() -> None:
    features = {place.split(".")[2] for place in KNOWLEDGE.wording.texts if place.startswith("table.rows.")}
    assert features <= {one.id for one in KNOWLEDGE.pages.two_columns}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a or b"),
        (["a", "b", "c"], "a, b or c"),
        (["a or b", "c"], "a or b, or c"),
        (["a, b", "c", "d"], "a, b; c; or d"),
    ],
)
def test_names_are_joined_so_that_they_stay_apart(names: list[str], said: str) -> None:
    assert joined(names) == said
