"""Schemas of the answers of the API, for openapi.yaml and for the tests, which validate every answer."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from schemas.base import Strict

LEVEL = validate.OneOf(["none", "info", "warning", "critical"])
STATUS = validate.OneOf(["present", "absent", "unknown"])


def _url() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(r"^https?://", error="not a URL"))


class CodingSchema(Strict):
    system = _url()
    code = fields.String(required=True)
    display = fields.String()


class ActionSchema(Strict):
    type = fields.String(required=True, validate=validate.OneOf(["create", "update", "delete"]))
    description = fields.String(required=True, validate=validate.Length(min=1))
    resource = fields.Dict(keys=fields.String(), required=True)


class SuggestionSchema(Strict):
    label = fields.String(required=True, validate=validate.Length(min=1))
    uuid = fields.UUID(required=True)
    isRecommended = fields.Boolean()
    actions = fields.List(fields.Nested(ActionSchema), required=True, validate=validate.Length(min=1))


class SourceSchema(Strict):
    label = fields.String(required=True)
    url = _url()
    topic = fields.Nested(CodingSchema)


class LinkSchema(Strict):
    label = fields.String(required=True)
    url = _url()
    type = fields.String(required=True, validate=validate.OneOf(["absolute", "smart"]))


class CardSchema(Strict):
    uuid = fields.UUID(required=True)
    summary = fields.String(required=True, validate=validate.Length(min=1, max=139))
    indicator = fields.String(required=True, validate=validate.OneOf(["info", "warning", "critical"]))
    detail = fields.String(required=True, validate=validate.Length(min=1))
    source = fields.Nested(SourceSchema, required=True)
    suggestions = fields.List(fields.Nested(SuggestionSchema), validate=validate.Length(min=1))
    selectionBehavior = fields.String(required=True, validate=validate.OneOf(["any", "at-most-one"]))
    overrideReasons = fields.List(
        fields.Nested(CodingSchema), required=True, validate=validate.Length(min=1, max=5)
    )
    links = fields.List(fields.Nested(LinkSchema), required=True, validate=validate.Length(min=1, max=2))
    extension = fields.Dict(keys=fields.String(), required=True)


class HookAnswerSchema(Strict):
    """Of a hook call."""

    cards = fields.List(fields.Nested(CardSchema), required=True)
    extension = fields.Dict(keys=fields.String())


class ServiceSchema(Strict):
    id = fields.String(required=True)
    hook = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    prefetch = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    usageRequirements = fields.String(required=True)
    version = fields.String(required=True)
    hookVersion = fields.String()


class DiscoverySchema(Strict):
    services = fields.List(fields.Nested(ServiceSchema), required=True)


class GateSchema(Strict):
    open = fields.Boolean(required=True)
    reason = fields.String(required=True)


class SpanSchema(Strict):
    earliest = fields.Date()
    latest = fields.Date()


class EvidenceSchema(Strict):
    reference = fields.String(required=True)
    expression = fields.String(required=True)
    text = fields.String(required=True)
    status = fields.String(required=True, validate=STATUS)
    date = fields.Date()
    used = fields.Boolean(required=True)


class FindingSchema(Strict):
    id = fields.String(required=True)
    status = fields.String(required=True, validate=STATUS)
    basis = fields.String(validate=validate.OneOf(["examined", "listed", "reported"]))
    value = fields.String()
    since = fields.Nested(SpanSchema)
    conflict = fields.Boolean(required=True)
    suspected = fields.Boolean()
    evidence = fields.List(fields.Nested(EvidenceSchema), required=True)


class DrugSchema(Strict):
    name = fields.String(required=True)
    classes = fields.List(fields.String(), required=True)
    plausible = fields.String(required=True, validate=validate.OneOf(["yes", "possible", "no"]))
    why = fields.String(required=True)
    reference = fields.String(required=True)


class ResultSchema(Strict):
    analyte = fields.String(required=True)
    value = fields.String(required=True)
    unit = fields.String()
    date = fields.Date()
    flag = fields.String()
    band = fields.String(required=True)
    kind = fields.String()
    preliminary = fields.Boolean()
    reference = fields.String(required=True)


class OrderSchema(Strict):
    test = fields.String(required=True)
    date = fields.Date()
    status = fields.String(required=True)
    priority = fields.String()
    reference = fields.String(required=True)


class StudySchema(Strict):
    id = fields.String(required=True)
    date = fields.Date()
    reference = fields.String(required=True)


class AssessmentRowSchema(Strict):
    id = fields.String(required=True)
    claims = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    reading = fields.String(required=True, validate=validate.OneOf(["stated", "interpreted", "addition"]))


class OrderedSchema(Strict):
    date = fields.Date()
    priority = fields.String()
    reference = fields.String()


class RecommendationSchema(Strict):
    """findings: to be examined; results: to be acted on; ordered: an order of too low a priority."""

    id = fields.String(required=True)
    urgency = fields.String(required=True, validate=validate.OneOf(["routine", "urgent", "now"]))
    because = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    analytes = fields.List(fields.String(), required=True)
    findings = fields.List(fields.String())
    results = fields.List(fields.String())
    ordered = fields.Nested(OrderedSchema)


class WithheldSchema(Strict):
    id = fields.String(required=True)
    why = fields.String(
        required=True,
        validate=validate.OneOf(["done", "ordered", "seen", "child", "beside-now", "beside-urgent"]),
    )
    tests = fields.List(fields.String())
    date = fields.Date()
    reference = fields.String()


class QuestionAnswerSchema(Strict):
    answer = fields.String(required=True)
    level = fields.String(required=True, validate=LEVEL)
    recommendations = fields.List(fields.String(), required=True)


class QuestionSchema(Strict):
    finding = fields.String(required=True)
    ifPresent = fields.Nested(QuestionAnswerSchema, required=True)
    ifAbsent = fields.Nested(QuestionAnswerSchema, required=True)
    answers = fields.List(fields.Nested(QuestionAnswerSchema))


class NotUsedSchema(Strict):
    reference = fields.String(required=True)
    why = fields.String(required=True)


class NotUnderstoodSchema(NotUsedSchema):
    expression = fields.String()


class UnknownCodeSchema(Strict):
    """count: of the entries that carry it. text: its display, or words that stand without a code."""

    system = fields.String()
    code = fields.String()
    text = fields.String()
    count = fields.Integer(required=True, validate=validate.Range(min=1))


class AssessmentSchema(Strict):
    asOf = fields.Date(required=True)
    patient = fields.String(required=True, allow_none=True)
    knowledgeVersion = fields.String(required=True)
    level = fields.String(required=True, validate=LEVEL)
    gate = fields.Nested(GateSchema, required=True)
    range = fields.List(fields.String(validate=LEVEL), required=True, validate=validate.Length(equal=2))
    findings = fields.List(fields.Nested(FindingSchema), required=True)
    drugs = fields.List(fields.Nested(DrugSchema), required=True)
    results = fields.List(fields.Nested(ResultSchema), required=True)
    orders = fields.List(fields.Nested(OrderSchema), required=True)
    studies = fields.List(fields.Nested(StudySchema), required=True)
    rows = fields.List(fields.Nested(AssessmentRowSchema), required=True)
    recommendations = fields.List(fields.Nested(RecommendationSchema), required=True)
    withheld = fields.List(fields.Nested(WithheldSchema), required=True)
    questions = fields.List(fields.Nested(QuestionSchema), required=True)
    notUsed = fields.List(fields.Nested(NotUsedSchema), required=True)
    notUnderstood = fields.List(fields.Nested(NotUnderstoodSchema), required=True)
    notSeen = fields.List(fields.String(), required=True)
    unknownCodes = fields.List(fields.Nested(UnknownCodeSchema), required=True)


class EvaluationSchema(Strict):
    """Of POST /evaluate."""

    cards = fields.List(fields.Nested(CardSchema), required=True)
    assessment = fields.Nested(AssessmentSchema, required=True)
    outcome = fields.Dict(keys=fields.String())


class ShareSchema(Strict):
    """interval: of the accepted among those that were answered, in per cent, by Wilson, at 95 %."""

    accepted = fields.Integer(required=True)
    overridden = fields.Integer(required=True)
    percent = fields.Float()
    interval = fields.List(fields.Float(), required=True, validate=validate.Length(equal=2))


class FeedbackRowSchema(ShareSchema):
    row = fields.String(required=True)
    label = fields.String(required=True)


class WeekSchema(ShareSchema):
    week = fields.String(required=True)


class CountedReasonSchema(Strict):
    code = fields.String()
    display = fields.String(required=True)
    cards = fields.Integer(required=True)


class CountedSuggestionSchema(Strict):
    kind = fields.String(required=True)
    name = fields.String(required=True)
    cards = fields.Integer(required=True)


class FeedbackSummarySchema(Strict):
    """GET /feedback/summary. A card counts once."""

    knowledgeVersion = fields.String(required=True)
    all = fields.Nested(ShareSchema, required=True)
    rows = fields.List(fields.Nested(FeedbackRowSchema), required=True)
    weeks = fields.List(fields.Nested(WeekSchema), required=True)
    reasons = fields.List(fields.Nested(CountedReasonSchema), required=True)
    suggestions = fields.List(fields.Nested(CountedSuggestionSchema), required=True)


class IssueSchema(Strict):
    severity = fields.String(
        required=True, validate=validate.OneOf(["fatal", "error", "warning", "information"])
    )
    code = fields.String(required=True)
    diagnostics = fields.String(required=True, validate=validate.Length(min=1))
    expression = fields.List(fields.String(), validate=validate.Length(min=1))


class OperationOutcomeSchema(Strict):
    resourceType = fields.String(required=True, validate=validate.Equal("OperationOutcome"))
    issue = fields.List(fields.Nested(IssueSchema), required=True, validate=validate.Length(min=1))


class WorkbenchRecordSchema(Schema):
    text = fields.String(required=True)
    notes = fields.List(fields.String(), required=True)


class WorkbenchAnswerSchema(Schema):
    """html: what the page shows. text: the request that it is about."""

    html = fields.String(required=True)
    text = fields.String(required=True)
    asOf = fields.Date(required=True)
    level = fields.String(required=True)
