"""What the page of the workbench posts to the service."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate

from schemas.hooks import JsonBoolean


class ApplySchema(Schema):
    """A click that answers a question: the finding is present or absent."""

    class Meta:
        unknown = RAISE

    finding = fields.String(required=True, validate=validate.Length(min=1, max=64))
    answer = fields.String(required=True, validate=validate.OneOf(["present", "absent"]))


class WorkbenchSchema(Schema):
    """text: a Bundle or a hook request as JSON text. chosen: the user set the day, which then overrides the
    one in the request."""

    class Meta:
        unknown = RAISE

    text = fields.String(required=True)
    asOf = fields.Date(format="iso", load_default=None, allow_none=True)
    chosen = JsonBoolean(load_default=False)
    apply = fields.Nested(ApplySchema, load_default=None, allow_none=True)


class WorkbenchAnswerSchema(Schema):
    """html: what the page shows. text: the request that it is about, as it was or with what was applied."""

    html = fields.String(required=True)
    text = fields.String(required=True)
    asOf = fields.Date(required=True)
    level = fields.String(required=True)
