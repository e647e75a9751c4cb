"""Frozen values as plain dictionaries, lists and sets: no logic, no knowledge of what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any


def plain(value: Any) -> Any:
    """Dataclass -> dictionary of its fields, enum member -> its value; days and numbers stay."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return {plain(item) for item in value}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
