"""The terminology files as files: complete, strict, and every fault named with file, place and reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schemas.base import places_and_reasons
from service.knowledge.loading import KnowledgeError, Problem, load_yaml
from service.knowledge.terminology_files import load_order_codes, load_terminology

KNOWLEDGE = Path(__file__).parents[2] / "service" / "knowledge" / "data"

# The concepts of the code tables: none may get lost.
CONCEPTS = """
    abdomen abnormal_emg_result abnormal_involuntary_movement_unspecified
    abnormal_reflex_nonspecific albumin alcohol_excess alcohol_use alcohol_withdrawal als ana ankle
    ankle_left ankle_right answer_absent answer_no answer_present answer_yes anti_achr
    anticholinesterase_poisoning anxiety anxiety_disorder back bariatric_surgery
    basic_metabolic_panel benign_fasciculation_syndrome bicarbonate brachial_plexopathy
    bulbar_weakness caffeine_overuse calcium_disorder_unspecified calcium_ionized calcium_total calf
    calf_left calf_right carpal_tunnel_syndrome cauda_equina_syndrome celiac_disease
    cervical_radiculopathy chest chloride choking cholinergic_agonist_poisoning
    cholinesterase_activity chronic_kidney_disease cidp comprehensive_metabolic_panel
    coordination_problem copd course_continuous course_improving course_intermittent
    course_progressive course_recurrent course_stable course_worsening creatine_kinase creatinine
    dehydration developmental_regression diabetes_mellitus diabetic_neuropathy dialysis
    diaphragm_disorder_nonspecific disuse_muscle_atrophy dysarthria dysphagia dysphonia dyspnea egfr
    electrolyte_imbalance electrolytes_panel electromyography eyelid eyelid_left eyelid_right
    eyelid_twitch face facial_myokymia facial_nerve_palsy facial_weakness family_history_diabetes
    family_history_generic family_history_hereditary_disease family_history_neuro fasciculation
    fatigue foot foot_drop foot_left foot_right forearm forearm_left forearm_right free_t3 free_t4
    gait_difficulty gastrectomy generalized generalized_anxiety_disorder glucose
    guillain_barre_syndrome hand hand_left hand_right hba1c heart_failure hemiplegia
    holotranscobalamin hypercalcemia hyperhidrosis hyperkalemia hypermagnesemia hypernasal_speech
    hypernatremia hyperparathyroidism hyperphosphatemia hyperthyroidism hypocalcemia hypoesthesia
    hypokalemia hypomagnesemia hyponatremia hypoparathyroidism hypophosphatemia hypothyroidism
    hypotonia hypoventilation impaired_chewing insomnia kennedy_disease kidney_failure_unspecified
    knee knee_left knee_right lambert_eaton_syndrome laterality_bilateral laterality_left
    laterality_right limb_pain limb_weakness lithium_level lithium_toxicity lower_leg lower_leg_left
    lower_leg_right lower_limb lower_limb_left lower_limb_right lumbosacral_plexopathy
    lumbosacral_radiculopathy magnesium magnesium_disorder_unspecified magnesium_ionized
    malabsorption monomelic_amyotrophy mononeuropathy monoplegia motor_delay motor_neuron_disease
    motor_regression mri_brain mri_spine multifocal_motor_neuropathy multiple_sclerosis
    muscle_atrophy muscle_cramp_or_spasm muscle_stiffness muscle_strain muscle_weakness
    musculoskeletal_symptom_unspecified myalgia myasthenia_gravis myelopathy myokymia
    myoneural_disorder_other neck_weakness nerve_conduction_study nerve_conduction_study_referral
    nerve_root_disorder neurology_consult_note neurology_referral neurology_specialty neuromyotonia
    numbness nutritional_deficiency obesity_hypoventilation organophosphate_poisoning orthopnea
    overexertion overuse_soft_tissue_disorder pain palatal_weakness paralysis_nonspecific
    paraplegia_tetraplegia parathyroid_disorder_unspecified parathyroid_hormone paresthesia
    periodic_paralysis peripheral_neuropathy pernicious_anemia peroneal_neuropathy phosphate
    phosphate_disorder_unspecified poor_diet post_polio postpartum potassium pregnancy
    pregnancy_ended_early quadriceps reduced_mobility_nonspecific reduced_reflexes repeated_falls
    respiratory_failure respiratory_muscle_weakness s1_radiculopathy
    salivary_secretion_disorder_unspecified sedentary_lifestyle sensory_disturbance_other shoulder
    shoulder_left shoulder_right sialorrhea sleep_apnea sleep_deprivation sodium spasticity
    specialist_consultation_visit speech_disturbance_nonspecific spinal_muscular_atrophy
    stiff_person_syndrome stimulant_use stress stroke_sequela tetany thigh thigh_left thigh_right
    thyroid_panel thyroiditis tobacco_smoking_status_observation tobacco_use_current
    tobacco_use_former tobacco_use_none tongue tongue_atrophy tongue_fasciculation tongue_weakness
    total_t3 total_t4 trunk trunk_weakness tsh ulnar_neuropathy upper_arm upper_arm_left
    upper_arm_right upper_limb upper_limb_left upper_limb_right upper_motor_neuron_signs urea
    urea_nitrogen vitamin_b12 vitamin_b12_deficiency vitamin_b_deficiency_other vitamin_d_25oh
    vitamin_d_deficiency volume_depletion weakness_nonspecific wrist_drop wrist_or_foot_drop zinc
    zinc_deficiency zinc_disorder_unspecified
"""


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    """A copy that a test may break, without the large drug files but one."""
    for path in KNOWLEDGE.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    for folder in ("findings", "body_sites", "analytes", "procedures"):
        shutil.copytree(KNOWLEDGE / folder, tmp_path / folder)
    (tmp_path / "medication_classes").mkdir()
    shutil.copy(KNOWLEDGE / "medication_classes" / "als-riluzole.yaml", tmp_path / "medication_classes")
    return tmp_path


def problems_of(directory: Path) -> tuple[Problem, ...]:
    with pytest.raises(KnowledgeError) as caught:
        load_terminology(directory)
    return caught.value.problems


def found_in(directory: Path) -> list[Problem]:
    """Everything that either loader finds wrong."""
    found: list[Problem] = []
    for load in (load_terminology, load_order_codes):
        try:
            load(directory)
        except KnowledgeError as error:
            found += error.problems
    return found


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_copy_loads(knowledge: Path) -> None:
    assert load_terminology(knowledge).findings


def test_every_concept_of_the_tables_has_a_home() -> None:
    held = set(load_yaml(KNOWLEDGE / "left_out.yaml")["left_out"])
    for path in [*KNOWLEDGE.glob("*.yaml"), *KNOWLEDGE.glob("*/*.yaml")]:
        content = load_yaml(path)
        if isinstance(content, dict) and isinstance(content.get("codes"), dict):
            held |= set(content["codes"])
    assert set(CONCEPTS.split()) - held == set()


def test_a_file_is_named_after_its_concept() -> None:
    for folder in ("findings", "body_sites", "analytes", "procedures", "medication_classes"):
        for path in (KNOWLEDGE / folder).glob("*.yaml"):
            assert load_yaml(path)["id"] == path.stem


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "reason"),
    [
        ("findings/weakness.yaml", "kind: sign", "kind: sign\nkolour: red", "kolour", "Unknown field"),
        ("findings/weakness.yaml", "kind: sign", "kind: omen", "kind", "Must be one of"),
        ("findings/weakness.yaml", 'label: "weakness"', "label: 7", "label", "quote it"),
        ("findings/weakness.yaml", '"249942005", ', "249942005, ", "codes", "quote it"),
        ("findings/weakness.yaml", '"249942005", ', '"249942 005", ', "codes", "has a blank"),
        ("findings/weakness.yaml", '"249942005", ', '" 249942005", ', "codes", "has a blank"),
        (
            "findings/weakness.yaml",
            "http://hl7.org/fhir/sid/icd-10-cm",
            "http://icd",
            "codes",
            "not a code system",
        ),
        ("findings/weakness.yaml", "id: weakness", "id: weak", "id", "not the name of its file"),
        ("findings/weakness.yaml", "id: weakness", "id: weakness\nid: weakness", "line", "stands twice"),
        ("findings/weakness.yaml", 'label: "weakness"', 'label: "weakness', "line", ""),
        (
            "findings/weakness.yaml",
            'question: "Is there weakness on examination?"\n',
            "",
            "category",
            "question",
        ),
        (
            "findings/weakness.yaml",
            'code: "26544005"',
            'code: "88092000"',
            "answer",
            "not a code of this finding",
        ),
        ("findings/weakness.yaml", '["calf"]', '["kalf"]', "sited", "no such site"),
        ("findings/weakness.yaml", '["calf"]', '["upper calf"]', "sited", "no such site"),
        (
            "findings/weakness.yaml",
            'told_codes: ["126013009"]',
            'told_codes: ["1"]',
            "told_codes",
            "none of its",
        ),
        (
            "findings/fasciculation.yaml",
            '"eyelid_twitch": "eyelid"',
            '"lid": "eyelid"',
            "sited.lid",
            "none of its",
        ),
        (
            "findings/hypokalemia.yaml",
            'analyte: "potassium"',
            'analyte: "kalium"',
            "analyte",
            "no analyte 'kalium'",
        ),
        (
            "findings/fatigue.yaml",
            "kind: shown",
            'kind: shown\nnames: ["twitch"]',
            "names",
            "no other finding",
        ),
        ("findings/fatigue.yaml", "kind: shown", 'kind: shown\nspecific: "tired"', "specific", "no finding"),
        (
            "findings/breathing-difficulty.yaml",
            "acute_concepts: [respiratory_failure]",
            "acute_concepts: [copd]",
            "acute_concepts.copd",
            "none of its",
        ),
        ("findings/cauda-equina.yaml", "acute: true", "acute: true\nchronic: true", "acute", "over in days"),
        (
            "findings/cauda-equina.yaml",
            "acute: true",
            "acute: true\nfrom_history: true",
            "acute",
            "over in days",
        ),
        ("analytes/potassium.yaml", '"1"', '"one"', "units", "not a number"),
        ("analytes/potassium.yaml", 'low: "2.5"', "low: 2.5", "critical", "quote it"),
        ("analytes/potassium.yaml", 'code: "2823-3"', 'code: "2823-4"', "potassium", "none of its codes"),
        ("analytes/calcium.yaml", "analyte: albumin", "analyte: albumen", "adjustment", "no analyte"),
        ("analytes/calcium.yaml", 'code: "29265-6"', 'code: "2823-3"', "adjustment", "not a code of this"),
        ("analytes/calcium.yaml", 'factor: "0.02"', 'factor: "two"', "adjustment", "not a number"),
        (
            "procedures/neurology-referral.yaml",
            "completed_as: n",
            "completed_as: m",
            "completed_as",
            "no study",
        ),
        ("procedures/emg.yaml", "kind: study", "kind: stud", "kind", "Must be one of"),
        ("procedures/ncs.yaml", "asks_only: [n", "asks_only: [m", "asks_only", "no concept"),
        ("procedures/thyroid-panel.yaml", "[tsh]", "[tish]", "analytes", "no analyte 'tish'"),
        ("body_sites/calf.yaml", "region: legs", "region: tail", "region", "Must be one of"),
        ("left_out.yaml", "left_out:", "left:", "left", "Unknown field"),
        ("answers.yaml", "means: present", "means: maybe", "sourced[0].means", "Must be one of"),
        ("medication_classes/als-riluzole.yaml", 'rxnorm: ["', 'rxnorm: [1, "', "members", "quote it"),
        ("medication_classes/als-riluzole.yaml", 'rxnorm: ["', 'rxnorm: ["1 2", "', "members", "blank"),
    ],
)
def test_a_broken_file_is_refused(
    knowledge: Path, file: str, old: str, new: str, place: str, reason: str
) -> None:
    change(knowledge / file, old, new)
    told = [
        problem
        for problem in found_in(knowledge)
        if Path(file).name in problem.file or problem.place == place or problem.file == file.split("/")[0]
    ]
    assert any(place in problem.place and reason in problem.reason for problem in told), told


@pytest.mark.parametrize(
    ("content", "messages", "found"),
    [
        # A list names an entry by its id, else by its index; "value" and "_schema" are no part of a place.
        ({"rows": [{"id": "a"}]}, {"rows": {0: {"level": ["No."]}}}, ("rows.a.level", "No.")),
        ({"ids": ["a", 1]}, {"ids": {1: ["No."]}}, ("ids[1]", "No.")),
        ({"codes": {"a": [1]}}, {"codes": {"a": {"value": {0: ["No."]}}}}, ("codes.a[0]", "No.")),
        ({"value": 1}, {"value": ["No."]}, ("value", "No.")),
        ({"rows": [{"id": "a"}]}, {"rows": {0: [{"_schema": ["No."]}]}}, ("rows.a", "No.")),
    ],
)
def test_the_place_of_a_problem(content: object, messages: object, found: tuple[str, str]) -> None:
    assert list(places_and_reasons(messages, content)) == [found]


def test_opposites_cannot_share_a_code(knowledge: Path) -> None:
    change(knowledge / "findings/hypokalemia.yaml", '["E87.6"]', '["E87.5", "E87.6"]')
    (problem,) = problems_of(knowledge)
    assert "two opposites: hyperkalemia and hypokalemia" in problem.reason
    assert problem.place.endswith("E875")


@pytest.mark.parametrize("file", ["findings/look-alikes.yaml", "findings/fatigue.yaml"])
def test_a_code_is_not_both_present_and_nothing(knowledge: Path, file: str) -> None:
    change(knowledge / file, '"http://snomed.info/sct": [', '"http://snomed.info/sct": ["82470000", ')
    reasons = [problem.reason for problem in problems_of(knowledge) if problem.place.endswith("82470000")]
    assert any("makes a finding present and makes none" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("file", "old", "code"),
    [
        ("analytes/zinc.yaml", '"http://loinc.org": [', "2601-3"),
        ("procedures/emg.yaml", '"http://loinc.org": [', "29755-6"),
        ("body_sites/foot.yaml", '"http://snomed.info/sct": [', "53840002"),
    ],
)
def test_a_code_stands_in_one_file(knowledge: Path, file: str, old: str, code: str) -> None:
    change(knowledge / file, old, f'{old}"{code}", ')
    assert any(code in problem.place and "too" in problem.reason for problem in problems_of(knowledge))


def test_all_problems_are_told_at_once(knowledge: Path) -> None:
    change(knowledge / "findings/weakness.yaml", "kind: sign", "kind: omen")
    change(knowledge / "analytes/zinc.yaml", 'label: "zinc"', "label: 30")
    change(knowledge / "body_sites/calf.yaml", "region: legs", "region: tail")
    files = {problem.file for problem in problems_of(knowledge)}
    assert files == {"findings/weakness.yaml", "analytes/zinc.yaml", "body_sites/calf.yaml"}


def test_a_missing_file_is_named(knowledge: Path) -> None:
    (knowledge / "courses.yaml").unlink()
    assert [problem.file for problem in problems_of(knowledge)] == ["courses.yaml"]
