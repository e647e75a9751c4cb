"""Every dialect of a patient as resources that a server can hold under names of their own."""

from __future__ import annotations

import json
from typing import Any

from tests.vignettes.dialects import DIALECTS
from tests.vignettes.messy import NO_SUCH_TYPE
from tests.vignettes.patient import Person

Resource = dict[str, Any]
# No resources of R4, an answer about a search, and one that no template of ours asks for: a list holds no
# Medication that a prescription refers to.
NOT_STORED = {NO_SUCH_TYPE, "ProcedureRequest", "OperationOutcome", "Composition", "Medication"}


def name_of(dialect: str, person: Person) -> str:
    return f"{dialect}-{person.id}"


def stored_as(dialect: str, person: Person) -> list[Resource]:
    """The resources of that patient, the Patient first, with ids that no other dialect has."""
    made = DIALECTS[dialect](person)
    if dialect == "prefetch":
        lists = [value for value in made.values() if value["resourceType"] == "Bundle"]
        entries = [
            {"resource": made["patient"]},
            *(entry for held in lists for entry in held.get("entry", [])),
        ]
    else:
        entries = made["entry"]
    renamed: dict[str, str] = {}
    found: dict[str, Resource] = {}
    for number, entry in enumerate(entries):
        resource, kind = entry["resource"], entry["resource"]["resourceType"]
        if kind in NOT_STORED:
            continue
        own = name_of(dialect, person)
        if kind != "Patient":
            own = f"{dialect}-{resource.get('id') or f'{person.id}-{number}'}"
        target = f"{kind}/{own}"
        names = {f"{kind}/{resource['id']}"} if "id" in resource else set()
        names |= {entry["fullUrl"]} if "fullUrl" in entry else set()
        renamed |= dict.fromkeys(names, target)
        found[target] = {**resource, "id": own}
    written: list[Resource] = [_renamed(resource, renamed) for resource in found.values()]
    return sorted(written, key=lambda resource: resource["resourceType"] != "Patient")


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(member, names) for key, member in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def bundle_of(resources: list[Resource]) -> bytes:
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
