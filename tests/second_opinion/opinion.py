"""A second opinion: the decision once more, slow and plain, from the decision model and the YAML alone.

It shares no code with the service; the tests of this folder compare the two. Where the model can be read in
two ways, the clinically safer reading is taken, and a comment says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.second_opinion.opinion_outcome import Case
from tests.second_opinion.opinion_questions import questions as questions_of
from tests.second_opinion.opinion_questions import span
from tests.second_opinion.opinion_table import FOLDER, Table, knowledge

EMPTY = ("rows", "recommendations", "withheld", "questions", "advice")


def gate_of(table: Table, record: dict[str, Any]) -> str:
    """Why there is no card; empty where there is one (section 2)."""
    if record["patient"]["deceased"]:
        return "deceased"
    for name in table["closes_gate"]:
        finding = record["findings"].get(name)
        if finding and finding["status"] == "present" and not finding["suspected"]:
            return "known-disease"
    if record["twitch"]["status"] == "present":
        return ""
    if {"conditions", "findings"} & set(record["not_seen"]):
        return "unseen"
    return "unread" if record["unread"] else "no-twitch"


def opinion(record: dict[str, Any], folder: Path = FOLDER, *, questions: bool = True) -> dict[str, Any]:
    """The decision on a plain record.

    Members: gate, level, rows, recommendations, withheld, questions and range (None where not wanted: they
    take the most time), advice.
    """
    table = knowledge(folder)
    gate = gate_of(table, record)
    if gate:
        return {"gate": gate, "level": "none", "range": ["none", "none"], **{name: [] for name in EMPTY}}
    case = Case(table, record)
    return {
        "gate": "",
        "level": case.level,
        "rows": [row["id"] for row in case.fired],
        "recommendations": sorted(case.recommended, key=lambda made: str(made["id"])),
        "withheld": sorted(case.withheld, key=lambda one: (one["id"], one["why"])),
        "questions": questions_of(case) if questions else None,
        "range": span(case) if questions else None,
        "advice": case.advice(),
    }
