"""The clinical knowledge: loaded and checked once, at start. A broken file stops the start."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_mappings.record import Reading
from fhir_mappings.terminology import OrderCode, Terminology
from service.decision.table import Table
from service.knowledge.claims import Anchor, Claim, Claims, load_claims
from service.knowledge.decision_table import FILE, load_table
from service.knowledge.discovery import load_hooks
from service.knowledge.page_wording import NO_PAGES, PageWording, load_page_wording
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.templates import Templates, templates_of
from service.knowledge.terminology import load_order_codes, load_terminology
from service.knowledge.wording import FILE as WORDING
from service.knowledge.wording import Wording, load_wording

__all__ = ["Knowledge", "KnowledgeError", "load_knowledge", "version_of"]

HERE = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """Everything that is known, checked. version: a hash of all its files.

    Two are equal only if they are the same object.
    """

    table: Table
    terminology: Terminology
    claims: Claims
    wording: Wording
    order_codes: Mapping[str, OrderCode]
    templates: Templates
    hooks: tuple[Mapping[str, Any], ...]
    version: str
    pages: PageWording = NO_PAGES

    @property
    def cited_by(self) -> Mapping[str, tuple[str, ...]]:
        """Claim or anchor -> where it is cited: "rows.weakness", "removals.child", "wording.safety_net"."""
        return _cited_by(self.table, self.wording)

    @property
    def reading(self) -> Reading:
        """The thresholds that the mapping needs."""
        limits = self.table.thresholds
        return Reading(finding_days=limits.finding_days, future_days=limits.future_days)


def load_knowledge(directory: Path | None = None) -> Knowledge:
    """The knowledge of that folder, by default the one shipped.

    Raises KnowledgeError with every problem found.
    """
    directory = directory or HERE
    terminology = load_terminology(directory)
    claims = load_claims(directory)
    table = load_table(directory, terminology)
    wording = load_wording(directory, table)
    pages = load_page_wording(directory, table, terminology, claims)
    order_codes = load_order_codes(directory)
    problems = [
        *_without_fate(claims, _cited_by(table, wording)),
        *_without_order(table, order_codes, wording),
    ]
    if problems:
        raise KnowledgeError(problems)
    templates = templates_of(table, terminology, order_codes, wording)
    hooks = load_hooks(directory, table, terminology)
    return Knowledge(
        table,
        terminology,
        claims,
        wording,
        order_codes,
        templates,
        hooks,
        version_of(directory),
        pages,
    )


def _cited_by(table: Table, wording: Wording) -> dict[str, tuple[str, ...]]:
    cited: dict[str, list[str]] = {}
    citing = [(f"rows.{row.id}", row.claims) for row in table.rows]
    citing += [(f"removals.{removal.id}", removal.claims) for removal in table.removals]
    citing += [(f"wording.{place}", claims) for place, claims in wording.rests_on.items()]
    for place, ids in citing:
        for name in ids:
            cited.setdefault(name, []).append(place)
    return {name: tuple(places) for name, places in cited.items()}


def _without_fate(claims: Claims, cited_by: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    """Whatever is cited exists; whatever exists is cited or declined, and never both."""
    for name, places in cited_by.items():
        if claims.get(name) is None:
            for place in places:
                kind, _, rest = place.partition(".")
                file, member = (WORDING, f"rests_on.{rest}") if kind == "wording" else (FILE, place)
                yield Problem(file, member, f"no claim or anchor {name} in sources/")
    reasons = " ".join(claim.declined or "" for claim in claims.claims.values())
    sources: list[Claim | Anchor] = [*claims.claims.values(), *claims.anchors.values()]
    for source in sources:
        # An anchor is used as well where a claim is declined because of it.
        used = source.id in cited_by or (source.id in claims.anchors and source.id in reasons)
        if used and source.declined:
            yield Problem("sources", source.id, "is used and declined: strike one of the two")
        if not used and not source.declined:
            yield Problem("sources", source.id, "nothing rests on it: cite it, or say why under declined")


def _without_order(table: Table, order_codes: Mapping[str, OrderCode], wording: Wording) -> list[Problem]:
    """Blood tests, studies and referrals must be orderable: by a code, else by a text."""
    problems = []
    for action in table.actions.values():
        if action.kind not in ("blood", "study", "referral"):
            continue
        for test in action.analytes or action.studies[:1] or (action.id,):
            if test not in order_codes and not wording.maybe(f"order_text.{test}"):
                problems.append(Problem(FILE, f"actions.{action.id}", f"nothing to order {test!r} with"))
    return problems


def version_of(directory: Path) -> str:
    """A hash of every file of the folder, byte for byte."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*.yaml")):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
