"""POST /evaluate: a Bundle of one patient in, cards and the assessment out."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.request.json_body import UnreadableBody
from fhir_mappings.resources.submission import PatientError, Submission
from fhir_mappings.resources.validation import validation_issues
from fhir_mappings.to_fhir.actions import operation_outcome
from schemas.evaluation_requests import EvaluateQuerySchema
from service.cards.card_ids import CardIds
from service.config import Config
from service.endpoints.bodies import body_of
from service.endpoints.cds_hooks import shown, today
from service.endpoints.request_log import tell_decision
from service.endpoints.responses import json_answer
from service.errors import CannotDecide, Issue, RequestError, flattened
from service.evaluation import Answer, answer
from service.hook_request import instance_of, issues_of
from service.knowledge import Knowledge
from service.metrics import Metrics

# No service id holds a slash: an id made here is none that feedback takes.
_SIGNED_AS = "/evaluate"


def evaluate(config: Config, knowledge: Knowledge, metrics: Metrics) -> Blueprint:
    """The endpoint for integration engineers and the workbench."""
    blueprint = Blueprint("evaluate", __name__)

    @blueprint.post("/evaluate")
    def post() -> Response:
        issues: list[Issue] = []
        query: dict[str, Any] = {}
        try:
            query = cast(dict[str, Any], EvaluateQuerySchema().load(request.args.to_dict()))
        except ValidationError as error:
            issues += flattened(error.normalized_messages(), "query")
        body = body_of(request)
        try:
            submission = decode_bundle(body)
        except UnreadableBody as error:
            issues += issues_of(error)
            raise RequestError(issues, 400 if query == {} else error.status) from None
        if issues:
            raise RequestError(issues)
        as_of = query["asOf"] or today()
        answered = answer_to_bundle(body, submission, as_of, config, knowledge)
        cards = shown(answered.cards, config)
        tell_decision(metrics, "evaluate", answered, cards, len(submission.entries))
        content = {"cards": cards, "assessment": answered.assessment}
        if query["fully"] == "true":
            content["outcome"] = operation_outcome(validation_issues(submission))
        return json_answer(content)

    return blueprint


def answer_to_bundle(
    body: bytes, submission: Submission, as_of: date, config: Config, knowledge: Knowledge
) -> Answer:
    """What is answered to that bundle. Raises CannotDecide where it is not about one patient."""
    try:
        return answer(
            submission,
            knowledge,
            as_of,
            base_url=config.public_base_url,
            # The same bundle on the same day gives the same uuids.
            hook_instance=instance_of(body, as_of),
            ids=CardIds(config.card_secrets, _SIGNED_AS),
        )
    except PatientError as error:
        place = "Bundle.entry.resource.ofType(Patient)"
        raise CannotDecide([Issue("business-rule", str(error), place)]) from None
