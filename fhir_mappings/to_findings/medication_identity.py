"""The medicine that a request or statement speaks of, wherever it stands: coded, contained or referenced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from fhir_mappings.record import Note
from fhir_mappings.resources.preview import Head
from fhir_mappings.resources.references import plain, refers_to
from fhir_mappings.resources.shapes import (
    UNDECODABLE,
    CodeableConcept,
    Medication,
    MedicationIngredient,
    Reference,
)
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import Ingredient, Medications
from fhir_mappings.to_findings.drug_names import NOTHING, Named, Names, routes_of, together, written_in
from fhir_mappings.to_findings.medication_records import MedicationRecord, dosages_of
from fhir_mappings.to_findings.medication_routes import Classed, classed

# A Medication may be made of Medications; real ones nest once or twice.
_DEEPEST = 4
# What the Medications of one record refer to, and the ingredients of one: real ones have some tens of them.
_MOST_FOLLOWED = 20_000
_MOST_INGREDIENTS = 100
_TOO_MANY = frozenset({"it names more ingredients than are read"})
_NOT_SUPPLIED = frozenset({"the medicine it refers to was not supplied"})
_UNREADABLE = frozenset({"a contained resource that cannot be read"})


class Medicine(msgspec.Struct, frozen=True, gc=False):
    """What a medicine is called and made of. ingredients: with their classes."""

    named: Named
    ingredients: tuple[Classed, ...]


class Medicines:
    """The medicines of one record, each worked out once: a record of years repeats its prescriptions."""

    def __init__(self, medications: Mapping[str, Located[Medication]], tables: Medications) -> None:
        self._tables = tables
        self._names = Names(tables)
        self._reader = _Reader(medications, self._names)
        self._read: dict[tuple[Any, ...], Medicine] = {}
        # By what was read, which is kept: else another could come to have its number.
        self._referred: dict[tuple[int, frozenset[str]], tuple[_Read, Medicine]] = {}

    def of(self, record: MedicationRecord, reference: str) -> tuple[Medicine, tuple[Note, ...]]:
        """The medicine of a record, and a note where it refers to one that is not there or not readable.

        Records that name it alike and give it by the same route have the same medicine, not an equal one.
        """
        dosage_routes = _dosage_routes(record, self._tables)
        concept = record.medicationCodeableConcept
        if concept is None or record.medication or record.medicationReference or record.contained:
            return self._referred_to(record, reference, dosage_routes)
        key = written_in(concept), dosage_routes
        medicine = self._read.get(key)
        if medicine is None:
            named = self._names.named_by(concept)
            medicine = self._read[key] = self._made_of(named, dosage_routes, _NO_ROUTES)
        return medicine, ()

    def _referred_to(
        self, record: MedicationRecord, reference: str, dosage_routes: frozenset[str]
    ) -> tuple[Medicine, tuple[Note, ...]]:
        read = self._reader.record(record)
        key = id(read), dosage_routes
        if key not in self._referred:
            self._referred[key] = read, self._made_of(read.named, dosage_routes, read.form_routes)
        place = f"{type(record).__name__}.medication"
        return self._referred[key][1], tuple(Note(reference, why, place) for why in sorted(read.problems))

    def _made_of(self, named: Named, dosage_routes: frozenset[str], form_routes: frozenset[str]) -> Medicine:
        # The route of the dosage goes before that of the form, and both before what the name says.
        routes = (dosage_routes, form_routes, named.form_routes, named.code_routes)
        return Medicine(named, classed(named.coded, named.written, routes, self._tables.class_routes))


_NO_ROUTES: frozenset[str] = frozenset()


def _dosage_routes(record: MedicationRecord, tables: Medications) -> frozenset[str]:
    found = _NO_ROUTES
    for dosage in dosages_of(record):
        if dosage is not None and dosage.route is not None:
            found |= routes_of(dosage.route, tables)
    return found


class _Read(msgspec.Struct, frozen=True):
    """What a record or a Medication says of the medicine, with all that it refers to."""

    named: Named
    form_routes: frozenset[str] = _NO_ROUTES
    problems: frozenset[str] = frozenset()


class _Contained(msgspec.Struct, frozen=True):
    """What "#id" references mean within one resource."""

    medications: Mapping[str, Medication] = {}
    problems: frozenset[str] = frozenset()


class _Reader:
    """Walks from a record to everything that names its medicine; each Medication is read once for all."""

    def __init__(self, medications: Mapping[str, Located[Medication]], names: Names) -> None:
        self._medications = medications
        self._names = names
        self._tables = names.medications
        # Number of a Medication and how deep it was met -> itself, to keep the number, and what it says.
        self._read: dict[tuple[int, int], tuple[Medication, _Read]] = {}
        self._contained: dict[int, _Contained] = {}
        self._followed = 0

    def record(self, record: MedicationRecord) -> _Read:
        contained = _contained_in(record.contained)
        parts = self._name(record.medicationCodeableConcept)
        if record.medication is not None:
            parts += self._name(record.medication.concept)
            parts += self._referred(record.medication.reference, 0, contained)
        parts += self._referred(record.medicationReference, 0, contained)
        return _joined(parts, _NO_ROUTES, contained.problems)

    def _name(self, concept: CodeableConcept | None) -> list[_Read]:
        return [] if concept is None else [_Read(self._names.named_by(concept))]

    def _referred(self, reference: Reference | None, depth: int, contained: _Contained) -> list[_Read]:
        if reference is None:
            return []
        if depth:
            self._followed += 1
            if self._followed > _MOST_FOLLOWED:
                return [_Read(NOTHING, problems=_TOO_MANY)]
        medication, inside = self._found(reference, contained)
        parts = []
        if medication is not None and depth < _DEEPEST:
            parts.append(self._medication(medication, depth, inside))
        elif reference.display:
            # Nothing else tells what it is: the display is all the text there is.
            parts += self._name(CodeableConcept(text=reference.display))
        problems = _NOT_SUPPLIED if medication is None else inside.problems
        if problems:
            parts.append(_Read(NOTHING, problems=problems))
        return parts

    def _medication(self, medication: Medication, depth: int, contained: _Contained) -> _Read:
        key = id(medication), depth
        if key not in self._read:
            self._read[key] = medication, self._medication_read(medication, depth, contained)
        return self._read[key][1]

    def _medication_read(self, medication: Medication, depth: int, contained: _Contained) -> _Read:
        forms = (routes_of(form, self._tables) for form in (medication.form, medication.doseForm))
        parts: list[_Read] = []
        for concept in medication.code.concepts if medication.code is not None else ():
            parts += self._name(concept)
        for ingredient in medication.ingredient or ():
            if ingredient is not None:
                parts += self._ingredient(ingredient, depth + 1, contained)
        return _joined(parts, _NO_ROUTES.union(*forms), frozenset())

    def _ingredient(self, ingredient: MedicationIngredient, depth: int, contained: _Contained) -> list[_Read]:
        parts = self._name(ingredient.itemCodeableConcept)
        parts += self._referred(ingredient.itemReference, depth, contained)
        if ingredient.item is not None:
            parts += self._name(ingredient.item.concept)
            parts += self._referred(ingredient.item.reference, depth, contained)
        return parts

    def _found(self, reference: Reference, contained: _Contained) -> tuple[Medication | None, _Contained]:
        """The Medication, and what its own "#id" references would mean."""
        text = (reference.reference or "").strip()
        if text.startswith("#"):
            return contained.medications.get(text[1:]), contained
        target = plain(text)
        located = self._medications.get(target) or self._by_tail(target)
        if located is None:
            return None, _Contained()
        key = id(located.resource)
        if key not in self._contained:
            self._contained[key] = _contained_in(located.resource.contained)
        return located.resource, self._contained[key]

    def _by_tail(self, target: str) -> Located[Medication] | None:
        """An absolute URL may mean a Medication of that id whose own address was not sent."""
        located = self._medications.get("/".join(target.split("/")[-2:]))
        return located if located and refers_to(target, "Medication", located.names) else None


def _joined(parts: Sequence[_Read], form_routes: frozenset[str], problems: frozenset[str]) -> _Read:
    """What those parts say between them; one that stands there often says it once."""
    distinct = list({id(part): part for part in parts}.values())
    if len(distinct) == 1 and not form_routes and not problems:
        return distinct[0]
    form_routes = form_routes.union(*(part.form_routes for part in distinct))
    problems = problems.union(*(part.problems for part in distinct))
    named = together([part.named for part in distinct])
    if len(distinct) > 1:
        coded, written = tuple(dict.fromkeys(named.coded)), tuple(dict.fromkeys(named.written))
        names = named.raising, {hit.name for hit in coded}, {hit.name for hit in written}
        if any(len(found) > _MOST_INGREDIENTS for found in names):
            problems |= _TOO_MANY
        named = replace(
            named,
            coded=_first_of(coded),
            written=_first_of(written),
            raising=frozenset(sorted(named.raising)[:_MOST_INGREDIENTS]),
        )
    return _Read(named, form_routes, problems)


def _first_of(hits: Iterable[Ingredient]) -> tuple[Ingredient, ...]:
    """Those of so many ingredients; of one there may be several hits, by its classes."""
    names = set(islice(dict.fromkeys(hit.name for hit in hits), _MOST_INGREDIENTS))
    return tuple(hit for hit in hits if hit.name in names)


def _contained_in(resources: Sequence[msgspec.Raw] | None) -> _Contained:
    """Substances too: an ingredient may be one, and its code stands in the same member."""
    medications: dict[str, Medication] = {}
    problems: frozenset[str] = frozenset()
    for raw in resources or ():
        try:
            head = msgspec.json.decode(raw, type=Head)
            if head.id and head.kind in {"Medication", "Substance"}:
                medications[head.id.lstrip("#")] = msgspec.json.decode(raw, type=Medication)
        except UNDECODABLE:
            problems = _UNREADABLE
    return _Contained(medications, problems)
