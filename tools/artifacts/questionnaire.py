"""The questions of the table as a Questionnaire: FHIR R4 with extensions of Structured Data Capture (SDC).

A group for each question, in it an item for each finding; its linkId is the id of the finding. An answer is
extracted to the code and category of the Observation that a card suggests for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from service.knowledge import Knowledge, KnowledgeError
from service.knowledge.form import ANSWERS, COURSES, SITES, Group, Item, Option, groups_of
from service.knowledge.loading import Problem
from tools.artifacts.publication import FILE, Publication

KIND = "Questionnaire"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
_LAUNCH_CONTEXT = "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext"
_FHIRPATH = "text/fhirpath"


def questionnaire(knowledge: Knowledge, publication: Publication) -> dict[str, Any]:
    """The Questionnaire; it contains the value sets of its answers.

    Raises:
        KnowledgeError: fhir.yaml names no code where several are known, or lacks an item.
    """
    return _Writer(knowledge, publication).resource()


class _Writer:
    def __init__(self, knowledge: Knowledge, publication: Publication) -> None:
        self.knowledge = knowledge
        self.publication = publication
        self.form = publication.questionnaire
        self.groups = groups_of(knowledge)
        # Of items in the order of the form, for conditions on them.
        self.links = [item.link for group in self.groups for item in group.items]

    def resource(self) -> dict[str, Any]:
        form = self.form
        self._check()
        offered = {item.type: item.options for group in self.groups for item in group.items if item.options}
        items = [self._group(group) for group in self.groups]
        systems = {one.system for options in offered.values() for one in options}
        systems |= {
            code["system"] for group in items for item in group["item"] for code in item.get("code", ())
        }
        return {
            **self.publication.head(KIND, form["id"], form["title"], form["description"]),
            "subjectType": ["Patient"],
            "purpose": form["purpose"],
            "copyright": self.publication.terms_of(systems),
            "extension": [self._launch_context()],
            "contained": [self._value_set(name, options) for name, options in offered.items()],
            "item": items,
        }

    def _launch_context(self) -> dict[str, Any]:
        return {
            "url": f"{_SDC}launchContext",
            "extension": [
                {"url": "name", "valueCoding": {"system": _LAUNCH_CONTEXT, "code": "patient"}},
                {"url": "type", "valueCode": "Patient"},
                {"url": "description", "valueString": self.form["patient"]},
            ],
        }

    def _check(self) -> None:
        """Raises KnowledgeError: a question without item, or none of several codes is preferred."""
        asked = {group.question for group in self.groups}
        problems = [
            Problem(FILE, "questionnaire.items", f"lacks {question.id!r}")
            for question in self.knowledge.table.questions
            if question.id not in asked
        ]
        terminology = self.knowledge.terminology
        tables: dict[str, Any] = {SITES: terminology.sites, COURSES: terminology.courses}
        for item in (item for group in self.groups for item in group.items if item.type in tables):
            for option in item.options:
                keys = [key for key, means in tables[item.type].items() if means == option.means and key[0]]
                if len(keys) > 1 and sum(key[1] in self.form["preferred"] for key in keys) != 1:
                    why = f"must name one of the codes of {option.display!r}"
                    problems.append(Problem(FILE, "questionnaire.preferred", why))
        if problems:
            raise KnowledgeError(problems)

    def _value_set(self, name: str, options: Sequence[Option]) -> dict[str, Any]:
        """A contained value set. Its displays are for the reader of the form, as a compose may have them."""
        by_system: dict[str, list[dict[str, str]]] = {}
        for one in options:
            by_system.setdefault(one.system, []).append({"code": one.code, "display": one.display})
        return {
            "resourceType": "ValueSet",
            "id": name,
            "status": self.publication.status,
            "compose": {
                "include": [{"system": system, "concept": codes} for system, codes in by_system.items()]
            },
            "expansion": {
                "timestamp": self.form["expanded"],
                "contains": [
                    {"system": one.system, "code": one.code, "display": one.display} for one in options
                ],
            },
        }

    def _group(self, group: Group) -> dict[str, Any]:
        return {
            "linkId": group.link,
            "text": group.text,
            "type": "group",
            **self._enabled(group),
            "item": [self._finding(i) if i.type == ANSWERS else self._item(i) for i in group.items],
        }

    def _finding(self, item: Item) -> dict[str, Any]:
        """A yes or no that is extracted to the Observation that a card suggests for it."""
        template = self.knowledge.templates.answers[item.link]
        return {
            "extension": [
                {"url": f"{_SDC}observationExtract", "valueBoolean": True},
                *(
                    {"url": f"{_SDC}observation-extract-category", "valueCodeableConcept": category}
                    for category in template["category"]
                ),
            ],
            "linkId": item.link,
            "code": template["code"]["coding"],
            "text": item.text,
            "type": "choice",
            "answerValueSet": f"#{ANSWERS}",
        }

    def _item(self, item: Item) -> dict[str, Any]:
        """A day, or places or courses: no value of an Observation, so not extracted."""
        made: dict[str, Any] = {"linkId": item.link, "text": item.text, "type": item.type}
        if item.options:
            made |= {"type": "choice", "repeats": True, "answerValueSet": f"#{item.type}"}
        if initial := self._initial(item):
            expression = {"language": _FHIRPATH, "expression": initial}
            made["extension"] = [{"url": f"{_SDC}initialExpression", "valueExpression": expression}]
        return made

    def _initial(self, item: Item) -> str | None:
        written: Iterable[dict[str, Any]] = self.form["items"].values()
        return next((one["initial"] for one in written if one["id"] == item.link), None)

    def _enabled(self, group: Group) -> dict[str, Any]:
        """When it is asked: on_card, as far as other items say it, and otherwise more often."""
        systems = {
            (item.link, option.code): option.system
            for one in self.groups
            for item in one.items
            for option in item.options
        }
        given = sorted(group.when, key=lambda one: (self.links.index(one[0]), systems[one], one[1]))
        conditions = [
            {"question": link, "operator": "=", "answerCoding": {"system": systems[link, code], "code": code}}
            for link, code in given
        ]
        if not conditions:
            return {}
        return {"enableWhen": conditions} | ({"enableBehavior": "any"} if len(conditions) > 1 else {})
