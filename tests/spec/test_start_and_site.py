"""Section 1, Start and Site: since when a finding is there, where it counts, and its own course."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

import pytest

from fhir_mappings.record import Days, Record, Status
from tests.spec.records import ago, as_of, condition, exam, listed, observation, only, read, twitch


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
