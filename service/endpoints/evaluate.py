"""POST /evaluate: a Bundle of one patient in, cards and assessment out."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, request
from marshmallow import ValidationError

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
        issues: list[Issue] = []
        query: dict[str, Any] = {}
        try:
            query = cast(dict[str, Any], EvaluateQuerySchema().load(request.args.to_dict()))
        except ValidationError as error:
            issues += issues_of(error.normalized_messages(), "query")
        body = body_of(request)
        try:
            submission = read_bundle(body)
        except RequestError as error:
            raise RequestError([*issues, *error.issues], 400 if issues else error.status) from None
        try:
            evaluation = evaluator.bundle(body, submission, query.get("asOf"))
        except RequestError as error:
            raise RequestError([*issues, *error.issues], 400 if issues else error.status) from None
        if issues:
            raise RequestError(issues)
        cards = shown_cards(evaluation.cards, config)
        log_evaluation(metrics, "evaluate", evaluation, cards)
        content = {"cards": cards, "assessment": evaluation.assessment}
        if query["fully"] == "true":
            unknown = evaluation.unknown.issues() if evaluation.unknown else []
            content["outcome"] = operation_outcome([*validation_issues(submission), *unknown])
        return json_answer(content)

    return blueprint
