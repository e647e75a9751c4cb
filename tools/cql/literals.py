"""Values as CQL literals."""

from __future__ import annotations

from collections.abc import Iterable


def text(value: str) -> str:
    """A String."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def texts(values: Iterable[str]) -> str:
    """A List<String>, empty or not."""
    written = ", ".join(map(text, values))
    return f"{{ {written} }}" if written else "{} as List<System.String>"


def boolean(value: object) -> str:
    """A Boolean."""
    return "true" if value else "false"


def number(value: object) -> str:
    """A Decimal of at most eight decimals, or null."""
    if value is None:
        return "null as System.Decimal"
    written = f"{float(str(value)):.8f}".rstrip("0")
    return f"{written}0" if written.endswith(".") else written


def integer(value: object) -> str:
    """An Integer, or null."""
    return "null as System.Integer" if value is None else str(value)


def record(**members: str) -> str:
    """A Tuple of CQL expressions."""
    return "Tuple { " + ", ".join(f"{name}: {value}" for name, value in members.items()) + " }"
