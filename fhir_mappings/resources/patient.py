"""The Patient resource -> the patient of the record."""

from __future__ import annotations

from fhir_mappings.record import Note, Patient
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.dates import NOT_A_DATE, InvalidDate, legible_days, maybe_days
from fhir_mappings.resources.submission import Entry


def patient_of(resource: fhir.Patient, entry: Entry, notes: list[Note]) -> Patient:
    """The patient; notes a birth date that is not FHIR's."""
    try:
        born = maybe_days(resource.birthDate)
    except InvalidDate as error:
        legible = legible_days(resource.birthDate or "")
        notes.append(Note(entry.reference, NOT_A_DATE if legible else str(error), "Patient.birthDate"))
        born = legible or maybe_days(None)
    return Patient(
        id=resource.id,
        born=born,
        sex=resource.gender,
        deceased=bool(resource.deceasedBoolean or resource.deceasedDateTime),
        reference=entry.full_url,
    )
