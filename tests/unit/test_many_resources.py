"""A body of very many resources costs in proportion, not more: counted in steps, not in seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from fhir_mappings.record import Record
from fhir_mappings.resources import select
from tests.spec.records import as_of, concept, condition, observation, read
from tests.spec.test_time import COURSE

FEW, MANY = 100, 1000


def calls_of(work: Callable[[], Record]) -> int:
    """How many Python functions the work calls."""
    count = 0

    def counted(*_: Any) -> None:
        nonlocal count
        count += 1

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def conditions(many: int) -> list[dict[str, Any]]:
    day = date(2020, 1, 1)
    return [
        condition(
            "fasciculation",
            id=f"c{n}",
            bodySite=["hand"],
            recordedDate=(day + timedelta(days=n)).isoformat(),
            extension=[
                {"url": COURSE, "valueCodeableConcept": concept("http://snomed.info/sct", "230993007")}
            ],
        )
        for n in range(many)
    ]


def observations(many: int) -> list[dict[str, Any]]:
    return [
        observation("fasciculation", id=f"o{n}", bodySite="hand", effectiveDateTime=as_of(n % 150))
        for n in range(many)
    ]


@pytest.mark.parametrize("made", [conditions, observations])
def test_many_records_of_the_twitch(made: Callable[[int], list[dict[str, Any]]]) -> None:
    few, many = made(FEW), made(MANY)
    read(*few)  # what is built once is built now
    ratio = calls_of(lambda: read(*many)) / calls_of(lambda: read(*few))
    assert ratio < 1.5 * MANY / FEW


def test_only_the_first_broken_resources_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def why(raw: bytes, kind: str, otherwise: str) -> str:
        asked.append(kind)
        return otherwise

    monkeypatch.setattr(select, "why", why)
    broken = [{"resourceType": "Condition", "id": f"b{n}", "code": 5} for n in range(200)]
    assert len(read(condition("fasciculation"), *broken).not_understood) == 200
    assert len(asked) == 50
