"""Schema of SITE_CODES: the parts of a FHIR R4 ConceptMap that are read."""

from __future__ import annotations

from typing import Any

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


def _unread(*harmless: Any) -> fields.Raw:
    """A member that changes what the map says: refused, but for those values."""
    return fields.Raw(validate=validate.OneOf(("", [], {}, *harmless), error="is not read"))


class TargetSchema(Tolerant):
    code = fields.String()
    equivalence = fields.String(
        required=True,
        validate=validate.OneOf(EQUIVALENCES),
        error_messages={"required": "is needed (R4); the relationship of R5 is not read"},
    )
    dependsOn = _unread()
    product = _unread()
    modifierExtension = _unread()


class ElementSchema(Tolerant):
    code = required_text()
    target = fields.List(fields.Nested(TargetSchema), load_default=list)
    modifierExtension = _unread()


class GroupSchema(Tolerant):
    source = required_text()
    target = fields.String(load_default="")
    element = fields.List(fields.Nested(ElementSchema), required=True, validate=validate.Length(min=1))
    unmapped = _unread({"mode": "provided"})
    modifierExtension = _unread()


class ConceptMapSchema(Tolerant):
    resourceType = fields.String(
        required=True, validate=validate.Equal("ConceptMap", error="is not ConceptMap")
    )
    implicitRules = _unread()
    modifierExtension = _unread()
    group = fields.List(fields.Nested(GroupSchema), required=True, validate=validate.Length(min=1))
