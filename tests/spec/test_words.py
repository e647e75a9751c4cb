"""Section 2: a twitch that is recorded in words alone opens the gate as reported, and is named."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Days, Record, Status
from fhir_mappings.to_findings.statuses import IN_WORDS
from tests.spec.records import DAY, as_of, concept, condition, observation, read

LOCAL = {"system": "https://ehr.example.org/codes", "code": "T7"}
NAMES: list[dict[str, Any]] = [
    {"text": "Muscle  TWITCHING"},
    {"coding": [LOCAL], "text": "fasciculations"},
    {"coding": [{**LOCAL, "display": "Myokymia"}]},
]
NO_NAMES: list[dict[str, Any]] = [
    {"text": "no twitching"},
    {"text": "muscle twitching of the calf"},
    {"coding": [LOCAL]},
    # A value set knows the code: it means what it means.
    {**condition("weakness")["code"], "text": "twitching"},
    {"coding": [{"system": "http://snomed.info/sct", "code": "26079004"}], "text": "twitching"},
]


def told(code: dict[str, Any] = NAMES[0], **members: Any) -> dict[str, Any]:
    return condition("fasciculation", code=code, id="told", **members)


def observed(code: dict[str, Any] = NAMES[0], **members: Any) -> dict[str, Any]:
    return observation("fasciculation", code=code, id="observed", **members)


def notes(record: Record) -> list[tuple[str, str | None]]:
    return [(note.why, note.expression) for note in record.not_understood]


@pytest.mark.parametrize("code", NAMES, ids=str)
def test_a_condition(code: dict[str, Any]) -> None:
    record = read(told(code, onsetDateTime=as_of(9), bodySite=["calf"]))
    assert (record.twitch.status, record.twitch.in_words) == (Status.PRESENT, True)
    assert record.twitch.onset.latest is not None
    assert record.twitch.regions == {"legs"}
    assert [evidence.basis for evidence in record.twitch.evidence] == ["reported"]
    assert notes(record) == [(IN_WORDS, "Condition.code")]
    assert record.unread == ()


@pytest.mark.parametrize("code", NAMES, ids=str)
@pytest.mark.parametrize(
    "value",
    [{}, {"valueBoolean": True}, {"valueString": "present"}, {"valueCodeableConcept": {"text": "yes"}}],
    ids=str,
)
def test_an_observation(code: dict[str, Any], value: dict[str, Any]) -> None:
    record = read(observed(code, **value))
    assert (record.twitch.status, record.twitch.in_words) == (Status.PRESENT, True)
    assert [evidence.basis for evidence in record.twitch.evidence] == ["reported"]
    assert notes(record) == [(IN_WORDS, "Observation.code")]
    assert record.unread == ()


@pytest.mark.parametrize("code", NO_NAMES, ids=str)
def test_other_words_are_none(code: dict[str, Any]) -> None:
    for made in (told(code), observed(code)):
        record = read(made)
        assert record.twitch.evidence == ()
        assert (record.unread, record.not_understood) == ((), ())


def test_a_result_is_none_whatever_its_text() -> None:
    potassium = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": "twitching"}
    assert read(observed(potassium)).twitch.evidence == ()


@pytest.mark.parametrize("value", [{"valueBoolean": False}, {"valueString": "absent"}], ids=str)
def test_an_absent_value_opens_nothing_and_closes_nothing(value: dict[str, Any]) -> None:
    alone = read(observed(**value))
    assert alone.twitch.status is Status.UNKNOWN
    assert (alone.unread, alone.not_understood) == ((), ())
    beside = read(condition("fasciculation", recordedDate=as_of(3)), observed(**value))
    assert (beside.twitch.status, beside.twitch.in_words) == (Status.PRESENT, False)
    seen = read(observation("fasciculation", effectiveDateTime=as_of(3)), observed(**value))
    assert seen.twitch.status is Status.PRESENT


@pytest.mark.parametrize(
    "value",
    [{"valueString": "some, at night"}, {"valueQuantity": {"value": 3}}, {"valuePeriod": {}}],
    ids=str,
)
def test_a_value_that_is_not_understood_keeps_the_gate_closed(value: dict[str, Any]) -> None:
    record = read(observed(**value))
    assert record.twitch.status is Status.UNKNOWN
    assert {note.why for note in record.unread} == {IN_WORDS, "its value is not understood"}
    named = {(note.reference, note.why, note.expression) for note in record.not_understood}
    assert {(note.reference, note.why, note.expression) for note in record.unread} == named
    assert all(note.in_words for note in record.unread)


def test_a_value_that_is_missing_is_named_and_refuses_nothing() -> None:
    record = read(observed(dataAbsentReason={"text": "not asked"}))
    assert record.twitch.status is Status.UNKNOWN
    assert record.unread == ()
    assert notes(record) == [("its value is recorded as missing", "Observation.value")]


@pytest.mark.parametrize(
    ("clinical", "verification", "present"),
    [
        ("active", "confirmed", True),
        ("active", "provisional", True),
        (None, None, True),
        ("resolved", "confirmed", False),
        ("active", "refuted", False),
    ],
)
def test_its_statuses(clinical: str | None, verification: str | None, present: bool) -> None:
    record = read(told(clinical=clinical, verification=verification))
    assert record.twitch.status is (Status.PRESENT if present else Status.UNKNOWN)
    assert record.unread == ()
    assert notes(record) == [(IN_WORDS, "Condition.code")]


@pytest.mark.parametrize("member", ["clinicalStatus", "verificationStatus"])
def test_a_status_that_is_not_recognised_keeps_the_gate_closed(member: str) -> None:
    record = read({**told(), member: {"text": "whatever"}})
    assert record.twitch.status is Status.UNKNOWN
    assert IN_WORDS in {note.why for note in record.unread}


def test_an_error_and_another_day_are_nothing() -> None:
    assert read(told(verification="entered-in-error")).not_understood == ()
    assert read(observed(status="entered-in-error")).not_understood == ()
    later = read(told(recordedDate=as_of(-2)))
    assert (later.twitch.evidence, later.not_understood) == ((), ())
    assert [note.reference for note in later.not_used] == ["Condition/told"]


def test_an_old_observation_is_history() -> None:
    for days, status in ((180, Status.PRESENT), (181, Status.UNKNOWN)):
        assert read(observed(effectiveDateTime=as_of(days))).twitch.status is status


def test_a_part_of_an_observation() -> None:
    panel = observed(
        {"text": "Neurological examination"}, component=[{"code": NAMES[0], "valueBoolean": True}]
    )
    record = read(panel)
    assert (record.twitch.status, record.twitch.in_words) == (Status.PRESENT, True)
    assert notes(record) == [(IN_WORDS, "Observation.component[0].code")]
    panel["component"][0]["valueBoolean"] = False
    assert read(panel).twitch.status is Status.UNKNOWN


def test_beside_a_code_it_is_not_in_words() -> None:
    coded = condition("fasciculation", onsetDateTime=as_of(5))
    record = read(coded, told(onsetDateTime=as_of(20)))
    assert (record.twitch.status, record.twitch.in_words) == (Status.PRESENT, False)
    assert record.twitch.onset == Days(*[DAY.fromisoformat(as_of(20))] * 2)
    assert notes(record) == [(IN_WORDS, "Condition.code")]


def test_words_are_a_report_beside_a_refuted_code() -> None:
    refuted = condition("fasciculation", verification="refuted", recordedDate=as_of(5))
    assert read(refuted, told(recordedDate=as_of(4))).twitch.in_words
    assert read(refuted, told(recordedDate=as_of(6))).twitch.status is Status.ABSENT


def test_words_make_nothing_absent() -> None:
    coded = condition("fasciculation", recordedDate=as_of(5))
    assert read(coded, told(verification="refuted")).twitch.status is Status.PRESENT


MODIFIED = [{"url": "https://ehr.example.org/not", "valueBoolean": True}]


class TestWhatChangesTheMeaning:
    """An extension that changes the meaning, or one where the value would be, makes nothing present."""

    @pytest.mark.parametrize(("verification", "valued"), [("confirmed", True), ("refuted", False)])
    def test_a_condition(self, verification: str, valued: bool) -> None:
        made = condition("weakness", verification=verification, modifierExtension=MODIFIED)
        record = read(made)
        assert record.finding("weakness").status is Status.UNKNOWN
        assert [note.expression for note in record.not_understood] == ["Condition.modifierExtension"]
        made = observation("weakness", valueBoolean=valued, modifierExtension=MODIFIED)
        record = read(made)
        assert record.finding("weakness").status is Status.UNKNOWN
        assert len(record.not_understood) == 1

    def test_a_diagnosis_is_suspected(self) -> None:
        found = read(condition("diabetes", modifierExtension=MODIFIED)).finding("diabetes")
        assert (found.status, found.basis, found.suspected) == (Status.PRESENT, "reported", True)

    def test_a_twitch_is_neither_there_nor_not(self) -> None:
        for made in (
            condition("fasciculation", modifierExtension=MODIFIED),
            observation("fasciculation", valueBoolean=True, modifierExtension=MODIFIED),
        ):
            record = read(made)
            assert record.twitch.status is Status.UNKNOWN
            assert len(record.unread) == 1

    def test_an_empty_list_changes_nothing(self) -> None:
        record = read(condition("weakness", modifierExtension=[]))
        assert record.finding("weakness").status is Status.PRESENT

    def test_the_whole_and_a_part(self) -> None:
        part = {"code": observation("weakness")["code"], "valueBoolean": True}
        whole = observation("weakness", code={"text": "Examination"}, component=[part])
        assert read(whole).finding("weakness").status is Status.PRESENT
        assert read({**whole, "modifierExtension": MODIFIED}).finding("weakness").status is Status.UNKNOWN
        whole["component"] = [{**part, "modifierExtension": MODIFIED}]
        assert read(whole).finding("weakness").status is Status.UNKNOWN

    @pytest.mark.parametrize(
        "value",
        [
            {"valuePeriod": {"start": "2026-11-01"}},
            {"valueRatio": {"numerator": {"value": 1}}},
            {"valueTime": "12:00:00"},
            {"valueSampledData": {"dimensions": 1}},
            {"valueRange": {"low": {"value": 1}}},
            {"valueDateTime": "2026-11-01"},
            {"valueAttachment": {"title": "film"}},
            {"valueReference": {"reference": "Media/m"}},
            {"_valueString": {"extension": [{"url": "https://ehr.example.org/hidden"}]}},
        ],
        ids=str,
    )
    def test_a_type_of_value_that_no_finding_has(self, value: dict[str, Any]) -> None:
        for made in (
            observation("weakness", **value),
            observation(
                "weakness",
                code={"text": "Examination"},
                component=[{"code": observation("weakness")["code"], **value}],
            ),
        ):
            record = read(made)
            assert record.finding("weakness").status is Status.UNKNOWN
            assert [note.why for note in record.not_understood] == ["its value is not understood"]

    @pytest.mark.parametrize("member", ["_valueBoolean", "_valueString", "_valueInteger"])
    def test_a_reason_in_place_of_a_value(self, member: str) -> None:
        url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
        made = observation("weakness", **{member: {"extension": [{"url": url, "valueCode": "unknown"}]}})
        record = read(made)
        assert record.finding("weakness").status is Status.UNKNOWN
        assert [note.why for note in record.not_understood] == ["its value is recorded as missing"]

    def test_a_reason_on_a_coded_value(self) -> None:
        url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
        value = concept("http://snomed.info/sct", "52101004")
        present = observation("weakness", valueCodeableConcept=value)
        assert read(present).finding("weakness").status is Status.PRESENT
        value["extension"] = [{"url": url, "valueCode": "unknown"}]
        assert read(present).finding("weakness").status is Status.UNKNOWN


class TestOnsetAndBirth:
    def test_an_onset_before_the_birth_is_not_understood(self) -> None:
        for birth, known in (("2026-10-01", True), ("2026-10-02", False), ("2026-10", True), (None, True)):
            record = read(condition("fasciculation", onsetDateTime="2026-10-01"), birth=birth)
            assert (record.twitch.onset.earliest is not None) is known
            assert [n.expression for n in record.not_understood] == ([] if known else ["Condition.onset"])

    def test_of_an_imprecise_onset_all_must_be_before(self) -> None:
        for onset, known in (("2026", True), ("2025", False)):
            record = read(condition("fasciculation", onsetDateTime=onset), birth="2026-10-02")
            assert (record.twitch.onset.earliest is not None) is known

    def test_of_an_observation(self) -> None:
        made = observation(
            "fasciculation", effectiveDateTime=None, effectivePeriod={"start": "1979-12-31", "end": as_of(1)}
        )
        record = read(made)
        assert record.twitch.status is Status.PRESENT
        assert record.twitch.onset.earliest is None
        assert len(record.not_understood) == 1


@pytest.mark.parametrize(("days", "exists"), [(1, True), (2, False)])
def test_a_record_dated_later_is_named(days: int, exists: bool) -> None:
    made = [
        condition("weakness", recordedDate=as_of(-days)),
        condition("atrophy", recordedDate=None, onsetDateTime=as_of(-days)),
        observation("bulbar", effectiveDateTime=as_of(-days)),
    ]
    record = read(*made)
    names = ("weakness", "atrophy", "bulbar")
    assert [record.finding(name).status is Status.PRESENT for name in names] == [exists] * 3
    assert [note.reference for note in record.not_used] == (
        [] if exists else ["Condition/atrophy", "Condition/weakness", "Observation/bulbar"]
    )
