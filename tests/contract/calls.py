"""The calls of openapi.yaml as they are sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.openapi.calls import CALLS, CARD
from tools.openapi.document import with_sample_calls


@dataclass(frozen=True, slots=True)
class SampleCall:
    """A request, and the status of its answer. body: as sent; None: there is none. after: see `CALLS`."""

    operation: str
    summary: str
    name: str
    says: str
    method: str
    address: str
    headers: Mapping[str, str]
    body: str | None
    status: int
    after: str | None

    @property
    def id(self) -> str:
        return f"{self.operation} {self.name}"


def sample_calls() -> Iterator[SampleCall]:
    """All of them, in the order of the document."""
    for methods in with_sample_calls()["paths"].values():
        for method, operation in methods.items():
            for call in operation[CALLS]:
                yield SampleCall(
                    operation["operationId"],
                    operation["summary"],
                    call["name"],
                    call["summary"],
                    method.upper(),
                    call["address"],
                    call.get("headers", {}),
                    _body(operation, call),
                    call["status"],
                    call.get("after"),
                )


def _body(operation: Mapping[str, Any], call: Mapping[str, Any]) -> str | None:
    if "text" in call:
        return str(call["text"])
    value = call.get("value")
    if "example" in call:
        content = operation["requestBody"]["content"][call["headers"]["Content-Type"]]
        value = content["examples"][call["example"]]["value"]
    return None if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def filled(body: str, answer: Mapping[str, Any]) -> str:
    """The body with the first card of that answer in it."""
    return body.replace(CARD, answer["cards"][0]["uuid"])
