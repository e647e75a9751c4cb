"""Codes that stand for all below them, as value set filters.

In ATC and ICD-10 a code begins with the code above it, so "is-a" says what the look-up by prefix does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def filters_of(system: str, belongs: Mapping[str, bool]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(include, exclude) of a value set in which the longest listed code that a code begins with decides.

    belongs: every listed code -> whether the value set holds it.
    """
    parents = {code: _parent(code, belongs) for code in belongs}
    opened = [c for c in sorted(belongs) if belongs[c] and not belongs.get(parents[c], False)]
    closed = [c for c in sorted(belongs) if not belongs[c] and belongs.get(parents[c], False)]
    include = [{"system": system, "filter": [_filter("is-a", code)]} for code in opened]
    exclude = [
        {
            "system": system,
            # What is excluded cannot be included again: the codes below that do belong are kept out of it.
            "filter": [
                _filter("is-a", code),
                *(_filter("is-not-a", below) for below in opened if below.startswith(code)),
            ],
        }
        for code in closed
    ]
    return include, exclude


def _parent(code: str, listed: Mapping[str, bool]) -> str:
    return next((code[:n] for n in range(len(code) - 1, 0, -1) if code[:n] in listed), "")


def _filter(operator: str, code: str) -> dict[str, str]:
    return {"property": "concept", "op": operator, "value": code}
