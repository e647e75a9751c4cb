"""The form of the knowledge in use, as values: published as a Questionnaire, drawn on the workbench."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fhir_mappings.code_systems import CodeKey, code_key
from fhir_mappings.record import Site, Status
from service.decision.table import PRESENT, TRUE, All, AnyOf, AskedQuestion, Condition, Leaf
from service.knowledge import Knowledge
from service.knowledge.questionnaire import display_of

ANSWERS, SITES, COURSES, DATE = "answers", "sites", "courses", "date"
# (linkId, code) of answers of which one must be given; None: nothing is known of the condition.
_Given = frozenset[tuple[str, str]] | None


@dataclass(frozen=True, slots=True)
class Option:
    """An answer to choose. means: a status, a site or the id of a course."""

    system: str
    code: str
    display: str
    means: Status | Site | str


@dataclass(frozen=True, slots=True)
class Item:
    """A question. type: answers (one), sites or courses (several), date. since: the finding that it dates."""

    link: str
    text: str
    type: str
    options: tuple[Option, ...] = ()
    since: str | None = None
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """The items of one question of the table. when: (linkId, code), one of which enables it; none: always."""

    link: str
    text: str
    question: str
    items: tuple[Item, ...]
    when: frozenset[tuple[str, str]]


@cache
def groups_of(knowledge: Knowledge) -> tuple[Group, ...]:
    """The groups of the form, in their order."""
    return tuple(_Form(knowledge).groups())


class _Form:
    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.terminology = knowledge.terminology
        self.section: Mapping[str, Any] = knowledge.terminology.form.section
        self.options = {
            ANSWERS: tuple(self._answers()),
            SITES: tuple(self._sites()),
            COURSES: tuple(self._courses()),
        }
        self.yes = next(option.code for option in self.options[ANSWERS] if option.means is Status.PRESENT)

    def groups(self) -> Iterator[Group]:
        findings, section = self.terminology.findings, self.section
        for question in sorted(self.knowledge.table.questions, key=lambda question: question.order):
            if not question.findings and question.id not in section["items"]:
                continue
            labels = ", ".join(findings[name].label for name in question.findings)
            items = tuple(
                Item(name, findings[name].question or "", ANSWERS, self.options[ANSWERS])
                for name in question.findings
            )
            yield Group(
                f"group-{question.id}",
                section["groups"].get(question.id) or labels[:1].upper() + labels[1:],
                question.id,
                items or (self._item(section["items"][question.id]),),
                self._when(question),
            )

    def _item(self, item: Mapping[str, Any]) -> Item:
        options = self.options.get(item["type"], ())
        return Item(item["id"], item["text"], item["type"], options, item["since"], item["initial"] is None)

    def _answers(self) -> Iterator[Option]:
        for answer in self.section[ANSWERS]:
            means = self.terminology.answers[code_key(answer["system"], answer["code"])]
            yield Option(answer["system"], answer["code"], answer["display"], means)

    def _sites(self) -> Iterator[Option]:
        by_site: dict[Site, list[CodeKey]] = {}
        for key, site in self.terminology.sites.items():
            by_site.setdefault(site, []).append(key)
        for site in sorted(by_site, key=lambda site: (site.label, site.side or "")):
            yield self._option(by_site[site], display_of(site, self.section["sided"]), site)

    def _courses(self) -> Iterator[Option]:
        for course, display in self.section[COURSES].items():
            keys = [key for key, name in self.terminology.courses.items() if name == course and key[0]]
            yield self._option(keys, display, course)

    def _option(self, keys: Iterable[CodeKey], display: str, means: Site | str) -> Option:
        """The preferred code; of a site's own knowledge that prefers none of several, the first."""
        system, code = min(keys, key=lambda key: key[1] not in self.section["preferred"])
        return Option(system, code, display, means)

    def _when(self, question: AskedQuestion) -> frozenset[tuple[str, str]]:
        condition = question.on_card_when
        return (self._given(condition) if condition is not None else None) or frozenset()

    def _given(self, condition: Condition) -> _Given:
        """Answers of which one is given wherever the condition holds by the answers of the form."""
        match condition:
            case Leaf(name, values) if name in self.knowledge.table.asked_findings and values <= PRESENT:
                return frozenset({(name, self.yes)})
            case Leaf(name, values) if values == {TRUE}:
                return self._given_sites(name)
            case AnyOf(parts) if parts:
                found = [self._given(part) for part in parts]
                known = [answers for answers in found if answers is not None]
                return frozenset().union(*known) if len(known) == len(found) else None
            case All(parts):
                # All of them hold: the one that fewest answers give says most.
                known = [answers for part in parts if (answers := self._given(part)) is not None]
                return min(known, key=len, default=None)
        return None

    def _given_sites(self, name: str) -> _Given:
        """The offered sites of the regions that a fact reads; None where it reads anything else."""
        feature, findings = self.knowledge.pages.features.get(name), self.terminology.findings
        if feature is None or not feature.regions or feature.courses or feature.sites:
            return None
        if any(findings[finding].kind != "fasciculation" for finding in feature.findings):
            return None
        links = [item["id"] for item in self.section["items"].values() if item["type"] == SITES]
        sites = [
            (option.code, site) for option in self.options[SITES] if isinstance(site := option.means, Site)
        ]
        found = [code for code, site in sites if {site.region, site.id} & {*feature.regions}]
        return frozenset((links[0], code) for code in found) if links else None
