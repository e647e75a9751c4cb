"""Laboratory Observations -> the newest result of each analyte, judged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from fhir_mappings.code_systems import WORD, CodeKey
from fhir_mappings.record import Band, Note, Patient, Result
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import analyte_in_words, codings_of, keys_of, text_of
from fhir_mappings.resources.dates import NO_DAY
from fhir_mappings.resources.preview import part_of
from fhir_mappings.resources.references import plain
from fhir_mappings.terminology import Analyte
from fhir_mappings.to_findings.adjusted import Family, can_adjust
from fhir_mappings.to_findings.findings import Reader, Specimen
from fhir_mappings.to_findings.flags import flags_of
from fhir_mappings.to_findings.newest import Clock, Judged, clock_of, counting, is_newer, newest, unanswered
from fhir_mappings.to_findings.observations import Observed, is_doubtful
from fhir_mappings.to_findings.onsets import Dates, effective_of
from fhir_mappings.to_findings.ranges import judged, why_not_judged
from fhir_mappings.to_findings.statuses import (
    MISSING,
    NO_OBSERVATION,
    NOT_READ_AS_WRITTEN,
    is_missing,
    status_word,
)
from fhir_mappings.to_findings.values import decimal_from, reading_of

_FINAL = frozenset({"final", "amended", "corrected"})
IN_WORDS = "its code is not known, and its text names {label}: it is not read"
BAD_SPECIMEN = "its specimen is unsatisfactory or in error"
_NO_SPECIMEN = frozenset({"unsatisfactory", "entered-in-error"})
OTHER_SPECIMEN = "its specimen is not blood"
_NO_VALUE = "a result without a value"
_RANGE = ".referenceRange"


class Measured(msgspec.Struct, frozen=True, gc=False):
    """A result that is dated, and judged only where it may count.

    holder: an Observation, or the component at `place`. keys: of its code.
    """

    observed: Observed
    holder: fhir.Value
    place: str
    keys: list[CodeKey]
    analyte: Analyte
    day: date | None
    clock: Clock
    preliminary: bool


def results_of(reader: Reader, observations: Iterable[Observed], patient: Patient) -> tuple[Result, ...]:
    """The newest final result of each analyte, and a newer preliminary one.

    An abnormal result stays beside a newer one that could not be judged: nothing has answered it. Of the
    analytes that count as one that can be adjusted (calcium) one result decides.
    """
    analytes = reader.terminology.analytes
    groups: dict[str, list[Measured]] = {}
    for observed in observations:
        for measured in _measured(reader, observed):
            if not reader.is_future(measured.day, observed.reference):
                counts_as = analytes.get(measured.analyte.counts_as, measured.analyte)
                group = counts_as if counts_as.adjustment is not None else measured.analyte
                groups.setdefault(group.id, []).append(measured)

    def judge(measured: Measured) -> Judged | None:
        return _judged(reader, measured, patient)

    kept: list[Judged] = []
    adjusting = {one.adjustment.analyte for one in analytes.values() if one.adjustment is not None}
    for name in sorted(groups):
        adjustment, decide = analytes[name].adjustment, newest
        if adjustment is not None:
            decide = Family(analytes[name], groups.get(adjustment.analyte, ()), judge, patient).deciding
        early = [m for m in groups[name] if m.preliminary]
        others = [m for m in groups[name] if not m.preliminary]
        final = counting(others, judge, decide)
        newer: list[Judged] = []
        if early:
            counted = counting(early, judge, decide)
            newer = [r for r in counted if not final or is_newer(r, final[0])]
            if not newer and final[0].result.band is Band.NOT_JUDGED:
                newer = unanswered(counted, others, judge, decide)
        # An abnormal one says more than a newer one that could not be judged.
        kept += [*final, *newer[-1:]]
        for result in (*final, *newer):
            # What only adjusts another one needs no range.
            enough = name in adjusting and can_adjust(result)
            reader.notes += [
                n for n in result.unjudged if not (enough and (n.expression or "").endswith(_RANGE))
            ]
    return tuple(result.result for result in kept)


def _measured(reader: Reader, observed: Observed) -> list[Measured]:
    """The results of one Observation and of its components; names those of which only words are known."""
    found: list[Measured] = []
    if observed.status in NO_OBSERVATION:
        return found
    known = reader.terminology
    holders: list[tuple[fhir.Value, list[CodeKey], str]] = [(observed.resource, observed.keys, "Observation")]
    for index, component in enumerate(observed.components):
        holders.append((component, keys_of(component.code), f"Observation.component[{index}]"))
    dated: tuple[date | None, Clock] | None = None
    for holder, keys, place in holders:
        name = next(filter(None, map(known.analyte_codes.get, keys)), None)
        if name is None:
            if holder.code is not None and not known.knows(keys):
                _note_words(reader, observed.reference, holder.code, place)
            continue
        if dated is None:
            if not observed.plain:
                is_doubtful(reader, observed)
            dated = _when(observed.resource, observed.reference, reader.notes)
        preliminary = observed.status not in _FINAL
        found.append(Measured(observed, holder, place, keys, known.analytes[name], *dated, preliminary))
    return found


def _note_words(reader: Reader, reference: str, code: fhir.CodeableConcept, place: str) -> None:
    name = analyte_in_words(code, reader.terminology)
    if name is not None:
        label = reader.terminology.analytes[name].label
        reader.notes.append(Note(reference, IN_WORDS.format(label=label), f"{place}.code"))


def _judged(reader: Reader, measured: Measured, patient: Patient) -> Judged | None:
    """The result with its band; None where it has no value, and is no result yet."""
    observed, holder, place = measured.observed, measured.holder, measured.place
    analyte, day, preliminary = measured.analyte, measured.day, measured.preliminary
    written = reading_of(holder, analyte)
    value, text, unit = written.value, written.text, written.unit
    if not text:
        panel = isinstance(holder, fhir.Observation) and holder.component
        if panel and holder.dataAbsentReason is None:
            return None
        if preliminary:
            # It is still to come: the final result before it is the newest.
            reader.notes.append(Note(observed.reference, _NO_VALUE, f"{place}.value"))
            return None
    interpretation = holder.interpretation
    concepts = interpretation if isinstance(interpretation, list) else [interpretation]
    if written.flag:
        concepts = [*concepts, fhir.LooseConcept(text=written.flag)]
    flags = flags_of(concepts, analyte.words.flags)
    if value is not None and flags.comparator and not value.comparator:
        value = msgspec.structs.replace(value, comparator=flags.comparator)
        text = f"{flags.comparator}{text}"
    ranges = [r for r in holder.referenceRange or () if r is not None]
    ranges = ranges or [fhir.ReferenceRange(text=text) for text in written.ranges]
    band, low, limits = judged(value, flags, ranges, analyte, patient, day)
    unjudged: tuple[Note, ...] = ()
    specimens = _specimens(reader, observed.resource)
    if any(observed.resource.modifierExtension or ()) or any(holder.modifierExtension or ()):
        # It may say that this is no result of the patient.
        band, low, limits = Band.NOT_JUDGED, None, None
        unjudged = (Note(observed.reference, NOT_READ_AS_WRITTEN, f"{place}.modifierExtension"),)
    elif specimens and any(_is_of_another_fluid(one, analyte.words.other_fluids) for one in specimens):
        band, low, limits = Band.NOT_JUDGED, None, None
        unjudged = (Note(observed.reference, OTHER_SPECIMEN, "Observation.specimen"),)
    elif not text or is_missing(holder):
        # A flag may still say that it is abnormal; "normal" says nothing of a value that is missing.
        unjudged = (Note(observed.reference, MISSING if text else _NO_VALUE, f"{place}.value"),)
        if band is Band.IN_RANGE:
            band, value = Band.NOT_JUDGED, None
    elif specimens and any(status_word(one.status) in _NO_SPECIMEN for one in specimens):
        unjudged = (Note(observed.reference, BAD_SPECIMEN, "Observation.specimen"),)
        if band is Band.IN_RANGE:
            band, value = Band.NOT_JUDGED, None
    elif band is Band.NOT_JUDGED:
        unjudged = tuple(
            Note(observed.reference, f"could not be judged: {why}", f"{place}.{member}")
            for member, why in why_not_judged(value, flags, ranges, limits, analyte)
        )
    canonical = value.canonical if value is not None else None
    result = Result(
        analyte=analyte.id,
        text=text or text_of(holder.dataAbsentReason),
        unit=unit or None,
        value=decimal_from(value.number) if value else None,
        day=day,
        flag=flags.text or None,
        band=band,
        low=low,
        preliminary=preliminary,
        reference=observed.reference,
        expression=f"{place}.value",
        limits=limits,
        canonical=None if canonical is None else decimal_from(canonical),
    )
    adjusted = analyte.adjustment is not None and not analyte.adjustment.adjusted.isdisjoint(measured.keys)
    return Judged(result, measured.clock, unjudged, value, ranges, adjusted)


def _specimens(reader: Reader, resource: fhir.Observation) -> list[Specimen]:
    """What is recorded about its specimen: by the reference itself, as contained, or in the submission."""
    reference = resource.specimen
    if reference is None:
        return []
    found = [Specimen(type=fhir.CodeableConcept(text=reference.display))]
    target = (reference.reference or "").strip()
    if target.startswith("#"):
        parts = (part_of(raw, Specimen) for raw in resource.contained or ())
        return found + [part for part in parts if part is not None]
    known = reader.specimens.get(plain(target))
    return found if known is None else [*found, known]


def _is_of_another_fluid(specimen: Specimen, fluids: frozenset[str]) -> bool:
    """Whether its names contradict a code of blood."""
    concept = specimen.type or fhir.CodeableConcept()
    texts = [concept.text, *(coding.display for coding in codings_of(concept))]
    return any(not fluids.isdisjoint(WORD.findall(text.casefold())) for text in texts if text)


def _when(resource: fhir.Observation, reference: str, notes: list[Note]) -> tuple[date | None, Clock]:
    """The day, as written, by the effective time, else issued; and its time."""
    dates = Dates(reference, notes)
    written, period = effective_of(resource)
    days = dates.days(written, "Observation.effective")
    if period is not None:
        start, end = dates.period(period, "Observation.effectivePeriod")
        if days is NO_DAY:
            days = start if end is NO_DAY else end
            written = None if end is NO_DAY else period.end
    if days is NO_DAY:
        written = resource.issued
        days = dates.days(written, "Observation.issued")
    # The earliest possible day: an imprecise one is never newer than it is known to be.
    return days.earliest, clock_of(None if days is NO_DAY else written)
