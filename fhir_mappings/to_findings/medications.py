"""The patient's medicines: one Drug per ingredient over all its records, and when it was taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import msgspec

from fhir_mappings.record import Days, Drug, Note, Plausible
from fhir_mappings.resources.shapes import Medication, MedicationRequest, MedicationStatement
from fhir_mappings.resources.submission import Located
from fhir_mappings.to_findings.findings import Reader
from fhir_mappings.to_findings.medication_identity import Medicine, Medicines
from fhir_mappings.to_findings.medication_timing import (
    DENIED,
    Span,
    Use,
    ended_by,
    joined_uses,
    plausible_of,
    use_of,
    why_of,
)

_WITHOUT_A_NAME = "medicine without a name"
# Of a name as recorded, in the reasons of the assessment.
_MAX_NAME = 80


class _Mention(msgspec.Struct, frozen=True, gc=False):
    """One ingredient of one medicine.

    sure: its class does not depend on an unknown route. recorded: the name of the medicine as recorded, where
    that spells the ingredient as another language does.
    """

    name: str
    medication_class: str | None
    sure: bool
    use: Use
    recognised: bool = True
    raises_potassium: bool = False
    recorded: str = ""


def drugs_of(
    reader: Reader,
    requests: Sequence[Located[MedicationRequest]],
    statements: Sequence[Located[MedicationStatement]],
    medications: Mapping[str, Located[Medication]],
    onset: Days,
) -> tuple[Drug, ...]:
    """All medicines against a twitch of that onset, by name; draft orders aside."""
    medicines = Medicines(medications, reader.terminology.medications)
    taken: dict[int | str, tuple[Medicine, list[Use]]] = {}
    everything: list[Located[MedicationRequest] | Located[MedicationStatement]] = [*requests, *statements]
    for located in everything:
        if located.draft:
            continue
        record, reference = located.resource, located.reference
        use = use_of(record, reference, reader)
        if use is None:
            continue
        medicine, problems = medicines.of(record, reference)
        reader.notes += problems
        # Medicines without a name may be different ones: each record stands for itself.
        key = id(medicine) if medicine.named.name else reference
        taken.setdefault(key, (medicine, []))[1].append(use)
    mentions: dict[str, list[_Mention]] = defaultdict(list)
    for medicine, uses in taken.values():
        joined = joined_uses(uses)
        if medicine.named.none:
            # Neither a medicine nor anything that was not read.
            continue
        if medicine.named.denied:
            _, reference, kind = joined.first
            reader.notes.append(Note(reference, DENIED, f"{kind}.medication"))
            continue
        for mention in _mentions(medicine, joined):
            mentions[mention.name.casefold() or joined.first[1]].append(mention)
    drugs = [drug for group in mentions.values() for drug in _drugs_of_one(group, onset, reader.as_of)]
    # One note for each medicine, not for each renewal of it.
    for group in mentions.values():
        if not any(mention.recognised for mention in group):
            _, reference, kind = min(mention.use.first for mention in group)
            why = "medicine not recognised by its code or name"
            reader.notes.append(Note(reference, why, f"{kind}.medication"))
    return tuple(sorted(drugs, key=lambda d: (d.name.casefold(), sorted(d.classes), d.reference)))


def drafted_drugs(
    reader: Reader, located: Located[MedicationRequest], medicines: Medicines
) -> tuple[Drug, ...]:
    """The medicines that a draft order names, without times: they were not taken yet."""
    medicine, problems = medicines.of(located.resource, located.reference)
    reader.notes += problems
    use = Use(Span(), Span(), (date.max, located.reference, "MedicationRequest"))
    mentions: dict[str, list[_Mention]] = defaultdict(list)
    for mention in _mentions(medicine, use):
        mentions[mention.name.casefold()].append(mention)
    # Of several ingredients the name may be that of another one.
    named = medicine.named
    written = named.name if named.has_text and len(medicine.ingredients) == 1 else ""
    return tuple(
        replace(drug, written=written)
        for name in sorted(mentions)
        for drug in _drugs_of_one(mentions[name], Days(), reader.as_of)
    )


def _mentions(medicine: Medicine, use: Use) -> Iterator[_Mention]:
    named, ingredients = medicine.named, medicine.ingredients
    for ingredient in ingredients:
        recorded = named.name[:_MAX_NAME] if ingredient.name in named.spelled else ""
        for medication_class in sorted(ingredient.sure):
            yield _Mention(ingredient.name, medication_class, True, use, recorded=recorded)
        for medication_class in sorted(ingredient.maybe):
            yield _Mention(ingredient.name, medication_class, False, use, recorded=recorded)
        if not ingredient.sure and not ingredient.maybe:
            yield _Mention(ingredient.name, None, True, use, recorded=recorded)
    if named.raises:
        for name in sorted(named.raising) or [named.name]:
            yield _Mention(name, None, True, use, raises_potassium=True)
    elif not ingredients:
        yield _Mention(named.name, None, True, use, recognised=False, raises_potassium=not named.has_text)


def _drugs_of_one(mentions: list[_Mention], onset: Days, as_of: date) -> Iterator[Drug]:
    """The Drugs of one name: one, unless its records are of several classes that the route decides."""
    by_class: dict[str | None, list[_Mention]] = defaultdict(list)
    for mention in mentions:
        by_class[mention.medication_class].append(mention)
    # Classes that the same records name, as surely, are one line on the card; a medicine's first record
    # stands for all of its records.
    together: dict[frozenset[tuple[str, bool]], list[_Mention]] = defaultdict(list)
    for group in by_class.values():
        together[frozenset((m.use.first[1], m.sure) for m in group)] += group
    for group in together.values():
        yield _drug(group, onset, as_of)


def _drug(mentions: list[_Mention], onset: Days, as_of: date) -> Drug:
    use = joined_uses([mention.use for mention in mentions])
    sure = [mention.use for mention in mentions if mention.sure]
    certain = (use if len(sure) == len(mentions) else joined_uses(sure)).certain if sure else None
    plausible = plausible_of(use.span, onset)
    why = why_of(use.span, onset, plausible, as_of)
    surely = certain is use.span or (certain is not None and plausible_of(certain, onset) is plausible)
    if plausible is Plausible.YES and not surely:
        # A yes needs records whose status and route are known.
        plausible = Plausible.POSSIBLE
        if certain is not None:
            why = f"{why}, by a record whose route or status is unknown"
    if plausible is Plausible.POSSIBLE:
        if not sure:
            why = f"{why}; route unknown"
        if use.certain is None:
            why = f"{why}; not known whether it is taken"
    if recorded := min((mention.recorded for mention in mentions if mention.recorded), default=""):
        why = f'{why}; recorded as "{recorded}"'
    return Drug(
        name=min(mention.name for mention in mentions) or _WITHOUT_A_NAME,
        classes=frozenset(m.medication_class for m in mentions if m.medication_class is not None),
        plausible=plausible,
        why=why,
        reference=use.first[1],
        start=use.span.start,
        end=use.span.end,
        current=not ended_by(use.span, as_of),
        route_unknown=not sure,
        recognised=any(mention.recognised for mention in mentions),
        raises_potassium=any(mention.raises_potassium for mention in mentions),
    )
