"""The requests of calls.yaml beside their operations: `x-calls`, and examples where all is well.

`x-calls` of an operation is a list of {name, summary, status, address, headers, text | value | example,
after}: address is the path with its query; the body is that text, that JSON, or the request body's example of
that name. after: "operation name" of the call to send first, see CARD.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

CALLS = "x-calls"
_HOOK = "{hook}"
# What stands for the card of the call before.
CARD = "{{card}}"
_REQUIRED = frozenset({"name", "says", "status"})
_BODY = frozenset({"file", "without", "json", "text", "type"})
_MEMBERS = _REQUIRED | _BODY | {"path", "at", "query", "headers", "after"}


class CallsError(ValueError):
    """calls.yaml does not fit paths.yaml or the examples; says where."""


def with_calls(
    paths: Mapping[str, Any], calls: Mapping[str, Any], hooks: Mapping[str, str], folder: Path
) -> Iterator[tuple[str, Any]]:
    """The paths with the calls of each operation. hooks: operation -> hook, whose calls are those of `call`.

    folder: of the examples. Raises CallsError where an operation has none, or calls belong to none.
    """
    left = set(calls) - ({"call"} if hooks else set())
    for path, methods in paths.items():
        made = deepcopy(methods)
        for operation in made.values():
            name = operation["operationId"]
            hook = hooks.get(name)
            listed = calls.get("call" if hook else name)
            if not listed:
                raise CallsError(f"{name}: no call: write one into tools/openapi/calls.yaml")
            left.discard(name)
            for entry in listed:
                _add(operation, path, _about(entry, hook), folder)
        yield path, made
    if left:
        raise CallsError(f"calls of no operation: {sorted(left)}")


def _about(entry: Any, hook: str | None) -> Any:
    """The entry with the hook filled in."""
    if isinstance(entry, dict):
        return {key: _about(value, hook) for key, value in entry.items()}
    if isinstance(entry, list):
        return [_about(value, hook) for value in entry]
    return entry.replace(_HOOK, hook) if isinstance(entry, str) and hook else entry


def _add(operation: dict[str, Any], path: str, entry: Mapping[str, Any], folder: Path) -> None:
    place = f"{operation['operationId']} {entry.get('name')}"
    if set(entry) - _MEMBERS or not set(entry) >= _REQUIRED:
        raise CallsError(f"{place}: members")
    if str(entry["status"]) not in operation["responses"]:
        raise CallsError(f"{place}: {entry['status']} is not among the answers")
    call = {"name": entry["name"], "summary": entry["says"], "status": entry["status"]}
    call["address"] = _address(path, entry)
    headers = dict(entry.get("headers", {}))
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        headers["Content-Type"] = entry.get("type") or next(iter(content))
    if headers:
        call["headers"] = headers
    body = _body(entry, folder)
    if isinstance(body, str):
        call["text"] = body
    elif body is not None and entry["status"] == 200 and CARD not in json.dumps(body):
        examples = content[headers["Content-Type"]].setdefault("examples", {})
        # The same body under another query is written once.
        known = next((name for name, one in examples.items() if one["value"] == body), None)
        if known is None:
            examples[entry["name"]] = {"summary": entry["says"], "value": body}
        call["example"] = known or entry["name"]
    elif body is not None:
        call["value"] = body
    if "after" in entry:
        call["after"] = entry["after"]
    operation.setdefault(CALLS, []).append(call)


def _address(path: str, entry: Mapping[str, Any]) -> str:
    address = str(entry.get("at", path))
    for name, value in entry.get("path", {}).items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    if "{" in address:
        raise CallsError(f"{entry['name']}: {address} has a parameter without a value")
    query = entry.get("query")
    return f"{address}?{urlencode(query)}" if query else address


def _body(entry: Mapping[str, Any], folder: Path) -> Any:
    if "file" not in entry:
        return entry.get("text", deepcopy(entry.get("json")))
    body = json.loads((folder / entry["file"]).read_text(encoding="utf-8"))
    for place in entry.get("without", ()):
        *parents, last = place.split(".")
        owner = body
        for parent in parents:
            owner = owner.get(parent, {})
        owner.pop(last, None)
    return body
