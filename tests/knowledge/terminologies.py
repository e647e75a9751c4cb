"""The shipped terminology, loaded once, and what a code of it says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fhir_mappings.code_systems import code_key
from fhir_mappings.terminology import Terminology
from service.knowledge.terminology_files import load_terminology

KNOWLEDGE = Path(__file__).parents[2] / "service" / "knowledge" / "data"
SILENT = {"shown", "look-alike"}


@cache
def terminology() -> Terminology:
    return load_terminology(KNOWLEDGE)


def said(system: str, code: str) -> set[str]:
    """Findings that the code makes present; what is only shown, or a look-alike, is none."""
    known = terminology()
    codes = known.finding_of(code_key(system, code))
    return {one.finding for one in codes if known.findings[one.finding].kind not in SILENT}


def known(system: str, code: str) -> set[str]:
    return {one.finding for one in terminology().finding_of(code_key(system, code))}
