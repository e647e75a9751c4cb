"""fhir.yaml: how the knowledge is published as FHIR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from marshmallow import ValidationError

from schemas.knowledge_fhir import FhirSchema
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

FILE = "fhir.yaml"
_PARTS = ("plan", "facts", "needless", "value_sets")


@dataclass(frozen=True, slots=True)
class Publishing:
    """texts: dotted place -> text with {names} to fill in. copyright: code system -> terms of its codes."""

    root: str
    status: str
    experimental: bool
    texts: Mapping[str, str]
    copyright: Mapping[str, str]

    def say(self, place: str, **names: object) -> str:
        """The text of that place with its names filled in. KeyError if there is none."""
        return self.texts[place].format(**names)


# Earlier knowledge that is asked again for its answers alone.
UNPUBLISHED = Publishing("", "unknown", True, {}, {})


def load_publishing(directory: Path) -> Publishing:
    """How the knowledge of that folder is published. Raises KnowledgeError."""
    try:
        raw = cast(dict[str, Any], FhirSchema().load(load_yaml(directory / FILE)))
    except ValidationError as error:
        raise KnowledgeError(
            [Problem(FILE, str(key), str(reason)) for key, reason in error.normalized_messages().items()]
        ) from None
    return Publishing(
        root=raw["canonical_root"],
        status=raw["status"],
        experimental=raw["experimental"],
        texts={f"{part}.{name}": text for part in _PARTS for name, text in raw[part].items()},
        copyright=raw["copyright"],
    )
