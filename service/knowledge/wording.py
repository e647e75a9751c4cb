"""wording.yaml: every text that a card says, by its dotted place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from marshmallow import ValidationError

from schemas.knowledge_wording import WordingSchema
from service.decision.table import Table
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

FILE = "wording.yaml"


@dataclass(frozen=True, slots=True)
class Wording:
    """texts: dotted place -> text. override_reasons: (system, ((code, display), ...))."""

    texts: Mapping[str, str]
    override_system: str
    override_reasons: tuple[tuple[str, str], ...]

    def say(self, place: str, **names: object) -> str:
        """The text of that place with its names filled in. KeyError if there is none."""
        text = self.texts[place]
        return text.format(**names) if names else text

    def maybe(self, place: str, **names: object) -> str:
        """The same, or "" where nothing is said."""
        return self.say(place, **names) if place in self.texts else ""


def load_wording(directory: Path, table: Table) -> Wording:
    """The wording of that folder, checked against the table. Raises KnowledgeError."""
    content = load_yaml(directory / FILE)
    try:
        raw = cast(dict[str, Any], WordingSchema().load(cast(Any, content)))
    except ValidationError as error:
        raise KnowledgeError(
            [Problem(FILE, str(key), str(reason)) for key, reason in error.normalized_messages().items()]
        ) from None
    problems = [
        *_missing(raw["found"], {row.id for row in table.rows if not row.last}, "found"),
        *_missing(raw["actions"], set(table.actions), "actions"),
        *_missing(raw["self_care"]["advice"], {advice.id for advice in table.self_care}, "self_care.advice"),
        *(
            Problem(FILE, f"question.{words.id}", "no text for this question")
            for words in table.words
            if words.id not in raw["question"]
        ),
    ]
    if problems:
        raise KnowledgeError(problems)
    reasons = raw.pop("override_reasons")
    return Wording(
        _flat(raw),
        reasons["system"],
        tuple((reason["code"], reason["display"]) for reason in reasons["reasons"]),
    )


def _missing(texts: Mapping[str, object], names: set[str], place: str) -> list[Problem]:
    lacking = [Problem(FILE, f"{place}.{name}", "no text") for name in sorted(names - set(texts))]
    extra = [
        Problem(FILE, f"{place}.{name}", "text for something the table does not have")
        for name in sorted(set(texts) - names)
    ]
    return lacking + extra


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            texts |= _flat(inner, f"{prefix}{key}.")
        else:
            texts[f"{prefix}{key}"] = inner
    return texts
