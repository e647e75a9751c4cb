"""Section 1, Currency, Start and Site: which records of a finding count today, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar

import pytest

from fhir_mappings.record import Days, Evidence, Finding, Record, Status
from fhir_mappings.terminology import FindingCode
from tests.spec.records import DAY, KNOWLEDGE, as_of, concept, condition, defined, observation, read

# One of each kind of finding that may have gone.
MAY_HAVE_GONE = ("weakness", "pain", "sleep")


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def twitch(onset: int | None = None, **more: Any) -> dict[str, Any]:
    return condition("fasciculation", **({} if onset is None else {"onsetDateTime": as_of(onset)}), **more)


def exam(present: bool, days: int | None, name: str = "exam", **more: Any) -> dict[str, Any]:
    return observation(
        "weakness",
        id=name,
        valueBoolean=present,
        effectiveDateTime=None if days is None else as_of(days),
        **more,
    )


def listed(days: int | None, finding: str = "weakness", **more: Any) -> dict[str, Any]:
    return condition(finding, recordedDate=None if days is None else as_of(days), **more)


def only(finding: Finding) -> Evidence:
    (evidence,) = finding.evidence
    return evidence


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


class TestStart:
    """When a finding began, as far as the records tell."""

    @pytest.mark.parametrize(
        ("made", "expected"),
        [
            # its own onset
            ([twitch(50), listed(3, onsetDateTime=as_of(20))], Days(ago(20), ago(20))),
            ([twitch(50), listed(3, onsetDateTime="2026-11")], Days(date(2026, 11, 1), ago(3))),
            # recorded after the twitch began: between the two
            ([twitch(50), exam(True, 3)], Days(ago(50), ago(3))),
            ([twitch(50), exam(True, 50)], Days(ago(50), ago(50))),
            ([twitch(50), exam(True, 3), listed(9)], Days(ago(50), ago(9))),
            # recorded before: not later than that
            ([twitch(50), exam(True, 51)], Days(None, ago(51))),
            ([twitch(), exam(True, 3)], Days(None, ago(3))),
            ([twitch(50), exam(True, None)], Days()),
            # an undated record may be the first
            ([twitch(50), exam(True, 3), exam(True, None, "b")], Days(None, ago(3))),
            # what is only too old was there all the same, and what had ended was not
            ([twitch(50), exam(True, 3), exam(True, 200, "b")], Days(None, ago(200))),
            ([twitch(50), exam(True, 3), listed(200, clinical="resolved")], Days(ago(50), ago(3))),
            # an absence on examination: after it
            ([twitch(50), exam(True, 3), exam(False, 20, "b")], Days(ago(19), ago(3))),
            ([twitch(), exam(True, 3), exam(False, 20, "b")], Days(ago(19), ago(3))),
            ([twitch(10), exam(True, 3), exam(False, 20, "b")], Days(ago(10), ago(3))),
            ([twitch(50), exam(True, 3), exam(False, 20, "b"), listed(40)], Days(ago(19), ago(3))),
            ([twitch(50), listed(3, onsetDateTime=as_of(40)), exam(False, 20)], Days(ago(19), ago(3))),
            ([twitch(50), listed(3, onsetDateTime=as_of(15)), exam(False, 20)], Days(ago(15), ago(15))),
            # one that nobody examined moves nothing
            (
                [twitch(50), exam(True, 3), exam(False, 20, "b", category="survey")],
                Days(ago(50), ago(3)),
            ),
            ([twitch(50), exam(True, 3), listed(20, verification="refuted")], Days(ago(50), ago(3))),
            # nor does one elsewhere on the body
            (
                [twitch(50), exam(True, 3, bodySite="hand"), exam(False, 20, "b", bodySite="thigh")],
                Days(ago(50), ago(3)),
            ),
            (
                [twitch(50), exam(True, 3, bodySite="hand"), exam(False, 20, "b", bodySite="hand")],
                Days(ago(19), ago(3)),
            ),
            # recorded before it is said to have begun
            ([twitch(50), listed(9, onsetDateTime=as_of(5))], Days(None, ago(9))),
            # a report is a record too
            ([twitch(50), exam(True, 3), exam(True, 9, "b", category="survey")], Days(ago(50), ago(9))),
            # not present: no start
            ([twitch(50), exam(False, 3)], Days()),
        ],
    )
    def test_start(self, made: list[dict[str, Any]], expected: Days) -> None:
        found = read(*made).finding("weakness")
        assert found.start == expected
        assert read(*reversed(made)).finding("weakness") == found

    def test_first_examined_is_after_the_last_absence(self) -> None:
        found = read(twitch(150), exam(True, 100), exam(False, 50, "b"), exam(True, 3, "c")).finding(
            "weakness"
        )
        assert found.first_examined == ago(3)

    def test_an_entry_of_the_problem_list_counts_as_examined(self) -> None:
        assert read(twitch(150), listed(30), exam(True, 3)).finding("weakness").first_examined == ago(30)
        reported = exam(True, 40, "told", category="survey")
        assert read(twitch(150), reported, exam(True, 3)).finding("weakness").first_examined == ago(3)


class TestNearTheTwitch:
    """Pain and cramps count only in a region of the twitch."""

    @pytest.mark.parametrize("finding", ["pain", "cramps"])
    @pytest.mark.parametrize(
        ("sites", "own", "counts"),
        [
            (["calf"], "thigh", True),
            (["calf"], "hand", False),
            (["calf"], "generalized", True),
            (["calf"], None, True),
            (None, "hand", True),
            (["generalized"], "hand", True),
            (["calf", "generalized"], "hand", True),
            (["calf", "hand"], "forearm", True),
            (["eyelid"], "hand", False),
            (["eyelid"], "eyelid", True),
            (["eyelid"], None, True),
            (["shoulder"], "hand", True),
            (["neck"], "back", True),
            (["chest"], "abdomen", True),
            (["hip"], "foot", True),
            (["neck"], "shoulder", False),
            (["back"], "hip", False),
        ],
    )
    def test_by_region(self, finding: str, sites: list[str] | None, own: str | None, counts: bool) -> None:
        record = read(
            twitch(**({} if sites is None else {"bodySite": sites})),
            listed(1, finding, **({} if own is None else {"bodySite": [own]})),
        )
        found = record.finding(finding)
        assert found.status is (Status.PRESENT if counts else Status.UNKNOWN)
        assert only(found).used is counts
        assert not only(found).history

    def test_the_place_that_the_code_names(self) -> None:
        calf = {"coding": [{"system": "http://snomed.info/sct", "code": "300954003"}]}
        for site, counts in (("thigh", True), ("hand", False)):
            record = read(twitch(bodySite=[site]), {**listed(1, "pain"), "code": calf})
            assert (record.finding("pain").status is Status.PRESENT) is counts

    def test_one_place_of_several_is_enough(self) -> None:
        record = read(twitch(bodySite=["calf"]), listed(1, "pain", bodySite=["hand", "foot"]))
        assert record.finding("pain").status is Status.PRESENT

    def test_no_other_finding_depends_on_its_place(self) -> None:
        record = read(twitch(bodySite=["calf"]), listed(1, "weakness", bodySite=["hand"]))
        assert record.finding("weakness").status is Status.PRESENT


class TestCourse:
    """A finding has its own course, never another's."""

    WORSE: ClassVar[dict[str, Any]] = {"coding": [{"system": "http://snomed.info/sct", "code": "230993007"}]}
    STABLE: ClassVar[dict[str, Any]] = {"coding": [{"system": "http://snomed.info/sct", "code": "58158008"}]}
    EXTENSION = "http://hl7.org/fhir/StructureDefinition/condition-diseaseCourse"

    def with_course(self, course: dict[str, Any], finding: str) -> dict[str, Any]:
        return listed(1, finding, extension=[{"url": self.EXTENSION, "valueCodeableConcept": course}])

    @pytest.mark.parametrize(("course", "worsening"), [(WORSE, True), (STABLE, False)])
    def test_of_a_finding(self, course: dict[str, Any], worsening: bool) -> None:
        record = read(twitch(), self.with_course(course, "weakness"), listed(1, "atrophy"))
        assert record.finding("weakness").worsening is worsening
        assert record.finding("atrophy").worsening is None
        assert record.twitch.courses == frozenset()

    def test_of_the_twitch(self) -> None:
        record = read(self.with_course(self.WORSE, "fasciculation"), listed(1, "weakness"))
        assert record.finding("weakness").worsening is None
        assert record.twitch.courses == {"worsening"}

    def test_of_no_finding_is_of_the_twitch_alone(self) -> None:
        loose = observation(
            "weakness", id="loose", code={"text": "Course of symptoms"}, valueCodeableConcept=self.WORSE
        )
        loose["component"] = [{"code": {"text": "course"}, "valueCodeableConcept": self.WORSE}]
        record: Record = read(twitch(), listed(1, "weakness"), loose)
        assert record.twitch.courses == {"worsening"}
        assert record.finding("weakness").worsening is None

    def test_of_a_disease_that_is_absent_is_none(self) -> None:
        refuted = {
            **self.with_course(self.WORSE, "weakness"),
            **condition("weakness", verification="refuted"),
        }
        assert read(twitch(), refuted).finding("weakness").worsening is None
