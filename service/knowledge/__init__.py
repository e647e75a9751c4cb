"""The clinical knowledge: loaded and checked once, at start. A broken file stops the start."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_mappings.findings import Reading
from fhir_mappings.terminology import OrderCode, Terminology
from service.decision.table import Table
from service.knowledge.claims import Claims, load_claims
from service.knowledge.decision_table import FILE, load_table
from service.knowledge.hooks import load_hooks
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.templates import Templates, templates_of
from service.knowledge.terminology import load_order_codes, load_terminology
from service.knowledge.wording import Wording, load_wording

__all__ = ["Knowledge", "KnowledgeError", "load_knowledge"]

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that is known, checked. version: a hash of all its files."""

    table: Table
    terminology: Terminology
    claims: Claims
    wording: Wording
    order_codes: Mapping[str, OrderCode]
    templates: Templates
    hooks: tuple[Mapping[str, Any], ...]
    version: str

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
    order_codes = load_order_codes(directory)
    problems = [
        *_unknown_claims(table, claims),
        *_without_order(table, order_codes, wording),
    ]
    if problems:
        raise KnowledgeError(problems)
    templates = templates_of(table, terminology, order_codes, wording)
    hooks = load_hooks(directory, table, terminology)
    return Knowledge(table, terminology, claims, wording, order_codes, templates, hooks, _version(directory))


def _unknown_claims(table: Table, claims: Claims) -> list[Problem]:
    cited = [(f"rows.{row.id}", row.claims) for row in table.rows]
    cited += [(f"removals.{removal.id}", removal.claims) for removal in table.removals]
    return [
        Problem(FILE, place, f"no claim or anchor {claim} in sources/")
        for place, ids in cited
        for claim in ids
        if claims.get(claim) is None
    ]


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


def _version(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*.yaml")):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
