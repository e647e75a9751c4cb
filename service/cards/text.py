"""Names, durations, results and findings in words. Text of a record is escaped."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal

from fhir_mappings.record import Band, Basis, Drug, Evidence, Finding, Result, Status, Twitch
from fhir_mappings.terminology import Terminology
from service.cards.escaping import escaped, folded, plain, short_name
from service.cards.spans import day_month, lasting, recorded_as
from service.decision.table import Action
from service.knowledge.wording import Wording

_NUMBER = re.compile(r"([<>]=?\s*)?(\d+(?:\.\d+)?)")
_FOUR_DIGITS = Context(prec=4, rounding=ROUND_HALF_EVEN)
# Beyond these a number is written with a power of ten.
_LARGE, _SMALL = Decimal(10) ** 9, Decimal(10) ** -6
_MOST_SITES = 2
_MOST_EARLIER = 2
_LONGEST_UNIT_CHARACTERS, _MOST_UNIT_WORDS = 20, 3
_LONGEST_VALUE_CHARACTERS = 12
_LONGEST_NUMBER_CHARACTERS = 10_000


def joined(parts: Iterable[str]) -> str:
    """The parts that are not empty, without repeats, separated by commas."""
    return ", ".join(dict.fromkeys(filter(None, parts)))


def capital(text: str) -> str:
    """The text with a capital first letter; "eGFR" stays."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def small(text: str, kept: Collection[str] = ()) -> str:
    """The text with a small first letter; "TSH" and "Guillain-Barré" stay, and first words among `kept`."""
    first = text[1:].partition(" ")[0]
    if f"{text[:1]}{first}".partition("'")[0] in kept:
        return text
    return text[:1].lower() + text[1:] if text[1:2].islower() and first == first.lower() else text


def counted(names: Collection[str], most: int, wording: Wording) -> str:
    """The first names, and how many more: "furosemide, salbutamol and 3 more"."""
    shown = list(dict.fromkeys(filter(None, names)))
    if len(shown) <= most:
        return ", ".join(shown)
    return wording.say("lead.more", names=", ".join(shown[:most]), count=len(shown) - most)


def together(parts: Collection[str], wording: Wording) -> str:
    """strength, muscle bulk and sensation; "" of none."""
    *others, last = list(dict.fromkeys(filter(None, parts))) or [""]
    return f"{joined(others)}{wording.say('summary.and')}{last}" if others else last


def test_label(test: str, terminology: Terminology, wording: Wording) -> str:
    """The name of an analyte, else of an action or study."""
    analyte = terminology.analytes.get(test)
    if analyte is not None:
        return analyte.label
    return wording.maybe(f"actions.{test}.short") or study_label(test, wording)


def study_label(study: str, wording: Wording) -> str:
    """The name of a study: "MRI brain" for mri-brain; of an action where that is not known: "MRI"."""
    label = wording.maybe(f"studies.{study}") or wording.maybe(f"actions.{study}.short")
    kind, _, part = study.partition("-")
    return label or (f"{kind.upper()} {part}".strip() if len(kind) <= 3 else study.replace("-", " "))


def study_names(actions: Iterable[Action], tests: Collection[str], wording: Wording) -> str:
    """MRI brain where the tests say which part, else EMG, nerve conduction."""
    return joined(
        study_label(study, wording)
        for action in actions
        for study in ([name for name in action.studies if name in tests] or [action.id])
    )


def drug_name(drug: Drug, wording: Wording) -> str:
    """Its name as a draft writes it, without strength and form; else its British name. Short, not escaped."""
    if not drug.written:
        return short_name(wording.medicine_names.get(drug.name.casefold(), drug.name))
    words = folded(drug.written).split(" ")
    count = next((place for place, word in enumerate(words) if word[:1].isdigit()), len(words))
    return short_name(" ".join(words[:count]).rstrip(" ,;(-") or drug.written)


def finding_name(name: str, terminology: Terminology, wording: Wording) -> str:
    """The short name of a finding: "wasting"."""
    definition = terminology.findings.get(name)
    text = wording.texts.get(f"facts.{name}")
    return text or (definition.label if definition else name.replace("-", " "))


def site_label(twitch: Twitch, wording: Wording) -> str:
    """Where it twitches, as recorded: "right thigh, left hand"; "" where no site is recorded."""
    names = [f"{site.side} {site.label}" if site.side else site.label for site in twitch.sites]
    if twitch.generalized:
        names.append(wording.say("table.generalized"))
    return joined(sorted(set(names)))


def twitch_phrase(twitch: Twitch, wording: Wording) -> str:
    """right calf twitch; hand and calf twitch; widespread twitch; twitching."""
    say = wording.say
    names = sorted({f"{site.side} {site.label}" if site.side else site.label for site in twitch.sites})
    if twitch.generalized or (len(twitch.regions) > 1 and len(names) > _MOST_SITES):
        return say("summary.twitch_widespread")
    if len(names) > _MOST_SITES:
        return say("summary.twitch_places", count=len(names))
    if not names:
        return say("summary.twitch_only")
    return say("summary.twitch_at", site=plain(together(names, wording)))


def twitch_for(twitch: Twitch, as_of: date, wording: Wording) -> str:
    """calf twitch 20 days; twitch, onset unknown."""
    phrase = twitch_phrase(twitch, wording)
    how_long = lasting(twitch.onset, as_of, wording)
    if not how_long:
        return wording.say("summary.twitch_unknown", twitch=phrase)
    return wording.say("summary.twitch_since", twitch=phrase, span=how_long)


def duration(twitch: Twitch, as_of: date, wording: Wording) -> str:
    """How long it has lasted, and since when; that it is unknown where it is."""
    earliest, latest = twitch.onset.earliest, twitch.onset.latest
    how_long = lasting(twitch.onset, as_of, wording)
    if earliest is not None and latest is not None:
        if earliest == latest:
            # "Since yesterday" has its own "since".
            place = "since_day" if (as_of - earliest).days <= 1 else "since"
            return wording.say(f"table.{place}", span=how_long, date=earliest)
        return wording.say("table.since_about", span=how_long, earliest=earliest, latest=latest)
    if latest is not None:
        # "At least 0 days" would read as "began today", which no record says.
        place = "at_least_since" if how_long else "on_record_today"
        return wording.say(f"table.{place}", span=how_long, date=latest)
    return wording.say("table.onset_unknown")


def unit_text(unit: str | None, wording: Wording) -> str:
    """A unit as people write it: mL/min/1.73 m²."""
    if not unit:
        return ""
    words = " ".join(unit[:_LONGEST_NUMBER_CHARACTERS].split()[:_MOST_UNIT_WORDS])
    return wording.units.get(unit.strip(), words[:_LONGEST_UNIT_CHARACTERS])


def value_text(result: Result) -> str:
    """The value with at most four significant digits; what is not a plain number stays.

    >>> value_text(Result(analyte="potassium", text="1" * 29))
    '1.111e+28'
    """
    return _four_digits(result.text.strip())


def _four_digits(text: str) -> str:
    found = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER_CHARACTERS else None
    if found is None:
        return short_name(text)
    number = Decimal(found[2])
    digits = len(found[2].replace(".", "").lstrip("0"))
    if digits > 4:
        # Digits before the point are never lost.
        whole = Decimal(1000) <= number < _LARGE
        text = f"{found[1] or ''}{number.quantize(Decimal(1)) if whole else _FOUR_DIGITS.plus(number):f}"
    if len(text) > _LONGEST_VALUE_CHARACTERS:
        power = number >= _LARGE or 0 < number < _SMALL
        text = f"{found[1] or ''}{_FOUR_DIGITS.plus(number).normalize(_FOUR_DIGITS):{'e' if power else 'f'}}"
    return text


def brief_value(result: Result) -> str:
    """The value for a summary: what is longer than a number ends in an ellipsis."""
    text = value_text(result).strip()
    if len(text) <= _LONGEST_VALUE_CHARACTERS:
        return text
    return f"{text[:_LONGEST_VALUE_CHARACTERS].rstrip()}…"


def kind_text(result: Result, wording: Wording) -> str:
    """Of a calcium: ionised; adjusted for albumin 18 g/L, total 1.9."""
    # "Ionised calcium" says its kind.
    if not result.kind or result.kind in result.analyte.split("-"):
        return ""
    number, space, unit = result.albumin.partition(" ")
    albumin = escaped(short_name(_four_digits(number) + space + unit))
    measured = escaped(short_name(_four_digits(result.measured.strip())))
    place = result.kind.replace("-", "_")
    return wording.maybe(f"results.{place}", albumin=albumin, measured=measured)


def way_text(result: Result, band: Band, wording: Wording) -> str:
    """critical, low; high; out of range; in range."""
    side = "" if result.low is None else wording.say("results.low" if result.low else "results.high")
    if band is Band.CRITICAL:
        return joined([wording.say("results.critical"), side])
    if band is Band.OUT_OF_RANGE:
        return side or wording.say("results.out")
    if band is Band.NOT_JUDGED and result.band is not Band.NOT_JUDGED:
        return joined([side or wording.say("results.out"), wording.say("results.too_old")])
    return wording.say("results.in_range" if band is Band.IN_RANGE else "results.not_judged")


def measured_text(result: Result, terminology: Terminology, wording: Wording) -> str:
    """Potassium 3.1 mmol/L; potassium without a value."""
    analyte = terminology.analytes.get(result.analyte)
    label, unit = analyte.label if analyte else result.analyte, unit_text(result.unit, wording)
    value = value_text(result)
    if not value.strip():
        return wording.say("results.no_value", label=label)
    return wording.say(
        "results.value",
        label=label,
        value=escaped(value),
        unit=f" {escaped(unit)}" if unit else "",
        date="",
    )


def result_text(result: Result, band: Band, terminology: Terminology, wording: Wording) -> str:
    """potassium 3.1 mmol/L (2026-11-21, low)."""
    more = [
        result.day.isoformat() if result.day else wording.say("results.undated"),
        kind_text(result, wording),
        way_text(result, band, wording),
        wording.say("results.preliminary") if result.preliminary else "",
    ]
    return f"{measured_text(result, terminology, wording)} ({joined(more)})"


def short_result(
    result: Result, as_of: date, terminology: Terminology, wording: Wording, *, capitals: bool = True
) -> str:
    """Potassium 3.1 (21 Nov), for the summary."""
    analyte = terminology.analytes.get(result.analyte)
    day = f" ({day_month(result.day, as_of, wording)})" if result.day else ""
    label = analyte.label if analyte else result.analyte
    value = plain(brief_value(result))
    return f"{capital(label) if capitals else label}{f' {value}' if value else ''}{day}"


def finding_text(finding: Finding, wording: Wording, as_of: date | None = None) -> str:
    """present, examined 2026-11-24. Of a conflict both records, and which one was used."""
    say = wording.say
    day = as_of or finding.recorded or date.max
    status = say(f"status.{finding.status}")
    if finding.status is Status.UNKNOWN:
        old = [e for e in finding.evidence if e.history and e.status is not Status.UNKNOWN]
        old.sort(key=lambda e: (e.day or date.min, e.reference), reverse=True)
        texts = [
            f"{say(f'status.{e.status}')} {recorded_as(e.basis, e.day, day, wording)}".strip() for e in old
        ]
        earlier = counted(texts, _MOST_EARLIER, wording)
        others = [e.day for e in finding.evidence if not e.history and e.status is Status.UNKNOWN and e.day]
        if others:
            status = say("table.not_counted", date=max(others))
        return f"{status}; {say('table.history', text=earlier)}" if earlier else status
    text = f"{status}, {recorded_as(finding.basis, finding.recorded, day, wording)}"
    if not finding.conflict:
        return text
    against = _against(finding)
    if against is None:
        return text
    other = f"{say(f'status.{against.status}')}, {recorded_as(against.basis, against.day, day, wording)}"
    return f"{text} ({say('table.used')}); {other} ({say('table.not_used')})"


def _against(finding: Finding) -> Evidence | None:
    """The newest record that says the opposite."""
    others = [
        evidence
        for evidence in finding.evidence
        if evidence.status not in (Status.UNKNOWN, finding.status) and not evidence.history
    ]
    order = list(Basis)
    return max(
        others,
        key=lambda e: (e.day or date.min, -order.index(e.basis) if e.basis else 0, e.reference),
        default=None,
    )


def action_name(action: str, urgency: str, wording: Wording) -> str:
    """EMG; urgent neurology referral."""
    place = f"actions.{action}.short"
    return wording.first((f"{place}_{urgency}", place))
