"""decision_table.yaml as a checked `Table`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from fhir_mappings.terminology import Terminology
from schemas.knowledge_table import TableSchema
from service.decision.facts import FEATURES
from service.decision.table import (
    ADVICE,
    ASK,
    EXAMINED,
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
from service.knowledge.loading import KnowledgeError, Problem, load_file

FILE = "decision_table.yaml"
Role = TypeVar("Role", bound=StrEnum)
_EXAMPLE_WORDS = frozenset(
    {"onset_days_ago", "sites", "courses", "drugs", "results", "result_days_ago", "age_years"}
)


def load_table(directory: Path, terminology: Terminology) -> Table:
    """Load the table and check it against the terminology. Raises KnowledgeError with every problem."""
    reader = _TableReader(load_file(directory, FILE, TableSchema()), terminology)
    table = reader.table()
    if reader.problems:
        raise KnowledgeError(reader.problems)
    return table


class _TableReader:
    """Makes a Table of the content of the file and collects the problems."""

    def __init__(self, raw: dict[str, Any], terminology: Terminology) -> None:
        self.raw = raw
        self.terminology = terminology
        self.problems: list[Problem] = []
        self.when = {row["id"]: row["when"] for row in raw["rows"]}
        self.features = FEATURES | {f"{analyte}-abnormal" for analyte in raw["electrolytes"]}

    def problem(self, place: str, reason: str) -> None:
        self.problems.append(Problem(FILE, place, reason))

    def check_finding(self, name: str, place: str) -> None:
        if name not in self.terminology.findings:
            self.problem(place, f"no finding {name!r} in findings/")

    def check_analyte(self, name: str, place: str) -> None:
        if name not in self.terminology.analytes:
            self.problem(place, f"no analyte {name!r} in analytes/")

    def condition(self, value: Any, place: str, inlined: tuple[str, ...] = ()) -> Condition:
        """The condition, with `row x` replaced by the condition of x. inlined: the rows that it is inside."""
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
        actions: dict[str, Action] = {}
        for raw in self.raw["actions"]:
            place = f"actions.{raw['id']}"
            if raw["id"] in actions:
                self.problem(place, "an action stands twice")
            for analyte in raw["analytes"]:
                self.check_analyte(analyte, place)
            actions[raw["id"]] = Action(
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
        kinds = {action.kind for action in actions.values()}
        for kind in (ASK, REVIEW, ADVICE):
            if kind not in kinds:
                self.problem("actions", f"no action of kind {kind!r}, which the cards need")
        counts = self.count_roles(actions.values(), ActionRole, "actions")
        for role in (role for role in ActionRole if counts[role] > 1):
            self.problem("actions", f"the role {role.value!r} is on {counts[role]} actions, not on one")
        return actions

    def roles(self, names: Iterable[str], known: type[Role], place: str) -> frozenset[Role]:
        values = {role.value for role in known}
        for name in sorted(set(names) - values):
            self.problem(place, f"{name!r} is no role: {', '.join(role.value for role in known)}")
        return frozenset(known(name) for name in names if name in values)

    def count_roles(
        self, parts: Iterable[Action | Row], roles: type[StrEnum], place: str
    ) -> Counter[StrEnum]:
        """How many actions or rows have each role. The cards need every role."""
        counts: Counter[StrEnum] = Counter(role for part in parts for role in part.roles)
        for role in roles:
            if not counts[role]:
                self.problem(place, f"none has the role {role.value!r}, which the cards need")
        return counts

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
        for row_id, count in Counter(row.id for row in rows).items():
            if count > 1:
                self.problem(f"rows.{row_id}", "a row stands twice")
            if row_id in self.features:
                self.problem(f"rows.{row_id}", "is the name of a computed feature: name the row otherwise")
        self.count_roles(rows, RowRole, "rows")
        return rows

    def self_care(self) -> tuple[Advice, ...]:
        advice = []
        for raw in self.raw["self_care"]:
            place = f"self_care.{raw['id']}"
            trigger = None if raw["trigger"] == "none" else raw["trigger"]
            if trigger:
                self.check_finding(trigger, place)
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
                self.check_finding(name, place)
        for place in ("electrolytes", "b12_analytes", "thyroid_analytes", "shown_results"):
            for analyte in self.raw[place]:
                self.check_analyte(analyte, place)
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
