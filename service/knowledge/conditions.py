"""Conditions of decision_table.yaml as values: names are checked, definitions and other rows put in."""

from __future__ import annotations

from typing import Any

from fhir_mappings.terminology import Terminology
from service.decision.facts import FEATURES
from service.decision.table import (
    ABSENT,
    EXAMINED,
    LISTED,
    PRESENT,
    REPORTED,
    TRUE,
    All,
    AnyOf,
    Condition,
    Leaf,
    Not,
)
from service.knowledge.loading import Problem

FILE = "decision_table.yaml"
# How a leaf names the basis of a finding.
_BASES = {
    "examined": frozenset({EXAMINED, LISTED}),
    "reported": frozenset({REPORTED}),
    "settled": frozenset({EXAMINED, ABSENT}),
    "absent": frozenset({ABSENT}),
}
# How a medicine is named in a condition, and the facts that make the leaf true.
_DRUGS = {
    "drug": frozenset({"yes", "possible"}),
    "current": frozenset({TRUE}),
    "stopped": frozenset({TRUE}),
}


class ConditionReader:
    """Reads the conditions of one file and collects its problems."""

    def __init__(self, raw: dict[str, Any], terminology: Terminology) -> None:
        self.raw = raw
        self.terminology = terminology
        self.problems: list[Problem] = []
        self.when = {row["id"]: row["when"] for row in raw["rows"]}
        self.definitions = raw["definitions"]
        self.off = frozenset(raw["rows_off"])
        self.features = FEATURES | raw["result_facts"].keys()

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
                if name in self.off and place.split(".")[1] not in self.off:
                    self.problem(place, f"reads the row {name!r}, which rows_off switches off")
                return self.condition(self.when[name], place, (*inlined, name))
            case [("drug" | "current" | "stopped") as word, name] if (
                name in self.terminology.medications.class_labels
            ):
                return Leaf(text, _DRUGS[word])
            case [name] if name in self.definitions and f"definition {name}" not in inlined:
                return self.condition(self.definitions[name], place, (*inlined, f"definition {name}"))
            case [name] if name in self.features:
                return Leaf(name, frozenset({TRUE}))
            case [name] if name in self.terminology.findings:
                return Leaf(name, PRESENT)
            case [name, basis] if basis in _BASES and name in self.terminology.findings:
                return Leaf(name, _BASES[basis])
        self.problem(place, f"{text!r} is no finding, feature, medication class or other row")
        return Leaf(text, frozenset({TRUE}))

    def optional(self, value: Any, place: str) -> Condition | None:
        return None if value is None else self.condition(value, place)
