"""Every trap of code systems that a reader of records falls into, by its number in the tables' notes."""

from __future__ import annotations

import pytest

from fhir_mappings.code_systems import HPO, ICD_10, ICD_10_CM, LOINC, SNOMED
from tests.knowledge.terminologies import KNOWLEDGE, known, said, terminology

# --- 1: headers of ICD-10-CM


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("G35", "multiple-sclerosis"),
        ("G35.A", "multiple-sclerosis"),
        ("G35.B1", "multiple-sclerosis"),
        ("G35.D", "multiple-sclerosis"),
        ("N18.3", "chronic-kidney-disease"),
        ("N18.31", "chronic-kidney-disease"),
        ("E08.21", "diabetes"),
        ("E10.649", "diabetes"),
        ("E11", "diabetes"),
        ("E13.8", "diabetes"),
        ("J96.01", "breathing-difficulty"),
        ("J44.1", "lung-disease"),
        ("I50.22", "heart-failure"),
        ("G56.01", "arm-nerve"),
        ("M50.121", "cervical-radiculopathy"),
        ("T60.0X1A", "cholinergic-poisoning"),
        ("T44.0X2A", "cholinergic-poisoning"),
        ("F10.231", "alcohol-withdrawal"),
        ("O24.414", "pregnancy"),
        ("R26.1", "movement"),
        ("M62.54", "atrophy"),
    ],
)
def test_1_a_header_stands_for_all_below_it(code: str, finding: str) -> None:
    assert said(ICD_10_CM, code) == {finding}


@pytest.mark.parametrize(
    ("code", "findings"),
    [
        ("E11.22", {"diabetes", "chronic-kidney-disease"}),
        ("E11.42", {"diabetes", "diabetic-neuropathy"}),
        ("E10.40", {"diabetes", "diabetic-neuropathy"}),
        ("I13.0", {"heart-failure", "chronic-kidney-disease"}),
        ("O24.111", {"pregnancy", "diabetes"}),
        ("O99.843", {"pregnancy", "bariatric-surgery"}),
        ("N18.6", {"chronic-kidney-disease", "kidney-failure"}),
        ("Z99.2", {"chronic-kidney-disease", "kidney-failure"}),
        ("G81.91", {"weakness", "central-lesion"}),
        ("G82.20", {"weakness", "central-lesion"}),
        ("G61.0", {"guillain-barre", "guillain-barre-past"}),
    ],
)
def test_1_a_code_of_its_own_does_not_hide_its_family(code: str, findings: set[str]) -> None:
    assert said(ICD_10_CM, code) == findings


def test_1_a_family_is_of_icd_only_and_not_of_what_merely_looks_longer() -> None:
    assert said(SNOMED, "247000070") == said(SNOMED, "2470000") == set()
    assert said(SNOMED, "24700007") == {"multiple-sclerosis"}
    assert said(ICD_10_CM, "E1") == said(ICD_10_CM, "E12.9") == said(ICD_10_CM, "E87") == set()


# --- 2: WHO ICD-10 and ICD-10-CM


@pytest.mark.parametrize(
    ("code", "who", "clinical_modification"),
    [
        ("M54.10", {"nerve-root-disorder"}, {"nerve-root-disorder"}),
        ("M54.1", {"nerve-root-disorder"}, set()),
        # Of ICD-10-CM only what stands above it counts: that says nothing of diabetes.
        ("G63.2", {"diabetes", "diabetic-neuropathy"}, {"peripheral-neuropathy"}),
        ("E10.4", {"diabetes", "diabetic-neuropathy"}, {"diabetes"}),
        ("E83.4", {"magnesium-disorder"}, set()),
        ("E83.5", {"calcium-disorder"}, set()),
        ("E83.50", {"calcium-disorder"}, {"calcium-disorder"}),
        # A user's own digit below a WHO code says no more than the code.
        ("E83.51", {"calcium-disorder"}, {"hypocalcemia"}),
        ("E83.41", {"magnesium-disorder"}, {"hypermagnesemia"}),
        ("G12.2", {"motor-neuron-disease"}, set()),
        ("G12.21", {"motor-neuron-disease"}, {"motor-neuron-disease"}),
        ("E86", set(), set()),
        ("E86.0", set(), {"dehydration"}),
        ("R53", set(), set()),
        ("M62.81", set(), {"weakness"}),
        ("E14.9", {"diabetes"}, set()),
        ("E13.9", {"diabetes"}, {"diabetes"}),
        ("M21.3", {"weakness"}, set()),
        ("M21.37", {"weakness"}, {"weakness"}),
        ("F10.3", {"alcohol-withdrawal"}, set()),
        ("R06.0", {"breathing-difficulty"}, {"breathing-difficulty"}),
        ("R06.01", {"breathing-difficulty"}, {"orthopnea"}),
    ],
)
def test_2_each_system_by_its_own_meaning(code: str, who: set[str], clinical_modification: set[str]) -> None:
    assert said(ICD_10, code) == who
    assert said(ICD_10_CM, code) == clinical_modification


def test_2_a_who_code_without_direction_stays_without_one() -> None:
    for code, finding in (("E83.4", "magnesium-disorder"), ("E83.5", "calcium-disorder")):
        assert known(ICD_10, code) == {finding}
        assert terminology().findings[finding].low is None


@pytest.mark.parametrize("code", ["R253", "r25.3", " R25.3 ", "R25.3"])
@pytest.mark.parametrize("system", [ICD_10, ICD_10_CM, ICD_10_CM + "/"])
def test_2_the_dot_may_be_missing(system: str, code: str) -> None:
    assert said(system, code) == {"fasciculation"}


# --- 3: opposites one digit apart

OPPOSITES = [
    (ICD_10_CM, "E87.5", "hyperkalemia", "E87.6", "hypokalemia"),
    (ICD_10, "E87.5", "hyperkalemia", "E87.6", "hypokalemia"),
    (ICD_10_CM, "E87.0", "hypernatremia", "E87.1", "hyponatremia"),
    (ICD_10, "E87.0", "hypernatremia", "E87.1", "hyponatremia"),
    (ICD_10_CM, "E83.41", "hypermagnesemia", "E83.42", "hypomagnesemia"),
    (ICD_10_CM, "E83.52", "hypercalcemia", "E83.51", "hypocalcemia"),
    (HPO, "HP:0002153", "hyperkalemia", "HP:0002900", "hypokalemia"),
    (HPO, "HP:0003228", "hypernatremia", "HP:0002902", "hyponatremia"),
    (HPO, "HP:0003072", "hypercalcemia", "HP:0002901", "hypocalcemia"),
    (SNOMED, "14140009", "hyperkalemia", "43339004", "hypokalemia"),
    (SNOMED, "771115008", "hypernatremia", "89627008", "hyponatremia"),
    (SNOMED, "66931009", "hypercalcemia", "5291005", "hypocalcemia"),
]


@pytest.mark.parametrize(("system", "high_code", "high", "low_code", "low"), OPPOSITES)
def test_3_opposites(system: str, high_code: str, high: str, low_code: str, low: str) -> None:
    assert said(system, high_code) == {high}
    assert said(system, low_code) == {low}
    definitions = terminology().findings
    assert (definitions[high].low, definitions[low].low) == (False, True)
    assert definitions[high].analyte == definitions[low].analyte


# --- 4: look-alikes


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (SNOMED, "59026006"),  # blepharospasm
        (ICD_10_CM, "G24.5"),
        (SNOMED, "26079004"),  # tremor
        (ICD_10_CM, "R25.1"),
        (SNOMED, "13753008"),  # hemifacial spasm
        (SNOMED, "32402008"),
        (ICD_10_CM, "G51.31"),
        (ICD_10_CM, "G25.3"),  # myoclonus
        (ICD_10_CM, "G25.81"),  # restless legs
        (SNOMED, "37760005"),  # fascicular block
        (SNOMED, "418872003"),
        (SNOMED, "240197007"),  # stress fracture
        (SNOMED, "60241006"),
        (SNOMED, "415623008"),
        (SNOMED, "26748006"),  # teeth without calcium
        (SNOMED, "71938000"),  # calcium in the urine
        (SNOMED, "123812008"),  # zinc excess
        (SNOMED, "43486001"),  # cerebral palsy
        (ICD_10_CM, "G80.1"),
        (ICD_10_CM, "M62.84"),  # sarcopenia
        (ICD_10_CM, "R54"),
        (ICD_10_CM, "F44.4"),  # dissociative
        (SNOMED, "40890009"),  # swallowing, of the gullet
        (ICD_10_CM, "R47.01"),  # aphasia
        (ICD_10_CM, "R06.2"),  # wheeze
        (ICD_10_CM, "M25.6"),  # a stiff joint
        (SNOMED, "161505003"),  # heart failure in the past
        (ICD_10_CM, "I11.9"),
        (ICD_10_CM, "Z94.0"),  # a kidney transplant
        (ICD_10_CM, "T44.0X6A"),  # too little of a cholinesterase inhibitor
        (SNOMED, "241753006"),  # carbamazepine, no carbamate
        (ICD_10_CM, "F10.21"),  # in remission
        (SNOMED, "60001007"),  # not pregnant
        (SNOMED, "51197009"),  # stomach cramps
    ],
)
def test_4_a_look_alike_makes_nothing_present(system: str, code: str) -> None:
    assert known(system, code)
    assert said(system, code) == set()


# --- 5: wrong cross-references


@pytest.mark.parametrize(
    ("system", "code", "findings"),
    [
        (HPO, "HP:0007340", {"weakness"}),
        (SNOMED, "249945007", {"weakness"}),
        (HPO, "HP:0003228", {"hypernatremia"}),
        (SNOMED, "286926003", set()),
        (SNOMED, "39355002", set()),
        (SNOMED, "267465007", set()),
        (SNOMED, "190239004", set()),
        (HPO, "HP:0003394", {"cramps"}),
        (SNOMED, "55300003", {"cramps"}),
        (SNOMED, "20262006", {"coordination"}),
        (SNOMED, "85102008", {"coordination"}),
    ],
)
def test_5_by_its_own_meaning_not_by_a_cross_reference(system: str, code: str, findings: set[str]) -> None:
    assert said(system, code) == findings


# --- 6: wrong codes


@pytest.mark.parametrize(
    ("system", "code", "study"),
    [
        (SNOMED, "816077007", "mri-brain"),
        (SNOMED, "241615005", None),
        (SNOMED, "431855005", None),
        (SNOMED, "241601008", None),
        (LOINC, "18749-2", "emg"),
        (LOINC, "68524-8", None),
        (LOINC, "18844-1", None),
        (SNOMED, "42803009", None),
        (LOINC, "29755-6", "ncs"),
    ],
)
def test_6_studies(system: str, code: str, study: str | None) -> None:
    assert terminology().procedures.get((system, code)) == study


def test_6_more() -> None:
    assert said(SNOMED, "431855005") == {"chronic-kidney-disease"}
    assert said(SNOMED, "77176002") == {"tobacco"}
    assert said(SNOMED, "34095006") == {"dehydration"}
    assert (SNOMED, "71341001") not in terminology().sites
    assert terminology().sites[SNOMED, "21989003"].id == "quadriceps"


# --- 8: body sites


@pytest.mark.parametrize(
    ("code", "site", "side", "region"),
    [
        ("40983000", "upper-arm", None, "arms"),
        ("53120007", "upper-limb", None, "arms"),
        ("30021000", "lower-leg", None, "legs"),
        ("61685007", "lower-limb", None, "legs"),
        ("70258002", "ankle", None, "legs"),
        ("344001", "ankle", None, "legs"),
        ("49076000", "knee", None, "legs"),
        ("72696002", "knee", None, "legs"),
        ("113345001", "abdomen", None, "trunk"),
        ("818983003", "abdomen", None, "trunk"),
        ("60132005", "generalized", None, None),
        ("70567001", "quadriceps", None, "legs"),
        ("722115008", "calf", "left", "legs"),
        ("78791008", "hand", "right", "arms"),
        ("721065004", "eyelid", "left", None),
        ("21974007", "tongue", None, "tongue"),
        ("89545001", "face", None, "face"),
        ("16982005", "shoulder", None, "arms"),
        ("77568009", "back", None, "trunk"),
    ],
)
def test_8_sites_and_sides(code: str, site: str, side: str | None, region: str | None) -> None:
    found = terminology().sites[SNOMED, code]
    assert (found.id, found.side, found.region) == (site, side, region)


def test_8_laterality_is_a_side_and_no_site() -> None:
    sides = {code: terminology().sides[SNOMED, code] for code in ("7771000", "24028007", "51440002")}
    assert sides == {"7771000": "left", "24028007": "right", "51440002": "both"}
    assert not any((SNOMED, code) in terminology().sites for code in sides)


# --- 9: codes that say too little


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (ICD_10_CM, "R29.898"),
        (ICD_10_CM, "R53.1"),
        (SNOMED, "13791008"),
        (SNOMED, "162236007"),
        (ICD_10_CM, "R25.8"),
        (ICD_10_CM, "R25.9"),
        (ICD_10, "R25.8"),
        (ICD_10_CM, "R53.81"),
        (ICD_10_CM, "Z74.09"),
        (SNOMED, "8510008"),
        (SNOMED, "281666001"),
        (SNOMED, "416471007"),
        (ICD_10_CM, "E53.8"),
        (ICD_10, "E53.8"),
        (ICD_10_CM, "F15.90"),
        (ICD_10, "F15.1"),
        (SNOMED, "46727001"),
        (SNOMED, "45352006"),
        (SNOMED, "816082000"),
        (ICD_10_CM, "E86.1"),
        (ICD_10, "E86"),
        (ICD_10, "R53"),
        (ICD_10_CM, "G71.19"),
        (ICD_10_CM, "R20.9"),
        (SNOMED, "22253000"),
        (ICD_10_CM, "J98.6"),
        (ICD_10_CM, "K11.7"),
        (ICD_10_CM, "R49.0"),
        (SNOMED, "50219008"),
        (ICD_10_CM, "R47.9"),
        (ICD_10, "R47.8"),
        (HPO, "HP:0002307"),  # drooling alone
        (SNOMED, "53827007"),
        (ICD_10_CM, "R29.2"),
        (HPO, "HP:0001284"),
        (ICD_10_CM, "G83.9"),
        (ICD_10_CM, "R29.5"),
        (SNOMED, "240129002"),
        (ICD_10_CM, "R62.0"),
        (HPO, "HP:0001270"),
        (ICD_10_CM, "G47.33"),
        (ICD_10_CM, "G70.9"),
        (ICD_10_CM, "G57.31"),
        (ICD_10_CM, "G51.0"),
        (ICD_10_CM, "O90.9"),
        (ICD_10_CM, "O03.9"),
    ],
)
def test_9_is_shown_and_makes_nothing_present(system: str, code: str) -> None:
    assert known(system, code)
    assert said(system, code) == set()


@pytest.mark.parametrize("code", ["E08.43", "E09.43", "E10.43", "E11.43", "E13.43"])
def test_9_autonomic_neuropathy_is_diabetes_and_no_nerve_of_a_muscle(code: str) -> None:
    assert said(ICD_10_CM, code) == {"diabetes"}


# --- 10, 11: old codes, add-ons, remission


@pytest.mark.parametrize("code", ["155023009", "270478005", "366981002"])
def test_10_an_inactive_code_is_unknown(code: str) -> None:
    assert terminology().finding_of((SNOMED, code)) == ()


def test_11_no_code_of_the_american_medical_association() -> None:
    files = [*KNOWLEDGE.rglob("*.yaml")]
    assert len(files) > 100
    assert not [path for path in files if "ama-assn" in path.read_text(encoding="utf-8")]


def test_11_tobacco_in_remission_or_past_is_no_current_use() -> None:
    assert said(ICD_10_CM, "F17.210") == {"tobacco"}
    for system, code in [
        (ICD_10_CM, "F17.211"),
        (ICD_10_CM, "F17.201"),
        (ICD_10_CM, "Z87.891"),
        (SNOMED, "8517006"),
        (SNOMED, "266919005"),
    ]:
        assert said(system, code) == set()
    assert (LOINC, "72166-2") in terminology().tobacco_status
