"""Base schemas and fields, and marshmallow's messages as places and reasons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate

LEVELS = ("info", "warning", "critical")
READINGS = ("stated", "interpreted", "addition")
# That of fields.Url holds sets of all letters, which take a twentieth of a start to compile.
WEB_ADDRESS = validate.Regexp(r"^https?://[\w.-]+(:\d+)?(/[^\s<>\"]*)?$", re.ASCII, error="Not a valid URL.")
KEBAB_CASE = validate.Regexp(r"^[a-z0-9]+(-[a-z0-9]+)*$", error="not kebab-case")


class Strict(Schema):
    """Refuses unknown members."""

    class Meta:
        unknown = RAISE


class Tolerant(Schema):
    """Keeps unknown members: an extension must never be lost."""

    class Meta:
        unknown = INCLUDE


class JsonBoolean(fields.Boolean):
    """JSON true or false; not "true" or 1, which marshmallow takes as well."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Not a valid boolean.")
        return value


def Id(**more: Any) -> fields.String:
    """A required kebab-case id."""
    return fields.String(required=True, validate=KEBAB_CASE, **more)


def required_text() -> fields.String:
    """A required text that is not empty."""
    return fields.String(required=True, validate=validate.Length(min=1))


def places_and_reasons(messages: Any, content: Any = None, place: str = "") -> Iterator[tuple[str, str]]:
    """Flatten marshmallow's messages to (place, reason), such as ("rows.weakness.level", "Must be one of").

    Args:
        messages: `ValidationError.normalized_messages()`, or a part of it.
        content: what was validated. An entry of a list is named by its `id`, else by its index.
        place: the place of `messages` in the whole.
    """
    if isinstance(messages, dict):
        for key, inner in messages.items():
            part, name = None, f"[{key}]" if isinstance(key, int) else f".{key}"
            if isinstance(content, list) and isinstance(key, int):
                part = content[key]
                name = f".{part['id']}" if isinstance(part, dict) and "id" in part else name
            elif isinstance(content, dict) and key in content:
                part = content[key]
            elif key == "_schema" or (content is not None and key in ("key", "value")):
                # marshmallow's own names for a schema as a whole, and for the sides of a mapping.
                part, name = content, ""
            yield from places_and_reasons(inner, part, f"{place}{name}".lstrip("."))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            if isinstance(message, dict):
                yield from places_and_reasons(message, content, place)
            else:
                yield place, str(message)
