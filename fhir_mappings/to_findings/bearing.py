"""Which resources can say anything at all: most of a record has codes that no knowledge file knows."""

from __future__ import annotations

from typing import Any

from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import twitch_named_by
from fhir_mappings.resources.preview import ConditionPreview
from fhir_mappings.resources.select import IsRelevant
from fhir_mappings.terminology import Terminology, code_key

_BY_NAME = (ConditionPreview, fhir.Condition)


def bearing_on(terminology: Terminology) -> IsRelevant:
    """For one record: what was found of a code is remembered, for a record repeats its codes."""
    known: dict[tuple[str, str], bool] = {}

    def bears(resource: Any) -> bool | None:
        # A part may be of another code, or tell the course and place of the whole.
        if getattr(resource, "component", None) is not None:
            return True
        says, concept = None, resource.code
        for coding in (concept.coding or ()) if concept else ():
            if coding is None or not coding.system or not coding.code:
                continue
            written = coding.system, coding.code
            found = known.get(written)
            if found is None:
                found = known[written] = _is_known(written, terminology)
            if found:
                return True
            says = False
        # In words it may be a twitch all the same.
        if isinstance(resource, _BY_NAME) and twitch_named_by(concept, terminology):
            return True
        return says

    return bears


def _is_known(written: tuple[str, str], terminology: Terminology) -> bool:
    key = code_key(*written)
    return bool(
        key in terminology.analyte_codes
        or key in terminology.procedures
        or key in terminology.tobacco_status
        or terminology.finding_of(key)
    )
