"""The shape of hooks.yaml."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.knowledge_table import Id, Strict


class HookSchema(Strict):
    id = Id()
    hook = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    prefetch = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class HooksSchema(Strict):
    usage_requirements = fields.String(required=True)
    hooks = fields.List(fields.Nested(HookSchema), required=True, validate=validate.Length(min=1))
