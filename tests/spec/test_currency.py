"""Section 1, Currency: which records of a finding count today."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from fhir_mappings.record import Finding, Status
from fhir_mappings.terminology import FindingCode
from tests.spec.records import (
    DAY,
    KNOWLEDGE,
    ago,
    as_of,
    concept,
    condition,
    defined,
    exam,
    listed,
    observation,
    only,
    read,
    twitch,
)

# One of each kind of finding that may have gone.
MAY_HAVE_GONE = ("weakness", "pain", "sleep")


class TestListedSymptoms:
    """A Condition of a sign, symptom or trigger: 180 days before the onset, 730 before the decision."""

    @pytest.mark.parametrize("finding", MAY_HAVE_GONE)
    @pytest.mark.parametrize(
        ("onset", "recorded", "counts"),
        [
            # onset unknown: of the decision
            (None, 180, True),
            (None, 181, False),
            (None, 0, True),
            (None, 729, False),
            # onset known
            (10, 190, True),
            (10, 191, False),
            (10, 10, True),
            (10, 1, True),
            (550, 730, True),
            (550, 731, False),
            # never longer than 730 days, however long ago the twitch began
            (2000, 730, True),
            (2000, 731, False),
            (2000, 1999, False),
            # undated, it counts
            (None, None, True),
            (10, None, True),
        ],
    )
    def test_its_age(self, finding: str, onset: int | None, recorded: int | None, counts: bool) -> None:
        found = read(twitch(onset), listed(recorded, finding)).finding(finding)
        assert found.status is (Status.PRESENT if counts else Status.UNKNOWN)
        assert (only(found).used, only(found).history) == (counts, not counts)
        # The day stays, so that the question can name it.
        assert only(found).day == (None if recorded is None else ago(recorded))
        assert only(found).status is Status.PRESENT

    def test_of_an_imprecise_onset_the_earliest_day_counts(self) -> None:
        made = {**twitch(), "onsetDateTime": "2026"}
        earliest = date(2026, 1, 1)
        for days, counts in ((180, True), (181, False)):
            recorded = (earliest - timedelta(days=days)).isoformat()
            record = read(made, condition("weakness", recordedDate=recorded))
            assert (record.finding("weakness").status is Status.PRESENT) is counts

    def test_without_a_recorded_date_it_is_dated_by_its_onset(self) -> None:
        for days, status in ((180, Status.PRESENT), (181, Status.UNKNOWN)):
            found = read(twitch(), listed(None, onsetDateTime=as_of(days))).finding("weakness")
            assert found.status is status

    @pytest.mark.parametrize("diagnosis", ["diabetes", "multiple-sclerosis", "hypokalemia", "anxiety"])
    def test_a_diagnosis_does_not_age(self, diagnosis: str) -> None:
        found = read(twitch(10), listed(9000, diagnosis)).finding(diagnosis)
        assert (found.status, found.basis) == (Status.PRESENT, "listed")

    def test_the_twitch_does_not_age(self) -> None:
        assert read(twitch(recordedDate=as_of(9000))).twitch.status is Status.PRESENT

    @pytest.mark.parametrize("name", ["weakness", "fasciculation", "diabetes"])
    def test_every_observation_does(self, name: str) -> None:
        def status(days: int) -> Status:
            record = read(observation(name, valueBoolean=True, effectiveDateTime=as_of(days)))
            return record.twitch.status if name == "fasciculation" else record.finding(name).status

        assert (status(180), status(181)) == (Status.PRESENT, Status.UNKNOWN)

    def test_an_old_entry_overrules_nothing(self) -> None:
        record = read(twitch(10), exam(False, 1), listed(191))
        found = record.finding("weakness")
        assert (found.status, found.basis, found.conflict) == (Status.ABSENT, "examined", False)

    def test_that_a_reported_entry_ages_too(self) -> None:
        old = listed(191, verification="provisional")
        assert read(twitch(10), old).finding("weakness").status is Status.UNKNOWN


class TestAbsences:
    """An absence says nothing of a twitch that began later."""

    @pytest.mark.parametrize(
        ("made", "days", "absent"),
        [
            # an onset is stated
            (twitch(10), 10, True),
            (twitch(10), 11, False),
            (twitch(10), None, False),
            # of an imprecise one the earliest day
            ({**twitch(), "onsetDateTime": DAY.strftime("%Y-%m")}, 23, True),
            ({**twitch(), "onsetDateTime": DAY.strftime("%Y-%m")}, 24, False),
            # none is stated: 30 days before the first record of the twitch
            (twitch(recordedDate=as_of(5)), 35, True),
            (twitch(recordedDate=as_of(5)), 36, False),
            (twitch(recordedDate=as_of(5)), None, False),
            # no day at all
            (twitch(recordedDate=None), 180, True),
            (twitch(recordedDate=None), None, True),
        ],
    )
    def test_its_age(self, made: dict[str, Any], days: int | None, absent: bool) -> None:
        found = read(made, exam(False, days)).finding("weakness")
        assert found.status is (Status.ABSENT if absent else Status.UNKNOWN)
        assert only(found).history is not absent

    def test_of_several_records_of_the_twitch_the_first_counts(self) -> None:
        later = twitch(recordedDate=as_of(5))
        earlier = twitch(id="earlier", recordedDate=as_of(100))
        assert read(later, exam(False, 100)).finding("weakness").status is Status.UNKNOWN
        assert read(later, earlier, exam(False, 100)).finding("weakness").status is Status.ABSENT

    def test_a_twitch_that_ended_is_no_first_record(self) -> None:
        ended = twitch(id="ended", clinical="resolved", recordedDate=as_of(100))
        record = read(twitch(recordedDate=as_of(5)), ended, exam(False, 100))
        assert record.twitch.first_recorded == ago(5)
        assert record.finding("weakness").status is Status.UNKNOWN

    def test_a_refuted_diagnosis_is_dated_by_its_record_alone(self) -> None:
        refuted = listed(None, "diabetes", verification="refuted", onsetDateTime=as_of(1))
        assert read(twitch(10), refuted).finding("diabetes").status is Status.UNKNOWN
        dated = listed(1, "diabetes", verification="refuted", onsetDateTime=as_of(100))
        assert read(twitch(10), dated).finding("diabetes").status is Status.ABSENT


class TestAcuteStates:
    """They count for 7 days, from their onset, else from their record."""

    TERMS = defined("hypokalemia", acute=True)

    def found(self, **members: Any) -> Finding:
        made = condition("hypokalemia", **members)
        return read(twitch(), made, terminology=self.TERMS).finding("hypokalemia")

    @pytest.mark.parametrize(
        ("members", "counts", "day"),
        [
            ({"recordedDate": as_of(7)}, True, 7),
            ({"recordedDate": as_of(8)}, False, 8),
            ({"recordedDate": as_of(0), "onsetDateTime": as_of(7)}, True, 0),
            # its own beginning goes before its record, and dates what is over
            ({"recordedDate": as_of(0), "onsetDateTime": as_of(8)}, False, 8),
            ({"recordedDate": as_of(40), "onsetDateTime": as_of(5)}, True, 40),
            ({"recordedDate": None}, True, None),
            # the latest day of an imprecise one: this month is not over
            ({"recordedDate": as_of(0), "onsetDateTime": DAY.strftime("%Y-%m")}, True, 0),
            ({"recordedDate": as_of(0), "onsetDateTime": "2026-10"}, False, 24),
        ],
    )
    def test_its_age(self, members: dict[str, Any], counts: bool, day: int | None) -> None:
        found = self.found(**members)
        assert found.status is (Status.PRESENT if counts else Status.UNKNOWN)
        assert (only(found).history, only(found).status) == (not counts, Status.PRESENT)
        assert only(found).day == (None if day is None else ago(day))

    @pytest.mark.parametrize(
        "finding",
        [
            "guillain-barre",
            "cauda-equina",
            "cholinergic-poisoning",
            "lithium-poisoning",
            "alcohol-withdrawal",
        ],
    )
    def test_the_acute_states_of_the_knowledge_files(self, finding: str) -> None:
        for days, status in ((7, Status.PRESENT), (8, Status.UNKNOWN)):
            assert read(twitch(), listed(days, finding)).finding(finding).status is status

    def test_respiratory_failure_is_one_and_shortness_of_breath_is_none(self) -> None:
        failing = concept("http://hl7.org/fhir/sid/icd-10-cm", "J96.00")
        for days, status in ((7, Status.PRESENT), (8, Status.UNKNOWN)):
            made = listed(days, "breathing-difficulty", code=failing)
            assert read(twitch(), made).finding("breathing-difficulty").status is status
        breathless = listed(100, "breathing-difficulty")
        assert read(twitch(), breathless).finding("breathing-difficulty").status is Status.PRESENT

    def test_a_past_one_that_is_a_diagnosis_of_its_own(self) -> None:
        record = read(twitch(), listed(3000, "guillain-barre", clinical="resolved"))
        assert record.finding("guillain-barre").status is Status.UNKNOWN
        assert record.finding("guillain-barre-past").status is Status.PRESENT

    def test_an_observation_of_one(self) -> None:
        for days, status in ((7, Status.PRESENT), (8, Status.UNKNOWN)):
            made = observation("hypokalemia", valueBoolean=True, effectiveDateTime=as_of(days))
            assert read(made, terminology=self.TERMS).finding("hypokalemia").status is status

    def test_a_refuted_one_does_not_end_so_soon(self) -> None:
        assert self.found(recordedDate=as_of(8), verification="refuted").status is Status.ABSENT

    def test_one_code_of_a_finding_can_be_acute(self) -> None:
        (answer,) = listed(8, "breathing-difficulty")["code"]["coding"]
        key = answer["system"], answer["code"]
        terminology = KNOWLEDGE.terminology
        codes = {**terminology.finding_codes, key: (FindingCode("breathing-difficulty", acute=True),)}
        acute = replace(terminology, finding_codes=codes)
        for days, status in ((7, Status.PRESENT), (8, Status.UNKNOWN)):
            record = read(twitch(), listed(days, "breathing-difficulty"), terminology=acute)
            assert record.finding("breathing-difficulty").status is status


class TestFromHistory:
    """Some diagnoses are present from history too, unless refuted."""

    TERMS = defined("malabsorption", from_history=True)

    def found(self, *made: dict[str, Any], onset: int | None = 10) -> Finding:
        return read(twitch(onset), *made, terminology=self.TERMS).finding("malabsorption")

    @pytest.mark.parametrize(
        "finding",
        ["lung-disease", "central-lesion", "heart-failure", "multiple-sclerosis", "guillain-barre-past"],
    )
    def test_those_of_the_knowledge_files(self, finding: str) -> None:
        ended = listed(3000, finding, clinical="resolved")
        assert read(twitch(), ended).finding(finding).status is Status.PRESENT
        refuted = listed(3000, finding, verification="refuted")
        assert read(twitch(), refuted).finding(finding).status is Status.UNKNOWN

    @pytest.mark.parametrize("clinical", ["active", "inactive", "remission", "resolved"])
    @pytest.mark.parametrize("days", [1, 9000, None])
    def test_present_whatever_its_status_and_age(self, clinical: str, days: int | None) -> None:
        found = self.found(listed(days, "malabsorption", clinical=clinical))
        assert (found.status, found.basis) == (Status.PRESENT, "listed")
        assert (only(found).used, only(found).history) == (True, clinical != "active")

    def test_an_ended_one_without_the_member_is_history(self) -> None:
        record = read(twitch(), listed(1, "malabsorption", clinical="resolved"))
        assert record.finding("malabsorption").status is Status.UNKNOWN

    @pytest.mark.parametrize(
        ("recorded", "refuted", "status"),
        [
            (9, 5, Status.ABSENT),
            (5, 9, Status.PRESENT),
            # an old refutation is no absence today, and still refutes what is older
            (9000, 8000, Status.UNKNOWN),
            (8000, 9000, Status.PRESENT),
        ],
    )
    def test_unless_refuted_since(self, recorded: int, refuted: int, status: Status) -> None:
        ended = listed(recorded, "malabsorption", clinical="resolved")
        no = listed(refuted, "malabsorption", id="no", verification="refuted")
        assert self.found(ended, no).status is status

    def test_never_from_an_error(self) -> None:
        wrong = listed(5, "malabsorption", verification="entered-in-error")
        assert self.found(wrong).status is Status.UNKNOWN
