"""GET /knowledge (?rows=…), /knowledge/{row} and /knowledge/claims: pages, or JSON by Accept.

A page changes only with the knowledge or the program: it is rendered at its first request and kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template, request

from service.endpoints.responses import HTML, JSON, problem_answer
from service.errors import Issue
from service.knowledge import Knowledge
from service.knowledge.page_contents import Explained

Content = Callable[[], dict[str, Any]]


def knowledge_pages(knowledge: Knowledge) -> Blueprint:
    """The pages that every card links to."""
    blueprint = Blueprint("knowledge_pages", __name__)
    explained = Explained(knowledge)
    rows = {row.id: row for row in knowledge.table.rows}
    rendered: dict[tuple[str, str], bytes] = {}

    def page(name: str, template: str, content: Content) -> Response:
        mimetype = request.accept_mimetypes.best_match([HTML, JSON], HTML)
        body = rendered.get((name, mimetype))
        if body is None:
            body = rendered[name, mimetype] = _body(mimetype, template, content())
        return answer(body, mimetype)

    def answer(body: bytes, mimetype: str) -> Response:
        response = Response(body, mimetype=mimetype)
        response.set_etag(f"{knowledge.version}-{hashlib.sha256(body).hexdigest()[:16]}")
        # Browsers ask again each time, so that no page is older than the knowledge.
        response.headers["Cache-Control"] = "no-cache"
        response.vary.add("Accept")
        response.make_conditional(request)
        return response

    @blueprint.get("/knowledge")
    def table() -> Response:
        names = request.args.get("rows")
        if names is not None:
            return some_rows(names)
        return page("", "knowledge.html", explained.overview)

    def some_rows(names: str) -> Response:
        """Why a card was given. Not kept: as many pages could be asked for as there are sets of rows."""
        content = explained.rows(filter(None, names.split(",")))
        if not content["rows"]:
            return _no_such_row()
        mimetype = request.accept_mimetypes.best_match([HTML, JSON], HTML)
        return answer(_body(mimetype, "why.html", content), mimetype)

    @blueprint.get("/knowledge/claims")
    def claims() -> Response:
        return page("claims", "claims.html", explained.claims)

    @blueprint.get("/knowledge/<row>")
    def row_page(row: str) -> Response:
        if row not in rows:
            return _no_such_row()
        return page(row, "row.html", lambda: explained.row(rows[row]))

    return blueprint


def _body(mimetype: str, template: str, content: dict[str, Any]) -> bytes:
    if mimetype == JSON:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return render_template(template, page=content).encode()


def _no_such_row() -> Response:
    """A page for browsers, an OperationOutcome for others."""
    accepted = {value: quality for value, quality in request.accept_mimetypes if quality > 0}
    json_quality = max((quality for value, quality in accepted.items() if value.endswith("json")), default=0)
    if accepted.get(HTML, 0) > json_quality:
        response = Response(render_template("no_such_row.html", page={}), 404, mimetype=HTML)
    else:
        issue = Issue("not-found", "No such row: see GET /knowledge.", "http.url")
        response = problem_answer([issue], 404)
    response.vary.add("Accept")
    return response
