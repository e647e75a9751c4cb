"""A second opinion: the decision once more, slow and plain, from the decision model and the YAML alone.

It shares no code with the service; the two are compared in this folder's tests. Where the model is silent,
what was chosen here stands in a comment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.second_opinion.opinion_facts import facts_of
from tests.second_opinion.opinion_knowledge import FOLDER, knowledge
from tests.second_opinion.opinion_outcome import Case
from tests.second_opinion.opinion_questions import Inquiry
from tests.second_opinion.plain import plain


def gate_of(table: dict[str, Any], record: dict[str, Any]) -> str:
    """Why there is no card; empty where there is one (section 2).

    What closes it for certain is named before what was not seen.
    """
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
    # Silent in the model: what may have been a twitch and could not be read is no "no twitch".
    return "unread" if record["unread"] else "no-twitch"


def opinion(record: Any, folder: Path = FOLDER, *, questions: bool = True) -> dict[str, Any]:
    """The decision on a record (a Record, or its plain form).

    Members: gate, level, rows, recommendations (id, urgent, because, analytes, paediatric, routine_order),
    withheld (id, kind, tests), questions (ids; None where not wanted: they cost most), advice, range.
    """
    table, seen = knowledge(folder), plain(record)
    gate = gate_of(table, seen)
    if gate:
        return {
            "gate": gate,
            "level": "none",
            **{name: [] for name in ("rows", "recommendations", "withheld", "questions", "advice")},
            "range": ["none", "none"],
        }
    case, facts = Case(table, seen), facts_of(table, seen)
    inquiry = Inquiry(case, facts)
    made = inquiry.outcome(())
    return {
        "gate": "",
        **made,
        "questions": inquiry.asked() if questions else None,
        "advice": case.advice(made, facts),
        "range": inquiry.span(),
    }
