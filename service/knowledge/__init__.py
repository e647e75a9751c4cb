"""The clinical knowledge, loaded and checked once, at start."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fhir_mappings.record import Reading
from fhir_mappings.terminology import OrderCode, Terminology
from service.decision.table import Row, Table
from service.knowledge.apply_texts import ApplyTexts, load_apply_texts
from service.knowledge.claims import Anchor, Claim, Claims, load_claims
from service.knowledge.conditions import FILE
from service.knowledge.decision_table import load_table
from service.knowledge.discovery import load_hooks
from service.knowledge.loading import Folder, KnowledgeError, Problem
from service.knowledge.overlay import files_of, named, overlaid
from service.knowledge.page_wording import NO_PAGES, PageWording, load_page_wording
from service.knowledge.site_codes import SiteCodes, load_site_codes
from service.knowledge.templates import Templates, check_templates, templates_of
from service.knowledge.terminology_files import load_order_codes, load_terminology
from service.knowledge.wording import FILE as WORDING
from service.knowledge.wording import Wording, load_wording

__all__ = ["Knowledge", "KnowledgeError", "load_knowledge", "version_of"]

HERE = Path(__file__).parent / "data"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Site:
    """What a site changed. overlay: the files of its overlay. codes: its own codes; None without a file."""

    overlay: tuple[str, ...] = ()
    codes: SiteCodes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """The content of a knowledge folder, with what a site changed. Compared by identity.

    version: a hash of all its files, and of those of the site.
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
    site: Site | None = None
    apply: ApplyTexts = field(default_factory=ApplyTexts)

    @property
    def cited_by(self) -> Mapping[str, tuple[str, ...]]:
        """Claim or anchor -> the places that cite it, such as "rows.weakness" or "wording.safety_net"."""
        return _cited_by(self.table.rows, self.table, self.wording)

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


def load_knowledge(
    directory: Path | None = None, overlay: Path | None = None, site_codes: Path | None = None
) -> Knowledge:
    """Load a knowledge folder, by default data/, with a site's overlay and its own codes.

    Raises:
        KnowledgeError: with every problem of the first step that fails; with every problem of the overlay and
            of the codes where a site has them.
    """
    shipped = directory or HERE
    folder, problems = overlaid(shipped, overlay) if overlay else (Folder(shipped), [])
    problems = [named(problem) for problem in problems]

    def load(loader: Callable[..., T], *needed: object) -> T:
        """Load with the overlay; where it has problems, without, to find those of the next step too."""
        try:
            return loader(folder, *needed)
        except KnowledgeError as error:
            if overlay is None:
                raise
            problems.extend(map(named, error.problems))
        try:
            return loader(Folder(shipped), *needed)
        except KnowledgeError:
            raise KnowledgeError(list(dict.fromkeys(problems))) from None

    terminology = load(load_terminology)
    claims = load(load_claims)
    order_codes = load(load_order_codes)
    codes = None
    if site_codes is not None:
        try:
            terminology, codes = load_site_codes(site_codes, terminology)
        except KnowledgeError as error:
            problems.extend(error.problems)
    table = load(load_table, terminology)
    wording = load(load_wording, table)
    pages = load(load_page_wording, table, terminology, claims)
    hooks = load(load_hooks, table, terminology)
    apply = load(load_apply_texts)
    crossing = [
        *_claim_problems(claims, _cited_by(table.all_rows, table, wording)),
        *_order_problems(table, order_codes, wording),
    ]
    problems += map(named, crossing) if overlay else crossing
    if problems:
        raise KnowledgeError(list(dict.fromkeys(problems)))
    templates = templates_of(table, terminology, order_codes, wording)
    if directory is not None or overlay is not None:
        check_templates(templates)
    site = None
    if overlay is not None or codes is not None:
        site = Site(tuple(folder.changed), codes)
    return Knowledge(
        table,
        terminology,
        claims,
        wording,
        order_codes,
        templates,
        hooks,
        version_of(shipped, overlay, site_codes),
        pages,
        site,
        apply,
    )


def _cited_by(rows: Iterable[Row], table: Table, wording: Wording) -> dict[str, tuple[str, ...]]:
    cited: dict[str, list[str]] = {}
    citing = [(f"rows.{row.id}", row.claims) for row in rows]
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


def version_of(directory: Path, overlay: Path | None = None, site_codes: Path | None = None) -> str:
    """A hash of all YAML files of a knowledge folder, of those of an overlay, and of a site's codes."""
    digest = hashlib.sha256()
    files = [(path.relative_to(directory).as_posix(), path) for path in sorted(directory.rglob("*.yaml"))]
    if overlay is not None:
        files += [(f"overlay/{path.relative_to(overlay).as_posix()}", path) for path in files_of(overlay)]
    if site_codes is not None:
        files.append(("site codes", site_codes))
    for name, path in files:
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
