"""The resources of one patient: the newest version of each that is relevant, decoded whole.

An invalid resource is noted, and the rest is still read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from fhir_mappings.record import Note, Patient, Version
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import text_of
from fhir_mappings.resources.contained import HOLDERS, contained_observations
from fhir_mappings.resources.decoding import MODIFIED, decoded_in, is_modified
from fhir_mappings.resources.fhir_version import beyond_r4, content_of, fitting, version_of
from fhir_mappings.resources.patient import patient_of
from fhir_mappings.resources.preview import PREVIEWS, Preview, codes_of, subject_of, type_of
from fhir_mappings.resources.references import (
    NO_PATIENT,
    OTHER_FOCUS,
    OTHER_PATIENT,
    Identifiers,
    identifiers_in,
    is_elsewhere,
    why_of_another,
    why_of_another_logically,
)
from fhir_mappings.resources.submission import (
    FETCHED,
    Entry,
    InvalidEntry,
    Located,
    PatientError,
    Submission,
    newest,
)
from fhir_mappings.resources.validation import why

S = TypeVar("S", bound=fhir.Struct)

_MAX_EXPLAINED = 50
# Without a code they may be about anything.
_FINDINGS = ("Condition", "Observation")
NO_CODE = "it has no code"

_SHAPES: Mapping[str, type[fhir.Struct]] = {
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
# Types of which only resources with a known code are relevant.
_BY_CODE = frozenset(preview.kind for preview in PREVIEWS)
# Types that are read.
KINDS = frozenset((*_SHAPES, "Patient"))
# Whether a resource of a type in _BY_CODE, as a preview or whole, can matter for the decision; None where it
# has no code that decides this.
IsRelevant = Callable[[Any], bool | None]


@dataclass(frozen=True, slots=True)
class Resources:
    """The patient and every relevant resource of theirs. invalid: entries that may have been theirs.

    read: every entry of theirs, relevant or not, and Medications.
    """

    patient: Patient
    conditions: tuple[Located[fhir.Condition], ...] = ()
    observations: tuple[Located[fhir.Observation], ...] = ()
    medication_requests: tuple[Located[fhir.MedicationRequest], ...] = ()
    medication_statements: tuple[Located[fhir.MedicationStatement], ...] = ()
    medications: Mapping[str, Located[fhir.Medication]] = field(default_factory=dict)
    service_requests: tuple[Located[fhir.ServiceRequest], ...] = ()
    tasks: tuple[Located[fhir.Task], ...] = ()
    procedures: tuple[Located[fhir.Procedure], ...] = ()
    reports: tuple[Located[fhir.DiagnosticReport], ...] = ()
    family_histories: tuple[Located[fhir.FamilyMemberHistory], ...] = ()
    body_structures: Mapping[str, fhir.BodyStructure] = field(default_factory=dict)
    version: Version = Version.R4
    not_used: tuple[Note, ...] = ()
    not_understood: tuple[Note, ...] = ()
    not_seen: tuple[str, ...] = ()
    invalid: tuple[InvalidEntry, ...] = ()
    read: tuple[Entry, ...] = ()


def select(submission: Submission, is_relevant: IsRelevant = lambda _: True) -> Resources:
    """The relevant resources of the patient, typed.

    Of a resource that is not relevant only the preview is decoded: an invalid member elsewhere in it is not
    noted.

    Raises:
        PatientError: a Bundle holds no Patient, or several.
    """
    return _Selection(submission, is_relevant).resources()


class _Selection:
    def __init__(self, submission: Submission, is_relevant: IsRelevant) -> None:
        self.submission = submission
        self.is_relevant = is_relevant
        self.not_used: list[Note] = []
        self.not_understood: list[Note] = list(submission.not_understood)
        self.invalid = [InvalidEntry("", note) for note in submission.not_understood]
        # A caller that names the patient sends what it asked one server for.
        self.newest = dict(newest(submission.entries, one_server=submission.patient_id is not None))
        holders = [entry for kind in HOLDERS for entry in self._of(kind)]
        contained: dict[object, Entry] = {}
        for entry in contained_observations(holders, self.not_understood):
            contained[entry.expression] = entry
        if contained:
            self.newest["Observation"] = {**self.newest.get("Observation", {}), **contained}
        # By shape: some members identify the FHIR version.
        self.decoded: defaultdict[type[msgspec.Struct], list[Any]] = defaultdict(list)
        self.read: list[Entry] = []
        # Reference -> why it does not mean the patient, "" where it does: nearly all use the same reference.
        self.meant: dict[str | None, str] = {}
        self.raw_identifiers = fhir.NOT_THERE
        for entry in submission.entries:
            if entry.preview is None:
                self._note_invalid(entry, Note(entry.expression, "its id or resourceType cannot be read"))

    def _of(self, kind: str) -> Iterable[Entry]:
        return self.newest.get(kind, {}).values()

    def resources(self) -> Resources:
        try:
            patient, names = self._patient()
        except PatientError as error:
            error.notes = self._invalid_notes()
            raise
        lists: defaultdict[type[fhir.Struct], list[Located[Any]]] = defaultdict(list)
        for kind, shape in _SHAPES.items():
            if kind in self.newest:
                lists[shape] += [_located(*pair) for pair in self._of_patient(kind, shape, names)]
        not_seen = [*self.submission.not_seen, *self._only_of_others()]
        if patient is None and "patient" not in not_seen:
            not_seen.insert(0, "patient")
        medications = self._by_name("Medication", fhir.Medication)
        structures = self._by_name("BodyStructure", fhir.BodyStructure)
        return Resources(
            patient=patient or Patient(id=self.submission.patient_id),
            conditions=tuple(lists[fhir.Condition]),
            observations=tuple(lists[fhir.Observation]),
            medication_requests=tuple(lists[fhir.MedicationRequest]),
            medication_statements=tuple(lists[fhir.MedicationStatement]),
            medications=medications,
            service_requests=tuple(lists[fhir.ServiceRequest]),
            tasks=tuple(lists[fhir.Task]),
            procedures=tuple(lists[fhir.Procedure]),
            reports=tuple(lists[fhir.DiagnosticReport]),
            family_histories=tuple(lists[fhir.FamilyMemberHistory]),
            body_structures={name: located.resource for name, located in structures.items()},
            version=self._version(),
            not_used=tuple(sorted(self.not_used, key=lambda note: (note.reference, note.why))),
            not_understood=tuple(self.not_understood),
            not_seen=tuple(not_seen),
            invalid=tuple(entry for entry in self._invalid_in_order() if not entry.is_of_another(names)),
            read=tuple(self.read),
        )

    def _invalid_notes(self) -> list[Note]:
        """Notes on every invalid entry, whoever it is about."""
        for kind, shape in _SHAPES.items():
            for entry in self._of(kind):
                if not isinstance(entry.preview, Preview) or self.is_relevant(entry.preview) is not False:
                    self._decoded(entry, shape)
        return self.not_understood

    def _invalid_in_order(self) -> list[InvalidEntry]:
        """In the order of the request, not by type."""
        if len(self.invalid) < 2:
            return self.invalid
        places = {entry.expression: number for number, entry in enumerate(self.submission.entries)}
        return sorted(self.invalid, key=lambda entry: places.get(entry.note.expression or "", -1))

    def _of_patient(self, kind: str, shape: type[S], names: tuple[str, ...]) -> Iterator[tuple[Entry, S]]:
        """The relevant resources of that type that are of the patient."""
        by_code, is_relevant = kind in _BY_CODE, self.is_relevant
        meant, decoded = self.meant, self.decoded
        for entry in self._of(kind):
            resource: Any = entry.preview
            relevant = is_relevant(resource) if isinstance(resource, Preview) else None
            if relevant is not False:
                resource = self._decoded(entry, shape)
                if resource is None:
                    continue
                if relevant is None:
                    relevant = not by_code or is_relevant(resource)
            subject = getattr(resource, "subject", None)
            # Nearly every resource has the reference of the one before it.
            if (subject is None or meant.get(subject.reference) != "") and not self._belongs(
                entry, resource, names
            ):
                continue
            if isinstance(resource, fhir.Observation) and is_elsewhere(resource, names):
                self.not_used.append(Note(entry.reference, OTHER_FOCUS))
                continue
            self.read.append(entry)
            decoded[type(resource)].append(resource)
            if relevant and is_modified(resource):
                self.not_understood.append(Note(entry.reference, MODIFIED, f"{kind}.modifierExtension"))
            elif relevant:
                yield entry, resource
            elif relevant is None and kind in _FINDINGS and not text_of(resource.code):
                self.not_understood.append(Note(entry.reference, NO_CODE, f"{kind}.code"))

    def _only_of_others(self) -> list[str]:
        """Prefetch keys whose every resource is of another patient: this patient's list was not supplied."""
        foreign = {note.reference for note in self.not_used}
        if not foreign:
            return []
        own = {key_of(entry.expression) for entry in self.read}
        keys = {
            key_of(entry.expression)
            for kind in _SHAPES
            for entry in self._of(kind)
            if entry.reference in foreign
        }
        return sorted(key for key in keys - own - set(self.submission.not_seen) if key)

    def _decoded(self, entry: Entry, shape: type[S]) -> S | None:
        """The resource in that shape, or None (noted) where it is invalid.

        A member of another shape is noted, and the rest is read.
        """
        decoded = decoded_in(shape, bytes(entry.raw))
        for member, fault in decoded.faults:
            note = Note(entry.reference, f"is not read: {fault}", f"{entry.kind}.{member}")
            self.not_understood.append(note)
        if decoded.resource is None:
            reason = decoded.reason
            # The models explain well and slowly: a body of invalid resources must not hold a worker.
            if len(self.not_understood) < _MAX_EXPLAINED:
                reason = why(bytes(entry.raw), entry.kind, reason)
            self._note_invalid(entry, Note(entry.reference, reason, entry.expression))
        return decoded.resource

    def _note_invalid(self, entry: Entry, note: Note) -> None:
        raw = bytes(entry.raw)
        self.not_understood.append(note)
        self.invalid.append(InvalidEntry(type_of(raw), note, codes_of(raw), subject_of(raw)))

    def _by_name(self, kind: str, shape: type[S]) -> dict[str, Located[S]]:
        """Resources that are of no patient, under every name that a reference may have."""
        by_name: dict[str, Located[S]] = {}
        # Names of several resources that differ, on different servers.
        several: set[str] = set()
        for entry in self._of(kind):
            resource = self._decoded(entry, shape)
            if resource is None:
                continue
            if shape is fhir.Medication:
                self.decoded[shape].append(resource)
                self.read.append(entry)
            located = _located(entry, resource)
            several |= {
                name for name in entry.names if by_name.setdefault(name, located).resource != resource
            }
        return {name: located for name, located in by_name.items() if name not in several}

    def _version(self) -> Version:
        """The FHIR version of the record."""
        if not beyond_r4({entry.kind for entry in self.read}, self.decoded):
            return Version.R4
        return version_of(fitting(content_of(bytes(entry.raw))) for entry in self.read)

    def _patient(self) -> tuple[Patient | None, tuple[str, ...]]:
        """The patient (None: not supplied) and every name that a subject may have."""
        patients = list(self._of("Patient"))
        wanted = self.submission.patient_id
        if wanted is not None:
            others = [entry for entry in patients if entry.id != wanted]
            self.not_used += [Note(entry.reference, OTHER_PATIENT) for entry in others]
            patients = [entry for entry in patients if entry.id == wanted]
            if not patients:
                return None, (f"Patient/{wanted}",)
        if not patients:
            raise PatientError("none", "The bundle holds no Patient: add the patient it is about.")
        if len(patients) > 1:
            raise PatientError(
                "several", "The bundle holds several Patients: send one bundle for each patient."
            )
        entry = patients[0]
        resource = self._decoded(entry, fhir.Patient)
        if resource is None:
            return Patient(id=entry.id, reference=entry.full_url), entry.names
        self.raw_identifiers = resource.identifier
        return patient_of(resource, entry, self.not_understood), entry.names

    def _belongs(self, entry: Entry, resource: Any, names: tuple[str, ...]) -> bool:
        """Whether the resource is of the patient; noted where it is not."""
        members = (getattr(resource, member, None) for member in ("subject", "patient", "for_"))
        subject = next((member for member in members if member is not None), None)
        if entry.draft and subject is None:
            # An order form may not have filled it in yet: the context names the patient.
            return True
        why = NO_PATIENT if subject is None else self._why_of_another(subject, names)
        if why:
            self.not_used.append(Note(entry.reference, why))
        return not why

    @cached_property
    def identifiers(self) -> Identifiers:
        """Those of the patient."""
        return identifiers_in(self.raw_identifiers)

    def _why_of_another(self, subject: Any, names: tuple[str, ...]) -> str:
        reference = subject.reference
        if not reference:
            return why_of_another_logically(subject.type, subject.identifier, lambda: self.identifiers)
        if reference not in self.meant:
            self.meant[reference] = why_of_another(reference, names, lambda: self.identifiers)
        return self.meant[reference]


def _located(entry: Entry, resource: S) -> Located[S]:
    return Located(resource, entry.reference, entry.expression, entry.draft, entry.names, entry.selected)


def key_of(expression: str) -> str:
    """The prefetch key of "prefetch.conditions.entry[0].resource"; "" for a bundle's entry."""
    parts = expression.split(".")
    return parts[1] if f"{parts[0]}." in ("prefetch.", FETCHED) and len(parts) > 1 else ""
