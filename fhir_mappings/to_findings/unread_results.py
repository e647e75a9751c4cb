"""Panels and reports of blood tests whose values stand in a text or a document: named, never read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from fhir_mappings.code_systems import CodeKey
from fhir_mappings.record import Note
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of
from fhir_mappings.resources.submission import Located
from fhir_mappings.to_findings.findings import Reader
from fhir_mappings.to_findings.observations import Observed
from fhir_mappings.to_findings.onsets import Dates, effective_of
from fhir_mappings.to_findings.statuses import NO_OBSERVATION, status_word

PANEL_IN_TEXT = "a panel with its values in one text: they are not read"
REPORT_IN_TEXT = "a report of blood tests without results: its text or document is not read"
_EMPTY = (b"null", b"[]", b'""')

# Day, reference, and why it is not read; "" where it has results.
_Found = tuple[date, str, str]


def name_unread_results(
    reader: Reader, observations: Iterable[Observed], reports: Iterable[Located[fhir.DiagnosticReport]]
) -> None:
    """Add a note on the newest panel or report of the same blood tests, where it holds no results."""
    panels = reader.terminology.panels
    newest: dict[frozenset[str], _Found] = {}

    def add(keys: Iterable[CodeKey], days: tuple[str | None, ...], reference: str, why: str) -> None:
        tests = frozenset[str]().union(*(panels.get(key, ()) for key in keys))
        written = next(filter(None, days), None)
        found = Dates(reference, []).days(written, "").latest or date.min, reference, why
        newest[tests] = max(newest.get(tests, found), found)

    for one in observations:
        if panels.keys().isdisjoint(one.keys) or one.status in NO_OBSERVATION:
            continue
        panel, (effective, period) = one.resource, effective_of(one.resource)
        whole = one.components or panel.related or not _is_empty(panel.hasMember)
        why = "" if whole or not (panel.valueString or "").strip() else PANEL_IN_TEXT
        add(one.keys, (effective, period.end if period else None, panel.issued), one.reference, why)
    for located in reports:
        report, keys = located.resource, keys_of(located.resource.code)
        if panels.keys().isdisjoint(keys) or status_word(report.status) in NO_OBSERVATION:
            continue
        written = not (_is_empty(report.conclusion) and _is_empty(report.presentedForm))
        whole = not (_is_empty(report.result) and _is_empty(report.contained))
        why = REPORT_IN_TEXT if written and not whole else ""
        add(keys, (report.effectiveDateTime, report.issued), located.reference, why)
    for _, reference, why in newest.values():
        if why:
            reader.notes.append(Note(reference, why))


def _is_empty(member: msgspec.Raw) -> bool:
    return bytes(member).strip() in _EMPTY
