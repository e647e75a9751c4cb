"""Answers as bytes: JSON for CDS Hooks, OperationOutcome for every error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

from fhir_mappings.from_actions import operation_outcome
from service.errors import Issue

JSON = "application/json"
FHIR_JSON = "application/fhir+json"


def json_answer(content: Any, status: int = 200, mimetype: str = JSON) -> Response:
    """Compact JSON; members keep their order, so that the same answer is the same bytes."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate from a record has no UTF-8: it leaves as a question mark.
    return Response(body.encode("utf-8", "replace"), status=status, mimetype=mimetype)


def problem_answer(issues: Sequence[Issue], status: int) -> Response:
    """An OperationOutcome that names every issue."""
    listed = [("error", issue.code, issue.diagnostics, issue.expression) for issue in issues]
    return json_answer(operation_outcome(listed), status, FHIR_JSON)


def flattened(messages: Any, path: str = "") -> Iterable[Issue]:
    """marshmallow's messages as issues with their JSON path."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            part = f"[{key}]" if isinstance(key, int) else ("" if key == "_schema" else f".{key}")
            yield from flattened(inner, f"{path}{part}".lstrip("."))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            if isinstance(message, dict):
                yield from flattened(message, path)
            else:
                missing = "Missing data" in str(message)
                yield Issue("required" if missing else "value", f"{path}: {message}", path or None)
