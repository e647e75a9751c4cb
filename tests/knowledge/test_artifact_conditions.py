"""The conditions of the published plan: FHIRPath that says what the table says."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from service.decision import decide
from service.decision.facts import facts_of
from service.decision.recommendations import Outcome
from service.decision.table import (
    ABSENT,
    ABSENT_NOT_EXAMINED,
    EXAMINED,
    FALSE,
    LISTED,
    REPORTED,
    TRUE,
    UNKNOWN,
    ActionRole,
    All,
    AnyOf,
    Condition,
    Example,
    Leaf,
    Not,
    Row,
    predicate,
    terms,
)
from tests.knowledge.patients import outcome_of_example, record_of_example
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


TABLE = KNOWLEDGE.table
EXAMPLES = [(row, example) for row in TABLE.rows for example in row.examples]
ACT_ON_RESULT = TABLE.action_for(ActionRole.ACT_ON_RESULT).id
SELF_CARE = TABLE.action_for(ActionRole.SELF_CARE).id


def facts_read(facts: dict[str, str], outcome: Outcome) -> dict[str, str]:
    """The facts of the record, and those that the last rows read of what the others gave."""
    return {**facts, **outcome.last_facts, "gate": "open"}


def facts_given(example: Example) -> dict[str, str]:
    facts: dict[str, str] = facts_of(record_of_example(example.given), TABLE)
    given: dict[str, Any] = dict(example.given)
    return facts | {name: str(value).lower() for name, value in given.get("facts", {}).items()}


@pytest.mark.parametrize(("row", "example"), EXAMPLES, ids=[f"{r.id}: {e.title}" for r, e in EXAMPLES])
def test_every_condition_holds_where_its_examples_say(row: Row, example: Example) -> None:
    outcome = outcome_of_example(example.given, TABLE)
    facts = facts_read(facts_given(example), outcome)
    assert applicable(ACTIONS[row.id], facts) is example.holds
    # All the other rows as well, and what each asks for.
    assert {name for name, action in ACTIONS.items() if applicable(action, facts)} == {
        fired.id for fired in outcome.rows
    }
    asked = {
        inner["id"].partition(".")[2]
        for fired in outcome.rows
        for inner in ACTIONS[fired.id].get("action", ())
        if applicable(inner, facts)
    }
    recommended = {made.id: made for made in outcome.recommendations}
    # A test that is done and out of range is acted on though no row says so: an engine adds that itself.
    for result in recommended[ACT_ON_RESULT].results if recommended.keys() - asked else ():
        assert result.reference in {withheld.reference for withheld in outcome.withheld}
    assert recommended.keys() - asked <= {ACT_ON_RESULT}
    assert asked <= recommended.keys() | {withheld.id for withheld in outcome.withheld}
    assert not asked & {withheld.id for withheld in outcome.withheld if withheld.why == "child"}


def advised(facts: Mapping[str, str]) -> list[str]:
    """The advice that the plan gives for those facts."""
    (care,) = [one for action in ACTIONS.values() for one in action.get("action", ()) if is_care(one)]
    return [inner["id"].rpartition(".")[2] for inner in care["action"] if applicable(inner, dict(facts))]


def is_care(action: dict[str, Any]) -> bool:
    return bool(action["id"].partition(".")[2] == SELF_CARE)


def test_the_advice_of_every_example_is_that_of_its_card() -> None:
    given = 0
    for _, example in EXAMPLES:
        decision = decide(record_of_example(example.given), TABLE)
        if any(made.id == SELF_CARE for made in decision.recommendations):
            given += 1
            assert advised(decision.facts) == [advice.id for advice in decision.self_care]
    assert given > 20


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ({}, ["usual"]),
        ({"caffeine": "reported"}, ["caffeine"]),
        ({"caffeine": "listed"}, ["caffeine"]),
        ({"caffeine": "absent"}, ["usual"]),
        ({"dehydration": "reported"}, ["fluids", "electrolyte-drink"]),
        ({"dehydration": "reported", "raises-potassium": "true"}, ["fluids"]),
        ({"dehydration": "reported", "any-electrolyte-abnormal": "true"}, ["fluids"]),
        ({"dehydration": "reported", "drug potassium-sparing-diuretic": "possible"}, ["fluids"]),
        (
            {"dehydration": "reported", "drug potassium-sparing-diuretic": "no"},
            ["fluids", "electrolyte-drink"],
        ),
        ({"dehydration": "reported", "sodium-low": "true"}, ["electrolyte-drink"]),
        ({"dehydration": "reported", "heart-failure": "listed"}, ["usual"]),
        ({"dehydration": "reported", "heart-failure": "examined", "sleep": "reported"}, ["sleep"]),
    ],
)
def test_advice_is_filtered_as_on_a_card(recorded: dict[str, str], expected: list[str]) -> None:
    assert advised(recorded) == expected


def test_advice_is_withheld_from_a_child() -> None:
    (care,) = [one for action in ACTIONS.values() for one in action.get("action", ()) if is_care(one)]
    assert applicable(care, {"caffeine": "reported"})
    assert not applicable(care, {"caffeine": "reported", "child-age": "true"})


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
    "finding": [EXAMINED, LISTED, REPORTED, ABSENT, ABSENT_NOT_EXAMINED, UNKNOWN],
    "drug": ["yes", "possible", "no", UNKNOWN],
    "feature": [TRUE, FALSE, UNKNOWN],
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
    ways = terms(condition)
    # The engine takes some 10 ms for an expression of that size.
    for number in range(drawn):
        if number % 2:
            # One way in which it is true, and one fact drawn anew.
            wanted = [one for one in draw.choice(ways) if one.positive]
            facts = {one.variable: draw.choice(sorted(one.values)) for one in wanted}
            if number % 4 == 1:
                changed = draw.choice(names)
                facts[changed] = draw.choice(values[names.index(changed)])
            yield facts
        else:
            # Mostly unknown, as records are: else nearly every "any" would be true.
            yield {
                name: draw.choice([*one, *[UNKNOWN] * len(one)])
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
    for fact in ("current other-statin", "stopped ssri", "egfr-below-15", "level-info"):
        kind, _, name = fact.rpartition(" ")
        label = TERMINOLOGY.medications.class_labels[name] if kind else KNOWLEDGE.pages.features[name].holds
        assert label in described[fact]
    for value in (EXAMINED, LISTED, REPORTED, ABSENT, ABSENT_NOT_EXAMINED):
        assert re.search(rf"\b{value}\b(?!-)", described["weakness"]), value


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
    assert {"analyte-potassium", "analyte-calcium-ionised"} <= read_by("electrolyte-abnormal")
    assert {"finding-tingling", "finding-cramps"} <= read_by("electrolyte-critical")
    assert {"finding-hypokalemia", "analyte-potassium"} <= read_by("electrolyte-disorder")
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
        ("nerve-irritation", "body-region-legs", {"Condition", "Observation"}),
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
