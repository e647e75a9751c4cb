"""wording.yaml: every text that a card says, by its dotted place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from marshmallow import ValidationError

from schemas.knowledge_wording import WordingSchema
from service.decision.table import ActionRole, Table, Thresholds
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

FILE = "wording.yaml"
# A row's label stands in the summary where nothing shorter is written; a longer one leaves no room there.
_LONGEST_LABEL = 60
_NUMBERS = (
    "",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


@dataclass(frozen=True, slots=True)
class Wording:
    """texts: dotted place -> text. override_reasons: (system, ((code, display), ...)).

    rests_on: a place, or the beginning of several, -> the claims and anchors it rests on.
    """

    texts: Mapping[str, str]
    override_system: str
    override_reasons: tuple[tuple[str, str], ...]
    rests_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def say(self, place: str, **names: object) -> str:
        """The text of that place with its names filled in. KeyError if there is none."""
        text = self.texts[place]
        return text.format_map(names) if names else text

    def maybe(self, place: str, **names: object) -> str:
        """The same, or "" where nothing is said."""
        return self.say(place, **names) if place in self.texts else ""

    def claims(self, place: str) -> tuple[str, ...]:
        """The claims and anchors that the text of that place rests on."""
        return tuple(
            claim
            for stated, claims in self.rests_on.items()
            if place == stated or place.startswith(f"{stated}.")
            for claim in claims
        )


def load_wording(directory: Path, table: Table) -> Wording:
    """The wording of that folder, checked against the table. Raises KnowledgeError."""
    content = load_yaml(directory / FILE)
    try:
        raw = cast(dict[str, Any], WordingSchema().load(cast(Any, content)))
    except ValidationError as error:
        raise KnowledgeError(
            [Problem(FILE, str(key), str(reason)) for key, reason in error.normalized_messages().items()]
        ) from None
    rests_on = raw.pop("rests_on")

    def asking(action: str) -> set[str]:
        return {row.id for row in table.rows if any(asked.id == action for asked in row.actions)}

    reasons = raw.pop("override_reasons")
    problems = [
        *_found(raw["found"], table),
        *_extra(raw["effects"], {row.id for row in table.rows if row.drug_classes}, "effects"),
        *_missing(raw["actions"], set(table.actions), "actions"),
        *(
            Problem(
                FILE,
                f"actions.{action.id}.order",
                f"no text, and its role is {ActionRole.MISSING_BLOOD_TESTS}",
            )
            for action in table.actions.values()
            if ActionRole.MISSING_BLOOD_TESTS in action.roles
            and "order" not in raw["actions"].get(action.id, ("order",))
        ),
        *(
            problem
            for name, words in raw["actions"].items()
            for problem in _extra(words.get("for_row", {}), asking(name), f"actions.{name}.for_row")
        ),
        *_missing(raw["self_care"]["advice"], {advice.id for advice in table.self_care}, "self_care.advice"),
        *(
            Problem(FILE, f"question.{words.id}", "no text for this question")
            for words in table.words
            if words.id not in raw["question"]
        ),
    ]
    # A row's label says it in the summary too, where nothing shorter was written.
    labels = {row.id: row.label for row in table.rows if not row.last}
    plain = {name: label.replace("{", "{{").replace("}", "}}") for name, label in labels.items()}
    raw["found"] = plain | raw["found"]
    raw["studies"] = {
        study: f"{raw['actions'][action.id]['short']} {study.partition('-')[2]}".strip()
        for action in table.actions.values()
        for study in action.studies
        if action.id in raw["actions"]
    }
    wording = Wording(
        _with_limits(_flat(raw), table.thresholds),
        reasons["system"],
        tuple((reason["code"], reason["display"]) for reason in reasons["reasons"]),
        {place: tuple(claims) for place, claims in rests_on.items()},
    )
    problems += [
        Problem(FILE, f"rests_on.{stated}", "there is no such text")
        for stated in wording.rests_on
        if not any(place == stated or place.startswith(f"{stated}.") for place in wording.texts)
    ]
    if problems:
        raise KnowledgeError(problems)
    return wording


def _found(texts: Mapping[str, str], table: Table) -> list[Problem]:
    """Only a row whose label is too long for the summary needs a phrase of its own."""
    spoken = {row.id: row.label for row in table.rows if not row.last}
    lacking = [
        Problem(FILE, f"found.{name}", f"no text, and the row's label has over {_LONGEST_LABEL} characters")
        for name, label in spoken.items()
        if name not in texts and len(label) > _LONGEST_LABEL
    ]
    return lacking + _extra(texts, set(spoken), "found")


def _missing(texts: Mapping[str, object], names: set[str], place: str) -> list[Problem]:
    lacking = [Problem(FILE, f"{place}.{name}", "no text") for name in sorted(names - set(texts))]
    return lacking + _extra(texts, names, place)


def _extra(texts: Mapping[str, object], names: set[str], place: str) -> list[Problem]:
    return [
        Problem(FILE, f"{place}.{name}", "text for something the table does not have")
        for name in sorted(set(texts) - names)
    ]


def _with_limits(texts: Mapping[str, str], limits: Thresholds) -> dict[str, str]:
    """The texts with the thresholds of the table filled in; what a card fills in stays."""
    filled = {
        "persistent_days": str(limits.persistent_days),
        "persistent_time": time_in_words(limits.persistent_days),
        "eyelid_days": str(limits.eyelid_days),
        "eyelid_time": time_in_words(limits.eyelid_days),
        "child_years": str(limits.child_years),
    }
    found = dict(texts)
    for name, value in filled.items():
        found = {place: text.replace(f"{{{name}}}", value) for place, text in found.items()}
    return found


def time_in_words(days: int) -> str:
    """14 -> "two weeks", 90 -> "three months", 15 -> "15 days": only where it is exactly that many."""
    for length, unit in ((30, "month"), (7, "week")):
        count, rest = divmod(days, length)
        if not rest and 0 < count < len(_NUMBERS):
            return f"{_NUMBERS[count]} {unit}{'s' if count > 1 else ''}"
    return f"{days} day{'s' if days != 1 else ''}"


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            texts |= _flat(inner, f"{prefix}{key}.")
        else:
            texts[f"{prefix}{key}"] = inner
    return texts
