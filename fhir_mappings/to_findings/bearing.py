"""Which resources can say anything at all: most of a record has codes that no knowledge file knows."""

from __future__ import annotations

from typing import Any

from fhir_mappings import resources as fhir
from fhir_mappings.parse import Bearing
from fhir_mappings.terminology import Terminology, code_key


def bearing_on(terminology: Terminology) -> Bearing:
    """For one record: what was found of a code is remembered, for a record repeats its codes."""
    known: dict[tuple[str, str], bool] = {}

    def knows(concept: fhir.CodeableConcept | None) -> bool:
        for coding in (concept.coding or ()) if concept else ():
            if coding is None or not coding.system or not coding.code:
                continue
            written = coding.system, coding.code
            found = known.get(written)
            if found is None:
                found = known[written] = _is_known(written, terminology)
            if found:
                return True
        return False

    def coded(resource: Any) -> bool:
        return knows(resource.code)

    def observed(observation: fhir.Observation) -> bool:
        # A part may be of another code, or tell the course and place of the whole.
        return observation.component is not None or knows(observation.code)

    return {
        fhir.Condition: coded,
        fhir.Observation: observed,
        fhir.Procedure: coded,
        fhir.DiagnosticReport: coded,
    }


def _is_known(written: tuple[str, str], terminology: Terminology) -> bool:
    key = code_key(*written)
    return bool(
        terminology.finding_of(key)
        or key in terminology.analyte_codes
        or key in terminology.procedures
        or key in terminology.tobacco_status
    )
