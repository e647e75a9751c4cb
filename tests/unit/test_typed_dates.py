"""Dates as people write them in the form of the workbench."""

from __future__ import annotations

from datetime import date

import pytest

from fhir_mappings.record import Days
from service.knowledge import Knowledge
from service.workbench.typed_dates import WrongDate, fhir_date

_DAY, _BORN = date(2026, 6, 15), Days(date(1980, 1, 1), date(1980, 12, 31))


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("2026-05-01", "2026-05-01"), ("1 May 2026", "2026-05-01"), ("1.5.2026", "2026-05-01"),
        ("1st of May, 2026", "2026-05-01"), ("May 1, 2026", "2026-05-01"), ("2026/5/1", "2026-05-01"),
        ("20260501", "2026-05-01"), ("01-MAY-2026", "2026-05-01"), ("13/5/2026", "2026-05-13"),
        ("5/13/2026", "2026-05-13"), ("5/5/2026", "2026-05-05"), ("05/2026", "2026-05"),
        ("5.2026", "2026-05"), ("May 2026", "2026-05"), ("1. Sept 2025", "2025-09-01"), (" 2026 ", "2026"),
        ("15 June 2026", "2026-06-15"),
    ],
)  # fmt: skip
def test_a_date_is_read_in_any_usual_spelling(knowledge: Knowledge, typed: str, means: str) -> None:
    assert fhir_date(typed, _DAY, _BORN, knowledge.pages.form) == means


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("3/4/2026", "Write 2026-04-03 or 2026-03-04"), ("3-4-2026.", "Write 2026-04-03"),
        ("1.5.26", "four digits"), ("1 May", "four digits"), ("31.2.2026", "no such day"),
        ("13/2026", "no such day"), ("1799", "no such day"), ("soon", "Not read as a date"),
        ("1 Mayor 2026", "Not read as a date"), ("1 M 2026", "Not read as"), ("", "Not read as"),
        ("1/2/3/2026", "Not read as a date"), ("12026", "Not read as"), ("٣/2026", "Not read as"),
        ("1 2026 5", "Not read as a date"), ("16 June 2026", "After the day of the decision, 2026-06-15"),
        ("2027", "After the day"), ("1979", "Before the birth"),
    ],
)  # fmt: skip
def test_another_date_is_refused_in_words(knowledge: Knowledge, typed: str, says: str) -> None:
    with pytest.raises(WrongDate, match=says):
        fhir_date(typed, _DAY, _BORN, knowledge.pages.form)
