"""Answers and statuses in words, in the languages of the knowledge; other words are named."""

from __future__ import annotations

import pytest

from fhir_mappings.record import Basis, Status
from tests.spec.records import condition, observation, read

PRESENT, ABSENT, UNKNOWN = Status.PRESENT, Status.ABSENT, Status.UNKNOWN
ANSWERS = [
    ("Ja", PRESENT),
    ("OUI", PRESENT),
    ("Sí", PRESENT),
    ("si", PRESENT),
    ("vorhanden", PRESENT),
    ("présent", PRESENT),
    ("Mild", PRESENT),
    ("severe", PRESENT),
    ("Pos", PRESENT),
    ("Nein", ABSENT),
    ("non", ABSENT),
    ("nicht vorhanden", ABSENT),
    ("ausente", ABSENT),
    ("nil", ABSENT),
    ("NEG", ABSENT),
    ("Yes.", PRESENT),
    ("No.", ABSENT),
    # Another language, more than an answer, or none.
    ("Da", UNKNOWN),
    ("nein, nie", UNKNOWN),
    ("S", UNKNOWN),
    ("None", UNKNOWN),
    ("1", UNKNOWN),
    ("-", UNKNOWN),
    ("not assessed", UNKNOWN),
    ("unbekannt", UNKNOWN),
]


@pytest.mark.parametrize(("text", "status"), ANSWERS)
def test_an_answer(text: str, status: Status) -> None:
    for value in ({"valueString": text}, {"valueCodeableConcept": {"text": text}}):
        record = read(observation("weakness", **value))
        assert record.finding("weakness").status is status
        assert bool(record.not_understood) is (status is UNKNOWN)


@pytest.mark.parametrize(
    ("text", "status", "basis"),
    [
        ("Probable", PRESENT, Basis.REPORTED),
        ("Rule-out", PRESENT, Basis.REPORTED),
        ("R/O", PRESENT, Basis.REPORTED),
        ("working diagnosis", PRESENT, Basis.REPORTED),
        ("V.a.", PRESENT, Basis.REPORTED),
        ("Verified", PRESENT, Basis.LISTED),
        ("gesichert", PRESENT, Basis.LISTED),
        ("Excluded", ABSENT, Basis.LISTED),
        ("ausgeschlossen", ABSENT, Basis.LISTED),
    ],
)
def test_a_verification_status(text: str, status: Status, basis: Basis) -> None:
    record = read(condition("weakness", verificationStatus={"text": text}))
    assert (record.finding("weakness").status, record.finding("weakness").basis) == (status, basis)
    assert record.not_understood == ()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Chronic", PRESENT),
        ("Active problem", PRESENT),
        ("Inactive Problem", UNKNOWN),
        ("Historical", UNKNOWN),
        ("enteredInError", UNKNOWN),
    ],
)
def test_a_clinical_status(text: str, status: Status) -> None:
    record = read(condition("weakness", clinicalStatus={"text": text}))
    assert (record.finding("weakness").status, record.not_understood) == (status, ())


@pytest.mark.parametrize("text", ["Stable", "?", "not confirmed", "not ruled out", "Deleted"])
def test_another_status_is_named(text: str) -> None:
    record = read(condition("weakness", verificationStatus={"text": text}))
    assert record.finding("weakness").status is UNKNOWN
    assert [note.why for note in record.not_understood] == ["its status is not recognised"]
