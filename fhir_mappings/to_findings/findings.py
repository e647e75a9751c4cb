"""Conditions and Observations -> what each says about a finding. One function per form of record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from fhir_mappings.record import Days, Note, Reading, Site, Status
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of, text_of, twitch_named_by
from fhir_mappings.resources.dates import NO_DAY
from fhir_mappings.resources.select import exists_on
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import CodeKey, FindingCode, FindingDefinition, Terminology
from fhir_mappings.to_findings.observations import Observed
from fhir_mappings.to_findings.onsets import Dates, abatement, stated_onset
from fhir_mappings.to_findings.statements import Said
from fhir_mappings.to_findings.statuses import (
    CLINICAL,
    ENDED,
    ENDED_THOUGH_CHRONIC,
    NEVER_WAS,
    NO_OBSERVATION,
    SUSPECTED,
    VERIFICATION,
    basis_of,
    concepts_of,
    courses_of,
    is_told,
    people_of,
    sites_of,
    sources_of,
    status_of,
    structures_of,
    unclear,
)

COURSE_EXTENSION = "http://hl7.org/fhir/StructureDefinition/condition-diseaseCourse"
# Why a value is neither present nor absent, though one was written.
NOT_UNDERSTOOD = "its value is not understood"
_IGNORED_KINDS = frozenset({"look-alike"})


@dataclass(slots=True)
class Reader:
    """Reads one patient's records on one day and collects what was not understood."""

    terminology: Terminology
    as_of: date
    reading: Reading
    born: Days
    # By every name that they may be referred to by.
    body_structures: Mapping[str, fhir.BodyStructure] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    # Courses said by an Observation that is of no finding itself: they are of the twitch.
    loose_courses: set[str] = field(default_factory=set)

    def findings_of(self, concept: fhir.CodeableConcept | None) -> tuple[FindingCode, ...]:
        """The findings that the concept's codes stand for; a specific one replaces a merely shown one."""
        return self._findings_of(keys_of(concept))

    def _findings_of(self, keys: Iterable[CodeKey]) -> tuple[FindingCode, ...]:
        known = self.terminology.findings
        found: dict[str, FindingCode] = {}
        for key in keys:
            for code in self.terminology.finding_of(key):
                definition = known.get(code.finding)
                if definition is not None and definition.kind not in _IGNORED_KINDS:
                    found.setdefault(code.finding, code)
        if not found:
            return ()
        specific = [code for code in found.values() if known[code.finding].kind != "shown"]
        return tuple(specific or found.values())

    def exists(self, days: Days) -> bool:
        return exists_on(days.earliest, self.as_of, self.reading.future_days)

    def condition(self, located: Located[fhir.Condition]) -> Iterator[Said]:
        """What a Condition says: present, absent, unknown or history."""
        resource, reference = located.resource, located.reference
        codes = self.findings_of(resource.code)
        named = None if codes else twitch_named_by(resource.code, self.terminology)
        if named is not None:
            codes = (FindingCode(named),)
        if not codes:
            return
        verification = status_of(resource.verificationStatus, VERIFICATION)
        status = status_of(resource.clinicalStatus, CLINICAL)
        if verification in NEVER_WAS or status in NEVER_WAS:
            return
        dates = Dates(reference, self.notes)
        recorded = dates.days(resource.recordedDate or resource.assertedDate, "Condition.recordedDate")
        if not self.exists(recorded):
            return
        onset = stated_onset(resource, dates, self.born, recorded)
        if not recorded.known and not self.exists(onset):
            return
        self.notes += unclear(reference, status, verification, in_words=named is not None)
        refuted = verification == "refuted"
        stated = Status.PRESENT
        # Words alone make nothing present or absent.
        if named is not None or (not refuted and (verification is None or status is None)):
            stated = Status.UNKNOWN
        elif refuted:
            stated = Status.ABSENT
        dated = recorded if recorded.known else onset
        ended_on = abatement(resource, dates, self.born)
        ended = ended_on is not None and ended_on <= self.as_of
        suspected = verification in SUSPECTED
        told = suspected or is_told(people_of(resource), (), concepts_of(resource.category))
        sites = sites_of(
            resource.bodySite or (), self.terminology, reference, "Condition.bodySite", self.notes
        )
        courses = self._extended(resource.extension)
        for code in codes:
            definition = self.terminology.findings[code.finding]
            over = ENDED_THOUGH_CHRONIC if definition.chronic else ENDED
            name, says = _told_of(definition, stated, sites or code.sites)
            yield Said(
                name,
                says,
                code.basis or basis_of(told),
                reference,
                "Condition.code",
                text_of(resource.code),
                day=_dated(dated, says, self.as_of),
                history=named is not None if refuted else status in over or ended,
                since=onset,
                at_least=_bounded(recorded.latest, self.as_of),
                onset_text=resource.onsetString,
                sites=sites or code.sites,
                courses=courses,
                suspected=suspected,
                condition=True,
            )

    def _extended(self, extensions: list[fhir.Extension | None] | None) -> frozenset[str]:
        """The courses that the extensions of a Condition name."""
        return frozenset().union(
            *(
                courses_of(extension.valueCodeableConcept, self.terminology)
                for extension in extensions or ()
                if extension is not None and extension.url == COURSE_EXTENSION
            )
        )

    def observation(self, observed: Observed) -> Iterator[Said]:
        """What an Observation says: by its value, its interpretation, its components or its bare code."""
        if observed.status in NO_OBSERVATION:
            return
        codes = self._findings_of(observed.keys)
        smoking = not self.terminology.tobacco_status.isdisjoint(observed.keys)
        if not codes and not smoking and not observed.components:
            return
        resource, reference = observed.resource, observed.reference
        base = self._base(resource, reference)
        if base is None:
            return
        parts = [(component, self.findings_of(component.code)) for component in observed.components]
        courses, sites = self._qualifiers(resource, [component for component, found in parts if not found])
        if not codes:
            self.loose_courses |= courses
        if smoking:
            # The smoking status is a question; its value is the finding.
            for code in self.findings_of(resource.valueCodeableConcept):
                yield base.said(
                    code, Status.PRESENT, "Observation.value", text_of(resource.valueCodeableConcept)
                )
            return
        telling = any(found for _, found in parts) if parts else False
        # The same of all its codes.
        status = (
            self._value(resource, codes, reference, "Observation.value", bare=not telling) if codes else None
        )
        for code in codes:
            if status is None:
                break
            said = base.said(code, status, "Observation.code", text_of(resource.code))
            yield self._shown(said, sites, courses)
        for index, (component, found) in enumerate(parts):
            place = f"Observation.component[{index}]"
            for code in found:
                status = self._value(component, (code,), reference, f"{place}.value", bare=False)
                if status is None:
                    continue
                said = base.said(code, status, f"{place}.code", text_of(component.code))
                own = courses_of(component.valueCodeableConcept, self.terminology)
                kind = self.terminology.findings[code.finding].kind
                yield self._shown(said, sites, own | (courses if kind == "fasciculation" else frozenset()))

    def _base(self, resource: fhir.Observation, reference: str) -> _Base | None:
        """The day, age, basis and place of an Observation; None if it is of a day to come."""
        dates = Dates(reference, self.notes)
        issued = dates.days(resource.issued, "Observation.issued")
        since, speaks = NO_DAY, issued
        if resource.effectiveDateTime or resource.effectiveInstant:
            speaks = dates.days(
                resource.effectiveDateTime or resource.effectiveInstant, "Observation.effective"
            )
            if not speaks.known:
                speaks = issued
        elif resource.effectivePeriod is not None:
            since, end = dates.period(resource.effectivePeriod, "Observation.effectivePeriod")
            open_end = issued if issued.known else Days(self.as_of, self.as_of)
            speaks = end if end.known else open_end
        if not self.exists(since if since.known else speaks) or (since.known and not self.exists(issued)):
            return None
        told = is_told(resource.performer or (), sources_of(resource), resource.category or ())
        sites: tuple[Site, ...] = ()
        if resource.bodySite is not None or resource.bodyStructure is not None:
            bodies = [resource.bodySite, *structures_of(resource, self.body_structures)]
            sites = sites_of(bodies, self.terminology, reference, "Observation.bodySite", self.notes)
        return _Base(self, reference, speaks, since, told, sites)

    def _qualifiers(
        self, resource: fhir.Observation, components: Iterable[fhir.Component]
    ) -> tuple[frozenset[str], tuple[Site, ...]]:
        """Course and site from the value and from components that carry nothing else."""
        courses = courses_of(resource.valueCodeableConcept, self.terminology)
        sites: list[Site] = []
        for component in components:
            courses |= courses_of(component.valueCodeableConcept, self.terminology)
            if any(key in self.terminology.sites for key in keys_of(component.valueCodeableConcept)):
                found = [component.valueCodeableConcept]
                sites += sites_of(found, self.terminology, "", "", [])
        # Each of the signs beside them gets all of them.
        return courses, tuple(dict.fromkeys(sites))

    def _value(
        self,
        holder: fhir.Observation | fhir.Component,
        codes: Iterable[FindingCode],
        reference: str,
        expression: str,
        *,
        bare: bool,
    ) -> Status | None:
        """present, absent or unknown by the value; None where a panel's own code says nothing.

        bare: a code without a value is itself the finding.
        """
        if holder.valueBoolean is not None:
            return Status.PRESENT if holder.valueBoolean else Status.ABSENT
        if holder.dataAbsentReason is not None:
            self.notes.append(Note(reference, "its value is recorded as missing", expression))
            return Status.UNKNOWN
        value = holder.valueCodeableConcept
        if value is None and holder.valueString is not None:
            value = fhir.CodeableConcept(text=holder.valueString)
        if value is not None:
            status = self._answer(value, {code.finding for code in codes})
            if status is Status.UNKNOWN:
                self.notes.append(Note(reference, NOT_UNDERSTOOD, expression))
            return status
        if holder.valueQuantity is not None or holder.valueInteger is not None or _odd_value(holder):
            self.notes.append(Note(reference, NOT_UNDERSTOOD, expression))
            return Status.UNKNOWN
        interpreted = holder.interpretation
        concepts = interpreted if isinstance(interpreted, list) else [interpreted]
        for concept in concepts:
            for key in keys_of(concept):
                if key in self.terminology.answers:
                    return self.terminology.answers[key]
        if bare:
            return Status.PRESENT
        if isinstance(holder, fhir.Component):
            self.notes.append(Note(reference, "a part without a value", expression))
            return Status.UNKNOWN
        return None

    def _answer(self, value: fhir.CodeableConcept, named: set[str]) -> Status:
        """A coded answer; a course, a site or the finding itself as value means present."""
        answers = self.terminology.answers
        keys = keys_of(value)
        for key in keys:
            if key in answers:
                return answers[key]
        if any(key in self.terminology.courses or key in self.terminology.sites for key in keys):
            return Status.PRESENT
        if any(code.finding in named for key in keys for code in self.terminology.finding_of(key)):
            return Status.PRESENT
        word = ("", text_of(value).strip().lower())
        # A code that is not known outweighs its words.
        return answers.get(word, Status.UNKNOWN) if not keys else Status.UNKNOWN

    def _shown(self, said: Said, sites: tuple[Site, ...], courses: frozenset[str]) -> Said:
        if courses <= said.courses and (said.sites or not sites):
            return said
        return replace(said, sites=said.sites or sites, courses=said.courses | courses)


class _Base(Struct, frozen=True, gc=False):
    """What all that one Observation says has in common."""

    reader: Reader
    reference: str
    speaks: Days
    since: Days
    told: bool
    sites: tuple[Site, ...]

    def said(self, code: FindingCode, status: Status, expression: str, text: str) -> Said:
        reader = self.reader
        definition = reader.terminology.findings[code.finding]
        name, status = _told_of(definition, status, self.sites or code.sites)
        day = _dated(self.speaks, status, reader.as_of)
        old = day is not None and (reader.as_of - day).days > reader.reading.finding_days
        proof = self.speaks.latest if status is Status.PRESENT else None
        return Said(
            name,
            status,
            code.basis or basis_of(self.told),
            self.reference,
            expression,
            text,
            day=day,
            history=old,
            since=self.since,
            at_least=_bounded(proof, reader.as_of),
            sites=self.sites or code.sites,
        )


def _told_of(definition: FindingDefinition, status: Status, sites: tuple[Site, ...]) -> tuple[str, Status]:
    """The finding and status that a record is of: what is merely shown is neither present nor absent.

    A general finding is the specific one where a region is recorded; none at all means none of that either.
    """
    if definition.specific and (
        status is Status.ABSENT or (status is Status.PRESENT and any(site.region for site in sites))
    ):
        return definition.specific, status
    return definition.id, Status.UNKNOWN if definition.kind == "shown" else status


def _dated(days: Days, status: Status, as_of: date) -> date | None:
    """The day a record is dated by; of an imprecise one an absence takes the earliest, else the latest."""
    if status is Status.ABSENT:
        return days.earliest or days.latest
    return _bounded(days.latest or days.earliest, as_of)


def _bounded(day: date | None, as_of: date) -> date | None:
    return None if day is None else min(day, as_of)


def _odd_value(holder: fhir.Observation | fhir.Component) -> bool:
    return isinstance(holder, fhir.Observation) and (
        holder.valueRange is not None or holder.valueDateTime is not None
    )
