"""The shipped table keeps the promises of section 7, and the walk sees a table that does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fhir_mappings.record import Status
from service.decision.table import NOW, ROUTINE, Literal, Row, Table, Term
from service.knowledge import Knowledge, load_knowledge
from tools.proof import Report, proved
from tools.proof.__main__ import QUICK, main
from tools.proof.factors import space_of


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def report(knowledge: Knowledge) -> Report:
    return proved(knowledge.table, knowledge.terminology, **QUICK)


def test_no_promise_is_broken(report: Report) -> None:
    assert report.violations == []
    assert report.broken == 0


def test_the_walk_does_not_shrink(report: Report) -> None:
    """Not fewer than these: a walk that loses a group must not pass for a proof."""
    assert report.factors >= 100
    assert report.states >= 3_500
    assert report.steps >= 3_400


def test_every_variable_of_a_row_is_moved_by_a_factor(knowledge: Knowledge) -> None:
    """Each finding, class and analyte that a row reads can differ between two states."""
    space = space_of(knowledge.table, knowledge.terminology)
    for name, factor in space.factors.items():
        records = {repr(space.record({"weakness": 4, name: value})) for value in range(len(factor.values))}
        assert len(records) == len(factor.values), f"two values of {name} give the same record"


def test_the_second_baseline_is_examined(knowledge: Knowledge) -> None:
    space = space_of(knowledge.table, knowledge.terminology)
    record = space.record(space.examined_absent)
    assert {record.finding(sign).status for sign in knowledge.table.signs} == {Status.ABSENT}


# One term without a literal.
ALWAYS: tuple[Term, ...] = ((),)


def bulbar(basis: str) -> tuple[Term, ...]:
    return ((Literal("bulbar", frozenset({basis})),),)


def changed(table: Table, row_id: str, **members: object) -> Table:
    rows = tuple(replace(row, **members) if row.id == row_id else row for row in table.rows)
    return replace(table, rows=rows)


def actions_of(row: Row | None, urgency: str) -> tuple[object, ...]:
    assert row is not None
    return tuple(replace(asked, urgency=urgency) for asked in row.actions)


def broken(table: Table, knowledge: Knowledge) -> list[str]:
    return proved(table, knowledge.terminology, facts=2, random_states=0).violations


def test_it_sees_a_referral_that_a_sign_more_takes_away(knowledge: Knowledge) -> None:
    """If weakness alone asked for nothing, recording it as examined would lose the tests of a report."""
    table = changed(knowledge.table, "weakness", actions=())
    found = proved(table, knowledge.terminology, facts=1, random_states=0).violations
    assert any("thyroid is lost when weakness was reported" in violation for violation in found)


def test_it_sees_self_care_beside_a_sign(knowledge: Knowledge) -> None:
    table = changed(knowledge.table, "self-care", terms=ALWAYS)
    found = proved(table, knowledge.terminology, facts=1, random_states=0).violations
    assert any(violation.startswith("self-care above level info") for violation in found)


def test_it_sees_a_benign_word_beside_a_warning(knowledge: Knowledge) -> None:
    table = changed(knowledge.table, "benign", terms=ALWAYS)
    found = proved(table, knowledge.terminology, facts=1, random_states=0).violations
    assert any("above level info" in violation for violation in found)


def test_it_sees_a_level_that_falls(knowledge: Knowledge) -> None:
    """Bulbar signs examined, referred as routine only: less urgent than the same signs reported."""
    row = knowledge.table.row("bulbar")
    assert row is not None
    calmer = replace(row, actions=actions_of(row, ROUTINE), level="info", terms=bulbar("examined"))
    sooner = replace(row, id="reported", actions=actions_of(row, NOW), terms=bulbar("reported"))
    rows = (*(other for other in knowledge.table.rows if other.id != "bulbar"), calmer, sooner)
    found = proved(replace(knowledge.table, rows=rows), knowledge.terminology, facts=1, random_states=0)
    assert any("when bulbar was reported" in violation for violation in found.violations)


def test_the_command_says_what_it_covered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--facts", "0", "--random", "5"]) == 0
    assert capsys.readouterr().out.endswith(": 0 violations\n")


def test_the_command_refuses_knowledge_that_does_not_load(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--knowledge", str(tmp_path)]) == 1
    assert capsys.readouterr().out == ""
