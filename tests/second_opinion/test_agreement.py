"""Two implementations, one decision: hand-written patients, examples of rows, and states by the thousand.

AGREE_STATES=200000 compares that many sparse random states, every question asked.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pytest

from fhir_mappings.record import Record
from fhir_mappings.to_findings import record_of as record_of_submission
from service.decision import Decision, decide
from service.knowledge import Knowledge
from tests.knowledge.patients import record_of_example
from tests.second_opinion import states
from tests.second_opinion.abstract import TABLE
from tests.second_opinion.agreement import differences, disagreements
from tests.second_opinion.rendered import record_of
from tests.second_opinion.test_outcomes_by_hand import LEVELS
from tests.second_opinion.test_rows_by_hand import ROWS
from tests.vignettes.patient import AS_OF, PEOPLE, Person
from tests.vignettes.test_vignettes import submission_of

STATES = int(os.environ.get("AGREE_STATES", "0"))
BY_HAND = [made for sides in ROWS.values() for side in sides for made in side]
OUTCOMES = [made for made, _ in LEVELS.values()]
BY_HAND += OUTCOMES
EXAMPLES = [
    (f"{row['id']}: {example['title']}", example) for row in TABLE["rows"] for example in row["examples"]
]


def compared(
    patients: Iterable[dict[str, Any]], knowledge: Knowledge, *, questions: bool
) -> Iterator[tuple[Decision, list[str]]]:
    for made in patients:
        decision = decide(record_of(made), knowledge.table)
        yield decision, differences(decision, made, questions=questions)


def disagreeing(patients: Iterable[dict[str, Any]], knowledge: Knowledge, *, questions: bool) -> list[str]:
    """What the first few of those that differ differ in."""
    found: list[str] = []
    for number, (_, lines) in enumerate(compared(patients, knowledge, questions=questions)):
        found += [f"state {number}: {line}" for line in lines]
        if len(found) > 10:
            break
    return found


def test_on_patients_by_hand(knowledge: Knowledge) -> None:
    assert disagreeing(BY_HAND, knowledge, questions=False) == []
    assert disagreeing(OUTCOMES, knowledge, questions=True) == []


@pytest.mark.parametrize(("title", "example"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_on_every_example_of_a_row(title: str, example: dict[str, Any], knowledge: Knowledge) -> None:
    assert disagreements(record_of_example(example["given"]), knowledge.table, questions=False) == []


@pytest.mark.parametrize("dialect", ["snomed", "icd"])
@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
def test_on_every_patient(person: Person, dialect: str, knowledge: Knowledge) -> None:
    record: Record = record_of_submission(
        submission_of(dialect, person), knowledge.terminology, AS_OF, knowledge.reading
    )
    assert disagreements(record, knowledge.table) == []


def test_on_facts_alone(knowledge: Knowledge) -> None:
    assert disagreeing(islice(states.singles(), 0, None, 3), knowledge, questions=False) == []


def test_on_pairs_of_facts(knowledge: Knowledge) -> None:
    assert disagreeing(islice(states.pairs(seed=1), 0, None, 16), knowledge, questions=False) == []


def test_on_a_sample_with_every_question(knowledge: Knowledge) -> None:
    assert disagreeing(states.sampled(150, 3, BY_HAND), knowledge, questions=True) == []


@pytest.mark.skipif(not STATES, reason="AGREE_STATES=200000 takes an hour")
def test_on_as_many_states_as_asked_for(knowledge: Knowledge) -> None:
    assert disagreeing(states.singles(), knowledge, questions=False) == []
    assert disagreeing(states.pairs(seed=4), knowledge, questions=False) == []
    assert disagreeing(states.sampled(STATES, 5, BY_HAND), knowledge, questions=True) == []


@pytest.fixture(scope="module")
def sample(knowledge: Knowledge) -> list[tuple[Decision, list[str]]]:
    return list(compared(states.sampled(2400, 7, BY_HAND), knowledge, questions=False))


def test_on_a_sample(sample: list[tuple[Decision, list[str]]]) -> None:
    assert [line for _, lines in sample for line in lines][:10] == []


@pytest.fixture(scope="module")
def reached(sample: list[tuple[Decision, list[str]]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for decision, _ in sample:
        found[f"gate {decision.gate or 'open'}"] += 1
        found[f"level {decision.level}"] += 1
        found.update(f"row {row.id}" for row in decision.rows)
        found.update(f"withheld {withheld.why}" for withheld in decision.withheld)
        found.update(f"advice {advice.id}" for advice in decision.self_care)
        for made in decision.recommendations:
            found[f"action {made.id}"] += 1
            found["too low"] += made.too_low is not None
            found["in hand"] += made.in_hand
    return found


class TestTheSample:
    """The states are worth what they reach."""

    def test_every_row_fires(self, reached: Counter[str]) -> None:
        assert [row["id"] for row in TABLE["rows"] if not reached[f"row {row['id']}"]] == []

    def test_every_action_and_advice_is_given(self, reached: Counter[str]) -> None:
        assert [a["id"] for a in TABLE["actions"] if not reached[f"action {a['id']}"]] == []
        assert [a["id"] for a in TABLE["self_care"] if not reached[f"advice {a['id']}"]] == []
        assert reached["too low"]
        assert reached["in hand"]

    def test_every_reason_and_level_is_reached(self, reached: Counter[str]) -> None:
        wanted = {"done", "ordered", "seen", "child", "beside-now", "beside-urgent"}
        assert {name.split()[1] for name in reached if name.startswith("withheld")} == wanted
        gates = {name.split()[1] for name in reached if name.startswith("gate")}
        assert {"open", "no-twitch", "deceased", "known-disease"} <= gates
        levels = {name.split()[1] for name in reached if name.startswith("level")}
        assert levels == {"none", "info", "warning", "critical"}
