"""sources/: the claims of the documents in our own words, each with its place, and the anchors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.knowledge_files import AnchorsSchema, DocumentSchema
from service.knowledge.loading import Directory, KnowledgeFiles

ANCHORS = "sources/anchors.yaml"


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of a document.

    heading: how many headings come before it. sentences: their numbers in the document. sha256: of those
    sentences, normalised. declined: why nothing cites it; None if something does.
    """

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
    """Guidance that supports an addition for safety. declined: why it is not used; None if it is."""

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
    """Every document, claim and anchor by id."""

    documents: Mapping[str, Document]
    claims: Mapping[str, Claim]
    anchors: Mapping[str, Anchor]

    def get(self, name: str) -> Claim | Anchor | None:
        """The claim or anchor of that id."""
        return self.claims.get(name) or self.anchors.get(name)


def load_claims(directory: Directory) -> Claims:
    """Load sources/ of a knowledge folder. Raises KnowledgeError with every problem."""
    files = KnowledgeFiles(directory)
    documents: dict[str, Document] = {}
    claims: dict[str, Claim] = {}
    anchors: dict[str, Anchor] = {}
    for file in files.directory.names("sources"):
        if file == ANCHORS:
            content = files.file(file, AnchorsSchema())
            anchors = {anchor["id"]: Anchor(**anchor) for anchor in content.get("anchors", ())}
        elif content := files.file(file, DocumentSchema()):
            documents[content["id"]] = Document(content["id"], content["title"], content["sha256"])
            for claim in content["claims"]:
                if claim["id"] in claims:
                    files.problem(file, claim["id"], "stands twice")
                if not claim["id"].startswith(content["prefix"]):
                    files.problem(file, claim["id"], f"does not begin with {content['prefix']}")
                sentences = tuple(claim.pop("sentences"))
                claims[claim["id"]] = Claim(document=content["id"], sentences=sentences, **claim)
    files.stop()
    return Claims(documents, claims, anchors)
