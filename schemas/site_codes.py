"""Schema of SITE_CODES: the parts of a FHIR R4 ConceptMap that are read."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.base import Tolerant, required_text

EQUIVALENCES = (
    "relatedto",
    "equivalent",
    "equal",
    "wider",
    "subsumes",
    "narrower",
    "specializes",
    "inexact",
    "unmatched",
    "disjoint",
)


class TargetSchema(Tolerant):
    code = fields.String()
    equivalence = fields.String(
        required=True,
        validate=validate.OneOf(EQUIVALENCES),
        error_messages={"required": "is needed (R4); the relationship of R5 is not read"},
    )
    dependsOn = fields.List(fields.Raw(), validate=validate.Length(max=0, error="is not read"))
    modifierExtension = fields.List(fields.Raw(), validate=validate.Length(max=0, error="is not read"))


class ElementSchema(Tolerant):
    code = required_text()
    target = fields.List(fields.Nested(TargetSchema), load_default=list)
    modifierExtension = fields.List(fields.Raw(), validate=validate.Length(max=0, error="is not read"))


class GroupSchema(Tolerant):
    source = required_text()
    target = fields.String(load_default="")
    element = fields.List(fields.Nested(ElementSchema), required=True, validate=validate.Length(min=1))


class ConceptMapSchema(Tolerant):
    resourceType = fields.String(
        required=True, validate=validate.Equal("ConceptMap", error="is not ConceptMap")
    )
    group = fields.List(fields.Nested(GroupSchema), required=True, validate=validate.Length(min=1))
