"""The errors that are made are all that could be made, and a sample of them is tried each time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.knowledge import HERE
from service.knowledge.conditions import FILE
from service.knowledge.loading import load_yaml
from tests.mutation.checks import ROOT, Verdict
from tests.mutation.conditions import Operands, changes, condition_paths, nodes, same
from tests.mutation.mutants import mutants
from tests.mutation.report import SEEN_BY, reason, table

RAW = load_yaml(HERE / FILE)
ALL = mutants(RAW)
BY_PLACE = {place: {m.kind for m in ALL if m.place == place} for place in {m.place for m in ALL}}


def test_every_error_changes_the_file_in_its_own_way() -> None:
    assert len({m.name for m in ALL}) == len(ALL)
    changed = [repr(m.applied(RAW)) for m in ALL]
    assert repr(RAW) not in changed
    assert len(set(changed)) == len(changed)
    assert repr(load_yaml(HERE / FILE)) == repr(RAW)


def test_every_threshold_goes_up_and_down() -> None:
    numbers: dict[tuple[Any, ...], int] = {
        ("thresholds", name): value for name, value in RAW["thresholds"].items()
    }
    for index, action in enumerate(RAW["actions"]):
        for name in ("done_days", "ordered_days"):
            if name in action:
                numbers["actions", index, name] = action[name]
    for name, fact in RAW["result_facts"].items():
        for days in ("from_days", "at_most_days"):
            if days in fact:
                numbers["result_facts", name, days] = fact[days]
    for index, row in enumerate(RAW["rows"]):
        for number, asked in enumerate(row["actions"]):
            if "weeks" in asked and isinstance(asked, dict):
                numbers["rows", index, "actions", number, "weeks"] = asked["weeks"]
    made = {(m.path, m.value) for m in ALL if m.kind == "threshold"}
    assert made == {(path, value + step) for path, value in numbers.items() for step in (-1, 1)}


def test_every_row_gets_errors_of_each_kind() -> None:
    for row in RAW["rows"]:
        kinds = BY_PLACE[f"rows.{row['id']}"]
        assert {
            "not added",
            "level",
            "asks nothing",
            "supports studies",
            "beside benign",
            "reads last",
            "role added",
            "action added",
            "reading",
            "support",
        } <= kinds
        if row["actions"]:
            assert {"action dropped", "action replaced", "urgency", "paediatric", "consider"} <= kinds
    assert {m.says for m in ALL if m.kind == "row dropped"} == {f"no {row['id']}" for row in RAW["rows"]}


def test_every_operator_and_operand_is_changed() -> None:
    for path in condition_paths(RAW):
        condition = RAW
        for step in path:
            condition = condition[step]
        for inner, node in nodes(condition):
            made = {m.kind for m in ALL if m.path == (*path, *inner)}
            # A second not around the whole is the same as one within it.
            assert "not added" in made or inner[-1:] == ("not",)
            if isinstance(node, str):
                assert "operand replaced" in made
            else:
                ((word, parts),) = node.items()
                assert ("not dropped" if word == "not" else "all and any swapped") in made
                dropped = [m for m in ALL if m.path == (*path, *inner) and m.kind == "operand dropped"]
                assert word == "not" or len(dropped) == len(parts)


@pytest.mark.parametrize(
    "place",
    [
        "electrolytes",
        "long_analytes",
        "triggers",
        "history_signs",
        "benign_ignores",
        "electrolytes_with_drafts_of",
        "signs",
        "benign_signs",
        "named",
        "closes_gate",
        "shown_results",
        "self_care",
        "removals",
    ],
)
def test_every_entry_of_a_list_is_dropped(place: str) -> None:
    shorter = [m.applied(RAW)[place] for m in ALL if m.place == place]
    for index in range(len(RAW[place])):
        assert [*RAW[place][:index], *RAW[place][index + 1 :]] in shorter


def test_every_answer_in_words_is_flipped() -> None:
    for index, question in enumerate(RAW["questions"]):
        for number, answer in enumerate(question.get("answers", ())):
            for name, value in answer["sets"].items():
                path = ("questions", index, "answers", number, "sets", name)
                assert next(m.value for m in ALL if m.path == path) is (not value)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("weakness", "weakness examined", False),
        ("weakness", {"any": ["weakness examined", "weakness reported"]}, True),
        ("weakness absent", "weakness settled", False),
        ("any-sign", {"any": ["weakness", "atrophy"]}, False),
        ("bulbar-sign", {"any": ["tongue-site", "bulbar"]}, True),
        ({"not": {"any": ["pain", "cramps"]}}, {"all": [{"not": "cramps"}, {"not": "pain"}]}, True),
        ({"all": ["lasts-long", "drug ssri"]}, {"any": ["lasts-long", "drug ssri"]}, False),
        ("drug ssri", "current ssri", False),
        ("row pain", {"any": ["cramps", "pain"]}, True),
        ("row pain", "row tingling", False),
    ],
    ids=str,
)
def test_whether_two_conditions_are_the_same(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other, Operands(RAW)) is equal


def test_errors_in_a_condition_are_told_apart_from_it() -> None:
    operands = Operands(RAW)
    for path in condition_paths(RAW):
        condition = RAW
        for step in path:
            condition = condition[step]
        assert all(change.value != condition for change in changes(condition, operands) if not change.path)


def test_the_page_counts_what_the_verdicts_say() -> None:
    verdicts = [
        Verdict("a", "level", "tests/spec/test_x.py::test_y", 0.1),
        Verdict("b", "level", "loader", 0.1),
        Verdict("c", "level", "", 0.1),
        Verdict("d", "reading", "time", 0.1),
    ]
    head, _, *lines = table(verdicts)
    assert head == "| Kind of error | Errors | loader | spec | time | nobody |"
    assert lines == [
        "| level | 3 | 1 | 1 |  | 1 |",
        "| reading | 1 |  |  | 1 | 0 |",
        "| **all** | 4 | 1 | 1 | 1 | 1 |",
    ]
    assert "time" in SEEN_BY


def test_what_excuses_a_survivor() -> None:
    def of(name: str) -> str:
        (mutant,) = [m for m in ALL if m.name == name]
        return reason(mutant, RAW)

    assert "never given beside other advice" in of("self_care: self-care: usual before tobacco")
    assert of("self_care: self-care: sleep before caffeine") == ""
    assert of("rows.pain: operand dropped: no pain in any(pain, cramps)") == ""
    assert "only a critical row" in of("rows.widespread: asks nothing: asks_nothing: True")
    assert of("rows.bulbar: asks nothing: asks_nothing: True") == ""
    twice = next(m for m in ALL if m.place == "rows.pain" and m.kind == "not added")
    doubled = replace(twice, value={"not": {"not": twice.value["not"]}})
    assert "every combination of the operands" in reason(doubled, RAW)


def tried(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.mutation", "--jobs", "1", "--results", str(folder / "r"), *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_sample_of_the_errors_is_seen(tmp_path: Path) -> None:
    done = tried(tmp_path, "--every", "150", "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    again = tried(tmp_path, "--every", "150", "--quick")
    assert " 0 of " in again.stdout
