"""Each fact that R5 or STU3 writes otherwise than R4: the same record comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.findings import Basis, Drug, Plausible, Record, Status, Version
from tests.spec.records import KNOWLEDGE, as_of, code_of, concept, condition, observation, read

PERSON = {"reference": "Patient/p"}
RELATIVE = {"reference": "RelatedPerson/r"}
DOCTOR = {"reference": "Practitioner/d"}
ASKED = {"reference": "QuestionnaireResponse/q"}
# As every version writes it, so that it tells nothing.
TWITCH = observation(
    "fasciculation",
    effectiveDateTime=None,
    effectivePeriod={"start": as_of(30)},
    issued=f"{as_of(0)}T09:00:00Z",
)
FUROSEMIDE = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "4603"}]}
EMG = concept("http://loinc.org", KNOWLEDGE.templates.orders["emg"]["code"]["coding"][0]["code"])
REFERRAL = concept("http://snomed.info/sct", "183521007")


def resource(kind: str, **members: Any) -> dict[str, Any]:
    named = {"resourceType": kind, "id": "one", "subject": PERSON, **members}
    return {member: value for member, value in named.items() if value is not None}


def same(one: Mapping[str, Any], other: Mapping[str, Any], version: Version, *more: Any) -> Record:
    """Both give one record, but for the version and the type that a reference names; it is given back."""
    first, second = read(TWITCH, dict(one), *more), read(TWITCH, dict(other), *more)
    assert (first.version, second.version) == (Version.R4, version)
    renamed = replace(second, version=Version.R4)
    text = repr(renamed).replace(str(other["resourceType"]), str(one["resourceType"]))
    assert text == repr(first)
    return second


def word(status: str) -> dict[str, Any]:
    return concept("http://terminology.hl7.org/CodeSystem/condition-clinical", status)


WEAK = condition("weakness")
WEAK_STU3 = {**WEAK, "clinicalStatus": "active", "verificationStatus": "confirmed"}


@pytest.mark.parametrize(
    ("asserter", "actors", "basis"),
    [
        (PERSON, [PERSON], Basis.REPORTED),
        (RELATIVE, [RELATIVE], Basis.REPORTED),
        (DOCTOR, [DOCTOR], Basis.EXAMINED),
        # R5 names everybody who took part: one who tells is enough.
        (PERSON, [DOCTOR, PERSON], Basis.REPORTED),
        (DOCTOR, [DOCTOR, {"display": "Somebody"}], Basis.EXAMINED),
    ],
)
def test_condition_participant_is_r4s_asserter(asserter: Any, actors: list[Any], basis: Basis) -> None:
    r5 = {**WEAK, "participant": [{"actor": actor} for actor in actors]}
    record = same({**WEAK, "asserter": asserter}, r5, Version.R5)
    assert record.finding("weakness").basis is basis


@pytest.mark.parametrize("status", ["active", "recurrence", "relapse", "inactive", "remission", "resolved"])
def test_condition_clinical_status_is_a_word_in_stu3(status: str) -> None:
    stu3 = {**WEAK, "clinicalStatus": status, "verificationStatus": "confirmed"}
    stu3["assertedDate"] = stu3.pop("recordedDate")
    record = same({**WEAK, "clinicalStatus": word(status)}, stu3, Version.STU3)
    present = status in ("active", "recurrence", "relapse")
    assert record.finding("weakness").status is (Status.PRESENT if present else Status.UNKNOWN)


def test_condition_clinical_status_of_r5_may_be_unknown() -> None:
    # Required there, so that what is not known has a code.
    record = same({**WEAK, "clinicalStatus": None}, {**WEAK, "clinicalStatus": word("unknown")}, Version.R4)
    assert record.finding("weakness").status is Status.PRESENT


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("confirmed", (Status.PRESENT, Basis.EXAMINED)),
        ("unknown", (Status.PRESENT, Basis.EXAMINED)),
        ("provisional", (Status.PRESENT, Basis.REPORTED)),
        ("differential", (Status.PRESENT, Basis.REPORTED)),
        ("refuted", (Status.ABSENT, Basis.EXAMINED)),
        ("entered-in-error", (Status.UNKNOWN, None)),
    ],
)
def test_condition_verification_is_a_word_in_stu3(status: str, expected: tuple[Status, Any]) -> None:
    stu3 = {**WEAK, "clinicalStatus": "active", "verificationStatus": status}
    stu3["assertedDate"] = stu3.pop("recordedDate")
    record = same({**WEAK, "verificationStatus": word(status)}, stu3, Version.STU3)
    found = record.finding("weakness")
    assert (found.status, found.basis) == expected


@pytest.mark.parametrize(("ended", "status"), [(True, Status.UNKNOWN), (False, Status.PRESENT)])
def test_condition_abatement_is_a_boolean_in_stu3(ended: bool, status: Status) -> None:
    stu3 = {**WEAK_STU3, "abatementBoolean": ended, "recordedDate": None, "assertedDate": as_of(0)}
    assert read(TWITCH, stu3).finding("weakness").status is status


@pytest.mark.parametrize(
    ("related", "basis"),
    [
        ([{"type": "derived-from", "target": ASKED}], Basis.REPORTED),
        ([{"target": ASKED}], Basis.REPORTED),
        ([{"type": "has-member", "target": ASKED}], Basis.EXAMINED),
        ([{"type": "derived-from", "target": {"reference": "Observation/o"}}], Basis.EXAMINED),
        ([None, {"type": "derived-from"}], Basis.EXAMINED),
    ],
)
def test_observation_related_is_r4s_derived_from_and_has_member(related: list[Any], basis: Basis) -> None:
    record = read(observation("weakness", valueBoolean=True, related=related))
    assert record.version is Version.STU3
    assert record.finding("weakness").basis is basis


def test_observation_related_says_what_derived_from_says() -> None:
    one = observation("weakness", valueBoolean=True)
    stu3 = {**one, "related": [{"type": "derived-from", "target": ASKED}]}
    record = same({**one, "derivedFrom": [ASKED]}, stu3, Version.STU3)
    assert record.finding("weakness").basis is Basis.REPORTED


@pytest.mark.parametrize(("code", "status"), [("POS", Status.PRESENT), ("NEG", Status.ABSENT)])
def test_observation_interpretation_is_one_concept_in_stu3(code: str, status: Status) -> None:
    flag = concept("http://hl7.org/fhir/v2/0078", code)
    record = read({**observation("weakness"), "interpretation": flag, "comment": "Seen.", "context": {}})
    assert record.version is Version.STU3
    assert record == replace(
        read({**observation("weakness"), "interpretation": [flag]}), version=Version.STU3
    )
    assert record.finding("weakness").status is status


def structure(*parts: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "BodyStructure", "id": "s", "includedStructure": list(parts), **members}


THIGH = code_of("thigh")


@pytest.mark.parametrize(
    ("reference", "contained", "beside"),
    [
        ("#s", [structure({"structure": THIGH})], []),
        ("BodyStructure/s", None, [structure({"structure": THIGH}, patient=PERSON)]),
    ],
)
def test_observation_body_structure_is_a_body_site(reference: str, contained: Any, beside: list[Any]) -> None:
    r4 = read(observation("fasciculation", bodySite="thigh"))
    one = observation("fasciculation", bodyStructure={"reference": reference})
    record = read(one | ({"contained": contained} if contained else {}), *beside)
    assert record == replace(r4, version=Version.R5)
    assert [site.id for site in record.twitch.sites] == ["thigh"]


@pytest.mark.parametrize("contained", [[], [{"resourceType": "Group", "id": "s"}], [5]])
def test_a_body_structure_that_is_not_there_is_named(contained: list[Any]) -> None:
    one = observation("fasciculation", bodyStructure={"reference": "#s"}, contained=contained)
    record = read(one)
    assert record.twitch.sites == ()
    assert [note.why for note in record.not_understood] == ["body site not understood"]


def drug(record: Record) -> Drug | None:
    return next(iter(record.drugs), None)


REQUEST = resource("MedicationRequest", status="active", intent="order", authoredOn=as_of(90))
STATEMENT = resource("MedicationStatement", status="active", effectivePeriod={"start": as_of(90)})
MEDICATION = {"resourceType": "Medication", "id": "m", "code": FUROSEMIDE}
FORM = {"text": "tablet"}


@pytest.mark.parametrize("record", [REQUEST, STATEMENT], ids=["request", "statement"])
def test_medication_holds_a_concept_in_r5(record: dict[str, Any]) -> None:
    r5 = {**record, "medication": {"concept": FUROSEMIDE}}
    found = drug(same({**record, "medicationCodeableConcept": FUROSEMIDE}, r5, Version.R5))
    assert found is not None
    assert (found.name, found.plausible) == ("furosemide", Plausible.YES)


@pytest.mark.parametrize("record", [REQUEST, STATEMENT], ids=["request", "statement"])
def test_medication_holds_a_reference_in_r5(record: dict[str, Any]) -> None:
    reference = {"reference": "Medication/m"}
    r5 = {**record, "medication": {"reference": reference}}
    found = drug(same({**record, "medicationReference": reference}, r5, Version.R5, MEDICATION))
    assert found is not None
    assert found.name == "furosemide"


def made_of(part: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Medication", "id": "m", "ingredient": [part], **members}


@pytest.mark.parametrize(
    ("r4", "r5"),
    [
        (made_of({"itemCodeableConcept": FUROSEMIDE}), made_of({"item": {"concept": FUROSEMIDE}})),
        (
            made_of({"itemReference": {"reference": "#x"}}, contained=[{**MEDICATION, "id": "x"}]),
            made_of({"item": {"reference": {"reference": "#x"}}}, contained=[{**MEDICATION, "id": "x"}]),
        ),
        (
            made_of(
                {"itemReference": {"reference": "#x"}},
                contained=[{"resourceType": "Substance", "id": "x", "code": FUROSEMIDE}],
            ),
            # What a substance is, too, became a concept or a reference.
            made_of(
                {"item": {"reference": {"reference": "#x"}}},
                contained=[
                    {
                        "resourceType": "Substance",
                        "id": "x",
                        "instance": False,
                        "code": {"concept": FUROSEMIDE},
                    }
                ],
            ),
        ),
        ({**MEDICATION, "form": FORM}, {**MEDICATION, "doseForm": FORM}),
    ],
)
def test_a_medication_is_made_of_the_same_in_r5(r4: dict[str, Any], r5: dict[str, Any]) -> None:
    request = {
        **REQUEST,
        "contained": [{**r4, "id": "m"}],
        "medicationReference": {"reference": "Medication/m"},
    }
    del request["contained"]
    in_r4 = read(TWITCH, request, r4)
    changed = {**request, "medication": {"reference": request["medicationReference"]}}
    del changed["medicationReference"]
    in_r5 = read(TWITCH, changed, r5)
    assert in_r5 == replace(in_r4, version=Version.R5)
    assert [one.name for one in in_r5.drugs] == ["furosemide"]


def test_a_request_may_say_when_it_is_taken_in_r5() -> None:
    """R5's period of taking is what the bounds of a dosage are in R4."""
    bounds = {"start": as_of(200), "end": as_of(100)}
    dosage = [{"timing": {"repeat": {"boundsPeriod": bounds}}}]
    r4 = {**REQUEST, "medicationCodeableConcept": FUROSEMIDE, "dosageInstruction": dosage}
    r5 = {**REQUEST, "medication": {"concept": FUROSEMIDE}, "effectiveDosePeriod": bounds}
    r5["dosageInstruction"] = [{"asNeeded": True, "text": "as needed"}]
    r5["renderedDosageInstruction"] = "as needed"
    found = drug(same(r4, r5, Version.R5))
    assert found is not None
    # It ended before the twitch began.
    assert found.plausible is Plausible.NO


def test_a_prescription_that_ended_in_r5_was_completed_in_r4() -> None:
    r4 = {**REQUEST, "status": "completed", "medicationCodeableConcept": FUROSEMIDE}
    found = drug(same(r4, {**REQUEST, "status": "ended", "medication": {"concept": FUROSEMIDE}}, Version.R5))
    assert found is not None
    assert not found.current


def test_a_requester_of_stu3_is_an_object() -> None:
    stu3 = {**REQUEST, "medicationCodeableConcept": FUROSEMIDE, "requester": {"agent": DOCTOR}, "context": {}}
    record = read({**observation("fasciculation")}, stu3)
    assert record.version is Version.STU3
    assert [one.name for one in record.drugs] == ["furosemide"]


@pytest.mark.parametrize(
    ("taken", "r4"),
    [("y", "active"), ("n", "not-taken"), ("unk", "unknown"), ("na", "unknown")],
)
def test_whether_a_medicine_is_taken_is_asked_apart_in_stu3(taken: str, r4: str) -> None:
    one = {**STATEMENT, "medicationCodeableConcept": FUROSEMIDE}
    in_r4 = read(TWITCH, {**one, "status": r4})
    in_stu3 = read(TWITCH, {**one, "taken": taken})
    assert in_stu3 == replace(in_r4, version=Version.STU3)
    assert len(in_stu3.drugs) == (taken != "n")
    if taken in ("unk", "na"):
        assert in_stu3.drugs[0].plausible is Plausible.POSSIBLE


ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"


@pytest.mark.parametrize(
    ("status", "adherence", "r4"),
    [
        ("recorded", None, "active"),
        ("recorded", "taking", "active"),
        ("recorded", "taking-not-as-directed", "active"),
        ("recorded", "not-taking", "not-taken"),
        ("recorded", "on-hold-as-directed", "on-hold"),
        ("recorded", "stopped", "stopped"),
        ("recorded", "stopped-not-as-directed", "stopped"),
        ("recorded", "unknown", "unknown"),
        ("entered-in-error", "taking", "entered-in-error"),
        ("draft", "taking", "entered-in-error"),
        ("draft", None, "entered-in-error"),
    ],
)
def test_the_status_of_a_statement_is_its_adherence_in_r5(
    status: str, adherence: str | None, r4: str
) -> None:
    r5 = {**STATEMENT, "status": status, "medication": {"concept": FUROSEMIDE}}
    if adherence is not None:
        r5["adherence"] = {"code": concept(ADHERENCE, adherence)}
    record = same({**STATEMENT, "status": r4, "medicationCodeableConcept": FUROSEMIDE}, r5, Version.R5)
    assert len(record.drugs) == (r4 not in ("not-taken", "entered-in-error"))


@pytest.mark.parametrize(
    "timing",
    [
        {"event": [as_of(90)]},
        {"event": [as_of(20), as_of(90)]},
        {"repeat": {"boundsPeriod": {"start": as_of(90)}}},
    ],
)
def test_a_statement_may_have_a_timing_in_r5(timing: dict[str, Any]) -> None:
    r5 = resource("MedicationStatement", status="recorded", medication={"concept": FUROSEMIDE})
    found = drug(read(TWITCH, {**r5, "effectiveTiming": timing}))
    assert found is not None
    assert (found.start.earliest, found.plausible) == (found.start.latest, Plausible.YES)
    assert str(found.start.earliest) == as_of(90)


def request_of(kind: str = "ServiceRequest", **members: Any) -> dict[str, Any]:
    return resource(kind, **{"status": "active", "intent": "order", "authoredOn": as_of(3), **members})


R4_ORDER = request_of(code=EMG, priority="urgent")


@pytest.mark.parametrize(
    ("other", "version"),
    [
        (request_of(code={"concept": EMG}, priority="urgent"), Version.R5),
        (
            request_of(
                code={"concept": EMG},
                priority="urgent",
                reason=[{"reference": {"reference": "Condition/c"}}],
                bodyStructure={"reference": "BodyStructure/s"},
            ),
            Version.R5,
        ),
        (
            request_of(
                code={"concept": {"text": "Study"}},
                priority="urgent",
                orderDetail=[{"parameter": [{"code": {"text": "which"}, "valueCodeableConcept": EMG}]}],
            ),
            Version.R5,
        ),
        (request_of("ProcedureRequest", code=EMG, priority="urgent", context={}), Version.STU3),
    ],
)
def test_an_order_is_the_same_order(other: dict[str, Any], version: Version) -> None:
    record = same(R4_ORDER, other, version)
    assert [(sorted(order.tests), order.priority) for order in record.orders] == [(["emg"], "urgent")]


@pytest.mark.parametrize(
    ("stu3", "open_"), [("active", True), ("suspended", True), ("cancelled", False), ("draft", False)]
)
@pytest.mark.parametrize("kind", ["ProcedureRequest", "ReferralRequest"])
def test_the_status_of_a_request_of_stu3(kind: str, stu3: str, open_: bool) -> None:
    member = {"code": EMG} if kind == "ProcedureRequest" else {"serviceRequested": [REFERRAL]}
    record = read(request_of(kind, status=stu3, **member))
    assert record.version is Version.STU3
    assert len(record.orders) == open_
    assert "orders" not in record.not_seen


@pytest.mark.parametrize("member", ["type", "serviceRequested"])
def test_a_referral_of_stu3_is_a_referral(member: str) -> None:
    written = REFERRAL if member == "type" else [REFERRAL]
    (order,) = read(request_of("ReferralRequest", **{member: written}, priority="urgent")).orders
    (same_order,) = read(request_of(code=REFERRAL, priority="urgent")).orders
    assert order.tests == same_order.tests == {"neurology-referral"}
    assert order.priority == "urgent"


def test_an_order_in_words_alone_is_named_in_r5_too() -> None:
    notes = read(request_of(code={"concept": {"text": "Some test"}})).not_understood
    assert [note.why for note in notes] == ["an order without a code"]


def done(**members: Any) -> dict[str, Any]:
    return resource("Procedure", status="completed", code=EMG, **members)


@pytest.mark.parametrize(
    ("r4", "r5"),
    [
        ({"performedDateTime": as_of(9)}, {"occurrenceDateTime": as_of(9)}),
        (
            {"performedPeriod": {"start": as_of(9), "end": as_of(8)}},
            {"occurrencePeriod": {"start": as_of(9), "end": as_of(8)}, "reportedReference": PERSON},
        ),
    ],
)
def test_a_procedure_occurred_in_r5(r4: dict[str, Any], r5: dict[str, Any]) -> None:
    record = same(done(**r4), done(**r5), Version.R5)
    assert [study.id for study in record.studies] == ["emg"]


@pytest.mark.parametrize(("not_done", "studies"), [(True, 0), (False, 1)])
def test_a_procedure_of_stu3_may_not_have_been_done(not_done: bool, studies: int) -> None:
    record = read(done(performedDateTime=as_of(9), notDone=not_done))
    assert record.version is Version.STU3
    assert len(record.studies) == studies


@pytest.mark.parametrize(("status", "studies"), [("final", 1), ("modified", 0)])
def test_a_report_that_r5_modified_before_it_was_final_is_not_done(status: str, studies: int) -> None:
    report = resource("DiagnosticReport", status=status, code=EMG, effectiveDateTime=as_of(9), note=[])
    record = read(report)
    assert record.version is Version.R5
    assert len(record.studies) == studies


@pytest.mark.parametrize(("not_done", "status"), [(True, Status.UNKNOWN), (False, Status.PRESENT)])
def test_a_family_history_of_stu3_may_not_have_been_taken(not_done: bool, status: Status) -> None:
    history = {
        "resourceType": "FamilyMemberHistory",
        "id": "f",
        "status": "completed",
        "patient": PERSON,
        "relationship": {"text": "father"},
        "condition": [{"code": code_of("motor-neuron-disease")}],
        "notDone": not_done,
    }
    record = read(history)
    assert record.version is Version.STU3
    assert record.finding("family-neurological").status is status


def task(**members: Any) -> dict[str, Any]:
    one = {
        "resourceType": "Task",
        "id": "t",
        "status": "requested",
        "intent": "order",
        "authoredOn": as_of(2),
    }
    return {**one, "for": PERSON, "code": {"text": "Fulfil"}, **members}


@pytest.mark.parametrize(
    ("other", "version"),
    [({"reason": [{"concept": EMG}]}, Version.R5), ({"reason": EMG}, Version.STU3)],
)
def test_the_reason_of_a_task(other: dict[str, Any], version: Version) -> None:
    record = read(task(**other))
    assert record == replace(read(task(reasonCode=EMG)), version=version)
    assert [order.tests for order in record.orders] == [{"emg"}]


def test_a_task_not_to_do_in_r5_is_no_order() -> None:
    assert len(read(task(reason=[{"concept": EMG}], doNotPerform=False)).orders) == 1
    assert read(task(reason=[{"concept": EMG}], doNotPerform=True)).orders == ()


def test_a_task_may_be_about_a_request_of_any_version() -> None:
    about = {**request_of("ProcedureRequest", code=EMG, status="completed"), "id": "r"}
    record = read(task(focus={"reference": "ProcedureRequest/r"}), about)
    assert [(order.reference, order.tests) for order in record.orders] == [("Task/t", {"emg"})]
