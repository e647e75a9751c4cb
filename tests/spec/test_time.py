"""Section 1, Time and Site: when it began, where it is, how it goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from fhir_mappings.record import Days, Twitch
from tests.spec.outcomes import rows_of
from tests.spec.records import DAY, KNOWLEDGE, as_of, bundle, code_of, concept, condition, observation, read

COURSE = "http://hl7.org/fhir/StructureDefinition/condition-diseaseCourse"


def twitch(*resources: dict[str, Any], **more: Any) -> Twitch:
    return read(*resources, **more).twitch


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("onset", "expected"),
    [
        ({"onsetDateTime": as_of(10)}, Days(ago(10), ago(10))),
        ({"onsetDateTime": as_of(10) + "T23:30:00-11:00"}, Days(ago(10), ago(10))),
        ({"onsetDateTime": "2026-10"}, Days(date(2026, 10, 1), date(2026, 10, 31))),
        ({"onsetDateTime": "2025"}, Days(date(2025, 1, 1), date(2025, 12, 31))),
        # a month that is not over cannot lie after the day it was recorded
        ({"onsetDateTime": "2026-11"}, Days(date(2026, 11, 1), DAY)),
        ({"onsetPeriod": {"start": as_of(20), "end": as_of(2)}}, Days(ago(20), ago(20))),
        ({"onsetString": "3 weeks"}, Days(ago(25), ago(17))),
        ({"onsetString": "about 10 days"}, Days(ago(11), ago(9))),
        ({"onsetString": "since the exams"}, Days(None, DAY)),
        ({}, Days(None, DAY)),
        ({"recordedDate": as_of(40)}, Days(None, ago(40))),
        ({"recordedDate": None}, Days()),
    ],
)
def test_the_onset(onset: dict[str, Any], expected: Days) -> None:
    assert twitch(condition("fasciculation", **onset)).onset == expected


def test_an_onset_at_an_age() -> None:
    made = condition("fasciculation", onsetAge={"value": 46, "code": "a"})
    onset = twitch(made, birth="1980-05-17").onset
    assert onset.earliest is not None
    assert onset.latest == DAY
    assert abs((onset.earliest - date(2026, 5, 17)).days) <= 1


def test_a_quantity_without_a_recorded_date_is_unknown_and_shown() -> None:
    found = twitch(condition("fasciculation", onsetString="3 weeks", recordedDate=None))
    assert found.onset == Days()
    assert found.onset_texts == ("3 weeks",)


@pytest.mark.parametrize(
    ("onset", "fires"),
    [
        (as_of(14), False),
        (as_of(15), True),
        # even the latest day must be more than 14 days ago
        ("2026-11", False),
        ("2026-10", True),
    ],
)
def test_persistent_needs_its_latest_day(onset: str, fires: bool) -> None:
    record = read(condition("fasciculation", onsetDateTime=onset, bodySite=["thigh"]))
    assert ("persistent" in rows_of(record)) is fires


def test_recorded_fifteen_days_ago_is_at_least_fifteen() -> None:
    record = read(condition("fasciculation", recordedDate=as_of(15), bodySite=["thigh"]))
    assert "persistent" in rows_of(record)


def test_of_several_records_the_earliest_onset_counts() -> None:
    found = twitch(
        condition("fasciculation", onsetDateTime=as_of(5)),
        condition("fasciculation", id="other", onsetDateTime=as_of(30)),
    )
    assert found.onset == Days(ago(30), ago(30))


def test_an_observed_twitch_is_proof_for_its_day_alone() -> None:
    found = twitch(observation("fasciculation", effectiveDateTime=as_of(20)))
    assert found.onset == Days(None, ago(20))
    period = twitch(
        observation("fasciculation", effectiveDateTime=None, effectivePeriod={"start": as_of(20)})
    )
    assert period.onset == Days(ago(20), ago(20))


def test_an_observation_does_not_close_an_active_condition() -> None:
    found = twitch(
        condition("fasciculation", recordedDate=as_of(5)), observation("fasciculation", valueBoolean=False)
    )
    assert found.status.value == "present"
    assert found.not_seen_lately


def test_a_refuted_or_resolved_twitch_is_none() -> None:
    assert twitch(condition("fasciculation", verification="refuted")).status.value == "absent"
    assert twitch(condition("fasciculation", clinical="resolved")).status.value == "unknown"


@pytest.mark.parametrize(
    ("sites", "regions"),
    [
        (["thigh"], {"legs"}),
        (["thigh", "calf"], {"legs"}),
        (["hand", "shoulder"], {"arms"}),
        (["hand", "calf"], {"arms", "legs"}),
        (["eyelid"], set()),
        (["eyelid", "hand"], {"arms"}),
        (["tongue"], {"tongue"}),
        (["face"], {"face"}),
        (["back", "abdomen", "chest"], {"trunk"}),
    ],
)
def test_sites_fold_to_regions(sites: list[str], regions: set[str]) -> None:
    assert twitch(condition("fasciculation", bodySite=sites)).regions == regions


def test_sites_of_all_records_are_taken_together() -> None:
    found = twitch(
        condition("fasciculation", bodySite=["hand"]),
        condition("fasciculation", id="other", bodySite=["calf"]),
    )
    assert found.regions == {"arms", "legs"}


def test_left_and_right_are_one_region() -> None:
    sides = [
        {
            **code_of("hand"),
            "coding": [*code_of("hand")["coding"], *concept("http://snomed.info/sct", side)["coding"]],
        }
        for side in ("7771000", "24028007")
    ]
    made = {**condition("fasciculation"), "bodySite": sides}
    found = twitch(made)
    assert found.regions == {"arms"}
    assert {site.side for site in found.sites} == {"left", "right"}


def test_generalized_is_widespread() -> None:
    record = read(condition("fasciculation", bodySite=["generalized"]))
    assert "widespread" in rows_of(record)


def test_a_site_that_is_not_understood_is_named() -> None:
    made = {**condition("fasciculation"), "bodySite": [{"text": "somewhere"}]}
    record = read(made)
    assert record.twitch.sites == ()
    assert [note.why for note in record.not_understood] == ["body site not understood"]


def with_course(code: str, **more: Any) -> dict[str, Any]:
    extension = {"url": COURSE, "valueCodeableConcept": concept("http://snomed.info/sct", code)}
    return condition("fasciculation", extension=[extension], **more)


@pytest.mark.parametrize(
    ("code", "course"),
    [
        ("230993007", "worsening"),
        ("255314001", "worsening"),
        ("58158008", "stable"),
        ("385633008", "improving"),
        ("255238004", "continuous"),
        ("7087005", "intermittent"),
        ("255227004", "recurrent"),
    ],
)
def test_the_course(code: str, course: str) -> None:
    assert twitch(with_course(code)).courses == {course}


def test_a_persistent_pattern_is_no_duration() -> None:
    # No named source has a code of it: a site may map its own.
    key = ("https://ehr.example.org/course", "persistent")
    mapped = replace(KNOWLEDGE.terminology, courses={**KNOWLEDGE.terminology.courses, key: "persistent"})
    made = with_course("persistent", bodySite=["thigh"])
    made["extension"][0]["valueCodeableConcept"]["coding"][0]["system"] = key[0]
    record = read(made, terminology=mapped)
    assert record.twitch.courses == {"persistent"}
    assert "persistent" not in rows_of(record)


def test_worsening_with_a_newer_region_is_spreading() -> None:
    first = with_course("230993007", bodySite=["hand"], recordedDate=as_of(20))
    later = condition("fasciculation", id="later", bodySite=["calf"], recordedDate=as_of(1))
    assert "spreading" in twitch(first, later).courses
    assert "spreading" not in twitch(with_course("230993007", bodySite=["hand"])).courses


@pytest.mark.parametrize("look_alike", ["59026006", "26079004", "13753008"])
def test_look_alikes_are_no_twitch(look_alike: str) -> None:
    made = {**condition("fasciculation"), "code": concept("http://snomed.info/sct", look_alike)}
    assert twitch(made).status.value == "unknown"


@pytest.mark.parametrize(
    ("birth", "child"),
    [
        ("2010-11-24", False),
        ("2010-11-25", True),
        ("2010", False),
        ("2009", False),
        ("2011", True),
        ("9999-12-31", True),
        ("9990", True),
        (None, False),
    ],
)
def test_a_child_is_younger_than_sixteen(birth: str | None, child: bool) -> None:
    record = read(condition("fasciculation"), birth=birth)
    assert ("child" in rows_of(record)) is child


def test_a_bundle_is_read_the_same_in_any_order() -> None:
    resources = [
        condition("fasciculation", bodySite=["hand"], onsetDateTime=as_of(30)),
        condition("fasciculation", id="b", bodySite=["calf"], onsetDateTime=as_of(10)),
        observation("weakness", valueBoolean=True),
        observation("weakness", id="w2", valueBoolean=False, effectiveDateTime=as_of(3)),
    ]
    assert bundle(*resources) != bundle(*reversed(resources))
    assert read(*resources) == read(*reversed(resources))
