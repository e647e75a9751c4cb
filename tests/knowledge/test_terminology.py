"""What codes say beside their finding: place, basis, answers, courses, panels, orders."""

from __future__ import annotations

import pytest

from fhir_mappings.code_systems import HPO, ICD_10_CM, LOINC, SNOMED, code_key
from fhir_mappings.record import Basis, Status
from service.knowledge import load_knowledge
from service.knowledge.terminology_files import load_order_codes
from tests.knowledge.terminologies import KNOWLEDGE, said, terminology


@pytest.mark.parametrize(
    ("system", "code", "sites"),
    [
        (SNOMED, "699377006", {("eyelid", None)}),
        (HPO, "HP:0031166", {("eyelid", None)}),
        (HPO, "HP:0001308", {("tongue", None)}),
        (HPO, "HP:0007089", {("face", None), ("tongue", None)}),
        (HPO, "HP:0000317", {("face", None)}),
        (ICD_10_CM, "G51.4", {("face", None)}),
        (SNOMED, "82470000", set()),
        (ICD_10_CM, "M62.541", {("hand", "right")}),
        (ICD_10_CM, "M79.662", {("lower-leg", "left")}),
        (SNOMED, "309249007", {("calf", None)}),
    ],
)
def test_a_code_may_name_its_place(system: str, code: str, sites: set[tuple[str, str | None]]) -> None:
    (one,) = terminology().finding_of(code_key(system, code))
    assert {(site.id, site.side) for site in one.sites} == sites


def test_subjective_weakness_is_told() -> None:
    (one,) = terminology().finding_of((SNOMED, "126013009"))
    assert (one.finding, one.basis) == ("weakness", Basis.REPORTED)
    (examined,) = terminology().finding_of((SNOMED, "26544005"))
    assert examined.basis is None


def test_a_referral_asks_for_the_study_and_never_proves_it() -> None:
    assert terminology().asked_for[SNOMED, "183840006"] == "ncs"
    assert (SNOMED, "183840006") not in terminology().procedures


@pytest.mark.parametrize(
    ("code", "analytes"),
    [
        ("24321-2", {"sodium", "potassium", "calcium"}),
        ("51990-0", {"sodium", "potassium", "calcium"}),
        ("24323-8", {"sodium", "potassium", "calcium"}),
        ("24320-4", {"sodium", "potassium"}),
        ("24326-1", {"sodium", "potassium"}),
        ("90224-7", {"tsh"}),
    ],
)
def test_a_panel_counts_for_the_analytes_it_surely_has(code: str, analytes: set[str]) -> None:
    assert terminology().panels[LOINC, code] == analytes


@pytest.mark.parametrize(
    ("system", "code", "status"),
    [
        (SNOMED, "373066001", Status.PRESENT),
        (SNOMED, "373067005", Status.ABSENT),
        (SNOMED, "52101004", Status.PRESENT),
        (SNOMED, "2667000", Status.ABSENT),
        (LOINC, "LA33-6", Status.PRESENT),
        (LOINC, "LA32-8", Status.ABSENT),
        ("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "POS", Status.PRESENT),
        ("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "NEG", Status.ABSENT),
        ("http://terminology.hl7.org/CodeSystem/v2-0136", "N", Status.ABSENT),
    ],
)
def test_answers(system: str, code: str, status: Status) -> None:
    assert terminology().answers[system, code] is status


def test_courses() -> None:
    codes = {
        "230993007": "worsening",
        "255314001": "worsening",
        "255238004": "continuous",
        "58158008": "stable",
    }
    assert {code: terminology().courses[SNOMED, code] for code in codes} == codes


def test_what_is_asked_can_be_answered_by_its_own_code() -> None:
    asked = [one for one in terminology().findings.values() if one.category]
    signs = {"weakness", "atrophy", "sensory-loss", "coordination", "bulbar"}
    assert signs <= {one.id for one in asked if one.category == "exam"}
    assert len(asked) >= 11
    for definition in asked:
        assert definition.question
        assert definition.question.endswith("?")
        assert definition.answer is not None
        assert said(*definition.answer) == {definition.id}


def test_diagnoses_that_do_not_end() -> None:
    assert {one.id for one in terminology().findings.values() if one.chronic} == {
        "motor-neuron-disease",
        "spinal-muscular-atrophy",
        "multiple-sclerosis",
        "chronic-kidney-disease",
        "heart-failure",
    }


def test_what_is_ordered_is_found_again() -> None:
    known_codes = terminology()
    for name, order in load_order_codes(KNOWLEDGE).items():
        assert order.label
        for system, code, _ in order.codings:
            key = code_key(system, code)
            assert name in {known_codes.analyte_codes.get(key), known_codes.procedures.get(key)}


def test_a_brand_of_another_medicine_is_no_thiazide() -> None:
    terms = terminology().medications.terms
    assert "cozaar" not in terms
    assert "hydromet" not in terms
    assert {one.medication_class for one in terms["micardis-hct"]} == {"thiazide-diuretic"}


def test_the_unnamed_part_of_a_combination_has_no_borrowed_name() -> None:
    found = {(one.name, one.medication_class) for one in terminology().medications.atc["C03EA01"]}
    assert found == {
        ("hydrochlorothiazide", "thiazide-diuretic"),
        ("potassium-sparing diuretic", "potassium-sparing-diuretic"),
    }


def test_a_display_is_the_code_systems_own_or_left_out() -> None:
    """What we call a thing stands in `text`. Whose terms let no name be passed on has none."""
    knowledge = load_knowledge()
    codes = [
        *(knowledge.templates.orders[name]["code"] for name in load_order_codes(KNOWLEDGE)),
        *(answer["code"] for answer in knowledge.templates.answers.values()),
    ]
    assert len(codes) > 20
    without = set()
    for code in codes:
        (coding,) = code["coding"]
        assert coding.get("display") != code["text"]
        if "display" not in coding:
            without.add(code["text"])
    assert without == {
        "MRI of the brain",
        "breathing difficulty",
        "breathlessness lying flat",
        "difficulty with speech or swallowing",
        "low muscle tone",
        "muscle stiffness",
        "upper motor neurone sign",
    }
    displays = {coding["code"]: coding.get("display") for code in codes for coding in code["coding"]}
    assert displays["2823-3"] == "Potassium [Moles/volume] in Serum or Plasma"
    assert displays["26544005"] == "Muscle weakness (finding)"
    assert displays["183521007"] == "Referral to neurology service (procedure)"
