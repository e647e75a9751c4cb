"""The claims of the three documents and the anchors, in our own words, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from marshmallow import Schema, ValidationError

from schemas.knowledge_sources import AnchorsSchema, DocumentSchema
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

ANCHORS = "anchors.yaml"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one document says. heading: after how many headings; sentences: numbers in the document;
    sha256: of those sentences, normalised. declined: why nothing rests on it (None: it is cited)."""

    id: str
    document: str
    heading: int
    sentences: tuple[int, ...]
    sha256: str
    says: str
    strength: str
    declined: str | None = None

    @property
    def fate(self) -> str:
        return "declined" if self.declined else "cited"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Independent guidance that a safety addition rests on. declined: why nothing does (None: it is used)."""

    id: str
    source: str
    says: str
    url: str
    declined: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    id: str
    title: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Claims:
    """Every claim and anchor by id, and the documents they stand in."""

    documents: Mapping[str, Document]
    claims: Mapping[str, Claim]
    anchors: Mapping[str, Anchor]

    def get(self, name: str) -> Claim | Anchor | None:
        """The claim or anchor of that id."""
        return self.claims.get(name) or self.anchors.get(name)


def load_claims(directory: Path) -> Claims:
    """The sources of that knowledge folder. Raises KnowledgeError with every problem found."""
    problems: list[Problem] = []
    documents: dict[str, Document] = {}
    claims: dict[str, Claim] = {}
    anchors: dict[str, Anchor] = {}
    for path in sorted((directory / "sources").glob("*.yaml")):
        file = f"sources/{path.name}"
        shape = AnchorsSchema() if path.name == ANCHORS else DocumentSchema()
        raw = _loaded(path, file, shape, problems)
        if not raw:
            continue
        if path.name == ANCHORS:
            anchors = {anchor["id"]: Anchor(**anchor) for anchor in raw["anchors"]}
            continue
        documents[raw["id"]] = Document(raw["id"], raw["title"], raw["sha256"])
        for claim in raw["claims"]:
            if claim["id"] in claims:
                problems.append(Problem(file, claim["id"], "stands twice"))
            if not claim["id"].startswith(raw["prefix"]):
                problems.append(Problem(file, claim["id"], f"does not begin with {raw['prefix']}"))
            numbers = tuple(claim.pop("sentences"))
            claims[claim["id"]] = Claim(document=raw["id"], sentences=numbers, **claim)
    if problems:
        raise KnowledgeError(problems)
    return Claims(documents, claims, anchors)


def _loaded(path: Path, file: str, shape: Schema, problems: list[Problem]) -> dict[str, Any]:
    content = load_yaml(path)
    try:
        return cast(dict[str, Any], shape.load(content))
    except ValidationError as error:
        for member, reason in error.normalized_messages().items():
            entries = content.get(member) if isinstance(content, dict) else None
            if isinstance(reason, dict) and isinstance(entries, list):
                for index, inner in reason.items():
                    entry = entries[index] if isinstance(index, int) else {}
                    name = str(entry.get("id", index)) if isinstance(entry, dict) else str(index)
                    problems.append(Problem(file, name, str(inner)))
            else:
                problems.append(Problem(file, str(member), str(reason)))
    return {}
