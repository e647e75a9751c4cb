"""The shape of hooks.yaml."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.knowledge_table import Id, Strict


class HookSchema(Strict):
    id = Id()
    hook = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    hook_version = fields.String(validate=validate.Regexp(r"^\d+\.\d+(\.\d+)?$"))
    # Which cards answer it.
    cards = fields.String(
        load_default="work-up", validate=validate.OneOf(["work-up", "new-problem", "drafts", "open-ends"])
    )
    prefetch = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class HooksSchema(Strict):
    version = fields.String(required=True)
    usage_requirements = fields.String(required=True)
    hooks = fields.List(fields.Nested(HookSchema), required=True, validate=validate.Length(min=1))
