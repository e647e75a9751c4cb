"""FHIR OperationOutcome, as every error is answered."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate


class IssueSchema(Schema):
    class Meta:
        unknown = RAISE

    severity = fields.String(
        required=True, validate=validate.OneOf(["fatal", "error", "warning", "information"])
    )
    code = fields.String(required=True)
    diagnostics = fields.String(required=True, validate=validate.Length(min=1))
    expression = fields.List(fields.String(), validate=validate.Length(min=1))


class OperationOutcomeSchema(Schema):
    class Meta:
        unknown = RAISE

    resourceType = fields.String(required=True, validate=validate.Equal("OperationOutcome"))
    issue = fields.List(fields.Nested(IssueSchema), required=True, validate=validate.Length(min=1))
