"""CDS Hooks requests: the envelope, and one context class for each hook. Unknown members are kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, cast

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas.base import JsonBoolean, Tolerant

EXTENSION = "org.fasciculation-cds"
# An id is only compared, but every note on a resource repeats it.
MAX_ID_LENGTH = 256
MAX_INSTANCE_LENGTH = 200
# Controls by number: which of them \s means differs between Python and the readers of openapi.yaml.
_NOT_BLANK = r"^[\s\S]*[^\s\x00-\x1f\x7f-\x9f]"

# An object of other members alone is no Bundle.
BUNDLE_MEMBERS = frozenset({"resourceType", "entry", "entries", "type", "total", "id", "link"})


def _is_bundle(content: Mapping[str, Any]) -> None:
    errors = {}
    if content.get("resourceType") not in (None, "Bundle"):
        errors["resourceType"] = ["Not a Bundle."]
    elif content and BUNDLE_MEMBERS.isdisjoint(content):
        errors["entry"] = ["Missing data: an object without entry is no Bundle."]
    for name in ("entry", "entries", "link"):
        if not isinstance(content.get(name), list | None):
            errors[name] = ["Not a valid list."]
    if errors:
        raise ValidationError(errors)


class Bundle(fields.Dict):
    """A Bundle in a context, validated leniently: type, total and valid entries are not required.

    draft: its resources are draft orders and not part of the record.
    """

    def __init__(self, *, draft: bool = False) -> None:
        super().__init__(keys=fields.String(), required=True, validate=_is_bundle)
        self.draft = draft


class PatientId(fields.Field[str]):
    """Text or a whole number, as the client writes its ids: it is compared, and need be no FHIR id."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise ValidationError("Neither text nor a whole number.")
        return value


class Extension(fields.Field[Any]):
    """An object; some clients write an empty one as a list, which holds no option of this service."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Any:
        if not isinstance(value, dict | list):
            raise ValidationError("Not an object.")
        return value


class Selections(fields.List[Any]):
    """References. A longer list than any user selects is refused before its items are validated."""

    max_items: ClassVar[int] = 200_000

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.max_items:
            raise ValidationError(f"Longer than {self.max_items} items.")
        return super()._deserialize(value, *args, **kwargs)


class Context(Tolerant):
    """The members that every hook sends: the user and the patient.

    A user or an encounter of another form loses no card: hook_request.py names it.
    """

    # The member that names which resources of the Bundles are selected; None: all are.
    selects: ClassVar[str | None] = None

    userId = fields.Raw(
        allow_none=True, metadata={"description": "Reference of the user, such as Practitioner/1"}
    )
    patientId = PatientId(
        required=True,
        validate=[validate.Length(min=1, max=MAX_ID_LENGTH), validate.Regexp(_NOT_BLANK, error="Blank.")],
        metadata={"type": ["string", "integer"]},
    )
    encounterId = fields.Raw(allow_none=True, metadata={"description": "Id of the encounter, as text"})


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
    pass


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

    assessment = JsonBoolean(load_default=False, allow_none=True)
    asOf = fields.Date(format="iso", load_default=None)


OPTIONS = ("assessment", "asOf")


class RequestSchema(Tolerant):
    """The body of POST /cds-services/{id}, without the prefetch, which stays raw."""

    hook = fields.String(required=True)
    # CDS Hooks wants a UUID, and some clients send another text: ids of cards only derive from it.
    hookInstance = fields.String(required=True, validate=validate.Length(min=1, max=MAX_INSTANCE_LENGTH))
    context = fields.Dict(required=True)
    fhirServer = fields.Raw(allow_none=True, metadata={"description": "Base URL, as text"})
    fhirAuthorization = fields.Raw(allow_none=True, metadata={"description": "Object with the access token"})
    extension = Extension(allow_none=True, load_default=None)

    @validates_schema(skip_on_field_errors=False)
    def parts(self, data: dict[str, Any], **_: Any) -> None:
        """Validate the context of the hook, and the extension of this service."""
        errors: dict[str, Any] = {}
        if "context" in data:
            context = CONTEXTS.get(data.get("hook", ""), Context)
            errors["context"] = _schema(context).validate(data["context"])
        options = options_of(data)
        if options is not None:
            wrong = _OPTIONS.validate(options) if isinstance(options, dict) else ["Not an object."]
            errors["extension"] = {EXTENSION: wrong} if wrong else {}
        errors = {member: messages for member, messages in errors.items() if messages}
        if errors:
            raise ValidationError(errors)


_OPTIONS, _REQUEST = OptionsSchema(), RequestSchema()


def options_of(members: Mapping[str, Any]) -> Any:
    """The extension of this service in the members of a request; None where there is none."""
    extension = members.get("extension")
    return extension.get(EXTENSION) if isinstance(extension, dict) else None


def checked_request(members: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the loaded request, {}) or ({}, marshmallow's messages)."""
    try:
        return cast(dict[str, Any], _REQUEST.load(members)), {}
    except ValidationError as error:
        return {}, error.normalized_messages()
