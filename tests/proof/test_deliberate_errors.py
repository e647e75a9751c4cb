"""The proof goes red: one deliberate error at a time, each found and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from service import decision
from service.decision import facts, on_file, question_search
from service.decision.table import Leaf, Row, Table, predicate, terms
from service.knowledge import HERE, load_knowledge
from service.knowledge.decision_table import FILE, load_table
from tools.proof.conditions import check_conditions
from tools.proof.duration import check_duration
from tools.proof.factors import factors
from tools.proof.gate import check_gate
from tools.proof.joint import Judge, walk
from tools.proof.ledger import Ledger
from tools.proof.levels import check_levels
from tools.proof.monotone import check_steps
from tools.proof.ranges import check_ranges
from tools.proof.reading import Axis, read
from tools.proof.removals import Removals
from tools.proof.rows import RowTable, tables

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
# The package has a function of that name, too.
outcome = import_module("service.decision.outcome")
VARIABLES = frozenset(literal.variable for row in TABLE.rows for term in row.terms for literal in term)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """What was decided with another error, or with none, must not answer for this one."""
    question_search._search.cache_clear()
    yield
    question_search._search.cache_clear()


@pytest.fixture(scope="module")
def axes() -> tuple[Axis, ...]:
    return read(TABLE, VARIABLES, Ledger(), whole=False)


@pytest.fixture(scope="module")
def truths() -> tuple[RowTable, ...]:
    return tables(TABLE, Ledger())


def found(ledger: Ledger) -> set[tuple[str, str]]:
    """(promise, place) of every counterexample."""
    return {(violation.promise, violation.place) for violation in ledger.violations}


def rows_proved(table: Table, axes: tuple[Axis, ...]) -> Ledger:
    """Every walk over the rows, without those over records."""
    ledger = Ledger()
    truths = tables(table, ledger)
    check_levels(table, truths, KNOWLEDGE.terminology.findings, ledger)
    check_steps(table, axes, truths, ledger)
    check_conditions(table, ledger)
    return ledger


@pytest.mark.parametrize(
    ("row", "right", "wrong", "promise"),
    [
        ("pain", "level: warning", "level: info", "a feature is no mere info"),
        ("thyroid-abnormal", "level: warning", "level: info", "a feature is no mere info"),
        ("bulbar", "level: critical", "level: warning", "no critical without an urgent action"),
        ("weakness", "level: warning", "level: critical", "no critical without an urgent action"),
        ("bulbar", ", urgency: urgent", "", "no critical without an urgent action"),
        ("stimulant", "level: info", "level: warning", "a medicine or a known condition is info"),
        ("thyroid-disease", "level: info", "level: warning", "a medicine or a known condition is info"),
        ("multiple-sclerosis", "level: warning", "level: info", "info asks for blood tests at most"),
        ("dopaminergic", "[medication-review]", "[electrolytes]", "a medicine is its prescriber's"),
        ("persistent", "{not: isolated-eyelid}", "isolated-eyelid", "monotone in danger"),
        (
            "widespread",
            "several-regions, spreading,",
            "{not: several-regions}, spreading,",
            "nothing recorded fires no row",
        ),
        ("respiratory", "{not: heart-failure}", "heart-failure", "monotone in danger"),
        ("self-care", "        - not: movement\n", "", "no self-care beside a sign"),
        ("self-care", "        - no-critical-row\n", "", "no self-care beside a critical row"),
        (
            "electrolyte-abnormal",
            "- current xanthine\n",
            "- current ssri\n",
            "a medicine that bears on an abnormal electrolyte is reviewed",
        ),
    ],
)
def test_a_wrong_row_is_named(
    row: str, right: str, wrong: str, promise: str, axes: tuple[Axis, ...], tmp_path: Path
) -> None:
    table = table_with(tmp_path, f"  - id: {row}\n", right, wrong)
    assert (promise, row) in found(rows_proved(table, axes))


def table_with(folder: Path, after: str, right: str, wrong: str) -> Table:
    """The shipped table with the first `right` behind that place written otherwise."""
    text = (HERE / FILE).read_text(encoding="utf-8")
    head, place, rest = text.partition(after)
    assert right in rest
    (folder / FILE).write_text(head + place + rest.replace(right, wrong, 1), encoding="utf-8")
    return load_table(folder, KNOWLEDGE.terminology)


def test_a_row_on_reports_that_reads_examinations_leaves_the_report_silent(
    axes: tuple[Axis, ...], tmp_path: Path
) -> None:
    table = table_with(
        tmp_path, "  - id: weakness-reported\n", "when: weakness reported", "when: weakness examined"
    )
    assert ("a sign is never silent", "weakness") in found(rows_proved(table, axes))


@pytest.mark.parametrize(
    ("advice", "wrong"),
    [("fluids", "heart-failure, "), ("fluids", ", low-sodium"), ("electrolyte-drink", ", raises-potassium")],
)
def test_a_filter_of_self_care_that_is_dropped_is_named(advice: str, wrong: str, tmp_path: Path) -> None:
    ledger = Ledger()
    check_conditions(table_with(tmp_path, f"- {{id: {advice},", wrong, ""), ledger)
    assert ("self-care is filtered for the patient", advice) in found(ledger)


def with_row(row_id: str, change: Callable[[Row], Row]) -> Table:
    return replace(TABLE, rows=tuple(change(row) if row.id == row_id else row for row in TABLE.rows))


def reading(variable: str, *values: str) -> Callable[[Row], Row]:
    leaf = Leaf(variable, frozenset(values))
    return lambda row: replace(row, holds=predicate(leaf), terms=terms(leaf))


@pytest.mark.parametrize(
    ("row", "change", "promise"),
    [
        ("stimulant", reading("drug cns-stimulant", "yes"), "a possible medicine fires as a certain one"),
        (
            "stimulant",
            reading("drug cns-stimulant", "yes", "possible", "no"),
            "a medicine ruled out by time fires nothing",
        ),
        ("weakness", reading("weakness", "examined", "unknown"), "an unknown never fires a row"),
        ("pain", lambda row: replace(row, terms=row.terms[:1]), "operands"),
        ("weakness", lambda row: replace(row, terms=()), "operands"),
        (
            "pain",
            lambda row: replace(row, terms=(row.terms[0] + row.terms[1],)),
            "questions read the condition",
        ),
        ("tingling", lambda row: replace(row, holds=lambda facts: 1 / 0 > 0), "total"),
    ],
)
def test_a_row_that_reads_its_facts_wrong_is_named(
    row: str, change: Callable[[Row], Row], promise: str
) -> None:
    ledger = Ledger()
    tables(with_row(row, change), ledger)
    assert (promise, row) in found(ledger)


def read_wrong() -> Ledger:
    ledger = Ledger()
    read(TABLE, VARIABLES, ledger, whole=False)
    return ledger


def test_a_threshold_in_the_wrong_direction_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = facts.longer_than
    monkeypatch.setattr(facts, "longer_than", lambda onset, limit, as_of: right(onset, limit - 1, as_of))
    ledger = read_wrong()
    assert {("read as section 1 says", name) for name in ("lasts-long", "lasts-long-for-eyelid")} <= found(
        ledger
    )
    assert "onset (days ago)" in ledger.violations[0].state


def test_a_result_that_speaks_a_day_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = facts.band_today
    longer = replace(TABLE, thresholds=replace(TABLE.thresholds, critical_days=31))
    monkeypatch.setattr(facts, "band_today", lambda result, table, as_of: right(result, longer, as_of))
    assert ("read as section 1 says", "any-electrolyte-critical") in found(read_wrong())


def test_a_group_that_moves_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = facts.facts_of

    def wrong(record: facts.Record, table: Table) -> dict[str, str]:
        said = right(record, table)
        return said | {"pain": "absent"} if said.get("atrophy") == "examined" else said

    monkeypatch.setattr("tools.proof.reading.facts_of", wrong)
    assert ("read as section 1 says", "pain") in found(read_wrong())


def test_a_level_that_is_not_the_highest_is_named(
    monkeypatch: pytest.MonkeyPatch, axes: tuple[Axis, ...], truths: tuple[RowTable, ...]
) -> None:
    monkeypatch.setattr(outcome, "highest", lambda levels: min(levels, key=outcome.RANK.__getitem__))
    ledger = Ledger()
    walk(Judge(TABLE, truths, ledger), factors(axes, truths, ledger), whole=False)
    assert ("the level is that of the highest row", "level") in found(ledger)
    assert ("no critical without a stated reason", "level") in found(ledger)


def removed() -> Ledger:
    ledger = Ledger()
    Removals(TABLE, ledger).walk(whole=False)
    return ledger


def test_an_urgent_action_removed_by_a_routine_order_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_file, "URGENT_PRIORITIES", on_file.URGENT_PRIORITIES | {"routine"})
    names = found(removed())
    assert ("removed only by what answers it", "neurology-referral") in names
    assert ("no critical without an urgent action", "actions") in names


def test_a_result_that_answers_a_day_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = on_file.days_between
    monkeypatch.setattr(on_file, "days_between", lambda day, as_of: right(day, as_of) - 1)
    names = found(removed())
    assert {
        ("removed only by what answers it", action) for action in ("electrolytes", "thyroid", "emg")
    } <= names


def test_an_action_that_vanishes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "_add_outcome_of", lambda *given: None)
    assert ("nothing is removed without being named", "withheld") in found(removed())


def test_an_order_of_records_that_matters_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_file, "_dated", lambda study: study.day)
    assert ("order-free", "outcome") in found(removed())


def test_a_warning_lowered_by_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_file.FiledTests, "in_range_or_ordered", lambda *given: True)
    ledger = Ledger()
    check_duration(TABLE, ledger, whole=False)
    assert ("only tests in range or ordered lower a warning, and only of duration", "level") in found(ledger)


def test_a_gate_closed_by_suspicion_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = decision._gate

    def wrong(record: facts.Record, table: Table) -> str:
        sure = {name: replace(found, suspected=False) for name, found in record.findings.items()}
        return right(replace(record, findings=sure), table)

    monkeypatch.setattr(decision, "_gate", wrong)
    ledger = Ledger()
    check_gate(TABLE, ledger)
    assert ("the gate", "gate") in found(ledger)


def test_a_range_without_what_is_not_asked_is_named(
    monkeypatch: pytest.MonkeyPatch, axes: tuple[Axis, ...], truths: tuple[RowTable, ...]
) -> None:
    monkeypatch.setattr(question_search.Search, "_unasked", lambda searched: {})
    ledger = Ledger()
    check_ranges(TABLE, truths, axes, ledger, whole=False)
    assert ("the range holds every completion", "range") in found(ledger)
