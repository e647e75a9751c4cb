"""What stands in the YAML as lines that a clinician reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Lines = tuple[str, ...]


def text(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {text(inner)}" for key, inner in sorted(value.items(), key=_by_name))
    if isinstance(value, list):
        return "; ".join(map(text, value))
    return json.dumps(value, default=str)


def lines(value: Any, prefix: str = "") -> Lines:
    """A value of any depth, one line a leaf: "order.code: 2823-3"."""
    if isinstance(value, Mapping):
        return tuple(
            line
            for key, inner in sorted(value.items(), key=_by_name)
            for line in lines(inner, f"{prefix}.{key}" if prefix else str(key))
        )
    if isinstance(value, list) and not prefix:
        return tuple(map(text, value))
    if isinstance(value, list) and not any(isinstance(item, (Mapping, list)) for item in value):
        return (f"{prefix}: {', '.join(map(text, value)) or 'none'}",)
    if isinstance(value, list):
        return tuple(f"{prefix}: {text(item)}" for item in value)
    return (f"{prefix}: {text(value)}" if prefix else text(value),)


def condition(value: Any) -> Lines:
    """{all: [a, {not: b}]} as "a and not b"."""
    return (_condition(value, inside=False),)


def _condition(value: Any, inside: bool) -> str:
    if isinstance(value, Mapping) and len(value) == 1:
        ((word, part),) = value.items()
        if word == "not":
            return f"not {_condition(part, True)}"
        if word in ("all", "any") and isinstance(part, list):
            joined = (" and " if word == "all" else " or ").join(_condition(inner, True) for inner in part)
            return f"({joined})" if inside and len(part) > 1 else joined
    return text(value)


def actions(value: Any) -> Lines:
    """Each action with what is special to it."""
    return tuple(_action(item) for item in value)


def _action(item: Any) -> str:
    if not isinstance(item, Mapping):
        return text(item)
    marks = [text(item["urgency"])] if item.get("urgency") else []
    marks += ["paediatric"] if item.get("paediatric") else []
    marks += [f"when {condition(item['when'])[0]}"] if item.get("when") is not None else []
    more = [f"{key}: {text(item[key])}" for key in item if key not in ("id", "urgency", "paediatric", "when")]
    marks += more
    return text(item.get("id", "")) + (f" ({', '.join(marks)})" if marks else "")


def support(value: Any) -> Lines:
    """Each reading with its claims."""
    return tuple(
        f"{item.get('reading')} {', '.join(map(text, item.get('ids', ())))}: {text(item.get('note', ''))}"
        if isinstance(item, Mapping)
        else text(item)
        for item in value
    )


def examples(value: Any) -> Lines:
    """Each example with its patient."""
    return tuple(
        f"{'holds' if item.get('holds') else 'does not hold'}: {text(item.get('title', ''))}"
        f" ({text(item.get('given', {})) or 'nothing recorded'})"
        if isinstance(item, Mapping)
        else text(item)
        for item in value
    )


# Members of a row (and the conditions of self-care) that have a form of their own.
MEMBERS: Mapping[str, Callable[[Any], Lines]] = {
    "when": condition,
    "unless": condition,
    "actions": actions,
    "rests_on": support,
    "examples": examples,
}


def member(name: str, value: Any) -> Lines:
    """The lines of one member of a row or of another entry of the table."""
    if name == "actions" and value == []:
        return ("none",)
    if name in MEMBERS and value is not None and not isinstance(value, int):
        return MEMBERS[name](value)
    return lines(value)


def entry(value: Any) -> Lines:
    """A whole row or another entry: "member: line" for each of its lines."""
    if not isinstance(value, Mapping):
        return lines(value)
    return tuple(
        f"{name.replace('_', ' ')}: {line}"
        for name, inner in value.items()
        if name != "id"
        for line in member(name, inner)
    )


def _by_name(item: tuple[Any, Any]) -> str:
    return str(item[0])
