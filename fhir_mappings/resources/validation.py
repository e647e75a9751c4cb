"""Faults of a resource by the FHIR models: place and kind of fault, never the value."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_mappings.record import Version
from fhir_mappings.resources.budget import budget
from fhir_mappings.resources.fhir_version import Versions, content_of, fitting, version_of
from fhir_mappings.resources.preview import type_of
from fhir_mappings.resources.submission import Submission

_MAX = 20
# The models note every fault before the first is taken: a resource of more values is not validated, and one
# of more than the second number by one version alone.
_MAX_VALUES, _MAX_VALUES_ANEW = 5_000, 500
_TOO_LONG = f"Not validated: it has more than {_MAX_VALUES} values."
# Version -> package and name of its models. There are none of R4: those of R4B are the same for what is read.
_MODELS: Mapping[Version, tuple[str, str]] = {
    Version.R4: ("fhir.resources.R4B", "R4B"),
    Version.R5: ("fhir.resources", "R5"),
    Version.STU3: ("fhir.resources.STU3", "STU3"),
}
# Where the models expect an object, they take a string for JSON.
_WORDS = {"json_invalid": "not an object"}


def faults_of(raw: bytes, kind: str, version: Version) -> Iterator[tuple[str, str]]:
    """(FHIRPath below the resource, kind of fault) for each fault that the models of that version see."""
    models, name = _MODELS[version]
    try:
        content = json.loads(raw)
    except UnicodeDecodeError:
        yield kind, "not valid UTF-8"
        return
    except (ValueError, RecursionError):
        yield kind, "not readable as JSON"
        return
    if _has_more_values(raw, content, _MAX_VALUES):
        yield kind, _TOO_LONG
        return
    # Imported here: without an invalid resource no models are loaded, and else those of its version alone.
    from pydantic import ValidationError

    try:
        model = importlib.import_module(models).get_fhir_model_class(kind)
    except (KeyError, ValueError):
        yield kind, f"not a resource type of FHIR {name}"
        return
    try:
        model.model_validate(content)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False)[:_MAX]:
            yield _path(kind, fault["loc"]), _WORDS.get(fault["type"], fault["type"].replace("_", " "))
    except RecursionError:
        yield kind, "nested too deeply"
    except Exception:
        # The models raise other errors too, such as for a type that is a list.
        yield kind, "not what the models can read"


def _has_more_values(raw: bytes, content: Any, most: int) -> bool:
    """Whether there are more members and items than that; each but the first has a comma before it."""
    if raw.count(b",") + raw.count(b"{") + raw.count(b"[") <= most:
        return False
    count, inside = 0, [content]
    while inside and count <= most:
        value = inside.pop()
        if isinstance(value, dict | list):
            count += len(value)
            inside.extend(value.values() if isinstance(value, dict) else value)
    return count > most


def _path(kind: str, location: tuple[int | str, ...]) -> str:
    path = kind
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path


def why(raw: bytes, kind: str, otherwise: str) -> str:
    """The first faults of an invalid resource in one sentence; `otherwise` where the models see none."""
    version = _version(fitting(content_of(raw)), Version.R4)
    faults = [f"{path}: {fault}" for path, fault in faults_of(raw, kind, version)]
    return "; ".join(faults[:3]) or otherwise


def validation_issues(submission: Submission) -> list[tuple[str, str, str, str | None]]:
    """(severity, code, diagnostics, expression) of every fault in every entry, for `?validate=true`.

    A resource that does not identify its version is valid if it is by any version that it fits, the common
    one first; its faults are those of that one. After as many issues as the budget has notes, the entries
    that are left are counted. Without a fault, one issue of severity information names the versions.
    """
    issues: list[tuple[str, str, str, str | None]] = []
    entries = [(entry.expression, bytes(entry.raw)) for entry in submission.entries]
    fits = [fitting(content_of(raw)) for _, raw in entries]
    common, seen = version_of(fits), set()
    for number, ((expression, raw), versions) in enumerate(zip(entries, fits, strict=True)):
        if len(issues) >= budget().notes:
            rest = f"{len(entries) - number} more entries are not validated; this is the place of the first."
            issues.append(("error", "too-costly", rest, expression))
            break
        kind = type_of(raw)
        name, faults = _faults(raw, kind, versions, common)
        seen.add(name)
        for path, fault in faults:
            place = expression + path.removeprefix(kind)
            words = fault if fault == _TOO_LONG else f"Not valid FHIR {name}: {fault}."
            issues.append(("error", "structure", words, place))
    for note in submission.not_understood:
        issues.append(("error", "structure", note.why, note.reference))
    every = f"Every entry is valid FHIR {' or '.join(sorted(seen))}."
    return issues or [("information", "informational", every, None)]


def _faults(raw: bytes, kind: str, fits: Versions, common: Version) -> tuple[str, list[tuple[str, str]]]:
    """(name of the models, faults) of a version that fits without a fault, else of the common one."""
    first = _version(fits, common)
    faults = list(faults_of(raw, kind, first))
    many = bool(faults) and _has_more_values(raw, content_of(raw), _MAX_VALUES_ANEW)
    for version in sorted(fits - {first}) if faults and not many else ():
        if not any(faults_of(raw, kind, version)):
            return _MODELS[version][1], []
    return _MODELS[first][1], faults


def _version(fits: Versions, common: Version) -> Version:
    """The version to validate a resource against that fits those versions: the common one, if it can be."""
    return next((version for version in (common, *Version) if version in fits), Version.R4)
