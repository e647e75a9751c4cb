"""FamilyMemberHistory -> neurological disease in the family, always told."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.record import Basis, Status
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of, text_of
from fhir_mappings.resources.submission import Located
from fhir_mappings.to_findings.findings import Reader
from fhir_mappings.to_findings.onsets import Dates
from fhir_mappings.to_findings.statements import Said

FAMILY = "family-neurological"


def family_said(reader: Reader, located: Located[fhir.FamilyMemberHistory]) -> Iterator[Said]:
    """One Said for each neurological condition of a relative."""
    resource = located.resource
    if (resource.status or "").strip().lower() == "entered-in-error" or resource.notDone:
        return
    recorded = Dates(located.reference, reader.notes).days(resource.date, "FamilyMemberHistory.date")
    if not reader.exists(recorded):
        return
    findings = reader.terminology.findings
    for index, condition in enumerate(resource.condition or ()):
        if condition is None:
            continue
        codes = [code for key in keys_of(condition.code) for code in reader.terminology.finding_of(key)]
        if any(
            findings[c.finding].neurological or c.finding == FAMILY for c in codes if c.finding in findings
        ):
            yield Said(
                FAMILY,
                Status.PRESENT,
                Basis.REPORTED,
                located.reference,
                f"FamilyMemberHistory.condition[{index}].code",
                text_of(condition.code),
                day=recorded.latest,
            )
