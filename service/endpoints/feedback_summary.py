"""GET /feedback/summary: counts of what became of cards, as a page with a chart or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request

from service.endpoints.feedback import names_in_ids
from service.endpoints.responses import JSON, json_answer
from service.errors import Issue, Unavailable
from service.feedback import Share, Store, StoreDown, Summary, summary_of
from service.knowledge import Knowledge

HTML = "text/html"
# Of the chart, in its own units: a line per row, the scale from 0 to 100 % beside the labels.
_LINE, _LEFT, _WIDTH = 24, 330, 420


def feedback_summary(knowledge: Knowledge, store: Store) -> Blueprint:
    """For those who keep the service: the admin token is asked for where callers sign."""
    blueprint = Blueprint("feedback_summary", __name__)
    names = names_in_ids(knowledge)

    @blueprint.get("/feedback/summary")
    def summary() -> Response:
        try:
            store.tidy()
            counted = summary_of(store, names)
        except StoreDown as error:
            raise Unavailable([Issue("transient", f"The store of feedback is {error}.")]) from None
        content = _content(counted, knowledge)
        if request.accept_mimetypes.best_match([HTML, JSON], HTML) == JSON:
            response = json_answer(content)
        else:
            text = render_template("feedback.html", page=content, chart=_chart(content["rows"]))
            response = Response(text, mimetype=HTML)
        response.headers["Cache-Control"] = "no-store"
        response.vary.add("Accept")
        return response

    return blueprint


def _content(counted: Summary, knowledge: Knowledge) -> dict[str, Any]:
    labels = {row.id: row.label for row in knowledge.table.rows} | {"": "card without a row"}
    return {
        "knowledgeVersion": knowledge.version,
        "all": _share(counted.all),
        "rows": [
            {"row": row, "label": labels.get(row, "no longer in the table"), **_share(share)}
            for row, share in counted.rows.items()
        ],
        "weeks": [{"week": week, **_share(share)} for week, share in counted.weeks.items()],
        "reasons": list(_reasons(counted, knowledge)),
        "suggestions": [
            {"kind": kind, "name": name, "cards": cards}
            for (kind, name), cards in counted.suggestions.items()
        ],
    }


def _share(share: Share) -> dict[str, Any]:
    found: dict[str, Any] = {"accepted": share.accepted, "overridden": share.overridden}
    if share.percent is not None:
        found["percent"] = round(share.percent, 1)
    return {**found, "interval": [round(end, 1) for end in share.interval]}


def _reasons(counted: Summary, knowledge: Knowledge) -> Iterator[dict[str, Any]]:
    """The reasons that our cards offer; what else clients send could be any text, and is only counted."""
    wording = knowledge.wording
    displays = {(wording.override_system, code): display for code, display in wording.override_reasons}
    others = 0
    for reason, cards in counted.reasons.items():
        if reason is None:
            yield {"display": "no reason given", "cards": cards}
        elif reason in displays:
            yield {"code": reason[1], "display": displays[reason], "cards": cards}
        else:
            others += cards
    if others:
        yield {"display": "a reason that the card did not offer", "cards": others}


def _chart(rows: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Where everything stands: a line per row with its percentage and interval."""

    def x(percent: float) -> float:
        return round(_LEFT + _WIDTH * percent / 100, 1)

    lines = [
        {
            "name": row["row"] or row["label"],
            "text": f"{row['percent']} % ({row['interval'][0]} to {row['interval'][1]})",
            "y": _LINE * (number + 1),
            "low": x(row["interval"][0]),
            "at": x(row["percent"]),
            "high": x(row["interval"][1]),
        }
        for number, row in enumerate(rows)
    ]
    bottom = _LINE * (len(rows) + 1)
    ticks = [{"x": x(percent), "text": f"{percent} %"} for percent in (0, 25, 50, 75, 100)]
    return {
        "lines": lines,
        "ticks": ticks,
        "left": _LEFT,
        "bottom": bottom,
        "width": _LEFT + _WIDTH + 30,
        "height": bottom + 24,
    }
