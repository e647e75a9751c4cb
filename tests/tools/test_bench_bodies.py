"""The generated records that the service is measured with: as they say, and valid."""

from __future__ import annotations

import json
from statistics import mean, median
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from service.knowledge import load_knowledge
from tests.vignettes import codes
from tools.bench.bodies import LARGEST, SMALLEST, Body, hospital_patients, patient_view, twitching_patients

TWITCH = codes.FINDINGS["fasciculation"]


@pytest.fixture(scope="module")
def hospital() -> list[Body]:
    return hospital_patients()


def resources_of(body: Body) -> list[dict[str, Any]]:
    """Each once: the examinations stand in the findings as well."""
    lists = json.loads(body.content)["prefetch"]
    lists.pop("examinations")
    return [lists.pop("patient")] + [
        entry["resource"] for found in lists.values() for entry in found.get("entry", ())
    ]


def twitches(body: Body) -> bool:
    return any(code.encode() in body.content for code, _ in TWITCH.values())


def test_hospital_patients_differ_and_one_of_fifty_twitches(hospital: list[Body]) -> None:
    sizes = [body.resources for body in hospital]
    assert (min(sizes), len(sizes)) == (SMALLEST, 200)
    assert LARGEST / 2 < max(sizes) <= LARGEST
    assert median(sizes) < 0.8 * mean(sizes)
    assert len({body.content for body in hospital}) == 200
    assert sum(map(twitches, hospital)) == 4


def test_resources_have_the_size_of_real_ones_and_each_is_sent(hospital: list[Body]) -> None:
    assert all(len(resources_of(body)) == body.resources for body in hospital)
    assert (
        600 < sum(len(body.content) for body in hospital) / sum(body.resources for body in hospital) < 1_100
    )


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    assert twitching_patients(3) == twitching_patients(3)
    assert twitching_patients(3)[0].content != twitching_patients(3, seed=2)[0].content


def test_who_twitches_has_known_results() -> None:
    known = load_knowledge().terminology.analyte_codes
    for body in twitching_patients(20):
        assert twitches(body)
        coded = [
            (coding["system"], coding["code"])
            for made in resources_of(body)
            for coding in made.get("code", {}).get("coding", ())
        ]
        assert set(coded) & known.keys()


@pytest.mark.parametrize("count", [20, 200])
def test_every_resource_is_valid(count: int) -> None:
    found = resources_of(patient_view(count))
    assert len(found) == count
    for body in hospital_patients(6):
        found += resources_of(body)
    for made in found:
        get_fhir_model_class(made["resourceType"]).model_validate(made)
