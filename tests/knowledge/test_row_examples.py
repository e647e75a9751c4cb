"""Every example of every row, as the clinician wrote it."""

import pytest

from service.decision import decide
from service.decision.table import Example, Row
from service.knowledge import load_knowledge
from tests.knowledge.patients import record_of_example

KNOWLEDGE = load_knowledge()
EXAMPLES = [(row, example) for row in KNOWLEDGE.table.rows for example in row.examples]


@pytest.mark.parametrize(("row", "example"), EXAMPLES, ids=[f"{r.id}: {e.title}" for r, e in EXAMPLES])
def test_example(row: Row, example: Example) -> None:
    decision = decide(record_of_example(example.given), KNOWLEDGE.table)
    assert decision.fired(row.id) is example.holds


# The ids of section 3 of the decision model: a row that goes missing must be missed.
ROWS = [
    "weakness-with-persistence-or-spread",
    "weakness",
    "weakness-reported",
    "atrophy",
    "sensory-loss",
    "sensory-loss-reported",
    "tingling",
    "coordination",
    "coordination-reported",
    "movement",
    "persistent",
    "eyelid-long",
    "widespread",
    "pain",
    "nerve-root",
    "diuretic-depleting",
    "diuretic-sparing",
    "corticosteroid",
    "beta-agonist",
    "antidepressant",
    "stimulant",
    "dopaminergic",
    "electrolyte-abnormal",
    "electrolyte-critical",
    "b12-low",
    "thyroid-abnormal",
    "thyroid-disease",
    "malabsorption",
    "family-history",
    "multiple-sclerosis",
    "hyperexcitability",
    "bulbar",
    "respiratory",
    "rapid-weakness",
    "progressive-weakness",
    "weakness-and-atrophy",
    "weakness-and-atrophy-worsening",
    "child",
    "child-sign",
    "child-weakness",
    "self-care",
    "nothing-calls-for-tests",
]


def test_every_row_of_the_model_is_in_the_table() -> None:
    # A row more is the clinician's to add; its own examples are its test.
    assert [row.id for row in KNOWLEDGE.table.rows if row.id in ROWS] == ROWS


def test_roles_are_those_of_the_model() -> None:
    """What a card says because of a row, or does with an action: on each of these, and on no other."""
    roles = {row.id: {role.value for role in row.roles} for row in KNOWLEDGE.table.rows if row.id in ROWS}
    assert {row: borne for row, borne in roles.items() if borne} == {
        "diuretic-sparing": {"can-raise-potassium"},
        "electrolyte-critical": {"treat-today"},
        "b12-low": {"treat-b12"},
        "family-history": {"named"},
        "bulbar": {"exclude-disease"},
        "weakness-and-atrophy": {"exclude-disease"},
        "nothing-calls-for-tests": {"nothing"},
    }
    assert [name for name, action in KNOWLEDGE.table.actions.items() if action.roles] == ["electrolytes"]


# "!" urgent, "~" for the paediatric team.
@pytest.mark.parametrize(
    ("row", "level", "actions"),
    [
        ("weakness-with-persistence-or-spread", "warning", "emg ncs electrolytes thyroid"),
        ("weakness", "warning", "emg ncs electrolytes thyroid"),
        ("weakness-reported", "warning", "ask-examination electrolytes thyroid"),
        ("atrophy", "warning", "emg ncs electrolytes thyroid"),
        ("sensory-loss", "warning", "ncs emg electrolytes"),
        ("sensory-loss-reported", "warning", "ask-examination electrolytes"),
        ("tingling", "warning", "electrolytes"),
        ("coordination", "warning", "mri electrolytes"),
        ("coordination-reported", "warning", "ask-examination electrolytes"),
        ("movement", "warning", "electrolytes thyroid"),
        ("persistent", "warning", "electrolytes thyroid"),
        ("eyelid-long", "warning", "electrolytes thyroid"),
        ("widespread", "warning", "electrolytes thyroid"),
        ("pain", "warning", "electrolytes"),
        ("nerve-root", "warning", "ncs emg"),
        ("diuretic-depleting", "info", "medication-review electrolytes"),
        ("diuretic-sparing", "info", "medication-review electrolytes"),
        ("corticosteroid", "info", "medication-review electrolytes"),
        ("beta-agonist", "info", "medication-review electrolytes"),
        ("antidepressant", "info", "medication-review"),
        ("stimulant", "info", "medication-review"),
        ("dopaminergic", "info", "medication-review"),
        ("electrolyte-abnormal", "warning", "electrolytes medication-review"),
        ("electrolyte-critical", "critical", "electrolytes!"),
        ("b12-low", "warning", ""),
        ("thyroid-abnormal", "warning", "thyroid"),
        ("thyroid-disease", "info", "thyroid"),
        ("malabsorption", "info", "vitamin-b12 vitamin-d zinc"),
        ("family-history", "info", ""),
        ("multiple-sclerosis", "warning", "neurology-referral"),
        ("hyperexcitability", "warning", "autoimmune"),
        ("bulbar", "critical", "neurology-referral!"),
        ("respiratory", "critical", "neurology-referral!"),
        ("rapid-weakness", "critical", "neurology-referral! electrolytes"),
        ("progressive-weakness", "warning", "neurology-referral"),
        ("weakness-and-atrophy", "warning", "neurology-referral"),
        ("weakness-and-atrophy-worsening", "critical", "neurology-referral!"),
        ("child", "info", ""),
        ("child-sign", "warning", "neurology-referral~"),
        ("child-weakness", "critical", "neurology-referral!~"),
        ("self-care", "info", "self-care"),
        ("nothing-calls-for-tests", "info", ""),
    ],
)
def test_level_and_actions_are_those_of_the_model(row: str, level: str, actions: str) -> None:
    found = KNOWLEDGE.table.row(row)
    assert found is not None
    assert found.level == level
    marked = [f"{a.id}{'!' if a.urgent else ''}{'~' if a.paediatric else ''}" for a in found.actions]
    assert marked == actions.split()
    # Only duration alone is settled by tests that are done, and only the summing up is read last.
    assert found.downgraded_when_tests_done is (row in ("persistent", "eyelid-long"))
    assert found.last is (row in ("self-care", "nothing-calls-for-tests"))
