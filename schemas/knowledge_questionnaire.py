"""Schemas of the questionnaire in fhir.yaml. Strict: an unknown member is an error."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields, validate

from schemas.base import Id, Strict, required_text
from schemas.knowledge_files import Code, CodingSchema, Text

ROOT = validate.Regexp(r"^(urn:[a-z0-9][a-z0-9-]+:|https?://)[^\s|#?]*[^\s|#?/]$", error="not a URL or URN")


class QuestionnaireItemSchema(Strict):
    """since: the finding that began on the day of the answer. initial: FHIRPath of what is not read back."""

    id = Id()
    type = Text(required=True, validate=validate.OneOf(["date", "sites", "courses"]))
    text = required_text()
    since = Text(load_default=None)
    initial = Text(load_default=None)


class QuestionnaireSchema(Strict):
    """items: question of the table -> its item. preferred: codes. courses: course -> its display."""

    id = Id()
    title = required_text()
    description = required_text()
    purpose = required_text()
    patient = required_text()
    groups = fields.Dict(keys=Text(), values=required_text(), required=True)
    items = fields.Dict(keys=Text(), values=fields.Nested(QuestionnaireItemSchema), required=True)
    answers = fields.List(fields.Nested(CodingSchema), required=True, validate=validate.Length(min=2))
    courses = fields.Dict(keys=Text(), values=required_text(), required=True)
    preferred = fields.List(Code(), required=True)
    sided = required_text()
    expanded = fields.String(required=True, validate=validate.Regexp(r"^\d{4}-\d{2}-\d{2}$"))


class FormFileSchema(Schema):
    """What the service itself reads of fhir.yaml: its form, and what the items stand for."""

    class Meta:
        unknown = EXCLUDE

    canonical_root = fields.String(required=True, validate=ROOT)
    questionnaire = fields.Nested(QuestionnaireSchema, required=True)
