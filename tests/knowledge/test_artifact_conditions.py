"""The conditions of the published plan: FHIRPath that says what the table says."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import product

import pytest

from service.decision import Decision, decide
from service.decision.outcome import level_of
from service.decision.table import All, AnyOf, Condition, Example, Leaf, Not, Row, predicate
from tests.knowledge.patients import record_of_example
from tests.knowledge.published import (
    ACTIONS,
    KNOWLEDGE,
    RESOURCES,
    VALUE_SETS,
    applicable,
    true_of,
    walked,
)
from tools.artifacts.conditions import fhirpath_of
from tools.artifacts.work_up import LIBRARY, PLAN

TERMINOLOGY = KNOWLEDGE.terminology


def facts_read(decision: Decision) -> dict[str, str]:
    _, read = level_of(KNOWLEDGE.table, decision.facts)
    return {**read, "gate": decision.gate or "open"}


EXAMPLES = [(row, example) for row in KNOWLEDGE.table.rows for example in row.examples]


@pytest.mark.parametrize(("row", "example"), EXAMPLES, ids=[f"{r.id}: {e.title}" for r, e in EXAMPLES])
def test_every_condition_holds_where_its_examples_say(row: Row, example: Example) -> None:
    decision = decide(record_of_example(example.given), KNOWLEDGE.table)
    facts = facts_read(decision)
    assert applicable(ACTIONS[row.id], facts) is example.holds
    # All the other rows as well, and what each asks for.
    assert {name for name, action in ACTIONS.items() if applicable(action, facts)} == {
        fired.id for fired in decision.rows
    }
    asked = {
        inner["id"].partition(".")[2]
        for fired in decision.rows
        for inner in ACTIONS[fired.id].get("action", ())
        if applicable(inner, facts)
    }
    assert {r.id for r in decision.recommendations} <= asked
    assert asked <= {r.id for r in decision.recommendations} | {w.id for w in decision.withheld}
    assert not asked & {w.id for w in decision.withheld if w.kind == "child"}
    if "self-care" in asked:
        (care,) = ACTIONS["self-care"]["action"]
        advised = [inner["id"].rpartition(".")[2] for inner in care["action"] if applicable(inner, facts)]
        assert advised == [advice.id for advice in decision.self_care]


@pytest.mark.parametrize(
    ("recorded", "advised"),
    [
        ({}, ["rest"]),
        ({"caffeine": "reported"}, ["caffeine"]),
        ({"dehydration": "reported"}, ["fluids", "electrolyte-drink"]),
        ({"dehydration": "reported", "raises-potassium": "true"}, ["fluids"]),
        ({"dehydration": "reported", "any-electrolyte-abnormal": "true"}, ["fluids"]),
        ({"dehydration": "reported", "heart-failure": "examined"}, ["rest"]),
        ({"dehydration": "reported", "heart-failure": "examined", "sleep": "reported"}, ["sleep"]),
    ],
)
def test_advice_is_filtered_as_on_a_card(recorded: dict[str, str], advised: list[str]) -> None:
    (care,) = ACTIONS["self-care"]["action"]
    assert [one["id"].rpartition(".")[2] for one in care["action"] if applicable(one, recorded)] == advised
    assert applicable(care, recorded)
    assert not applicable(care, {**recorded, "child-age": "true"})


@pytest.mark.parametrize("gate", ["no-twitch", "unseen", "deceased", "known-disease", "unknown"])
def test_nothing_is_applicable_behind_a_closed_gate(gate: str) -> None:
    facts = {
        "weakness": "examined",
        "bulbar": "examined",
        "lasts-long": "true",
        "any-electrolyte-critical": "true",
    }
    assert any(applicable(action, {**facts, "gate": "open"}) for action in ACTIONS.values())
    assert not any(applicable(action, {**facts, "gate": gate}) for action in ACTIONS.values())


VALUES = {
    "finding": ["examined", "reported", "absent", "unknown"],
    "drug": ["yes", "possible", "no", "unknown"],
    "feature": ["true", "false", "unknown"],
}


def leaves(condition: Condition) -> Iterator[Leaf]:
    match condition:
        case Leaf():
            yield condition
        case Not(part):
            yield from leaves(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)


def assignments(condition: Condition, at_most: int = 1500, drawn: int = 150) -> Iterator[dict[str, str]]:
    """Every assignment of the facts that it reads; so many drawn ones where there are more."""
    names = list(dict.fromkeys(leaf.variable for leaf in leaves(condition)))
    values = [
        VALUES["finding" if n in TERMINOLOGY.findings else "drug" if n.startswith("drug ") else "feature"]
        for n in names
    ]
    size = 1
    for one in values:
        size *= len(one)
    if size <= at_most:
        for chosen in product(*values):
            yield dict(zip(names, chosen, strict=True))
        return
    draw = random.Random(size)
    # The engine takes some 10 ms for an expression of that size.
    for _ in range(drawn):
        # Mostly unknown, as records are: else nearly every "any" would be true.
        yield {
            name: draw.choice([*one, *["unknown"] * len(one)])
            for name, one in zip(names, values, strict=True)
        }


CONDITIONS = {
    **{row.id: row.when for row in KNOWLEDGE.table.rows},
    **{f"{r.id}.{a.id}": a.when for r in KNOWLEDGE.table.rows for a in r.actions if a.when},
    **{advice.id: advice.withheld_when for advice in KNOWLEDGE.table.self_care if advice.withheld_when},
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_fhirpath_says_what_the_table_says(name: str) -> None:
    condition = CONDITIONS[name]
    expression, wanted = fhirpath_of(condition), predicate(condition)
    seen = set()
    for facts in assignments(condition):
        assert true_of(expression, facts) is wanted(facts), facts
        seen.add(wanted(facts))
    assert seen == {True, False}


def test_every_fact_that_a_condition_reads_is_described() -> None:
    described = {one["name"]: one["documentation"] for one in RESOURCES["Library"][LIBRARY]["parameter"]}
    read = set()
    for name, value in walked(RESOURCES["PlanDefinition"][PLAN]):
        if name == "expression" and isinstance(value, str):
            read |= set(re.findall(r"name = '([^']+)'", value))
    assert set(described) == read
    assert KNOWLEDGE.table.thresholds.persistent_days == 14
    assert "14 days" in described["lasts-long"]
    critical = described["any-electrolyte-critical"]
    assert KNOWLEDGE.pages.features["any-electrolyte-critical"].how in critical
    assert "6.5" in critical


def test_a_row_names_the_value_sets_that_it_reads() -> None:
    def read_by(row: str) -> set[str]:
        return {
            code_filter["valueSet"].rpartition("/")[2].partition("|")[0]
            for need in ACTIONS[row]["input"]
            for code_filter in need.get("codeFilter", ())
        }

    gate = read_by("child")
    assert gate == {
        "finding-fasciculation",
        "finding-motor-neuron-disease",
        "finding-spinal-muscular-atrophy",
    }
    assert read_by("tingling") == gate | {"finding-tingling"}
    assert read_by("stimulant") == gate | {"medication-cns-stimulant"}
    assert {"analyte-potassium", "analyte-calcium-ionised", "finding-hypokalemia"} <= read_by(
        "electrolyte-abnormal"
    )
    assert "body-region-tongue" in read_by("bulbar")
    for row in ACTIONS:
        assert read_by(row) <= set(VALUE_SETS)


@pytest.mark.parametrize(
    ("row", "value_set", "kinds"),
    [
        ("tingling", "finding-tingling", {"Condition", "Observation"}),
        ("multiple-sclerosis", "finding-multiple-sclerosis", {"Condition"}),
        ("family-history", "finding-family-neurological", {"Condition", "FamilyMemberHistory"}),
        ("stimulant", "medication-cns-stimulant", {"MedicationRequest", "MedicationStatement"}),
        ("nerve-root", "body-region-legs", {"Condition", "Observation"}),
        ("b12-low", "analyte-vitamin-b12", {"Observation"}),
    ],
)
def test_a_row_names_the_resources_that_it_reads(row: str, value_set: str, kinds: set[str]) -> None:
    found = {
        need["type"]
        for need in ACTIONS[row]["input"]
        for one in need.get("codeFilter", ())
        if f"/{value_set}|" in one["valueSet"]
    }
    assert found == kinds


def test_a_row_names_what_it_reads_of_the_patient() -> None:
    def read_by(row: str) -> list[list[str]]:
        return [need["mustSupport"] for need in ACTIONS[row]["input"] if need["type"] == "Patient"]

    assert read_by("child") == [["birthDate"], ["deceased"]]
    assert read_by("tingling") == [["deceased"]]
