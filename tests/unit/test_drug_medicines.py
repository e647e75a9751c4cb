"""What a medicine record is made of: codes, references, ingredients, routes, names."""

from __future__ import annotations

import random
from typing import Any

import pytest

from fhir_mappings.code_systems import ATC, RXNORM
from tests.unit.medicines import (
    AFTER,
    BEFORE,
    one,
    read,
    text,
)

# --- what it is made of


@pytest.mark.parametrize(
    "record",
    [
        {"medicationReference": {"reference": "#m"}, "contained": [
            {"resourceType": "Medication", "id": "m", "code": {"text": "Waterazide 25 mg"}}]},
        {"medication": {"reference": {"reference": "#m"}}, "contained": [
            {"resourceType": "Medication", "id": "m", "code": {"text": "Waterazide 25 mg"}}]},
        {"medication": {"concept": {"text": "waterazide"}}},
        {"medicationReference": {"reference": "Medication/m1"}},
        {"medicationReference": {"reference": "Medication/m1/_history/2"}},
        {"medicationReference": {"reference": "urn:uuid:1"}},
        {"medicationReference": {"reference": "https://ehr.example/Medication/m1"}},
        {"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "w"}]}},
        {"medicationCodeableConcept": {"coding": [
            None, {"system": RXNORM, "code": "new", "display": "Waterazide"}]}},
    ],
)  # fmt: skip
def test_wherever_the_medicine_stands(record: dict[str, Any]) -> None:
    waterazide = {"code": {"text": "waterazide"}}
    shared = {"Medication/m1": waterazide, "urn:uuid:1": waterazide}
    drug = one({"authoredOn": BEFORE, **record}, shared=shared)
    assert (drug.name, set(drug.classes)) == ("waterazide", {"thiazide-diuretic"})


def test_each_ingredient_of_a_combination_is_a_drug() -> None:
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [
            {"itemCodeableConcept": {"coding": [{"system": RXNORM, "code": "w"}]}},
            {"item": {"concept": {"text": "Sparamide"}}},
            {"itemReference": {"reference": "#s"}},
        ],
    }
    substance = {"resourceType": "Substance", "id": "s", "code": {"text": "Lisinopril"}}
    record = {"medicationReference": {"reference": "#m"}, "contained": [medication, substance]}
    drugs, notes = read({"authoredOn": BEFORE, **record})
    assert [(d.name, sorted(d.classes)) for d in drugs] == [
        ("lisinopril", []),
        ("sparamide", ["potassium-sparing-diuretic"]),
        ("waterazide", ["thiazide-diuretic"]),
    ]
    assert notes == ()


def test_a_fixed_combination_code_is_in_both_classes() -> None:
    drugs, _ = read({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "w+s"}]}})
    assert {c for d in drugs for c in d.classes} == {"thiazide-diuretic", "potassium-sparing-diuretic"}


def test_a_display_is_not_read_where_the_code_is_known() -> None:
    coding = {"system": RXNORM, "code": "w", "display": "Sparamide"}
    assert one({"medicationCodeableConcept": {"coding": [coding]}}).name == "waterazide"


def test_medications_that_refer_to_each_other_end() -> None:
    shared = {
        "Medication/a": {"ingredient": [{"itemReference": {"reference": "Medication/b"}}]},
        "Medication/b": {"ingredient": [{"itemReference": {"reference": "Medication/a"}}]},
    }
    assert one({"medicationReference": {"reference": "Medication/a"}}, shared=shared).recognised is False


# --- route


@pytest.mark.parametrize(
    ("record", "classes", "plausible", "unknown"),
    [
        (text("steroidone"), {"systemic", "local"}, "possible", True),
        (text("steroidone tablet"), {"systemic"}, "yes", False),
        (text("steroidone 1% cream"), {"local"}, "yes", False),
        (text("steroidone cream", dosageInstruction=[{"route": {"text": "oral"}}]), {"systemic"}, "yes",
         False),
        (text("steroidone patch"), {"systemic", "local"}, "possible", True),
        (text("steroidone tablet or cream"), {"systemic", "local"}, "possible", True),
        (text("steroidone", authoredOn=AFTER), {"systemic", "local"}, "no", True),
        (text("creamium cream"), set(), "yes", False),
    ],
)  # fmt: skip
def test_route(record: dict[str, Any], classes: set[str], plausible: str, unknown: bool) -> None:
    drug = one(record)
    assert (set(drug.classes), drug.plausible.value, drug.route_unknown) == (classes, plausible, unknown)
    assert ("route unknown" in drug.why) is (plausible == "possible")


def test_the_form_goes_before_the_words_of_the_name_and_the_dosage_before_the_form() -> None:
    record = {
        "medicationReference": {"reference": "Medication/m"},
        "authoredOn": BEFORE,
    }
    shared = {"Medication/m": {"code": {"text": "steroidone tablet"}, "form": {"text": "Cream"}}}
    assert one(record, shared=shared).classes == {"local"}
    dosed = {**record, "dosageInstruction": [{"route": {"coding": [{"code": "x", "display": "Oral use"}]}}]}
    assert one(dosed, shared=shared).classes == {"systemic"}


def test_a_code_that_decides_goes_before_the_route() -> None:
    coding = [{"system": RXNORM, "code": "steroid"}, {"system": RXNORM, "code": "steroid tablet"}]
    concept = {"coding": coding, "text": "Steroidone cream"}
    assert one({"medicationCodeableConcept": concept, "authoredOn": BEFORE}).classes == {"systemic"}


def test_cream_and_tablets_of_one_ingredient_are_two_lines_with_times_of_their_own() -> None:
    drugs, _ = read(text("steroidone cream"), text("steroidone tablet", authoredOn=AFTER))
    assert [(sorted(d.classes), d.plausible.value) for d in drugs] == [
        (["local"], "yes"),
        (["systemic"], "no"),
    ]


# --- what raises potassium, and what is not recognised


@pytest.mark.parametrize(
    ("concept", "raises"),
    [
        ({"text": "Lisinopril 10 mg"}, True),
        ({"text": "amlodipine/benazepril"}, True),
        ({"text": "sacubitril/valsartan"}, True),
        ({"text": "sacubitril"}, False),
        ({"text": "losartan"}, True),
        ({"text": "given since April"}, False),
        ({"text": "prilocaine"}, False),
        ({"coding": [{"system": ATC, "code": "Z09AA03"}]}, True),
        ({"coding": [{"system": ATC, "code": "Z08AA03", "display": "x"}]}, False),
        ({"coding": [{"system": "urn:x", "code": "1", "display": "Enalapril"}], "text": "BP pill"}, True),
        ({"coding": [{"system": RXNORM, "code": "w", "display": "Waterazide/ramipril"}]}, True),
        ({"coding": [{"system": "urn:x", "code": "1"}]}, True),
        ({"coding": [{"system": "urn:x", "code": "1", "display": "Paracetamol"}]}, False),
        ({}, True),
    ],
)
def test_raises_potassium(concept: dict[str, Any], raises: bool) -> None:
    drugs, _ = read({"medicationCodeableConcept": concept, "authoredOn": BEFORE})
    assert any(drug.raises_potassium for drug in drugs) is raises


def test_an_unrecognised_medicine_is_listed_and_reported_once() -> None:
    drugs, notes = read(text("Secret pills"), text("secret pills", authoredOn=AFTER))
    assert [(d.name, d.recognised, sorted(d.classes)) for d in drugs] == [("Secret pills", False, [])]
    assert [(n.reference, n.expression) for n in notes] == [
        ("MedicationRequest/0", "MedicationRequest.medication")
    ]
    assert "ecret" not in notes[0].why


def test_medicines_without_a_name_are_not_one_medicine() -> None:
    drugs, notes = read({}, {})
    assert len(drugs) == len(notes) == 2


def test_a_reference_that_leads_nowhere_is_reported_and_its_display_read() -> None:
    drugs, notes = read({"medicationReference": {"reference": "Medication/gone", "display": "Waterazide"}})
    assert drugs[0].classes == {"thiazide-diuretic"}
    assert [note.why for note in notes] == ["the medicine it refers to was not supplied"]


def test_a_server_may_have_several_addresses() -> None:
    here = {"code": {"text": "waterazide"}, "also": ["https://ehr.example/Medication/m1"]}
    record = {"medicationReference": {"reference": "https://other.example/Medication/m1"}}
    assert one(record, shared={"Medication/m1": here}).classes == {"thiazide-diuretic"}
    record = {"medicationReference": {"reference": "https://other.example/Medication/m2"}}
    assert one(record, shared={"Medication/m1": here}).classes == frozenset()


def test_a_contained_resource_that_cannot_be_read_is_reported() -> None:
    _, notes = read({"medicationReference": {"reference": "#m"}, "contained": [{"id": 3}, 7]})
    assert "a contained resource that cannot be read" in {note.why for note in notes}


def test_order_does_not_matter() -> None:
    records = [
        text(name, id=f"MedicationRequest/{number}", authoredOn=day, status=status)
        for number, (name, day, status) in enumerate(
            (name, day, status)
            for name in (
                "waterazide",
                "steroidone",
                "steroidone cream",
                "Lisinopril",
                "lisinopril",
                "other",
                "Other",
            )
            for day in (BEFORE, AFTER, None)
            for status in ("active", "stopped", "unknown")
        )
    ]
    expected = read(*records)
    chance = random.Random(7)
    for _ in range(5):
        chance.shuffle(records)
        assert read(*records) == expected
