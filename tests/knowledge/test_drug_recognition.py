"""How medicines are recognised, with the real tables: every rule of "Drugs: how to match" there."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fhir_mappings.code_systems import ATC, NDC, RXNORM, SNOMED
from fhir_mappings.record import Days, Drug, Plausible, Reading
from fhir_mappings.resources.shapes import NOT_THERE, MedicationRequest
from fhir_mappings.resources.submission import Entry, Located
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.findings import Reader
from fhir_mappings.to_findings.medications import drugs_of
from service.knowledge.terminology_files import load_terminology

KNOWLEDGE = Path(__file__).parents[2] / "service" / "knowledge" / "data"
ONSET = Days(date(2026, 10, 1), date(2026, 10, 1))
DIURETICS = {"thiazide-diuretic", "potassium-sparing-diuretic"}


@cache
def terminology() -> Terminology:
    return load_terminology(KNOWLEDGE)


def read(concept: dict[str, Any], **more: Any) -> tuple[Drug, ...]:
    body = {
        "status": "active",
        "intent": "order",
        "authoredOn": "2026-01-01",
        "medicationCodeableConcept": concept,
    }
    request = msgspec.json.decode(json.dumps({**body, **more}), type=MedicationRequest)
    located = Located(request, "MedicationRequest/1", Entry(NOT_THERE, "Bundle", 0))
    reading = Reading(finding_days=180, future_days=1)
    reader = Reader(terminology(), date(2026, 11, 20), reading, born=Days())
    return drugs_of(reader, [located], [], {}, ONSET)


def classes(concept: dict[str, Any], **more: Any) -> set[str]:
    return {c for drug in read(concept, **more) for c in drug.classes}


def coding(system: str, code: str, display: str | None = None) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def text(name: str) -> dict[str, Any]:
    return {"text": name}


# --- rules 1 and 2: codes of every system, then text


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        (coding(RXNORM, "312617"), {"corticosteroid-systemic"}),  # prednisone 5 MG tablet
        (coding(RXNORM, "4603"), {"loop-diuretic"}),  # furosemide, the ingredient
        (coding(RXNORM, "198316"), DIURETICS),  # hydrochlorothiazide and triamterene
        (coding(RXNORM, "23742"), DIURETICS),  # Dyazide
        (coding(RXNORM, "1246288"), {"corticosteroid-inhaled", "beta2-agonist-long"}),
        (coding(ATC, "C03CA01"), {"loop-diuretic"}),
        (coding(ATC, "c03ca01 "), {"loop-diuretic"}),
        (coding(ATC, "C03CA99"), {"loop-diuretic"}),  # newer than the tables
        (coding(ATC, "C03EB01"), {"loop-diuretic", "potassium-sparing-diuretic"}),
        (coding(ATC, "C03EA01"), DIURETICS),
        (coding(ATC, "R03AK07"), {"corticosteroid-inhaled", "beta2-agonist-long"}),
        (coding(ATC, "N06AX16"), {"snri"}),
        (coding(ATC, "N06AX11"), {"antidepressant-other"}),
        (coding(SNOMED, "10396111000001106"), {"loop-diuretic", "potassium-sparing-diuretic"}),
        (coding(SNOMED, "387475002"), {"loop-diuretic"}),  # furosemide, the substance
        (coding(SNOMED, "766311000001100"), {"other-lithium"}),  # Priadel
        (coding(SNOMED, "8788711000001105"), {"other-lithium"}),  # Li-Liquid
        (coding(ATC, "N05AN01"), {"other-lithium"}),
        (coding(RXNORM, "6809"), {"other-metformin"}),
        (coding(ATC, "A10BD07"), {"other-metformin"}),
        (coding(SNOMED, "13614311000001105"), {"corticosteroid-systemic"}),  # hydrocortisone tablets
        (coding(SNOMED, "131211000001103"), {"corticosteroid-topical-local"}),  # hydrocortisone cream
        (coding(NDC, "00054007725"), {"loop-diuretic"}),
        (coding(NDC, "0054-0077-25"), {"loop-diuretic"}),
        (coding(NDC, "00054-0077-25"), {"loop-diuretic"}),
        (coding(NDC, "00054-077-25"), {"loop-diuretic"}),
        (text("Furosemide 40 mg tablets"), {"loop-diuretic"}),
        (coding("urn:local", "x1", "Furosemide 40 mg"), {"loop-diuretic"}),
        ({**coding(RXNORM, "99999999"), "text": "Furosemide 40 mg"}, {"loop-diuretic"}),
    ],
)
def test_by_code_then_text(concept: dict[str, Any], expected: set[str]) -> None:
    assert classes(concept) == expected


def test_the_same_ingredient_has_one_name_in_every_system() -> None:
    spoken = [
        coding(RXNORM, "4603"),
        coding(SNOMED, "387475002"),
        coding(ATC, "C03CA01"),
        text("Furosemide 40 mg"),
    ]
    assert {drug.name for concept in spoken for drug in read(concept)} == {"furosemide"}


def test_a_code_means_nothing_in_another_system() -> None:
    assert classes(coding(SNOMED, "4603")) == set()
    assert classes(coding(RXNORM, "387475002")) == set()


# --- rule 3: text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("HCTZ 25", {"thiazide-diuretic"}),
        ("lisinopril/HCT 20/12.5", {"thiazide-diuretic"}),
        ("a water pill", {"diuretic-other"}),
        ("Co-amilofruse 5mg/40mg", {"loop-diuretic", "potassium-sparing-diuretic"}),
        ("METHYLPREDNISOLONE 4 MG TABLET", {"corticosteroid-systemic"}),
        ("Prednisolone 1% eye drops", {"corticosteroid-topical-local"}),
        ("Budesonide 200 mcg inhaler", {"corticosteroid-inhaled"}),
        ("Furosemidex", set()),
        ("Salbutamol inhaler", {"beta2-agonist-short"}),
        ("sertraline 50 mg", {"ssri"}),
        ("Priadel 400mg modified-release tablets", {"other-lithium"}),
        ("CAMCOLIT 250", {"other-lithium"}),
        ("Liskonum 450mg", {"other-lithium"}),
        ("Li-Liquid 509mg/5ml oral solution", {"other-lithium"}),
        ("Metformin 1 g twice daily", {"other-metformin"}),
    ],
)
def test_text(name: str, expected: set[str]) -> None:
    assert classes(text(name)) == expected


# --- rule 4: route


@pytest.mark.parametrize(
    ("name", "route", "expected"),
    [
        ("hydrocortisone", "Oral route", {"corticosteroid-systemic"}),
        ("hydrocortisone", "Intravenous", {"corticosteroid-systemic"}),
        ("hydrocortisone", "Topical", {"corticosteroid-topical-local"}),
        ("hydrocortisone cream", "Oral use", {"corticosteroid-systemic"}),
        ("fluticasone", "Nasal", {"corticosteroid-topical-local"}),
        ("fluticasone", "Inhalation", {"corticosteroid-inhaled"}),
        ("budesonide", "Oral", {"corticosteroid-gut-local"}),
        ("dexamethasone", "Ophthalmic", {"corticosteroid-topical-local"}),
    ],
)
def test_route(name: str, route: str, expected: set[str]) -> None:
    assert classes(text(name), dosageInstruction=[{"route": {"text": route}}]) == expected


@pytest.mark.parametrize("concept", [text("hydrocortisone"), coding(RXNORM, "5492")])
def test_an_unknown_route_is_possible_and_said(concept: dict[str, Any]) -> None:
    (drug,) = read(concept)
    assert "corticosteroid-systemic" in drug.classes
    assert (drug.plausible, drug.route_unknown) == (Plausible.POSSIBLE, True)
    assert "route unknown" in drug.why


# --- rules 5 and 6: what belongs where


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        (text("dexamethasone 4 mg tablet"), {"corticosteroid-systemic"}),
        (text("atomoxetine"), set()),
        (coding(ATC, "N06BA09"), set()),
        (text("carbidopa"), set()),
        (text("methyldopa"), set()),
        (text("phentermine"), set()),
        (text("dopamine infusion"), set()),
        (coding(ATC, "S01EC01"), {"carbonic-anhydrase-inhibitor"}),
        (coding(ATC, "S01EC03"), {"carbonic-anhydrase-inhibitor-ophthalmic"}),
        (text("mannitol"), {"diuretic-other"}),
        (text("tolvaptan"), {"diuretic-other"}),
        (text("pamabrom"), {"diuretic-other"}),
        (text("spironolactone"), {"potassium-sparing-diuretic"}),
        (text("acetazolamide 250 mg"), {"carbonic-anhydrase-inhibitor"}),
    ],
)
def test_class(concept: dict[str, Any], expected: set[str]) -> None:
    assert classes(concept) == expected


# --- rule 7, and what raises potassium


def test_what_is_not_recognised_is_listed() -> None:
    (drug,) = read(text("paracetamol"))
    assert (drug.recognised, drug.raises_potassium) == (False, False)


@pytest.mark.parametrize(
    ("concept", "raises"),
    [
        (coding(ATC, "C09AA03"), True),
        (coding(ATC, "C09BA03"), True),
        (coding(ATC, "C08CA01", "amlodipine"), False),
        (text("amlodipine/benazepril"), True),
        (text("sacubitril/valsartan"), True),
        (coding(RXNORM, "99999999"), True),
    ],
)
def test_raises_potassium(concept: dict[str, Any], raises: bool) -> None:
    assert any(drug.raises_potassium for drug in read(concept)) is raises


def test_an_ace_inhibitor_with_a_diuretic_is_both() -> None:
    assert classes(coding(ATC, "C09BA03")) == {"thiazide-diuretic"}


def test_no_term_is_longer_than_the_text_search_looks() -> None:
    assert all(len(term.split()) <= 10 for term in terminology().medications.terms)
