"""decision_table.yaml as a checked `Table`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from fhir_mappings.terminology import Terminology
from schemas.knowledge_table import TableSchema
from service.decision.facts import FEATURES, LAST_FEATURES
from service.decision.table import (
    ABSENT,
    ABSENT_NOT_EXAMINED,
    EXAMINED,
    REPORTED,
    Action,
    ActionRole,
    Advice,
    Answer,
    AnyOf,
    AskedFinding,
    AskedQuestion,
    CriticalBeside,
    Disorder,
    Example,
    Facts,
    Removal,
    ResultFact,
    Row,
    RowAction,
    RowRole,
    Support,
    Table,
    Thresholds,
    predicate,
    terms,
    variables,
)
from service.knowledge.conditions import FILE, ConditionReader
from service.knowledge.loading import Directory, KnowledgeError, load_file

Role = TypeVar("Role", bound=StrEnum)
_EXAMPLE_WORDS = frozenset(
    {
        "onset_days_ago",
        "recorded_days_ago",
        "sites",
        "courses",
        "drugs",
        "current",
        "stopped_days_before_onset",
        "results",
        "result_days_ago",
        "age_years",
        "facts",
    }
)
_NEVER = AnyOf(())
_LISTS_OF_FINDINGS = (
    "signs",
    "benign_signs",
    "history_signs",
    "benign_ignores",
    "triggers",
    "named",
    "closes_gate",
)


def load_table(directory: Directory, terminology: Terminology) -> Table:
    """Load the table and check it against the terminology. Raises KnowledgeError with every problem."""
    reader = _TableReader(load_file(directory, FILE, TableSchema()), terminology)
    table = reader.table()
    if reader.problems:
        raise KnowledgeError(reader.problems)
    return table


class _TableReader(ConditionReader):
    """Makes a Table of the content of the file and collects the problems."""

    def __init__(self, raw: dict[str, Any], terminology: Terminology) -> None:
        super().__init__(raw, terminology)

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
                order=raw["order"],
                analytes=tuple(raw["analytes"]),
                studies=tuple(raw["studies"]),
                done_days=raw["done_days"],
                ordered_days=raw["ordered_days"],
                repeat_abnormal=raw["repeat_abnormal"],
                withheld_from_child=raw["child"] == "withheld",
                withheld_beside_now=raw["beside_now"] == "withheld",
                withheld_beside_urgent=raw["beside_urgent"] == "withheld",
                can_be_ordered=raw["can_be_ordered"],
                roles=self.roles(raw["roles"], ActionRole, place),
            )
            if (raw["kind"] == "order") is not (raw["order"] is not None or not raw["can_be_ordered"]):
                self.problem(place, "an order says what is ordered, and nothing else does")
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
            terms=terms(condition),
            last=raw["reads"] == "last",
            asks_nothing=self.asks_nothing(raw["asks_nothing"], place),
            supports_studies=raw["supports_studies"],
            beside_benign=raw["beside_benign"],
            roles=self.roles(raw["roles"], RowRole, place),
            drug_classes=frozenset(
                name.partition(" ")[2]
                for name in variables(condition)
                if name.startswith(("drug ", "current ", "stopped "))
            ),
        )

    def asks_nothing(self, value: Any, place: str) -> Callable[[Facts], bool]:
        if value in (None, True):
            return lambda facts: value is True
        return predicate(self.condition(value, f"{place}.asks_nothing"))

    def row_action(self, raw: Mapping[str, Any], place: str) -> RowAction:
        when = self.optional(raw["when"], place)
        return RowAction(
            raw["id"],
            urgency=raw["urgency"],
            paediatric=raw["paediatric"],
            weeks=raw["weeks"],
            consider=raw["consider"],
            findings=tuple(raw["findings"]),
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
        for name in sorted(self.off - self.when.keys()):
            self.problem("rows_off", f"no row {name!r}")
        self.count_roles((row for row in rows if row.id not in self.off), RowRole, "rows")
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

    def questions(self) -> tuple[AskedQuestion, ...]:
        questions = []
        for raw in self.raw["questions"]:
            place = f"questions.{raw['id']}"
            if bool(raw["findings"]) is bool(raw["answers"]):
                self.problem(place, "asks about findings, or has answers in words")
            for name in raw["findings"]:
                definition = self.terminology.findings.get(name)
                if definition is None or definition.category is None:
                    self.problem(place, f"{name!r} is no finding that an answer can record")
            for name in {name for answer in raw["answers"] for name in answer["sets"]} - self.features:
                self.problem(place, f"no feature {name!r}")
            never = raw["on_card"] == "never"
            when = _NEVER if never else self.optional(raw["on_card"], place)
            questions.append(
                AskedQuestion(
                    id=raw["id"],
                    order=raw["order"],
                    findings=tuple(raw["findings"]),
                    answers=tuple(
                        Answer(a["says"], {name: str(value).lower() for name, value in a["sets"].items()})
                        for a in raw["answers"]
                    ),
                    on_card=predicate(when) if when is not None else lambda facts: True,
                    on_card_when=when,
                    on_critical_card=raw["on_critical_card"],
                    in_range=raw["in_range"],
                    always_beside_now=raw["always_beside_now"],
                )
            )
        return tuple(questions)

    def result_facts(self) -> dict[str, tuple[ResultFact, ...]]:
        facts = {}
        for name, parts in self.raw["result_facts"].items():
            place = f"result_facts.{name}"
            alternatives = []
            for raw in parts:
                for analyte in (*raw["analytes"], *raw["other_than"]):
                    self.check_analyte(analyte, place)
                if bool(raw["analytes"]) is bool(raw["other_than"]):
                    self.problem(place, "names analytes, or all except some")
                if (raw["state"] is None) is (raw["below"] is None):
                    self.problem(place, "names a state, or a value that it is below")
                analytes = raw["analytes"] or self.terminology.analytes.keys() - set(raw["other_than"])
                below = None if raw["below"] is None else Decimal(raw["below"])
                alternatives.append(
                    ResultFact(
                        frozenset(analytes), raw["state"], raw["from_days"], raw["at_most_days"], below
                    )
                )
            facts[name] = tuple(alternatives)
        return facts

    def check_ask(self, rows: Iterable[Row], actions: Mapping[str, Action]) -> None:
        """An action that asks for an examination says of what; only last rows read the level."""
        for row in rows:
            place = f"rows.{row.id}"
            for asked in row.actions:
                action = actions.get(asked.id)
                if action is None:
                    continue
                if (ActionRole.EXAMINATION in action.roles) is not bool(asked.findings):
                    self.problem(place, f"{asked.id}: name the findings to examine, and only there")
                for name in asked.findings:
                    self.check_finding(name, place)
            if not row.last and variables(row.when) & LAST_FEATURES:
                self.problem(place, "reads what is known only after the rows: say reads: last")
            urgent = any(asked.urgency != "routine" for asked in row.actions)
            if urgent is not (row.level == "critical"):
                self.problem(place, "is critical exactly where an action is urgent or for today")

    def table(self) -> Table:
        for place in _LISTS_OF_FINDINGS:
            for name in self.raw[place]:
                self.check_finding(name, place)
        for place in ("electrolytes", "long_analytes", "shown_results", "critical_beside"):
            for analyte in self.raw[place]:
                self.check_analyte(analyte, place)
        for name in self.raw["electrolytes_with_drafts_of"]:
            if name not in self.terminology.medications.class_labels:
                self.problem("electrolytes_with_drafts_of", f"{name}: no such class of medicines")
        for name in self.definitions.keys() & (FEATURES | self.terminology.findings.keys()):
            if name not in FEATURES:
                self.problem(f"definitions.{name}", "is the name of a finding")
        actions = self.actions()
        rows = self.rows(actions)
        self.check_ask(rows, actions)
        findings = self.terminology.findings.values()
        return Table(
            thresholds=Thresholds(**self.raw["thresholds"]),
            electrolytes=tuple(self.raw["electrolytes"]),
            long_analytes=frozenset(self.raw["long_analytes"]),
            signs=tuple(self.raw["signs"]),
            benign_signs=tuple(self.raw["benign_signs"]),
            benign_ignores=frozenset(self.raw["benign_ignores"]),
            history_signs=tuple(self.raw["history_signs"]),
            electrolytes_with_drafts_of=frozenset(self.raw["electrolytes_with_drafts_of"]),
            critical_beside={
                analyte: CriticalBeside(Decimal(raw["low"]), tuple(raw["findings"]))
                for analyte, raw in self.raw["critical_beside"].items()
            },
            actions=actions,
            rows=tuple(row for row in rows if row.id not in self.off),
            rows_off=tuple(row for row in rows if row.id in self.off),
            removals=tuple(
                Removal(raw["id"], raw["says"], tuple(raw["claims"])) for raw in self.raw["removals"]
            ),
            self_care=self.self_care(),
            named=tuple(self.raw["named"]),
            closes_gate=tuple(self.raw["closes_gate"]),
            shown_results=tuple(self.raw["shown_results"]),
            result_facts=self.result_facts(),
            questions=self.questions(),
            asked={
                f.id: AskedFinding(
                    f.id,
                    EXAMINED if f.category == "exam" else REPORTED,
                    ABSENT if f.category == "exam" else ABSENT_NOT_EXAMINED,
                )
                for f in findings
                if f.category is not None
            },
            disorders=tuple(
                Disorder(f.id, f.analyte, f.low)
                for f in findings
                if f.any_electrolyte or f.analyte in self.raw["electrolytes"]
            ),
            counts_as={a.id: a.counts_as for a in self.terminology.analytes.values()},
            triggers=frozenset(self.raw["triggers"]),
            acute=frozenset(f.id for f in findings if f.acute),
        )
