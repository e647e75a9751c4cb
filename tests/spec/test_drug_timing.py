"""Drug timing, as a truth table: when it was taken, when the twitch began, and what that makes of it.

The decision day is 2026-11-20. Dates may be a year or a month only. "…" is a side that is not recorded.
"""

from __future__ import annotations

from datetime import date

import pytest

from fhir_mappings.record import Days
from fhir_mappings.resources.dates import days_of
from fhir_mappings.to_findings.medication_timing import (
    Span,
    earliest_of,
    ended_by,
    joined,
    latest_of,
    plausible_of,
    when,
    why_of,
)

AS_OF = date(2026, 11, 20)


def days(text: str) -> Days:
    """ "2026-10", "2026-10-03..2026-10-09", "..2026-10-03", or "…" for unknown."""
    if text == "…":
        return Days()
    if ".." not in text:
        return days_of(text)
    first, last = text.split("..")
    return Days(
        days_of(first).earliest if first else None,
        days_of(last).latest if last else None,
    )


TABLE = [
    # start, end ("open": not ended), onset of the twitch, plausible
    # --- the twitch began on one known day
    ("2026-09-30", "open", "2026-10-01", "yes"),
    ("2026-10-01", "open", "2026-10-01", "possible"),
    ("2026-10-02", "open", "2026-10-01", "no"),
    # --- it began on some day of a week
    ("2026-10-02", "open", "2026-10-03..2026-10-09", "yes"),
    ("2026-10-03", "open", "2026-10-03..2026-10-09", "possible"),
    ("2026-10-09", "open", "2026-10-03..2026-10-09", "possible"),
    ("2026-10-10", "open", "2026-10-03..2026-10-09", "no"),
    # --- the start is only a month or a year
    ("2026-09", "open", "2026-10-01", "yes"),
    ("2026-09", "open", "2026-09-30", "possible"),
    ("2026-10", "open", "2026-10-01", "possible"),
    ("2026-10", "open", "2026-09-30", "no"),
    ("2026", "open", "2025-12-31", "no"),
    ("2026", "open", "2026-01-01", "possible"),
    # --- both are only months
    ("2026-09", "open", "2026-10", "yes"),
    ("2026-10", "open", "2026-10", "possible"),
    ("2026-11", "open", "2026-10", "no"),
    # --- something is not recorded
    ("…", "open", "2026-10-01", "possible"),
    ("2026-09-01", "open", "…", "possible"),
    ("…", "open", "…", "possible"),
    ("..2026-09-30", "open", "2026-10-01", "yes"),
    ("..2026-10-02", "open", "2026-10-01", "possible"),
    # --- the twitch is only known to be there since some day
    ("2026-09-01", "open", "..2026-10-01", "possible"),
    ("2026-10-01", "open", "..2026-10-01", "possible"),
    ("2026-10-02", "open", "..2026-10-01", "no"),
    # --- it ended
    ("2026-01-01", "2026-09-30", "2026-10-01", "no"),
    ("2026-01-01", "2026-10-01", "2026-10-01", "yes"),
    ("2026-01-01", "2026-10-02", "2026-10-01", "yes"),
    ("2026-01-01", "2026-10-02", "2026-10-03..2026-10-09", "no"),
    ("2026-01-01", "2026-10-03", "2026-10-03..2026-10-09", "yes"),
    ("2025", "2026-09", "2026-10-01", "no"),
    ("2025", "2026-09", "2026-09-30", "yes"),
    ("…", "2026-09-30", "2026-10-01", "no"),
    ("2026-01-01", "…", "2026-10-01", "yes"),
    ("2026-01-01", "2026-09-30", "..2026-10-01", "possible"),
]


@pytest.mark.parametrize(("start", "end", "onset", "plausible"), TABLE)
def test_timing(start: str, end: str, onset: str, plausible: str) -> None:
    span = Span(days(start), None if end == "open" else days(end))
    assert plausible_of(span, days(onset)).value == plausible


@pytest.mark.parametrize(
    ("start", "end", "onset", "words"),
    [
        ("2026-10-01", "open", "2026-09-01", "started on 2026-10-01, after the twitch began"),
        ("2026-01-01", "2026-08-31", "2026-09-01", "ended on 2026-08-31, before the twitch began"),
        ("2026-01-01", "open", "2026-09-01", "started on 2026-01-01, before the twitch began"),
        (
            "2026-01-01",
            "2026-10-01",
            "2026-09-01",
            "started on 2026-01-01, before the twitch began; ended on 2026-10-01",
        ),
        (
            "2026-09",
            "open",
            "2026-09-15",
            "started between 2026-09-01 and 2026-09-30, perhaps before the twitch began, perhaps after",
        ),
        ("…", "open", "2026-09-01", "start not recorded"),
        ("2026-01-01", "open", "…", "started on 2026-01-01; when the twitch began is not recorded"),
    ],
)
def test_the_words_say_the_same(start: str, end: str, onset: str, words: str) -> None:
    span = Span(days(start), None if end == "open" else days(end))
    assert why_of(span, days(onset), plausible_of(span, days(onset)), AS_OF) == words


def test_an_open_side_in_words() -> None:
    assert when(days("..2026-09-30")) == "on or before 2026-09-30"
    assert when(Days(date(2026, 9, 1), None)) == "on or after 2026-09-01"


def test_over_several_records_from_the_earliest_start_to_the_latest_end() -> None:
    first = Span(days("2026-01-01"), days("2026-03-01"))
    second = Span(days("2026-06"), days("2026-08"))
    assert joined([first, second]) == joined([second, first])
    assert joined([first, second]) == Span(days("2026-01-01"), days("2026-08"))


def test_one_record_that_has_not_ended_keeps_it_open() -> None:
    assert joined([Span(days("2025"), days("2025-02")), Span(days("2026-01-01"))]).end is None


def test_a_record_without_a_start_leaves_the_start_open_to_the_early_side() -> None:
    assert earliest_of([days("2026-05-01"), Days()]) == days("..2026-05-01")


def test_an_end_that_is_not_known_leaves_the_end_open_to_the_late_side() -> None:
    assert latest_of([days("2026-05-01"), Days()]) == Days(date(2026, 5, 1), None)


@pytest.mark.parametrize(
    ("end", "over"),
    [("2026-11-19", True), ("2026-11-20", True), ("2026-11-21", False), ("2026-11", False), ("…", False)],
)
def test_ended_on_the_day_or_before(end: str, over: bool) -> None:
    assert ended_by(Span(days("2026-01-01"), days(end)), AS_OF) is over
