"""Small phrases that summary and detail share: names, days, values. Everything from the record is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from fhir_mappings.record import Band, Result, Twitch
from fhir_mappings.terminology import Terminology
from service.cards.escaping import escaped
from service.decision.facts import days_between
from service.knowledge.wording import Wording

# From here on a reader thinks in months.
_LONG = 60
_DAYS_IN_MONTH = 30.44


def joined(parts: Iterable[str]) -> str:
    """The parts that say something, without repeats, with commas."""
    return ", ".join(dict.fromkeys(filter(None, parts)))


def test_label(test: str, terminology: Terminology, wording: Wording) -> str:
    """The name of an analyte, else of an action or study."""
    analyte = terminology.analytes.get(test)
    if analyte is not None:
        return analyte.label
    return wording.maybe(f"actions.{test}.short") or study_label(test, wording)


def study_label(study: str, wording: Wording) -> str:
    """The name of a study: "MRI brain" for mri-brain; of an action where that is not known: "MRI"."""
    known = wording.maybe(f"studies.{study}") or wording.maybe(f"actions.{study}.short")
    kind, _, part = study.partition("-")
    return known or f"{kind.upper()} {part}".strip()


def site_label(twitch: Twitch, wording: Wording) -> str:
    """Where it twitches, as recorded: "right thigh, left hand"; "" where no site is recorded."""
    names = [f"{site.side} {site.label}" if site.side else site.label for site in twitch.sites]
    if twitch.generalized:
        names.append(wording.say("table.generalized"))
    return joined(sorted(set(names)))


def duration(twitch: Twitch, as_of: date, wording: Wording) -> str:
    """How long it has lasted, in days and as a date; that it is unknown where it is."""
    earliest, latest = twitch.onset.earliest, twitch.onset.latest
    if earliest is not None and earliest == latest:
        days = days_between(earliest, as_of)
        return wording.say("table.since", days=days, months=_in_months(days, wording), date=earliest)
    if earliest is not None and latest is not None:
        low, high = max(days_between(latest, as_of), 0), days_between(earliest, as_of)
        return wording.say(
            "table.since_about",
            low=low,
            high=high,
            months=_in_months((low + high) // 2, wording),
            earliest=earliest,
            latest=latest,
        )
    if latest is not None:
        days = days_between(latest, as_of)
        # Nought days would read as "began today", which nobody has said.
        place = "at_least_since" if days > 0 else "on_record_today"
        return wording.say(f"table.{place}", days=days, date=latest)
    return wording.say("table.onset_unknown")


def _in_months(days: int, wording: Wording) -> str:
    """The same in months, for what has lasted long; "" where days are read as easily."""
    if days < _LONG:
        return ""
    return wording.say("table.in_months", months=round(days / _DAYS_IN_MONTH))


def result_text(result: Result, band: Band, terminology: Terminology, wording: Wording) -> str:
    """One result on file with value, unit, date and how it was judged."""
    analyte = terminology.analytes.get(result.analyte)
    flag = wording.say(f"bands.{band.value}")
    if band in (Band.OUT_OF_RANGE, Band.CRITICAL) and result.low is not None:
        flag = f"{flag}, {wording.say('result_low' if result.low else 'result_high')}"
    said = wording.say(
        "result",
        label=analyte.label if analyte else result.analyte,
        value=escaped(result.text),
        unit=f" {escaped(result.unit)}" if result.unit else "",
        date=f", {result.day}" if result.day else wording.say("undated"),
        flag=wording.say("result_flag", band=flag),
    )
    return said + (wording.say("result_preliminary") if result.preliminary else "")


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
