"""The shape of examples/index.yaml. Strict: an unknown member is an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marshmallow import fields, validate

from schemas.base import LEVELS, Id, Strict
from schemas.hooks import CONTEXTS

_TEXT = validate.Length(min=1)
# Beside the index: no path leads elsewhere.
_FILE = validate.Regexp(r"^[a-z0-9-]+\.json$", error="not the name of a JSON file in this folder")


class ExpectedCardSchema(Strict):
    """What one sees of a card. suggestions: their labels, in order."""

    indicator = fields.String(required=True, validate=validate.OneOf(LEVELS))
    summary = fields.String(required=True, validate=validate.Length(min=1, max=139))
    suggestions = fields.List(fields.String(validate=_TEXT), required=True)


class SampleSchema(Strict):
    """A file and the cards it gets; none: no card."""

    file = fields.String(required=True, validate=_FILE)
    expected = fields.List(fields.Nested(ExpectedCardSchema), required=True)


class ExampleSchema(Strict):
    name = Id()
    title = fields.String(required=True, validate=_TEXT)
    about = fields.String(required=True, validate=_TEXT)
    # The day of the decision; the calls carry it themselves.
    asOf = fields.Date(required=True)
    bundle = fields.Nested(SampleSchema, required=True)
    requests = fields.Dict(
        keys=fields.String(validate=validate.OneOf(sorted(CONTEXTS))),
        values=fields.Nested(SampleSchema),
        required=True,
        validate=validate.Length(min=1),
    )


class ExampleIndexSchema(Strict):
    examples = fields.List(fields.Nested(ExampleSchema), required=True, validate=validate.Length(min=1))


def index_problems(content: Any) -> Iterator[tuple[str, str]]:
    """(place, reason) for everything that is wrong with the index; nothing where it can be loaded."""
    if not isinstance(content, dict):
        yield "", "not a mapping"
        return
    yield from _flattened(ExampleIndexSchema().validate(content), "")


def _flattened(found: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(found, dict):
        for key, inner in found.items():
            # A dictionary's own keys and values are no part of a place.
            part = "" if key in ("_schema", "key", "value") else f".{key}"
            yield from _flattened(inner, f"{place}{part}".lstrip("."))
    else:
        for reason in found:
            yield place, str(reason)
