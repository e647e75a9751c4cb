"""POST /evaluate: a Bundle of one patient in, cards and assessment out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from flask import Blueprint, Response, request
from marshmallow import Schema, ValidationError

from fhir_mappings.resources.validation import validation_issues
from fhir_mappings.to_fhir.actions import operation_outcome
from schemas.evaluation_requests import EvaluateQuerySchema
from service.config import Config
from service.endpoints.bodies import body_of
from service.endpoints.middleware import log_evaluation
from service.endpoints.responses import json_answer, shown_cards
from service.errors import Issue, RequestError, issues_of
from service.evaluation import Evaluator, read_bundle
from service.metrics import Metrics


def evaluate(config: Config, evaluator: Evaluator, metrics: Metrics) -> Blueprint:
    """The route for integration engineers."""
    blueprint = Blueprint("evaluate", __name__)

    @blueprint.post("/evaluate")
    def post() -> Response:
        query, issues = query_of(EvaluateQuerySchema())
        body = body_of(request)
        with beside(issues):
            evaluation = evaluator.bundle(body, read_bundle(body), query.get("asOf"))
        cards = shown_cards(evaluation.cards, config)
        log_evaluation(metrics, "evaluate", evaluation, cards)
        content = {"cards": cards, "assessment": evaluation.assessment}
        if query["fully"] == "true":
            unknown = evaluation.unknown.issues() if evaluation.unknown else []
            content["outcome"] = operation_outcome([*validation_issues(evaluation.submission), *unknown])
        return json_answer(content)

    return blueprint


def query_of(schema: Schema, *leave_out: str) -> tuple[dict[str, Any], list[Issue]]:
    """The query in that shape, and what is wrong with it; then it is empty."""
    given = {name: value for name, value in request.args.to_dict().items() if name not in leave_out}
    known = [field.data_key or name for name, field in schema.fields.items()]
    issues = [
        Issue("value", f"query.{name}: Given more than once.", f"query.{name}")
        for name in known
        if len(request.args.getlist(name)) > 1
    ]
    try:
        loaded = schema.load(given)
    except ValidationError as error:
        for name, messages in error.normalized_messages().items():
            messages = messages if name in known else [f"Unknown: known are {', '.join(known)}."]
            issues += issues_of({name: messages}, "query")
        return {}, issues
    return ({}, issues) if issues else (cast(dict[str, Any], loaded), [])


@contextmanager
def beside(issues: Sequence[Issue]) -> Iterator[None]:
    """Raise those issues after the block, together with its own."""
    try:
        yield
    except RequestError as error:
        raise RequestError([*issues, *error.issues], 400 if issues else error.status) from None
    if issues:
        raise RequestError(issues)
