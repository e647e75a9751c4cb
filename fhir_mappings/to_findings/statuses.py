"""Status, basis and place of a record: the first three columns of section 1 of the decision model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
IN_WORDS = "its code is not known, and its text names a twitch"

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
# Required system -> its words, those of R5 and STU3 too. In error is seen in the field as either status.
_WORDS = {
    CLINICAL: ENDED | NEVER_WAS | {"active", "recurrence", "relapse", "unknown"},
    VERIFICATION: SUSPECTED | NEVER_WAS | {"confirmed", "refuted", "unknown"},
}

_TOLD_CATEGORIES = frozenset({"survey", "social-history", "functional-status"})
_TOLD_BY = ("Patient", "RelatedPerson")
_NO_COURSES: frozenset[str] = frozenset()
_MOST_PARTS = 20


def status_of(status: fhir.CodeableConcept | str | None, system: str) -> str | None:
    """The status as a word of the required system; "" where nothing is written, None if it is not recognised.

    R4 codes it, STU3 and DSTU2 write it. Of several codings those of the system decide, wherever they stand.
    """
    if status is None:
        return ""
    if isinstance(status, str):
        words = {_word(status)}
    else:
        codings = [coding for coding in status.coding or () if coding is not None]
        words = {
            _word(coding.code) for coding in codings if (coding.system or "").strip().rstrip("/") == system
        }
        if not words:
            written = [status.text, *(part for c in codings for part in (c.system, c.code, c.display))]
            return None if any(map(_word, written)) else ""
    # Two words of one system contradict each other.
    word = words.pop() if len(words) == 1 else None
    return word if word in _WORDS[system] else None


def unclear(
    reference: str, clinical: str | None, verification: str | None, *, in_words: bool
) -> Iterator[Note]:
    """What is not recognised of a Condition. in_words: its text alone names what it is."""
    for word, member in ((clinical, "clinicalStatus"), (verification, "verificationStatus")):
        if word is None:
            yield Note(reference, STATUS_NOT_RECOGNISED, f"Condition.{member}")
    if in_words:
        yield Note(reference, IN_WORDS, "Condition.code")


def is_told(
    people: Iterable[fhir.Reference | None],
    sources: Iterable[fhir.Reference | None],
    categories: Iterable[fhir.CodeableConcept | None],
) -> bool:
    """Whether the patient or a relative said it, a questionnaire, or its category is one of telling."""
    for person in people:
        if _type_of(person) in _TOLD_BY:
            return True
    for source in sources:
        if _type_of(source) == "QuestionnaireResponse":
            return True
    for category in categories:
        for coding in (category.coding or ()) if category is not None else ():
            if coding is not None and _word(coding.code) in _TOLD_CATEGORIES:
                return True
    return False


def concepts_of(
    category: list[fhir.CodeableConcept | str | None] | fhir.CodeableConcept | str | None,
) -> list[fhir.CodeableConcept | None]:
    """A category, however it was written, as a list of concepts."""
    written = category if isinstance(category, list) else [category]
    return [
        fhir.CodeableConcept(coding=[fhir.Coding(code=one)]) if isinstance(one, str) else one
        for one in written
    ]


def sources_of(observation: fhir.Observation) -> list[fhir.Reference | None]:
    """What an Observation was derived from, by R4's member or by STU3's."""
    sources = list(observation.derivedFrom or ())
    for related in observation.related or ():
        # STU3 lets the type out: of a questionnaire nothing else is meant.
        if related is not None and _word(related.type) in ("", "derived-from"):
            sources.append(related.target)
    return sources


def people_of(condition: fhir.Condition) -> list[fhir.Reference | None]:
    """Who asserted a Condition: one person in R4 and STU3, in R5 everybody who took part."""
    actors = [one.actor for one in condition.participant or () if one is not None]
    return [condition.asserter, *actors]


def _word(text: str | None) -> str:
    return (text or "").strip().lower()


def _type_of(reference: fhir.Reference | None) -> str:
    if reference is None:
        return ""
    if reference.type:
        return reference.type
    parts = (reference.reference or "").split("/_history/")[0].split("/")
    return parts[-2] if len(parts) > 1 else ""


def basis_of(told: bool) -> Basis:
    return Basis.REPORTED if told else Basis.EXAMINED


def sites_of(
    concepts: Iterable[fhir.CodeableConcept | None],
    terminology: Terminology,
    reference: str,
    expression: str,
    notes: list[Note],
) -> tuple[Site, ...]:
    """The body sites of a record with their side; one that is not understood is noted."""
    found: list[Site] = []
    loose: str | None = None
    for concept in concepts:
        if concept is None:
            continue
        keys = keys_of(concept)
        side = next((terminology.sides[key] for key in keys if key in terminology.sides), None)
        sites = [terminology.sites[key] for key in keys if key in terminology.sites]
        if sites:
            # Several codings of one concept say the same place: the first that is known.
            found.append(_with_side(sites[0], side))
        elif side is not None:
            loose = side
        elif keys or text_of(concept):
            notes.append(Note(reference, "body site not understood", expression))
    return tuple(dict.fromkeys([_with_side(site, loose) for site in found])) if found else ()


def structures_of(
    observation: fhir.Observation, body_structures: Mapping[str, fhir.BodyStructure]
) -> list[fhir.CodeableConcept | None]:
    """The places of R5's body structure, whole ones that the observation contains or that came along."""
    if observation.bodyStructure is None:
        return []
    reference = (observation.bodyStructure.reference or "").strip()
    known = _contained_structures(observation) if reference.startswith("#") else body_structures
    structure = known.get(plain(reference))
    if structure is None:
        # Named, and not there: a place that is not understood.
        return [fhir.CodeableConcept(text=observation.bodyStructure.display or reference)]
    parts = structure.includedStructure or []
    if len(parts) > _MOST_PARTS:
        # Many Observations may name it: one of thousands of parts is not read, and is not understood.
        return [fhir.CodeableConcept(text=observation.bodyStructure.display or reference)]
    return [concept for part in parts if part is not None for concept in (part.structure, part.laterality)]


def _contained_structures(observation: fhir.Observation) -> dict[str, fhir.BodyStructure]:
    """The body structures that the Observation contains, by the references that it has to them."""
    structures: dict[str, fhir.BodyStructure] = {}
    for raw in observation.contained or ():
        try:
            structure = msgspec.json.decode(raw, type=fhir.BodyStructure)
        except fhir.UNDECODABLE:
            continue
        if structure.resourceType == "BodyStructure" and structure.id:
            structures[f"#{structure.id.lstrip('#')}"] = structure
    return structures


def _with_side(site: Site, side: str | None) -> Site:
    if side is None or site.side is not None:
        return site
    return Site(site.id, site.label, site.region, side)


def courses_of(concept: fhir.CodeableConcept | None, terminology: Terminology) -> frozenset[str]:
    """The courses that the concept's codes name; a word of its text only beside a coded course."""
    if concept is None:
        return _NO_COURSES
    courses = {terminology.courses[key] for key in keys_of(concept) if key in terminology.courses}
    if courses:
        written = " ".join(
            [concept.text or "", *(c.display or "" for c in concept.coding or () if c is not None)]
        )
        for word in written.lower().replace(",", " ").split():
            if ("", word) in terminology.courses:
                courses.add(terminology.courses[("", word)])
    return frozenset(courses)
