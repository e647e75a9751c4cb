"""The shape of fhir.yaml. Strict: an unknown member is an error."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.base import Strict

_ROOT = validate.Regexp(r"^(urn:[a-z0-9][a-z0-9-]+:|https?://)[^\s|#?]*[^\s|#?/]$", error="not a URL or URN")


def _text() -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1))


class PlanTextsSchema(Strict):
    title = _text()
    description = _text()
    usage = _text()
    purpose = _text()
    removals = _text()
    row = _text()
    calm = _text()
    until_done = _text()
    source = _text()
    place = _text()
    document = _text()
    order = _text()


class FactTextsSchema(Strict):
    title = _text()
    description = _text()
    value_sets = _text()
    open = _text()
    gate = _text()
    finding = _text()
    diagnosis = _text()
    drug = _text()
    current = _text()
    stopped = _text()
    feature = _text()


class NeedlessTextsSchema(Strict):
    done = _text()
    since_start = _text()
    calm = _text()
    repeat_abnormal = _text()
    study = _text()
    ordered = _text()
    ordered_urgent = _text()


class ValueSetTextsSchema(Strict):
    finding = _text()
    shown = _text()
    look_alike = _text()
    specific = _text()
    told = _text()
    sited = _text()
    medication = _text()
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


class PublicationSchema(Strict):
    canonical_root = fields.String(required=True, validate=_ROOT)
    status = fields.String(required=True, validate=validate.OneOf(["draft", "active", "retired"]))
    experimental = fields.Boolean(required=True)
    plan = fields.Nested(PlanTextsSchema, required=True)
    facts = fields.Nested(FactTextsSchema, required=True)
    needless = fields.Nested(NeedlessTextsSchema, required=True)
    value_sets = fields.Nested(ValueSetTextsSchema, required=True)
    copyright = fields.Dict(keys=fields.String(), values=_text(), required=True)
