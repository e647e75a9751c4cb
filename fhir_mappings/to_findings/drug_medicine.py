"""The medicine that a request or statement speaks of, wherever it stands: coded, contained or referenced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from fhir_mappings.drug_names import Named, Names, routes_of, together, written_in
from fhir_mappings.findings import Note
from fhir_mappings.located import Located
from fhir_mappings.references import plain, refers_to
from fhir_mappings.resources import CodeableConcept, Head, Medication, MedicationIngredient, Reference
from fhir_mappings.terminology import Medications
from fhir_mappings.to_findings.drug_records import MedicationRecord, dosages_of
from fhir_mappings.to_findings.drug_routes import Classed, classed

# A Medication may be made of Medications; real ones nest once or twice.
_DEEPEST = 4


class Medicine(msgspec.Struct, frozen=True, gc=False):
    """What a medicine is called and made of. ingredients: with their classes."""

    named: Named
    ingredients: tuple[Classed, ...]


class Medicines:
    """The medicines of one record, each worked out once: a record of years repeats its prescriptions."""

    def __init__(self, medications: Mapping[str, Located[Medication]], tables: Medications) -> None:
        self._medications = medications
        self._tables = tables
        self._names = Names(tables)
        self._read: dict[tuple[Any, ...], Medicine] = {}

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
        reader = _Reader(record, self._medications, self._names)
        named = together(tuple(reader.named()))
        medicine = self._made_of(named, dosage_routes, frozenset(reader.form_routes))
        place = f"{type(record).__name__}.medication"
        return medicine, tuple(Note(reference, why, place) for why in sorted(reader.problems))

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


class _Reader:
    """Walks from a record to everything that names its medicine."""

    def __init__(
        self,
        record: MedicationRecord,
        medications: Mapping[str, Located[Medication]],
        names: Names,
    ) -> None:
        self._record = record
        self._medications = medications
        self._names = names
        self._tables = names.medications
        self.problems: set[str] = set()
        self.form_routes: set[str] = set()
        self._contained = dict(self._contained_in(record.contained))

    def named(self) -> Iterator[Named]:
        record = self._record
        yield self._name(record.medicationCodeableConcept)
        if record.medication is not None:
            yield self._name(record.medication.concept)
            yield from self._referred(record.medication.reference, 0, self._contained)
        yield from self._referred(record.medicationReference, 0, self._contained)

    def _name(self, concept: CodeableConcept | None) -> Named:
        return self._names.named_by(concept)

    def _referred(
        self, reference: Reference | None, depth: int, contained: Mapping[str, Medication]
    ) -> Iterator[Named]:
        if reference is None:
            return
        medication, contained = self._found(reference, contained)
        if medication is not None and depth < _DEEPEST:
            yield from self._medication(medication, depth, contained)
        elif reference.display:
            # Nothing else tells what it is: the display is all the text there is.
            yield self._name(CodeableConcept(text=reference.display))
        if medication is None:
            self.problems.add("the medicine it refers to was not supplied")

    def _medication(
        self, medication: Medication, depth: int, contained: Mapping[str, Medication]
    ) -> Iterator[Named]:
        for form in (medication.form, medication.doseForm):
            self.form_routes.update(routes_of(form, self._tables))
        for concept in medication.code.concepts if medication.code is not None else ():
            yield self._name(concept)
        for ingredient in medication.ingredient or ():
            if ingredient is not None:
                yield from self._ingredient(ingredient, depth + 1, contained)

    def _ingredient(
        self, ingredient: MedicationIngredient, depth: int, contained: Mapping[str, Medication]
    ) -> Iterator[Named]:
        yield self._name(ingredient.itemCodeableConcept)
        yield from self._referred(ingredient.itemReference, depth, contained)
        if ingredient.item is not None:
            yield self._name(ingredient.item.concept)
            yield from self._referred(ingredient.item.reference, depth, contained)

    def _found(
        self, reference: Reference, contained: Mapping[str, Medication]
    ) -> tuple[Medication | None, Mapping[str, Medication]]:
        """The Medication, and what its own "#id" references would mean."""
        text = (reference.reference or "").strip()
        if text.startswith("#"):
            return contained.get(text[1:]), contained
        target = plain(text)
        located = self._medications.get(target) or self._by_tail(target)
        if located is None:
            return None, {}
        return located.resource, dict(self._contained_in(located.resource.contained))

    def _by_tail(self, target: str) -> Located[Medication] | None:
        """An absolute URL may mean a Medication of that id whose own address was not sent."""
        located = self._medications.get("/".join(target.split("/")[-2:]))
        return located if located and refers_to(target, "Medication", located.names) else None

    def _contained_in(self, resources: Iterable[msgspec.Raw] | None) -> Iterator[tuple[str, Medication]]:
        """Substances too: an ingredient may be one, and its code stands in the same member."""
        for raw in resources or ():
            try:
                head = msgspec.json.decode(raw, type=Head)
                if head.id and head.resourceType in {"Medication", "Substance"}:
                    yield head.id.lstrip("#"), msgspec.json.decode(raw, type=Medication)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self.problems.add("a contained resource that cannot be read")
