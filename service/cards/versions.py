"""A card in the version of FHIR that its record was written in."""

from __future__ import annotations

from typing import Any

from fhir_mappings.record import Version
from fhir_mappings.to_fhir.in_version import in_version


def written_in(card: dict[str, Any], version: Version) -> dict[str, Any]:
    """The card whose orders and answers are of that version; nothing else of a card is FHIR."""
    if version is Version.R4 or "suggestions" not in card:
        return card
    suggestions = [
        {**suggestion, "actions": [_action(action, version) for action in suggestion["actions"]]}
        for suggestion in card["suggestions"]
    ]
    return {**card, "suggestions": suggestions}


def _action(action: dict[str, Any], version: Version) -> dict[str, Any]:
    # What is not created is the caller's own, in its own version.
    if action["type"] != "create":
        return action
    return {**action, "resource": in_version(action["resource"], version)}
