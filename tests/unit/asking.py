"""What is asked of a patient; for the tests of section 5."""

from __future__ import annotations

from typing import Any

from service.decision import Decision, decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import record_of_example

TABLE = load_knowledge().table
EXAMINED = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}
NO_BREATHING = {"breathing-difficulty": "absent-not-examined", "orthopnea": "absent-not-examined"}


def of(given: dict[str, Any]) -> Decision:
    return decide(record_of_example(given), TABLE)


def on_card(decision: Decision) -> list[str]:
    return [question.id for question in decision.questions if question.on_card]


def asked(decision: Decision) -> set[str]:
    return {name for question in decision.questions for name in (question.findings or (question.id,))}
