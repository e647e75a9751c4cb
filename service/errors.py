"""What can go wrong with a request: message, HTTP status and FHIR issue code. Never patient data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing at fault. code: a FHIR issue type; expression: the JSON path or FHIRPath."""

    code: str
    diagnostics: str
    expression: str | None = None


class RequestError(Exception):
    """Answered as an OperationOutcome that names every issue at once."""

    status = 400

    def __init__(self, issues: Sequence[Issue], status: int | None = None) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = tuple(issues)
        if status is not None:
            self.status = status


class NotFound(RequestError):
    """No such service, row or page."""

    status = 404


class CannotDecide(RequestError):
    """Well-formed, but not about one patient."""

    status = 422


class DataMissing(RequestError):
    """The gate cannot be decided: names the prefetch keys that are needed."""

    status = 412


class NotSupported(RequestError):
    """A content type or coding that is not read."""

    status = 415


class TooLarge(RequestError):
    status = 413
