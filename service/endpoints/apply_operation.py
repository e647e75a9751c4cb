"""POST /fhir/PlanDefinition/{id}/$apply: Parameters with a Bundle of one patient in, a CarePlan out."""

from __future__ import annotations

from flask import Blueprint, Response, request

from fhir_mappings.request.json_body import InvalidBody
from fhir_mappings.request.parameters import ApplyCall, decode_apply_call
from fhir_mappings.resources.references import names_of, refers_to
from fhir_mappings.to_fhir.care_plan import care_plan
from schemas.evaluation_requests import DayQuerySchema
from service.care_plan import PLAN, proposal_of
from service.config import Config
from service.endpoints.bodies import body_of
from service.endpoints.evaluate import beside, query_of
from service.endpoints.fhir_artifacts import check_acceptable
from service.endpoints.middleware import log_evaluation
from service.endpoints.responses import FHIR_JSON, json_answer, shown_cards
from service.errors import CannotDecide, Issue, rejection
from service.evaluation import Evaluation, Evaluator, read_bundle
from service.metrics import Metrics

# FHIR's own parameter of every request, beside those of the operation.
_FORMAT = "_format"


def apply_operation(config: Config, evaluator: Evaluator, metrics: Metrics) -> Blueprint:
    """The operation for FHIR engines. It decides as /evaluate does, also by changed knowledge."""
    blueprint = Blueprint("apply", __name__)

    @blueprint.post(f"/fhir/PlanDefinition/{PLAN}/$apply")
    def post() -> Response:
        check_acceptable()
        query, issues = query_of(DayQuerySchema(), _FORMAT)
        body = body_of(request)
        with beside(issues):
            call = _call_in(body)
            evaluation = evaluator.bundle(call.bundle, read_bundle(call.bundle), query.get("asOf"))
            _check_subject(call, evaluation)
        shown = shown_cards(evaluation.cards, config)
        log_evaluation(metrics, "apply", evaluation, shown)
        plan = care_plan(proposal_of(evaluation, evaluator.knowledge, shown))
        return json_answer(plan, mimetype=FHIR_JSON)

    return blueprint


def _call_in(body: bytes) -> ApplyCall:
    try:
        return decode_apply_call(body)
    except InvalidBody as error:
        raise rejection(error) from None


def _check_subject(call: ApplyCall, evaluation: Evaluation) -> None:
    """Raise CannotDecide where the Bundle is about another patient than the subject."""
    patient = evaluation.decision.record.patient
    names = names_of("Patient", patient.id, patient.reference)
    if call.subject is None or refers_to(call.subject, "Patient", names):
        return
    text = "The subject is not the patient of the Bundle: name that patient, or leave the subject out."
    raise CannotDecide([Issue("business-rule", text, "Parameters.parameter.where(name = 'subject')")])
