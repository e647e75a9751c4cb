"""Section 4: what is withheld from a child or beside something else; a review of medicines; self-care."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from fhir_mappings.record import Days, Drug, Plausible, Record
from service.decision import decide
from tests.knowledge.patients import days_ago, drug, finding, record_of_example, result
from tests.unit.removed import NORMAL, TABLE, made, of, patient, recommended, withheld


class TestChild:
    GIVEN: ClassVar = {"weakness": "examined", "coordination": "examined", "sensory-loss": "examined"}

    def test_tests_of_adults_are_withheld(self) -> None:
        decision = decide(record_of_example({**self.GIVEN, "age_years": 15}), TABLE)
        assert {w.id for w in decision.withheld if w.why == "child"} == {
            "emg", "ncs", "mri", "creatine-kinase", "vitamin-b12", "hba1c",
        }  # fmt: skip
        (referral,) = [r for r in decision.recommendations if r.id == "neurology-referral"]
        assert (referral.urgency, referral.paediatric) == ("now", True)
        adult = decide(record_of_example({**self.GIVEN, "age_years": 16}), TABLE)
        assert not [w for w in adult.withheld if w.why == "child"]

    def test_age_unknown_is_an_adult(self) -> None:
        record = record_of_example(self.GIVEN)
        decision = decide(replace(record, patient=replace(record.patient, born=Days())), TABLE)
        assert "emg" in {r.id for r in decision.recommendations}

    def test_self_care_is_not_for_a_child(self) -> None:
        assert "self-care" not in recommended(record_of_example({**NORMAL, "age_years": 15}))
        assert "self-care" in recommended(record_of_example({**NORMAL, "age_years": 16}))


class TestBeside:
    def test_thyroid_is_left_out_beside_an_action_of_today_only(self) -> None:
        now = decide(patient(onset_days_ago=5, weakness="examined"), TABLE)
        assert ("thyroid", "beside-now", ()) in withheld(now)
        urgent = patient(onset_days_ago=60, weakness="examined", atrophy="examined")
        start = Days(days_ago(60), days_ago(50))
        signs = {name: finding(name, "examined", start=start) for name in urgent.findings}
        urgent = replace(urgent, findings=signs)
        assert recommended(urgent)["neurology-referral"] == "urgent"
        assert "thyroid" in recommended(urgent)

    @pytest.mark.parametrize(
        ("given", "left_out"),
        [
            ({}, False),
            ({"coordination": "examined"}, False),
            ({"rigidity": "examined"}, False),
            ({"bulbar": "examined"}, True),
            ({"alcohol-withdrawal": "listed"}, True),
        ],
    )
    def test_a_routine_examination_is_left_out_beside_what_cannot_wait(
        self, given: dict[str, Any], left_out: bool
    ) -> None:
        record = record_of_example(given)
        assert ("ask-examination" not in recommended(record)) is left_out
        if left_out:
            assert of(decide(record, TABLE), "ask-examination").why == "beside-urgent"

    def test_an_examination_of_today_is_not(self) -> None:
        given = {"onset_days_ago": 5, "weakness": "reported", "courses": ["worsening"], "bulbar": "examined"}
        assert recommended(record_of_example(given))["ask-examination"] == "now"

    def test_one_examination_names_all_that_is_not_settled(self) -> None:
        given = {"weakness": "absent", "atrophy": "listed", "coordination": "reported"}
        found = made(record_of_example(given), "ask-examination")
        assert found is not None
        assert found.findings == ("atrophy", "sensory-loss", "coordination")

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({}, 13),
            ({"courses": ["worsening"]}, 4),
            ({"rigidity": "examined"}, None),
            ({"bulbar": "examined"}, None),
        ],
    )
    def test_a_re_examination_is_left_out_beside_a_referral_and_the_earlier_date_counts(
        self, more: dict[str, Any], expected: int | None
    ) -> None:
        found = made(
            record_of_example({**NORMAL, "age_years": 60, "onset_days_ago": 10, **more}), "re-examine"
        )
        assert (found.weeks if found else None) == expected


class TestReview:
    """A review names the medicines for which its rows fire, and no others."""

    @pytest.mark.parametrize(
        ("analyte", "band", "named"),
        [
            ("potassium", "high", ["loop-diuretic", "ramipril"]),
            ("potassium", "low", ["loop-diuretic", "other-ppi"]),
            ("sodium", "low", ["loop-diuretic", "ssri"]),
            ("calcium", "high", ["loop-diuretic", "other-lithium"]),
        ],
    )
    def test_for_an_electrolyte_those_that_can_explain_it(
        self, analyte: str, band: str, named: list[str]
    ) -> None:
        drugs = tuple(drug(name, "no") for name in ("loop-diuretic", "other-ppi", "ssri", "other-lithium"))
        drugs += (Drug("ramipril", plausible=Plausible.NO, raises_potassium=True),)
        drugs += (Drug("unheard of", plausible=Plausible.NO, raises_potassium=True, recognised=False),)
        found = made(
            replace(patient(), results=(result(analyte, band, 1),), drugs=drugs), "medication-review"
        )
        assert found is not None
        assert sorted(d.name for d in found.drugs) == sorted(named)

    def test_only_the_antidepressant_that_was_stopped(self) -> None:
        end = days_ago(15)
        stopped = replace(drug("ssri", "no", current=False, end=Days(end, end)), name="sertraline")
        started = replace(drug("ssri", "no"), name="citalopram")
        record = replace(patient(onset_days_ago=5), drugs=(stopped, started))
        found = made(record, "medication-review")
        assert found is not None
        assert [d.name for d in found.drugs] == ["sertraline"]


class TestSelfCare:
    @staticmethod
    def advice(record: Record) -> set[str]:
        return {advice.id for advice in decide(record, TABLE).self_care}

    @pytest.mark.parametrize("sign", TABLE.signs)
    @pytest.mark.parametrize("basis", ["examined", "listed", "reported"])
    def test_never_beside_a_sign(self, sign: str, basis: str) -> None:
        given = {**NORMAL, "caffeine": "reported"}
        assert self.advice(record_of_example(given)) == {"caffeine"}
        assert self.advice(record_of_example({**given, sign: basis})) == set()

    def test_only_beside_a_normal_examination_or_an_eyelid_alone(self) -> None:
        assert self.advice(patient(caffeine="reported")) == set()
        assert self.advice(patient(caffeine="reported", sites=["eyelid"])) == {"caffeine"}
        for sign in NORMAL:
            left = {**NORMAL, sign: "absent-not-examined", "caffeine": "reported"}
            assert self.advice(record_of_example(left)) == set()

    def test_never_above_info(self) -> None:
        assert self.advice(record_of_example({**NORMAL, "sites": ["tongue"]})) == set()
        assert self.advice(record_of_example({**NORMAL, "courses": ["worsening"]})) == set()

    def test_of_the_triggers_that_are_recorded_else_the_usual(self) -> None:
        assert self.advice(record_of_example({**NORMAL, "caffeine": "reported", "sleep": "reported"})) == {
            "caffeine",
            "sleep",
        }
        assert self.advice(record_of_example(NORMAL)) == {"usual"}

    @pytest.mark.parametrize("condition", ["heart-failure", "chronic-kidney-disease"])
    def test_no_fluids_and_no_electrolyte_drink(self, condition: str) -> None:
        given = {**NORMAL, "dehydration": "reported"}
        assert self.advice(record_of_example(given)) == {"fluids", "electrolyte-drink"}
        assert self.advice(record_of_example({**given, condition: "listed"})) == {"usual"}

    def test_no_electrolyte_drink_with_a_medicine_that_raises_potassium(self) -> None:
        record = record_of_example({**NORMAL, "dehydration": "reported"})
        sparing = drug("potassium-sparing-diuretic", "no")
        assert self.advice(replace(record, drugs=(sparing,))) == {"fluids"}
        for recognised in (True, False):
            pril = drug("other", "no", raises_potassium=True, recognised=recognised)
            assert self.advice(replace(record, drugs=(pril,))) == {"fluids"}
