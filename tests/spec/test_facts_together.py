"""Section 3: rows that need more than one sign. Each operand is there, missing, or not of the right kind."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Days
from tests.knowledge.patients import days_ago
from tests.spec.outcomes import rows_of
from tests.spec.together import BASES, LOOKED, TOLD, WEAK, changed, patient, urgency, worse


@pytest.mark.parametrize("symptom", ["cramps", "stiffness"])
@pytest.mark.parametrize("basis", BASES)
def test_hyperexcitability_needs_all_three(symptom: str, basis: str) -> None:
    continuous, widespread = {"courses": ["continuous"]}, {"sites": ["hand", "calf"]}
    assert "hyperexcitability" in rows_of(patient(continuous, widespread, {symptom: basis}))
    assert "hyperexcitability" not in rows_of(patient(continuous, {symptom: basis}))
    assert "hyperexcitability" not in rows_of(patient(widespread, {symptom: basis}))
    assert "hyperexcitability" not in rows_of(patient(continuous, widespread))
    assert "hyperexcitability" not in rows_of(patient(continuous, widespread, pain=basis, tingling=basis))


class TestAtrophyPersistent:
    @pytest.mark.parametrize("basis", LOOKED)
    def test_with_any_of_three(self, basis: str) -> None:
        wasted = {"atrophy": basis}
        assert "atrophy-persistent" in rows_of(patient(wasted, onset_days_ago=15))
        assert "atrophy-persistent" not in rows_of(patient(wasted, onset_days_ago=14))
        assert "atrophy-persistent" in rows_of(patient(wasted, sites=["hand", "calf"]))
        assert "atrophy-persistent" in rows_of(patient(wasted, courses=["worsening"]))
        assert "atrophy-persistent" in rows_of(worse(patient(wasted), "atrophy"))
        assert "atrophy-persistent" not in rows_of(patient(wasted))

    def test_not_where_it_is_only_reported(self) -> None:
        assert "atrophy-persistent" not in rows_of(patient(atrophy="reported", onset_days_ago=15))


class TestBreathing:
    @pytest.mark.parametrize("symptom", ["breathing-difficulty", "orthopnea"])
    @pytest.mark.parametrize("basis", BASES)
    @pytest.mark.parametrize("sign", ["weakness", "atrophy", "bulbar"])
    def test_with_a_sign_on_any_basis(self, sign: str, basis: str, symptom: str) -> None:
        for told in BASES:
            record = patient({symptom: told, sign: basis})
            assert "respiratory" in rows_of(record)
            assert urgency(record, "neurology-referral") == "now"

    @pytest.mark.parametrize("symptom", ["breathing-difficulty", "orthopnea"])
    def test_with_a_tongue_that_twitches(self, symptom: str) -> None:
        assert "respiratory" in rows_of(patient({symptom: "reported"}, sites=["tongue"]))
        assert "respiratory" not in rows_of(patient({symptom: "reported"}, sites=["face"]))

    def test_a_sign_alone_or_another_is_not_enough(self) -> None:
        assert "respiratory" not in rows_of(patient(WEAK))
        for sign in ("sensory-loss", "coordination", "movement"):
            for symptom in ("breathing-difficulty", "orthopnea"):
                assert "respiratory" not in rows_of(patient({symptom: "examined", sign: "examined"}))

    @pytest.mark.parametrize("cause", ["heart-failure", "lung-disease"])
    @pytest.mark.parametrize("basis", BASES)
    def test_another_cause_needs_more(self, cause: str, basis: str) -> None:
        flat, row = {"orthopnea": "reported", cause: basis}, "respiratory-with-other-cause"
        for sign in ("weakness", "atrophy"):
            for said in BASES:
                found = rows_of(patient(flat, {sign: said}))
                assert "respiratory" not in found
                assert (row in found) is (said in LOOKED)
        for said in BASES:
            assert row in rows_of(patient(flat, bulbar=said))
        assert row not in rows_of(patient(flat))
        assert row not in rows_of(patient(WEAK, {cause: basis}))
        assert "respiratory" in rows_of(patient(TOLD, {"orthopnea": "reported", cause: "absent"}))

    def test_a_kidney_is_no_other_cause(self) -> None:
        record = patient(TOLD, {"orthopnea": "reported", "chronic-kidney-disease": "listed"})
        assert "respiratory" in rows_of(record)


class TestSuddenWidespreadWithBreathing:
    @pytest.mark.parametrize(
        ("days", "sites", "fires"),
        [
            (2, ["hand", "calf"], True),
            (0, ["hand", "calf"], True),
            (3, ["hand", "calf"], False),
            (2, ["hand"], False),
            (None, ["hand", "calf"], False),
        ],
    )
    def test_cholinergic(self, days: int | None, sites: list[str], fires: bool) -> None:
        given: dict[str, Any] = {"sites": sites} | ({} if days is None else {"onset_days_ago": days})
        record = patient(given, {"breathing-difficulty": "reported"})
        assert ("cholinergic" in rows_of(record)) is fires
        assert (urgency(record, "emergency-assessment") == "now") is fires
        assert "cholinergic" not in rows_of(patient(given))
        assert "cholinergic" not in rows_of(patient(given, orthopnea="reported"))


class TestRecentWeakness:
    """Even the earliest possible start is at most 28 days ago."""

    @pytest.mark.parametrize("basis", LOOKED)
    def test_by_the_onset_of_the_twitch(self, basis: str) -> None:
        weak = {"weakness": basis}
        assert "rapid-weakness" in rows_of(patient(weak, onset_days_ago=28))
        assert "rapid-weakness" not in rows_of(patient(weak, onset_days_ago=29))
        assert "rapid-weakness" not in rows_of(patient(weak))

    def test_by_its_own_start(self) -> None:
        old = patient(WEAK, onset_days_ago=200)
        for days, fires in ((28, True), (29, False)):
            started = changed(old, "weakness", start=Days(days_ago(days), days_ago(days)))
            assert ("rapid-weakness" in rows_of(started)) is fires
        # Between the two it is not known.
        between = changed(old, "weakness", start=Days(days_ago(40), days_ago(3)))
        assert "rapid-weakness" not in rows_of(between)

    def test_not_where_it_is_itself_settling(self) -> None:
        weak = patient(WEAK, onset_days_ago=20)
        settled = changed(weak, "weakness", worsening=False)
        assert "rapid-weakness" not in rows_of(settled)
        assert "rapid-weakness" in rows_of(worse(weak, "weakness"))
        # The twitch that is stable says nothing of the weakness.
        assert "rapid-weakness" in rows_of(patient(WEAK, onset_days_ago=20, courses=["stable"]))
        # Settled, and yet walking is difficult or something spreads.
        walking = changed(patient(WEAK, onset_days_ago=20, movement="reported"), "weakness", worsening=False)
        assert "rapid-weakness" in rows_of(walking)
        spreading = patient(WEAK, onset_days_ago=20, courses=["spreading"])
        assert "rapid-weakness" in rows_of(changed(spreading, "weakness", worsening=False))

    def test_where_it_is_only_reported(self) -> None:
        row = "rapid-weakness-reported"
        for more in ({"movement": "reported"}, {"courses": ["worsening"]}):
            record = patient(TOLD, more, onset_days_ago=28)
            assert row in rows_of(record)
            assert urgency(record, "ask-examination") == "now"
            assert row not in rows_of(patient(TOLD, more, onset_days_ago=29))
            assert row not in rows_of(patient(WEAK, more, onset_days_ago=28))
        assert row not in rows_of(patient(TOLD, onset_days_ago=28))

    def test_it_is_referred_the_same_day(self) -> None:
        record = patient(WEAK, onset_days_ago=28)
        assert urgency(record, "neurology-referral") == "now"
        assert urgency(record, "electrolytes") == "now"
        assert urgency(patient(WEAK, onset_days_ago=29), "neurology-referral") == "routine"


class TestGettingWorse:
    @pytest.mark.parametrize("basis", LOOKED)
    @pytest.mark.parametrize("course", ["worsening", "spreading"])
    def test_the_twitch(self, course: str, basis: str) -> None:
        record = patient({"weakness": basis}, onset_days_ago=29, courses=[course])
        assert {"progressing", "progressive-weakness"} <= rows_of(record)
        assert urgency(record, "neurology-referral") == "urgent"

    @pytest.mark.parametrize(
        "sign",
        [
            "weakness",
            "atrophy",
            "sensory-loss",
            "coordination",
            "movement",
            "upper-motor-sign",
            "rigidity",
        ],
    )
    def test_a_sign(self, sign: str) -> None:
        assert "progressing" in rows_of(worse(patient({sign: "examined"}), sign))
        assert "progressing" not in rows_of(patient({sign: "examined"}))
        assert "progressing" not in rows_of(changed(patient({sign: "examined"}), sign, worsening=False))

    def test_a_symptom_is_no_sign(self) -> None:
        assert "progressing" not in rows_of(worse(patient(pain="reported"), "pain"))

    @pytest.mark.parametrize("course", ["continuous", "stable", "intermittent"])
    def test_no_other_course(self, course: str) -> None:
        rows = rows_of(patient(WEAK, onset_days_ago=40, courses=[course]))
        assert not rows & {"progressing", "progressive-weakness"}

    @pytest.mark.parametrize("given", [TOLD, {"weakness": "absent"}, {}, {"atrophy": "examined"}], ids=str)
    def test_only_weakness_on_examination(self, given: dict[str, Any]) -> None:
        rows = rows_of(patient(given, onset_days_ago=20, courses=["worsening", "spreading"]))
        assert not rows & {"rapid-weakness", "progressive-weakness"}


class TestWeaknessAndWasting:
    @pytest.mark.parametrize("weakness", LOOKED)
    @pytest.mark.parametrize("atrophy", LOOKED)
    def test_both_examined_or_listed(self, weakness: str, atrophy: str) -> None:
        record = patient(weakness=weakness, atrophy=atrophy)
        assert "weakness-and-atrophy" in rows_of(record)
        assert urgency(record, "neurology-referral") == "urgent"

    @pytest.mark.parametrize(("weakness", "atrophy"), [("reported", "examined"), ("examined", "reported")])
    def test_not_where_one_is_reported(self, weakness: str, atrophy: str) -> None:
        assert "weakness-and-atrophy" not in rows_of(patient(weakness=weakness, atrophy=atrophy))

    def test_one_alone_is_not_both(self) -> None:
        for alone in (WEAK, {"atrophy": "examined"}):
            assert "weakness-and-atrophy" not in rows_of(patient(alone, courses=["worsening"]))


class TestUpperMotorSigns:
    @pytest.mark.parametrize("basis", LOOKED)
    def test_beside_weakness_or_wasting(self, basis: str) -> None:
        signs = {"upper-motor-sign": basis}
        row = "upper-motor-sign-and-weakness"
        for other in ("weakness", "atrophy"):
            for said in BASES:
                record = patient(signs, {other: said})
                assert row in rows_of(record)
                assert urgency(record, "neurology-referral") == "urgent"
        assert row not in rows_of(patient(signs))
        assert row not in rows_of(patient({"upper-motor-sign": "reported"}, WEAK))

    @pytest.mark.parametrize("disease", ["multiple-sclerosis", "central-lesion"])
    def test_a_lesion_that_explains_them(self, disease: str) -> None:
        rows = rows_of(patient(WEAK, {"upper-motor-sign": "examined", disease: "listed"}))
        assert "upper-motor-sign-and-weakness" not in rows
        assert ("upper-motor-sign-ms" in rows) is (disease == "multiple-sclerosis")
        assert ("upper-motor-sign" in rows) is (disease != "multiple-sclerosis")
