"""The questions against writing each answer into the record: test patients, examples, random records.

QUESTION_RUNS=10 tries ten times as many random records.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest

from fhir_mappings.record import Days, Order, Record
from fhir_mappings.to_findings import record_of
from service.decision import decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.answering import SIGNS, SYMPTOMS, TABLE, advice, every_answer, levels
from tests.vignettes.patient import AS_OF, PEOPLE, Person
from tests.vignettes.test_vignettes import submission_of

KNOWLEDGE = load_knowledge()
RUNS = int(os.environ.get("QUESTION_RUNS", "1"))
EXAMPLES = {
    f"{row.id}: {example.title}": record_of_example(example.given)
    for row in TABLE.rows
    for example in row.examples
    if "facts" not in example.given
    # That a bulbar sign is older than the twitch is known by the onset: no answer in words decides it.
    and not ("bulbar" in example.given and "recorded_days_ago" in example.given)
}
SEEDS = range(150 * RUNS)
TESTS = ("sodium", "potassium", "calcium", "magnesium", "tsh", "emg", "ncs", "neurology-referral")
DIAGNOSES = ("heart-failure", "malabsorption", "multiple-sclerosis", "neuromyotonia", "stroke-sequela")


def random_record(seed: int) -> Record:
    """Anything that a table of this kind can be asked about, thresholds and their neighbours included."""
    chance = random.Random(seed)
    given: dict[str, object] = {"age_years": chance.choice([4, 15, 16, 40, 60])}
    if chance.random() < 0.5:
        given["onset_days_ago"] = chance.choice([1, 2, 3, 14, 15, 28, 29, 90, 91, 365, 366])
    if chance.random() < 0.6:
        places = (["eyelid"], ["face"], ["hand"], ["calf"], ["hand", "calf"], ["tongue"])
        given["sites"] = chance.choice(places)
    if chance.random() < 0.6:
        courses = (["stable"], ["worsening"], ["continuous"], ["intermittent"], ["continuous", "worsening"])
        given["courses"] = chance.choice(courses)
    # Now and then nothing is present, or a question that any sign drowns is never reached.
    quiet, loud = ("absent",), ("absent", "absent", "examined", "listed", "reported", "absent-not-examined")
    statuses = chance.choice([quiet, quiet, loud])
    known = chance.choice([0.3, 0.6, 0.9])
    given |= {name: chance.choice(statuses) for name in (*SIGNS, *SYMPTOMS) if chance.random() < known}
    given |= {name: "listed" for name in DIAGNOSES if chance.random() < 0.1}
    record = record_of_example(given)
    if "onset_days_ago" not in given and chance.random() < 0.5:
        latest = days_ago(chance.choice([0, 20, 100, 400]))
        earliest = chance.choice([None, days_ago(700)])
        onset = Days(earliest, latest)
        record = replace(record, twitch=replace(record.twitch, onset=onset, first_recorded=latest))
    if chance.random() < 0.3:
        names = ("thiazide-diuretic", "ssri", "other-lithium", "other-statin")
        record = replace(record, drugs=(drug(chance.choice(names)),))
    if chance.random() < 0.4:
        measured = chance.sample((*TESTS[:5], "creatine-kinase"), chance.randint(1, 5))
        bands = ("in-range", "low", "critical")
        # Whether a normal result is older than the onset is decided by days, not by an answer in words.
        days = (0, 20, 40, 100) if record.twitch.onset.exact else (0, 20)
        results = [result(name, chance.choice(bands), chance.choice(days)) for name in measured]
        record = replace(record, results=tuple(results))
    if chance.random() < 0.3:
        ordered = frozenset(chance.sample(TESTS, chance.randint(1, len(TESTS))))
        record = replace(record, orders=(Order(ordered, days_ago(6), chance.choice([None, "stat"])),))
    if chance.random() < 0.2:
        record = replace(record, patient=replace(record.patient, born=Days()))
    return record


def check(record: Record) -> None:
    """None too few, none too many, each answer with what it leads to; and the range."""
    decision = decide(record, TABLE)
    tried = every_answer(record)
    clicked = {
        (answer.finding, answer.present): answer.outcome
        for question in decision.questions
        for answer in question.answers
        if not question.in_words
    }
    forced = {name for q in decision.questions if q.forced for name in q.findings}
    changing = {name for name, answers in tried.items() if answers.differ}
    in_words = {question.id: question for question in decision.questions if question.in_words}
    assert {name for name, _ in clicked} | set(in_words) == changing | forced
    for (name, present), outcome in clicked.items():
        again = tried[name].outcomes[0 if present else 1]
        assert (outcome.level, outcome.recommendations) == (again.level, again.recommendations)
    for name, question in in_words.items():
        reached = {advice(answer.outcome) for answer in question.answers}
        assert reached == {advice(outcome) for outcome in tried[name].outcomes}
    assert decision.span == levels(record)
    orders = [question.order for question in decision.questions]
    assert orders == sorted(orders)
    assert len({question.order for question in decision.questions if question.on_card}) <= 3


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
def test_a_test_patient_is_asked_exactly_what_matters(person: Person) -> None:
    submission = submission_of("prefetch", person)
    record = record_of(submission, KNOWLEDGE.terminology, AS_OF, KNOWLEDGE.reading)
    if decide(record, TABLE).open:
        check(record)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_asked_exactly_what_matters(name: str) -> None:
    record = EXAMPLES[name]
    if decide(record, TABLE).open:
        check(record)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_record_is_asked_exactly_what_matters(seed: int) -> None:
    check(random_record(seed))


def test_the_random_records_reach_every_question() -> None:
    """A generator that stops reaching a question tests nothing of it."""
    asked: set[str] = set()
    for seed in SEEDS:
        for question in decide(random_record(seed), TABLE).questions:
            asked |= set(question.findings or (question.id,))
    assert asked == {*SIGNS, *SYMPTOMS, "onset", "site", "course", "age", "weakness-start"}
