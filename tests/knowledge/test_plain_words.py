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
    ABSENT,
    ABSENT_NOT_EXAMINED,
    EXAMINED,
    FALSE,
    LISTED,
    PRESENT,
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
FINDINGS = KNOWLEDGE.terminology.findings


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
    "small_child_years": "child-tone",
    "old_years": "new-after-60",
    "new_onset_days": "new-after-60",
    "sudden_days": "cholinergic",
    "finding_days": "progressing-normal",
    "recent_result_days": "electrolyte-disorder",
    "calm_test_days": "persistent",
    "study_days": "weakness",
}
# The days of facts about results are those of a threshold, by its anchor in the file.
SAID_BY_RESULTS = {
    "critical_days": "electrolyte-critical",
    "out_of_range_days": "kidney-failure-new",
    "recent_result_days": "electrolyte-abnormal",
    "long_result_days": "b12-low",
}


def test_every_number_of_the_table_is_said_as_it_stands(tmp_path: Path) -> None:
    text = (HERE / "decision_table.yaml").read_text(encoding="utf-8")
    numbers = {field.name: 9870001 + index for index, field in enumerate(fields(Thresholds))}
    for name, number in numbers.items():
        text, count = re.subn(rf"(?m)^(  {name}: (?:&\w+ )?)\d+$", rf"\g<1>{number}", text)
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
    for name, row in [*SAID_BY.items(), *SAID_BY_RESULTS.items()]:
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
    "progressive-weakness": (
        "weakness on examination or on a list, and the twitching or a sign is getting worse or spreading"
    ),
    "weakness-reported": "weakness reported, not examined",
    "not-examined": (
        "twitching not known to be of an eyelid alone, and weakness, muscle wasting, or sensory loss or "
        "numbness not examined yet"
    ),
    "persistent": "twitching for more than 14 days, and twitching not known to be of an eyelid alone",
    "pain": "muscle or limb pain, or muscle cramps on record (examined, listed or reported)",
    "malabsorption": (
        "at least one of these (malabsorption or gastric surgery on record; restrictive or poor diet on "
        "record (examined, listed or reported)), and sensory loss or numbness, or weakness on record "
        "(examined, listed or reported)"
    ),
    "respiratory": (
        "breathing difficulty or breathlessness lying flat on record (examined, listed or reported), and at "
        "least one of these (weakness, muscle wasting, or difficulty with speech or swallowing on record "
        "(examined, listed or reported); twitching of the tongue), and none of these recorded as present: "
        "heart failure, or COPD or obesity hypoventilation"
    ),
    "diuretic-sparing": (
        "a medicine taken, or perhaps taken, when the twitching began: potassium-sparing diuretic"
    ),
    "antidepressant-stopped": (
        "a medicine stopped shortly before the twitching began: SSRI, SNRI, tricyclic antidepressant, MAO "
        "inhibitor or other antidepressant"
    ),
    "muscle-breakdown-statin": (
        "a medicine taken now: statin, and either creatine kinase at a dangerous value in the last 30 days "
        "or both creatine kinase out of range in the last 180 days and weakness on record (examined, listed "
        "or reported)"
    ),
    "critical-result": (
        "a result of anything else than calcium, ionised calcium, creatine kinase, lithium, magnesium, "
        "ionised magnesium, potassium or sodium at a dangerous value in the last 30 days"
    ),
    "kidney-failure-new": (
        "eGFR below 15 mL/min/1.73 m² in the last 180 days, and dialysis or end-stage kidney disease not "
        "recorded as present"
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


def meanings(condition: Condition) -> dict[str, Condition]:
    """Clause -> what it means. Two conditions that are not the same are never said alike."""
    found: dict[str, Condition] = {}
    for says, means in clauses(condition):
        assert agree(found.setdefault(says, means), means), says
    return found


def clauses(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """Each clause that can come of the condition: single leaves, and leaves said together."""
    every = list(dict.fromkeys(leaves(condition)))
    for leaf in every:
        yield RULES.rule(leaf).says, leaf
        yield RULES.rule(Not(leaf)).says, Not(leaf)

    def groups(part: Condition) -> Iterator[tuple[Condition, ...]]:
        match part:
            case All(parts) | AnyOf(parts):
                for together in (True, False):
                    for holds in (True, False):
                        yield tuple(flat(part, holds, together))
                for inner in parts:
                    yield from groups(inner)
            case Not(inner):
                yield from groups(inner)

    for parts in groups(condition):
        plain = tuple(
            p for p in parts if isinstance(p, Leaf) or (isinstance(p, Not) and isinstance(p.part, Leaf))
        )
        for joint in (All, AnyOf):
            for some in alike(plain):
                for said in (joint(some), Not(joint(some))):
                    rule = RULES.rule(said)
                    if rule.kind == "clause":
                        yield rule.says, said


def flat(condition: Condition, holds: bool, together: bool) -> Iterator[Condition]:
    """What all of (together) or any of stands on one line of the outline."""
    if isinstance(condition, Not):
        yield from flat(condition.part, not holds, together)
    elif isinstance(condition, Leaf) or (isinstance(condition, All) is holds) is not together:
        yield condition if holds else Not(condition)
    else:
        for part in condition.parts:
            yield from flat(part, holds, together)


def alike(parts: tuple[Condition, ...]) -> Iterator[tuple[Condition, ...]]:
    """Runs of the parts, and those that stand apart and have one form."""
    for size in range(2, len(parts) + 1):
        for start in range(len(parts) - size + 1):
            yield parts[start : start + size]
    forms: dict[object, list[Condition]] = {}
    for part in parts:
        leaf = part.part if isinstance(part, Not) else part
        assert isinstance(leaf, Leaf)
        kind = KNOWLEDGE.terminology.findings[leaf.variable].kind if leaf.variable in FINDINGS else ""
        forms.setdefault((isinstance(part, Not), leaf.values, kind == "diagnosis"), []).append(part)
        if "not recorded as present" in RULES.rule(part).says:
            forms.setdefault("absent", []).append(part)
        if leaf.variable in FINDINGS:
            forms.setdefault((isinstance(part, Not), leaf.values), []).append(part)
    yield from (tuple(some) for some in forms.values() if len(some) > 1)


def agree(condition: Condition, other: Condition) -> bool:
    """Whether both say the same of every set of facts that makes one or two of their variables true."""
    names = sorted(variables(condition) | variables(other))
    values = {
        name: (EXAMINED, LISTED, REPORTED, ABSENT, ABSENT_NOT_EXAMINED)
        if name in FINDINGS
        else ("yes", "possible")
        if name.startswith("drug ")
        else (TRUE, FALSE)
        for name in names
    }
    one, two = predicate(condition), predicate(other)

    def sets(left: list[str], most: int) -> Iterator[dict[str, str]]:
        yield {}
        if most == 0:
            return
        for index, name in enumerate(left):
            for value in values[name]:
                for more in sets(left[index + 1 :], most - 1):
                    yield {name: value, **more}

    return all(one(facts) is two(facts) for facts in sets(names, 2 if len(names) > 6 else 3))


@pytest.mark.parametrize("row", KNOWLEDGE.table.rows, ids=lambda row: row.id)
def test_the_outline_is_logically_the_rule(row: Any) -> None:
    outline = RULES.rule(row.when)
    assert agree(row.when, read_back(outline, meanings(row.when)))
    for action in row.actions:
        if action.when is not None:
            assert agree(action.when, read_back(RULES.rule(action.when), meanings(action.when)))


FOUND, LOOKED_AT = frozenset({EXAMINED, LISTED}), frozenset({EXAMINED, ABSENT})
A, B = Leaf("weakness", FOUND), Leaf("atrophy", FOUND)
C = Leaf("lasts-long", frozenset({TRUE}))
D, E = Leaf("pain", PRESENT), Leaf("cramps", PRESENT)
LOW, HIGH = Leaf("potassium-low", frozenset({TRUE})), Leaf("calcium-high", frozenset({TRUE}))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (Not(Not(C)), "twitching for more than 14 days"),
        (Not(C), "twitching not known to have lasted more than 14 days"),
        (Leaf("weakness", frozenset({REPORTED})), "weakness reported, not examined"),
        (Not(Leaf("weakness", frozenset({REPORTED}))), "weakness not known by report alone"),
        (Leaf("weakness", LOOKED_AT), "weakness looked at by a clinician"),
        (Not(Leaf("weakness", LOOKED_AT)), "weakness not examined yet"),
        (Leaf("weakness", frozenset({ABSENT})), "weakness absent on examination"),
        (Not(Leaf("weakness", frozenset({ABSENT}))), "weakness not known absent on examination"),
        # One that is reported is on record as present.
        (Not(A), "weakness recorded neither on examination nor on a list"),
        (Not(D), "muscle or limb pain not recorded as present"),
        (Leaf("diabetes", PRESENT), "diabetes on record"),
        (
            Leaf("drug ssri", frozenset({"yes", "possible"})),
            "a medicine taken, or perhaps taken, when the twitching began: SSRI",
        ),
        (Leaf("current ssri", frozenset({TRUE})), "a medicine taken now: SSRI"),
        (
            Leaf("stopped ssri", frozenset({TRUE})),
            "a medicine stopped shortly before the twitching began: SSRI",
        ),
        (LOW, "potassium low in the last 90 days"),
        (Not(LOW), "potassium low in the last 90 days not recorded as present"),
        (
            Not(AnyOf((D, LOW, HIGH))),
            "none of these recorded as present: muscle or limb pain, potassium low in the last 90 days, or "
            "calcium high in the last 90 days",
        ),
        (All((A, B)), "weakness and muscle wasting on examination or on a list"),
        (AnyOf((A, B)), "weakness or muscle wasting on examination or on a list"),
        (
            Not(AnyOf((A, B))),
            "weakness recorded neither on examination nor on a list, and muscle wasting recorded neither on "
            "examination nor on a list",
        ),
        (Not(AnyOf((D, E))), "none of these recorded as present: muscle or limb pain, or muscle cramps"),
        (
            Not(All((D, E))),
            "muscle or limb pain not recorded as present, or muscle cramps not recorded as present",
        ),
        # Parts of the same kind are one list, however they are nested.
        (
            AnyOf((A, AnyOf((C, B)))),
            "weakness or muscle wasting on examination or on a list, or twitching for more than 14 days",
        ),
        (
            All((C, Not(AnyOf((D, E))))),
            "twitching for more than 14 days, and none of these recorded as present: muscle or limb pain, or "
            "muscle cramps",
        ),
        (
            AnyOf((A, All((B, C)))),
            "weakness on examination or on a list, or both muscle wasting on examination or on a list and "
            "twitching for more than 14 days",
        ),
    ],
)  # fmt: skip
def test_not_is_said_of_the_record(condition: Condition, said: str) -> None:
    assert RULES.rule(condition).sentence() == said
