"""fhir.yaml as the server reads it: the canonical root, and the texts of $apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.knowledge_files import ApplyFileSchema
from service.knowledge.loading import Directory, load_file

FILE = "fhir.yaml"


@dataclass(frozen=True, slots=True)
class ApplyTexts:
    """root: what canonical URLs begin with. texts: name -> text with {names}."""

    root: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    def say(self, name: str, **names: object) -> str:
        """The text of that name with its names filled in. KeyError if there is none."""
        return self.texts[name].format(**names)


def load_apply_texts(directory: Directory) -> ApplyTexts:
    """Read them. Raises KnowledgeError with every problem of the file."""
    raw = load_file(directory, FILE, ApplyFileSchema())
    return ApplyTexts(raw["canonical_root"], raw["apply"])
