"""Everything that is published as FHIR, made from the loaded knowledge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_mappings.artifacts.plan import activity_definition, fact_library, plan_definition
from fhir_mappings.artifacts.publication import Publication
from fhir_mappings.artifacts.value_sets import value_sets_of
from service.decision.table import Action
from service.knowledge import Knowledge
from service.knowledge.artifacts.facts import facts_of
from service.knowledge.artifacts.work_up import LIBRARY, plan_of, tests_of, variables_of

KINDS = ("PlanDefinition", "ActivityDefinition", "ValueSet", "Library")


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Resource type -> id -> the resource. The types are KINDS."""

    resources: Mapping[str, Mapping[str, dict[str, Any]]]


def artifacts_of(knowledge: Knowledge) -> Artifacts:
    """The artifacts of that knowledge; the same knowledge gives the same bytes."""
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
    for resource in _resources(knowledge):
        found[resource["resourceType"]][resource["id"]] = resource
    return Artifacts(found)


def _resources(knowledge: Knowledge) -> Iterator[dict[str, Any]]:
    publishing = knowledge.publishing
    publication = Publication(
        publishing.root,
        knowledge.version,
        publishing.status,
        publishing.experimental,
        publishing.copyright,
        publishing.texts,
    )
    yield plan_definition(plan_of(knowledge), publication)
    for name, action in _orders(knowledge).items():
        code = knowledge.templates.orders[name]["code"]
        yield activity_definition(name, _asked_for_as(action, knowledge), code, publication)
    yield from value_sets_of(knowledge.terminology, publication)
    yield fact_library(
        LIBRARY,
        publishing.say("facts.title"),
        publishing.say("facts.description"),
        facts_of(variables_of(knowledge), knowledge),
        publication,
    )


def _orders(knowledge: Knowledge) -> dict[str, Action]:
    """Every test, study and referral that the table can ask for, with the action it belongs to."""
    return {
        test: action
        for action in knowledge.table.actions.values()
        for test in tests_of(action)
        if test in knowledge.templates.orders
    }


def _asked_for_as(action: Action, knowledge: Knowledge) -> str:
    labels = ", ".join(knowledge.terminology.analytes[name].label for name in action.analytes)
    says = knowledge.wording.say(f"actions.{action.id}.says", analytes=labels)
    return knowledge.publishing.say("plan.order", action=action.id, says=says)
