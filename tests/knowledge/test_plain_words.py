"""What the pages say is what the table does: its numbers and its rules."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from service.decision.table import (
    EXAMINED,
    REPORTED,
    TRUE,
    All,
    AnyOf,
    Condition,
    Leaf,
    Not,
    Thresholds,
    predicate,
    variables,
)
from service.knowledge import HERE, load_knowledge
from service.knowledge.page_contents import Explained
from service.knowledge.rules_in_words import Rule, Rules, leaves

KNOWLEDGE = load_knowledge()
RULES = Rules(KNOWLEDGE.pages, KNOWLEDGE.terminology)
EXPLAINED = Explained(KNOWLEDGE)


def copied(tmp_path: Path, *changes: tuple[str, str, str]) -> Path:
    """A copy of the knowledge with (file, old, new) put in."""
    folder = tmp_path / "knowledge"
    if not folder.exists():
        shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name, old, new in changes:
        file = folder / name
        text = file.read_text(encoding="utf-8")
        assert old in text, old
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def row_of(explained: Explained, name: str) -> dict[str, Any]:
    row = explained.table.row(name)
    assert row is not None
    return explained.row(row)


# Every number has one home: another number there, and the page says it.
# threshold -> a row whose own page says it, and where.
SAID_BY = {
    "persistent_days": "persistent",
    "eyelid_days": "eyelid-long",
    "rapid_weakness_days": "rapid-weakness",
    "child_years": "child-weakness",
    "out_of_range_days": "electrolyte-abnormal",
    "critical_days": "electrolyte-critical",
    "low_b12_days": "b12-low",
    "thyroid_days": "thyroid-abnormal",
    "benign_test_days": "persistent",
    "study_days": "weakness",
}


def test_every_number_of_the_table_is_said_as_it_stands(tmp_path: Path) -> None:
    text = (HERE / "decision_table.yaml").read_text(encoding="utf-8")
    numbers = {field.name: 9870001 + index for index, field in enumerate(fields(Thresholds))}
    for name, number in numbers.items():
        text, count = re.subn(rf"(?m)^  {name}: \d+$", f"  {name}: {number}", text)
        assert count == 1
    for index, limit in enumerate(
        ("done_days: 30", "done_days: 180", "ordered_days: 365", "ordered_days: 90")
    ):
        text = text.replace(f"{limit},", f"{limit.split(':')[0]}: {8001 + index},").replace(
            f"{limit}}}", f"{limit.split(':')[0]}: {8001 + index}}}"
        )
    folder = copied(tmp_path)
    (folder / "decision_table.yaml").write_text(text, encoding="utf-8")
    changed = Explained(load_knowledge(folder))
    said = {one["id"]: one["says"] for one in changed.overview()["thresholds"]}
    assert [name for name, number in numbers.items() if str(number) not in said[name]] == []
    for name, row in SAID_BY.items():
        before, after = str(row_of(EXPLAINED, row)), str(row_of(changed, row))
        assert str(numbers[name]) in after, name
        assert str(numbers[name]) not in before
    assert "8001 days" in str(row_of(changed, "persistent")["actions"])
    assert "8002 days" in str(row_of(changed, "malabsorption")["actions"])
    assert "8003 days" in str(row_of(changed, "bulbar")["actions"])
    assert "8004 days" in str(row_of(changed, "thyroid-disease")["actions"])


def test_another_limit_of_an_analyte_is_said(tmp_path: Path) -> None:
    folder = copied(tmp_path, ("analytes/potassium.yaml", 'critical: {low: "2.5"', 'critical: {low: "2.125"'))
    changed = Explained(load_knowledge(folder))
    assert "potassium 2.125 mmol/L or less" in str(row_of(changed, "electrolyte-critical")["howRead"])


# The rule in words is the rule.
SENTENCES = {
    "weakness-with-persistence-or-spread": (
        "weakness found on examination, and either twitching for more than 14 days or twitching in "
        "at least two regions (or generalized)"
    ),
    "weakness-reported": "weakness told, not examined",
    "persistent": "twitching for more than 14 days, and twitching not known to be of an eyelid alone",
    "pain": "muscle or limb pain, or muscle cramps on record (examined or told)",
    "malabsorption": (
        "at least one of these (malabsorption or gastric surgery on record; restrictive or poor "
        "diet on record (examined or told)), and sensory loss or numbness, or weakness on record "
        "(examined or told)"
    ),
    "respiratory": (
        "breathing difficulty and weakness on record (examined or told), or both breathlessness "
        "lying flat on record (examined or told) and either weakness on record (examined or told) "
        "or heart failure not recorded as present"
    ),
    "diuretic-sparing": (
        "a medicine taken, or perhaps taken, when the twitching began: potassium-sparing diuretic"
    ),
    "self-care": (
        "none of these recorded as present: weakness, muscle wasting, sensory loss or numbness, "
        "difficulty with coordination, or difficulty walking or with daily activities, and no row "
        "of level critical holds"
    ),
}


@pytest.mark.parametrize("row", SENTENCES)
def test_a_rule_reads_as_a_clinician_would_say_it(row: str) -> None:
    assert row_of(EXPLAINED, row)["holdsWhen"]["sentence"] == SENTENCES[row]


def read_back(rule: Rule, meaning: Mapping[str, Condition]) -> Condition:
    """The condition that a rule's outline states, each clause by what it was written for."""
    if rule.kind == "clause":
        return meaning[rule.says]
    parts = tuple(read_back(part, meaning) for part in rule.parts)
    return All(parts) if rule.kind == "all" else AnyOf(parts)


def clauses(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """What each clause that can come of the condition means: single leaves, and leaves said together."""
    every = list(dict.fromkeys(leaves(condition)))
    for leaf in every:
        yield RULES.rule(leaf).says, leaf
        yield RULES.rule(Not(leaf)).says, Not(leaf)

    def groups(part: Condition) -> Iterator[tuple[Condition, ...]]:
        match part:
            case All(parts) | AnyOf(parts):
                yield parts
                for inner in parts:
                    yield from groups(inner)
            case Not(inner):
                yield from groups(inner)

    for parts in groups(condition):
        plain = tuple(
            p for p in parts if isinstance(p, Leaf) or (isinstance(p, Not) and isinstance(p.part, Leaf))
        )
        for joint in (All, AnyOf):
            for size in range(2, len(plain) + 1):
                for start in range(len(plain) - size + 1):
                    some = joint(plain[start : start + size])
                    rule = RULES.rule(some)
                    if rule.kind == "clause":
                        yield rule.says, some


def agree(condition: Condition, other: Condition) -> bool:
    """Whether both say the same of every set of facts that makes one or two of their variables true."""
    names = sorted(variables(condition) | variables(other))
    values = (EXAMINED, REPORTED, TRUE, "yes", "possible", "absent", "unknown")
    one, two = predicate(condition), predicate(other)

    def sets(left: list[str], most: int) -> Iterator[dict[str, str]]:
        yield {}
        if most == 0:
            return
        for index, name in enumerate(left):
            for value in values:
                for more in sets(left[index + 1 :], most - 1):
                    yield {name: value, **more}

    return all(one(facts) is two(facts) for facts in sets(names, 2 if len(names) > 6 else 3))


@pytest.mark.parametrize("row", KNOWLEDGE.table.rows, ids=lambda row: row.id)
def test_the_outline_is_logically_the_rule(row: Any) -> None:
    outline = RULES.rule(row.when)
    assert agree(row.when, read_back(outline, dict(clauses(row.when))))
    for action in row.actions:
        if action.when is not None:
            assert agree(action.when, read_back(RULES.rule(action.when), dict(clauses(action.when))))


A, B = Leaf("weakness", frozenset({EXAMINED})), Leaf("atrophy", frozenset({EXAMINED}))
C = Leaf("lasts-long", frozenset({TRUE}))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (Not(Not(C)), "twitching for more than 14 days"),
        (Not(C), "twitching not known to have lasted more than 14 days"),
        (Not(A), "weakness not recorded as present"),
        (All((A, B)), "weakness and muscle wasting found on examination"),
        (AnyOf((A, B)), "weakness or muscle wasting found on examination"),
        (Not(AnyOf((A, B))), "none of these recorded as present: weakness or muscle wasting"),
        (Not(All((A, B))), "weakness not recorded as present, or muscle wasting not recorded as present"),
        (
            AnyOf((A, All((B, C)))),
            "weakness found on examination, or both muscle wasting found on examination and "
            "twitching for more than 14 days",
        ),
    ],
)  # fmt: skip
def test_not_is_said_of_the_record(condition: Condition, said: str) -> None:
    assert RULES.rule(condition).sentence() == said
