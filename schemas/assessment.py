"""The shapes of /evaluate and of the assessment, strictly: the tests hold every answer against them."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate

from schemas.hooks import CardSchema

LEVEL = validate.OneOf(["none", "info", "warning", "critical"])
STATUS = validate.OneOf(["present", "absent", "unknown"])


class Exact(Schema):
    class Meta:
        unknown = RAISE


class GateSchema(Exact):
    open = fields.Boolean(required=True)
    reason = fields.String(required=True)


class SpanSchema(Exact):
    earliest = fields.Date()
    latest = fields.Date()


class EvidenceSchema(Exact):
    reference = fields.String(required=True)
    expression = fields.String(required=True)
    text = fields.String(required=True)
    status = fields.String(required=True, validate=STATUS)
    date = fields.Date()
    used = fields.Boolean(required=True)


class FindingSchema(Exact):
    id = fields.String(required=True)
    status = fields.String(required=True, validate=STATUS)
    basis = fields.String(validate=validate.OneOf(["examined", "reported"]))
    value = fields.String()
    since = fields.Nested(SpanSchema)
    conflict = fields.Boolean(required=True)
    suspected = fields.Boolean()
    evidence = fields.List(fields.Nested(EvidenceSchema), required=True)


class DrugSchema(Exact):
    name = fields.String(required=True)
    classes = fields.List(fields.String(), required=True)
    plausible = fields.String(required=True, validate=validate.OneOf(["yes", "possible", "no"]))
    why = fields.String(required=True)
    reference = fields.String(required=True)


class ResultSchema(Exact):
    analyte = fields.String(required=True)
    value = fields.String(required=True)
    unit = fields.String()
    date = fields.Date()
    flag = fields.String()
    band = fields.String(required=True)
    preliminary = fields.Boolean()
    reference = fields.String(required=True)


class OrderSchema(Exact):
    test = fields.String(required=True)
    date = fields.Date()
    status = fields.String(required=True)
    priority = fields.String()
    reference = fields.String(required=True)


class StudySchema(Exact):
    id = fields.String(required=True)
    date = fields.Date()
    reference = fields.String(required=True)


class RowSchema(Exact):
    id = fields.String(required=True)
    claims = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    reading = fields.String(required=True, validate=validate.OneOf(["stated", "interpreted", "addition"]))


class RecommendationSchema(Exact):
    id = fields.String(required=True)
    urgency = fields.String(required=True, validate=validate.OneOf(["routine", "urgent"]))
    because = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    analytes = fields.List(fields.String(), required=True)
    orderedAsRoutine = fields.String()


class WithheldSchema(Exact):
    id = fields.String(required=True)
    why = fields.String(required=True)
    tests = fields.List(fields.String())
    date = fields.Date()
    reference = fields.String()


class AnswerSchema(Exact):
    answer = fields.String(required=True)
    level = fields.String(required=True, validate=LEVEL)
    recommendations = fields.List(fields.String(), required=True)


class QuestionSchema(Exact):
    finding = fields.String(required=True)
    ifPresent = fields.Nested(AnswerSchema, required=True)
    ifAbsent = fields.Nested(AnswerSchema, required=True)
    answers = fields.List(fields.Nested(AnswerSchema))
    together = fields.Dict(keys=fields.String(), values=fields.String())


class NotUsedSchema(Exact):
    reference = fields.String(required=True)
    why = fields.String(required=True)


class NotUnderstoodSchema(NotUsedSchema):
    expression = fields.String()


class AssessmentSchema(Exact):
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
    rows = fields.List(fields.Nested(RowSchema), required=True)
    recommendations = fields.List(fields.Nested(RecommendationSchema), required=True)
    withheld = fields.List(fields.Nested(WithheldSchema), required=True)
    questions = fields.List(fields.Nested(QuestionSchema), required=True)
    notUsed = fields.List(fields.Nested(NotUsedSchema), required=True)
    notUnderstood = fields.List(fields.Nested(NotUnderstoodSchema), required=True)
    notSeen = fields.List(fields.String(), required=True)


class EvaluationSchema(Exact):
    """Of POST /evaluate."""

    cards = fields.List(fields.Nested(CardSchema), required=True)
    assessment = fields.Nested(AssessmentSchema, required=True)
    outcome = fields.Dict(keys=fields.String())


class EvaluateQuerySchema(Exact):
    """The query of POST /evaluate."""

    asOf = fields.Date(format="iso", load_default=None)
    fully = fields.String(
        data_key="validate", validate=validate.OneOf(["true", "false"]), load_default="false"
    )
