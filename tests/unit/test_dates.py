"""What a FHIR date means, and what is none though Python reads it as a day."""

from __future__ import annotations

from datetime import date

import pytest

from fhir_mappings.record import Days
from fhir_mappings.resources.dates import InvalidDate, days_of


@pytest.mark.parametrize(
    "written",
    [
        "2026-06-15",
        " 2026-06-15\n",
        "2026-06-15T08:15",
        "2026-06-15T08:15:30",
        "2026-06-15T23:59:59.999Z",
        # The day as it is written, whatever day that is elsewhere; of the time only its shape is read.
        "2026-06-15T00:15:00+14:00",
        "2026-06-15T99:99",
        # Digits of another script are digits.
        "２０２６-06-15",
        "2026-06-15T٠8:15",
    ],
)
def test_one_day(written: str) -> None:
    assert days_of(written) == Days(date(2026, 6, 15), date(2026, 6, 15))


@pytest.mark.parametrize(
    "written",
    [
        "20260615",
        "2026-W25-1",
        "2026-W25",
        "2026W251",
        "2026-166",
        "2026-6-15",
        "2026-06-15Z",
        "2026-06-15T",
        "2026-06-15T08",
        "2026-06-15 08:15",
        "2026-06-15T08:15:00+0200",
        "2026-06-15T08:15 or so",
        "2026-02-30",
        "2026-02-30T08:15",
        "2026-13-01",
        "2026-00",
        "1799-12-31",
        "1799-12-31T08:15",
        "0000-01-01",
        "2026-06-\ud800\ud800",
        "",
        " ",
    ],
)
def test_no_date(written: str) -> None:
    with pytest.raises(InvalidDate):
        days_of(written)


def test_the_first_year_of_any_patient() -> None:
    assert days_of("1800-01-01").exact
