"""Section 3: rows of a disease or a medicine beside something else: there, missing, or of another kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.knowledge.patients import drug, record_of_example, result
from tests.spec.outcomes import exactly, rows_of
from tests.spec.together import BASES, LOOKED, TOLD, WEAK, patient, urgency


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ({**WEAK, "sites": ["hand", "calf"]}, "weakness widespread"),
        ({**TOLD, "sites": ["hand", "calf"]}, "weakness-reported widespread"),
        ({"lumbosacral-radiculopathy": "listed", "sites": ["calf"]}, "nerve-irritation"),
        ({"lumbosacral-radiculopathy": "reported", "sites": ["thigh"]}, "nerve-irritation"),
        ({"lumbosacral-radiculopathy": "listed", "sites": ["hand"]}, ""),
        ({"cervical-radiculopathy": "listed", "sites": ["hand"]}, "nerve-irritation"),
        ({"cervical-radiculopathy": "listed", "sites": ["calf"]}, ""),
        ({"arm-nerve": "listed", "sites": ["forearm"]}, "nerve-irritation"),
        ({"arm-nerve": "listed", "sites": ["thigh"]}, ""),
    ],
    ids=str,
)
def test_exactly_these_rows(given: dict[str, Any], rows: str) -> None:
    exactly(record_of_example(given), f"not-examined {rows}")


@pytest.mark.parametrize("cause", ["malabsorption", "bariatric-surgery", "restrictive-diet"])
@pytest.mark.parametrize("basis", BASES)
def test_malabsorption_needs_numbness_or_weakness(cause: str, basis: str) -> None:
    for sign in ("sensory-loss", "weakness"):
        for said in BASES:
            assert "malabsorption" in rows_of(patient({cause: basis, sign: said}))
            assert "malabsorption" not in rows_of(patient({sign: said}))
    for other in ("atrophy", "coordination", "movement", "tingling", "pain"):
        assert "malabsorption" not in rows_of(patient({cause: basis, other: "examined"}))


class TestKnownDiseases:
    @pytest.mark.parametrize("sign", ["weakness", "sensory-loss", "coordination"])
    @pytest.mark.parametrize("basis", BASES)
    def test_multiple_sclerosis_with_a_sign(self, sign: str, basis: str) -> None:
        disease = {"multiple-sclerosis": "listed"}
        assert "multiple-sclerosis-sign" in rows_of(patient(disease, {sign: basis}))
        assert "multiple-sclerosis-sign" not in rows_of(patient({sign: basis}))
        assert "multiple-sclerosis-sign" not in rows_of(patient(disease, atrophy="examined"))

    @pytest.mark.parametrize("course", ["continuous", "persistent"])
    def test_multiple_sclerosis_with_a_face_that_twitches_on(self, course: str) -> None:
        disease = {"multiple-sclerosis": "listed"}
        on = {"courses": [course]}
        assert "multiple-sclerosis-sign" in rows_of(patient(disease, on, sites=["face"]))
        assert "multiple-sclerosis-sign" not in rows_of(patient(disease, on, sites=["hand"]))
        assert "multiple-sclerosis-sign" not in rows_of(patient(disease, sites=["face"]))

    @pytest.mark.parametrize("basis", BASES)
    def test_a_neuropathy_with_a_sign(self, basis: str) -> None:
        disease = {"peripheral-neuropathy": "listed"}
        for sign in ("weakness", "atrophy"):
            assert "known-neuromuscular-sign" in rows_of(patient(disease, {sign: basis}))
        assert "known-neuromuscular-sign" in rows_of(patient(disease, courses=["spreading"]))
        assert "known-neuromuscular-sign" not in rows_of(patient(disease, {"sensory-loss": basis}))

    @pytest.mark.parametrize("basis", LOOKED)
    def test_a_new_bulbar_sign_with_an_eyelid(self, basis: str) -> None:
        record = patient(bulbar=basis, sites=["eyelid"], onset_days_ago=20, recorded_days_ago=20)
        assert "bulbar" in rows_of(record)
        assert "eyelid-old-bulbar" not in rows_of(record)

    @pytest.mark.parametrize("basis", ["listed", "reported"])
    def test_an_old_bulbar_sign_with_an_eyelid(self, basis: str) -> None:
        given = {"bulbar": basis, "recorded_days_ago": 21}
        old = rows_of(patient(given, sites=["eyelid"], onset_days_ago=20))
        assert "eyelid-old-bulbar" in old
        assert "bulbar" not in old
        elsewhere = rows_of(patient(given, sites=["eyelid", "hand"], onset_days_ago=20))
        assert "bulbar" in elsewhere
        unknown = rows_of(patient(given, sites=["eyelid"]))
        assert "bulbar" in unknown
        seen = rows_of(patient({**given, "bulbar": "examined"}, sites=["eyelid"], onset_days_ago=20))
        assert "bulbar" in seen


class TestMedicinesBesideAnAbnormalElectrolyte:
    """electrolyte-drug: a current medicine that explains the value, whatever its start."""

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
        "other-statin",
    )
    ELECTROLYTES = ("sodium", "potassium", "calcium", "magnesium")

    def fires(
        self,
        drug_class: str,
        analyte: str,
        band: str = "out-of-range",
        *,
        current: bool = True,
        days: int = 0,
    ) -> bool:
        """Whether the row fires; the medicine began after the twitch."""
        record = replace(
            patient(),
            drugs=(drug(drug_class, "no", current=current),),
            results=(result(analyte, band, days),),
        )
        return "electrolyte-drug" in rows_of(record)

    @pytest.mark.parametrize("drug_class", ANY)
    def test_for_any_electrolyte(self, drug_class: str) -> None:
        for analyte in self.ELECTROLYTES:
            assert self.fires(drug_class, analyte)
            assert not self.fires(drug_class, analyte, "in-range")

    @pytest.mark.parametrize("drug_class", FOR_SODIUM)
    def test_for_sodium_alone(self, drug_class: str) -> None:
        assert self.fires(drug_class, "sodium")
        assert not any(self.fires(drug_class, analyte) for analyte in ("potassium", "calcium", "magnesium"))

    def test_an_acid_blocker_for_what_it_lowers(self) -> None:
        for analyte in ("magnesium", "calcium", "potassium"):
            assert self.fires("other-ppi", analyte, "low")
            assert not self.fires("other-ppi", analyte, "high")
        assert not self.fires("other-ppi", "sodium", "low")

    def test_lithium_for_high_calcium(self) -> None:
        assert self.fires("other-lithium", "calcium", "high")
        assert not self.fires("other-lithium", "calcium", "low")
        assert not self.fires("other-lithium", "potassium", "high")

    @pytest.mark.parametrize("drug_class", NEVER)
    def test_for_none(self, drug_class: str) -> None:
        assert not any(self.fires(drug_class, analyte) for analyte in self.ELECTROLYTES)

    @pytest.mark.parametrize("drug_class", ANY)
    def test_not_once_it_was_stopped_or_the_result_is_old(self, drug_class: str) -> None:
        assert not self.fires(drug_class, "sodium", current=False)
        assert self.fires(drug_class, "sodium", days=90)
        assert not self.fires(drug_class, "sodium", days=91)

    def test_not_without_a_medicine(self) -> None:
        record = replace(patient(), results=(result("sodium", "low"),))
        assert "electrolyte-drug" not in rows_of(record)


class TestLithium:
    @pytest.mark.parametrize("sign", ["coordination", "weakness", "bulbar"])
    @pytest.mark.parametrize("basis", BASES)
    def test_in_use_with_a_sign_of_poisoning(self, sign: str, basis: str) -> None:
        record = patient({"current": ["other-lithium"], sign: basis})
        assert "lithium-toxicity" in rows_of(record)
        assert urgency(record, "emergency-assessment") == "now"
        assert "lithium-toxicity" not in rows_of(patient({sign: basis}))
        assert "lithium-toxicity" not in rows_of(patient(current=["other-lithium"], atrophy=basis))
