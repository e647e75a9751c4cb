"""Responses: JSON, an OperationOutcome for every error, and the cards that the site shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from fhir_mappings.request.json_body import json_bytes
from fhir_mappings.to_fhir.actions import operation_outcome
from service.config import INDICATORS, Config
from service.errors import Issue

JSON = "application/json"
FHIR_JSON = "application/fhir+json"
HTML = "text/html"


def json_answer(content: Any, status: int = 200, mimetype: str = JSON) -> Response:
    """Compact JSON; members keep their order, so that the same answer is the same bytes."""
    return Response(json_bytes(content), status=status, mimetype=mimetype)


def outcome_of(issues: Sequence[Issue]) -> dict[str, Any]:
    """An OperationOutcome with every issue."""
    return operation_outcome([("error", issue.code, issue.diagnostics, issue.expression) for issue in issues])


def problem_answer(issues: Sequence[Issue], status: int) -> Response:
    """A response with the OperationOutcome of those issues."""
    return json_answer(outcome_of(issues), status, FHIR_JSON)


def shown_cards(cards: list[dict[str, Any]], config: Config) -> list[dict[str, Any]]:
    """The cards that SILENT and MIN_INDICATOR let through."""
    if config.silent:
        return []
    lowest = INDICATORS.index(config.min_indicator)
    return [card for card in cards if INDICATORS.index(card["indicator"]) >= lowest]
