"""Section 1, statuses of a Condition: the required system decides, else known codes and words."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Record, Status
from service.decision import decide
from tests.spec.outcomes import TABLE, rows_of
from tests.spec.records import as_of, condition, observation, read

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
SYSTEMS = {"clinicalStatus": CLINICAL, "verificationStatus": VERIFICATION}
LOCAL = {"system": "https://ehr.example.org/status", "code": "active", "display": "Active"}
OTHER = {"system": "https://ehr.example.org/status", "code": "resolved", "display": "Resolved"}
TWITCH = condition("fasciculation", recordedDate=as_of(3))
NAMED = "its status is not recognised"


# Beside it the findings count as seen.
SEEN = observation("weakness", code={"text": "Something else"})


def coded(*codings: dict[str, Any] | None, text: str | None = None) -> dict[str, Any]:
    return {"coding": list(codings)} | ({"text": text} if text else {})


def clinical(code: str) -> dict[str, Any]:
    return {"system": CLINICAL, "code": code}


def verified(code: str) -> dict[str, Any]:
    return {"system": VERIFICATION, "code": code}


def named(record: Record) -> set[tuple[str, str | None]]:
    return {(n.reference, n.expression) for n in record.not_understood if n.why == NAMED}


# What says nothing that can be trusted, though something is written.
UNKNOWN: dict[str, dict[str, Any]] = {
    "another system": coded({**LOCAL, "code": "7", "display": "Ongoing"}),
    "a known word beside an unknown one": coded({**LOCAL, "display": "Ongoing"}, text="Active"),
    "two of other systems": coded(LOCAL, OTHER),
    "no system": coded({"code": "finished"}),
    "a display alone": coded({"display": "Ongoing"}),
    "text alone": {"text": "Ongoing"},
    "a text that may end it": {"text": "Deleted"},
    "a code that the system does not have": coded(
        {"system": CLINICAL, "code": "finished"}, {"system": VERIFICATION, "code": "finished"}
    ),
    "a system without a code": coded({"system": CLINICAL}, {"system": VERIFICATION}),
}
# Nothing is written: as without the member.
NOTHING: dict[str, Any] = {
    "an empty concept": {},
    "no codings": {"coding": []},
    "a coding that is null": coded(None),
    "an empty text": {"text": " "},
}
MEMBERS = pytest.mark.parametrize("member", SYSTEMS)


@pytest.mark.parametrize(
    "codings",
    [
        (OTHER, clinical("active")),
        (clinical("active"), OTHER),
        (None, {"display": "Resolved"}, OTHER, clinical("active")),
        (clinical("active"), clinical("Active ")),
    ],
)
def test_the_coding_of_the_system_keeps_it(codings: tuple[dict[str, Any] | None, ...]) -> None:
    record = read({**TWITCH, "clinicalStatus": coded(*codings, text="Resolved")})
    assert record.twitch.status is Status.PRESENT
    assert named(record) == set()


@pytest.mark.parametrize("codings", [(LOCAL, clinical("resolved")), (clinical("resolved"), LOCAL)])
def test_the_coding_of_the_system_ends_it(codings: tuple[dict[str, Any], ...]) -> None:
    record = read({**TWITCH, "clinicalStatus": coded(*codings, text="Active")})
    assert record.twitch.status is Status.UNKNOWN
    assert (record.unread, named(record)) == ((), set())


@pytest.mark.parametrize("first", [True, False])
def test_the_coding_of_the_system_verifies_it(first: bool) -> None:
    other = {"system": "http://snomed.info/sct", "code": "410594000"}

    def read_as(code: str) -> Record:
        codings = [other, verified(code)] if first else [verified(code), other]
        return read(TWITCH, condition("weakness", verificationStatus=coded(*codings)))

    assert read_as("refuted").finding("weakness").status is Status.ABSENT
    assert read_as("confirmed").finding("weakness").status is Status.PRESENT
    assert read_as("provisional").finding("weakness").suspected
    assert read_as("entered-in-error").finding("weakness").evidence == ()


@pytest.mark.parametrize("name", UNKNOWN)
@MEMBERS
def test_without_it_a_finding_is_unknown_and_named(member: str, name: str) -> None:
    record = read(TWITCH, {**condition("weakness"), member: UNKNOWN[name]})
    assert record.finding("weakness").status is Status.UNKNOWN
    assert named(record) == {("Condition/weakness", f"Condition.{member}")}
    assert record.unread == ()


@pytest.mark.parametrize("name", NOTHING)
@MEMBERS
def test_where_nothing_is_written_it_is_as_without_the_member(member: str, name: str) -> None:
    record = read(TWITCH, {**condition("weakness"), member: NOTHING[name]})
    assert record.finding("weakness").status is Status.PRESENT
    assert named(record) == set()


@pytest.mark.parametrize("name", UNKNOWN)
@MEMBERS
def test_without_it_a_twitch_is_neither_there_nor_over(member: str, name: str) -> None:
    unknown = {**TWITCH, "id": "unknown", member: UNKNOWN[name]}
    alone = read(unknown, SEEN)
    assert alone.twitch.status is Status.UNKNOWN
    assert named(alone) == {("Condition/unknown", f"Condition.{member}")}
    assert [note.why for note in alone.unread] == [NAMED]
    assert decide(alone, TABLE).gate == "unread"
    beside = read(TWITCH, unknown)
    assert decide(beside, TABLE).open
    assert named(beside) == named(alone)


@pytest.mark.parametrize("name", UNKNOWN)
@MEMBERS
def test_without_it_a_known_disease_does_not_close_the_gate(member: str, name: str) -> None:
    disease = condition("motor-neuron-disease")
    assert decide(read(TWITCH, disease), TABLE).gate == "known-disease"
    record = read(TWITCH, {**disease, member: UNKNOWN[name]})
    assert decide(record, TABLE).open
    assert named(record) == {("Condition/motor-neuron-disease", f"Condition.{member}")}


@pytest.mark.parametrize("name", UNKNOWN)
@MEMBERS
def test_without_it_a_disease_is_suspected_and_never_taken_as_absent(member: str, name: str) -> None:
    """A list of conditions that was seen makes diagnoses absent that it does not hold: this one it holds."""
    examined = [
        observation(sign, valueBoolean=False, category="exam")
        for sign in ("weakness", "atrophy", "sensory-loss")
    ]
    for disease in ("multiple-sclerosis", "hypokalemia", "thyroid-disease"):
        record = read(TWITCH, *examined, {**condition(disease), member: UNKNOWN[name]})
        found = record.finding(disease)
        assert (found.status, found.basis, found.suspected) == (Status.PRESENT, "reported", True)
        assert rows_of(record) == rows_of(read(TWITCH, *examined, condition(disease)))
        assert "benign" not in rows_of(record)
    motor = read(TWITCH, *examined, {**condition("motor-neuron-disease"), member: UNKNOWN[name]})
    assert motor.finding("motor-neuron-disease").suspected
    assert decide(motor, TABLE).open
    assert "benign" not in rows_of(motor)


def test_two_codes_of_the_system_contradict_each_other() -> None:
    record = read({**TWITCH, "clinicalStatus": coded(clinical("active"), clinical("resolved"))})
    assert record.twitch.status is Status.UNKNOWN
    assert len(record.unread) == 1


@pytest.mark.parametrize(
    "members",
    [
        {
            "clinicalStatus": coded({**LOCAL, "display": "Ongoing"}),
            "verificationStatus": coded(verified("refuted")),
        },
        {
            "clinicalStatus": coded(clinical("resolved")),
            "verificationStatus": coded({**LOCAL, "display": "Ongoing"}),
        },
        {"clinicalStatus": coded({**LOCAL, "display": "Ongoing"}), "abatementDateTime": as_of(2)},
    ],
)
def test_what_is_over_whatever_the_other_status_says_is_no_twitch(members: dict[str, Any]) -> None:
    record = read({**TWITCH, **members}, SEEN)
    assert decide(record, TABLE).gate == "no-twitch"
    assert len(named(record)) == 1


def test_what_was_entered_in_error_is_not_named() -> None:
    wrong = coded(verified("entered-in-error"))
    record = read({**TWITCH, "clinicalStatus": coded(LOCAL), "verificationStatus": wrong})
    assert (record.not_understood, record.twitch.evidence) == ((), ())


@pytest.mark.parametrize("word", ["active", " Active", "recurrence", "relapse"])
def test_a_plain_word_is_the_status(word: str) -> None:
    assert read({**TWITCH, "clinicalStatus": word}).twitch.status is Status.PRESENT
    assert read({**TWITCH, "clinicalStatus": "resolved"}).twitch.status is Status.UNKNOWN


def test_a_plain_word_that_is_none_is_named() -> None:
    record = read({**TWITCH, "clinicalStatus": "finished"}, SEEN)
    assert decide(record, TABLE).gate == "unread"
    assert named(record) == {("Condition/fasciculation", "Condition.clinicalStatus")}
