"""The shape of the files in sources/. Strict: an unknown member is an error."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.knowledge_table import Id, Strict

_CLAUSE = validate.Regexp(r"^\S+( \S+){6,}$", error="a reason is a clause of at least seven words")
_SHA256 = validate.Regexp(r"^[0-9a-f]{64}$", error="not a SHA-256")


def Reason() -> fields.String:
    """Why nothing rests on a claim or an anchor: a clause, not a keyword. None: something does."""
    return fields.String(validate=_CLAUSE, load_default=None)


class ClaimSchema(Strict):
    id = fields.String(required=True, validate=validate.Regexp(r"^S\d{3}-\d{2,3}$"))
    heading = fields.Integer(required=True, strict=True)
    sentences = fields.List(fields.Integer(strict=True), required=True, validate=validate.Length(min=1))
    sha256 = fields.String(required=True, validate=_SHA256)
    says = fields.String(required=True, validate=validate.Length(min=5))
    strength = fields.String(required=True)
    declined = Reason()


class DocumentSchema(Strict):
    id = Id()
    title = fields.String(required=True)
    prefix = fields.String(required=True)
    sha256 = fields.String(required=True, validate=_SHA256)
    claims = fields.List(fields.Nested(ClaimSchema), required=True, validate=validate.Length(min=1))


class AnchorSchema(Strict):
    id = fields.String(required=True, validate=validate.Regexp(r"^A\d{2}$"))
    source = fields.String(required=True, validate=validate.Length(min=3))
    says = fields.String(required=True, validate=validate.Length(min=5))
    url = fields.Url(required=True)
    declined = Reason()


class AnchorsSchema(Strict):
    anchors = fields.List(fields.Nested(AnchorSchema), required=True)
