"""Section 3: what is different in a child, and beside what self-care is never advised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.knowledge.patients import result
from tests.spec.outcomes import rows_of
from tests.spec.together import BASES, patient, urgency


class TestChildren:
    @pytest.mark.parametrize("basis", BASES)
    @pytest.mark.parametrize(
        "sign", ["atrophy", "sensory-loss", "coordination", "rigidity", "upper-motor-sign"]
    )
    def test_a_sign(self, sign: str, basis: str) -> None:
        assert {"child", "child-sign"} <= rows_of(patient({sign: basis}, age_years=15))
        assert "child-weakness" not in rows_of(patient({sign: basis}, age_years=15))
        assert not {"child", "child-sign"} & rows_of(patient({sign: basis}, age_years=16))

    @pytest.mark.parametrize("basis", BASES)
    @pytest.mark.parametrize("sign", ["weakness", "movement"])
    def test_weakness_and_difficulty_walking(self, sign: str, basis: str) -> None:
        record = patient({sign: basis}, age_years=15)
        assert "child-weakness" in rows_of(record)
        assert urgency(record, "neurology-referral") == "now"
        assert "child-weakness" not in rows_of(patient({sign: basis}, age_years=16))

    @pytest.mark.parametrize("basis", BASES)
    @pytest.mark.parametrize("tone", ["low-tone", "motor-regression"])
    def test_tone_of_a_small_child_or_beside_a_sign(self, tone: str, basis: str) -> None:
        given = {tone: basis}
        assert "child-tone" in rows_of(patient(given, age_years=4))
        assert "child-tone" not in rows_of(patient(given, age_years=5))
        assert "child-tone" in rows_of(patient(given, atrophy="reported", age_years=15))
        assert "child-tone" not in rows_of(patient(given, atrophy="reported", age_years=16))

    def test_hyperexcitability_counts_as_a_sign(self) -> None:
        pattern = {"courses": ["continuous"], "sites": ["hand", "calf"], "cramps": "reported"}
        assert "child-sign" in rows_of(patient(pattern, age_years=15))
        assert "child-sign" not in rows_of(patient(pattern, age_years=16))

    @pytest.mark.parametrize(
        "given",
        [
            {"tingling": "examined"},
            {"pain": "examined"},
            {"thyroid-disease": "listed"},
            {"multiple-sclerosis": "listed"},
            {"sites": ["hand", "calf"]},
            {"onset_days_ago": 400},
            {"drugs": {"thiazide-diuretic": "yes"}},
            {"results": {"potassium": "critical"}},
            {"orthopnea": "reported"},
            {"sites": ["tongue"]},
            {"courses": ["continuous"], "sites": ["hand", "calf"]},
            {"lumbosacral-radiculopathy": "listed", "sites": ["calf"]},
        ],
        ids=str,
    )
    def test_no_sign(self, given: dict[str, Any]) -> None:
        assert not {"child-sign", "child-weakness", "child-tone"} & rows_of(patient(given, age_years=15))


NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("sign", ["coordination", "movement", "upper-motor-sign", "rigidity"])
def test_self_care_holds_beside_no_sign(sign: str, basis: str) -> None:
    assert "self-care" not in rows_of(patient(NORMAL, {sign: basis}))
    assert "self-care" in rows_of(patient(NORMAL, {sign: "absent"}))


def test_self_care_holds_beside_no_abnormal_result_and_no_child() -> None:
    assert "self-care" in rows_of(patient(NORMAL))
    assert "self-care" not in rows_of(patient(NORMAL, age_years=15))
    for analyte in ("potassium", "tsh", "creatine-kinase"):
        abnormal = replace(patient(NORMAL), results=(result(analyte, "high"),))
        assert "self-care" not in rows_of(abnormal)
    assert "self-care" not in rows_of(patient(NORMAL, sites=["tongue"]))
