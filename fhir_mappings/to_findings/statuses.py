"""Status, basis, sites and courses of one record: the first columns of section 1 of the decision model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter

import msgspec

from fhir_mappings.code_systems import CodeKey, code_key
from fhir_mappings.record import Basis, Note, Site
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import codings_of, keys_of, text_of
from fhir_mappings.resources.decoding import MODIFIED
from fhir_mappings.resources.references import plain
from fhir_mappings.terminology import Certainty, Terminology

ENDED = frozenset({"inactive", "resolved", "remission"})
ENDED_THOUGH_CHRONIC = frozenset({"resolved"})
SUSPECTED = frozenset({"provisional", "differential", "unconfirmed"})
NEVER_WAS = frozenset({"entered-in-error"})
NO_OBSERVATION = frozenset({"entered-in-error", "cancelled", "registered"})
# Why a Condition is neither present nor absent.
STATUS_NOT_RECOGNISED = "its status is not recognised"
NOT_READ_AS_WRITTEN = MODIFIED
MISSING = "its value is recorded as missing"
IN_WORDS = "its code is not known, and its text names a twitch"

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
# Required system -> its words, those of R5 and STU3 too. In error is seen in the field as either status.
_WORDS = {
    CLINICAL: ENDED | NEVER_WAS | {"active", "recurrence", "relapse", "unknown"},
    VERIFICATION: SUSPECTED | NEVER_WAS | {"confirmed", "refuted", "unknown"},
}

_SPELLINGS = {"canceled": "cancelled", "enteredinerror": "entered-in-error", "onhold": "on-hold"}
_REPORTED_CATEGORIES = frozenset({"survey", "social-history", "functional-status"})
_EXAMINATION = "exam"
REPORTED_BY = frozenset({"Patient", "RelatedPerson"})
EXAMINED_BY = frozenset({"Practitioner", "PractitionerRole"})
# Many Observations may name one body structure: reading thousands of parts for each would be quadratic.
_MAX_PARTS = 20

_DATA_ABSENT = b"data-absent-reason"
_OF_ELEMENTS = ("booleanElement", "stringElement", "integerElement", "conceptElement", "quantityElement")
_ELEMENTS = attrgetter(*_OF_ELEMENTS)
_ODD = ("valueRange", "valueDateTime", "valueRatio", "valueSampledData", "valueTime", "valuePeriod")
_ODD_VALUES = attrgetter(*_ODD, "valueReference", "valueAttachment", *fhir.OTHER_VALUES, *_OF_ELEMENTS)
_NO_ELEMENTS, _NO_ODD_VALUES = _ELEMENTS(fhir.Value()), _ODD_VALUES(fhir.Value())


def status_of(
    status: fhir.CodeableConcept | str | None, system: str, others: Mapping[CodeKey, str]
) -> str | None:
    """The status as a word of the required system.

    R4 codes it, STU3 and DSTU2 write it. The codings of the required system decide, wherever they stand, else
    the codes and words that are known.

    Args:
        others: codes of other systems, and words, -> status.

    Returns:
        "" where nothing is written, None where the status is unrecognised.
    """
    if status is None:
        return ""
    if isinstance(status, str):
        return _only({_in_words(status, system, others)})
    codings = codings_of(status)
    required = {_word(c.code) for c in codings if _is_required(c.system, system)}
    if required:
        # Two words of one system contradict each other.
        return _only({word if word in _WORDS[system] else None for word in required})
    written = [status.text, *(part for c in codings for part in (c.system, c.code, c.display))]
    if not any(map(_word, written)):
        return ""
    found = {
        _in_words(text, system, others)
        for text in (status.text, *(c.display for c in codings))
        if _word(text)
    }
    for coding in codings:
        if coding.system and coding.code:
            found |= {others[key] for key in (code_key(coding.system, coding.code),) if key in others}
        elif coding.code:
            found.add(_in_words(coding.code, system, others))
    return _only(found)


def _is_required(written: str | None, system: str) -> bool:
    """Whether a coding is of the required system, by its address in R4 or in STU3 and DSTU2."""
    name = (written or "").strip().casefold().rstrip("/").partition("://")[2]
    code_system = system.rpartition("/")[2]
    return name in (f"terminology.hl7.org/codesystem/{code_system}", f"hl7.org/fhir/{code_system}")


def _in_words(text: str | None, system: str, others: Mapping[CodeKey, str]) -> str | None:
    word = "-".join(_word(text).replace("_", " ").split())
    return word if word in _WORDS[system] else others.get(("", word.replace("-", " ")))


def _only(words: set[str | None]) -> str | None:
    return words.pop() if len(words) == 1 else None


def status_word(text: str | None) -> str:
    """A status as FHIR spells it.

    >>> status_word("Entered_In_Error "), status_word("CANCELED")
    ('entered-in-error', 'cancelled')
    """
    word = "-".join((text or "").lower().replace("_", " ").split())
    return _SPELLINGS.get(word, word)


def certain(
    concept: fhir.CodeableConcept | None, certainty: Certainty, clinical: str | None, verification: str | None
) -> tuple[str | None, str | None]:
    """Both statuses of a Condition with the certainty of its codings; None where they contradict it."""
    for coding in (concept.coding or ()) if concept is not None else ():
        if coding is None or coding.extension == fhir.NOT_THERE:
            continue
        for extension in extensions_of(coding.extension):
            if extension.url == certainty.extension:
                code = ((extension.valueCoding and extension.valueCoding.code) or "").strip().upper()
                verification = _agreed(
                    verification, certainty.verification.get(code), code in certainty.clinical
                )
                clinical = _agreed(clinical, certainty.clinical.get(code), code in certainty.verification)
    return clinical, verification


def _agreed(status: str | None, stated: str | None, known: bool) -> str | None:
    """The status, completed by a certainty. known: the certainty is about the other status alone."""
    if stated is None:
        return status if known else None
    if status in ("", stated) or (stated in SUSPECTED and status in SUSPECTED):
        return status or stated
    return None


def extensions_of(raw: msgspec.Raw) -> list[fhir.Extension]:
    """The extensions of an element; none where they are invalid."""
    try:
        return [one for one in msgspec.json.decode(raw, type=list[fhir.Extension | None] | None) or () if one]
    except fhir.UNDECODABLE:
        return []


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
    people: Iterable[str],
    sources: Iterable[str],
    categories: Iterable[fhir.CodeableConcept | None],
    otherwise: Basis = Basis.EXAMINED,
) -> Basis:
    """Reported if by the patient, a relative or a questionnaire, or of a category of such reports.

    What is extracted from the form of a clinician who examined is no report: of the category exam.

    Args:
        people: types of those who said so. sources: types of what it was made from.
    """
    types = set(people)
    words: set[str] = set()
    for category in categories:
        if category is None:
            continue
        written = [category.text]
        for coding in category.coding or ():
            if coding is not None:
                written.append(coding.code or coding.display)
        for text in written:
            if text:
                words.add("-".join(text.lower().split()))
    if not types.isdisjoint(REPORTED_BY) or not words.isdisjoint(_REPORTED_CATEGORIES):
        return Basis.REPORTED
    if _EXAMINATION in words and not types.isdisjoint(EXAMINED_BY):
        return otherwise
    return Basis.REPORTED if "QuestionnaireResponse" in sources else otherwise


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


def type_of(reference: fhir.Reference | None) -> str:
    """The resource type that a reference names; "" where it names none."""
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


def is_missing(holder: fhir.Value) -> bool:
    """Whether it says that there is no value, by a reason or an extension."""
    if holder.dataAbsentReason is not None:
        return True
    for value in (holder.valueCodeableConcept, holder.valueQuantity):
        if value is not None and _DATA_ABSENT in bytes(value.extension):
            return True
    elements = _ELEMENTS(holder)
    return elements != _NO_ELEMENTS and any(_DATA_ABSENT in bytes(element) for element in elements)


def has_odd_value(holder: fhir.Value) -> bool:
    """Whether its value is of a type that no finding has."""
    return bool(_ODD_VALUES(holder) != _NO_ODD_VALUES)
