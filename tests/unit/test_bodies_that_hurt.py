"""A body must not hold a worker: four times the body costs about four times the work, never sixteen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from fhir_mappings.envelope import decode_bundle
from fhir_mappings.to_findings import record_of
from service.assessment import assessment_of
from service.decision import decide
from tests.spec.records import DAY, KNOWLEDGE, bundle, observation, read

Resource = dict[str, Any]
Made = Callable[[int], bytes]

# Case -> what makes a body of a size, and the smaller size: large enough to show in CPU time.
HURTING: dict[str, tuple[Made, int]] = {}


def hurting(size: int) -> Callable[[Made], Made]:
    def registered(made: Made) -> Made:
        HURTING[made.__name__] = made, size
        return made

    return registered


def seconds_on(body: bytes) -> float:
    """CPU time of reading, deciding and assessing."""
    start = time.process_time()
    record = record_of(decode_bundle(body), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    assessment_of(decide(record, KNOWLEDGE.table), KNOWLEDGE)
    return time.process_time() - start


def growth(made: Made, size: int) -> float:
    """How many times longer a body of four times the size takes."""
    small, large = made(size), made(4 * size)
    seconds_on(small)
    return min(seconds_on(large) for _ in range(2)) / min(seconds_on(small) for _ in range(3))


# Results


def result(text: str) -> Resource:
    code = min(code for system, code in KNOWLEDGE.terminology.analyte_codes if "loinc" in system)
    coding = {"system": "http://loinc.org", "code": code}
    return observation("fasciculation", code={"coding": [coding]}, valueString=text)


@hurting(2000)
def blanks_in_a_result(size: int) -> bytes:
    return bundle(result(" " * size))


@hurting(2000)
def digits_in_a_result(size: int) -> bytes:
    return bundle(result("1" * size + " a\nb"))


@hurting(2000)
def blanks_behind_a_result(size: int) -> bytes:
    return bundle(result("<1" + " " * size + "a\nb"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [(" < 5 mg/dL ", "<5"), ("-4.10", "-4.10"), (">=7.", ">=7"), ("1\n2", "1"), ("about 5", "about 5")],
)
def test_a_result_in_words_is_read_as_before(text: str, shown: str) -> None:
    assert [one.text for one in read(result(text)).results] == [shown]


@pytest.mark.parametrize("name", HURTING)
def test_the_cost_grows_with_the_body(name: str) -> None:
    made, size = HURTING[name]
    assert growth(made, size) < 8
