"""Section 3: rows that need more than one thing. Each operand is there, missing, or not of the right kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Record
from tests.knowledge.patients import drug, finding, record_of_example, result
from tests.spec.outcomes import exactly, outcome_of, recommended, rows_of

WEAK = {"weakness": "examined"}
TOLD = {"weakness": "reported"}
BASES = ("examined", "reported")


def patient(*parts: dict[str, Any], **given: Any) -> Record:
    return record_of_example({name: said for part in (*parts, given) for name, said in part.items()})


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ({**WEAK, "onset_days_ago": 14}, "weakness"),
        ({**WEAK, "onset_days_ago": 15}, "weakness-with-persistence-or-spread weakness persistent"),
        # long, and an eyelid: persistent as a feature, though not as a row
        (
            {**WEAK, "onset_days_ago": 15, "sites": ["eyelid"]},
            "weakness-with-persistence-or-spread weakness",
        ),
        (
            {**WEAK, "sites": ["hand", "calf"]},
            "weakness-with-persistence-or-spread weakness widespread",
        ),
        ({**TOLD, "onset_days_ago": 15}, "weakness-reported persistent"),
        ({**TOLD, "sites": ["hand", "calf"]}, "weakness-reported widespread"),
        ({"lumbosacral-radiculopathy": "examined", "sites": ["calf"]}, "nerve-root self-care"),
        ({"lumbosacral-radiculopathy": "reported", "sites": ["thigh"]}, "nerve-root self-care"),
        (
            {"lumbosacral-radiculopathy": "examined", "sites": ["hand"]},
            "self-care nothing-calls-for-tests",
        ),
        ({"nerve-root-disorder": "examined", "sites": ["calf"]}, "self-care nothing-calls-for-tests"),
    ],
    ids=str,
)
def test_exactly_these_rows(given: dict[str, Any], rows: str) -> None:
    exactly(record_of_example(given), rows)


@pytest.mark.parametrize("cause", ["malabsorption", "bariatric-surgery", "restrictive-diet"])
@pytest.mark.parametrize("basis", BASES)
def test_malabsorption_needs_numbness_or_weakness(cause: str, basis: str) -> None:
    for sign in ("sensory-loss", "weakness"):
        for said in BASES:
            assert "malabsorption" in rows_of(patient({cause: basis, sign: said}))
            assert "malabsorption" not in rows_of(patient({sign: said}))
    for other in ("atrophy", "coordination", "movement", "tingling", "pain"):
        assert "malabsorption" not in rows_of(patient({cause: basis, other: "examined"}))


@pytest.mark.parametrize("symptom", ["cramps", "stiffness"])
@pytest.mark.parametrize("basis", BASES)
def test_hyperexcitability_needs_all_three(symptom: str, basis: str) -> None:
    continuous, widespread = {"courses": ["continuous"]}, {"sites": ["hand", "calf"]}
    assert "hyperexcitability" in rows_of(patient(continuous, widespread, {symptom: basis}))
    assert "hyperexcitability" not in rows_of(patient(continuous, {symptom: basis}))
    assert "hyperexcitability" not in rows_of(patient(widespread, {symptom: basis}))
    assert "hyperexcitability" not in rows_of(patient(continuous, widespread))
    assert "hyperexcitability" not in rows_of(patient(continuous, widespread, pain=basis, tingling=basis))


class TestBreathing:
    @pytest.mark.parametrize("weakness", BASES)
    @pytest.mark.parametrize("basis", BASES)
    def test_with_weakness_on_any_basis(self, weakness: str, basis: str) -> None:
        assert "respiratory" in rows_of(patient({"breathing-difficulty": basis, "weakness": weakness}))
        assert "respiratory" in rows_of(patient({"orthopnea": basis, "weakness": weakness}))

    def test_weakness_alone_or_another_sign_is_not_enough(self) -> None:
        assert "respiratory" not in rows_of(patient(WEAK))
        for sign in ("atrophy", "sensory-loss", "coordination", "movement"):
            assert "respiratory" not in rows_of(
                patient({"breathing-difficulty": "examined", sign: "examined"})
            )

    @pytest.mark.parametrize("basis", BASES)
    def test_heart_failure_explains_lying_flat_but_not_with_weakness(self, basis: str) -> None:
        flat = {"orthopnea": "reported"}
        assert "respiratory" not in rows_of(patient(flat, {"heart-failure": basis}))
        assert "respiratory" in rows_of(patient(flat, {"heart-failure": basis}, TOLD))
        assert "respiratory" in rows_of(patient(flat, {"heart-failure": basis}, WEAK))
        assert "respiratory" in rows_of(patient(flat, {"heart-failure": "absent"}))
        assert "respiratory" in rows_of(patient(flat, {"chronic-kidney-disease": "examined"}))


def worse(record: Record, *signs: str) -> Record:
    """The same, with a course of its own for each of those signs: worsening."""
    changed = {name: replace(record.findings[name], worsening=True) for name in signs}
    return replace(record, findings={**record.findings, **changed})


class TestGettingWorse:
    @pytest.mark.parametrize("course", ["worsening", "spreading"])
    def test_the_twitch(self, course: str) -> None:
        weak = patient(WEAK, onset_days_ago=28, courses=[course])
        assert {"rapid-weakness", "progressive-weakness"} <= rows_of(weak)
        late = patient(WEAK, onset_days_ago=29, courses=[course])
        assert "rapid-weakness" not in rows_of(late)
        assert "progressive-weakness" in rows_of(late)
        assert "progressive-weakness" in rows_of(patient(WEAK, courses=[course]))

    def test_the_weakness_itself(self) -> None:
        weak = worse(patient(WEAK, onset_days_ago=28), "weakness")
        assert {"rapid-weakness", "progressive-weakness"} <= rows_of(weak)
        assert "rapid-weakness" not in rows_of(worse(patient(WEAK, onset_days_ago=29), "weakness"))

    @pytest.mark.parametrize("course", ["continuous", "stable", "intermittent"])
    def test_no_other_course(self, course: str) -> None:
        rows = rows_of(patient(WEAK, onset_days_ago=20, courses=[course], atrophy="examined"))
        assert not rows & {"rapid-weakness", "progressive-weakness", "weakness-and-atrophy-worsening"}

    def test_wasting_that_worsens_is_no_progressive_weakness(self) -> None:
        rows = rows_of(worse(patient(WEAK, onset_days_ago=20, atrophy="examined"), "atrophy"))
        assert "weakness-and-atrophy-worsening" in rows
        assert not rows & {"rapid-weakness", "progressive-weakness"}

    @pytest.mark.parametrize("given", [TOLD, {"weakness": "absent"}, {}, {"atrophy": "examined"}], ids=str)
    def test_only_weakness_on_examination(self, given: dict[str, Any]) -> None:
        rows = rows_of(patient(given, onset_days_ago=20, courses=["worsening", "spreading"]))
        assert not rows & {"rapid-weakness", "progressive-weakness"}

    def test_the_start_of_the_weakness_goes_before_that_of_the_twitch(self) -> None:
        old = patient(WEAK, onset_days_ago=200, courses=["worsening"])
        since = replace(
            finding("weakness", "examined"), since=record_of_example({"onset_days_ago": 28}).twitch.onset
        )
        assert "rapid-weakness" in rows_of(replace(old, findings={"weakness": since}))

    @pytest.mark.parametrize("course", ["worsening", "spreading"])
    def test_weakness_and_wasting_with_a_worsening_twitch(self, course: str) -> None:
        both = patient(WEAK, atrophy="examined", courses=[course])
        assert {"weakness-and-atrophy", "weakness-and-atrophy-worsening"} <= rows_of(both)

    def test_weakness_and_wasting_of_which_one_worsens(self) -> None:
        both = patient(WEAK, atrophy="examined")
        assert "weakness-and-atrophy" in rows_of(both)
        assert "weakness-and-atrophy-worsening" not in rows_of(both)
        for sign in ("weakness", "atrophy"):
            assert "weakness-and-atrophy-worsening" in rows_of(worse(both, sign))

    @pytest.mark.parametrize(("weakness", "atrophy"), [("reported", "examined"), ("examined", "reported")])
    def test_both_must_be_examined(self, weakness: str, atrophy: str) -> None:
        rows = rows_of(patient(weakness=weakness, atrophy=atrophy, courses=["worsening"]))
        assert not rows & {"weakness-and-atrophy", "weakness-and-atrophy-worsening"}

    def test_one_alone_is_not_both(self) -> None:
        for alone in (WEAK, {"atrophy": "examined"}):
            rows = rows_of(patient(alone, courses=["worsening"]))
            assert not rows & {"weakness-and-atrophy", "weakness-and-atrophy-worsening"}


class TestChildren:
    @pytest.mark.parametrize("basis", BASES)
    @pytest.mark.parametrize("sign", ["atrophy", "sensory-loss", "coordination"])
    def test_a_sign(self, sign: str, basis: str) -> None:
        assert {"child", "child-sign"} <= rows_of(patient({sign: basis}, age_years=15))
        assert "child-weakness" not in rows_of(patient({sign: basis}, age_years=15))
        assert not {"child", "child-sign"} & rows_of(patient({sign: basis}, age_years=16))

    @pytest.mark.parametrize("basis", BASES)
    @pytest.mark.parametrize("sign", ["weakness", "movement", "low-tone", "motor-regression"])
    def test_weakness_and_the_like(self, sign: str, basis: str) -> None:
        assert "child-weakness" in rows_of(patient({sign: basis}, age_years=15))
        assert "child-sign" not in rows_of(patient({sign: basis}, age_years=15))
        assert "child-weakness" not in rows_of(patient({sign: basis}, age_years=16))

    @pytest.mark.parametrize(
        "pattern",
        [
            {"lumbosacral-radiculopathy": "examined", "sites": ["calf"]},
            {"courses": ["continuous"], "sites": ["hand", "calf"], "cramps": "reported"},
        ],
        ids=["nerve-root", "hyperexcitability"],
    )
    def test_a_row_that_counts_as_a_sign(self, pattern: dict[str, Any]) -> None:
        assert "child-sign" in rows_of(patient(pattern, age_years=15))
        assert "child-sign" not in rows_of(patient(pattern, age_years=16))

    @pytest.mark.parametrize(
        "given",
        [
            {"tingling": "examined"},
            {"pain": "examined"},
            {"thyroid-disease": "examined"},
            {"multiple-sclerosis": "examined"},
            {"sites": ["hand", "calf"]},
            {"onset_days_ago": 400},
            {"drugs": {"thiazide-diuretic": "yes"}},
            {"drugs": {"potassium-sparing-diuretic": "yes"}},
            {"results": {"potassium": "critical"}},
            {"orthopnea": "reported"},
            {"sites": ["tongue"]},
            {"courses": ["continuous"], "sites": ["hand", "calf"]},
            {"lumbosacral-radiculopathy": "examined"},
        ],
        ids=str,
    )
    def test_what_is_no_sign(self, given: dict[str, Any]) -> None:
        assert not {"child-sign", "child-weakness"} & rows_of(patient(given, age_years=15))


class TestMedicinesBesideAnAbnormalElectrolyte:
    """medication-review if a current medicine of the class is recorded, whatever its start."""

    ANY = (
        "thiazide-diuretic",
        "loop-diuretic",
        "carbonic-anhydrase-inhibitor",
        "potassium-sparing-diuretic",
        "diuretic-other",
        "corticosteroid-systemic",
        "corticosteroid-mineralocorticoid",
        "beta2-agonist-short",
        "beta2-agonist-long",
        "xanthine",
    )
    FOR_SODIUM = (
        "ssri",
        "snri",
        "antidepressant-tricyclic",
        "antidepressant-maoi",
        "antidepressant-other",
    )
    NEVER = (
        "cns-stimulant",
        "dopaminergic-levodopa",
        "dopaminergic-agonist",
        "corticosteroid-inhaled",
        "asthma-other",
        "carbonic-anhydrase-inhibitor-ophthalmic",
        "other-ppi",
    )

    def asked(self, drug_class: str, analyte: str, plausible: str = "no", *, current: bool = True) -> bool:
        """Whether electrolyte-abnormal asks for a medication review; the medicine began after the twitch."""
        record = replace(
            patient(),
            drugs=(drug(drug_class, plausible, current=current),),
            results=(result(analyte, "out-of-range"),),
        )
        found = [r for r in outcome_of(record).recommendations if r.id == "medication-review"]
        return any("electrolyte-abnormal" in r.because for r in found)

    @pytest.mark.parametrize("drug_class", ANY)
    def test_for_any_electrolyte(self, drug_class: str) -> None:
        for analyte in ("sodium", "potassium", "calcium", "magnesium"):
            assert self.asked(drug_class, analyte)

    @pytest.mark.parametrize("drug_class", FOR_SODIUM)
    def test_for_sodium_alone(self, drug_class: str) -> None:
        assert self.asked(drug_class, "sodium")
        for analyte in ("potassium", "calcium", "magnesium"):
            assert not self.asked(drug_class, analyte)

    @pytest.mark.parametrize("drug_class", NEVER)
    def test_for_none(self, drug_class: str) -> None:
        for analyte in ("sodium", "potassium", "calcium", "magnesium"):
            assert not self.asked(drug_class, analyte)

    @pytest.mark.parametrize("drug_class", ANY + FOR_SODIUM)
    def test_not_once_it_was_stopped(self, drug_class: str) -> None:
        for plausible in ("yes", "possible", "no"):
            assert not self.asked(drug_class, "sodium", plausible, current=False)

    def test_not_without_a_medicine(self) -> None:
        record = replace(patient(), results=(result("sodium", "low"),))
        assert "medication-review" not in recommended(record)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("sign", ["weakness", "atrophy", "sensory-loss", "coordination", "movement"])
def test_self_care_holds_beside_no_sign(sign: str, basis: str) -> None:
    assert "self-care" not in rows_of(patient({sign: basis}))
    assert "self-care" in rows_of(patient({sign: "absent"}))


def test_self_care_holds_beside_no_critical_row() -> None:
    assert "self-care" not in rows_of(patient(orthopnea="reported"))
    assert "self-care" not in rows_of(patient(sites=["tongue"]))
    assert "self-care" not in rows_of(replace(patient(), results=(result("potassium", "critical"),)))
