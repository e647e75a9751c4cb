"""Two implementations, one decision: on every example and patient there is, and on states by the thousand.

AGREE_STATES=200000 walks that many states of the full product, every question asked.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import pytest

from fhir_mappings.record import Days, Record, Twitch
from fhir_mappings.to_findings import record_of
from service.decision import Decision, decide
from service.knowledge import Knowledge
from tests.knowledge.patients import days_ago, record_of_example
from tests.second_opinion import states
from tests.second_opinion.agreement import differences, disagreements
from tests.second_opinion.facets import ACTIONS, FACETS, GATE_FACETS, TABLE, TWITCH
from tests.second_opinion.opinion import opinion
from tests.second_opinion.opinion_facts import facts_of
from tests.second_opinion.opinion_knowledge import knowledge as yaml_knowledge
from tests.second_opinion.opinion_outcome import Case
from tests.second_opinion.opinion_questions import Inquiry
from tests.second_opinion.plain import plain
from tests.unit.test_questions import BASES
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.patient import AS_OF, PEOPLE, Person
from tests.vignettes.test_vignettes import submission_of

STATES = int(os.environ.get("AGREE_STATES", "0"))
EXAMPLES = [
    (f"{row['id']}: {example['title']}", example)
    for row in yaml_knowledge()["rows"]
    for example in row["examples"]
]


def all_disagreements(
    records: Iterable[Record], knowledge: Knowledge, *, questions: bool
) -> tuple[int, list[str]]:
    """How many were compared, and what the first few that differ differ in."""
    number, found = 0, []
    for record in records:
        number += 1
        found += [
            f"state {number}: {line}" for line in disagreements(record, knowledge.table, questions=questions)
        ]
        if len(found) > 10:
            break
    return number, found


@pytest.mark.parametrize(("title", "example"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_on_every_example_of_a_row(title: str, example: dict[str, object], knowledge: Knowledge) -> None:
    record = record_of_example(example["given"])
    # Every question of a record in which little is known is a second's work: of every fourth, or of all.
    asked = bool(STATES) or [name for name, _ in EXAMPLES].index(title) % 4 == 0
    assert disagreements(record, knowledge.table, questions=asked) == []
    row = title.partition(":")[0]
    assert (row in opinion(record, questions=False)["rows"]) is example["holds"]


@pytest.mark.parametrize("base", BASES)
def test_on_the_records_of_the_questions(base: str, knowledge: Knowledge) -> None:
    assert disagreements(BASES[base], knowledge.table) == []


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
def test_on_every_patient_in_every_dialect(person: Person, knowledge: Knowledge) -> None:
    found = {}
    for dialect in DIALECTS:
        record = record_of(submission_of(dialect, person), knowledge.terminology, AS_OF, knowledge.reading)
        found[dialect] = disagreements(record, knowledge.table)
    assert len(found) > 5
    assert {dialect: lines for dialect, lines in found.items() if lines} == {}


def test_on_every_value_alone(knowledge: Knowledge) -> None:
    number, found = all_disagreements(states.singles(), knowledge, questions=False)
    assert found == []
    assert number == sum(map(len, FACETS.values())) + sum(map(len, GATE_FACETS.values()))


def test_on_every_two_facets(knowledge: Knowledge) -> None:
    number, found = all_disagreements(states.pairs_of_facets(seed=1), knowledge, questions=False)
    assert found == []
    assert number == len(FACETS) * (len(FACETS) - 1) // 2


@pytest.fixture(scope="module")
def sample(knowledge: Knowledge) -> list[Decision]:
    return [decide(record, knowledge.table) for record in states.sampled(1200, seed=2)]


def test_on_a_sample_of_the_full_product(sample: list[Decision]) -> None:
    found = [line for decision in sample for line in differences(decision, questions=False)]
    assert found[:10] == []
    assert len(sample) == 1200


def test_on_a_sample_with_every_question(knowledge: Knowledge) -> None:
    number, found = all_disagreements(states.sampled(120, seed=3), knowledge, questions=True)
    assert found == []
    assert number == 120


@pytest.mark.skipif(not STATES, reason="AGREE_STATES=200000 takes minutes")
def test_on_as_many_states_as_asked_for(knowledge: Knowledge) -> None:
    each = STATES // 2
    number, found = all_disagreements(islice(states.pairs(seed=4), each), knowledge, questions=False)
    assert found == []
    more, found = all_disagreements(states.sampled(STATES - number, seed=5), knowledge, questions=True)
    assert found == []
    print(f"{number + more} states, no disagreement")
    assert number + more == STATES


def reached_in(decisions: Iterable[Decision]) -> Counter[str]:
    """How often each outcome came."""
    found: Counter[str] = Counter()
    for decision in decisions:
        found[f"gate {decision.gate or 'open'}"] += 1
        found.update(f"row {row.id}" for row in decision.rows)
        found.update(f"withheld {withheld.kind}" for withheld in decision.withheld)
        found.update(f"advice {advice.id}" for advice in decision.self_care)
        for made in decision.recommendations:
            found[f"action {made.id}"] += 1
            found["routine order named"] += made.routine_order is not None
    return found


class TestTheSample:
    """The states are worth what they reach."""

    def test_every_row_fires(self, sample: list[Decision]) -> None:
        reached = reached_in(sample)
        assert [row["id"] for row in TABLE["rows"] if reached[f"row {row['id']}"] < 2] == []

    def test_every_action_is_recommended_and_every_advice_given(self, sample: list[Decision]) -> None:
        reached = reached_in(sample)
        assert [name for name in ACTIONS if not reached[f"action {name}"]] == []
        assert [a["id"] for a in TABLE["self_care"] if not reached[f"advice {a['id']}"]] == []
        assert reached["routine order named"]

    def test_every_reason_to_withhold_and_to_close_is_reached(self, sample: list[Decision]) -> None:
        reached = reached_in(sample)
        kinds = {name.split()[1] for name in reached if name.startswith("withheld")}
        assert kinds == {"done", "act-on", "ordered", "child"}
        gates = {name.split()[1] for name in reached if name.startswith("gate")}
        assert gates == {"open", "no-twitch", "unseen", "unread", "deceased", "known-disease"}


def test_the_ends_of_the_range_are_those_of_all_completions() -> None:
    """The second opinion's own shortcut, against every completion, where few things are unknown."""
    checked: Counter[tuple[str, str]] = Counter()
    table = yaml_knowledge()
    bases = [
        *states.sampled(300, seed=6),
        record_of_example({"onset_days_ago": 20}),
        replace(record_of_example({"sites": ["hand"], "weakness": "examined"}), twitch=_open_onset()),
    ]
    for record in bases:
        case, facts = Case(table, plain(record)), facts_of(table, plain(record))
        inquiry = Inquiry(case, facts)
        if len(inquiry.groups) <= 6:
            low, high = inquiry.span()
            assert [low, high] == inquiry.span_by_all()
            checked[low, high] += 1
    assert checked.total() > 100
    assert len(checked) > 4


def _open_onset() -> Twitch:
    return replace(TWITCH, onset=Days(days_ago(60), days_ago(5)), courses=frozenset({"worsening"}))
