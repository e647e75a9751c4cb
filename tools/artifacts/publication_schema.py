"""The shape of fhir.yaml. Strict: an unknown member is an error."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.base import WEB_ADDRESS, Strict
from schemas.knowledge_files import ApplyTextsSchema
from schemas.knowledge_questionnaire import ROOT, QuestionnaireSchema


def _text() -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1))


class PlanTextsSchema(Strict):
    title = _text()
    description = _text()
    usage = _text()
    purpose = _text()
    recommended = _text()
    missing = _text()
    routine = _text()
    urgent = _text()
    now = _text()
    source = _text()
    place = _text()
    document = _text()
    order = _text()


class LibraryTextsSchema(Strict):
    title = _text()
    description = _text()
    left_out = _text()


class ValueSetTextsSchema(Strict):
    finding = _text()
    shown = _text()
    look_alike = _text()
    specific = _text()
    told = _text()
    sited = _text()
    medication = _text()
    ingredient = _text()
    by_route = _text()
    routes = _text()
    potassium_raising = _text()
    analyte = _text()
    counts_as = _text()
    default_range = _text()
    critical = _text()
    body_site = _text()
    region = _text()
    no_region = _text()
    body_region = _text()
    procedure = _text()
    asks_for = _text()
    panel = _text()
    course = _text()
    answer = _text()
    side = _text()
    medication_route = _text()
    tobacco_status = _text()
    below = _text()
    excluded = _text()
    no_code = _text()


class ContactSchema(Strict):
    name = _text()
    url = fields.String(validate=WEB_ADDRESS)


class PublicationSchema(Strict):
    canonical_root = fields.String(required=True, validate=ROOT)
    status = fields.String(required=True, validate=validate.OneOf(["draft", "active", "retired"]))
    experimental = fields.Boolean(required=True)
    publisher = _text()
    contact = fields.Nested(ContactSchema, required=True)
    date = fields.String(required=True, validate=validate.Regexp(r"^\d{4}-\d{2}-\d{2}$", error="not a day"))
    jurisdiction = _text()
    topic = _text()
    profiles = fields.Dict(keys=_text(), values=fields.List(_text()), required=True)
    plan = fields.Nested(PlanTextsSchema, required=True)
    library = fields.Nested(LibraryTextsSchema, required=True)
    apply = fields.Nested(ApplyTextsSchema, required=True)
    value_sets = fields.Nested(ValueSetTextsSchema, required=True)
    questionnaire = fields.Nested(QuestionnaireSchema, required=True)
    copyright = fields.Dict(keys=fields.String(), values=_text(), required=True)
