"""The frame of every card: source, reasons to override, links and extension. No member is null or empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.cards.phrases import phrases_of
from service.cards.suggestions import Call
from service.decision.table import Row
from service.knowledge import Knowledge

EXTENSION = "org.fasciculation-cds"


def framed(
    knowledge: Knowledge,
    call: Call,
    *,
    summary: str,
    level: str,
    detail: str,
    rows: Sequence[Row],
    suggestions: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """A CDS Hooks card. rows: what it rests on, the leading one first; each is linked."""
    wording, phrases = knowledge.wording, phrases_of(knowledge)
    ids = [row.id for row in rows]
    card: dict[str, Any] = {
        "uuid": call.uuid("card", ids[0] if ids else ""),
        "summary": summary,
        "indicator": level,
        "detail": detail,
        "source": _source(knowledge, call),
        "selectionBehavior": "any",
        "overrideReasons": [
            {"system": wording.override_system, "code": code, "display": display}
            for code, display in wording.override_reasons
        ],
        "links": [
            {"label": phrases.links[name], "url": f"{call.base_url}/knowledge/{name}", "type": "absolute"}
            for name in ids
        ],
        "extension": {
            EXTENSION: {
                "knowledgeVersion": knowledge.version,
                "rows": ids,
                "claims": list(phrases.claims(tuple(ids))),
            }
        },
    }
    if suggestions:
        card["suggestions"] = list(suggestions)
    return card


def _source(knowledge: Knowledge, call: Call) -> dict[str, Any]:
    source: dict[str, Any] = {
        "label": knowledge.wording.say("source_label"),
        "url": f"{call.base_url}/knowledge",
        "icon": f"{call.base_url}/static/icon.png",
    }
    topic = knowledge.terminology.findings["fasciculation"]
    if topic.answer is not None:
        system, code = topic.answer
        # Some display is required of it.
        source["topic"] = {"system": system, "code": code, "display": topic.answer_display or topic.label}
    return source
