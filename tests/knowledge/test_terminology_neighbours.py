"""A sign is not its neighbour, an adverse effect no poisoning; acute states, and what speaks from history."""

from __future__ import annotations

import pytest

from fhir_mappings.code_systems import HPO, ICD_10, ICD_10_CM, SNOMED
from service.knowledge.loading import load_yaml
from tests.knowledge.terminologies import KNOWLEDGE, known, said, terminology


@pytest.mark.parametrize(("system", "code"), [(SNOMED, "16046003"), (HPO, "HP:0002063")])
def test_rigidity_is_not_stiffness(system: str, code: str) -> None:
    assert known(system, code) == {"rigidity"}


def test_stiffness_is_not_rigidity() -> None:
    assert known(SNOMED, "249919003") == known(HPO, "HP:0003552") == {"stiffness"}


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (ICD_10_CM, "T44.0X5"),
        (ICD_10_CM, "T44.0X5A"),
        (ICD_10_CM, "T44.1X5"),
        (ICD_10_CM, "T44.1X5D"),
        (ICD_10, "Y51.0"),
    ],
)
def test_an_adverse_effect_is_no_poisoning(system: str, code: str) -> None:
    assert known(system, code) == {"cholinergic-adverse-effect"}
    assert said(system, code) == set()


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (SNOMED, "56731001"),
        (SNOMED, "41581000"),
        (HPO, "HP:0001276"),
        (HPO, "HP:0002509"),
        (HPO, "HP:0006895"),
    ],
)
def test_raised_tone_is_no_upper_motor_sign(system: str, code: str) -> None:
    assert known(system, code) == {"reflex-nonspecific"}


@pytest.mark.parametrize("code", ["HP:0003487", "HP:0002169", "HP:0011448", "HP:0001257", "HP:0001347"])
def test_an_extensor_plantar_and_clonus_are(code: str) -> None:
    assert said(HPO, code) == {"upper-motor-sign"}


@pytest.mark.parametrize(
    ("system", "code"), [(SNOMED, "371028005"), (HPO, "HP:0010549"), (SNOMED, "249946008")]
)
def test_weakness_of_an_upper_motor_neuron_is_both(system: str, code: str) -> None:
    assert said(system, code) == {"weakness", "upper-motor-sign"}


def test_a_stroke_that_is_over_is_no_weakness_of_today() -> None:
    for system, code in [(SNOMED, "92341000119107"), (ICD_10_CM, "I69.351"), (ICD_10, "I69.4")]:
        assert said(system, code) == {"central-lesion"}


@pytest.mark.parametrize("code", ["G47.34", "G47.36"])
def test_too_little_breath_in_sleep_explains_nothing_and_is_the_danger(code: str) -> None:
    assert said(ICD_10_CM, code) == {"breathing-difficulty"}


def test_a_persistent_course_has_no_code_left() -> None:
    assert (SNOMED, "262012006") not in terminology().courses
    courses = load_yaml(KNOWLEDGE / "courses.yaml")
    assert courses["courses"]["course_persistent"] == "persistent"
    assert "course_persistent" not in courses["codes"]


@pytest.mark.parametrize(
    ("system", "code"), [(SNOMED, "82470000"), (ICD_10_CM, "R25.3"), (ICD_10, "R25.3"), (HPO, "HP:0002380")]
)
def test_twitching_stays_twitching(system: str, code: str) -> None:
    assert said(system, code) == {"fasciculation"}


# --- acute states, and what speaks from history


def test_what_is_acute() -> None:
    acute: dict[str, bool] = {}
    for codes in terminology().finding_codes.values():
        for code in codes:
            acute[code.finding] = acute.get(code.finding, False) or code.acute
    assert {name for name, is_acute in acute.items() if is_acute} == {
        "alcohol-withdrawal",
        "breathing-difficulty",
        "cauda-equina",
        "cholinergic-poisoning",
        "guillain-barre",
        "lithium-poisoning",
    }
    whole = {one.id for one in terminology().findings.values() if one.acute}
    assert whole == {name for name, is_acute in acute.items() if is_acute} - {"breathing-difficulty"}


@pytest.mark.parametrize(
    ("code", "acute"), [("65710008", True), ("64228003", False), ("31515003", False), ("267036007", False)]
)
def test_of_breathing_only_its_failure_is_acute(code: str, acute: bool) -> None:
    (one,) = terminology().finding_of((SNOMED, code))
    assert (one.finding, one.acute) == ("breathing-difficulty", acute)


def test_guillain_barre_is_acute_and_past_by_the_same_codes() -> None:
    for key, codes in terminology().finding_codes.items():
        names = {code.finding: code.acute for code in codes}
        assert ("guillain-barre" in names) == ("guillain-barre-past" in names), key
        if "guillain-barre" in names:
            assert names == {"guillain-barre": True, "guillain-barre-past": False}


def test_what_speaks_from_history() -> None:
    assert {one.id for one in terminology().findings.values() if one.from_history} == {
        "lung-disease",
        "central-lesion",
        "heart-failure",
        "multiple-sclerosis",
        "guillain-barre-past",
    }
