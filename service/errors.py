"""Faults of a request: diagnostics, HTTP status and FHIR issue code. Never patient data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fhir_mappings.request.json_body import InvalidBody
from fhir_mappings.resources.budget import OverBudget
from schemas.base import places_and_reasons

_MAX_ISSUES = 200
# What marshmallow says -> what whoever writes JSON calls it.
_IN_WORDS = {
    "Not a valid mapping type.": "Not an object.",
    "Invalid input type.": "Not an object.",
    "Not a valid string.": "Not text.",
    "Not a valid date.": "Not a day: write YYYY-MM-DD.",
    "Not a valid boolean.": "Neither true nor false.",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault. code: a FHIR issue type; expression: the JSON path or FHIRPath."""

    code: str
    diagnostics: str
    expression: str | None = None


class RequestError(Exception):
    """Answered as an OperationOutcome with every issue, or the first 200 and a count of the rest."""

    status = 400
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, issues: Sequence[Issue], status: int | None = None) -> None:
        named, rest = issues[:_MAX_ISSUES], issues[_MAX_ISSUES:]
        if rest:
            counted = f"{len(rest)} more issues are not listed; this is the place of the first."
            named = [*named, Issue(rest[0].code, counted, rest[0].expression)]
        super().__init__("; ".join(issue.diagnostics for issue in named))
        self.issues = tuple(named)
        if status is not None:
            self.status = status


class NotFound(RequestError):
    """There is no such service, row or page."""

    status = 404


class CannotDecide(RequestError):
    """The Bundle is well-formed, but not about one patient."""

    status = 422


class DataMissing(RequestError):
    """The gate cannot be decided; the issues name the prefetch keys that are needed."""

    status = 412


class TooMuch(RequestError):
    """The request needs more than its budget; there is no decision on a part."""

    status = 413

    def __init__(self, error: OverBudget) -> None:
        super().__init__([Issue("too-costly", str(error))])


class Unauthenticated(RequestError):
    """The caller is unknown; the issue names the failed check, never what was sent."""

    status = 401
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class NoAdmin(RequestError):
    """The admin token is missing or wrong."""

    status = 401
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Basic realm="admin", charset="UTF-8"'}


class Forbidden(RequestError):
    """The caller is known, but not allowed to do this."""

    status = 403


class Unavailable(RequestError):
    """A dependency that is needed for a safe answer is down."""

    status = 503
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


def rejection(error: InvalidBody, status: int | None = None) -> RequestError:
    """The answer to a body that cannot be read, by default with the status of the error."""
    issues = [Issue(problem.code, problem.diagnostics, problem.expression) for problem in error.problems]
    return RequestError(issues, status or error.status)


def issues_of(messages: Any, path: str = "") -> Iterator[Issue]:
    """The messages of marshmallow as issues with their JSON path."""
    for place, reason in places_and_reasons(messages, place=path):
        code = "required" if "Missing data" in reason else "value"
        yield Issue(code, f"{place}: {_IN_WORDS.get(reason, reason)}", place or None)
