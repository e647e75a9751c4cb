"""The shipped table is proved, and the walk does not shrink unseen."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from fhir_mappings.terminology import FindingDefinition
from service.decision.table import Table
from service.knowledge import HERE, load_knowledge
from tools.proof import Ledger, proved
from tools.proof.__main__ import main, report
from tools.proof.levels import check_levels
from tools.proof.rows import tables

# Not fewer states than these: a walk that loses a group, a row or a threshold must not pass for a proof.
AT_LEAST = {
    "read as section 1 says": 28_000,
    "an unknown never fires a row": 341_000,
    "a level says what section 3 says": 341_000,
    "monotone in danger": 14_000_000,
    "every set of fired rows decides as its rows say": 6_000_000_000_000_000,
    "a condition of an action or advice only rises": 65_000,
    "self-care is filtered for the patient": 15,
    "a medicine that bears on an abnormal electrolyte is reviewed": 10,
    "removed only by what answers it": 16_000,
    "only tests in range or ordered lower a warning, and only of duration": 700,
    "the range holds every completion": 240,
    "the gate": 2_400,
}


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    knowledge = load_knowledge()
    return proved(knowledge.table, knowledge.terminology.findings, whole=False)


def test_nothing_is_violated(ledger: Ledger) -> None:
    assert list(map(str, ledger.violations)) == []
    assert ledger.total == 0


def test_the_walk_does_not_shrink(ledger: Ledger) -> None:
    states: Counter[str] = Counter()
    for walk in ledger.covered:
        states[walk.promise] += walk.states
    assert set(states) == set(AT_LEAST)
    assert {promise: count for promise, count in states.items() if count < AT_LEAST[promise]} == {}


def test_the_page_gives_the_figures_of_the_walk(ledger: Ledger) -> None:
    page = (Path(__file__).parents[2] / "docs" / "verification.md").read_text(encoding="utf-8")
    assert f"\n{ledger.states:,} states in " in page, (
        "write docs/verification.md anew: python -m tools.proof --whole"
    )


def test_every_factor_says_why_it_stands_alone(ledger: Ledger) -> None:
    found = [
        walk for walk in ledger.covered if walk.promise == "every set of fired rows decides as its rows say"
    ]
    assert len(found) >= 16
    assert all(walk.why for walk in ledger.covered)


def test_the_report_ends_with_the_sum(ledger: Ledger) -> None:
    *_, last = report(ledger)
    assert last.startswith(f"{ledger.states:,} states")
    assert last.endswith(": 0 violations")


def rows_proved(table: Table, findings: Mapping[str, FindingDefinition], *, whole: bool) -> Ledger:
    """The walk over single rows, which takes half a second."""
    ledger = Ledger()
    check_levels(table, tables(table, ledger), findings, ledger)
    return ledger


def test_another_folder_is_proved_and_its_error_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "knowledge"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = folder / "decision_table.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("        - not: atrophy\n", "", 1), encoding="utf-8")
    monkeypatch.setattr("tools.proof.__main__.proved", rows_proved)
    assert main(["--knowledge", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "VIOLATED no self-care beside a sign: self-care" in said
    assert "atrophy=" in said


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--knowledge", str(tmp_path)]) == 1
    assert capsys.readouterr().err
