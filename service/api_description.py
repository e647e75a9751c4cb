"""openapi.yaml as a page tells it: operations by tag, their members as tables, the calls to try."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete")
_SCHEMAS = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a body or answer. path: such as "context.patientId"; items of a list go by "[]".

    shape: the name of a shape of its own, told elsewhere; "" where there is none. notes: what holds of it.
    """

    path: str
    kind: str
    required: bool
    notes: tuple[str, ...]
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    place: str
    kind: str
    required: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """One media type. shape: the name of its shape, or members where it has none of its own."""

    media: str
    shape: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    description: str
    bodies: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A request to try. body: as it is sent; None: none."""

    name: str
    summary: str
    status: int
    address: str
    headers: Mapping[str, str]
    body: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """secured: the names of the ways in which a caller may have to say who it is."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    secured: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: tuple[Body, ...]
    answers: tuple[Answer, ...]
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one tag."""

    name: str
    description: str
    operations: tuple[Operation, ...]

    @property
    def anchor(self) -> str:
        return "group-" + re.sub(r"[^a-z0-9]+", "-", self.name.lower())


@dataclass(frozen=True, slots=True)
class ApiDescription:
    """shapes: those that have a name of their own."""

    title: str
    summary: str
    security: Mapping[str, str]
    groups: tuple[Group, ...]
    shapes: Mapping[str, tuple[Member, ...]]


def api_description(document: Mapping[str, Any]) -> ApiDescription:
    """The OpenAPI document, told."""
    schemas = document["components"]["schemas"]
    operations: dict[str, list[Operation]] = {tag["name"]: [] for tag in document.get("tags", ())}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                tag = next(iter(methods[method].get("tags", ())), "Others")
                operations.setdefault(tag, []).append(_operation(path, method, methods[method]))
    says = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    return ApiDescription(
        title=document["info"]["title"],
        summary=document["info"].get("summary", ""),
        security={
            name: scheme.get("description", "")
            for name, scheme in document["components"].get("securitySchemes", {}).items()
        },
        groups=tuple(
            Group(name, says.get(name, ""), tuple(found)) for name, found in operations.items() if found
        ),
        shapes={name: tuple(_members(schema)) for name, schema in schemas.items()},
    )


def _operation(path: str, method: str, raw: Mapping[str, Any]) -> Operation:
    content = raw.get("requestBody", {}).get("content", {})
    return Operation(
        id=raw["operationId"],
        method=method.upper(),
        path=path,
        summary=raw.get("summary", ""),
        description=raw.get("description", ""),
        secured=tuple(name for way in raw.get("security", ()) for name in way),
        parameters=tuple(_parameter(one) for one in raw.get("parameters", ())),
        body=tuple(_bodies(content)),
        answers=tuple(
            Answer(status, one.get("description", ""), tuple(_bodies(one.get("content", {}))))
            for status, one in sorted(raw["responses"].items())
        ),
        calls=tuple(_call(one, content) for one in raw.get("x-calls", ())),
    )


def _parameter(raw: Mapping[str, Any]) -> Parameter:
    schema = raw.get("schema", {})
    said = (raw["description"],) if raw.get("description") else ()
    return Parameter(
        raw["name"], raw["in"], _kind(schema), raw.get("required", False), (*said, *_notes(schema))
    )


def _bodies(content: Mapping[str, Any]) -> Iterator[Body]:
    for media, one in content.items():
        schema = one.get("schema", {})
        shape = _named(schema)
        yield Body(media, shape, () if shape else tuple(_members(schema)))


def _call(raw: Mapping[str, Any], content: Mapping[str, Any]) -> Call:
    body = raw.get("text")
    value = raw.get("value")
    if "example" in raw:
        value = content[raw["headers"]["Content-Type"]]["examples"][raw["example"]]["value"]
    if value is not None:
        body = json.dumps(value, ensure_ascii=False, indent=2)
    return Call(raw["name"], raw["summary"], raw["status"], raw["address"], raw.get("headers", {}), body)


def _members(schema: Mapping[str, Any], path: str = "") -> Iterator[Member]:
    """Every member below a schema, those of a named shape left to it."""
    required = frozenset(schema.get("required", ()))
    for name, inner in schema.get("properties", {}).items():
        yield from _member(inner, f"{path}.{name}" if path else name, name in required)
    if isinstance(schema.get("items"), dict):
        yield from _member(schema["items"], f"{path}[]", False)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _member(schema["additionalProperties"], f"{path}.*" if path else "*", False)


def _member(schema: Mapping[str, Any], path: str, required: bool) -> Iterator[Member]:
    shape = _named(schema)
    yield Member(path, shape or _kind(schema), required, tuple(_notes(schema)), shape)
    if not shape:
        yield from _members(schema, path)


def _named(schema: Mapping[str, Any]) -> str:
    reference = schema.get("$ref", "")
    return reference.removeprefix(_SCHEMAS) if reference.startswith(_SCHEMAS) else ""


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    kinds = schema.get("type", "any" if "const" not in schema and "enum" not in schema else "")
    return " or ".join(kinds) if isinstance(kinds, list) else kinds


def _notes(schema: Mapping[str, Any]) -> Iterator[str]:
    if schema.get("description"):
        yield schema["description"]
    if "const" in schema:
        yield f"always {schema['const']}"
    if "enum" in schema:
        yield "one of " + ", ".join("null" if one is None else str(one) for one in schema["enum"])
    if "format" in schema:
        yield f"format {schema['format']}"
    if "pattern" in schema:
        yield f"matches {schema['pattern']}"
    for key, says in (("minLength", "at least {} characters"), ("maxLength", "at most {} characters"),
                      ("minItems", "at least {}"), ("maxItems", "at most {}")):  # fmt: skip
        if key in schema:
            yield says.format(schema[key])
