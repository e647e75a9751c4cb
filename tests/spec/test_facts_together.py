"""Section 3: rows that need more than one thing. Each operand is there, missing, or not of the right kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Days, Record
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.spec.outcomes import exactly, outcome_of, rows_of

WEAK = {"weakness": "examined"}
TOLD = {"weakness": "reported"}
LOOKED = ("examined", "listed")
BASES = (*LOOKED, "reported")


def patient(*parts: dict[str, Any], **given: Any) -> Record:
    return record_of_example({name: said for part in (*parts, given) for name, said in part.items()})


def changed(record: Record, sign: str, **members: Any) -> Record:
    """The same, with other members of that finding."""
    found = replace(record.findings[sign], **members)
    return replace(record, findings={**record.findings, sign: found})


def worse(record: Record, *signs: str) -> Record:
    """The same, with a course of its own for each of those signs: worsening."""
    for sign in signs:
        record = changed(record, sign, worsening=True)
    return record


def urgency(record: Record, action: str) -> str | None:
    """How urgent that action is, if it is recommended."""
    return next((r.urgency for r in outcome_of(record).recommendations if r.id == action), None)


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
