"""What the clinician reads of a question: what is asked, and what each answer would change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Days, Order, Record
from service.cards.text import Questions
from service.decision import decide
from service.decision.questions import foremost
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, record_of_example

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
ASKED = tuple(asked.id for asked in TABLE.asked)


def settled(*but: str, **given: Any) -> Record:
    """All that can be asked is absent, but those."""
    absent = {name: "absent" for name in ASKED if name not in but}
    return record_of_example({**absent, **{name.replace("_", "-"): said for name, said in given.items()}})


def known(*but: str, sites: tuple[str, ...] = ("hand",), days: int = 5) -> Record:
    """The same, of a twitch whose place, age and course are on record."""
    record = settled(*but)
    example = record_of_example(
        {"onset_days_ago": days, "sites": list(sites), "courses": ["stable", "intermittent"]}
    )
    return replace(record, twitch=example.twitch)


def sentences(record: Record) -> dict[str, str]:
    decision = decide(record, TABLE)
    questions = Questions(decision, KNOWLEDGE)
    return {question.id: questions.sentence(question) for question in decision.questions}


BARE = record_of_example({})
ORDERED = Order(frozenset({"sodium", "potassium", "calcium", "magnesium", "tsh"}), days_ago(3))
AGELESS = replace(BARE, patient=replace(BARE.patient, born=Days()))


@pytest.mark.parametrize(
    ("record", "question", "sentence"),
    [
        (
            known("orthopnea"),
            "orthopnea",
            "Is the patient breathless lying flat? "
            "If present: urgent neurology referral; if absent: no change.",
        ),
        (
            BARE,
            "weakness",
            "Is there weakness on examination? If present: electrolytes, EMG, nerve conduction, TSH; "
            "if absent: no change.",
        ),
        (
            BARE,
            "site",
            "Where does it twitch? "
            "If the tongue: urgent neurology referral; if several regions: electrolytes, "
            "TSH; otherwise: no change.",
        ),
        (
            BARE,
            "onset",
            "How long has it been twitching? If two weeks or less: no change; otherwise: electrolytes, TSH.",
        ),
        (
            BARE,
            "course",
            "How do the twitching and any weakness develop? If worsening or spreading: electrolytes, TSH; "
            "otherwise: no change.",
        ),
        (
            BARE,
            "breathing-difficulty",
            "Does the patient have difficulty breathing? "
            "If present with weakness: urgent neurology referral; "
            "otherwise not.",
        ),
        (
            replace(settled("pain"), twitch=record_of_example({"onset_days_ago": 20}).twitch),
            "pain",
            "Is there muscle or limb pain? If present with twitching of an eyelid only: electrolytes; "
            "otherwise not.",
        ),
        (
            replace(known("pain"), orders=(ORDERED,)),
            "pain",
            "Is there muscle or limb pain? If present: calls for evaluation; if absent: no change.",
        ),
        (
            replace(AGELESS, findings=record_of_example({"weakness": "examined"}).findings),
            "age",
            "How old is the patient? "
            "If younger than 16: urgent neurology referral, no EMG or nerve conduction; "
            "otherwise: no change.",
        ),
        (
            AGELESS,
            "low-tone",
            "Is muscle tone low? "
            "If present with age younger than 16: urgent neurology referral; otherwise not.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_sentence(record: Record, question: str, sentence: str) -> None:
    assert sentences(record)[question] == sentence


def test_the_first_three_are_sentences_and_the_rest_is_named() -> None:
    decision = decide(BARE, TABLE)
    lines = list(Questions(decision, KNOWLEDGE).lines())
    assert len(lines) == 4
    rest = lines[3].removeprefix("- Also: ").removesuffix(".").split(", ")
    assert len(lines[:3]) + len(rest) == len(decision.questions)


def test_words_never_keep_every_click_from_the_card() -> None:
    """Place, age and course are not on record: they lead, and tingling, cramps and pain are to be reached."""
    record = settled("tingling", "pain", "cramps")
    questions = decide(record, TABLE).questions
    assert [question.id for question in questions[:3]] == ["site", "onset", "course"]
    assert [question.id for question in foremost(questions, 3)] == ["site", "onset", "tingling"]
    assert [question.id for question in foremost(questions, 2)] == ["site", "tingling"]
    lines = list(Questions(decide(record, TABLE), KNOWLEDGE).lines())
    assert lines[2].startswith("- Is there tingling?")
    assert lines[3] == "- Also: course, muscle cramps, muscle or limb pain."


def test_words_alone_stay_as_they_are() -> None:
    questions = decide(settled(), TABLE).questions
    assert all(question.in_words for question in questions)
    assert foremost(questions, 2) == questions[:2]
    assert foremost((), 3) == ()
