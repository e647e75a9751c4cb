"""The knowledge as FHIR R4 artifacts, for other engines.

`python -m tools.artifacts` writes them into artifacts/, which the service serves. They are not validated when
they are made: the tests check each against the R4B models and the codes of their required bindings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from service.decision.table import Action
from service.knowledge import Knowledge, load_knowledge
from service.knowledge.loading import KnowledgeError, Problem
from tools import cql
from tools.artifacts.plan import activity_definition, logic_library, plan_definition
from tools.artifacts.publication import FILE, Publication, Say, load_publication
from tools.artifacts.questionnaire import questionnaire
from tools.artifacts.value_sets import value_sets_of
from tools.artifacts.work_up import LIBRARY, plan_of, tests_of
from tools.cql.files import Files
from tools.cql.files import read as read_files
from tools.cql.medicines import medicine_sets
from tools.cql.rows import Rows

# CQL -> its translation to ELM, None where there is none.
Translated = Callable[[str], str | None]


def artifacts_of(directory: Path, elm: Translated) -> list[dict[str, Any]]:
    """The artifacts of the knowledge in that folder, in the order in which they are served.

    The same knowledge gives the same bytes.

    Raises:
        KnowledgeError: a file of the folder is broken.
    """
    knowledge, publication = load_knowledge(directory), load_publication(directory)
    topic = knowledge.terminology.findings.get(publication.topic)
    if topic is None or topic.answer is None:
        raise KnowledgeError([Problem(FILE, "topic", "is no finding with a code of its own")])
    system, code = topic.answer
    about = {"coding": [{"system": system, "code": code}], "text": topic.label}
    return list(_resources(knowledge, replace(publication, about=about), read_files(directory), elm))


def _resources(
    knowledge: Knowledge, publication: Publication, files: Files, elm: Translated
) -> Iterator[dict[str, Any]]:
    say = publication.say
    rows = Rows(files, cql.TYPES["Result"])
    yield plan_definition(plan_of(knowledge, rows, say), publication)
    for name, action in _orders(knowledge).items():
        code = knowledge.templates.orders[name]["code"]
        yield activity_definition(name, _asked_for_as(action, knowledge, say), code, publication)
    value_sets = list(value_sets_of(knowledge.terminology, medicine_sets(files), publication))
    yield from value_sets
    text = cql.library(files, publication.root, publication.version, [one["id"] for one in value_sets])
    description = f"{say('library.description')}\n\n{say('library.left_out')}"
    title = say("library.title")
    yield logic_library(LIBRARY, title, description, (text, elm(text)), cql.retrieved(), publication)
    yield questionnaire(knowledge, publication)


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
