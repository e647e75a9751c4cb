"""A decision as CDS Hooks cards. Wording and codes come from the knowledge; this only puts them in place."""

from __future__ import annotations

from typing import Any

from service.cards.detail import Detail
from service.cards.suggestions import Call, suggestions_of
from service.cards.summary import summary_of
from service.decision import Decision
from service.knowledge import Knowledge

__all__ = ["Call", "cards_of"]

EXTENSION = "org.fasciculation-cds"


def cards_of(decision: Decision, knowledge: Knowledge, call: Call) -> list[dict[str, Any]]:
    """One work-up card, or none where the gate is closed. No member is null or empty."""
    if not decision.open:
        return []
    table, terminology, wording = knowledge.table, knowledge.terminology, knowledge.wording
    suggestions = suggestions_of(decision, table, terminology, wording, knowledge.templates, call)
    card: dict[str, Any] = {
        "uuid": call.uuid("card"),
        "summary": summary_of(decision, table, terminology, wording),
        "indicator": decision.level,
        "detail": Detail(decision, table, terminology, wording).markdown(),
        "source": _source(knowledge, call),
        "selectionBehavior": "any",
        "overrideReasons": [
            {"system": wording.override_system, "code": code, "display": display}
            for code, display in wording.override_reasons
        ],
        "links": [
            {
                "label": wording.say("link", row=row.label),
                "url": f"{call.base_url}/knowledge/{row.id}",
                "type": "absolute",
            }
            for row in decision.rows
        ],
        "extension": {
            EXTENSION: {
                "knowledgeVersion": knowledge.version,
                "rows": [row.id for row in decision.rows],
                "claims": sorted({claim for row in decision.rows for claim in row.claims}),
            }
        },
    }
    if suggestions:
        card["suggestions"] = suggestions
    return [card]


def _source(knowledge: Knowledge, call: Call) -> dict[str, Any]:
    source: dict[str, Any] = {
        "label": knowledge.wording.say("source_label"),
        "url": f"{call.base_url}/knowledge",
    }
    topic = knowledge.terminology.findings["fasciculation"]
    if topic.answer is not None:
        system, code = topic.answer
        source["topic"] = {"system": system, "code": code, "display": topic.label}
    return source
