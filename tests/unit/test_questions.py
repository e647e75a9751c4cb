"""The questions of section 5, against trying every completion."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from fhir_mappings.record import Days, Order, Record
from service.decision import decide
from service.decision.facts import facts_of
from service.decision.on_file import FiledTests
from service.decision.outcome import RANK, outcome
from service.decision.questions import Inquiry
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.every_setting import tried

TABLE = load_knowledge().table
SIGNS_ABSENT = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}

BASES: dict[str, Record] = {
    "code only": record_of_example({}),
    "day 5, thigh": record_of_example({"onset_days_ago": 5, "sites": ["thigh"], **SIGNS_ABSENT}),
    "day 15, thigh": record_of_example({"onset_days_ago": 15, "sites": ["thigh"], "courses": ["stable"]}),
    "weak hand": record_of_example({"onset_days_ago": 20, "sites": ["hand"], "weakness": "examined"}),
    "child": record_of_example({"age_years": 8, "sites": ["eyelid"], "onset_days_ago": 3}),
    "age unknown": replace(
        record_of_example({"sites": ["calf"], "lumbosacral-radiculopathy": "examined"}),
        patient=replace(record_of_example({}).patient, born=Days()),
    ),
    "all ordered": replace(
        record_of_example({"onset_days_ago": 30, "sites": ["forearm"], **SIGNS_ABSENT}),
        orders=(
            Order(
                frozenset({"sodium", "potassium", "calcium", "magnesium", "tsh", "emg", "ncs"}), days_ago(6)
            ),
        ),
    ),
    "thiazide": replace(record_of_example({"onset_days_ago": 5}), drugs=(drug("thiazide-diuretic"),)),
    # An eyelid alone would take the thyroid test away that the duration asks for: then movement brings it.
    "duration that a site can end": record_of_example({"onset_days_ago": 29, "sensory-loss": "examined"}),
    "critical potassium": replace(record_of_example({}), results=(result("potassium", "critical"),)),
    "heart failure, continuous": record_of_example(
        {"heart-failure": "examined", "courses": ["continuous"], "malabsorption": "examined"}
    ),
}


def inquiry_of(record: Record) -> Inquiry:
    facts = facts_of(record, TABLE)
    return Inquiry(FiledTests(record, TABLE, facts), facts)


@pytest.mark.parametrize("base", BASES)
def test_the_questions_are_those_that_trying_everything_finds(base: str) -> None:
    inquiry = inquiry_of(BASES[base])
    assert {q.id for q in inquiry.questions()} == set(tried(inquiry))


@pytest.mark.parametrize("base", BASES)
def test_the_range_holds_every_answer(base: str) -> None:
    inquiry = inquiry_of(BASES[base])
    low, high = inquiry.span(inquiry.outcome_with({}).level)
    levels = set()
    for answers in product(*((g.answers[0], g.answers[-1]) for g in inquiry.groups[:9])):
        sets = {k: v for _, chosen in answers for k, v in chosen.items()}
        levels.add(outcome(inquiry.on_file, {**inquiry.facts, **sets}).level)
    assert all(RANK[low] <= RANK[level] <= RANK[high] for level in levels)


# Who is known in everything that can be asked, and is well.
SETTLED = {
    "onset_days_ago": 5,
    "sites": ["hand"],
    "courses": ["stable", "intermittent"],
    **{asked.id: "absent" for asked in TABLE.asked},
}


class TestTheRangeHoldsWhatNobodyIsAsked:
    """A finding without a question is unknown too: to learn of it must not leave the range."""

    @staticmethod
    def unseen(**given: Any) -> Record:
        settled = record_of_example({**SETTLED, **given})
        courses = {name: replace(found, worsening=False) for name, found in settled.findings.items()}
        return replace(settled, findings=courses, not_seen=("conditions",))

    def test_heart_failure_may_explain_who_is_breathless_lying_flat(self) -> None:
        before = decide(self.unseen(orthopnea="reported"), TABLE)
        after = decide(self.unseen(orthopnea="reported", **{"heart-failure": "examined"}), TABLE)
        assert (before.level, after.level) == ("critical", "info")
        assert before.span == ("info", "critical")

    def test_multiple_sclerosis_may_be_on_the_list_that_was_not_seen(self) -> None:
        before = decide(self.unseen(), TABLE)
        assert before.span == ("info", "warning")
        assert decide(self.unseen(**{"multiple-sclerosis": "examined"}), TABLE).level == "warning"

    def test_not_on_a_list_that_was_seen(self) -> None:
        assert decide(replace(self.unseen(), not_seen=()), TABLE).span == ("info", "info")

    def test_a_nerve_root_beside_a_leg(self) -> None:
        assert decide(self.unseen(sites=["calf"]), TABLE).span == ("info", "warning")

    @pytest.mark.parametrize("name", ["low-tone", "motor-regression"])
    def test_a_child_may_have_signs_that_are_not_asked(self, name: str) -> None:
        before = decide(replace(self.unseen(age_years=8), not_seen=()), TABLE)
        assert before.span == ("info", "critical")
        assert decide(self.unseen(age_years=8, **{name: "reported"}), TABLE).level == "critical"


def test_weakness_is_the_first_question_of_a_bare_code() -> None:
    questions = decide(record_of_example({}), TABLE).questions
    assert [RANK[q.level] for q in questions] == sorted((RANK[q.level] for q in questions), reverse=True)
    assert "weakness" in {q.id for q in questions}
    assert "onset" in {q.id for q in questions}


def test_what_is_known_is_not_asked() -> None:
    questions = {q.id for q in decide(BASES["day 5, thigh"], TABLE).questions}
    assert not questions & {"weakness", "atrophy", "sensory-loss", "onset", "site", "age"}


def test_answering_a_question_gives_what_it_promised() -> None:
    record = BASES["day 15, thigh"]
    for question in decide(record, TABLE).questions:
        if question.in_words or question.together:
            continue
        asked = next(a for a in TABLE.asked if a.id == question.id)
        given = {"onset_days_ago": 15, "sites": ["thigh"], "courses": ["stable"], question.id: asked.present}
        then = decide(record_of_example(given), TABLE)
        promised = question.answers[0].outcome
        assert then.level == promised.level
        assert then.recommendations == promised.recommendations


def test_an_onset_of_no_certain_day_leaves_recent_weakness_open() -> None:
    """60 to 20 days ago: on day 28 or later the weakness is urgent, so the range and the questions say so."""
    others = dict.fromkeys(("atrophy", "bulbar", "breathing-difficulty", "orthopnea"), "absent")
    base = record_of_example({"weakness": "examined", "courses": ["worsening"], "sites": ["hand"], **others})
    record = replace(base, twitch=replace(base.twitch, onset=Days(days_ago(60), days_ago(20))))
    decision = decide(record, TABLE)
    assert decision.level == "warning"
    assert decision.span == ("warning", "critical")
    assert "onset" in {q.id for q in decision.questions}
    then = decide(replace(base, twitch=replace(base.twitch, onset=Days(days_ago(28), days_ago(28)))), TABLE)
    assert then.level == "critical"
