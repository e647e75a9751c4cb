"""wording.yaml: every text of the cards by its dotted place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.knowledge_table import WordingSchema
from service.decision.table import ActionRole, Table, Thresholds
from service.knowledge.loading import KnowledgeError, Problem, load_file

FILE = "wording.yaml"
# The summary says the label of a row that has no text under `found`; a longer label leaves no room there.
_MAX_LABEL_CHARACTERS = 60
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


@dataclass(frozen=True, slots=True)
class Wording:
    """texts: dotted place -> text. override_reasons: (code, display) of each.

    rests_on: a place, or the beginning of several -> the claims and anchors that support them.
    """

    texts: Mapping[str, str]
    override_system: str
    override_reasons: tuple[tuple[str, str], ...]
    rests_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def say(self, place: str, **names: object) -> str:
        """The text of a place with its names filled in. Raises KeyError if there is none."""
        text = self.texts[place]
        return text.format_map(names) if names else text

    def maybe(self, place: str, **names: object) -> str:
        """The same; "" if there is none."""
        return self.say(place, **names) if place in self.texts else ""

    def claims(self, place: str) -> tuple[str, ...]:
        """The claims and anchors that support the text of a place."""
        return tuple(
            claim
            for stated, claims in self.rests_on.items()
            if place == stated or place.startswith(f"{stated}.")
            for claim in claims
        )


def load_wording(directory: Path, table: Table) -> Wording:
    """Load wording.yaml and check it against the table. Raises KnowledgeError with every problem."""
    content = load_file(directory, FILE, WordingSchema())
    rests_on = content.pop("rests_on")
    override_reasons = content.pop("override_reasons")
    problems = list(_problems(content, table))
    # A "{" in a label is no placeholder.
    labels = {row.id: row.label.replace("{", "{{").replace("}", "}}") for row in table.rows if not row.last}
    content["found"] = labels | content["found"]
    content["studies"] = {
        study: f"{content['actions'][action.id]['short']} {study.partition('-')[2]}".strip()
        for action in table.actions.values()
        for study in action.studies
        if action.id in content["actions"]
    }
    texts = _with_limits(_flat(content), table.thresholds)
    problems += [
        Problem(FILE, f"rests_on.{stated}", "there is no such text")
        for stated in rests_on
        if not any(place == stated or place.startswith(f"{stated}.") for place in texts)
    ]
    if problems:
        raise KnowledgeError(problems)
    return Wording(
        texts,
        override_reasons["system"],
        tuple((reason["code"], reason["display"]) for reason in override_reasons["reasons"]),
        {place: tuple(claims) for place, claims in rests_on.items()},
    )


def _problems(content: Mapping[str, Any], table: Table) -> Iterator[Problem]:
    """Texts that the cards need and the file lacks, and texts that the table has no use for."""
    found, actions, advice = content["found"], content["actions"], content["self_care"]["advice"]
    labels = {row.id: row.label for row in table.rows if not row.last}
    for name, label in labels.items():
        if name not in found and len(label) > _MAX_LABEL_CHARACTERS:
            reason = f"no text, and the row's label has over {_MAX_LABEL_CHARACTERS} characters"
            yield Problem(FILE, f"found.{name}", reason)
    yield from _unused(found, set(labels), "found")
    yield from _unused(content["effects"], {row.id for row in table.rows if row.drug_classes}, "effects")
    yield from _missing(actions, set(table.actions), "actions")
    for action in table.actions.values():
        if ActionRole.MISSING_BLOOD_TESTS in action.roles and "order" not in actions.get(
            action.id, ("order",)
        ):
            reason = f"no text, and its role is {ActionRole.MISSING_BLOOD_TESTS}"
            yield Problem(FILE, f"actions.{action.id}.order", reason)
    for name, texts in actions.items():
        rows = {row.id for row in table.rows if any(asked.id == name for asked in row.actions)}
        yield from _unused(texts.get("for_row", {}), rows, f"actions.{name}.for_row")
    yield from _missing(advice, {entry.id for entry in table.self_care}, "self_care.advice")
    for question in table.words:
        if question.id not in content["question"]:
            yield Problem(FILE, f"question.{question.id}", "no text for this question")


def _missing(texts: Mapping[str, object], names: set[str], place: str) -> Iterator[Problem]:
    for name in sorted(names - set(texts)):
        yield Problem(FILE, f"{place}.{name}", "no text")
    yield from _unused(texts, names, place)


def _unused(texts: Mapping[str, object], names: set[str], place: str) -> Iterator[Problem]:
    for name in sorted(set(texts) - names):
        yield Problem(FILE, f"{place}.{name}", "text for something the table does not have")


def _with_limits(texts: Mapping[str, str], limits: Thresholds) -> dict[str, str]:
    """Fill in the thresholds of the table; other placeholders are filled in by the cards."""
    values = {
        "persistent_days": str(limits.persistent_days),
        "persistent_time": time_in_words(limits.persistent_days),
        "eyelid_days": str(limits.eyelid_days),
        "eyelid_time": time_in_words(limits.eyelid_days),
        "child_years": str(limits.child_years),
    }
    filled = dict(texts)
    for name, value in values.items():
        filled = {place: text.replace(f"{{{name}}}", value) for place, text in filled.items()}
    return filled


def time_in_words(days: int) -> str:
    """14 -> "two weeks", 90 -> "three months", but 15 -> "15 days": weeks and months only where exact."""
    for length, unit in ((30, "month"), (7, "week")):
        count, rest = divmod(days, length)
        if not rest and 0 < count <= len(_NUMBERS):
            return f"{_NUMBERS[count - 1]} {unit}{'s' if count > 1 else ''}"
    return f"{days} day{'s' if days != 1 else ''}"


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            texts |= _flat(inner, f"{prefix}{key}.")
        else:
            texts[f"{prefix}{key}"] = inner
    return texts
