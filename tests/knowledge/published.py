"""The artifacts of the knowledge as shipped, and what several tests ask of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

from service.endpoints.fhir_artifacts import KINDS
from service.knowledge import HERE, load_knowledge
from tools.artifacts import artifacts_of
from tools.artifacts.publication import load_publication
from tools.artifacts.work_up import PLAN


def published(directory: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Resource type -> id -> the artifact, of the knowledge in that folder."""
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
    for resource in artifacts_of(directory):
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


def parameters(facts: dict[str, str]) -> dict[str, Any]:
    """The facts as the conditions read them; what is unknown is left out."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": name, "valueCode": value} for name, value in facts.items() if value != "unknown"
        ],
    }


_compiled = cache(lambda expression: fhirpathpy.compile(expression, models["r4"]))


def true_of(expression: str, facts: Mapping[str, str]) -> bool:
    """Whether the FHIRPath is true of a Parameters resource of those facts.

    Only facts that the expression names are passed: the engine takes milliseconds for each parameter.
    """
    named = set(re.findall(r"name = '([^']*)'", expression))
    return _true_of(expression, tuple(sorted(item for item in facts.items() if item[0] in named)))


@cache
def _true_of(expression: str, facts: tuple[tuple[str, str], ...]) -> bool:
    value = _compiled(expression)(parameters(dict(facts)))
    assert value in ([True], [False]), (expression, value)
    return value == [True]


def applicable(action: dict[str, Any], facts: dict[str, str]) -> bool:
    """Whether all conditions of the action are true of those facts."""
    expressions = [condition["expression"] for condition in action.get("condition", ())]
    assert {expression["language"] for expression in expressions} <= {"text/fhirpath"}
    return all(true_of(expression["expression"], facts) for expression in expressions)
