"""Claims and anchors as pages show them: what they say, where they stand, what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from service.knowledge import Knowledge
from service.knowledge.claims import Anchor, Claim
from service.knowledge.wording import Wording

# What a place that cites is called.
_KINDS = {"rows": "row", "removals": "removal", "wording": "wording"}


class Sources:
    """The claims and anchors of one knowledge folder."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.claims = knowledge.claims
        labels = {f"rows.{row.id}": row.label for row in knowledge.table.rows}
        labels |= {f"removals.{removal.id}": removal.says for removal in knowledge.table.removals}
        cited: dict[str, list[dict[str, str]]] = defaultdict(list)
        for name, places in knowledge.cited_by.items():
            for place in dict.fromkeys(places):
                kind, _, rest = place.partition(".")
                label = labels.get(place) or _text(knowledge.wording, rest)
                cited[name].append({"kind": _KINDS[kind], "id": rest, "label": label})
        for claim in self.claims.claims.values():
            # An anchor is used as well where a claim is declined because of it.
            for anchor in self.claims.anchors:
                if claim.declined and anchor in claim.declined:
                    cited[anchor].append({"kind": "claim", "id": claim.id, "label": claim.says})
        self.cited: Mapping[str, list[dict[str, str]]] = cited

    def shown(self, name: str) -> dict[str, Any]:
        """One claim with its place, or one anchor with its address."""
        claim = self.claims.get(name)
        if isinstance(claim, Claim):
            return self._claim(claim)
        assert claim is not None  # noqa: S101 - checked when the knowledge was loaded
        anchor = {"id": claim.id, "says": claim.says, "source": claim.source, "url": claim.url}
        return {**anchor, "declined": claim.declined} if claim.declined else anchor

    def _claim(self, claim: Claim) -> dict[str, Any]:
        shown = {
            "id": claim.id,
            "says": claim.says,
            "document": self.claims.documents[claim.document].title,
            "heading": claim.heading,
            "sentences": list(claim.sentences),
            "sha256": claim.sha256,
        }
        if claim.strength:
            shown["strength"] = claim.strength
        if claim.declined:
            shown["declined"] = claim.declined
        return shown

    def page(self) -> dict[str, Any]:
        """Every claim by document, every anchor, each with what became of it."""
        documents = []
        for document in self.claims.documents.values():
            claims = [
                {**self._claim(claim), "fate": claim.fate, "citedBy": self.cited.get(claim.id, [])}
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
        anchors = [self._anchor(anchor) for anchor in self.claims.anchors.values()]
        return {"documents": documents, "anchors": anchors}

    def _anchor(self, anchor: Anchor) -> dict[str, Any]:
        return {**self.shown(anchor.id), "citedBy": self.cited.get(anchor.id, [])}


def _text(wording: Wording, place: str) -> str:
    """The text of that place, or the first below it."""
    text = wording.maybe(f"{place}.says") or wording.maybe(place)
    return text or next(text for name, text in wording.texts.items() if name.startswith(f"{place}."))
