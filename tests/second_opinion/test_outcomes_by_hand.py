"""Levels, removals and questions, each case written from sections 3 to 5 of the decision model."""

from __future__ import annotations

from typing import Any

import pytest

from tests.second_opinion.abstract import NORMAL, drug, finding, interval, order, patient, result, study
from tests.second_opinion.opinion import opinion

Plain = dict[str, Any]
WEAK = {"weakness": "examined", "atrophy": "absent", "sensory-loss": "absent"}
WEAK_AND_THIN = {"weakness": "examined", "atrophy": "examined", "sensory-loss": "absent"}
BLOOD = ("sodium", "potassium", "calcium", "magnesium")
REFERRAL = "neurology-referral"


def normal_blood(days: int, *more: str) -> list[Plain]:
    return [result(name, "in-range", days) for name in (*BLOOD, *more)]


def referral(priority: str | None, days: int = 3, **more: Any) -> Plain:
    return order([REFERRAL], days, priority, **more)


LEVELS: dict[str, tuple[Plain, str]] = {
    "persistent and normal": (patient(NORMAL, onset=20), "info"),
    "persistent, not examined": (patient(onset=20), "warning"),
    "persistent, a report is no examination": (
        patient({**NORMAL, "weakness": "absent-reported"}, onset=20),
        "warning",
    ),
    "an examination of 180 days ago": (
        patient({**NORMAL, "atrophy": finding("absent", 180)}, onset=200),
        "info",
    ),
    "two signs": (patient(WEAK_AND_THIN), "critical"),
    "two signs, referred urgently": (patient(WEAK_AND_THIN, orders=[referral("urgent")]), "warning"),
    "two signs, referred as routine": (patient(WEAK_AND_THIN, orders=[referral(None)]), "critical"),
    "two signs, referred a year ago": (patient(WEAK_AND_THIN, orders=[referral("stat", 366)]), "critical"),
    "two signs, seen since": (
        patient(
            {**WEAK_AND_THIN, "weakness": finding("examined", 60), "atrophy": finding("examined", 60)},
            studies=[study("neurology-consultation", 60)],
        ),
        "warning",
    ),
    "two signs, seen before": (
        patient(WEAK_AND_THIN, studies=[study("neurology-consultation", 1)]),
        "critical",
    ),
    "bulbar, seen before it": (
        patient({**NORMAL, "bulbar": "reported"}, studies=[study("neurology-consultation", 1)]),
        "critical",
    ),
    "for today, referred urgently": (
        patient({**WEAK, "orthopnea": "reported"}, orders=[referral("urgent")]),
        "critical",
    ),
    "for today, referred for today": (
        patient({**WEAK, "orthopnea": "reported"}, orders=[referral("asap")]),
        "warning",
    ),
    "for today, seen by neurology": (
        patient({**WEAK, "orthopnea": "reported"}, studies=[study("neurology-consultation", 0)]),
        "critical",
    ),
    "critical potassium": (patient(NORMAL, results=[result("potassium", "critical", 3)]), "critical"),
    "critical potassium, all repeated": (
        patient(NORMAL, results=[result("potassium", "critical", 3)], orders=[order(BLOOD, 3, "stat")]),
        "warning",
    ),
    "critical potassium, order from before": (
        patient(NORMAL, results=[result("potassium", "critical", 3)], orders=[order(BLOOD, 4, "stat")]),
        "critical",
    ),
    "critical potassium, urgent is not enough": (
        patient(NORMAL, results=[result("potassium", "critical", 3)], orders=[order(BLOOD, 3, "urgent")]),
        "critical",
    ),
    "critical lithium, all ordered": (
        patient(
            NORMAL,
            results=[result("lithium", "critical")],
            orders=[order([*BLOOD, "lithium", "creatinine", "egfr"], 0, "stat")],
        ),
        "critical",
    ),
    "kidney failure, not measured": (patient({**NORMAL, "kidney-failure": "listed"}), "warning"),
    "kidney failure, measured": (
        patient({**NORMAL, "kidney-failure": "listed"}, results=normal_blood(30)),
        "info",
    ),
}


@pytest.mark.parametrize(("made", "level"), LEVELS.values(), ids=LEVELS)
def test_level(made: Plain, level: str) -> None:
    assert opinion(made, questions=False)["level"] == level


def test_an_old_examination_is_none() -> None:
    """Not compared: the mapping leaves no such record."""
    made = patient({**NORMAL, "atrophy": finding("absent", 181)}, onset=200)
    assert opinion(made, questions=False)["level"] == "warning"


def recommended(made: Plain) -> dict[str, Plain]:
    return {one["id"]: one for one in opinion(made, questions=False)["recommendations"]}


def why(made: Plain, name: str) -> set[str]:
    return {one["why"] for one in opinion(made, questions=False)["withheld"] if one["id"] == name}


class TestDone:
    def test_blood_of_thirty_days_ago(self) -> None:
        made = patient({**NORMAL, "tingling": "reported"}, results=normal_blood(30))
        assert why(made, "electrolytes") == {"done"}
        made = patient({**NORMAL, "tingling": "reported"}, results=normal_blood(31))
        assert recommended(made)["electrolytes"]["analytes"] == list(BLOOD)

    def test_only_calm_rows_ask(self) -> None:
        def lasting(days: int) -> Plain:
            return patient(NORMAL, onset=100, results=normal_blood(days, "tsh"))

        assert why(lasting(100), "electrolytes") == {"done"}
        assert "electrolytes" in recommended(lasting(101))
        growing = patient(NORMAL, onset=100, courses=["worsening"], results=normal_blood(100, "tsh"))
        assert "electrolytes" in recommended(growing)

    def test_not_older_than_the_drug(self) -> None:
        for days, done in ((9, True), (10, True), (11, False)):
            taken = drug("loop-diuretic", start=interval(10, 10))
            made = patient(NORMAL, onset=5, drugs=[taken], results=normal_blood(days))
            assert ("electrolytes" not in recommended(made)) is done

    def test_for_today_only_of_yesterday(self) -> None:
        alarm = {**NORMAL, "alcohol-withdrawal": "listed"}
        assert "electrolytes" not in recommended(patient(alarm, results=normal_blood(1)))
        assert recommended(patient(alarm, results=normal_blood(2)))["electrolytes"]["urgency"] == "now"

    def test_a_result_that_cannot_be_judged_is_not_done(self) -> None:
        results = [*normal_blood(3)[1:], result("sodium", "not-judged", 3)]
        made = patient({**NORMAL, "tingling": "reported"}, results=results)
        assert recommended(made)["electrolytes"]["analytes"] == ["sodium"]

    def test_out_of_range_is_repeated_or_acted_on(self) -> None:
        results = [*normal_blood(3)[1:], result("sodium", "low", 3)]
        assert recommended(patient(NORMAL, results=results))["electrolytes"]["analytes"] == ["sodium"]
        made = recommended(patient(WEAK, results=[result("creatine-kinase", "high", 3)]))
        assert made["act-on-result"]["results"] == [("creatine-kinase", "Observation/creatine-kinase")]
        assert "creatine-kinase" not in made

    def test_a_study_before_the_sign(self) -> None:
        for days, done in ((60, True), (61, False)):
            signs = {**WEAK, "weakness": finding("examined", 60)}
            made = patient(signs, studies=[study("emg", days)])
            assert ("emg" not in recommended(made)) is done


class TestOrdered:
    def test_an_order_counts_for_its_days(self) -> None:
        for days, counts in ((90, True), (91, False)):
            made = patient({**NORMAL, "tingling": "reported"}, orders=[order(BLOOD, days)])
            assert ("electrolytes" not in recommended(made)) is counts

    def test_an_order_of_too_low_a_priority_is_named(self) -> None:
        low = referral("urgent")
        made = recommended(patient({**WEAK, "orthopnea": "reported"}, orders=[low]))
        assert made[REFERRAL]["too_low"] == low["reference"]
        assert made[REFERRAL]["urgency"] == "now"

    def test_a_draft_counts(self) -> None:
        draft = order([REFERRAL], None, "urgent", draft=True, status="draft")
        assert opinion(patient(WEAK_AND_THIN, orders=[draft]))["level"] == "warning"


class TestBeside:
    def test_thyroid_beside_now(self) -> None:
        assert "thyroid" in recommended(patient(WEAK))
        assert why(patient({**WEAK, "orthopnea": "reported"}), "thyroid") == {"beside-now"}

    def test_examination_beside_urgent(self) -> None:
        assert recommended(patient({"weakness": "examined"}))["ask-examination"]["findings"] == [
            "atrophy",
            "sensory-loss",
        ]
        urgent = patient({"weakness": "examined", "bulbar": "reported"})
        assert why(urgent, "ask-examination") == {"beside-urgent"}

    def test_child(self) -> None:
        made = patient(WEAK, age=15)
        assert why(made, "emg") == {"child"}
        assert recommended(made)[REFERRAL]["paediatric"]
        assert recommended(made)[REFERRAL]["urgency"] == "now"

    def test_re_examine_beside_a_referral(self) -> None:
        growing = patient(NORMAL, courses=["worsening"])
        assert recommended(growing)["re-examine"]["weeks"] == 4
        assert recommended(patient(NORMAL, age=70, courses=["spreading"]))["re-examine"]["weeks"] == 4
        referred = patient({**NORMAL, "rigidity": "examined"}, courses=["worsening"])
        assert why(referred, "re-examine") == {"beside-urgent"}


class TestQuestions:
    @staticmethod
    def asked(made: Plain) -> dict[str, bool]:
        return {one["id"]: one["on_card"] for one in opinion(made)["questions"]}

    def test_nothing_is_asked_of_a_poisoning(self) -> None:
        made = patient({"cholinergic-poisoning": "listed"})
        assert not any(self.asked(made).values())

    def test_at_most_three_on_a_card(self) -> None:
        asked = {name for name, shown in self.asked(patient(age=None)).items() if shown}
        # Since when, where and getting worse are one line.
        assert asked == {"examination", "onset", "site", "course"}
        weak = finding("examined", start=interval(40, 5))
        asked = {name for name, shown in self.asked(patient({**WEAK, "weakness": weak})).items() if shown}
        assert asked == {"bulbar", "weakness-start", "breathing"}

    def test_an_old_sign_is_asked_about_first(self) -> None:
        made = patient({"weakness": "examined", "coordination": "history"})
        assert self.asked(made)["coordination"]

    def test_bulbar_and_breathing_beside_a_referral_for_today(self) -> None:
        weak = finding("examined", start=interval(5, 5))
        made = opinion(patient({**WEAK, "weakness": weak}))["questions"]
        shown = {name for one in made if one["on_card"] for name in one["findings"]}
        assert {"bulbar", "breathing-difficulty", "orthopnea"} <= shown

    def test_the_range_spans_the_answers(self) -> None:
        assert opinion(patient(onset=20))["range"] == ["info", "critical"]
        assert opinion(patient(NORMAL, onset=5))["range"] == ["info", "critical"]
