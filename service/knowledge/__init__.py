"""The clinical knowledge, loaded and checked once, at start."""

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
from service.knowledge.conditions import FILE
from service.knowledge.decision_table import load_table
from service.knowledge.discovery import load_hooks
from service.knowledge.loading import KnowledgeError, Problem
from service.knowledge.page_wording import NO_PAGES, PageWording, load_page_wording
from service.knowledge.templates import Templates, templates_of
from service.knowledge.terminology_files import load_order_codes, load_terminology
from service.knowledge.wording import FILE as WORDING
from service.knowledge.wording import Wording, load_wording

__all__ = ["Knowledge", "KnowledgeError", "load_knowledge", "version_of"]

HERE = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """The content of a knowledge folder. version: a hash of all its files. Compared by identity."""

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
        """Claim or anchor -> the places that cite it, such as "rows.weakness" or "wording.safety_net"."""
        return _cited_by(self.table, self.wording)

    @property
    def reading(self) -> Reading:
        """The thresholds that the mapping of a record needs."""
        limits = self.table.thresholds
        return Reading(
            finding_days=limits.finding_days,
            future_days=limits.future_days,
            symptom_before_onset_days=limits.symptom_before_onset_days,
            symptom_days=limits.symptom_days,
            absence_before_record_days=limits.absence_before_record_days,
            acute_days=limits.acute_days,
        )


def load_knowledge(directory: Path | None = None) -> Knowledge:
    """Load a knowledge folder, by default data/.

    Raises:
        KnowledgeError: with every problem of the first step that fails.
    """
    directory = directory or HERE
    terminology = load_terminology(directory)
    claims = load_claims(directory)
    table = load_table(directory, terminology)
    wording = load_wording(directory, table)
    pages = load_page_wording(directory, table, terminology, claims)
    order_codes = load_order_codes(directory)
    problems = [
        *_claim_problems(claims, _cited_by(table, wording)),
        *_order_problems(table, order_codes, wording),
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


def _claim_problems(claims: Claims, cited_by: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    """What is cited must exist; what exists must be cited or declined, not both."""
    for name, places in cited_by.items():
        if claims.get(name) is None:
            for place in places:
                kind, _, rest = place.partition(".")
                file, member = (WORDING, f"rests_on.{rest}") if kind == "wording" else (FILE, place)
                yield Problem(file, member, f"no claim or anchor {name} in sources/")
    reasons = " ".join(claim.declined or "" for claim in claims.claims.values())
    sources: list[Claim | Anchor] = [*claims.claims.values(), *claims.anchors.values()]
    for source in sources:
        # An anchor is also used by a claim that is declined because of it.
        used = source.id in cited_by or (source.id in claims.anchors and source.id in reasons)
        if used and source.declined:
            yield Problem("sources", source.id, "is used and declined: strike one of the two")
        if not used and not source.declined:
            yield Problem("sources", source.id, "nothing rests on it: cite it, or say why under declined")


def _order_problems(
    table: Table, order_codes: Mapping[str, OrderCode], wording: Wording
) -> Iterator[Problem]:
    """A blood test, study or referral needs a code or a text to order it with."""
    for action in table.actions.values():
        if action.order is None:
            continue
        for test in action.analytes or action.ordered_as[:1]:
            if test not in order_codes and not wording.maybe(f"order_text.{test}"):
                yield Problem(FILE, f"actions.{action.id}", f"nothing to order {test!r} with")


def version_of(directory: Path) -> str:
    """A hash of all YAML files of a knowledge folder."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*.yaml")):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
