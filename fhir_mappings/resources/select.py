"""Raw entries -> typed resources of one patient. A bad one is named, and the rest is still read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from fhir_mappings.record import Note, Patient, Version
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.dates import UnreadableDate, maybe_days
from fhir_mappings.resources.fhir_version import beyond_r4, content_of, fitting, version_of
from fhir_mappings.resources.invalid import Unread, unread_of
from fhir_mappings.resources.newest import newest
from fhir_mappings.resources.preview import LOOKS, Look
from fhir_mappings.resources.references import refers_to
from fhir_mappings.resources.submission import FETCHED, Entry, Located, PatientError, Submission
from fhir_mappings.resources.validation import why

S = TypeVar("S", bound=fhir.Struct)

_MOST_EXPLAINED = 50
OTHER_PATIENT = "belongs to another patient"
NO_PATIENT = "names no patient, so it cannot be checked"
_CONTAINED = "names a patient of its own, so it cannot be checked"

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
    # STU3 has two for what is one since R4.
    "ProcedureRequest": fhir.ServiceRequest,
    "ReferralRequest": fhir.ServiceRequest,
}
# The types of which a resource with an unknown code says nothing.
_BY_CODE = frozenset(look.kind for look in LOOKS)
# The types of which anything is read.
KINDS = frozenset((*_SHAPES, "Patient"))


_ALL_SHAPES: set[type[fhir.Struct]] = {*_SHAPES.values(), fhir.Patient, fhir.Medication, fhir.BodyStructure}
_DECODERS: Mapping[type[fhir.Struct], msgspec.json.Decoder[Any]] = {
    shape: msgspec.json.Decoder(shape) for shape in _ALL_SHAPES
}
# Whether a resource of a type that is read by its code, looked at or whole, can say anything to the decision;
# None where it has no code that tells.
Bears = Callable[[Any], bool | None]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The patient and every resource of theirs that the mapping reads. unread: what may have been theirs."""

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
    unread: tuple[Unread, ...] = ()


def parse(submission: Submission, bears: Bears = lambda _: True) -> Parsed:
    """The submission as typed resources.

    bears: what is about something else by its code is passed over after the first look. Its faults are then
    nobody's, unless they are of its code or its subject.
    Raises PatientError if a bundle is about no patient, or about several.
    """
    return _Parser(submission, bears).parsed()


class _Parser:
    def __init__(self, submission: Submission, bears: Bears) -> None:
        self.submission = submission
        self.bears = bears
        self.not_used: list[Note] = []
        self.not_understood: list[Note] = list(submission.not_understood)
        self.unread = [Unread("", note) for note in submission.not_understood]
        self.found = newest(submission.entries)
        # What was read of the patient, by its shape: some tell the version they are written in.
        self.looked_at: defaultdict[type[msgspec.Struct], list[Any]] = defaultdict(list)
        self.read: list[Entry] = []
        # Reference -> whether it means the patient: nearly all say it with the same words.
        self.meant: dict[str, bool] = {}
        for entry in submission.entries:
            if entry.head is None:
                note = Note(entry.expression, "its id or resourceType cannot be read")
                self._not_read(bytes(entry.raw), note)

    def _of(self, kind: str) -> Iterable[Entry]:
        found = self.found.get(kind)
        return found.values() if found else ()

    def parsed(self) -> Parsed:
        patient, names = self._patient()
        lists: dict[str, list[Located[Any]]] = {}
        for kind, shape in _SHAPES.items():
            if kind not in self.found:
                continue
            located = [_located(*one) for one in self._of_patient(kind, shape, names)]
            lists.setdefault(shape.__name__, []).extend(located)
        not_seen = [*self.submission.not_seen, *self._only_of_others()]
        if patient is None and "patient" not in not_seen:
            not_seen.insert(0, "patient")

        def of(kind: str) -> tuple[Any, ...]:
            return tuple(lists.get(kind, ()))

        medications = self._medications()

        return Parsed(
            patient=patient or Patient(id=self.submission.patient_id),
            conditions=of("Condition"),
            observations=of("Observation"),
            medication_requests=of("MedicationRequest"),
            medication_statements=of("MedicationStatement"),
            medications=medications,
            service_requests=of("ServiceRequest"),
            tasks=of("Task"),
            procedures=of("Procedure"),
            reports=of("DiagnosticReport"),
            family_histories=of("FamilyMemberHistory"),
            body_structures=self._body_structures(),
            version=self._version(),
            not_used=tuple(sorted(self.not_used, key=lambda n: (n.reference, n.why))),
            not_understood=tuple(self.not_understood),
            not_seen=tuple(not_seen),
            unread=tuple(one for one in self._in_order(self.unread) if not one.is_of_another(names)),
        )

    def _in_order(self, unread: list[Unread]) -> list[Unread]:
        """As they were sent, and not by their types: who reads the errors reads along."""
        if len(unread) < 2:
            return unread
        places = {entry.expression: number for number, entry in enumerate(self.submission.entries)}
        return sorted(unread, key=lambda one: places.get(one.note.expression or "", -1))

    def _of_patient(self, kind: str, shape: type[S], names: tuple[str, ...]) -> Iterator[tuple[Entry, S]]:
        """The resources of that type that are of the patient and can say anything."""
        by_code, bears, meant, looked_at = kind in _BY_CODE, self.bears, self.meant, self.looked_at
        for entry in self._of(kind):
            seen: Any = entry.head
            says = bears(seen) if isinstance(seen, Look) else None
            if says is not False:
                seen = self._decoded(entry, shape)
                if seen is None:
                    continue
                if says is None:
                    says = not by_code or bears(seen)
            subject = getattr(seen, "subject", None)
            # Nearly every resource names the patient as the one before it did.
            known = subject is not None and meant.get(subject.reference)
            if not known and not self._belongs(entry, seen, names):
                continue
            self.read.append(entry)
            looked_at[type(seen)].append(seen)
            if says:
                yield entry, seen

    def _only_of_others(self) -> list[str]:
        """Prefetch keys whose every resource is of somebody else: this patient's list was not seen."""
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

    def _read(self, found: Entry, shape: type[S]) -> Located[S] | None:
        resource = self._decoded(found, shape)
        return None if resource is None else _located(found, resource)

    def _decoded(self, found: Entry, shape: type[S]) -> S | None:
        """The resource in that shape, or None (noted) where it does not fit."""
        try:
            resource: S = _DECODERS[shape].decode(found.raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
            reason = _structural(error)
            # The models explain well and slowly: a body of broken resources must not hold a worker.
            if len(self.not_understood) < _MOST_EXPLAINED:
                reason = why(bytes(found.raw), found.kind, reason)
            note = Note(found.reference, reason, found.expression)
            self._not_read(bytes(found.raw), note)
            return None
        return resource

    def _not_read(self, raw: bytes, note: Note) -> None:
        self.not_understood.append(note)
        self.unread.append(unread_of(raw, note))

    def _medications(self) -> dict[str, Located[fhir.Medication]]:
        medications: dict[str, Located[fhir.Medication]] = {}
        for found in self._of("Medication"):
            located = self._read(found, fhir.Medication)
            if located is not None:
                self.looked_at[fhir.Medication].append(located.resource)
                self.read.append(found)
                medications |= dict.fromkeys(found.names, located)
        return medications

    def _body_structures(self) -> dict[str, fhir.BodyStructure]:
        structures: dict[str, fhir.BodyStructure] = {}
        for found in self._of("BodyStructure"):
            located = self._read(found, fhir.BodyStructure)
            if located is not None:
                structures |= dict.fromkeys(found.names, located.resource)
        return structures

    def _version(self) -> Version:
        """The one version that everything read fits; asked only where something is not of R4."""
        if not beyond_r4({found.kind for found in self.read}, self.looked_at):
            return Version.R4
        return version_of(fitting(content_of(bytes(found.raw))) for found in self.read)

    def _patient(self) -> tuple[Patient | None, tuple[str, ...]]:
        """The patient (None: not seen) and every name that a subject may have."""
        patients = list(self._of("Patient"))
        wanted = self.submission.patient_id
        if wanted is not None:
            others = [found for found in patients if found.id != wanted]
            self.not_used += [Note(found.reference, OTHER_PATIENT) for found in others]
            patients = [found for found in patients if found.id == wanted]
            if not patients:
                return None, (f"Patient/{wanted}",)
        if not patients:
            raise PatientError("none", "The bundle holds no Patient: add the patient it is about.")
        if len(patients) > 1:
            raise PatientError(
                "several", "The bundle holds several Patients: send one bundle for each patient."
            )
        found = patients[0]
        located = self._read(found, fhir.Patient)
        if located is None:
            return Patient(id=found.id, reference=found.full_url), found.names
        return self._patient_of(located, found), found.names

    def _patient_of(self, located: Located[fhir.Patient], found: Entry) -> Patient:
        resource = located.resource
        try:
            born = maybe_days(resource.birthDate)
        except UnreadableDate as error:
            self.not_understood.append(Note(found.reference, str(error), "Patient.birthDate"))
            born = maybe_days(None)
        return Patient(
            id=resource.id,
            born=born,
            sex=resource.gender,
            deceased=bool(resource.deceasedBoolean or resource.deceasedDateTime),
            reference=found.full_url,
        )

    def _belongs(self, found: Entry, resource: fhir.Struct, names: tuple[str, ...]) -> bool:
        subject = _subject_of(resource)
        if found.draft and subject is None:
            # The form of an order may not hold it yet: the context says whose orders these are.
            return True
        if subject is None or not subject.reference:
            self.not_used.append(Note(found.reference, NO_PATIENT))
            return False
        reference = subject.reference
        meant = self.meant.get(reference)
        if meant is None:
            contained = reference.startswith("#")
            meant = self.meant[reference] = not contained and refers_to(reference, "Patient", names)
        if not meant:
            why = _CONTAINED if reference.startswith("#") else OTHER_PATIENT
            self.not_used.append(Note(found.reference, why))
        return meant


def _located(entry: Entry, resource: S) -> Located[S]:
    return Located(resource, entry.reference, entry.expression, entry.draft, entry.names, entry.selected)


def _subject_of(resource: Any) -> fhir.Reference | None:
    for member in ("subject", "patient", "for_"):
        reference: fhir.Reference | None = getattr(resource, member, None)
        if reference is not None:
            return reference
    return None


def _structural(error: Exception) -> str:
    if isinstance(error, msgspec.MsgspecError):
        return str(error).replace("`", "")
    return "nested too deeply" if isinstance(error, RecursionError) else "not valid UTF-8"


def key_of(expression: str) -> str:
    """The prefetch key of "prefetch.conditions.entry[0].resource"; "" for a bundle's entry."""
    parts = expression.split(".")
    return parts[1] if f"{parts[0]}." in ("prefetch.", FETCHED) and len(parts) > 1 else ""
