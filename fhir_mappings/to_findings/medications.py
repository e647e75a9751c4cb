"""The patient's medicines: one Drug per ingredient over all its records, and when it was taken.

See "Drug timing" of the decision model, and drug_names.py for how a name is recognised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec

from fhir_mappings.record import Days, Drug, Note, Plausible, Reading
from fhir_mappings.resources.shapes import Medication, MedicationRequest, MedicationStatement
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.medication_identity import Medicine, Medicines
from fhir_mappings.to_findings.medication_records import (
    MedicationRecord,
    Times,
    times_of,
    unreadable_notes,
)
from fhir_mappings.to_findings.medication_timing import Span, ended_by, joined, plausible_of, why_of

_WITHOUT_A_NAME = "medicine without a name"


class _Place(msgspec.Struct, frozen=True, gc=False):
    """The record that speaks. kind: its resource type."""

    reference: str
    kind: str
    times: Times


class _Use(msgspec.Struct, frozen=True, gc=False):
    """All records of one medicine.

    span: of all of them. certain: of those whose status is known, None if it is of none. first: the earliest.
    """

    span: Span
    certain: Span | None
    first: _Place


class _Mention(msgspec.Struct, frozen=True, gc=False):
    """One ingredient of one medicine. sure: its class does not hang on a route that is not known."""

    name: str
    medication_class: str | None
    sure: bool
    use: _Use
    recognised: bool = True
    raises_potassium: bool = False


def drugs_of(
    requests: Sequence[Located[MedicationRequest]],
    statements: Sequence[Located[MedicationStatement]],
    medications: Mapping[str, Located[Medication]],
    terminology: Terminology,
    onset: Days,
    as_of: date,
    reading: Reading,
) -> tuple[tuple[Drug, ...], tuple[Note, ...]]:
    """All medicines against a twitch of that onset, by name; and what of them was not understood."""
    notes: list[Note] = []
    medicines = Medicines(medications, terminology.medications)
    taken: dict[int | str, tuple[Medicine, list[_Place]]] = {}
    everything: list[Located[MedicationRequest] | Located[MedicationStatement]] = [*requests, *statements]
    for located in everything:
        if located.draft:
            continue
        record: MedicationRecord = located.resource
        times = times_of(record, as_of, reading)
        if times is None:
            continue
        medicine, missing = medicines.of(record, located.reference)
        if missing or times.unreadable:
            notes += (*missing, *unreadable_notes(located.reference, times))
        # Medicines without a name are told apart by their place, for they may be different ones.
        key = id(medicine) if medicine.named.name else located.reference
        if key not in taken:
            taken[key] = medicine, []
        taken[key][1].append(_Place(located.reference, type(record).__name__, times))
    mentions: dict[str, list[_Mention]] = defaultdict(list)
    for medicine, places in taken.values():
        use = _use_of(places)
        for mention in _mentions(medicine, use):
            mentions[mention.name.casefold() or use.first.reference].append(mention)
    drugs = [drug for group in mentions.values() for drug in _drugs_of_one(group, onset, as_of)]
    # One note for each medicine, not for each renewal of it.
    for group in mentions.values():
        if not any(mention.recognised for mention in group):
            first = _together([mention.use for mention in group]).first
            why = "medicine not recognised by its code or name"
            notes.append(Note(first.reference, why, f"{first.kind}.medication"))
    ordered = sorted(drugs, key=lambda d: (d.name.casefold(), sorted(d.classes), d.reference))
    return tuple(ordered), tuple(notes)


def drafted_drugs(located: Located[MedicationRequest], medicines: Medicines, as_of: date) -> tuple[Drug, ...]:
    """The medicines that a draft names; when they were taken is not asked, for they were not."""
    medicine, _ = medicines.of(located.resource, located.reference)
    use = _use_of([_Place(located.reference, "MedicationRequest", Times(Span(), status_known=True))])
    mentions: dict[str, list[_Mention]] = defaultdict(list)
    for mention in _mentions(medicine, use):
        mentions[mention.name.casefold()].append(mention)
    return tuple(drug for name in sorted(mentions) for drug in _drugs_of_one(mentions[name], Days(), as_of))


def _use_of(places: Sequence[_Place]) -> _Use:
    span = joined([place.times.span for place in places])
    certain = [place.times.span for place in places if place.times.status_known]
    # Mostly that is all of them.
    known = span if len(certain) == len(places) else joined(certain) if certain else None
    return _Use(span, known, min(places, key=_earliest_first))


def _together(uses: Sequence[_Use]) -> _Use:
    if len(uses) == 1:
        return uses[0]
    certain = [use.certain for use in uses if use.certain is not None]
    return _Use(
        joined([use.span for use in uses]),
        joined(certain) if certain else None,
        min((use.first for use in uses), key=_earliest_first),
    )


def _mentions(medicine: Medicine, use: _Use) -> Iterator[_Mention]:
    named, ingredients = medicine.named, medicine.ingredients
    for one in ingredients:
        for medication_class in sorted(one.sure):
            yield _Mention(one.name, medication_class, True, use)
        for medication_class in sorted(one.maybe):
            yield _Mention(one.name, medication_class, False, use)
        if not one.sure and not one.maybe:
            yield _Mention(one.name, None, True, use)
    if named.raises:
        for name in sorted(named.raising) or [named.name]:
            yield _Mention(name, None, True, use, raises_potassium=True)
    elif not ingredients:
        yield _Mention(named.name, None, True, use, recognised=False, raises_potassium=not named.has_text)


def _drugs_of_one(mentions: list[_Mention], onset: Days, as_of: date) -> Iterator[Drug]:
    """The Drugs of one name: one, unless its records are of several classes that the route decides."""
    if len(mentions) == 1:
        yield _drug(mentions, onset, as_of)
        return
    by_class: dict[str | None, list[_Mention]] = defaultdict(list)
    for mention in mentions:
        by_class[mention.medication_class].append(mention)
    # Classes that the same records speak of, in the same way, are one line on the card.
    together: dict[frozenset[tuple[str, bool]], list[str | None]] = defaultdict(list)
    for medication_class, group in by_class.items():
        # A record is of one medicine: the first of its records stands for all.
        together[frozenset((m.use.first.reference, m.sure) for m in group)].append(medication_class)
    for classes in together.values():
        yield _drug([mention for c in classes for mention in by_class[c]], onset, as_of)


def _drug(mentions: list[_Mention], onset: Days, as_of: date) -> Drug:
    use = _together([mention.use for mention in mentions])
    sure = [mention.use for mention in mentions if mention.sure]
    certain = use if len(sure) == len(mentions) else _together(sure) if sure else None
    plausible, why = _judged(use.span, certain.certain if certain else None, onset, as_of)
    route_unknown = not sure
    if plausible is Plausible.POSSIBLE:
        if route_unknown:
            why = f"{why}; route unknown"
        if use.certain is None:
            why = f"{why}; not known whether it is taken"
    return Drug(
        name=min([mention.name for mention in mentions]) or _WITHOUT_A_NAME,
        classes=frozenset([m.medication_class for m in mentions if m.medication_class is not None]),
        plausible=plausible,
        why=why,
        reference=use.first.reference,
        start=use.span.start,
        end=use.span.end,
        current=not ended_by(use.span, as_of),
        route_unknown=route_unknown,
        recognised=any(mention.recognised for mention in mentions),
        raises_potassium=any(mention.raises_potassium for mention in mentions),
    )


def _judged(all_records: Span, certain: Span | None, onset: Days, as_of: date) -> tuple[Plausible, str]:
    """By all records, but a yes needs records whose status and route are known: else it is possible."""
    judged = plausible_of(all_records, onset)
    why = why_of(all_records, onset, as_of)
    if judged is Plausible.YES and certain is None:
        return Plausible.POSSIBLE, why
    if judged is Plausible.YES and certain is not None and plausible_of(certain, onset) is not judged:
        return Plausible.POSSIBLE, f"{why}, by a record whose route or status is unknown"
    return judged, why


def _earliest_first(place: _Place) -> tuple[date, str]:
    return place.times.span.start.earliest or date.max, place.reference
