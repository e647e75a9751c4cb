"""CDS Hooks requests: the envelope, and one context class for each hook. Unknown members are kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, cast

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas.base import JsonBoolean, Tolerant

EXTENSION = "org.fasciculation-cds"
# "$" alone would let a line break follow; "\Z" is no regular expression of OpenAPI.
_ID = validate.Regexp(r"^(Patient/)?[A-Za-z0-9\-.]{1,64}$(?!\n)", error="not a FHIR id")


def _is_bundle(content: Mapping[str, Any]) -> None:
    errors = {}
    if content.get("resourceType") not in (None, "Bundle"):
        errors["resourceType"] = ["Not a Bundle."]
    if not isinstance(content.get("entry"), list | None):
        errors["entry"] = ["Not a valid list."]
    if errors:
        raise ValidationError(errors)


class Bundle(fields.Dict):
    """A Bundle in a context, validated leniently: type, total and valid entries are not required.

    draft: its resources are draft orders and not part of the record.
    """

    def __init__(self, *, draft: bool = False) -> None:
        super().__init__(keys=fields.String(), required=True, validate=_is_bundle)
        self.draft = draft


class Selections(fields.List[Any]):
    """References. A longer list than any user selects is refused before its items are validated."""

    max_items: ClassVar[int] = 200_000

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.max_items:
            raise ValidationError(f"Longer than {self.max_items} items.")
        return super()._deserialize(value, *args, **kwargs)


class Context(Tolerant):
    """The members that every hook sends: the user and the patient."""

    # The member that names which resources of the Bundles are selected; None: all are.
    selects: ClassVar[str | None] = None

    userId = fields.String(required=True)
    patientId = fields.String(required=True, validate=_ID)
    encounterId = fields.String(allow_none=True)


class PatientViewContext(Context):
    pass


class OrderSelectContext(Context):
    selects = "selections"

    selections = Selections(fields.String(), required=True)
    draftOrders = Bundle(draft=True)


class OrderSignContext(Context):
    draftOrders = Bundle(draft=True)


class ProblemListItemCreateContext(Context):
    conditions = Bundle()


class EncounterDischargeContext(Context):
    encounterId = fields.String(required=True)


CONTEXTS: Mapping[str, type[Context]] = {
    "patient-view": PatientViewContext,
    "order-select": OrderSelectContext,
    "order-sign": OrderSignContext,
    "problem-list-item-create": ProblemListItemCreateContext,
    "encounter-discharge": EncounterDischargeContext,
}


def bundles_of(hook: str) -> Mapping[str, bool]:
    """The Bundles in the context of a hook: member -> whether they hold draft orders."""
    members = _schema(CONTEXTS[hook]).fields.items()
    return {name: field.draft for name, field in members if isinstance(field, Bundle)}


@cache
def _schema(kind: type[Context]) -> Context:
    """One schema of each class: marshmallow builds its fields anew for each instance."""
    return kind()


class OptionsSchema(Tolerant):
    """The extension of this service in a request."""

    assessment = JsonBoolean(load_default=False)
    asOf = fields.Date(format="iso", load_default=None)


class RequestSchema(Tolerant):
    """The body of POST /cds-services/{id}, without the prefetch, which stays raw."""

    hook = fields.String(required=True)
    hookInstance = fields.String(
        required=True,
        validate=validate.Regexp(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", error="not a UUID"),
    )
    context = fields.Dict(required=True)
    fhirServer = fields.String(allow_none=True)
    fhirAuthorization = fields.Dict(allow_none=True)
    extension = fields.Dict(allow_none=True, load_default=None)

    @validates_schema
    def parts(self, data: dict[str, Any], **_: Any) -> None:
        """Validate the context of the hook, and the extension of this service."""
        context = CONTEXTS.get(data.get("hook", ""))
        errors: dict[str, Any] = {"context": _schema(context).validate(data["context"]) if context else {}}
        options = (data.get("extension") or {}).get(EXTENSION)
        if options is not None:
            wrong = _OPTIONS.validate(options) if isinstance(options, dict) else ["Not an object."]
            errors["extension"] = {EXTENSION: wrong} if wrong else {}
        errors = {member: messages for member, messages in errors.items() if messages}
        if errors:
            raise ValidationError(errors)


_OPTIONS, _REQUEST = OptionsSchema(), RequestSchema()


def checked_request(members: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the loaded request, {}) or ({}, marshmallow's messages)."""
    try:
        return cast(dict[str, Any], _REQUEST.load(members)), {}
    except ValidationError as error:
        return {}, error.normalized_messages()
