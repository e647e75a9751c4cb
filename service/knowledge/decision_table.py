"""decision_table.yaml as a checked `Table`. All problems of the file are reported at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from marshmallow import ValidationError

from fhir_mappings.terminology import Terminology
from schemas.knowledge_table import TableSchema
from service.decision.facts import FEATURES
from service.decision.table import (
    ADVICE,
    ASK,
    EXAMINED,
    LEVELS,
    REPORTED,
    REVIEW,
    TRUE,
    Action,
    ActionRole,
    Advice,
    All,
    Answer,
    AnyOf,
    AskedFinding,
    Condition,
    Disorder,
    Example,
    Leaf,
    Not,
    Removal,
    Row,
    RowAction,
    RowRole,
    Support,
    Table,
    Thresholds,
    WordsQuestion,
    predicate,
    terms,
    variables,
)
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

FILE = "decision_table.yaml"
Role = TypeVar("Role", bound=StrEnum)
_EXAMPLE_WORDS = frozenset(
    {"onset_days_ago", "sites", "courses", "drugs", "results", "result_days_ago", "age_years"}
)


def load_table(directory: Path, terminology: Terminology) -> Table:
    """The table of that folder.

    Raises KnowledgeError naming file, row and reason.
    """
    content = load_yaml(directory / FILE)
    try:
        raw = cast(dict[str, Any], TableSchema().load(cast(Any, content)))
    except ValidationError as error:
        raise KnowledgeError(list(_structural(error.normalized_messages(), content))) from None
    reader = _Reader(raw, terminology)
    table = reader.table()
    if reader.problems:
        raise KnowledgeError(reader.problems)
    return table


def _structural(messages: object, content: object, place: str = "") -> Iterator[Problem]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            part = content
            name = str(key)
            if isinstance(content, list) and isinstance(key, int) and key < len(content):
                part = content[key]
                # A clinician looks for the row's name, not for its number.
                name = str(part.get("id", key)) if isinstance(part, dict) else name
            elif isinstance(content, dict):
                part = content.get(key)
            yield from _structural(inner, part, f"{place}.{name}".strip("."))
    elif isinstance(messages, list):
        for message in messages:
            if isinstance(message, Mapping):
                yield from _structural(message, content, place)
            else:
                yield Problem(FILE, place, str(message))


class _Reader:
    """Turns the validated mapping into a Table and collects what is wrong on the way."""

    def __init__(self, raw: dict[str, Any], terminology: Terminology) -> None:
        self.raw = raw
        self.terminology = terminology
        self.problems: list[Problem] = []
        self.when = {row["id"]: row["when"] for row in raw["rows"]}

    def problem(self, place: str, reason: str) -> None:
        self.problems.append(Problem(FILE, place, reason))

    @cached_property
    def features(self) -> frozenset[str]:
        return FEATURES | {f"{analyte}-abnormal" for analyte in self.raw["electrolytes"]}

    def known_finding(self, name: str, place: str) -> None:
        if name not in self.terminology.findings:
            self.problem(place, f"no finding {name!r} in findings/")

    def condition(self, value: Any, place: str, inlined: tuple[str, ...] = ()) -> Condition:
        if isinstance(value, dict):
            ((word, part),) = value.items()
            if word == "not":
                return Not(self.condition(part, place, inlined))
            parts = tuple(self.condition(inner, place, inlined) for inner in part)
            return All(parts) if word == "all" else AnyOf(parts)
        return self.leaf(value, place, inlined)

    def leaf(self, text: str, place: str, inlined: tuple[str, ...]) -> Condition:
        match text.split():
            case ["row", name] if name in self.when and name not in inlined:
                return self.condition(self.when[name], place, (*inlined, name))
            case ["drug", name] if name in self.terminology.medications.class_labels:
                return Leaf(f"drug {name}", frozenset({"yes", "possible"}))
            case ["current", name] if name in self.terminology.medications.class_labels:
                return Leaf(f"current {name}", frozenset({TRUE}))
            case [name] if name in self.features:
                return Leaf(name, frozenset({TRUE}))
            case [name] if name in self.terminology.findings:
                return Leaf(name, frozenset({EXAMINED, REPORTED}))
            case [name, ("examined" | "reported") as basis] if name in self.terminology.findings:
                return Leaf(name, frozenset({basis}))
        self.problem(place, f"{text!r} is no finding, feature, medication class or other row")
        return Leaf(text, frozenset({TRUE}))

    def optional(self, value: Any, place: str) -> Condition | None:
        return None if value is None else self.condition(value, place)

    def actions(self) -> dict[str, Action]:
        known = self.terminology.analytes
        found: dict[str, Action] = {}
        for raw in self.raw["actions"]:
            place = f"actions.{raw['id']}"
            if raw["id"] in found:
                self.problem(place, "an action stands twice")
            for analyte in raw["analytes"]:
                if analyte not in known:
                    self.problem(place, f"no analyte {analyte!r} in analytes/")
            found[raw["id"]] = Action(
                id=raw["id"],
                kind=raw["kind"],
                analytes=tuple(raw["analytes"]),
                studies=tuple(raw["studies"]),
                done_days=raw["done_days"],
                ordered_days=raw["ordered_days"],
                repeat_abnormal=raw["repeat_abnormal"],
                withheld_from_child=raw["child"] == "withheld",
                roles=self.roles(raw["roles"], ActionRole, place),
            )
        kinds = {action.kind for action in found.values()}
        for kind in (ASK, REVIEW, ADVICE):
            if kind not in kinds:
                self.problem("actions", f"no action of kind {kind!r}, which the cards need")
        borne = self.needed(found.values(), ActionRole, "actions")
        for role in (role for role in ActionRole if borne[role] > 1):
            self.problem("actions", f"the role {role.value!r} is on {borne[role]} actions, not on one")
        return found

    def roles(self, names: Iterable[str], known: type[Role], place: str) -> frozenset[Role]:
        found = set()
        for name in names:
            try:
                found.add(known(name))
            except ValueError:
                self.problem(place, f"{name!r} is no role: {', '.join(role.value for role in known)}")
        return frozenset(found)

    def needed(self, bearers: Iterable[Action | Row], roles: type[StrEnum], place: str) -> Counter[StrEnum]:
        """How many have each role; the cards need each of them."""
        borne: Counter[StrEnum] = Counter(role for bearer in bearers for role in bearer.roles)
        for role in roles:
            if not borne[role]:
                self.problem(place, f"none has the role {role.value!r}, which the cards need")
        return borne

    def row(self, raw: dict[str, Any], actions: Mapping[str, Action]) -> Row:
        place = f"rows.{raw['id']}"
        condition = self.condition(raw["when"], place, (raw["id"],))
        for action in raw["actions"]:
            if action["id"] not in actions:
                self.problem(place, f"no action {action['id']!r}")
        for example in raw["examples"]:
            self.example(example["given"], f"{place}.examples.{example['title']}")
        if {example["holds"] for example in raw["examples"]} != {True, False}:
            self.problem(place, "needs an example that holds and one that does not")
        return Row(
            id=raw["id"],
            label=raw["label"],
            level=raw["level"],
            actions=tuple(self.row_action(action, place) for action in raw["actions"]),
            support=tuple(Support(tuple(s["ids"]), s["reading"], s["note"]) for s in raw["rests_on"]),
            examples=tuple(Example(e["title"], e["given"], e["holds"]) for e in raw["examples"]),
            when=condition,
            holds=predicate(condition),
            terms=terms(condition),
            last=raw["reads"] == "last",
            downgraded_when_tests_done=raw["downgraded_when_tests_done"],
            roles=self.roles(raw["roles"], RowRole, place),
            drug_classes=frozenset(
                name.removeprefix("drug ") for name in variables(condition) if name.startswith("drug ")
            ),
        )

    def row_action(self, raw: Mapping[str, Any], place: str) -> RowAction:
        when = self.optional(raw["when"], place)
        return RowAction(
            raw["id"],
            urgent=raw["urgency"] == "urgent",
            paediatric=raw["paediatric"],
            condition=predicate(when) if when else None,
            when=when,
        )

    def example(self, given: Mapping[str, Any], place: str) -> None:
        for name in given:
            if name not in _EXAMPLE_WORDS and name not in self.terminology.findings:
                self.problem(place, f"{name!r} is neither a finding nor a word of the examples")

    def rows(self, actions: Mapping[str, Action]) -> tuple[Row, ...]:
        rows = tuple(self.row(raw, actions) for raw in self.raw["rows"])
        ids = [row.id for row in rows]
        for row_id in sorted({row_id for row_id in ids if ids.count(row_id) > 1}):
            self.problem(f"rows.{row_id}", "a row stands twice")
        for row_id in ids:
            if row_id in self.features:
                self.problem(f"rows.{row_id}", "is the name of a computed feature: name the row otherwise")
        self.needed(rows, RowRole, "rows")
        if any(row.level not in LEVELS for row in rows):
            self.problem("rows", "unknown level")
        return rows

    def self_care(self) -> tuple[Advice, ...]:
        advice = []
        for raw in self.raw["self_care"]:
            place = f"self_care.{raw['id']}"
            trigger = None if raw["trigger"] == "none" else raw["trigger"]
            if trigger:
                self.known_finding(trigger, place)
            unless = self.optional(raw["unless"], place)
            advice.append(Advice(raw["id"], trigger, predicate(unless) if unless else None, unless))
        return tuple(advice)

    def words(self) -> tuple[WordsQuestion, ...]:
        questions = []
        for raw in self.raw["asked_in_words"]:
            for answer in raw["answers"]:
                for name in answer["sets"]:
                    if name not in self.features:
                        self.problem(f"asked_in_words.{raw['id']}", f"no feature {name!r}")
            answers = tuple(
                Answer(a["says"], {name: "true" if value else "false" for name, value in a["sets"].items()})
                for a in raw["answers"]
            )
            questions.append(WordsQuestion(raw["id"], answers))
        return tuple(questions)

    def table(self) -> Table:
        for place in ("signs", "benign_signs", "named", "closes_gate"):
            for name in self.raw[place]:
                self.known_finding(name, place)
        for place in ("electrolytes", "b12_analytes", "thyroid_analytes", "shown_results"):
            for analyte in self.raw[place]:
                if analyte not in self.terminology.analytes:
                    self.problem(place, f"no analyte {analyte!r} in analytes/")
        actions = self.actions()
        findings = self.terminology.findings.values()
        return Table(
            thresholds=Thresholds(**self.raw["thresholds"]),
            electrolytes=tuple(self.raw["electrolytes"]),
            b12_analytes=tuple(self.raw["b12_analytes"]),
            thyroid_analytes=tuple(self.raw["thyroid_analytes"]),
            signs=tuple(self.raw["signs"]),
            benign_signs=tuple(self.raw["benign_signs"]),
            actions=actions,
            rows=self.rows(actions),
            removals=tuple(
                Removal(raw["id"], raw["says"], tuple(raw["claims"])) for raw in self.raw["removals"]
            ),
            self_care=self.self_care(),
            named=tuple(self.raw["named"]),
            closes_gate=tuple(self.raw["closes_gate"]),
            shown_results=tuple(self.raw["shown_results"]),
            words=self.words(),
            asked=tuple(
                AskedFinding(f.id, EXAMINED if f.category == "exam" else REPORTED)
                for f in findings
                if f.category is not None
            ),
            disorders=tuple(
                Disorder(f.id, f.analyte, f.low)
                for f in findings
                if f.any_electrolyte or f.analyte in self.raw["electrolytes"]
            ),
            counts_as={a.id: a.counts_as for a in self.terminology.analytes.values()},
            diagnoses=tuple(f.id for f in findings if f.kind == "diagnosis"),
        )
