"""The shapes of examples/index.yaml and of an expected.yaml. Strict: an unknown member is an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marshmallow import Schema, fields, validate

from schemas.base import LEVELS, Id, Strict
from schemas.hooks import CONTEXTS

BUNDLE = "bundle"

_TEXT = validate.Length(min=1)


class ExpectedCardSchema(Strict):
    """The visible parts of a card. suggestions: their labels, in order."""

    indicator = fields.String(required=True, validate=validate.OneOf(LEVELS))
    summary = fields.String(required=True, validate=validate.Length(min=1, max=139))
    suggestions = fields.List(fields.String(validate=_TEXT), required=True)


class ExpectedSchema(Strict):
    """expected.yaml. cards: file without .json -> the cards it gets; an empty list: no card."""

    title = fields.String(required=True, validate=_TEXT)
    about = fields.String(required=True, validate=_TEXT)
    # The day of the decision; the hook requests contain it.
    asOf = fields.Date(required=True)
    cards = fields.Dict(
        keys=fields.String(validate=validate.OneOf([BUNDLE, *sorted(CONTEXTS)])),
        values=fields.List(fields.Nested(ExpectedCardSchema)),
        required=True,
    )


class IndexSchema(Strict):
    """index.yaml. examples: the folders, in the order in which they are listed."""

    examples = fields.List(Id(), required=True, validate=validate.Length(min=1))


def index_problems(content: Any) -> Iterator[tuple[str, str]]:
    """(place, reason) of each problem of index.yaml; nothing where it can be loaded."""
    return _problems(IndexSchema(), content)


def expected_problems(content: Any) -> Iterator[tuple[str, str]]:
    """(place, reason) of each problem of an expected.yaml; nothing where it can be loaded."""
    return _problems(ExpectedSchema(), content)


def _problems(schema: Schema, content: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(content, dict):
        yield "", "not a mapping"
        return
    yield from _flattened(schema.validate(content), "")


def _flattened(messages: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            # A dictionary's own keys and values are no part of a place.
            part = "" if key in ("_schema", "key", "value") else f".{key}"
            yield from _flattened(inner, f"{place}{part}".lstrip("."))
    else:
        for reason in messages:
            yield place, str(reason)
