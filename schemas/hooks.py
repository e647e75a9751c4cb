"""CDS Hooks envelopes: requests tolerantly (unknown members kept), answers strictly (for the tests)."""

from __future__ import annotations

from typing import Any, cast

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate, validates_schema

from schemas.contexts import context_schema

EXTENSION = "org.fasciculation-cds"


class Tolerant(Schema):
    """Unknown members are kept: an extension must never be lost."""

    class Meta:
        unknown = INCLUDE


class Exact(Schema):
    """Answers hold what is written here and nothing else."""

    class Meta:
        unknown = RAISE


def _url(*, required: bool = True) -> fields.String:
    return fields.String(required=required, validate=validate.Regexp(r"^https?://", error="not a URL"))


class JsonBoolean(fields.Boolean):
    """true or false: "true" and 1 would be taken and then not meant."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Not a valid boolean.")
        return value


class OptionsSchema(Tolerant):
    """Our own extension of a request."""

    assessment = JsonBoolean(load_default=False)
    asOf = fields.Date(format="iso", load_default=None)


class RequestSchema(Tolerant):
    """POST /cds-services/{id}. The prefetch is not here: it stays raw."""

    hook = fields.String(required=True)
    hookInstance = fields.String(
        required=True,
        validate=validate.Regexp(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", error="not a UUID"),
    )
    # Names of members are text in any JSON: they need no look.
    context = fields.Dict(required=True)
    fhirServer = fields.String(allow_none=True)
    fhirAuthorization = fields.Dict(allow_none=True)
    extension = fields.Dict(allow_none=True, load_default=None)

    @validates_schema
    def parts(self, data: dict[str, Any], **_: Any) -> None:
        """The context has the members that its hook requires, and our extension is one."""
        shape = context_schema(data.get("hook", ""))
        errors: dict[str, Any] = {"context": shape.validate(data["context"]) if shape else {}}
        options = (data.get("extension") or {}).get(EXTENSION)
        if options is not None:
            wrong = _OPTIONS.validate(options) if isinstance(options, dict) else ["Not an object."]
            errors["extension"] = {EXTENSION: wrong} if wrong else {}
        errors = {member: messages for member, messages in errors.items() if messages}
        if errors:
            raise ValidationError(errors)


# A schema is built anew from its fields each time that it is made: one of each is enough.
_OPTIONS, _REQUEST = OptionsSchema(), RequestSchema()


def checked_request(members: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the request as loaded, nothing), or (nothing, marshmallow's messages about it)."""
    try:
        return cast(dict[str, Any], _REQUEST.load(members)), {}
    except ValidationError as error:
        return {}, error.normalized_messages()


class CodingSchema(Exact):
    system = _url()
    code = fields.String(required=True)
    display = fields.String()


class ActionSchema(Exact):
    type = fields.String(required=True, validate=validate.OneOf(["create", "update", "delete"]))
    description = fields.String(required=True, validate=validate.Length(min=1))
    resource = fields.Dict(keys=fields.String(), required=True)


class SuggestionSchema(Exact):
    label = fields.String(required=True, validate=validate.Length(min=1))
    uuid = fields.UUID(required=True)
    actions = fields.List(fields.Nested(ActionSchema), required=True, validate=validate.Length(min=1))


class SourceSchema(Exact):
    label = fields.String(required=True)
    url = _url()
    icon = _url(required=False)
    topic = fields.Nested(CodingSchema)


class LinkSchema(Exact):
    label = fields.String(required=True)
    url = _url()
    type = fields.String(required=True, validate=validate.OneOf(["absolute", "smart"]))


class CardSchema(Exact):
    uuid = fields.UUID(required=True)
    summary = fields.String(required=True, validate=validate.Length(min=1, max=139))
    indicator = fields.String(required=True, validate=validate.OneOf(["info", "warning", "critical"]))
    detail = fields.String(required=True, validate=validate.Length(min=1))
    source = fields.Nested(SourceSchema, required=True)
    suggestions = fields.List(fields.Nested(SuggestionSchema), validate=validate.Length(min=1))
    selectionBehavior = fields.String(required=True, validate=validate.OneOf(["any", "at-most-one"]))
    overrideReasons = fields.List(fields.Nested(CodingSchema), required=True, validate=validate.Length(min=1))
    links = fields.List(fields.Nested(LinkSchema), required=True, validate=validate.Length(min=1))
    extension = fields.Dict(keys=fields.String(), required=True)


class AnswerSchema(Exact):
    """Of a hook call."""

    cards = fields.List(fields.Nested(CardSchema), required=True)
    extension = fields.Dict(keys=fields.String())


class ServiceSchema(Exact):
    id = fields.String(required=True)
    hook = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    prefetch = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    usageRequirements = fields.String(required=True)
    version = fields.String(required=True)
    hookVersion = fields.String()


class DiscoverySchema(Exact):
    services = fields.List(fields.Nested(ServiceSchema), required=True)
