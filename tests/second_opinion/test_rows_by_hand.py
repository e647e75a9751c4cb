"""A truth table for each row, written from section 3 of the decision model, not from the YAML.

Each case is decided by the second opinion; test_agreement.py puts the same patients before the service.
"""

from __future__ import annotations

import pytest

from tests.second_opinion.abstract import TABLE
from tests.second_opinion.opinion import opinion
from tests.second_opinion.rows_of_diseases_and_urgency import DISEASES_AND_URGENCY
from tests.second_opinion.rows_of_findings import FINDINGS
from tests.second_opinion.rows_of_medicines_and_results import MEDICINES_AND_RESULTS
from tests.second_opinion.shorthand import Plain

ROWS = {**FINDINGS, **MEDICINES_AND_RESULTS, **DISEASES_AND_URGENCY}
CASES = [
    pytest.param(row, made, holds, id=f"{row} {'holds' if holds else 'does not'} {number}")
    for row, sides in ROWS.items()
    for holds, patients in zip((True, False), sides, strict=True)
    for number, made in enumerate(patients)
]


@pytest.mark.parametrize(("row", "made", "holds"), CASES)
def test_a_row_holds(row: str, made: Plain, holds: bool) -> None:
    rows = opinion(made, questions=False)["rows"]
    assert (row in rows) is holds, rows


def test_every_row_of_the_table_is_tried() -> None:
    disorder = {row["id"] for row in TABLE["rows"] if "disorder" in row["id"]}
    assert {row["id"] for row in TABLE["rows"]} - disorder == set(ROWS)
