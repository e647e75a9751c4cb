"""The relevant resources of one patient, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fhir_mappings.record import Version
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.submission import Located

# Type -> its shape.
SHAPES: Mapping[str, type[fhir.Struct]] = {
    "Condition": fhir.Condition,
    "Observation": fhir.Observation,
    "MedicationRequest": fhir.MedicationRequest,
    "MedicationStatement": fhir.MedicationStatement,
    "ServiceRequest": fhir.ServiceRequest,
    "Task": fhir.Task,
    "Procedure": fhir.Procedure,
    "DiagnosticReport": fhir.DiagnosticReport,
    "FamilyMemberHistory": fhir.FamilyMemberHistory,
    # Ballots of R5 renamed the statement and kept its members.
    "MedicationUsage": fhir.MedicationStatement,
    # STU3 has two types for one of R4.
    "ProcedureRequest": fhir.ServiceRequest,
    "ReferralRequest": fhir.ServiceRequest,
}


@dataclass(frozen=True, slots=True)
class Resources:
    """Every relevant resource of the patient. medications: by every name that a reference may have."""

    observations: tuple[Located[fhir.Observation], ...] = ()
    medication_requests: tuple[Located[fhir.MedicationRequest], ...] = ()
    medication_statements: tuple[Located[fhir.MedicationStatement], ...] = ()
    medications: Mapping[str, Located[fhir.Medication]] = field(default_factory=dict)
    service_requests: tuple[Located[fhir.ServiceRequest], ...] = ()
    tasks: tuple[Located[fhir.Task], ...] = ()
    procedures: tuple[Located[fhir.Procedure], ...] = ()
    reports: tuple[Located[fhir.DiagnosticReport], ...] = ()
    family_histories: tuple[Located[fhir.FamilyMemberHistory], ...] = ()
    version: Version = Version.R4
