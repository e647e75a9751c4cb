"""The artifacts of the knowledge as shipped, and what several tests ask of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.endpoints.fhir_artifacts import KINDS
from service.knowledge import HERE, load_knowledge
from tools.artifacts import artifacts_of
from tools.artifacts.__main__ import stored
from tools.artifacts.publication import load_publication
from tools.artifacts.work_up import PLAN


def published(directory: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Resource type -> id -> the artifact, of the knowledge in that folder."""
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
    for resource in artifacts_of(directory, stored):
        found[resource["resourceType"]][resource["id"]] = resource
    return found


KNOWLEDGE = load_knowledge()
PUBLICATION = load_publication(HERE)
RESOURCES = published(HERE)
ALL = [resource for of_kind in RESOURCES.values() for resource in of_kind.values()]
ACTIONS = {action["id"]: action for action in RESOURCES["PlanDefinition"][PLAN]["action"]}
VALUE_SETS = RESOURCES["ValueSet"]


def walked(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of a resource, however deep, with its name."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield name, inner
        for one in inner if isinstance(inner, list) else [inner]:
            yield from walked(one)
