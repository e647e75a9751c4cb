"""What the FHIR models say is wrong with a resource: place and kind of fault, never the value."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from fhir_mappings.located import Submission

_MOST = 20


def faults_of(raw: bytes, kind: str) -> Iterator[tuple[str, str]]:
    """(FHIRPath below the resource, kind of fault) for each fault that the R4B models see."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        yield kind, "not readable as JSON"
        return
    try:
        model = get_fhir_model_class(kind)
    except (KeyError, ValueError):
        yield kind, "not a resource type of FHIR R4B"
        return
    try:
        model.model_validate(content)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False)[:_MOST]:
            yield _path(kind, fault["loc"]), fault["type"].replace("_", " ")
    except RecursionError:
        yield kind, "nested too deeply"
    except Exception:
        # The models were made for what is nearly FHIR: a type that is a list breaks them otherwise.
        yield kind, "not what the models can read"


def _path(kind: str, location: tuple[int | str, ...]) -> str:
    path = kind
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path


def why(raw: bytes, kind: str, otherwise: str) -> str:
    """One sentence on why a resource could not be read. `otherwise` where the models see no fault."""
    faults = [f"{path}: {fault}" for path, fault in faults_of(raw, kind)]
    return "; ".join(faults[:3]) or otherwise


def validation_issues(submission: Submission) -> list[tuple[str, str, str, str | None]]:
    """(severity, code, diagnostics, expression) of every fault in every entry, for `?validate=true`."""
    issues: list[tuple[str, str, str, str | None]] = []
    for entry in submission.entries:
        raw = bytes(entry.raw)
        kind = _kind(raw)
        for path, fault in faults_of(raw, kind):
            place = entry.expression + path.removeprefix(kind)
            issues.append(("error", "structure", f"Not valid FHIR R4B: {fault}.", place))
    for note in submission.not_understood:
        issues.append(("error", "structure", note.why, note.reference))
    return issues


def _kind(raw: bytes) -> str:
    class _Head(msgspec.Struct):
        resourceType: str = ""

    return msgspec.json.decode(raw, type=_Head).resourceType
