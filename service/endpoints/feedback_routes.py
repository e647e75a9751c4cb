"""POST /cds-services/{id}/feedback, and GET /feedback/summary for administrators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Response, render_template, request
from marshmallow import ValidationError

from schemas.feedback_request import FeedbackSchema
from service.authentication.strict_json import NotStrict, strict_json
from service.cards.card_ids import CardId, CardIds, NotOurs, names_by_code
from service.cards.suggestions import findings_of_normal
from service.config import Config
from service.endpoints.bodies import body_of
from service.endpoints.middleware import add_to_log_line
from service.endpoints.responses import HTML, JSON, json_answer
from service.errors import Issue, NotFound, RequestError, Unavailable, issues_of
from service.feedback import Accepted, Feedback, Share, Store, StoreDown, Summary, summary_of
from service.knowledge import Knowledge, KnowledgeError
from service.knowledge.loading import Problem
from service.metrics import Metrics


def feedback(
    config: Config, knowledge: Knowledge, store: Store, clock: Callable[[], datetime], metrics: Metrics
) -> Blueprint:
    """The routes of feedback. Of one post all items are stored, or none."""
    blueprint = Blueprint("feedback", __name__)
    services = frozenset(config.shared_service_id or hook["id"] for hook in knowledge.hooks)
    names = names_in_ids(knowledge)
    findings_of = findings_of_normal(knowledge.table)

    @blueprint.post("/cds-services/<service_id>/feedback")
    def post(service_id: str) -> Response:
        if service_id not in services:
            raise NotFound([Issue("not-found", "No such service: see GET /cds-services.", "http.url")])
        content = _checked(body_of(request), clock)
        ids = CardIds(config.card_secrets, service_id)
        reader = _ItemReader(ids, service_id, names, findings_of)
        try:
            items = reader.items(content)
        finally:
            metrics.rejected_ids(reader.rejected_ids)
        try:
            store.add(items)
        except StoreDown as error:
            text = f"Nothing was stored: the feedback store is {error}. Send it again later."
            raise Unavailable([Issue("transient", text)]) from None
        for item in items:
            # None: a row of another version of the knowledge.
            metrics.feedback("gone" if item.row is None else item.row or "none", item.outcome)
        add_to_log_line({"items": len(items)})
        return json_answer({})

    @blueprint.get("/feedback/summary")
    def summary() -> Response:
        try:
            store.tidy()
            content = _content(summary_of(store, names), knowledge)
        except StoreDown as error:
            raise Unavailable([Issue("transient", f"The feedback store is {error}.")]) from None
        if request.accept_mimetypes.best_match([HTML, JSON], HTML) == JSON:
            response = json_answer(content)
        else:
            response = Response(render_template("feedback.html", page=content), mimetype=HTML)
        response.headers["Cache-Control"] = "no-store"
        response.vary.add("Accept")
        return response

    return blueprint


def names_in_ids(knowledge: Knowledge) -> Mapping[str, Mapping[int, str]]:
    """Kind of id -> code -> name. Raises KnowledgeError if two names have the same code."""
    table = knowledge.table
    try:
        # "Examined: normal" answers several at once.
        asked = {question.id for question in table.questions}
        normal = findings_of_normal(table)
        answers = names_by_code(sorted({*knowledge.terminology.findings, *asked, *normal}))
        return {
            "card": names_by_code(row.id for row in table.rows),
            "order": names_by_code(table.actions),
            "answer-present": answers,
            "answer-absent": answers,
        }
    except ValueError as error:
        raise KnowledgeError([Problem("decision_table.yaml", "ids", str(error))]) from None


def _checked(body: bytes, clock: Callable[[], datetime]) -> list[dict[str, Any]]:
    """The items. Raises RequestError with every fault."""
    try:
        content = strict_json(body)
    except NotStrict as error:
        raise RequestError([Issue("structure", f"The body cannot be read: {error}.")]) from None
    if not isinstance(content, dict):
        raise RequestError([Issue("structure", "The body is not an object with the member feedback.")])
    try:
        return cast(list[dict[str, Any]], FeedbackSchema(clock).load(content)["feedback"])
    except ValidationError as error:
        raise RequestError(list(issues_of(error.normalized_messages()))) from None


class _ItemReader:
    """Reads the ids of items; an id that is not ours is an issue with its place."""

    def __init__(
        self,
        ids: CardIds,
        service_id: str,
        names: Mapping[str, Mapping[int, str]],
        findings_of: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.ids = ids
        self.findings_of = findings_of
        self.service_id = service_id
        self.names = names
        self.issues: list[Issue] = []
        self.rejected_ids = 0

    def items(self, content: list[dict[str, Any]]) -> list[Feedback]:
        """Raises RequestError with every id that is rejected."""
        items = [self._item(item, f"feedback[{number}]") for number, item in enumerate(content)]
        if self.issues:
            raise RequestError(self.issues)
        return [item for item in items if item is not None]

    def _item(self, item: dict[str, Any], place: str) -> Feedback | None:
        card = self._id(item["card"], f"{place}.card")
        if card is not None and card.kind != "card":
            self._add_issue(f"{place}.card", "the id of a suggestion, not of a card")
        accepted = tuple(self._accepted(item, card, place))
        if self._answered(accepted, "answer-present") & self._answered(accepted, "answer-absent"):
            self._add_issue(
                f"{place}.acceptedSuggestions", "both answers to one question: name the one that was accepted"
            )
        if card is None:
            return None
        override = item.get("overrideReason") or {}
        reason = override.get("reason")
        return Feedback(
            self.service_id,
            item["card"].lower(),
            item["outcome"],
            item["outcomeTimestamp"],
            card.version,
            card.name,
            self.names["card"].get(card.name),
            accepted,
            (reason["system"], reason["code"]) if reason else None,
            override.get("userComment") or None,
        )

    def _answered(self, accepted: Iterable[Accepted], kind: str) -> set[str]:
        """The findings that the accepted suggestions of that kind answer."""
        names = [suggestion.name for suggestion in accepted if suggestion.kind == kind]
        return {finding for name in names if name for finding in self.findings_of.get(name) or (name,)}

    def _accepted(self, item: dict[str, Any], card: CardId | None, place: str) -> Iterator[Accepted]:
        for number, suggestion in enumerate(item.get("acceptedSuggestions") or ()):
            id_place = f"{place}.acceptedSuggestions[{number}].id"
            suggestion_id = self._id(suggestion["id"], id_place)
            if suggestion_id is None:
                continue
            kind, name = suggestion_id.kind, suggestion_id.name
            if kind == "card":
                self._add_issue(id_place, "the id of a card, not of a suggestion")
            elif card is not None and (suggestion_id.call, suggestion_id.version) != (
                card.call,
                card.version,
            ):
                self._add_issue(id_place, "not a suggestion of this card")
            yield Accepted(suggestion["id"].lower(), kind, name, self.names[kind].get(name))

    def _id(self, text: str, place: str) -> CardId | None:
        try:
            return self.ids.read(text)
        except NotOurs as error:
            self.rejected_ids += 1
            self._add_issue(place, str(error))
            return None

    def _add_issue(self, place: str, why: str) -> None:
        self.issues.append(Issue("value", f"{place}: {why}", place))


def _content(counts: Summary, knowledge: Knowledge) -> dict[str, Any]:
    labels = {row.id: row.label for row in knowledge.table.rows} | {"": "card without a row"}
    return {
        "knowledgeVersion": knowledge.version,
        "all": _share(counts.all),
        "rows": [
            {"row": row, "label": labels.get(row, "no longer in the table"), **_share(share)}
            for row, share in counts.rows.items()
        ],
        "weeks": [{"week": week, **_share(share)} for week, share in counts.weeks.items()],
        "reasons": list(_reasons(counts, knowledge)),
        "suggestions": [
            {"kind": kind, "name": name, "cards": cards} for (kind, name), cards in counts.suggestions.items()
        ],
    }


def _share(share: Share) -> dict[str, Any]:
    percent = {} if share.percent is None else {"percent": round(share.percent, 1)}
    interval = [round(end, 1) for end in share.interval]
    return {"accepted": share.accepted, "overridden": share.overridden, **percent, "interval": interval}


def _reasons(counts: Summary, knowledge: Knowledge) -> Iterator[dict[str, Any]]:
    """The reasons that our cards offer. Others could be any text of a client and are only counted."""
    wording = knowledge.wording
    displays = {(wording.override_system, code): display for code, display in wording.override_reasons}
    others = 0
    for reason, cards in counts.reasons.items():
        if reason is None:
            yield {"display": "no reason given", "cards": cards}
        elif reason in displays:
            yield {"code": reason[1], "display": displays[reason], "cards": cards}
        else:
            others += cards
    if others:
        yield {"display": "a reason that the card did not offer", "cards": others}
