"""GET /knowledge and /knowledge/{row}: the table for people, or as JSON by Accept."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from service.decision.table import Row, Term
from service.endpoints.answers import json_answer
from service.errors import Issue, NotFound
from service.knowledge import Knowledge
from service.knowledge.claims import Claim


def knowledge_pages(knowledge: Knowledge) -> Blueprint:
    """The pages that every card links to."""
    blueprint = Blueprint("knowledge_pages", __name__)
    rows = {row.id: _shown(row, knowledge) for row in knowledge.table.rows}

    def wants_json() -> bool:
        best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
        return best == "application/json"

    @blueprint.get("/knowledge")
    def table() -> Response | str:
        if wants_json():
            return json_answer({"knowledgeVersion": knowledge.version, "rows": list(rows.values())})
        return render_template("knowledge.html", rows=rows.values(), version=knowledge.version)

    @blueprint.get("/knowledge/<row>")
    def one(row: str) -> Response | str:
        if row not in rows:
            raise NotFound([Issue("not-found", "No such row: see GET /knowledge.", "http.url")])
        if wants_json():
            return json_answer(rows[row])
        return render_template("row.html", row=rows[row], version=knowledge.version)

    return blueprint


def _shown(row: Row, knowledge: Knowledge) -> dict[str, Any]:
    say = knowledge.wording.maybe
    return {
        "id": row.id,
        "label": row.label,
        "level": row.level,
        "reading": row.reading,
        "holdsWhen": [_condition(term) for term in row.terms],
        "actions": [
            {"id": a.id, "urgency": "urgent" if a.urgent else "routine", "says": say(f"actions.{a.id}.short")}
            for a in row.actions
        ],
        "restsOn": [
            {
                "reading": support.reading,
                "note": support.note,
                "claims": [_claim(name, knowledge) for name in support.ids],
            }
            for support in row.support
        ],
        "examples": [{"title": e.title, "holds": e.holds, "given": dict(e.given)} for e in row.examples],
    }


def _condition(term: Term) -> str:
    parts = []
    for literal in term:
        name = literal.variable
        if len(literal.values) == 1 and literal.values <= {"examined", "reported"}:
            name = f"{name} {next(iter(literal.values))}"
        parts.append(name if literal.positive else f"not {name}")
    return " and ".join(parts)


def _claim(name: str, knowledge: Knowledge) -> dict[str, Any]:
    claim = knowledge.claims.get(name)
    if isinstance(claim, Claim):
        return {
            "id": name,
            "says": claim.says,
            "document": knowledge.claims.documents[claim.document].title,
            "heading": claim.heading,
            "sentences": list(claim.sentences),
            "sha256": claim.sha256,
        }
    assert claim is not None  # noqa: S101 - checked when the knowledge was loaded
    return {"id": name, "says": claim.says, "source": claim.source, "url": claim.url}
