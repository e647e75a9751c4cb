"""Results of another specimen than their code says, by contained, referenced and named Specimens."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Band
from tests.spec.outcomes import outcome_of
from tests.spec.records import read, twitch
from tests.spec.test_results import K, lab

IN, CRITICAL, NOT = Band.IN_RANGE, Band.CRITICAL, Band.NOT_JUDGED
SNOMED = "http://snomed.info/sct"
SPECIMEN = {"resourceType": "Specimen", "id": "s", "subject": {"reference": "Patient/p"}}


def bands(value: str, specimen: dict[str, Any], *others: dict[str, Any], **more: Any) -> list[Band]:
    record = read(twitch(20), lab(K, value, specimen=specimen, **more), *others)
    assert bool(record.not_understood) is (NOT in [r.band for r in record.results])
    return [result.band for result in record.results]


@pytest.mark.parametrize(
    ("kind", "band"),
    [
        ({"text": "Urine"}, NOT),
        ({"text": "24-h-Sammelurin"}, NOT),
        ({"coding": [{"system": SNOMED, "code": "0", "display": "Urine specimen (specimen)"}]}, NOT),
        ({"coding": [{"system": SNOMED, "code": "0", "display": "Urine specimen"}], "text": "Sample 3"}, NOT),
        ({"text": "Orina de 24 horas"}, NOT),
        ({"text": "Liquor"}, NOT),
        ({"text": "尿"}, NOT),
        ({"text": "Serum"}, CRITICAL),
        ({"text": "Venenblut"}, CRITICAL),
        (None, CRITICAL),
    ],
)
@pytest.mark.parametrize("contained", [True, False])
def test_the_type_of_a_specimen(kind: dict[str, Any] | None, band: Band, contained: bool) -> None:
    specimen = {**SPECIMEN, **({"type": kind} if kind else {})}
    if contained:
        assert bands("30", {"reference": "#s"}, contained=[specimen]) == [band]
    else:
        assert bands("30", {"reference": "Specimen/s"}, specimen) == [band]


@pytest.mark.parametrize("name", ["Urin", "Harn", "Urine, 24 hours", "orina"])
def test_the_name_in_a_reference(name: str) -> None:
    assert bands("30", {"reference": "Specimen/s", "display": name}) == [NOT]


def test_a_specimen_by_its_full_url_and_another_one() -> None:
    other = {**SPECIMEN, "id": "u", "type": {"text": "Urine"}}
    blood = {**SPECIMEN, "type": {"text": "Serum"}}
    assert bands("6.9", {"reference": "Specimen/s"}, blood, other) == [CRITICAL]
    assert bands("30", {"reference": "https://ehr.example.org/fhir/Specimen/x"}, blood, other) == [CRITICAL]


@pytest.mark.parametrize("status", ["unsatisfactory", "entered-in-error"])
def test_a_specimen_that_is_no_good_is_no_test_done(status: str) -> None:
    specimen = {**SPECIMEN, "status": status, "type": {"text": "Serum"}}
    record = read(twitch(20), lab(K, "4.1", specimen={"reference": "Specimen/s"}), specimen)
    assert [result.band for result in record.results] == [NOT]
    assert record.not_understood
    assert any("potassium" in r.analytes for r in outcome_of(record).recommendations)
    # It may still be dangerous.
    danger = read(lab(K, "6.9", specimen={"reference": "Specimen/s"}), specimen)
    assert [result.band for result in danger.results] == [CRITICAL]
    available = {**specimen, "status": "available"}
    assert bands("4.1", {"reference": "Specimen/s"}, available) == [IN]
