"""The questions and their order against trying everything: test patients, examples, random records.

QUESTION_RUNS=10 tries ten times as many random records, and every example with two others set.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from itertools import product

import pytest

from fhir_mappings.record import Days, Order, Record
from fhir_mappings.to_findings import record_of
from service.decision import decide
from service.decision.facts import facts_of
from service.decision.on_file import FiledTests
from service.decision.outcome import RANK, outcome
from service.decision.questions import Inquiry
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.every_setting import tried
from tests.vignettes.patient import AS_OF, PEOPLE, Person
from tests.vignettes.test_vignettes import submission_of

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
RUNS = int(os.environ.get("QUESTION_RUNS", "1"))
EXAMPLES = {
    f"{row.id}: {example.title}": record_of_example(example.given)
    for row in TABLE.rows
    for example in row.examples
}
# Two others in each example are a minute of work: one other in all of them, two in every fifth.
IN_FULL = [name for number, name in enumerate(EXAMPLES) if RUNS > 1 or number % 5 == 0]
SEEDS = range(40 * RUNS)
TESTS = ("sodium", "potassium", "calcium", "magnesium", "tsh", "emg", "ncs", "neurology-referral")
DIAGNOSES = ("heart-failure", "malabsorption", "lumbosacral-radiculopathy", "multiple-sclerosis")


def inquiry_of(record: Record) -> Inquiry:
    facts = facts_of(record, TABLE)
    return Inquiry(FiledTests(record, TABLE, facts), facts)


def random_record(seed: int) -> Record:
    """Anything that a table of this kind can be asked about, thresholds and their neighbours included."""
    chance = random.Random(seed)
    given: dict[str, object] = {"age_years": chance.choice([8, 15, 16, 40])}
    if chance.random() < 0.6:
        given["onset_days_ago"] = chance.choice([3, 14, 15, 20, 28, 29, 60, 90, 91, 120])
    if chance.random() < 0.6:
        places = (["eyelid"], ["face"], ["hand"], ["calf"], ["hand", "calf"], ["tongue"])
        given["sites"] = chance.choice(places)
    if chance.random() < 0.6:
        courses = (["stable"], ["worsening"], ["continuous"], ["intermittent"], ["continuous", "worsening"])
        given["courses"] = chance.choice(courses)
    # Now and then nothing is there, or a question that any sign drowns is never reached.
    statuses = chance.choice([("absent",), ("absent", "absent", "examined", "reported")])
    given |= {asked.id: chance.choice(statuses) for asked in TABLE.asked if chance.random() < 0.55}
    given |= {name: "examined" for name in DIAGNOSES if chance.random() < 0.15}
    record = record_of_example(given)
    if chance.random() < 0.3:
        record = replace(record, drugs=(drug(chance.choice(["thiazide-diuretic", "ssri"])),))
    if chance.random() < 0.4:
        measured = chance.sample(TESTS[:5], chance.randint(1, 5))
        bands = ("in-range", "low", "critical")
        record = replace(
            record,
            results=tuple(
                result(name, chance.choice(bands), chance.choice([0, 20, 40, 200])) for name in measured
            ),
        )
    if chance.random() < 0.3:
        ordered = frozenset(chance.sample(TESTS, chance.randint(1, len(TESTS))))
        record = replace(record, orders=(Order(ordered, days_ago(6)),))
    if chance.random() < 0.2:
        record = replace(record, patient=replace(record.patient, born=Days()))
    if chance.random() < 0.2:
        record = replace(record, not_seen=("conditions",))
    return record


def check(record: Record, others: int = 2) -> None:
    """None too few, none too many, each ranked by the most that it can lead to."""
    inquiry = inquiry_of(record)
    questions = inquiry.questions()
    found = tried(inquiry, others)
    asked = {question.id: question for question in questions}
    if others < 2:
        assert set(found) <= set(asked)
        return
    assert set(found) == set(asked)
    for name, question in asked.items():
        reaches = found[name].reaches
        assert question.reach in reaches
        assert RANK[question.level] >= found[name].decides
        # Of that level, none that more actions hang on.
        assert question.reach[1] == min(
            actions for level, actions, _ in reaches if level == question.reach[0]
        )
    assert [q.id for q in questions] == sorted(asked, key=lambda n: (*asked[n].reach, asked[n].in_words, n))


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
@pytest.mark.parametrize("dialect", ["prefetch", "hpo"])
def test_a_test_patient_is_asked_exactly_what_matters(person: Person, dialect: str) -> None:
    record = record_of(submission_of(dialect, person), KNOWLEDGE.terminology, AS_OF, KNOWLEDGE.reading)
    check(record)


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_that_one_other_unknown_can_show_is_left_out(name: str) -> None:
    check(EXAMPLES[name], others=1)


@pytest.mark.parametrize("name", IN_FULL)
def test_an_example_is_asked_exactly_what_matters(name: str) -> None:
    check(EXAMPLES[name])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_record_is_asked_exactly_what_matters(seed: int) -> None:
    check(random_record(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_range_is_that_of_all_completions(seed: int) -> None:
    """No completion leaves it, and both ends are reached."""
    inquiry = inquiry_of(random_record(seed))
    chance = random.Random(seed)
    ranks = {RANK[inquiry.outcome_with({}).level]}
    for words in product(*(group.answers for group in inquiry.groups if group.in_words)):
        for pick in (lambda _: 0, lambda _: 1, chance.randrange):
            clicked = [g.answers[pick(2)] for g in inquiry.groups if not g.in_words]
            facts = {name: fact for _, sets in (*words, *clicked) for name, fact in sets.items()}
            ranks.add(RANK[outcome(inquiry.on_file, {**inquiry.facts, **facts}).level])
    assert [RANK[level] for level in inquiry.span(inquiry.outcome_with({}).level)] == [min(ranks), max(ranks)]


def test_an_eyelid_lets_go_of_what_has_lasted() -> None:
    """Twitching for three weeks asks for the same tests as pain does, unless only an eyelid twitches."""
    settled = {name.id: "absent" for name in TABLE.asked if name.id not in ("pain", "tingling")}
    record = record_of_example({"onset_days_ago": 20, "courses": ["stable"], **settled})
    questions = {question.id: question for question in decide(record, TABLE).questions}
    assert set(questions) == {"site", "pain", "tingling"}
    assert questions["pain"].together == (("site", "an eyelid only"),)
    assert [answer.outcome.level for answer in questions["pain"].answers] == ["warning", "info"]


def test_what_is_assumed_lends_no_rank() -> None:
    """Breathless lying flat leads high by itself: weakness does not, where nothing else makes it."""
    settled = {n.id: "absent" for n in TABLE.asked if n.id not in ("weakness", "orthopnea")}
    record = record_of_example(
        {"onset_days_ago": 60, "sites": ["hand"], "courses": ["stable", "intermittent"], **settled}
    )
    questions = {question.id: question.level for question in decide(record, TABLE).questions}
    # The course of the weakness itself is open.
    assert questions == {"orthopnea": "critical", "weakness": "warning", "course": "warning"}


def test_the_random_records_reach_every_question() -> None:
    """A generator that stops reaching a question tests nothing of it."""
    asked = {question.id for seed in SEEDS for question in decide(random_record(seed), TABLE).questions}
    assert asked == {one.id for one in TABLE.asked} | {one.id for one in TABLE.words}


# What a row reads, is no diagnosis, and is asked by no click; see docs/knowledge.md.
NO_CODE_FOR_AN_ANSWER = {"motor-regression", "restrictive-diet"}
CHANGES_NOTHING = {"family-neurological"}


def test_every_finding_that_a_row_reads_is_asked_or_known_by_its_list() -> None:
    read = {literal.variable for row in TABLE.rows for term in row.terms for literal in term}
    findings = {name for name in KNOWLEDGE.terminology.findings if name in read}
    asked = {one.id for one in TABLE.asked}
    assert findings - asked - set(TABLE.diagnoses) == NO_CODE_FOR_AN_ANSWER | CHANGES_NOTHING


def test_a_low_tone_is_asked_of_a_child_alone() -> None:
    def questions(age: int) -> dict[str, str]:
        return {q.id: q.level for q in decide(record_of_example({"age_years": age}), TABLE).questions}

    assert questions(15)["low-tone"] == "critical"
    assert "low-tone" not in questions(16)
