"""What the clinician reads of a question: what is asked, and what each answer would change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Basis, Days, Evidence, Finding, Order, Status
from service.cards.question_text import Questions
from service.decision import decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, record_of_example

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}
ORDERED = Order(frozenset({"sodium", "potassium", "calcium", "magnesium", "tsh"}), days_ago(3))


def words_of(given: dict[str, Any], **more: Any) -> Questions:
    return Questions(decide(replace(record_of_example(given), **more), TABLE), KNOWLEDGE)


def sentences(given: dict[str, Any], **more: Any) -> dict[str, str]:
    questions = words_of(given, **more)
    return {question.id: questions.sentence(question) for question in questions.questions}


@pytest.mark.parametrize(
    ("given", "question", "sentence"),
    [
        (
            {"weakness": "examined"},
            "bulbar",
            "Is there difficulty with speech or swallowing? "
            "If present: urgent neurology referral; if absent: no change.",
        ),
        (
            {},
            "site",
            "Where does it twitch? If an eyelid only: self-care; if the tongue: urgent neurology referral; "
            "if several regions: electrolytes, TSH; otherwise: no change.",
        ),
        (
            {},
            "onset",
            "How long has it been twitching? If at most two days ago or three days to two weeks ago: "
            "no change; otherwise: electrolytes, TSH.",
        ),
        (
            {},
            "course",
            "How do the twitching and any weakness develop? If worsening or spreading: electrolytes, TSH; "
            "otherwise: no change.",
        ),
        (
            NORMAL,
            "rigidity",
            "Is there muscle rigidity on examination? If present: neurology referral; if absent: no change.",
        ),
    ],
)
def test_sentence(given: dict[str, Any], question: str, sentence: str) -> None:
    assert sentences(given)[question] == sentence


def test_an_answer_that_takes_nothing_away_is_not_said_to() -> None:
    """Asked beside a referral of today whatever it changes: an answer that adds a reason is no "less"."""
    asked = sentences({"onset_days_ago": 5, "weakness": "examined"})
    for question in ("bulbar", "breathing"):
        assert asked[question].endswith("If present: no change; if absent: no change.")


def test_where_all_is_ordered_an_answer_that_raises_the_level_says_so() -> None:
    sentence = sentences({**NORMAL, "onset_days_ago": 5}, orders=(ORDERED,))["coordination"]
    assert "MRI" in sentence
    raised = sentences({**NORMAL, "onset_days_ago": 5}, orders=(ORDERED,))["course"]
    assert "re-examination" in raised


def test_the_age_decides_for_a_child() -> None:
    ageless = replace(record_of_example({}).patient, born=Days())
    sentence = sentences({"sensory-loss": "examined"}, patient=ageless)["age"]
    assert sentence.startswith("How old is the patient? If younger than 5 or 5 to 15: neurology referral")


def test_the_line_of_a_card_asks_what_is_no_action() -> None:
    """What is to be examined is the first action already."""
    assert words_of({}).on_card() == ["since when?", "where?", "getting worse?"]
    persistent = {**NORMAL, "onset_days_ago": 20, "sites": ["hand"]}
    assert words_of(persistent).on_card() == ["speech or swallowing difficulty?", "getting worse?"]


def test_an_old_record_is_named_with_its_day() -> None:
    old = Evidence(
        "Condition/1", "Condition.code", "x", Status.PRESENT, Basis.LISTED, days_ago(1500), False, True
    )
    record = record_of_example({**NORMAL, "onset_days_ago": 3, "sites": ["hand"], "courses": ["stable"]})
    findings = {**record.findings, "coordination": Finding("coordination", evidence=(old,))}
    questions = Questions(decide(replace(record, findings=findings), TABLE), KNOWLEDGE)
    (line,) = [line for line in questions.on_card() if "2022" in line]
    assert "coordination" in line
