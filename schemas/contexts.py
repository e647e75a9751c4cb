"""The context of each hook: one small class a hook. Unknown members are kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

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
    """A Bundle in a context, read leniently: a type, a total and valid entries are not asked for.

    draft: its resources are being ordered and are not part of the record yet.
    """

    def __init__(self, *, draft: bool = False) -> None:
        super().__init__(keys=fields.String(), required=True, validate=_is_bundle)
        self.draft = draft


class Selections(fields.List[Any]):
    """References; more than anybody selects are refused before each of them is looked at."""

    most: ClassVar[int] = 200_000

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.most:
            raise ValidationError(f"Longer than {self.most} items.")
        return super()._deserialize(value, *args, **kwargs)


class Context(Schema):
    """What every hook says: who asks, and about whom."""

    # The member that names what the user is at, of all that the Bundles hold; None: everything.
    selects: ClassVar[str | None] = None

    class Meta:
        unknown = INCLUDE

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


def context_schema(hook: str) -> Context | None:
    """The schema of the context of that hook; None where there is no such hook."""
    shape = CONTEXTS.get(hook)
    return _schema(shape) if shape else None


def bundles_of(hook: str) -> Mapping[str, bool]:
    """The Bundles that a context of that hook brings: member -> whether they are drafts."""
    return _bundles(CONTEXTS[hook])


@cache
def _schema(shape: type[Context]) -> Context:
    """Made once: marshmallow builds a schema anew from its fields each time."""
    return shape()


@cache
def _bundles(shape: type[Context]) -> Mapping[str, bool]:
    members = _schema(shape).fields.items()
    return {name: field.draft for name, field in members if isinstance(field, Bundle)}
