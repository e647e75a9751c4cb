"""Section 4: what a study or a visit to neurology settles, until a newer sign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Basis, Evidence, Record, Status, Study
from service.decision import Decision, decide
from tests.knowledge.patients import days_ago, finding, record_of_example
from tests.unit.removed import TABLE, of, patient, recommended


class TestStudies:
    @pytest.mark.parametrize(("days", "again"), [(180, False), (181, True)])
    def test_half_a_year(self, days: int, again: bool) -> None:
        weak = finding("weakness", "examined", first_examined=days_ago(300))
        record = replace(patient(), findings={"weakness": weak}, studies=(Study("emg", days_ago(days)),))
        assert ("emg" in recommended(record)) is again

    @pytest.mark.parametrize(("days", "again"), [(1, True), (0, False)])
    def test_again_where_the_sign_is_newer(self, days: int, again: bool) -> None:
        record = replace(patient(weakness="examined"), studies=(Study("emg", days_ago(days)),))
        assert ("emg" in recommended(record)) is again

    def test_again_where_the_newer_sign_is_now_only_reported(self) -> None:
        wasting = finding("atrophy", "reported", first_examined=days_ago(50))
        record = replace(patient(), findings={"atrophy": wasting}, studies=(Study("emg", days_ago(51)),))
        assert "emg" in recommended(record)

    def test_of_two_on_one_day_the_same_is_named_whatever_their_order(self) -> None:
        base = replace(patient(), findings={"coordination": finding("coordination", "examined")})
        studies = tuple(Study(name, days_ago(0), f"Procedure/{name}") for name in ("mri-brain", "mri-spine"))
        one, other = (
            of(decide(replace(base, studies=each), TABLE), "mri") for each in (studies, studies[::-1])
        )
        assert one == other
        assert one.why == "done"

    def test_an_undated_study_answers_nothing(self) -> None:
        weak = finding("weakness", "examined", first_examined=days_ago(300))
        record = replace(patient(), findings={"weakness": weak}, studies=(Study("emg"),))
        assert "emg" in recommended(record)


def visited(record: Record, days: int) -> Decision:
    return decide(replace(record, studies=(Study("neurology-consultation", days_ago(days), "x"),)), TABLE)


def weak_on(days: int, status: Status = Status.PRESENT, **more: Any) -> Evidence:
    """A record of an examination of strength."""
    basis, day = Basis.EXAMINED, days_ago(days)
    return Evidence(f"Observation/{days}", "Observation.value", "weak", status, basis, day, **more)


class TestSeenByNeurology:
    @pytest.mark.parametrize(("days", "seen"), [(180, True), (181, False)])
    def test_half_a_year_covers_a_routine_and_an_urgent_referral(self, days: int, seen: bool) -> None:
        for given in ({"weakness": "examined"}, {"bulbar": "examined"}):
            decision = visited(record_of_example({**given, "recorded_days_ago": 200}), days)
            assert ("neurology-referral" not in {r.id for r in decision.recommendations}) is seen
            if seen:
                assert of(decision, "neurology-referral").why == "seen"
                assert decision.level == "warning"

    def test_never_one_of_today(self) -> None:
        given = {"bulbar": "examined", "breathing-difficulty": "reported", "recorded_days_ago": 20}
        assert visited(record_of_example(given), 3).level == "critical"

    @pytest.mark.parametrize(("days", "again"), [(11, True), (10, False), (9, False)])
    def test_not_a_sign_that_was_recorded_after_it(self, days: int, again: bool) -> None:
        for basis in ("examined", "listed", "reported"):
            given = {"bulbar": basis, "recorded_days_ago": 10}
            found = {r.id for r in visited(record_of_example(given), days).recommendations}
            assert ("neurology-referral" in found) is again

    def test_a_sign_that_was_over_or_absent_in_between_is_a_new_one(self) -> None:
        """The safer reading of "first recorded": what is not there any more was another weakness."""
        old, new = weak_on(100), weak_on(3)
        ended = weak_on(100, history=True, used=False)
        absent = weak_on(50, status=Status.ABSENT, used=False)
        for evidence, again in (
            ((old, new), False),
            ((ended, new), True),
            ((old, absent, new), True),
        ):
            weak = finding("weakness", "examined", days_ago(3), evidence=evidence)
            decision = visited(replace(patient(), findings={"weakness": weak}), 30)
            assert ("neurology-referral" in {r.id for r in decision.recommendations}) is again

    @pytest.mark.parametrize(("days", "again"), [(11, True), (10, False)])
    def test_nor_a_tongue_that_was_first_seen_after_it(self, days: int, again: bool) -> None:
        """The tongue is a bulbar sign without a finding of its own: the twitch's first record counts."""
        base = patient(sites=["tongue"])
        record = replace(base, twitch=replace(base.twitch, first_recorded=days_ago(10)))
        assert (visited(record, days).level == "critical") is again

    def test_a_diagnosis_is_no_sign(self) -> None:
        given = {"neuromyotonia": "listed", "courses": ["worsening"]}
        found = {r.id for r in visited(record_of_example(given), 3).recommendations}
        assert "neurology-referral" not in found
