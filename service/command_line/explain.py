"""A row, recommendation, finding, claim or anchor in words: what it says, where it stands, how read."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from service.command_line.terminal import indented, table
from service.decision.table import Row
from service.knowledge import Knowledge
from service.knowledge.explained import Explained

_WIDTH = 100


class Explaining:
    """Explains by id; ids of the kinds differ, and where they do not, all are explained."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._explained = Explained(knowledge)
        self._rows = {row.id: row for row in knowledge.table.rows}
        self._actions = {one["id"]: one for one in self._explained.overview()["actions"]}

    def names(self) -> str:
        """Everything that can be explained."""
        kinds: list[tuple[str, Iterable[tuple[str, str]]]] = [
            ("row", ((row.id, row.label) for row in self._rows.values())),
            ("recommendation", ((name, one["says"]) for name, one in self._actions.items())),
            ("finding", ((one.id, one.label) for one in self._knowledge.terminology.findings.values())),
        ]
        rows = [(kind, name, says) for kind, found in kinds for name, says in found]
        claims = "A claim or an anchor of a card goes by its id, such as S003-19 or A02."
        return table(("kind", "id", "what"), rows) + f"\n{claims}\n"

    def text(self, name: str) -> str:
        """ "" where nothing has that id."""
        found = [
            *self._row(name),
            *self._recommendation(name),
            *self._finding(name),
            *self._claim(name),
        ]
        return "\n".join(found) + "\n" if found else ""

    def _row(self, name: str) -> Iterator[str]:
        row = self._rows.get(name)
        if row is None:
            return
        content = self._explained.row(row)
        yield f"Row {name}: {content['label']}"
        yield f"  level: {content['level']} ({content['levelSays']})"
        yield from _wrapped(f"holds when: {content['holdsWhen']['sentence']}", 2)
        for one in content["howRead"]:
            yield from _wrapped(f"{one['says']}: {one['how']}", 4)
        asked = ", ".join(f"{one['says']} ({one['id']})" for one in content["asksFor"])
        yield from _wrapped(f"asks for: {asked or content['nothingAsked']}", 2)
        yield "  rests on:"
        for support in content["restsOn"]:
            yield from _wrapped(f"{support['reading']} ({support['readingSays']}): {support['note']}", 4)
            yield from self._claims(support["claims"], 6)
        yield f"  page of the service: {content['url']}"

    def _recommendation(self, name: str) -> Iterator[str]:
        action = self._actions.get(name)
        if action is None:
            return
        yield f"Recommendation {name}: {action['says']}"
        rows = [row for row in self._rows.values() if any(one.id == name for one in row.actions)]
        yield "  asked for by:"
        yield from indented((f"{row.id}: {row.label}" for row in rows), 4)
        yield "  left out or changed where:"
        for says in action["removedBy"]:
            yield from _wrapped(f"- {says}", 4)
        yield "  rests on:"
        yield from self._claims(action["claims"], 4)

    def _finding(self, name: str) -> Iterator[str]:
        finding = self._knowledge.terminology.findings.get(name)
        if finding is None:
            return
        yield f"Finding {name}: {finding.label} ({finding.kind})"
        if finding.question:
            yield f"  asked as: {finding.question}"
        yield "  decides in:"
        yield from indented((f"{row.id}: {row.label}" for row in self._rows_about(name)), 4)
        systems = Counter(
            system
            for (system, _), codes in self._knowledge.terminology.finding_codes.items()
            if any(code.finding == name for code in codes)
        )
        yield "  codes:"
        yield from indented((f"{count} of {system}" for system, count in sorted(systems.items())), 4)

    def _rows_about(self, name: str) -> Iterator[Row]:
        for row in self._rows.values():
            if any(one["id"] == name for one in self._explained.row(row)["operands"]):
                yield row

    def _claim(self, name: str) -> Iterator[str]:
        content = self._explained.claims()
        claims = [claim for document in content["documents"] for claim in document["claims"]]
        for one in [*claims, *content["anchors"]]:
            if one["id"] != name:
                continue
            yield from _claim(one, 0)
            if one.get("declined"):
                yield from _wrapped(f"declined: {one['declined']}", 2)
            if one.get("citedBy"):
                yield "  cited by:"
                for by in one["citedBy"]:
                    yield from _wrapped(f"{by['kind']} {by['id']}: {by['label']}", 4)

    def _claims(self, claims: Iterable[Mapping[str, Any]], by: int) -> Iterator[str]:
        for claim in claims:
            yield from _claim(claim, by)


def _claim(claim: Mapping[str, Any], by: int) -> Iterator[str]:
    yield from _wrapped(f"{claim['id']} {claim['says']}", by)
    if "document" in claim:
        sentences = ", ".join(str(number) for number in claim["sentences"])
        place = f"“{claim['document']}”, heading {claim['heading']}, sentence {sentences}"
    else:
        place = " ".join(str(claim[member]) for member in ("source", "url") if claim.get(member))
    yield from _wrapped(place, by + 2)


def _wrapped(text: str, by: int) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=" " * by, subsequent_indent=" " * (by + 2), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
