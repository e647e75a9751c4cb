"""What can go wrong with a request: message, HTTP status and FHIR issue code. Never patient data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from schemas.base import places_and_reasons

_MOST_ISSUES = 200


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing at fault. code: a FHIR issue type; expression: the JSON path or FHIRPath."""

    code: str
    diagnostics: str
    expression: str | None = None


class RequestError(Exception):
    """Answered as an OperationOutcome that names every issue at once; of very many it counts the rest."""

    status = 400
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, issues: Sequence[Issue], status: int | None = None) -> None:
        named, rest = issues[:_MOST_ISSUES], issues[_MOST_ISSUES:]
        if rest:
            counted = f"This is the first of {len(rest)} more that are only counted."
            named = [*named, Issue(rest[0].code, counted, rest[0].expression)]
        super().__init__("; ".join(issue.diagnostics for issue in named))
        self.issues = tuple(named)
        if status is not None:
            self.status = status


class NotFound(RequestError):
    """No such service, row or page."""

    status = 404


class CannotDecide(RequestError):
    """Well-formed, but not about one patient."""

    status = 422


class NotAcceptable(RequestError):
    """Asked for in a format that is not served."""

    status = 406


class DataMissing(RequestError):
    """The gate cannot be decided: names the prefetch keys that are needed."""

    status = 412


class NotSupported(RequestError):
    """A content type or coding that is not read."""

    status = 415


class TooLarge(RequestError):
    status = 413


class Unauthenticated(RequestError):
    """Nobody we know; says which check failed, never what was sent."""

    status = 401
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class NoAdmin(RequestError):
    """Not the admin token."""

    status = 401
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Basic realm="admin", charset="UTF-8"'}


class Forbidden(RequestError):
    """Known, but not allowed."""

    status = 403


class Unavailable(RequestError):
    """Something that is needed to answer safely cannot be had now."""

    status = 503
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


def flattened(messages: Any, path: str = "") -> Iterator[Issue]:
    """marshmallow's messages as issues with their JSON path. path: of the messages as a whole."""
    for place, reason in places_and_reasons(messages, place=path):
        code = "required" if "Missing data" in reason else "value"
        yield Issue(code, f"{place}: {reason}", place or None)
