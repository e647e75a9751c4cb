"""A reader of the little FHIRPath that the published conditions are written in, after the FHIRPath grammar.

It knows `parameter.where(name = 'x' and value = 'y').exists()`, `value in ('y' | 'z')`, `.not()`, `and`,
`or`, brackets, `true` and `false`; `and` binds before `or`. Anything else is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"\s*('[^']*'|[a-z]+|[().|=])")


def true_of(expression: str, parameters: Mapping[str, Any]) -> bool:
    """Whether the expression is true of that Parameters resource. Raises ValueError on anything unknown."""
    reader = _Reader(expression, parameters)
    value = reader.either()
    if reader.tokens:
        raise ValueError(f"left over: {reader.tokens}")
    return value


class _Reader:
    def __init__(self, expression: str, parameters: Mapping[str, Any]) -> None:
        self.tokens: list[str] = []
        position = 0
        while position < len(expression):
            match = _TOKEN.match(expression, position)
            if match is None:
                raise ValueError(f"not read: {expression[position:]}")
            self.tokens.append(match[1])
            position = match.end()
        self.entries = parameters.get("parameter", [])

    def take(self, *wanted: str) -> None:
        for token in wanted:
            if not self.tokens or self.tokens.pop(0) != token:
                raise ValueError(f"expected {token} before {self.tokens}")

    def either(self) -> bool:
        value = self.both()
        while self.tokens[:1] == ["or"]:
            self.take("or")
            value = self.both() or value
        return value

    def both(self) -> bool:
        value = self.one()
        while self.tokens[:1] == ["and"]:
            self.take("and")
            value = self.one() and value
        return value

    def one(self) -> bool:
        first = self.tokens.pop(0)
        if first == "(":
            value = self.either()
            self.take(")")
        elif first in ("true", "false"):
            value = first == "true"
        elif first == "parameter":
            value = self.parameter()
        else:
            raise ValueError(f"not read: {first}")
        while self.tokens[:1] == ["."]:
            self.take(".", "not", "(", ")")
            value = not value
        return value

    def parameter(self) -> bool:
        self.take(".", "where", "(", "name", "=")
        name = self.text()
        self.take("and", "value")
        if self.tokens[0] == "=":
            self.take("=")
            values = [self.text()]
        else:
            self.take("in", "(")
            values = [self.text()]
            while self.tokens[0] == "|":
                self.take("|")
                values.append(self.text())
            self.take(")")
        self.take(")", ".", "exists", "(", ")")
        return any(one["name"] == name and one["valueCode"] in values for one in self.entries)

    def text(self) -> str:
        token = self.tokens.pop(0)
        if not token.startswith("'"):
            raise ValueError(f"not a text: {token}")
        return token[1:-1]
