"""The knowledge as pages: the table, a row, the claims.

HTML pages, their JSON and the generated README show this content; its schemas are in
tools/openapi/knowledge_answers.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from service.decision.table import ActionRole, Row
from service.knowledge import Knowledge
from service.knowledge.page_wording import Columns
from service.knowledge.row_inputs import Operands
from service.knowledge.rules_in_words import ActionsInWords, Rules, example_shown, short_of
from service.knowledge.wording import Wording

# The rows that one page shows at most, and how much of an unknown name it repeats.
MOST_ROWS = 60
_LONGEST_NAME = 60
# As the overview lists them.
_LEVELS = ("critical", "warning", "until-done", "calm", "info")
_KINDS_OF_PLACE = {"rows": "row", "removals": "removal", "wording": "wording"}


def site_in_answers(knowledge: Knowledge) -> dict[str, Any]:
    """What a site changed, as /readyz and the pages show it; {} where it is the shipped knowledge."""
    site = knowledge.site
    if site is None:
        return {}
    shown: dict[str, Any] = {}
    if site.overlay:
        off = [{"id": row.id, "label": row.label} for row in knowledge.table.rows_off]
        shown["overlay"] = {"files": list(site.overlay), "rowsOff": off}
    if site.codes is not None:
        shown["codes"] = {"read": site.codes.read, "leftOut": len(site.codes.left_out)}
    return {"site": shown}


class Sources:
    """The claims and anchors, and the places that cite them."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.claims = knowledge.claims
        labels = {f"rows.{row.id}": row.label for row in knowledge.table.rows}
        labels |= {f"removals.{removal.id}": removal.says for removal in knowledge.table.removals}
        cited: dict[str, list[dict[str, str]]] = defaultdict(list)
        for name, places in knowledge.cited_by.items():
            for place in dict.fromkeys(places):
                kind, _, rest = place.partition(".")
                label = labels.get(place) or _text(knowledge.wording, rest)
                cited[name].append({"kind": _KINDS_OF_PLACE[kind], "id": rest, "label": label})
        for claim in self.claims.claims.values():
            # An anchor is also cited by a claim that is declined because of it.
            for anchor in self.claims.anchors:
                if claim.declined and anchor in claim.declined:
                    cited[anchor].append({"kind": "claim", "id": claim.id, "label": claim.says})
        self.cited: Mapping[str, list[dict[str, str]]] = cited

    def shown(self, name: str) -> dict[str, Any]:
        """A claim with its place, or an anchor with its URL."""
        if name in self.claims.claims:
            claim = self.claims.claims[name]
            shown = {
                "id": claim.id,
                "says": claim.says,
                "document": self.claims.documents[claim.document].title,
                "heading": claim.heading,
                "sentences": list(claim.sentences),
                "sha256": claim.sha256,
                "strength": claim.strength,
                "declined": claim.declined,
            }
        else:
            anchor = self.claims.anchors[name]
            shown = {
                "id": anchor.id,
                "says": anchor.says,
                "source": anchor.source,
                "url": anchor.url,
                "declined": anchor.declined,
            }
        return {member: value for member, value in shown.items() if value not in (None, "")}

    def page(self) -> dict[str, Any]:
        """Every claim by document, and every anchor, each with the places that cite it."""
        documents = []
        for document in self.claims.documents.values():
            claims = [
                {**self.shown(claim.id), "fate": claim.fate, "citedBy": self.cited.get(claim.id, [])}
                for claim in self.claims.claims.values()
                if claim.document == document.id
            ]
            documents.append(
                {
                    "id": document.id,
                    "title": document.title,
                    "sha256": document.sha256,
                    "cited": sum(claim["fate"] == "cited" for claim in claims),
                    "declined": sum(claim["fate"] == "declined" for claim in claims),
                    "claims": claims,
                }
            )
        anchors = [{**self.shown(name), "citedBy": self.cited.get(name, [])} for name in self.claims.anchors]
        return {"documents": documents, "anchors": anchors}


def _text(wording: Wording, place: str) -> str:
    """The text of a place, or the first text below it."""
    below = (name for name in wording.texts if name.startswith(f"{place}."))
    names = chain((f"{place}.says", place), below)
    return next((wording.texts[name] for name in names if wording.texts.get(name)), place.replace("_", " "))


class Explained:
    """The pages of a loaded knowledge folder. Every method returns plain JSON."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.table = knowledge.table
        self.pages = knowledge.pages
        self.rules = Rules(knowledge.pages, knowledge.terminology)
        self.sources = Sources(knowledge)
        self.actions = ActionsInWords(
            knowledge.table, knowledge.pages, knowledge.wording, knowledge.terminology, self.rules
        )
        self.operands = Operands(knowledge.pages, knowledge.terminology)
        self.version = {"knowledgeVersion": knowledge.version, **site_in_answers(knowledge)}
        self.labels = {row.id: row.label for row in self.table.rows}

    def overview(self) -> dict[str, Any]:
        """GET /knowledge: the two columns, all rows by level, thresholds, actions, removals, self-care."""
        pages = self.pages
        return {
            **self.version,
            "columns": [self._columns(columns) for columns in pages.two_columns],
            "reading": [{"id": name, "title": title, "says": says} for name, title, says in pages.reading],
            "levels": [self._level(level) for level in _LEVELS],
            "readings": [{"id": name, "says": says} for name, says in pages.readings.items()],
            "thresholds": [
                {"id": name, "value": getattr(self.table.thresholds, name), "says": says}
                for name, says in pages.thresholds.items()
            ],
            "actions": [
                {
                    "id": action.id,
                    "says": self.actions.says(action),
                    "removedBy": list(self.actions.removed_by(action)) or [pages.asked["nothing_removes"]],
                    "claims": self._claims_of(f"actions.{action.id}"),
                }
                for action in self.table.actions.values()
            ],
            "removals": [
                {
                    "id": removal.id,
                    "says": removal.says,
                    "claims": self._sources(removal.claims),
                }
                for removal in self.table.removals
            ],
            "selfCareRows": [
                self.summary(row)
                for row in self.table.rows
                if any(ActionRole.SELF_CARE in self.table.actions[action.id].roles for action in row.actions)
            ],
            "selfCare": self._self_care(),
            "named": [self.knowledge.terminology.findings[name].label for name in self.table.named],
        }

    def row(self, row: Row) -> dict[str, Any]:
        """GET /knowledge/{row}: its rule, actions, claims, examples and codes."""
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
            **self.version,
            "levelSays": self.pages.levels[row.level],
            "howRead": self.operands.features(row.when),
            "actions": [
                {**action, "claims": self._claims_of(f"actions.{action['id']}")}
                for action in self.actions.shown(row)
            ],
            "nothingAsked": ""
            if row.actions
            else self.actions.withheld_by(row) or self.pages.asked["nothing"],
            "onTheCard": self._on_the_card(row),
            "restsOn": [
                {
                    "reading": support.reading,
                    "readingSays": self.pages.readings[support.reading],
                    "note": support.note,
                    "claims": self._sources(support.ids),
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

    def rows(self, names: Iterable[str]) -> dict[str, Any]:
        """GET /knowledge?rows=…: for those rows what each means, asks for and rests on; the gravest first.

        An unknown name is listed, not repeated at full length.
        """
        wanted = list(dict.fromkeys(names))[:MOST_ROWS]
        known = [row for name in wanted if (row := self.table.row(name)) is not None]
        known.sort(key=lambda row: _LEVELS.index(row.level))
        return {
            **self.version,
            "rows": [
                {
                    **self.summary(row),
                    "restsOn": [
                        {
                            "reading": support.reading,
                            "note": support.note,
                            "claims": self._sources(support.ids),
                        }
                        for support in row.support
                    ],
                }
                for row in known
            ],
            "notRows": [name[:_LONGEST_NAME] for name in wanted if self.table.row(name) is None],
        }

    def claims(self) -> dict[str, Any]:
        """GET /knowledge/claims: the fate of every claim, and the anchors."""
        return {**self.version, **self.sources.page()}

    def summary(self, row: Row) -> dict[str, Any]:
        """A row as the overview lists it."""
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
                    "says": short_of(self.knowledge.wording, action.id, action.urgency),
                    "urgency": action.urgency,
                }
                for action in row.actions
            ],
            "url": f"/knowledge/{row.id}",
        }

    def _on_the_card(self, row: Row) -> str:
        """The phrase for a row in the summary of a card; "" if it has none."""
        return self.knowledge.wording.maybe(f"found.{row.id}")

    def _neighbours(self, row: Row) -> dict[str, Any]:
        rows = self.table.rows
        number = rows.index(row)
        around = {"previous": number - 1, "next": number + 1}
        return {
            name: {"id": rows[at].id, "label": rows[at].label}
            for name, at in around.items()
            if 0 <= at < len(rows)
        }

    def _columns(self, columns: Columns) -> dict[str, Any]:
        return {
            "id": columns.id,
            "label": self.knowledge.wording.maybe(f"table.rows.{columns.id}.label") or columns.label,
            **{
                side: {"says": cell.says, "claims": self._sources(cell.claims)}
                for side, cell in (("benign", columns.benign), ("disease", columns.disease))
            },
            "rows": [
                {"id": name, "label": self.labels[name]} for name in columns.rows if name in self.labels
            ],
        }

    def _level(self, level: str) -> dict[str, Any]:
        rows = [self.summary(row) for row in self.table.rows if row.level == level]
        return {"id": level, "says": self.pages.levels[level], "rows": rows}

    def _claims_of(self, place: str) -> list[dict[str, Any]]:
        """The sources of a text of the card."""
        return self._sources(self.knowledge.wording.claims(place))

    def _sources(self, names: Iterable[str]) -> list[dict[str, Any]]:
        return [self.sources.shown(name) for name in names]

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
