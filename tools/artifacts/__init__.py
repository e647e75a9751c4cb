"""The knowledge as FHIR R4 artifacts, for other engines.

`python -m tools.artifacts` writes them into artifacts/, which the service serves. They are not validated when
they are made: the tests check each against the R4B models and the codes of their required bindings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.decision.table import Action
from service.knowledge import Knowledge, load_knowledge
from tools.artifacts.facts import facts_of
from tools.artifacts.plan import activity_definition, fact_library, plan_definition
from tools.artifacts.publication import Publication, Say, load_publication
from tools.artifacts.value_sets import value_sets_of
from tools.artifacts.work_up import LIBRARY, plan_of, tests_of, variables_of


def artifacts_of(directory: Path) -> list[dict[str, Any]]:
    """The artifacts of the knowledge in that folder, in the order in which they are served.

    The same knowledge gives the same bytes.

    Raises:
        KnowledgeError: a file of the folder is broken.
    """
    return list(_resources(load_knowledge(directory), load_publication(directory)))


def _resources(knowledge: Knowledge, publication: Publication) -> Iterator[dict[str, Any]]:
    say = publication.say
    yield plan_definition(plan_of(knowledge, say), publication)
    for name, action in _orders(knowledge).items():
        code = knowledge.templates.orders[name]["code"]
        yield activity_definition(name, _asked_for_as(action, knowledge, say), code, publication)
    yield from value_sets_of(knowledge.terminology, publication)
    yield fact_library(
        LIBRARY,
        say("facts.title"),
        say("facts.description"),
        facts_of(variables_of(knowledge), knowledge, say),
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


def _asked_for_as(action: Action, knowledge: Knowledge, say: Say) -> str:
    labels = ", ".join(knowledge.terminology.analytes[name].label for name in action.analytes)
    says = knowledge.wording.say(f"actions.{action.id}.says", analytes=labels)
    return say("plan.order", action=action.id, says=says)
