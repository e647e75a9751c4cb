"""Conditions, actions and examples of the table in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_mappings.terminology import Terminology
from service.decision.table import (
    ABSENT,
    CALM,
    EXAMINED,
    LISTED,
    REPORTED,
    ROUTINE,
    TRUE,
    Action,
    ActionRole,
    All,
    AnyOf,
    Condition,
    Example,
    Leaf,
    Not,
    Row,
    RowAction,
    Table,
)
from service.knowledge.page_wording import PageWording, joined
from service.knowledge.wording import Wording

# The phrase of a leaf by its values, and of its negation where that has one of its own.
_BASES = {
    frozenset({EXAMINED, LISTED}): ("examined", "absent"),
    frozenset({REPORTED}): ("reported", "absent"),
    frozenset({EXAMINED, ABSENT}): ("settled", "unsettled"),
    frozenset({ABSENT}): ("examined_absent", "not_known_absent"),
}
# Kinds of findings that an examination does not make firmer.
_RECORDED_KINDS = frozenset({"diagnosis", "family"})
# Phrases that name several findings at once where all of them are required.
_PHRASES_OF_ALL = frozenset({"examined", "reported", "settled", "examined_absent", "present", "diagnosis"})
_IN_BRACKETS = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Rule:
    """A clause (no parts), or parts of which all or any must hold."""

    says: str
    kind: str = "clause"
    parts: tuple[Rule, ...] = ()

    def outline(self) -> dict[str, Any]:
        """The rule as nested mappings of `says` and `parts`."""
        if not self.parts:
            return {"says": self.says}
        return {"says": self.says, "parts": [part.outline() for part in self.parts]}

    def sentence(self) -> str:
        """The rule as a sentence without a full stop: "A, and either B or C"."""
        if self.kind == "all":
            return ", and ".join(part.inside() for part in self.parts)
        if self.kind == "any":
            return ", or ".join(part.inside() for part in self.parts)
        return self.says

    def inside(self) -> str:
        """The sentence as a part of another, with brackets where they are needed."""
        if self.kind == "clause":
            return self.says
        inner = [part.inside() for part in self.parts]
        word = " and " if self.kind == "all" else " or "
        # A part that contains the same word would run into its neighbour.
        if len(inner) > 2 or any(word in _IN_BRACKETS.sub("", part) for part in inner):
            return f"{self.says} ({'; '.join(inner)})"
        first, second = inner
        return f"both {first} and {second}" if self.kind == "all" else f"either {first} or {second}"


class Rules:
    """The conditions of a table in plain words."""

    def __init__(self, pages: PageWording, terminology: Terminology) -> None:
        self.pages = pages
        self.terminology = terminology

    def rule(self, condition: Condition, *, holds: bool = True) -> Rule:
        """The condition as a rule; with holds=False, its negation."""
        match condition:
            case Leaf():
                kind, name = self._phrase(condition, holds)
                return Rule(self._clause(kind, [name], "or"))
            case Not(part):
                return self.rule(part, holds=not holds)
            case All(parts) | AnyOf(parts):
                together = isinstance(condition, All) is holds
                rules = tuple(self._parts(parts, holds, together))
                if len(rules) == 1:
                    return rules[0]
                kind = "all" if together else "any"
                return Rule(self.pages.phrases["all_of" if together else "one_of"], kind, rules)

    def label(self, variable: str) -> str:
        """The label of a variable of the table."""
        word, _, name = variable.partition(" ")
        if word in ("drug", "current", "stopped"):
            return self.terminology.medications.class_labels[name]
        if variable in self.pages.features:
            return self.pages.features[variable].holds
        return self.terminology.findings[variable].label

    def _parts(self, parts: tuple[Condition, ...], holds: bool, together: bool) -> Iterator[Rule]:
        """The parts in their order; leaves with the same phrase are joined at the first of them."""
        names: dict[str, list[str]] = {}
        order: list[str | Rule] = []
        for part in parts:
            leaf, positive = _leaf(part, holds)
            kind, name = self._phrase(leaf, positive) if leaf else ("", "")
            joins = (
                kind in _PHRASES_OF_ALL | {"absent"} if together else kind not in ("", "feature", "absent")
            )
            if not joins:
                order.append(self.rule(part, holds=holds))
                continue
            if kind not in names:
                order.append(kind)
            names.setdefault(kind, []).append(name)
        for item in order:
            if isinstance(item, Rule):
                yield item
            else:
                yield Rule(self._clause(item, names[item], "and" if together else "or"))

    def _phrase(self, leaf: Leaf, holds: bool) -> tuple[str, str]:
        """The phrase for the leaf, and the name to fill in."""
        word, _, name = leaf.variable.partition(" ")
        if leaf.variable in self.pages.features:
            feature = self.pages.features[leaf.variable]
            return "feature", feature.holds if holds else feature.fails
        label = self.label(leaf.variable)
        if name:
            return (word, label) if holds else ("absent", label)
        if leaf.values in _BASES:
            return _BASES[leaf.values][not holds], label
        if not holds:
            return "absent", label
        kind = self.terminology.findings[leaf.variable].kind
        return "diagnosis" if kind in _RECORDED_KINDS else "present", label

    def _clause(self, kind: str, names: list[str], last: str) -> str:
        if kind == "feature":
            return names[0]
        if kind == "absent" and len(names) > 1:
            return self.pages.phrases["none_of"].format(names=joined(names, "or"))
        return self.pages.phrases[kind].format(names=joined(names, last))


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every leaf of a condition, in the order of the text."""
    match condition:
        case Leaf():
            yield condition
        case Not(part):
            yield from leaves(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)


def _leaf(condition: Condition, holds: bool) -> tuple[Leaf | None, bool]:
    """The leaf inside any number of "not" (None: no leaf), and whether it must hold."""
    while isinstance(condition, Not):
        condition, holds = condition.part, not holds
    return (condition, holds) if isinstance(condition, Leaf) else (None, holds)


class ActionsInWords:
    """The actions of a table in plain words, with what answers or removes each."""

    def __init__(
        self, table: Table, pages: PageWording, wording: Wording, terminology: Terminology, rules: Rules
    ) -> None:
        self.table = table
        self.asked = pages.asked
        self.wording = wording
        self.terminology = terminology
        self.rules = rules

    def shown(self, row: Row) -> list[dict[str, Any]]:
        """Every action of a row."""
        return [self._shown(row, asked) for asked in row.actions]

    def _shown(self, row: Row, asked: RowAction) -> dict[str, Any]:
        action = self.table.actions[asked.id]
        return {
            "id": asked.id,
            "says": self.says(action, asked),
            "urgency": asked.urgency,
            "paediatric": asked.paediatric,
            "notes": list(self._notes(asked)),
            **({"onlyWhen": self.rules.rule(asked.when).outline()} if asked.when else {}),
            "removedBy": list(self.removed_by(action, row, urgency=asked.urgency)),
            "valueSets": [
                *(f"/fhir/ValueSet/analyte-{name}" for name in action.analytes),
                *(f"/fhir/ValueSet/procedure-{name}" for name in action.studies),
            ],
        }

    def says(self, action: Action, asked: RowAction | None = None) -> str:
        """The action in a few words, with its urgency: "neurology referral today"."""
        return short_of(self.wording, action.id, asked.urgency if asked else ROUTINE)

    def _notes(self, asked: RowAction) -> Iterator[str]:
        yield self.asked[asked.urgency]
        if asked.paediatric:
            yield self.asked["paediatric"]
        if asked.when is not None:
            yield self.asked["only_when"]

    def withheld_by(self, row: Row) -> str:
        """The tests that a row withholds whose condition is "child-age" alone; "" for other rows."""
        if row.when != Leaf("child-age", frozenset({TRUE})):
            return ""
        withheld = [
            self.wording.say(f"actions.{a.id}.short")
            for a in self.table.actions.values()
            if a.withheld_from_child
        ]
        return self.asked["withholds"].format(tests=joined(withheld, "and"))

    def removed_by(self, action: Action, row: Row | None = None, *, urgency: str = ROUTINE) -> Iterator[str]:
        """Each way in which the action is answered, covered or withheld."""
        limits, asked = self.table.thresholds, self.asked
        tests = joined((self.terminology.analytes[a].label for a in action.analytes), "and")
        if action.done_days is not None:
            several = len(action.analytes) > 1
            yield asked["done" if several else "done_one"].format(days=action.done_days, tests=tests)
            yield asked["repeat_abnormal" if action.repeat_abnormal else "act_on"]
            if row and row.drug_classes:
                yield asked["drug_start"]
            if row and row.level == CALM:
                yield asked["calm"].format(days=limits.calm_test_days)
        if action.studies:
            yield asked["study"].format(days=limits.study_days)
        if action.ordered_days is not None:
            yield asked["ordered"].format(days=action.ordered_days)
            if urgency != ROUTINE:
                yield asked["ordered_urgent"]
        if ActionRole.SELF_CARE in action.roles:
            yield asked["self_care"]
        if action.withheld_beside_now:
            yield asked["beside_now"]
        if action.withheld_beside_urgent:
            yield asked["beside_urgent"]
        if action.withheld_from_child:
            yield asked["child"].format(years=limits.child_years)


def short_of(wording: Wording, action: str, urgency: str = ROUTINE) -> str:
    """The short text of an action, with its urgency where it has one."""
    return wording.maybe(f"actions.{action}.short_{urgency}") or wording.say(f"actions.{action}.short")


def example_shown(example: Example, pages: PageWording, terminology: Terminology) -> dict[str, Any]:
    """An example of a row: its title, what is on record in plain words, and whether the row holds."""
    given = "; ".join(_given(example.given, pages, terminology)) or pages.given["nothing"]
    return {"title": example.title, "given": given, "holds": example.holds}


def _given(given: Mapping[str, Any], pages: PageWording, terminology: Terminology) -> Iterator[str]:
    words = pages.given
    for name, value in given.items():
        match name:
            case "sites":
                labels = {site.id: site.label for site in terminology.sites.values()}
                yield words[name].format(names=joined((labels.get(site, site) for site in value), "and"))
            case "courses":
                yield words[name].format(names=joined(value, "and"))
            case "drugs":
                classes = terminology.medications.class_labels
                for drug_class, plausible in value.items():
                    yield words[f"drug_{plausible}"].format(label=classes.get(drug_class, drug_class))
            case "current":
                classes = terminology.medications.class_labels
                for drug_class in value:
                    yield words[name].format(label=classes.get(drug_class, drug_class))
            case "stopped_days_before_onset":
                classes = terminology.medications.class_labels
                for drug_class, days in value.items():
                    yield words["stopped"].format(label=classes.get(drug_class, drug_class), days=days)
            case "facts":
                for fact, true in value.items():
                    feature = pages.features[fact]
                    yield words["fact"].format(label=feature.holds if true else feature.fails)
            case "results":
                days = given.get("result_days_ago", 0)
                when = words["result_ago"].format(days=days) if days else words["result_today"]
                for analyte, band in value.items():
                    label = terminology.analytes[analyte].label
                    yield words["result"].format(label=label, band=pages.bands[band], when=when)
            case "result_days_ago":
                continue
            case "onset_days_ago" | "recorded_days_ago":
                yield words[name].format(days=value)
            case "age_years":
                yield words[name].format(years=value)
            case _:
                definition = terminology.findings[name]
                if value == EXAMINED and definition.kind in _RECORDED_KINDS:
                    yield pages.phrases["diagnosis"].format(names=definition.label)
                else:
                    yield words[value].format(label=definition.label)
