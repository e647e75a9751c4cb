"""wording.yaml: every text of the cards by its dotted place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.knowledge_wording import WordingSchema
from service.decision.table import ActionRole, Table, Thresholds
from service.knowledge.loading import Directory, KnowledgeError, Problem, load_file

FILE = "wording.yaml"
# A row is called by its label where `found` has no text; a longer label is no phrase.
_MAX_LABEL_CHARACTERS = 60
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
# Members that are no texts.
_VALUES = (
    "next_steps",
    "dangers",
    "explains",
    "emergencies",
    "months",
    "units",
    "old_result_days",
    "own_words",
    "synonyms_of",
    "eponyms",
    "medicine_names",
)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do about a result of those analytes in that state.

    beside: other analytes, one of them in beside_state. together: in one line with that one. fact: only where
    that is true, and none of the findings of unless is present.
    """

    analytes: frozenset[str]
    state: str
    says: str
    beside: tuple[str, ...] = ()
    beside_state: str = ""
    together: bool = False
    fact: str | None = None
    unless: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Explains:
    """Medication classes that move those analytes to that state, low or high."""

    analytes: frozenset[str]
    state: str
    classes: frozenset[str]
    raises_potassium: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """When to come back; unless: the facts or findings that make it true already.

    follows: its words right behind "it is not gone".
    """

    says: str
    unless: frozenset[str]
    follows: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """texts: dotted place -> text. override_reasons: (code, display) of each.

    rests_on: a place, or the beginning of several -> the claims and anchors that support them.
    next_steps: the first that fits counts. dangers: of critical results and of others, the most dangerous
    analyte first. explains: which medicines can explain a result. emergencies: (fact, its words) each.
    units: as written -> as people write them.
    explains_signs, explains_if_examined: findings beside which no disease is named to be excluded.
    old_result_days: an older critical value is repeated first. own_words: findings whose label covers several
    diseases: the record's words name the one; synonyms_of: those whose label follows a synonym.
    eponyms: first words of diseases that keep their capital.
    medicine_names: an ingredient -> its British name.
    """

    texts: Mapping[str, str]
    override_system: str
    override_reasons: tuple[tuple[str, str], ...]
    rests_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    next_steps: tuple[NextStep, ...] = ()
    months: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    explains_signs: frozenset[str] = frozenset()
    explains_if_examined: frozenset[str] = frozenset()
    come_back: tuple[Clause, ...] = ()
    old_result_days: int = 0
    dangers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    explains: tuple[Explains, ...] = ()
    emergencies: tuple[tuple[str, str], ...] = ()
    own_words: frozenset[str] = frozenset()
    synonyms_of: frozenset[str] = frozenset()
    eponyms: frozenset[str] = frozenset()
    medicine_names: Mapping[str, str] = field(default_factory=dict)

    def say(self, place: str, **names: object) -> str:
        """The text of a place with its names filled in. Raises KeyError if there is none."""
        text = self.texts[place]
        return text.format_map(names) if names else text

    def maybe(self, place: str, **names: object) -> str:
        """The same; "" if there is none."""
        text = self.texts.get(place, "")
        return text.format_map(names) if names else text

    def first(self, places: Iterable[str], **names: object) -> str:
        """The text of the first of the places that has one; "" if none has."""
        for place in places:
            if place in self.texts:
                return self.texts[place].format_map(names) if names else self.texts[place]
        return ""

    def claims(self, place: str) -> tuple[str, ...]:
        """The claims and anchors that support the text of a place."""
        return tuple(
            claim
            for stated, claims in self.rests_on.items()
            if place == stated or place.startswith(f"{stated}.")
            for claim in claims
        )


def load_wording(directory: Directory, table: Table) -> Wording:
    """Load wording.yaml and check it against the table. Raises KnowledgeError with every problem."""
    content = load_file(directory, FILE, WordingSchema())
    problems = list(_problems(content, table))
    wording = wording_of(content, table)
    problems += [
        Problem(FILE, f"rests_on.{stated}", "there is no such text")
        for stated in wording.rests_on
        if not any(place == stated or place.startswith(f"{stated}.") for place in wording.texts)
    ]
    if problems:
        raise KnowledgeError(problems)
    return wording


def wording_of(content: dict[str, Any], table: Table) -> Wording:
    """The loaded content as a Wording; its texts with the thresholds of the table filled in."""
    content = dict(content)
    rests_on = content.pop("rests_on")
    reasons = content.pop("override_reasons")
    values = {name: content.pop(name) for name in _VALUES}
    excluded = dict(content["exclude_disease"])
    unless, unless_examined = excluded.pop("unless"), excluded.pop("unless_examined")
    come_back = dict(content["come_back"])
    clauses = come_back.pop("clauses")
    content |= {"exclude_disease": excluded, "come_back": come_back}
    # A "{" in a label is no placeholder.
    labels = {
        row.id: row.label.replace("{", "{{").replace("}", "}}") for row in table.all_rows if not row.last
    }
    content["found"] = labels | content["found"]
    content["studies"] = {
        study: f"{content['actions'][action.id]['short']} {study.partition('-')[2]}".strip()
        for action in table.actions.values()
        for study in (action.studies if action.is_test else ())
        if action.id in content["actions"]
    }
    # As texts too: the pages show each text that rests on a claim.
    content["emergencies"] = {entry["because"]: entry["says"] for entry in values["emergencies"]}
    content["next_steps"] = {str(place): step["says"] for place, step in enumerate(values["next_steps"])}
    return Wording(
        _with_limits(_flat(content), table.thresholds),
        reasons["system"],
        tuple((reason["code"], reason["display"]) for reason in reasons["reasons"]),
        {place: tuple(claims) for place, claims in rests_on.items()},
        tuple(
            NextStep(
                frozenset(step["analytes"]),
                step["state"],
                step["says"],
                tuple(step["beside"]),
                step["beside_state"],
                step["together"],
                step["fact"],
                frozenset(step["unless"]),
            )
            for step in values["next_steps"]
        ),
        tuple(values["months"]),
        values["units"],
        frozenset(unless),
        frozenset(unless_examined),
        tuple(Clause(clause["says"], frozenset(clause["unless"]), clause["follows"]) for clause in clauses),
        values["old_result_days"],
        {state: tuple(analytes) for state, analytes in values["dangers"].items()},
        tuple(
            Explains(
                frozenset(entry["analytes"]),
                entry["state"],
                frozenset(entry["classes"]),
                entry["raises_potassium"],
            )
            for entry in values["explains"]
        ),
        tuple((entry["because"], entry["says"]) for entry in values["emergencies"]),
        frozenset(values["own_words"]),
        frozenset(values["synonyms_of"]),
        frozenset(values["eponyms"]),
        values["medicine_names"],
    )


def _problems(content: Mapping[str, Any], table: Table) -> Iterator[Problem]:
    """Texts that the cards need and the file lacks, and texts that the table has no use for."""
    found, actions, advice = content["found"], content["actions"], content["self_care"]["advice"]
    labels = {row.id: row.label for row in table.all_rows if not row.last}
    for name, label in labels.items():
        if name not in found and len(label) > _MAX_LABEL_CHARACTERS:
            reason = f"no text, and the row's label has over {_MAX_LABEL_CHARACTERS} characters"
            yield Problem(FILE, f"found.{name}", reason)
    yield from _unused(found, set(labels), "found")
    yield from _unused(content["effects"], {row.id for row in table.all_rows if row.drug_classes}, "effects")
    yield from _missing(actions, set(table.actions), "actions")
    for action in table.actions.values():
        if action.order is not None and "order" not in actions.get(action.id, ("order",)):
            yield Problem(FILE, f"actions.{action.id}.order", "no text for the suggestion that orders it")
    if not any(ActionRole.MISSING_BLOOD_TESTS in action.roles for action in table.actions.values()):
        yield Problem(FILE, "actions", f"no action has the role {ActionRole.MISSING_BLOOD_TESTS}")
    known = frozenset().union(*(row.reads for row in table.all_rows))
    for place, step in enumerate(content["next_steps"]):
        for fact in filter(None, (step["fact"], *step["unless"])):
            if fact not in known:
                yield Problem(FILE, f"next_steps.{place}", f"no row reads {fact}")
    for place, entry in enumerate(content["emergencies"]):
        if entry["because"] not in known:
            yield Problem(FILE, f"emergencies.{place}.because", "no row reads such a fact")
    yield from _missing(advice, {entry.id for entry in table.self_care}, "self_care.advice")
    for question in table.questions:
        if question.answers and question.id not in content["ask"]:
            yield Problem(FILE, f"ask.{question.id}", "no text for this question")


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
