"""The resources of one patient: the newest version of each that is relevant, decoded whole.

What decides the gate is read first, the rest when it is asked for. An invalid resource is noted, and the rest
is still read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from fhir_mappings.record import Note, Patient, Version
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.belonging import Belonging
from fhir_mappings.resources.concepts import text_of
from fhir_mappings.resources.contained import HOLDERS, contained_observations
from fhir_mappings.resources.decoding import MODIFIED, decoder_of, is_modified, repaired
from fhir_mappings.resources.fhir_version import beyond_r4, content_of, fitting, version_of
from fhir_mappings.resources.patient import patient_of
from fhir_mappings.resources.preview import (
    PREVIEWS,
    Preview,
    RelevanceOf,
    codes_of,
    subject_of,
    type_of,
)
from fhir_mappings.resources.references import NO_ID, OTHER_FOCUS, OTHER_PATIENT, is_elsewhere
from fhir_mappings.resources.resources import SHAPES, Resources
from fhir_mappings.resources.submission import (
    NEVER_MISSED,
    Entry,
    InvalidEntry,
    Located,
    PatientError,
    Submission,
    keys_of,
    newest,
)
from fhir_mappings.resources.validation import why
from fhir_mappings.terminology import Relevance

S = TypeVar("S", bound=fhir.Struct)

_MAX_EXPLAINED = 50
_resource = attrgetter("resource")
# Without a code they may be about anything.
_FINDINGS = ("Condition", "Observation")
_RESPONSE = "QuestionnaireResponse"
NO_CODE = "it has no code"

# Types of which only resources with a known code are relevant.
_BY_CODE = frozenset(preview.kind for preview in PREVIEWS)
# Types that are read.
KINDS = frozenset((*SHAPES, "Patient", _RESPONSE))


class Selection:
    """The resources of the patient of one submission.

    Of a resource that is not relevant only the preview is decoded: an invalid member elsewhere in it is not
    noted. conditions, findings: what may say something of a sign, symptom or disease.
    read: every entry of the patient that was looked at, relevant or not, and Medications.

    Raises:
        PatientError: a Bundle holds no Patient, or several.
    """

    def __init__(self, submission: Submission, relevance_of: RelevanceOf) -> None:
        self.submission = submission
        self.relevance_of = relevance_of
        self.not_used: list[Note] = []
        self.not_understood: list[Note] = list(submission.not_understood)
        self._invalid = [InvalidEntry("", note) for note in submission.not_understood]
        # A caller that names the patient sends what it asked one server for.
        self.newest = dict(newest(submission.entries, one_server=submission.patient_id is not None))
        holders = chain.from_iterable(map(self._of, HOLDERS))
        contained = contained_observations(holders, self.not_understood)
        if found := list(contained):
            observations = dict(self.newest.get("Observation", {}))
            observations.update((entry.expression, entry) for entry in found)
            self.newest["Observation"] = observations
        self.read: list[Entry] = []
        for entry in submission.entries:
            if entry.preview is None:
                self._note_invalid(entry, Note(entry.expression, "its id or resourceType cannot be read"))
        try:
            found_patient, self.belonging = self._patient()
        except PatientError as error:
            error.notes = self._invalid_notes()
            raise
        self._lacks_patient = found_patient is None
        self.patient = found_patient or Patient(id=submission.patient_id)
        self.conditions = self._of_patient("Condition", fhir.Condition)
        # Each that is a finding decoded, each that is a result alone still an entry, in order.
        self._observations: list[Entry | Located[fhir.Observation]] = []
        for entry, relevance in self._own("Observation"):
            if relevance is Relevance.RESULT:
                self._observations.append(entry)
            elif relevance is not Relevance.NONE:
                self._observations += self._whole(entry, fhir.Observation, relevance)
        self.findings = [item for item in self._observations if isinstance(item, Located)]
        structures = self._by_name("BodyStructure", fhir.BodyStructure)
        self.body_structures = {name: located.resource for name, located in structures.items()}
        self.responses = self._of_patient(_RESPONSE, fhir.QuestionnaireResponse)
        self._looked_at = frozenset((*_FINDINGS, _RESPONSE))

    @property
    def not_seen(self) -> tuple[str, ...]:
        """Prefetch keys of lists that were not supplied, or of what was looked at hold others alone."""
        keys = [*self.submission.not_seen, *self._only_of_others()]
        if self._lacks_patient and "patient" not in keys:
            keys.insert(0, "patient")
        return tuple(keys)

    @property
    def invalid(self) -> tuple[InvalidEntry, ...]:
        """Entries that may have been the patient's, in the order of the request."""
        found = self._invalid
        if len(found) > 1:
            places = {entry.expression: number for number, entry in enumerate(self.submission.entries)}
            found = sorted(found, key=lambda entry: places.get(entry.note.expression or "", -1))
        return tuple(entry for entry in found if not entry.is_of_another(self.belonging.names))

    def resources(self) -> Resources:
        """All of them; to be asked for once."""
        observations: list[Located[fhir.Observation]] = []
        for item in self._observations:
            if isinstance(item, Located):
                observations.append(item)
            else:
                observations += self._whole(item, fhir.Observation, Relevance.RESULT)
        lists: defaultdict[type[fhir.Struct], list[Located[Any]]] = defaultdict(list)
        for kind, shape in SHAPES.items():
            if kind in self.newest and kind not in self._looked_at:
                lists[shape] += self._of_patient(kind, shape)
        self._looked_at = frozenset((*SHAPES, _RESPONSE))
        medications = self._by_name("Medication", fhir.Medication)
        lists[fhir.Condition], lists[fhir.Observation] = self.conditions, observations
        lists[fhir.Medication] = list(medications.values())
        return Resources(
            observations=tuple(observations),
            medication_requests=tuple(lists[fhir.MedicationRequest]),
            medication_statements=tuple(lists[fhir.MedicationStatement]),
            medications=medications,
            service_requests=tuple(lists[fhir.ServiceRequest]),
            tasks=tuple(lists[fhir.Task]),
            procedures=tuple(lists[fhir.Procedure]),
            reports=tuple(lists[fhir.DiagnosticReport]),
            family_histories=tuple(lists[fhir.FamilyMemberHistory]),
            version=self._version(lists),
        )

    def _of_patient(self, kind: str, shape: type[S]) -> list[Located[S]]:
        """The resources of that type that are relevant."""
        return [
            located
            for entry, relevance in (self._own(kind) if kind in self.newest else ())
            if relevance is not Relevance.NONE
            for located in self._whole(entry, shape, relevance)
        ]

    def _of(self, kind: str) -> Iterable[Entry]:
        return self.newest.get(kind, {}).values()

    def _invalid_notes(self) -> list[Note]:
        """Notes on every invalid entry, whoever it is about."""
        for kind, shape in SHAPES.items():
            for entry in self._of(kind):
                preview = entry.preview
                if not (isinstance(preview, Preview) and self.relevance_of(preview) is Relevance.NONE):
                    self._decoded(entry, shape)
        return self.not_understood

    def _own(self, kind: str) -> list[tuple[Entry, Relevance]]:
        """The entries of that type that are, or may be, of the patient."""
        relevance_of, belonging, read = self.relevance_of, self.belonging, self.read
        meant, own = belonging.meant, []
        for entry in self._of(kind):
            preview: Any = entry.preview
            if not isinstance(preview, Preview):
                own.append((entry, Relevance.UNDECIDED))
                continue
            subject = preview.subject
            # Whether it can be read is asked before whose it is.
            if subject is None and relevance_of(preview) is not Relevance.NONE:
                own.append((entry, Relevance.UNDECIDED))
                continue
            # Nearly every resource has the reference of the one before it.
            if (subject is None or meant.get(subject.reference) != "") and not belonging.of(entry, preview):
                continue
            read.append(entry)
            own.append((entry, relevance_of(preview)))
        return own

    def _whole(self, entry: Entry, shape: type[S], relevance: Relevance) -> list[Located[S]]:
        """The resource, where it is valid, relevant and of the patient."""
        resource = self._decoded(entry, shape)
        if resource is None:
            return []
        if not isinstance(entry.preview, Preview) or entry.preview.subject is None:
            if not self.belonging.of(entry, resource):
                return []
            self.read.append(entry)
        if relevance is Relevance.UNDECIDED:
            relevance = self.relevance_of(resource) if entry.kind in _BY_CODE else Relevance.FINDING
        seen = resource if isinstance(resource, fhir.Observation) else None
        focused = seen is not None and (seen.extension or seen.focus is not fhir.NOT_THERE)
        if seen is not None and focused and is_elsewhere(seen, self.belonging.names):
            self.not_used.append(Note(entry.reference, OTHER_FOCUS))
        elif relevance is Relevance.UNDECIDED and entry.kind in _FINDINGS:
            if not text_of(resource.code):  # type: ignore[attr-defined]
                self.not_understood.append(Note(entry.reference, NO_CODE, f"{entry.kind}.code"))
        elif relevance >= Relevance.RESULT and (seen is not None or not is_modified(resource)):
            return [Located(resource, entry.reference, entry)]
        elif relevance >= Relevance.RESULT:
            place = f"{entry.kind}.modifierExtension"
            self.not_understood.append(Note(entry.reference, MODIFIED, place))
        return []

    def _only_of_others(self) -> list[str]:
        """Prefetch keys whose every resource is of another patient: this patient's list was not supplied."""
        foreign = {note.reference for note in self.not_used}
        if not foreign:
            return []
        own = {key for entry in self.read if entry.reference not in foreign for key in keys_of(entry)}
        keys = {
            key
            for kind in self._looked_at
            for entry in self._of(kind)
            if entry.reference in foreign
            for key in keys_of(entry)
        }
        return sorted(keys - own - NEVER_MISSED.union(self.submission.not_seen))

    def _decoded(self, entry: Entry, shape: type[S]) -> S | None:
        """The resource in that shape, or None (noted) where it is invalid.

        A member of another shape is noted, and the rest is read.
        """
        raw = entry.raw
        try:
            resource: S = decoder_of(shape).decode(raw)
            return resource
        except fhir.UNDECODABLE as error:
            decoded = repaired(raw, shape, error)
        for member, fault in decoded.faults:
            note = Note(entry.reference, f"is not read: {fault}", f"{entry.kind}.{member}")
            self.not_understood.append(note)
        if decoded.resource is None:
            reason = decoded.reason
            # The models explain well and slowly: a body of invalid resources must not hold a worker.
            if len(self.not_understood) < _MAX_EXPLAINED:
                reason = why(bytes(raw), entry.kind, reason)
            self._note_invalid(entry, Note(entry.reference, reason, entry.expression))
        return decoded.resource

    def _note_invalid(self, entry: Entry, note: Note) -> None:
        raw = bytes(entry.raw)
        self.not_understood.append(note)
        self._invalid.append(InvalidEntry(type_of(raw), note, codes_of(raw), subject_of(raw)))

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
                self.read.append(entry)
            located = Located(resource, entry.reference, entry)
            several |= {
                name for name in entry.names if by_name.setdefault(name, located).resource != resource
            }
        return {name: located for name, located in by_name.items() if name not in several}

    def _version(self, lists: Mapping[type[fhir.Struct], Iterable[Located[Any]]]) -> Version:
        """The FHIR version of the record, by what was decoded and the previews of the rest."""
        shapes: defaultdict[type[msgspec.Struct], list[Any]] = defaultdict(list)
        for shape, of_shape in lists.items():
            shapes[shape] += map(_resource, of_shape)
        kinds: set[str | None] = set()
        for entry in self.read:
            preview = entry.preview
            if preview is not None:
                kinds.add(preview.kind)
            if isinstance(preview, Preview):
                shapes[type(preview)].append(preview)
        if not beyond_r4(kinds, shapes):
            return Version.R4
        return version_of(fitting(content_of(bytes(entry.raw))) for entry in self.read)

    def _patient(self) -> tuple[Patient | None, Belonging]:
        """The patient (None: not supplied), and whether a resource is theirs."""

        def belonging(names: tuple[str, ...], identifiers: msgspec.Raw = fhir.NOT_THERE) -> Belonging:
            return Belonging(names, identifiers, self.not_used)

        patients = list(self._of("Patient"))
        wanted = self.submission.patient_id
        if wanted is not None:
            others = [entry for entry in patients if entry.id != wanted]
            self.not_used += [Note(one.reference, OTHER_PATIENT if one.id else NO_ID) for one in others]
            patients = [entry for entry in patients if entry.id == wanted]
            if not patients:
                return None, belonging((f"Patient/{wanted}",))
        if not patients:
            raise PatientError("none", "The bundle holds no Patient: add the patient it is about.")
        if len(patients) > 1:
            raise PatientError(
                "several", "The bundle holds several Patients: send one bundle for each patient."
            )
        entry = patients[0]
        resource = self._decoded(entry, fhir.Patient)
        if resource is None:
            return Patient(id=entry.id, reference=entry.full_url), belonging(entry.names)
        patient = patient_of(resource, entry, self.not_understood)
        return patient, belonging(entry.names, resource.identifier)
