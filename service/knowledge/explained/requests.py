"""What a row asks for, how soon, and what answers it or takes it away, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_mappings.terminology import Terminology
from service.decision.table import TRUE, Action, Leaf, Row, RowAction, Table
from service.knowledge.explained.rules import Rules
from service.knowledge.page_wording import PageWording, joined
from service.knowledge.wording import Wording


class Requests:
    """Says the actions of one table."""

    def __init__(
        self, table: Table, pages: PageWording, wording: Wording, terminology: Terminology, rules: Rules
    ) -> None:
        self.table = table
        self.asked = pages.asked
        self.wording = wording
        self.terminology = terminology
        self.rules = rules

    def shown(self, row: Row) -> list[dict[str, Any]]:
        """Every action of the row: id, says, urgency, when and to whom, what removes it, ValueSets."""
        return [self._shown(row, asked) for asked in row.actions]

    def _shown(self, row: Row, asked: RowAction) -> dict[str, Any]:
        action = self.table.actions[asked.id]
        return {
            "id": asked.id,
            "says": self.says(action, asked, row.id),
            "urgency": "urgent" if asked.urgent else "routine",
            "paediatric": asked.paediatric,
            "notes": list(self._notes(asked)),
            **({"onlyWhen": self.rules.rule(asked.when).outline()} if asked.when else {}),
            "removedBy": list(self.removed_by(action, row, urgent=asked.urgent)),
            "valueSets": value_sets(action),
        }

    def says(self, action: Action, asked: RowAction | None = None, row_id: str = "") -> str:
        """The action as the card says it."""
        place = f"actions.{action.id}"
        analytes = joined((self.terminology.analytes[a].label for a in action.analytes), "and")
        choices = []
        if asked and asked.paediatric:
            choices.append(f"{place}.paediatric_urgent" if asked.urgent else f"{place}.paediatric")
        if asked and asked.urgent:
            choices.append(f"{place}.urgent")
        else:
            choices.append(f"{place}.for_row.{row_id}")
        choices.append(f"{place}.says")
        return next(text for choice in choices if (text := self.wording.maybe(choice, analytes=analytes)))

    def _notes(self, asked: RowAction) -> Iterator[str]:
        yield self.asked["urgent" if asked.urgent else "routine"]
        if asked.paediatric:
            yield self.asked["paediatric"]
        if asked.when is not None:
            yield self.asked["only_when"]

    def withheld_by(self, row: Row) -> str:
        """What a row that says no more than "child-age" takes away; "" for any other."""
        if row.when != Leaf("child-age", frozenset({TRUE})):
            return ""
        withheld = [
            self.wording.say(f"actions.{a.id}.short")
            for a in self.table.actions.values()
            if a.withheld_from_child
        ]
        return self.asked["withholds"].format(tests=joined(withheld, "and"))

    def removed_by(self, action: Action, row: Row | None = None, *, urgent: bool = False) -> Iterator[str]:
        """Each way in which the action is answered, covered or withheld."""
        limits, asked = self.table.thresholds, self.asked
        tests = joined((self.terminology.analytes[a].label for a in action.analytes), "and")
        if action.done_days is not None:
            several = len(action.analytes) > 1
            yield asked["done" if several else "done_one"].format(days=action.done_days, tests=tests)
            yield asked["repeat_abnormal" if action.repeat_abnormal else "act_on"]
            if row and row.drug_classes:
                yield asked["drug_start"]
            if row and row.downgraded_when_tests_done:
                yield asked["benign"].format(days=limits.benign_test_days)
        if action.studies:
            yield asked["study"].format(days=limits.study_days)
        if action.ordered_days is not None:
            yield asked["ordered"].format(days=action.ordered_days)
            if urgent:
                yield asked["ordered_urgent"]
        if action.kind == "advice":
            yield asked["self_care"]
        if action.withheld_from_child:
            yield asked["child"].format(years=limits.child_years)


def value_sets(action: Action) -> list[str]:
    """Where the codes stand of what answers the action."""
    return [
        *(f"/fhir/ValueSet/analyte-{name}" for name in action.analytes),
        *(f"/fhir/ValueSet/procedure-{name}" for name in action.studies),
    ]
