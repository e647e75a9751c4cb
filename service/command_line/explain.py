"""Explain rows, recommendations, findings, claims and anchors in words."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from service.command_line.terminal import indented, table
from service.knowledge import Knowledge
from service.knowledge.page_contents import Explained

_WIDTH = 100


class Explainer:
    """Explains by id. An id of several kinds is explained as each of them."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._terminology = knowledge.terminology
        self._explained = Explained(knowledge)
        self._rows = {row.id: row for row in knowledge.table.rows}
        self._actions = {action["id"]: action for action in self._explained.overview()["actions"]}

    def names(self) -> str:
        """A table of everything that can be explained."""
        findings = self._terminology.findings.values()
        rows = [
            *(("row", row.id, row.label) for row in self._rows.values()),
            *(("recommendation", name, action["says"]) for name, action in self._actions.items()),
            *(("finding", finding.id, finding.label) for finding in findings),
        ]
        claims = "A claim or an anchor of a card goes by its id, such as S003-19 or A02."
        return table(("kind", "id", "what"), rows) + f"\n{claims}\n"

    def text(self, name: str) -> str:
        """The explanation, or "" if nothing has that id."""
        lines = [
            *self._row(name),
            *self._recommendation(name),
            *self._finding(name),
            *self._claim_or_anchor(name),
        ]
        return "\n".join(lines) + "\n" if lines else ""

    def _row(self, name: str) -> Iterator[str]:
        if name not in self._rows:
            return
        content = self._explained.row(self._rows[name])
        yield f"Row {name}: {content['label']}"
        yield f"  level: {content['level']} ({content['levelSays']})"
        yield from _wrapped(f"holds when: {content['holdsWhen']['sentence']}", 2)
        for feature in content["howRead"]:
            yield from _wrapped(f"{feature['says']}: {feature['how']}", 4)
        actions = ", ".join(f"{action['says']} ({action['id']})" for action in content["asksFor"])
        yield from _wrapped(f"asks for: {actions or content['nothingAsked']}", 2)
        yield "  rests on:"
        for support in content["restsOn"]:
            yield from _wrapped(f"{support['reading']} ({support['readingSays']}): {support['note']}", 4)
            yield from _claims(support["claims"], 6)
        yield f"  page of the service: {content['url']}"

    def _recommendation(self, name: str) -> Iterator[str]:
        if name not in self._actions:
            return
        action = self._actions[name]
        yield f"Recommendation {name}: {action['says']}"
        yield "  asked for by:"
        for row in self._rows.values():
            if any(asked.id == name for asked in row.actions):
                yield f"    {row.id}: {row.label}"
        yield "  left out or changed where:"
        for removal in action["removedBy"]:
            yield from _wrapped(f"- {removal}", 4)
        yield "  rests on:"
        yield from _claims(action["claims"], 4)

    def _finding(self, name: str) -> Iterator[str]:
        finding = self._terminology.findings.get(name)
        if finding is None:
            return
        yield f"Finding {name}: {finding.label} ({finding.kind})"
        if finding.question:
            yield f"  asked as: {finding.question}"
        yield "  decides in:"
        for row in self._rows.values():
            if any(operand["id"] == name for operand in self._explained.row(row)["operands"]):
                yield f"    {row.id}: {row.label}"
        systems = Counter(
            system
            for (system, _), codes in self._terminology.finding_codes.items()
            if any(code.finding == name for code in codes)
        )
        yield "  codes:"
        yield from indented((f"{count} of {system}" for system, count in sorted(systems.items())), 4)

    def _claim_or_anchor(self, name: str) -> Iterator[str]:
        content = self._explained.claims()
        claims = [claim for document in content["documents"] for claim in document["claims"]]
        for claim in [*claims, *content["anchors"]]:
            if claim["id"] != name:
                continue
            yield from _claims([claim], 0)
            if claim.get("declined"):
                yield from _wrapped(f"declined: {claim['declined']}", 2)
            if claim.get("citedBy"):
                yield "  cited by:"
                for citation in claim["citedBy"]:
                    yield from _wrapped(f"{citation['kind']} {citation['id']}: {citation['label']}", 4)


def _claims(claims: Iterable[Mapping[str, Any]], indent: int) -> Iterator[str]:
    for claim in claims:
        yield from _wrapped(f"{claim['id']} {claim['says']}", indent)
        if "document" in claim:
            sentences = ", ".join(map(str, claim["sentences"]))
            place = f"“{claim['document']}”, heading {claim['heading']}, sentence {sentences}"
        else:
            place = " ".join(str(claim[member]) for member in ("source", "url") if claim.get(member))
        yield from _wrapped(place, indent + 2)


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
