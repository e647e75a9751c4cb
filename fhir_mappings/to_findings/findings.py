"""Conditions and family histories -> statements; which resources are relevant; the context of reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from fhir_mappings.code_systems import CodeKey, code_key, name_key
from fhir_mappings.record import Basis, Days, Note, Reading, Site, Status
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import MAX_NAME_LENGTH, keys_of, text_of, twitch_named_by
from fhir_mappings.resources.dates import NO_DAY
from fhir_mappings.resources.preview import ConditionPreview, Head, ObservationPreview, RelevanceOf, part_of
from fhir_mappings.resources.references import plain
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import FindingCode, FindingDefinition, Relevance, Terminology
from fhir_mappings.to_findings.onsets import Dates, abatement, end_not_read, stated_onset
from fhir_mappings.to_findings.statements import Statement
from fhir_mappings.to_findings.statuses import (
    CLINICAL,
    ENDED,
    ENDED_THOUGH_CHRONIC,
    NEVER_WAS,
    SUSPECTED,
    VERIFICATION,
    basis_of,
    certain,
    concepts_of,
    courses_of,
    people_of,
    sites_of,
    status_of,
    type_of,
    unrecognised,
)

_LONGEST_RELATIVE_CHARACTERS = 100
COURSE_EXTENSION = "http://hl7.org/fhir/StructureDefinition/condition-diseaseCourse"
ASSERTED_EXTENSION = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
END_NOT_READ = "its end is in words"
END_NOT_UNDERSTOOD = "its end is not understood"
FAMILY = "family-neurological"
DATED_LATER = "is dated after the day of the decision"
_OBSERVATIONS = (ObservationPreview, fhir.Observation)
_BY_NAME = (ConditionPreview, fhir.Condition, *_OBSERVATIONS)


class Specimen(msgspec.Struct, frozen=True, gc=False):
    """What decides whether a result is one of blood."""

    id: str | None = None
    status: str | None = None
    type: fhir.CodeableConcept | None = None


@dataclass(slots=True)
class Reader:
    """The context in which one patient's resources are read on one day.

    body_structures: by every name that they may be referred to by. notes: collects what is unrecognised.
    not_used: collects records dated after the decision. loose_courses: collects courses of Observations of no
    finding; they are of the twitch. kinds: types of the people and forms of the
    submission, by every name. specimens: those of the submission, likewise.
    """

    terminology: Terminology
    as_of: date
    reading: Reading
    born: Days
    body_structures: Mapping[str, fhir.BodyStructure] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    not_used: list[Note] = field(default_factory=list)
    loose_courses: set[str] = field(default_factory=set)
    kinds: Mapping[str, str] = field(default_factory=dict)
    specimens: Mapping[str, Specimen] = field(default_factory=dict)

    def findings_of(self, concept: fhir.CodeableConcept | None) -> tuple[FindingCode, ...]:
        """The findings of the concept's codes; a specific one replaces a merely shown one."""
        return self.findings_of_keys(keys_of(concept))

    def findings_of_keys(self, keys: Iterable[CodeKey]) -> tuple[FindingCode, ...]:
        """`findings_of` for keys already read."""
        known, exact = self.terminology.findings, self.terminology.finding_codes
        found: dict[str, FindingCode] = {}
        for key in keys:
            for code in exact.get(key) or self.terminology.finding_of(key):
                definition = known.get(code.finding)
                if definition is not None and definition.kind != "look-alike":
                    found.setdefault(code.finding, code)
        if len(found) < 2:
            return tuple(found.values())
        specific = [code for code in found.values() if known[code.finding].kind != "shown"]
        return tuple(specific or found.values())

    def exists(self, day: date | None) -> bool:
        """Whether a record of that day exists on the day of the decision; an undated one does."""
        return day is None or (day - self.as_of).days <= self.reading.future_days

    def types_of(
        self, references: Iterable[fhir.Reference | None], contained: Iterable[msgspec.Raw] | None
    ) -> set[str]:
        """The types that the references name, or that what they refer to has."""
        found = set()
        inside: dict[str, str] | None = None
        for reference in references:
            kind = type_of(reference)
            target = (reference.reference or "").strip() if reference is not None else ""
            if not kind and target.startswith("#"):
                if inside is None:
                    heads = [head for raw in contained or () if (head := part_of(raw, Head)) is not None]
                    inside = {(head.id or "").strip("#"): head.kind or "" for head in heads}
                kind = inside.get(target[1:], "")
            found.add(kind or self.kinds.get(plain(target), ""))
        return found

    def is_future(self, day: date | None, reference: str) -> bool:
        """Whether a record of that day does not exist yet on the day of the decision; noted if so."""
        if day is None or day <= self.as_of or self.exists(day):
            return False
        self.not_used.append(Note(reference, DATED_LATER))
        return True


def relevance_by(terminology: Terminology) -> RelevanceOf:
    """Make the check of how a resource, or a preview of it, can matter for the decision by its code."""
    exact = terminology.codes
    # A record repeats its codes and names.
    known: dict[tuple[str, str], Relevance] = {}
    named: dict[str, Relevance] = {}

    def of_concept(concept: Any, by_name: bool) -> Relevance:
        relevance = Relevance.UNDECIDED
        codings = concept.coding or ()
        for coding in codings:
            if coding is not None and coding.system and coding.code:
                written = coding.system, coding.code
                # Most stand as the tables have them.
                found = exact.get(written) or known.get(written)
                if found is None:
                    known[written] = found = terminology.relevance(code_key(*written))
                if found > relevance:
                    relevance = found
        if relevance >= Relevance.RESULT or not by_name:
            return relevance
        # Words alone may name the twitch, or an analyte.
        for text in (concept.text, *[coding.display for coding in codings if coding is not None]):
            # A display that is no text names nothing, and is no error yet.
            if isinstance(text, str) and len(text) <= MAX_NAME_LENGTH:
                found = named.get(text)
                if found is None:
                    named[text] = found = terminology.named(name_key(text))
                if found > relevance:
                    relevance = found
        return relevance

    def of_value(value: Any, qualifies: bool) -> Relevance:
        for key in keys_of(value):
            if terminology.finding_of(key) or (qualifies and terminology.qualifies(key)):
                return Relevance.FINDING
        return Relevance.UNDECIDED

    def relevance_of(resource: Any) -> Relevance:
        by_name = type(resource) in _BY_NAME
        concept = resource.code
        relevance = Relevance.UNDECIDED if concept is None else of_concept(concept, by_name)
        if type(resource) in _OBSERVATIONS:
            if resource.valueCodeableConcept is not None:
                relevance = max(relevance, of_value(resource.valueCodeableConcept, False))
            # A part may have another code, or hold the course and site of the whole.
            for part in resource.component or ():
                if part is not None and part.code is not None:
                    relevance = max(relevance, of_concept(part.code, True))
                if part is not None and part.valueCodeableConcept is not None:
                    relevance = max(relevance, of_value(part.valueCodeableConcept, True))
        return relevance

    return relevance_of


def condition_statements(reader: Reader, located: Located[fhir.Condition]) -> Iterator[Statement]:
    """The statements of one Condition: present, absent, unknown or history."""
    resource, reference = located.resource, located.reference
    codes = reader.findings_of(resource.code)
    named = None if codes else twitch_named_by(resource.code, reader.terminology)
    if named is not None:
        codes = (FindingCode(named),)
    if not codes:
        return
    known = reader.terminology
    status, verification = certain(
        resource.code,
        known.certainty,
        status_of(resource.clinicalStatus, CLINICAL, known.clinical),
        status_of(resource.verificationStatus, VERIFICATION, known.verification),
    )
    if verification in NEVER_WAS or status in NEVER_WAS:
        return
    dates = Dates(reference, reader.notes)
    recorded = dates.days(_recorded(resource), "Condition.recordedDate")
    if reader.is_future(recorded.earliest, reference):
        return
    onset = stated_onset(resource, dates, reader.born, recorded)
    if not recorded.known and reader.is_future(onset.earliest, reference):
        return
    if not reader.exists(onset.earliest):
        reader.notes.append(Note(reference, "begins after the day of the decision", "Condition.onset"))
        onset = NO_DAY
    modified = any(resource.modifierExtension or ())
    reader.notes += unrecognised(
        reference, status, verification, modified=modified, in_words=named is not None
    )
    refuted = verification == "refuted"
    unread_end = None if status in ENDED else end_not_read(resource, reader.born)
    if unread_end is not None:
        why = END_NOT_READ if unread_end == "abatementString" else END_NOT_UNDERSTOOD
        reader.notes.append(Note(reference, why, f"Condition.{unread_end}"))
    doubtful = not refuted and (verification is None or status is None or unread_end is not None)
    stated = Status.PRESENT
    if doubtful or modified:
        stated = Status.UNKNOWN
    elif refuted:
        stated = Status.ABSENT
    ended_on = abatement(resource, dates, reader.born)
    ended = ended_on is not None and ended_on <= reader.as_of
    suspected = verification in SUSPECTED
    people = reader.types_of(people_of(resource), resource.contained)
    basis = basis_of(people, (), concepts_of(resource.category), Basis.LISTED)
    if suspected or named is not None:
        basis = Basis.REPORTED
    # An onset does not date what never was.
    dated = recorded if recorded.known or refuted else onset
    bodies = resource.bodySite or ()
    sites = sites_of(bodies, reader.terminology, reference, "Condition.bodySite", reader.notes)
    courses = frozenset().union(
        *(
            courses_of(extension.valueCodeableConcept, reader.terminology)
            for extension in resource.extension or ()
            if extension is not None and extension.url == COURSE_EXTENSION
        )
    )
    for code in codes:
        definition = reader.terminology.findings[code.finding]
        ends = ENDED_THOUGH_CHRONIC if definition.chronic else ENDED
        # Words alone make nothing absent.
        over = named is not None if refuted else status in ends or ended
        # Unknown, a disease would count as absent beside a list of conditions that was seen.
        presumed = (
            (doubtful or (modified and not refuted))
            and definition.kind == "diagnosis"
            and not definition.only_lowers
        )
        says = Status.PRESENT if presumed else stated
        name, recorded_status = recorded_as(definition, says, sites or code.sites)
        yield Statement(
            name,
            recorded_status,
            code.basis or (Basis.REPORTED if presumed else basis),
            reference,
            "Condition.code",
            text_of(resource.code),
            day=day_of(dated, recorded_status, reader.as_of),
            history=over,
            since=onset,
            at_least=bounded(recorded.latest, reader.as_of),
            onset_text=resource.onsetString,
            sites=sites or code.sites,
            courses=courses,
            suspected=suspected or presumed,
            condition=True,
            ended=over,
            acute=definition.acute or code.acute,
            in_words=named is not None,
        )


def _recorded(condition: fhir.Condition) -> str | None:
    """The day it was recorded, else asserted: in R4 an extension."""
    asserted = (e.valueDateTime for e in condition.extension or () if e and e.url == ASSERTED_EXTENSION)
    return condition.recordedDate or condition.assertedDate or next(filter(None, asserted), None)


def family_statements(reader: Reader, located: Located[fhir.FamilyMemberHistory]) -> Iterator[Statement]:
    """One statement for each neurological condition of a relative."""
    resource = located.resource
    if (resource.status or "").strip().lower() == "entered-in-error" or resource.notDone:
        return
    recorded = Dates(located.reference, reader.notes).days(resource.date, "FamilyMemberHistory.date")
    if reader.is_future(recorded.earliest, located.reference):
        return
    terminology = reader.terminology
    # Each of its conditions repeats it.
    relative = text_of(resource.relationship)[:_LONGEST_RELATIVE_CHARACTERS]
    for index, condition in enumerate(resource.condition or ()):
        if condition is None:
            continue
        codes = [code for key in keys_of(condition.code) for code in terminology.finding_of(key)]
        known = [terminology.findings[code.finding] for code in codes if code.finding in terminology.findings]
        if any(finding.neurological or finding.id == FAMILY for finding in known):
            yield Statement(
                FAMILY,
                Status.PRESENT,
                Basis.REPORTED,
                located.reference,
                f"FamilyMemberHistory.condition[{index}].code",
                ": ".join(filter(None, (relative, text_of(condition.code)))),
                day=recorded.latest,
            )


def recorded_as(definition: FindingDefinition, status: Status, sites: tuple[Site, ...]) -> tuple[str, Status]:
    """The finding and status that a record states.

    A finding that is merely shown is neither present nor absent. A general one is the specific one where a
    region is recorded, and its absence is that of the specific one.
    """
    if definition.specific and (
        status is Status.ABSENT or (status is Status.PRESENT and any(site.region for site in sites))
    ):
        return definition.specific, status
    return definition.id, Status.UNKNOWN if definition.kind == "shown" else status


def day_of(days: Days, status: Status, as_of: date) -> date | None:
    """The day a record is dated by; of an imprecise one an absence takes the earliest, else the latest."""
    if status is Status.ABSENT:
        return days.earliest or days.latest
    return bounded(days.latest or days.earliest, as_of)


def bounded(day: date | None, as_of: date) -> date | None:
    """The day, but not after the day of the decision."""
    return None if day is None else min(day, as_of)
