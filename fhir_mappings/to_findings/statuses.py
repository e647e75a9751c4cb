"""Status, basis, sites and courses of one record: the first columns of section 1 of the decision model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import msgspec

from fhir_mappings.record import Basis, Note, Site
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of, text_of
from fhir_mappings.resources.references import plain
from fhir_mappings.terminology import Terminology

ENDED = frozenset({"inactive", "resolved", "remission"})
ENDED_THOUGH_CHRONIC = frozenset({"resolved"})
SUSPECTED = frozenset({"provisional", "differential", "unconfirmed"})
NEVER_WAS = frozenset({"entered-in-error"})
NO_OBSERVATION = frozenset({"entered-in-error", "cancelled", "registered"})
# Why a Condition is neither present nor absent.
STATUS_NOT_RECOGNISED = "its status is not recognised"
NOT_READ_AS_WRITTEN = "an extension that changes its meaning is not understood"
IN_WORDS = "its code is not known, and its text names a twitch"

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
# Required system -> its words, those of R5 and STU3 too. In error is seen in the field as either status.
_WORDS = {
    CLINICAL: ENDED | NEVER_WAS | {"active", "recurrence", "relapse", "unknown"},
    VERIFICATION: SUSPECTED | NEVER_WAS | {"confirmed", "refuted", "unknown"},
}

_REPORTED_CATEGORIES = frozenset({"survey", "social-history", "functional-status"})
_REPORTED_BY = ("Patient", "RelatedPerson")
# Many Observations may name one body structure: reading thousands of parts for each would be quadratic.
_MAX_PARTS = 20


def status_of(status: fhir.CodeableConcept | str | None, system: str) -> str | None:
    """The status as a word of the required system.

    R4 codes it, STU3 and DSTU2 write it. The codings of the system decide, wherever they stand.

    Returns:
        "" where nothing is written, None where the status is unrecognised.
    """
    if status is None:
        return ""
    if isinstance(status, str):
        words = {_word(status)}
    else:
        codings = [coding for coding in status.coding or () if coding is not None]
        words = {_word(c.code) for c in codings if (c.system or "").strip().rstrip("/") == system}
        if not words:
            written = [status.text, *(part for c in codings for part in (c.system, c.code, c.display))]
            return None if any(map(_word, written)) else ""
    # Two words of one system contradict each other.
    word = words.pop() if len(words) == 1 else None
    return word if word in _WORDS[system] else None


def unrecognised(
    reference: str, clinical: str | None, verification: str | None, *, modified: bool, in_words: bool
) -> Iterator[Note]:
    """Notes on what is unrecognised of a Condition.

    Args:
        modified: it has a modifier extension.
        in_words: its text alone names what it is.
    """
    for word, member in ((clinical, "clinicalStatus"), (verification, "verificationStatus")):
        if word is None:
            yield Note(reference, STATUS_NOT_RECOGNISED, f"Condition.{member}")
    if modified:
        yield Note(reference, NOT_READ_AS_WRITTEN, "Condition.modifierExtension")
    if in_words:
        yield Note(reference, IN_WORDS, "Condition.code")


def basis_of(
    people: Iterable[fhir.Reference | None],
    sources: Iterable[fhir.Reference | None],
    categories: Iterable[fhir.CodeableConcept | None],
    otherwise: Basis = Basis.EXAMINED,
) -> Basis:
    """Reported if by the patient, a relative or a questionnaire, or of a category of such reports."""
    if (
        any(_type_of(person) in _REPORTED_BY for person in people)
        or any(_type_of(source) == "QuestionnaireResponse" for source in sources)
        or any(
            coding is not None and _word(coding.code) in _REPORTED_CATEGORIES
            for category in categories
            if category is not None
            for coding in category.coding or ()
        )
    ):
        return Basis.REPORTED
    return otherwise


def concepts_of(
    category: list[fhir.CodeableConcept | str | None] | fhir.CodeableConcept | str | None,
) -> list[fhir.CodeableConcept | None]:
    """A category as a list of concepts, whether it is one or several, coded or written."""
    return [
        fhir.CodeableConcept(coding=[fhir.Coding(code=item)]) if isinstance(item, str) else item
        for item in (category if isinstance(category, list) else [category])
    ]


def sources_of(observation: fhir.Observation) -> list[fhir.Reference | None]:
    """The resources an Observation was derived from, by R4's member or by STU3's."""
    sources = list(observation.derivedFrom or ())
    for related in observation.related or ():
        # STU3 lets the type out: of a questionnaire nothing else is meant.
        if related is not None and _word(related.type) in ("", "derived-from"):
            sources.append(related.target)
    return sources


def people_of(condition: fhir.Condition) -> list[fhir.Reference | None]:
    """The people who asserted a Condition: one in R4 and STU3, all participants in R5."""
    participants = condition.participant or ()
    return [condition.asserter, *(person.actor for person in participants if person is not None)]


def _word(text: str | None) -> str:
    return (text or "").strip().lower()


def _type_of(reference: fhir.Reference | None) -> str:
    if reference is None:
        return ""
    if reference.type:
        return reference.type
    parts = (reference.reference or "").split("/_history/")[0].split("/")
    return parts[-2] if len(parts) > 1 else ""


def sites_of(
    concepts: Iterable[fhir.CodeableConcept | None],
    terminology: Terminology,
    reference: str,
    expression: str,
    notes: list[Note],
) -> tuple[Site, ...]:
    """The body sites of a record with their side; adds a note for each that is unrecognised."""
    found: list[Site] = []
    common_side: str | None = None
    for concept in concepts:
        if concept is None:
            continue
        keys = keys_of(concept)
        side = next((terminology.sides[key] for key in keys if key in terminology.sides), None)
        # Several codings of one concept mean the same place: the first that is known.
        site = next((terminology.sites[key] for key in keys if key in terminology.sites), None)
        if site is not None:
            found.append(_with_side(site, side))
        elif side is not None:
            common_side = side
        elif keys or text_of(concept):
            notes.append(Note(reference, "body site not understood", expression))
    return tuple(dict.fromkeys(_with_side(site, common_side) for site in found))


def _with_side(site: Site, side: str | None) -> Site:
    return site if side is None or site.side is not None else replace(site, side=side)


def structures_of(
    observation: fhir.Observation, body_structures: Mapping[str, fhir.BodyStructure]
) -> list[fhir.CodeableConcept | None]:
    """The sites of R5's body structure, which the Observation contains or the submission holds."""
    if observation.bodyStructure is None:
        return []
    reference = (observation.bodyStructure.reference or "").strip()
    known = _contained_structures(observation) if reference.startswith("#") else body_structures
    structure = known.get(plain(reference))
    parts = (structure.includedStructure or []) if structure is not None else []
    if structure is None or len(parts) > _MAX_PARTS:
        # A site in words is unrecognised, and noted.
        return [fhir.CodeableConcept(text=observation.bodyStructure.display or reference)]
    return [concept for part in parts if part is not None for concept in (part.structure, part.laterality)]


def _contained_structures(observation: fhir.Observation) -> dict[str, fhir.BodyStructure]:
    """The body structures that the Observation contains, by its references to them."""
    structures: dict[str, fhir.BodyStructure] = {}
    for raw in observation.contained or ():
        try:
            structure = msgspec.json.decode(raw, type=fhir.BodyStructure)
        except fhir.UNDECODABLE:
            continue
        if structure.resourceType == "BodyStructure" and structure.id:
            structures[f"#{structure.id.lstrip('#')}"] = structure
    return structures


def courses_of(concept: fhir.CodeableConcept | None, terminology: Terminology) -> frozenset[str]:
    """The courses that the concept's codes name; a word of its text only beside a coded course."""
    if concept is None:
        return frozenset()
    courses = {terminology.courses[key] for key in keys_of(concept) if key in terminology.courses}
    if courses:
        written = [concept.text or "", *(c.display or "" for c in concept.coding or () if c is not None)]
        for word in " ".join(written).lower().replace(",", " ").split():
            if ("", word) in terminology.courses:
                courses.add(terminology.courses["", word])
    return frozenset(courses)
