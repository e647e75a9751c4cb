"""POST /cds-services/{id}/feedback, and GET /feedback/summary for those who keep the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from schemas.feedback_request import FeedbackSchema
from service.authentication.strict_json import NotStrict, strict_json
from service.cards.card_ids import CardId, CardIds, NotOurs, names_by_code
from service.config import Config
from service.endpoints.bodies import body_of
from service.endpoints.request_log import tell
from service.endpoints.responses import json_answer
from service.errors import Issue, NotFound, RequestError, Unavailable, flattened
from service.feedback import Accepted, Feedback, Store, StoreDown
from service.knowledge import Knowledge, KnowledgeError
from service.knowledge.loading import Problem
from service.metrics import Metrics


def feedback(
    config: Config, knowledge: Knowledge, store: Store, clock: Callable[[], datetime], metrics: Metrics
) -> Blueprint:
    """Takes feedback on the cards of every service; all of a post is kept, or none of it."""
    blueprint = Blueprint("feedback", __name__)
    services = frozenset(config.shared_service_id or hook["id"] for hook in knowledge.hooks)
    names = names_in_ids(knowledge)

    @blueprint.post("/cds-services/<service_id>/feedback")
    def post(service_id: str) -> Response:
        if service_id not in services:
            raise NotFound([Issue("not-found", "No such service: see GET /cds-services.", "http.url")])
        content = _checked(body_of(request), clock)
        items = _Reader(CardIds(config.card_secrets, service_id), service_id, names).items(content)
        try:
            store.add(items)
        except StoreDown as error:
            says = f"Nothing was kept: the store of feedback is {error}. Send it again later."
            raise Unavailable([Issue("transient", says)]) from None
        for item in items:
            # None: a row of another version of the knowledge.
            metrics.feedback("gone" if item.row is None else item.row or "none", item.outcome)
        tell({"items": len(items)})
        return json_answer({})

    return blueprint


def names_in_ids(knowledge: Knowledge) -> Mapping[str, Mapping[int, str]]:
    """Kind of id -> what its code stands for. Raises KnowledgeError where two names have one code."""
    table = knowledge.table
    try:
        answers = names_by_code(sorted(knowledge.terminology.findings))
        return {
            "card": names_by_code(row.id for row in table.rows),
            "order": names_by_code(table.actions),
            "answer-present": answers,
            "answer-absent": answers,
        }
    except ValueError as error:
        raise KnowledgeError([Problem("decision_table.yaml", "ids", str(error))]) from None


def _checked(body: bytes, clock: Callable[[], datetime]) -> list[dict[str, Any]]:
    """The items, each whole; all that is wrong at once."""
    try:
        content = strict_json(body)
    except NotStrict as error:
        raise RequestError([Issue("structure", f"The body cannot be read: {error}.")]) from None
    if not isinstance(content, dict):
        raise RequestError([Issue("structure", "The body is not an object with the member feedback.")])
    try:
        return cast(list[dict[str, Any]], FeedbackSchema(clock).load(content)["feedback"])
    except ValidationError as error:
        raise RequestError(list(flattened(error.normalized_messages()))) from None


class _Reader:
    """Reads the ids of items; what is not ours is an issue with its place."""

    def __init__(self, ids: CardIds, service_id: str, names: Mapping[str, Mapping[int, str]]) -> None:
        self.ids = ids
        self.service_id = service_id
        self.names = names
        self.issues: list[Issue] = []

    def items(self, content: list[dict[str, Any]]) -> list[Feedback]:
        """Raises RequestError with every id that is not taken."""
        found = [self._item(item, f"feedback[{place}]") for place, item in enumerate(content)]
        if self.issues:
            raise RequestError(self.issues)
        return [item for item in found if item is not None]

    def _item(self, item: dict[str, Any], place: str) -> Feedback | None:
        card = self._id(item["card"], f"{place}.card")
        if card is not None and card.kind != "card":
            self._wrong(f"{place}.card", "the id of a suggestion, not of a card")
        accepted = list(self._accepted(item, card, place))
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
            tuple(accepted),
            (reason["system"], reason["code"]) if reason else None,
            override.get("userComment") or None,
        )

    def _accepted(self, item: dict[str, Any], card: CardId | None, place: str) -> Iterator[Accepted]:
        for number, suggestion in enumerate(item.get("acceptedSuggestions") or ()):
            where = f"{place}.acceptedSuggestions[{number}].id"
            said = self._id(suggestion["id"], where)
            if said is None:
                continue
            if said.kind == "card":
                self._wrong(where, "the id of a card, not of a suggestion")
            elif card is not None and (said.call, said.version) != (card.call, card.version):
                self._wrong(where, "not a suggestion of this card")
            name = self.names[said.kind].get(said.name)
            yield Accepted(suggestion["id"].lower(), said.kind, said.name, name)

    def _id(self, text: str, place: str) -> CardId | None:
        try:
            return self.ids.read(text)
        except NotOurs as error:
            self._wrong(place, str(error))
            return None

    def _wrong(self, place: str, why: str) -> None:
        self.issues.append(Issue("value", f"{place}: {why}", place))
