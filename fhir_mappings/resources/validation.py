"""Faults of a resource by the FHIR models: place and kind of fault, never the value."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from fhir_mappings.record import Version
from fhir_mappings.resources.fhir_version import Versions, content_of, fitting, version_of
from fhir_mappings.resources.preview import type_of
from fhir_mappings.resources.submission import Submission

_MAX = 20
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
    try:
        # Imported here: only the models of a version that came are loaded.
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
    one first; its faults are those of that one. Without a fault, one issue of severity information names the
    versions.
    """
    issues: list[tuple[str, str, str, str | None]] = []
    entries = [(entry.expression, bytes(entry.raw)) for entry in submission.entries]
    fits = [fitting(content_of(raw)) for _, raw in entries]
    common, seen = version_of(fits), set()
    for (expression, raw), versions in zip(entries, fits, strict=True):
        kind = type_of(raw)
        name, faults = _faults(raw, kind, versions, common)
        seen.add(name)
        for path, fault in faults:
            place = expression + path.removeprefix(kind)
            issues.append(("error", "structure", f"Not valid FHIR {name}: {fault}.", place))
    for note in submission.not_understood:
        issues.append(("error", "structure", note.why, note.reference))
    every = f"Every entry is valid FHIR {' or '.join(sorted(seen))}."
    return issues or [("information", "informational", every, None)]


def _faults(raw: bytes, kind: str, fits: Versions, common: Version) -> tuple[str, list[tuple[str, str]]]:
    """(name of the models, faults) of a version that fits without a fault, else of the common one."""
    first = _version(fits, common)
    faults = list(faults_of(raw, kind, first))
    for version in sorted(fits - {first}) if faults else ():
        if not any(faults_of(raw, kind, version)):
            return _MODELS[version][1], []
    return _MODELS[first][1], faults


def _version(fits: Versions, common: Version) -> Version:
    """The version to validate a resource against that fits those versions: the common one, if it can be."""
    return next((version for version in (common, *Version) if version in fits), Version.R4)
