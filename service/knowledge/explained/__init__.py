"""The knowledge for people: the table, a row, the claims, each as the content of a page.

A page, its JSON and the generated README show the same content; schemas/knowledge_answers.py is its shape.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from service.decision.table import LEVELS, Row
from service.knowledge import Knowledge
from service.knowledge.explained.codes import Codes
from service.knowledge.explained.examples import example_shown
from service.knowledge.explained.operands import Operands
from service.knowledge.explained.requests import Requests
from service.knowledge.explained.rules import Rules
from service.knowledge.explained.sources import Sources


class Explained:
    """Explains one loaded knowledge folder. Each method's content is plain JSON."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.table = knowledge.table
        self.pages = knowledge.pages
        self.rules = Rules(knowledge.pages, knowledge.terminology)
        self.sources = Sources(knowledge)
        self.requests = Requests(
            knowledge.table, knowledge.pages, knowledge.wording, knowledge.terminology, self.rules
        )
        self.operands = Operands(
            knowledge.pages,
            knowledge.terminology,
            Codes(knowledge.terminology, knowledge.pages.systems),
        )

    @cached_property
    def labels(self) -> dict[str, str]:
        """row id -> its label."""
        return {row.id: row.label for row in self.table.rows}

    def overview(self) -> dict[str, Any]:
        """The two columns, all rows by level, how they are read, thresholds, removals, self-care."""
        pages = self.pages
        return {
            "knowledgeVersion": self.knowledge.version,
            "columns": [self._columns(number) for number in range(len(pages.two_columns))],
            "reading": [{"id": name, "title": title, "says": says} for name, title, says in pages.reading],
            "levels": [self._level(level) for level in reversed(LEVELS) if level in pages.levels],
            "readings": [{"id": name, "says": says} for name, says in pages.readings.items()],
            "thresholds": [
                {"id": name, "value": getattr(self.table.thresholds, name), "says": says}
                for name, says in pages.thresholds.items()
            ],
            "actions": [
                {
                    "id": action.id,
                    "says": self.requests.says(action),
                    "removedBy": list(self.requests.removed_by(action)) or [pages.asked["nothing_removes"]],
                    "claims": self._claims_of(f"actions.{action.id}"),
                }
                for action in self.table.actions.values()
            ],
            "removals": [
                {
                    "id": removal.id,
                    "says": removal.says,
                    "claims": [self.sources.shown(name) for name in removal.claims],
                }
                for removal in self.table.removals
            ],
            "selfCareRows": [
                self.summary(row)
                for row in self.table.rows
                if any(self.table.actions[action.id].kind == "advice" for action in row.actions)
            ],
            "selfCare": self._self_care(),
            "named": [self.knowledge.terminology.findings[name].label for name in self.table.named],
        }

    def row(self, row: Row) -> dict[str, Any]:
        """Everything about one row: its rule, what it asks for, what it rests on, examples and codes."""
        operands = self.operands.of(row.when)
        extra = [
            operand
            for action in row.actions
            if action.when is not None
            for operand in self.operands.of(action.when)
            if operand not in operands
        ]
        return {
            **self.summary(row),
            "knowledgeVersion": self.knowledge.version,
            "levelSays": self.pages.levels[row.level],
            "downgraded": self.pages.asked["downgraded"] if row.downgraded_when_tests_done else "",
            "howRead": self.operands.features(row.when),
            "actions": [
                {**action, "claims": self._claims_of(f"actions.{action['id']}")}
                for action in self.requests.shown(row)
            ],
            "nothingAsked": ""
            if row.actions
            else self.requests.withheld_by(row) or self.pages.asked["nothing"],
            "onTheCard": self._on_the_card(row),
            "restsOn": [
                {
                    "reading": support.reading,
                    "readingSays": self.pages.readings[support.reading],
                    "note": support.note,
                    "claims": [self.sources.shown(name) for name in support.ids],
                }
                for support in row.support
            ],
            "examples": [
                example_shown(example, self.pages, self.knowledge.terminology) for example in row.examples
            ],
            "howMatched": self.operands.how(operands),
            "operands": self.operands.shown(operands),
            "actionOperands": self.operands.shown(dict.fromkeys(extra), codes=False),
            **self._neighbours(row),
        }

    def claims(self) -> dict[str, Any]:
        """The fate of every claim, and the anchors."""
        return {"knowledgeVersion": self.knowledge.version, **self.sources.page()}

    def summary(self, row: Row) -> dict[str, Any]:
        """The row as the overview lists it."""
        rule = self.rules.rule(row.when)
        return {
            "id": row.id,
            "label": row.label,
            "level": row.level,
            "reading": row.reading,
            "holdsWhen": {"sentence": rule.sentence(), "rule": rule.outline()},
            "asksFor": [
                {
                    "id": action.id,
                    "says": self._short(action.id, action.urgent),
                    "urgency": "urgent" if action.urgent else "routine",
                }
                for action in row.actions
            ],
            "url": f"/knowledge/{row.id}",
        }

    def _short(self, action: str, urgent: bool) -> str:
        wording = self.knowledge.wording
        short = wording.say(f"actions.{action}.short")
        return (urgent and wording.maybe(f"actions.{action}.short_urgent")) or short

    def _on_the_card(self, row: Row) -> str:
        """The phrase of the card's summary; "" for a row that has none."""
        return self.knowledge.wording.maybe(f"found.{row.id}").replace(
            "{abnormal}", self.pages.phrases["abnormal"]
        )

    def _neighbours(self, row: Row) -> dict[str, Any]:
        rows = self.table.rows
        number = rows.index(row)
        around = {"previous": number - 1, "next": number + 1}
        return {
            name: {"id": rows[at].id, "label": rows[at].label}
            for name, at in around.items()
            if 0 <= at < len(rows)
        }

    def _columns(self, number: int) -> dict[str, Any]:
        one = self.pages.two_columns[number]
        return {
            "id": one.id,
            "label": self.knowledge.wording.maybe(f"table.rows.{one.id}.label") or one.label,
            **{
                side: {"says": cell.says, "claims": [self.sources.shown(name) for name in cell.claims]}
                for side, cell in (("benign", one.benign), ("disease", one.disease))
            },
            "rows": [{"id": name, "label": self.labels[name]} for name in one.rows],
        }

    def _level(self, level: str) -> dict[str, Any]:
        rows = [self.summary(row) for row in self.table.rows if row.level == level]
        return {"id": level, "says": self.pages.levels[level], "rows": rows}

    def _claims_of(self, place: str) -> list[dict[str, Any]]:
        """What a text of the card rests on."""
        return [self.sources.shown(name) for name in self.knowledge.wording.claims(place)]

    def _self_care(self) -> list[dict[str, Any]]:
        asked, wording = self.pages.asked, self.knowledge.wording
        findings = self.knowledge.terminology.findings
        return [
            {
                "id": advice.id,
                "trigger": findings[advice.trigger].label if advice.trigger else asked["no_trigger"],
                "says": wording.say(f"self_care.advice.{advice.id}"),
                "unless": asked["withheld_when"].format(
                    condition=self.rules.rule(advice.withheld_when).sentence()
                )
                if advice.withheld_when
                else asked["always"],
                "claims": self._claims_of(f"self_care.advice.{advice.id}"),
            }
            for advice in self.table.self_care
        ]
