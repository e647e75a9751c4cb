"""Section 1 of the decision model as truth tables: how a record of a finding is read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from fhir_mappings.record import Finding, Record, Status
from tests.spec.records import DAY, as_of, condition, observation, read

CODE = "weakness"


def finding(*resources: dict[str, Any]) -> Finding:
    return read(*resources).finding(CODE)


def said(*resources: dict[str, Any]) -> tuple[str, str | None]:
    found = finding(*resources)
    present = found.status.value != "unknown"
    return found.status.value, found.basis.value if found.basis and present else None


EXAMINED, LISTED, REPORTED = ("present", "examined"), ("present", "listed"), ("present", "reported")
ABSENT, REFUTED, UNKNOWN = ("absent", "examined"), ("absent", "listed"), ("unknown", None)


@pytest.mark.parametrize(
    ("clinical", "verification", "expected"),
    [
        # clinicalStatus and verificationStatus of a Condition
        ("active", "confirmed", LISTED),
        ("active", None, LISTED),
        (None, "confirmed", LISTED),
        (None, None, LISTED),
        ("recurrence", "confirmed", LISTED),
        ("relapse", "confirmed", LISTED),
        ("active", "provisional", REPORTED),
        ("active", "differential", REPORTED),
        ("active", "unconfirmed", REPORTED),
        ("active", "refuted", REFUTED),
        (None, "refuted", REFUTED),
        ("active", "entered-in-error", UNKNOWN),
        (None, "entered-in-error", UNKNOWN),
        ("inactive", "confirmed", UNKNOWN),
        ("remission", "confirmed", UNKNOWN),
        ("resolved", "confirmed", UNKNOWN),
    ],
)
def test_a_condition(
    clinical: str | None, verification: str | None, expected: tuple[str, str | None]
) -> None:
    assert said(condition(CODE, clinical=clinical, verification=verification)) == expected


@pytest.mark.parametrize(
    "chronic", ["chronic-kidney-disease", "motor-neuron-disease", "spinal-muscular-atrophy"]
)
@pytest.mark.parametrize(
    ("clinical", "status"), [("inactive", "present"), ("remission", "present"), ("resolved", "unknown")]
)
def test_chronic_diseases_do_not_end_by_remission(chronic: str, clinical: str, status: str) -> None:
    assert read(condition(chronic, clinical=clinical)).finding(chronic).status.value == status


@pytest.mark.parametrize(
    ("abatement", "expected"),
    [
        ({"abatementDateTime": as_of(0)}, UNKNOWN),
        ({"abatementDateTime": as_of(1)}, UNKNOWN),
        ({"abatementDateTime": as_of(-1)}, LISTED),
        # its latest possible day counts: this month is not over
        ({"abatementDateTime": DAY.strftime("%Y-%m")}, LISTED),
        ({"abatementDateTime": "2025"}, UNKNOWN),
        ({"abatementString": "last summer"}, UNKNOWN),
    ],
)
def test_an_abatement_makes_history(abatement: dict[str, Any], expected: tuple[str, str | None]) -> None:
    assert said(condition(CODE, **abatement)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueBoolean": True}, EXAMINED),
        ({"valueBoolean": False}, ABSENT),
        ({"valueCodeableConcept": ("http://snomed.info/sct", "52101004")}, EXAMINED),
        ({"valueCodeableConcept": ("http://snomed.info/sct", "2667000")}, ABSENT),
        ({"valueCodeableConcept": ("http://snomed.info/sct", "373066001")}, EXAMINED),
        ({"valueCodeableConcept": ("http://loinc.org", "LA33-6")}, EXAMINED),
        ({"valueCodeableConcept": ("http://loinc.org", "LA32-8")}, ABSENT),
        ({"valueCodeableConcept": ("http://example.org", "maybe")}, UNKNOWN),
        ({"valueString": "absent"}, ABSENT),
        ({"valueString": "a little"}, UNKNOWN),
        ({"valueQuantity": {"value": 4}}, UNKNOWN),
        # the code alone is the finding
        ({}, EXAMINED),
        (
            {"dataAbsentReason": ("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")},
            UNKNOWN,
        ),
        (
            {"interpretation": ("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "POS")},
            EXAMINED,
        ),
        (
            {"interpretation": ("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "NEG")},
            ABSENT,
        ),
    ],
)
def test_the_value_of_an_observation(value: dict[str, Any], expected: tuple[str, str | None]) -> None:
    assert said(observation(CODE, **value)) == expected


@pytest.mark.parametrize("value", [{"valueString": "a little"}, {"valueQuantity": {"value": 4}}])
def test_what_is_not_understood_is_named(value: dict[str, Any]) -> None:
    assert [note.reference for note in read(observation(CODE, **value)).not_understood] == [
        "Observation/weakness"
    ]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered"])
def test_an_observation_that_does_not_exist(status: str) -> None:
    assert said(observation(CODE, valueBoolean=True, status=status)) == UNKNOWN


@pytest.mark.parametrize(
    ("who", "basis"),
    [
        ({}, "examined"),
        ({"performer": [{"reference": "Practitioner/1"}]}, "examined"),
        ({"performer": [{"reference": "Patient/p"}]}, "reported"),
        ({"performer": [{"reference": "RelatedPerson/r"}]}, "reported"),
        ({"derivedFrom": [{"reference": "QuestionnaireResponse/q"}]}, "reported"),
        ({"category": "exam"}, "examined"),
        ({"category": "survey"}, "reported"),
        ({"category": "social-history"}, "reported"),
        ({"category": "functional-status"}, "reported"),
    ],
)
def test_examined_or_reported(who: dict[str, Any], basis: str) -> None:
    assert said(observation(CODE, valueBoolean=True, **who)) == ("present", basis)


def test_a_condition_asserted_by_the_patient_is_reported() -> None:
    assert said(condition(CODE, asserter={"reference": "Patient/p"})) == REPORTED


def exam(present: bool, days: int | None, name: str = "a", **more: Any) -> dict[str, Any]:
    day = {} if days is None else {"effectiveDateTime": as_of(days)}
    return observation(CODE, id=name, valueBoolean=present, **{"effectiveDateTime": None, **day}, **more)


def told(present: bool, days: int | None, name: str = "b") -> dict[str, Any]:
    return exam(present, days, name, category="survey")


def listed(days: int, name: str = "c", **more: Any) -> dict[str, Any]:
    return condition(CODE, id=name, recordedDate=as_of(days), **more)


CONFLICTS = [
    # newest examined wins
    ("examined absent is newer", [exam(True, 5), exam(False, 2, "b")], ABSENT),
    ("examined present is newer", [exam(False, 5), exam(True, 2, "b")], EXAMINED),
    # with none, the newest reported
    ("reported absent is newer", [told(True, 5, "a"), told(False, 2)], ("absent", "reported")),
    # a report of presence after the newest examined absence: look again
    ("reported present after examined absent", [exam(False, 5), told(True, 2)], REPORTED),
    ("reported present before examined absent", [exam(False, 2), told(True, 5)], ABSENT),
    ("reported absent after examined present", [exam(True, 5), told(False, 2)], EXAMINED),
    # on one day examined beats reported, then present beats absent
    ("same day, examined absent and reported present", [exam(False, 2), told(True, 2)], ABSENT),
    ("same day, both examined", [exam(False, 2), exam(True, 2, "b")], EXAMINED),
    ("undated is oldest", [exam(True, None), exam(False, 5, "b")], ABSENT),
    # listed counts as examined, but for its name
    ("listed is newer than examined absent", [exam(False, 5), listed(2)], LISTED),
    ("listed is older than examined absent", [exam(False, 2), listed(5)], ABSENT),
    ("refuted is newer than examined present", [exam(True, 5), listed(2, verification="refuted")], REFUTED),
    ("refuted is older than examined present", [exam(True, 2), listed(5, verification="refuted")], EXAMINED),
    ("reported present after refuted", [listed(5, verification="refuted"), told(True, 2)], REPORTED),
    ("reported present before refuted", [listed(2, verification="refuted"), told(True, 5)], REFUTED),
    ("reported absent after listed", [listed(5), told(False, 2)], LISTED),
    # on one day examined beats listed, and listed beats reported
    ("same day, examined absent and listed", [exam(False, 2), listed(2)], ABSENT),
    ("same day, examined present and refuted", [exam(True, 2), listed(2, verification="refuted")], EXAMINED),
    ("same day, listed and reported absent", [listed(2), told(False, 2)], LISTED),
    ("same day, refuted and reported present", [listed(2, verification="refuted"), told(True, 2)], REFUTED),
    ("same day, listed and refuted", [listed(2), listed(2, "d", verification="refuted")], LISTED),
    (
        "a listed entry that is not confirmed is a report",
        [exam(False, 5), listed(2, verification="provisional")],
        REPORTED,
    ),
]


@pytest.mark.parametrize(("records", "expected"), [c[1:] for c in CONFLICTS], ids=[c[0] for c in CONFLICTS])
def test_conflict(records: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    assert said(*records) == expected
    assert said(*reversed(records)) == expected
    found = finding(*records)
    assert found.conflict
    # Both records are shown, with date and basis, and which of them was used.
    assert {(e.status, e.used) for e in found.evidence} == {
        (Status.PRESENT, expected[0] == "present"),
        (Status.ABSENT, expected[0] == "absent"),
    }
    assert all(e.basis is not None for e in found.evidence)


def test_different_body_sites_do_not_conflict() -> None:
    hand = exam(True, 5, bodySite="hand")
    leg = exam(False, 2, "b", bodySite="thigh")
    assert said(hand, leg) == EXAMINED
    assert not finding(hand, leg).conflict
    assert said(hand, exam(False, 2, "b", bodySite="hand")) == ABSENT


@pytest.mark.parametrize(("days", "expected"), [(180, EXAMINED), (181, UNKNOWN)])
def test_an_observation_speaks_for_180_days(days: int, expected: tuple[str, str | None]) -> None:
    assert said(exam(True, days)) == expected


def test_a_period_speaks_from_its_end() -> None:
    period = {"start": as_of(400), "end": as_of(180)}
    assert (
        said(observation(CODE, valueBoolean=True, effectiveDateTime=None, effectivePeriod=period)) == EXAMINED
    )
    still = observation(
        CODE, valueBoolean=True, effectiveDateTime=None, effectivePeriod={"start": as_of(400)}
    )
    assert said(still) == EXAMINED
    assert finding(still).since.earliest == DAY - timedelta(days=400)


def test_an_old_absence_overrules_nothing() -> None:
    assert said(exam(True, 100), exam(False, 181, "b")) == EXAMINED


@pytest.mark.parametrize(("days", "expected"), [(1, EXAMINED), (2, UNKNOWN)])
def test_a_record_of_a_day_to_come(days: int, expected: tuple[str, str | None]) -> None:
    assert said(exam(True, -days)) == expected


@pytest.mark.parametrize(("days", "expected"), [(10, ABSENT), (11, UNKNOWN)])
def test_an_absence_from_before_the_onset_is_unknown(days: int, expected: tuple[str, str | None]) -> None:
    twitch = condition("fasciculation", onsetDateTime=as_of(10))
    assert said(twitch, exam(False, days)) == expected


def test_components_and_the_panel_around_them() -> None:
    panel = {
        "resourceType": "Observation",
        "id": "panel",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": as_of(0),
        "code": {"text": "neurological examination"},
        "component": [
            {"code": observation(CODE)["code"], "valueBoolean": True},
            {"code": observation("atrophy")["code"], "valueBoolean": False},
        ],
    }
    record: Record = read(panel)
    assert record.finding("weakness").status.value == "present"
    assert record.finding("atrophy").status.value == "absent"


def test_first_examined_is_the_earliest_examination() -> None:
    assert finding(exam(True, 50), exam(True, 2, "b")).first_examined == date.fromisoformat(as_of(50))
