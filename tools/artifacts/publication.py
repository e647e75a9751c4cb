"""fhir.yaml: what every artifact shares. Canonical URL, version, status and the terms of its codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from marshmallow import ValidationError

from service.knowledge import version_of
from service.knowledge.loading import KnowledgeError, Problem, load_yaml
from tools.artifacts.publication_schema import PublicationSchema

FILE = "fhir.yaml"
_TEXTS = ("plan", "library", "value_sets")
_CONTEXT_TYPE = "http://terminology.hl7.org/CodeSystem/usage-context-type"
# Types that have a topic in R4; what a value set is about its title says.
_WITH_TOPIC = frozenset({"PlanDefinition", "ActivityDefinition", "Library"})
# A dotted place in fhir.yaml and the names to fill in -> the text.
Say = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Publication:
    """root: what canonical URLs begin with. version: of the knowledge, a hash of all its files.

    contact: name, and url where there is one. date: of the last change. topic: the id of a finding.
    profiles: resource type -> those it conforms to. copyright: code system -> the terms that its codes come
    with. texts: dotted place -> text with {names}. about: the topic as a CodeableConcept, {} where unknown.
    questionnaire: the section of that name.
    """

    root: str
    version: str
    status: str
    experimental: bool
    publisher: str
    contact: Mapping[str, str]
    date: str
    jurisdiction: str
    topic: str
    profiles: Mapping[str, Sequence[str]]
    copyright: Mapping[str, str]
    texts: Mapping[str, str]
    questionnaire: Mapping[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)

    def say(self, place: str, **names: object) -> str:
        """The text of that place with its names filled in. KeyError if there is none."""
        return self.texts[place].format(**names)

    def canonical(self, kind: str, name: str) -> str:
        """The canonical URL of an artifact, without its version."""
        return f"{self.root}/{kind}/{name}"

    def pinned(self, kind: str, name: str) -> str:
        """The same with the version: an engine that holds two versions does not mix them."""
        return f"{self.canonical(kind, name)}|{self.version}"

    def head(self, kind: str, name: str, title: str, description: str) -> dict[str, Any]:
        """The members that every artifact begins with. The same knowledge gives the same bytes."""
        contact: dict[str, Any] = {"name": self.contact["name"]}
        if "url" in self.contact:
            contact["telecom"] = [{"system": "url", "value": self.contact["url"]}]
        return {
            "resourceType": kind,
            "id": name,
            **({"meta": {"profile": list(self.profiles[kind])}} if kind in self.profiles else {}),
            "url": self.canonical(kind, name),
            "version": self.version,
            "name": "".join(part[:1].upper() + part[1:] for part in re.split(r"[-.]", name)),
            "title": title,
            "status": self.status,
            "experimental": self.experimental,
            "date": self.date,
            "publisher": self.publisher,
            "contact": [contact],
            "description": description,
            **(self._about() if kind in _WITH_TOPIC else {}),
            "jurisdiction": [{"text": self.jurisdiction}],
        }

    def _about(self) -> dict[str, Any]:
        """What a definition is about, for those who search and for engines that choose by it."""
        if not self.about:
            return {}
        focus = {"system": _CONTEXT_TYPE, "code": "focus"}
        return {
            "topic": [dict(self.about)],
            "useContext": [{"code": focus, "valueCodeableConcept": dict(self.about)}],
        }

    def terms_of(self, systems: Iterable[str]) -> str:
        """The terms of those code systems, named; a site's own system has none here."""
        named: dict[str, list[str]] = {}
        for system in sorted(set(systems) & set(self.copyright)):
            named.setdefault(self.copyright[system], []).append(system)
        return "\n\n".join(f"{', '.join(known)}: {terms}" for terms, known in named.items())


def load_publication(directory: Path) -> Publication:
    """Read fhir.yaml of that knowledge folder.

    Raises:
        KnowledgeError: with every problem of the file.
    """
    try:
        raw = cast(dict[str, Any], PublicationSchema().load(load_yaml(directory / FILE)))
    except ValidationError as error:
        raise KnowledgeError(
            [Problem(FILE, str(key), str(reason)) for key, reason in error.normalized_messages().items()]
        ) from None
    return Publication(
        root=raw["canonical_root"],
        version=version_of(directory),
        status=raw["status"],
        experimental=raw["experimental"],
        publisher=raw["publisher"],
        contact=raw["contact"],
        date=raw["date"],
        jurisdiction=raw["jurisdiction"],
        topic=raw["topic"],
        profiles=raw["profiles"],
        copyright=raw["copyright"],
        texts={f"{part}.{name}": text for part in _TEXTS for name, text in raw[part].items()},
        questionnaire=raw["questionnaire"],
    )
