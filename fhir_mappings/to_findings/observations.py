"""Observations -> statements about findings: by value, interpretation, component or bare code."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct
from msgspec.structs import replace

from fhir_mappings.code_systems import CodeKey
from fhir_mappings.record import Basis, Days, Note, Site, Status
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of, text_of, twitch_in_words
from fhir_mappings.resources.dates import NO_DAY
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import FindingCode
from fhir_mappings.to_findings.findings import Reader, bounded, day_of, recorded_as
from fhir_mappings.to_findings.onsets import Dates, effective_of
from fhir_mappings.to_findings.statements import Statement
from fhir_mappings.to_findings.statuses import (
    IN_WORDS,
    MISSING,
    NO_OBSERVATION,
    NOT_READ_AS_WRITTEN,
    STATUS_NOT_RECOGNISED,
    basis_of,
    courses_of,
    has_odd_value,
    is_missing,
    sites_of,
    sources_of,
    status_word,
    structures_of,
)

# Why a value is neither present nor absent, though one was written.
NOT_UNDERSTOOD = "its value is not understood"
_IN_VALUES = ("fasciculation", "sign", "symptom")
IN_VALUE = "its value names a finding, and its code is not known"
NOT_INTERPRETED = "its interpretation is not recognised"
# Of R4 and R5; a missing one is taken as final.
STATUSES = frozenset({"final", "amended", "corrected", "appended", "preliminary", "unknown", *NO_OBSERVATION})
_NO_QUALIFIERS: tuple[frozenset[str], tuple[Site, ...]] = frozenset(), ()


class Observed(Struct, frozen=True, gc=False):
    """An Observation with what findings, results and studies all need of it.

    status: in lower case. keys: of its code. components: without nulls. plain: not to be asked `is_doubtful`.
    """

    resource: fhir.Observation
    reference: str
    status: str
    keys: list[CodeKey]
    components: list[fhir.Component]
    plain: bool


def observed(
    observations: Iterable[Located[fhir.Observation]], known: Iterable[Observed] = ()
) -> list[Observed]:
    """The Observations with code and status read. known: of those that were read before."""
    read = {id(found.resource): found for found in known}
    found = []
    for located in observations:
        resource = located.resource
        before = read.get(id(resource))
        if before is None:
            status = status_word(resource.status)
            parts = [part for part in resource.component if part is not None] if resource.component else []
            plain = status in STATUSES and not resource.modifierExtension
            before = Observed(resource, located.reference, status, keys_of(resource.code), parts, plain)
        found.append(before)
    return found


def observation_statements(reader: Reader, observed: Observed) -> list[Statement]:
    """The statements of one Observation and of its components."""
    made: list[Statement] = []
    if observed.status in NO_OBSERVATION:
        return made
    terminology = reader.terminology
    resource = observed.resource
    codes = reader.findings_of_keys(observed.keys)
    named = None if codes else _twitch_in_words(reader, resource.code, observed.keys)
    if named is not None:
        codes = (FindingCode(named),)
    smoking = not terminology.tobacco_status.isdisjoint(observed.keys)
    in_value = () if codes or smoking else _findings_in_value(reader, observed)
    if not codes and not smoking and not in_value and not observed.components:
        return made
    parts: list[tuple[fhir.Component, tuple[FindingCode, ...], bool]] = []
    for component in observed.components:
        keys = keys_of(component.code)
        found = reader.findings_of_keys(keys)
        name = None if found else _twitch_in_words(reader, component.code, keys)
        parts.append((component, (FindingCode(name),) if name is not None else found, name is not None))
    in_parts = bool(parts) and any(found for _, found, _ in parts)
    source = _source(reader, resource, observed.reference, with_sites=bool(codes) or in_parts)
    if source is None:
        return made
    for code in in_value:
        # A chief complaint, or what a relative has: only its question tells.
        reader.notes.append(Note(source.reference, IN_VALUE, "Observation.value"))
        statement = source.statement(
            code, Status.UNKNOWN, "Observation.value", text_of(resource.valueCodeableConcept)
        )
        made.append(replace(statement, basis=Basis.REPORTED, in_words=True))
    courses, sites = _NO_QUALIFIERS
    if parts or resource.valueCodeableConcept is not None:
        courses, sites = _qualifiers(reader, resource, [part for part, found, _ in parts if not found])
    if not codes:
        reader.loose_courses |= courses
    doubt = not observed.plain and is_doubtful(reader, observed)
    if smoking:
        # The smoking status is a question; its value is the finding.
        value = resource.valueCodeableConcept
        for code in reader.findings_of(value):
            smokes = Status.UNKNOWN if doubt else Status.PRESENT
            made.append(source.statement(code, smokes, "Observation.value", text_of(value)))
        return made
    if codes:
        status: Status | None = Status.UNKNOWN
        if not doubt:
            status = _status(
                reader, resource, codes, source.reference, "Observation.value", bare=not in_parts
            )
        if status is not None:
            text = text_of(resource.code)
            for code in codes:
                statement = source.statement(code, status, "Observation.code", text, sites, courses)
                if named is not None:
                    statement = _in_words(reader, statement, resource)
                made.append(statement)
    for index, (component, found, by_name) in enumerate(parts):
        place = f"Observation.component[{index}]"
        for code in found:
            status = _status(reader, component, (code,), source.reference, f"{place}.value", bare=False)
            if doubt:
                status = Status.UNKNOWN
            if status is None:
                continue
            own = courses_of(component.valueCodeableConcept, terminology)
            if code.finding in terminology.twitches:
                own |= courses
            text = text_of(component.code)
            statement = source.statement(code, status, f"{place}.code", text, sites, own)
            made.append(_in_words(reader, statement, component) if by_name else statement)
    return made


def _findings_in_value(reader: Reader, observed: Observed) -> tuple[FindingCode, ...]:
    """The signs and symptoms that the value of an unknown question names."""
    value = observed.resource.valueCodeableConcept
    if value is None or reader.terminology.knows(observed.keys):
        return ()
    known = reader.terminology.findings
    return tuple(code for code in reader.findings_of(value) if known[code.finding].kind in _IN_VALUES)


def is_doubtful(reader: Reader, observed: Observed) -> bool:
    """Whether a modifier extension or an unrecognised status leaves open what it states; noted if so."""
    doubts = {
        NOT_READ_AS_WRITTEN: ("modifierExtension", any(observed.resource.modifierExtension or ())),
        STATUS_NOT_RECOGNISED: ("status", bool(observed.status) and observed.status not in STATUSES),
    }
    for why, (member, holds) in doubts.items():
        if holds:
            reader.notes.append(Note(observed.reference, why, f"Observation.{member}"))
    return any(holds for _, holds in doubts.values())


class _Source(Struct, frozen=True, gc=False):
    """What all statements of one Observation have in common. recorded: the days it describes."""

    reader: Reader
    reference: str
    recorded: Days
    since: Days
    basis: Basis
    sites: tuple[Site, ...]

    def statement(
        self,
        code: FindingCode,
        status: Status,
        expression: str,
        text: str,
        qualifying: tuple[Site, ...] = (),
        courses: frozenset[str] = frozenset(),
    ) -> Statement:
        """qualifying: sites that count where it has none of its own."""
        as_of = self.reader.as_of
        definition = self.reader.terminology.findings[code.finding]
        sites = self.sites or code.sites
        name, status = recorded_as(definition, status, sites)
        day = day_of(self.recorded, status, as_of)
        return Statement(
            name,
            status,
            code.basis or self.basis,
            self.reference,
            expression,
            text,
            day=day,
            history=day is not None and (as_of - day).days > self.reader.reading.finding_days,
            since=self.since,
            at_least=bounded(self.recorded.latest, as_of) if status is Status.PRESENT else None,
            sites=sites or qualifying,
            courses=courses,
            acute=definition.acute or code.acute,
        )


def _twitch_in_words(
    reader: Reader, concept: fhir.CodeableConcept | None, keys: Collection[CodeKey]
) -> str | None:
    """The fasciculation that a concept of no known code names in words."""
    if concept is None or reader.terminology.knows(keys):
        return None
    return twitch_in_words(concept, reader.terminology)


def _in_words(reader: Reader, statement: Statement, holder: fhir.Value) -> Statement:
    """The statement as one of words alone: reported, noted, and never of an absence."""
    absent = statement.status is Status.ABSENT
    if not absent and not is_missing(holder):
        reader.notes.append(Note(statement.reference, IN_WORDS, statement.expression))
    return replace(
        statement, basis=Basis.REPORTED, in_words=True, history=statement.history or absent, ended=absent
    )


def _source(
    reader: Reader, resource: fhir.Observation, reference: str, *, with_sites: bool
) -> _Source | None:
    """The day, basis and sites of an Observation; None if it is dated after the decision.

    with_sites: False where no finding rests on them: an unknown one, as of a blood pressure, is no note.
    """
    dates = Dates(reference, reader.notes)
    issued = dates.days(resource.issued, "Observation.issued") if resource.issued else NO_DAY
    since, recorded = NO_DAY, issued
    effective, period = effective_of(resource)
    if effective:
        recorded = dates.days(effective, "Observation.effective")
        if recorded is NO_DAY:
            recorded = issued
    elif period is not None:
        since, end = dates.period(period, "Observation.effectivePeriod")
        # Where it has no end, what was absent at its start may be present by now.
        open_end = Days(since.earliest, reader.as_of) if issued is NO_DAY else issued
        since = dates.since_birth(since, reader.born, "Observation.effectivePeriod.start")
        recorded = open_end if end is NO_DAY else end
    if reader.is_future((recorded if since is NO_DAY else since).earliest, reference):
        return None
    if since is not NO_DAY and reader.is_future(issued.earliest, reference):
        return None
    inside = resource.contained
    people = reader.types_of(resource.performer, inside) if resource.performer else ()
    derived = resource.derivedFrom or resource.related
    sources = reader.types_of(sources_of(resource), inside) if derived else ()
    basis = basis_of(people, sources, resource.category or ())
    sites: tuple[Site, ...] = ()
    if with_sites and (resource.bodySite is not None or resource.bodyStructure is not None):
        bodies = [resource.bodySite, *structures_of(resource, reader.body_structures)]
        sites = sites_of(bodies, reader.terminology, reference, "Observation.bodySite", reader.notes)
    return _Source(reader, reference, recorded, since, basis, sites)


def _qualifiers(
    reader: Reader, resource: fhir.Observation, components: Iterable[fhir.Component]
) -> tuple[frozenset[str], tuple[Site, ...]]:
    """Courses and sites from the value and from components that are of no finding themselves."""
    terminology = reader.terminology
    courses = courses_of(resource.valueCodeableConcept, terminology)
    sites: list[Site] = []
    for component in components:
        value = component.valueCodeableConcept
        courses |= courses_of(value, terminology)
        if any(key in terminology.sites for key in keys_of(value)):
            sites += sites_of([value], terminology, "", "", [])
    # Deduplicated here: each statement of the Observation gets all of them.
    return courses, tuple(dict.fromkeys(sites))


def _status(
    reader: Reader,
    holder: fhir.Value,
    codes: Iterable[FindingCode],
    reference: str,
    expression: str,
    *,
    bare: bool,
) -> Status | None:
    """The status by the value, else by the interpretation.

    Args:
        bare: a code without a value is itself the finding.

    Returns:
        None where the code of a panel without a value states nothing.
    """
    if any(holder.modifierExtension or ()):
        reader.notes.append(Note(reference, NOT_READ_AS_WRITTEN, expression))
        return Status.UNKNOWN
    if is_missing(holder):
        reader.notes.append(Note(reference, MISSING, expression))
        return Status.UNKNOWN
    if holder.valueBoolean is not None:
        return Status.PRESENT if holder.valueBoolean else Status.ABSENT
    value: fhir.CodeableConcept | None = holder.valueCodeableConcept
    if value is None and holder.valueString is not None:
        value = fhir.CodeableConcept(text=holder.valueString)
    if value is not None:
        status = _answer(reader, value, {code.finding for code in codes})
        if status is Status.UNKNOWN:
            reader.notes.append(Note(reference, NOT_UNDERSTOOD, expression))
        return status
    if holder.valueQuantity is not None or holder.valueInteger is not None or has_odd_value(holder):
        reader.notes.append(Note(reference, NOT_UNDERSTOOD, expression))
        return Status.UNKNOWN
    interpreted = holder.interpretation
    answers = reader.terminology.answers
    for concept in interpreted if isinstance(interpreted, list) else [interpreted]:
        for key in keys_of(concept):
            if key in answers:
                return answers[key]
    if any(map(text_of, interpreted if isinstance(interpreted, list) else [interpreted])):
        reader.notes.append(Note(reference, NOT_INTERPRETED, expression))
        return Status.UNKNOWN
    if bare:
        return Status.PRESENT
    if isinstance(holder, fhir.Component):
        reader.notes.append(Note(reference, "a part without a value", expression))
        return Status.UNKNOWN
    return None


def _answer(reader: Reader, value: fhir.CodeableConcept, findings: set[str]) -> Status:
    """The status of a coded answer; a course, a site or the finding itself as value means present."""
    terminology = reader.terminology
    answers = terminology.answers
    keys = keys_of(value)
    coded = {answers[key] for key in keys if key in answers}
    if coded:
        # Codes that contradict each other answer nothing.
        return coded.pop() if len(coded) == 1 else Status.UNKNOWN
    if any(key in terminology.courses or key in terminology.sites for key in keys):
        return Status.PRESENT
    if any(code.finding in findings for key in keys for code in terminology.finding_of(key)):
        return Status.PRESENT
    # Words count only where there is no code.
    return Status.UNKNOWN if keys else answers.get(("", text_of(value).strip(" .").lower()), Status.UNKNOWN)
