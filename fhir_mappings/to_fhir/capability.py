"""The CapabilityStatement of the FHIR routes, and their searches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FHIR_VERSION = "4.0.1"
# Day of the last change of the interactions: FHIR requires a date.
_CHANGED = "2026-11-30"
# Resource type -> (name, canonical URL) of the operations on an instance of it.
_OPERATIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "PlanDefinition": (("apply", "http://hl7.org/fhir/OperationDefinition/PlanDefinition-apply"),),
    "ValueSet": (("expand", "http://hl7.org/fhir/OperationDefinition/ValueSet-expand"),),
}
# Search parameter -> (its FHIR type, what it matches).
SEARCH_PARAMETERS: Mapping[str, tuple[str, str]] = {
    "_id": ("token", "The id, whole"),
    "url": ("uri", "The canonical URL, whole; a version after | must fit as well"),
    "version": ("token", "The version of the knowledge, whole"),
    "name": ("string", "The beginning of the name, upper and lower case alike"),
}


def capability_statement(base_url: str, version: str, kinds: Iterable[str]) -> dict[str, Any]:
    """The CapabilityStatement of the server at that URL. version: of the software."""
    return {
        "resourceType": "CapabilityStatement",
        "name": "FasciculationCds",
        "title": "Knowledge of fasciculation-cds",
        "status": "active",
        "date": _CHANGED,
        "kind": "instance",
        "software": {"name": "fasciculation-cds", "version": version},
        "implementation": {
            "description": "Knowledge about muscle twitching, to read and to apply. No patient data is kept.",
            "url": base_url,
        },
        "fhirVersion": FHIR_VERSION,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "resource": [
                    {
                        "type": kind,
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "versioning": "no-version",
                        "conditionalRead": "not-match",
                        "searchParam": [
                            {"name": name, "type": type_, "documentation": text}
                            for name, (type_, text) in SEARCH_PARAMETERS.items()
                        ],
                        **_operations(kind),
                    }
                    for kind in kinds
                ],
            }
        ],
    }


def _operations(kind: str) -> dict[str, Any]:
    named = [{"name": name, "definition": url} for name, url in _OPERATIONS.get(kind, ())]
    return {"operation": named} if named else {}


def matches(resource: Mapping[str, Any], wanted: Mapping[str, Sequence[Sequence[str]]]) -> bool:
    """Whether the resource matches a search.

    Args:
        wanted: parameter -> its repetitions, of which all must match; each is a list of alternatives, of
            which one must.
    """
    return all(
        any(_fits(resource, parameter, value) for value in alternatives)
        for parameter, repetitions in wanted.items()
        for alternatives in repetitions
    )


def _fits(resource: Mapping[str, Any], parameter: str, value: str) -> bool:
    if parameter == "name":
        return str(resource["name"]).casefold().startswith(value.casefold())
    if parameter == "url":
        url, _, version = value.partition("|")
        return bool(resource["url"] == url and version in ("", resource["version"]))
    return bool(resource[parameter.removeprefix("_")] == value)


def searchset(resources: Iterable[dict[str, Any]], base_url: str, self_url: str) -> dict[str, Any]:
    """The Bundle with the result of a search."""
    entries = [
        {
            "fullUrl": f"{base_url}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in resources
    ]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "link": [{"relation": "self", "url": self_url}],
    } | ({"entry": entries} if entries else {})
