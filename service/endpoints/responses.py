"""Answers as bytes: JSON for CDS Hooks, OperationOutcome for every error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from fhir_mappings.request.json_body import json_bytes
from fhir_mappings.to_fhir.actions import operation_outcome
from service.errors import Issue

JSON = "application/json"
FHIR_JSON = "application/fhir+json"


def json_answer(content: Any, status: int = 200, mimetype: str = JSON) -> Response:
    """Compact JSON; members keep their order, so that the same answer is the same bytes."""
    return Response(json_bytes(content), status=status, mimetype=mimetype)


def problem_answer(issues: Sequence[Issue], status: int) -> Response:
    """An OperationOutcome that names every issue."""
    listed = [("error", issue.code, issue.diagnostics, issue.expression) for issue in issues]
    return json_answer(operation_outcome(listed), status, FHIR_JSON)
