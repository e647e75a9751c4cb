"""The medicine that a request or statement names, coded, contained or referenced, and its classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from fhir_mappings.medication_tables import Ingredient, Medications
from fhir_mappings.record import Note
from fhir_mappings.resources.budget import budget
from fhir_mappings.resources.preview import Head
from fhir_mappings.resources.references import id_in, identifiers_in, plain
from fhir_mappings.resources.shapes import UNDECODABLE, CodeableConcept, Coding, Medication, Reference
from fhir_mappings.resources.submission import Located
from fhir_mappings.to_findings.drug_names import NOTHING, Named, named_by, routes_of, together
from fhir_mappings.to_findings.medication_timing import MedicationRecord, dosages_of

# A Medication may be made of Medications; real ones nest once or twice.
_MAX_DEPTH = 4
# Ingredients of one Medication: real ones have some tens.
_MAX_INGREDIENTS = 100
_TOO_MANY = frozenset({"it names more ingredients than are read"})
_NOT_SUPPLIED = frozenset({"the medicine it refers to was not supplied"})
_TOO_LONG = frozenset({"its name is too long to be read"})
_INVALID = frozenset({"a contained resource that cannot be read"})
_NONE: frozenset[str] = frozenset()


class Classed(msgspec.Struct, frozen=True):
    """One ingredient of a medicine. sure: the classes it is in. maybe: those that an unknown route leaves."""

    name: str
    sure: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()


class Medicine(msgspec.Struct, frozen=True, gc=False):
    """The names and the ingredients, with their classes, of a medicine."""

    named: Named
    ingredients: tuple[Classed, ...]


class _Identity(msgspec.Struct, frozen=True):
    """The names of a medicine in one place or several, with all that they refer to."""

    named: Named
    form_routes: frozenset[str] = _NONE
    problems: frozenset[str] = _NONE


class _Contained(msgspec.Struct, frozen=True):
    """The meaning of "#id" references within one resource."""

    medications: Mapping[str, Medication] = {}
    problems: frozenset[str] = _NONE


class Medicines:
    """The medicines of one record. A record of years repeats its prescriptions: each is read once."""

    def __init__(self, medications: Mapping[str, Located[Medication]], tables: Medications) -> None:
        self._medications = medications
        self._tables = tables
        self._concepts: dict[tuple[Any, ...], _Identity] = {}
        # By the number of an object, which is kept: else another object could come to have its number.
        self._read: dict[tuple[int, int], tuple[Medication, _Identity]] = {}
        self._made: dict[tuple[int, frozenset[str]], tuple[_Identity, Medicine]] = {}
        self._contained: dict[int, _Contained] = {}
        self._by_identifier: dict[tuple[str, str], Located[Medication] | None] | None = None
        self._followed = 0

    def of(self, record: MedicationRecord, reference: str) -> tuple[Medicine, list[Note]]:
        """The medicine of a record, and a note for each reference that is missing or invalid.

        Records that name it alike and give it by the same route have the same object.
        """
        contained = _contained_in(record.contained)
        parts = self._concept(record.medicationCodeableConcept)
        if record.medication is not None:
            parts += self._concept(record.medication.concept)
            parts += self._referred(record.medication.reference, 0, contained)
        parts += self._referred(record.medicationReference, 0, contained)
        identity = _joined(parts, _NONE, contained.problems)
        routes = _NONE.union(
            *(routes_of(dosage.route, self._tables) for dosage in dosages_of(record) if dosage is not None)
        )
        key = id(identity), routes
        if key not in self._made:
            named = identity.named
            # The route of the dosage goes before that of the form, and both before that of the name.
            known = (routes, identity.form_routes, named.form_routes, named.code_routes)
            ingredients = classed(named.coded, named.written, known, self._tables.class_routes)
            self._made[key] = identity, Medicine(named, ingredients)
        place = f"{type(record).__name__}.medication"
        return self._made[key][1], [Note(reference, why, place) for why in sorted(identity.problems)]

    def _concept(self, concept: CodeableConcept | None) -> list[_Identity]:
        if concept is None:
            return []
        codings = [(c.system, c.code, c.display) if c else None for c in concept.coding or ()]
        key = (concept.text, *codings)
        if key not in self._concepts:
            short, problems = _short(concept)
            self._concepts[key] = _Identity(named_by(short, self._tables), problems=problems)
        return [self._concepts[key]]

    def _referred(self, reference: Reference | None, depth: int, contained: _Contained) -> list[_Identity]:
        if reference is None:
            return []
        if depth:
            self._followed += 1
            budget().check("references", self._followed)
        medication, inside = self._found(reference, contained)
        parts = []
        if medication is not None and depth < _MAX_DEPTH:
            parts.append(self._medication(medication, depth, inside))
        elif reference.display:
            # Nothing else tells what it is: the display is all the text there is.
            parts += self._concept(CodeableConcept(text=reference.display))
        if medication is None:
            refers = reference.reference or identifiers_in(reference.identifier)
            problems = _NOT_SUPPLIED if refers or not reference.display else _NONE
        else:
            problems = inside.problems
        if problems:
            parts.append(_Identity(NOTHING, problems=problems))
        return parts

    def _medication(self, medication: Medication, depth: int, contained: _Contained) -> _Identity:
        key = id(medication), depth
        if key in self._read:
            return self._read[key][1]
        parts: list[_Identity] = []
        for concept in medication.code.concepts if medication.code is not None else ():
            parts += self._concept(concept)
        for ingredient in medication.ingredient or ():
            if ingredient is None:
                continue
            parts += self._concept(ingredient.itemCodeableConcept)
            parts += self._referred(ingredient.itemReference, depth + 1, contained)
            if ingredient.item is not None:
                parts += self._concept(ingredient.item.concept)
                parts += self._referred(ingredient.item.reference, depth + 1, contained)
        forms = routes_of(medication.form, self._tables) | routes_of(medication.doseForm, self._tables)
        self._read[key] = medication, _joined(parts, forms, _NONE)
        return self._read[key][1]

    def _found(self, reference: Reference, contained: _Contained) -> tuple[Medication | None, _Contained]:
        """The Medication, and the meaning of its own "#id" references."""
        text = (reference.reference or "").strip()
        if text.startswith("#"):
            return contained.medications.get(text[1:]), contained
        located = self._of_record(text) if text else self._of_identifier(reference.identifier)
        if located is None:
            return contained.medications.get(text), contained
        key = id(located.resource)
        if key not in self._contained:
            self._contained[key] = _contained_in(located.resource.contained)
        return located.resource, self._contained[key]

    def _of_record(self, text: str) -> Located[Medication] | None:
        """By its URL, else the only Medication of that id: a server may have several addresses."""
        target = plain(text)
        return self._medications.get(target) or self._medications.get(
            f"Medication/{id_in(target, 'Medication')}"
        )

    def _of_identifier(self, raw: msgspec.Raw) -> Located[Medication] | None:
        """The only Medication that has an identifier of a logical reference."""
        wanted = identifiers_in(raw)
        if wanted and self._by_identifier is None:
            self._by_identifier = {}
            for located in {id(located): located for located in self._medications.values()}.values():
                for identifier in identifiers_in(located.resource.identifier):
                    same = self._by_identifier.setdefault(identifier, located)
                    if same is not None and same is not located:
                        self._by_identifier[identifier] = None
        found = {id(hit): hit for name in wanted if (hit := (self._by_identifier or {}).get(name))}
        return found.popitem()[1] if len(found) == 1 else None


def _short(concept: CodeableConcept) -> tuple[CodeableConcept, frozenset[str]]:
    """The concept without the texts and codes that are too long to be searched, and the problem with them."""
    most = budget().text

    def is_long(text: str | None) -> bool:
        return text is not None and len(text) > most

    codings = [c for c in concept.coding or () if c is not None]
    texts = [concept.text]
    for coding in codings:
        texts += coding.code, coding.display
    if not any(map(is_long, texts)):
        return concept, _NONE
    kept: list[Coding | None] = [
        Coding(c.system, None if is_long(c.code) else c.code, None if is_long(c.display) else c.display)
        for c in codings
    ]
    return CodeableConcept(kept, None if is_long(concept.text) else concept.text), _TOO_LONG


def _joined(parts: Sequence[_Identity], form_routes: frozenset[str], problems: frozenset[str]) -> _Identity:
    """All that those parts name; a part that stands there often counts once."""
    distinct = list({id(part): part for part in parts}.values())
    if len(distinct) == 1 and not form_routes and not problems:
        return distinct[0]
    form_routes = form_routes.union(*(part.form_routes for part in distinct))
    problems = problems.union(*(part.problems for part in distinct))
    named = together([part.named for part in distinct])
    if len(distinct) > 1:
        coded, written = tuple(dict.fromkeys(named.coded)), tuple(dict.fromkeys(named.written))
        names = named.raising, {hit.name for hit in coded}, {hit.name for hit in written}
        if any(len(found) > _MAX_INGREDIENTS for found in names):
            problems |= _TOO_MANY
        named = replace(
            named,
            coded=_first_of(coded),
            written=_first_of(written),
            raising=frozenset(sorted(named.raising)[:_MAX_INGREDIENTS]),
        )
    return _Identity(named, form_routes, problems)


def _first_of(hits: Iterable[Ingredient]) -> tuple[Ingredient, ...]:
    """The hits of the first ingredients; one ingredient may have several, by its classes."""
    names = set(islice(dict.fromkeys(hit.name for hit in hits), _MAX_INGREDIENTS))
    return tuple(hit for hit in hits if hit.name in names)


def _contained_in(resources: Sequence[msgspec.Raw] | None) -> _Contained:
    """Medications, and Substances: an ingredient may be one, and its code stands in the same member."""
    medications: dict[str, Medication] = {}
    problems = _NONE
    for raw in resources or ():
        try:
            head = msgspec.json.decode(raw, type=Head)
            if head.id and head.kind in {"Medication", "Substance"}:
                medications[head.id.lstrip("#")] = msgspec.json.decode(raw, type=Medication)
        except UNDECODABLE:
            problems = _INVALID
    return _Contained(medications, problems)


def classed(
    coded: Iterable[Ingredient],
    written: Iterable[Ingredient],
    routes: Iterable[frozenset[str]],
    class_routes: Mapping[str, frozenset[str]],
) -> tuple[Classed, ...]:
    """The ingredients of one medicine with their classes.

    A code that decides the class goes before the route.

    Args:
        written: by text, which adds only ingredients that no code names.
        routes: by each source, the best first; the first that is not empty counts.
    """
    by_name: dict[str, list[Ingredient]] = {}
    for hit in coded:
        by_name.setdefault(hit.name, []).append(hit)
    coded_names = frozenset(by_name)
    for hit in written:
        if hit.name not in coded_names:
            by_name.setdefault(hit.name, []).append(hit)
    route = next((known for known in routes if known), _NONE)
    decided = {hit.medication_class for hits in by_name.values() for hit in hits if not hit.route_decides}
    return tuple(_classed(name, by_name[name], decided, route, class_routes) for name in sorted(by_name))


def _classed(
    name: str,
    hits: list[Ingredient],
    decided: set[str],
    route: frozenset[str],
    class_routes: Mapping[str, frozenset[str]],
) -> Classed:
    candidates = frozenset(hit.medication_class for hit in hits)
    # Another code of the same medicine may say what this one leaves to the route.
    settled = frozenset(h.medication_class for h in hits if not h.route_decides) or candidates & decided
    if settled:
        return Classed(name, sure=settled)
    fitting = frozenset(c for c in candidates if class_routes.get(c, _NONE) & route)
    if len(fitting) == 1:
        return Classed(name, sure=fitting)
    if route and not fitting and len(candidates) == 1:
        return Classed(name)
    # A route that none of several classes is given by settles nothing: never a silent no.
    return Classed(name, maybe=fitting or candidates)
