"""What cannot be read is never an all clear: it may have been the one record of a twitch."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.vignettes import codes

SERVICE = "/cds-services/fasciculation-patient-view"
AS_OF = "2026-06-15"
TWITCH = codes.finding_concept("fasciculation", codes.ICD_10_CM)
OTHER = {"coding": [{"system": "https://ehr.example.org/codes", "code": "L1", "display": "Acne"}]}
PATIENT = {"resourceType": "Patient", "id": "p1"}
ABOUT = {"reference": "Patient/p1"}
HEALTHY: dict[str, Any] = {"resourceType": "Condition", "id": "c1", "subject": ABOUT, "code": OTHER}
SEEN: dict[str, Any] = {"resourceType": "Condition", "id": "c2", "subject": ABOUT, "code": TWITCH}
# Whose it is cannot be read.
BROKEN: dict[str, Any] = {"patient": 7}


def bundle(*resources: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}


def prefetch(**lists: Any) -> dict[str, Any]:
    return {"patient": PATIENT, "conditions": bundle(HEALTHY), "findings": bundle(), **lists}


def hook(client: FlaskClient, sent: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    response = client.post(
        SERVICE,
        json={
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/1", "patientId": "p1"},
            "prefetch": sent,
            "extension": {"org.fasciculation-cds": {"asOf": AS_OF}},
        },
    )
    return response.status_code, response.get_json()


def observation(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o1", "status": "final", "subject": ABOUT, **members}


# What may be the one record of a twitch, and where it stands.
MAY_BE = {
    "a Condition of a twitch": ("conditions", {**SEEN, "id": "c3", **BROKEN}),
    "a Condition whose code cannot be read": ("conditions", {**HEALTHY, "id": "c3", "code": "R25.3"}),
    "a Condition without a code": ("conditions", {"resourceType": "Condition", "subject": ABOUT, **BROKEN}),
    "a subject that cannot be read": ("conditions", {**SEEN, "id": "c3", "subject": "Patient/p1"}),
    "no resourceType": ("conditions", {"id": "c3", "code": TWITCH}),
    "a number instead of a resource": ("conditions", 7),
    "an Observation of a twitch": (
        "findings",
        observation(code=TWITCH, valueBoolean=False, subject="Patient/p1"),
    ),
    "a panel with a twitch in it": (
        "findings",
        observation(code=OTHER, component=[{"code": TWITCH, "valueBoolean": "yes"}]),
    ),
    "a panel whose parts cannot be read": ("findings", observation(code=OTHER, component="none")),
}
# What is broken, and was no twitch whatever it says.
NEVER = {
    "a Condition of something else": ("conditions", {**HEALTHY, "id": "c3", **BROKEN}),
    "a twitch of another patient": (
        "conditions",
        {**SEEN, "id": "c3", "subject": {"reference": "Patient/p2"}, **BROKEN},
    ),
    "an Observation of something else": ("findings", observation(code=OTHER, valueBoolean="yes")),
    "a panel of other things": (
        "findings",
        observation(code=OTHER, component=[{"code": OTHER, "valueBoolean": "yes"}]),
    ),
    "a result": ("labs", observation(code="2951-2")),
    "an order": ("orders", {"resourceType": "ServiceRequest", "subject": 7}),
}
# Understood by nobody, though it is well-formed; and what says that there is nothing to understand.
VALUES = {
    "words": ({"valueString": "some, at the left calf"}, "unread"),
    "a number": ({"valueQuantity": {"value": 3}}, "unread"),
    "another code": ({"valueCodeableConcept": OTHER}, "unread"),
    "nothing was asked": ({"dataAbsentReason": {"text": "not asked"}}, "no twitch"),
    "none": ({"valueBoolean": False}, "no twitch"),
}


@pytest.mark.parametrize("name", MAY_BE)
def test_what_may_be_a_twitch_is_412_and_named(client: FlaskClient, name: str) -> None:
    key, resource = MAY_BE[name]
    status, answer = hook(client, prefetch(**{key: bundle(HEALTHY, resource)}))
    assert status == 412
    (issue,) = answer["issue"]
    assert issue["expression"][0].startswith(f"prefetch.{key}.entry[1]")
    assert issue["diagnostics"].startswith(
        "No twitch was found, and a resource that may record one could not be read ("
    )
    assert "p1" not in str(answer)


@pytest.mark.parametrize(
    "member", [{"onsetDateTime": {"start": "2026-05-01"}}, {"id": 7}, {"category": {"text": "problem"}}]
)
def test_a_member_that_nothing_rests_on_loses_no_twitch(client: FlaskClient, member: dict[str, Any]) -> None:
    status, answer = hook(client, prefetch(conditions=bundle(HEALTHY, {**SEEN, "id": "c3", **member})))
    assert (status, len(answer["cards"])) == (200, 1)


@pytest.mark.parametrize(
    "members",
    [{"valueBoolean": "yes"}, {"interpretation": [{"coding": [{"code": "ND"}]}]}, {"valueTime": "12:00:00"}],
)
def test_a_value_that_is_not_understood_is_no_all_clear(client: FlaskClient, members: dict[str, Any]) -> None:
    status, answer = hook(client, prefetch(findings=bundle(observation(code=TWITCH, **members))))
    assert (status, answer["issue"][0]["expression"]) == (412, ["Observation.value"])


def test_a_text_where_an_object_belongs_is_named_so(client: FlaskClient) -> None:
    status, answer = hook(
        client, prefetch(conditions=bundle(MAY_BE["a Condition whose code cannot be read"][1]))
    )
    assert status == 412
    assert "(Condition.code: not an object)" in answer["issue"][0]["diagnostics"]


def test_several_are_named_in_the_order_in_which_they_were_sent(client: FlaskClient) -> None:
    of_condition = MAY_BE["a Condition of a twitch"][1]
    sent = bundle(
        observation(code="R25.3"), {**of_condition, "id": "c4"}, {**observation(code="R25.3"), "id": "o2"}
    )
    status, answer = hook(client, prefetch(findings=sent))
    assert status == 412
    places = [issue["expression"][0] for issue in answer["issue"]]
    assert places == [f"prefetch.findings.entry[{number}].resource" for number in range(3)]


@pytest.mark.parametrize("name", MAY_BE)
def test_a_bundle_says_so_at_its_gate(client: FlaskClient, name: str) -> None:
    sent = bundle(PATIENT, HEALTHY, {**observation(code=OTHER), "id": "o2"}, deepcopy(MAY_BE[name][1]))
    response = client.post(f"/evaluate?asOf={AS_OF}", json=sent)
    gate = response.get_json()["assessment"]["gate"]
    assert gate["open"] is False
    assert "could not be read" in gate["reason"]


@pytest.mark.parametrize("name", MAY_BE)
def test_beside_a_twitch_the_card_speaks(client: FlaskClient, name: str) -> None:
    key, resource = MAY_BE[name]
    lists = {"conditions": bundle(SEEN), "findings": bundle()}
    lists[key] = bundle(*([SEEN] if key == "conditions" else []), resource)
    status, answer = hook(client, prefetch(**lists))
    assert status == 200
    assert "not understood" in answer["cards"][0]["detail"]


@pytest.mark.parametrize("name", NEVER)
def test_what_was_no_twitch_makes_no_noise(client: FlaskClient, name: str) -> None:
    key, resource = NEVER[name]
    assert hook(client, prefetch(**{key: bundle(HEALTHY, resource)})) == (200, {"cards": []})


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_a_twitch_that_nobody_understands(client: FlaskClient, name: str) -> None:
    value, says = VALUES[name]
    findings = bundle(observation(code=TWITCH, effectiveDateTime="2026-06-01", **value))
    status, answer = hook(client, prefetch(findings=findings))
    if says == "unread":
        assert status == 412
        assert answer["issue"][0]["expression"] == ["Observation.value"]
    else:
        assert (status, answer) == (200, {"cards": []})


def test_an_old_value_that_nobody_understands_is_over(client: FlaskClient) -> None:
    old = observation(code=TWITCH, effectiveDateTime="2020-06-01", valueString="some")
    assert hook(client, prefetch(findings=bundle(old))) == (200, {"cards": []})


LOCAL = {"system": "https://ehr.example.org/codes", "code": "T7"}
# Said in words alone: the whole text, or the whole display of a code that is not known, is a name of it.
IN_WORDS: dict[str, dict[str, Any]] = {
    "text alone": {"text": "Fasciculation"},
    "in another case and with blanks": {"text": "  muscle\tTWITCHING \n"},
    "the text of an unknown code": {"coding": [LOCAL], "text": "Fasciculations"},
    "the display of an unknown code": {"coding": [{**LOCAL, "display": "Eyelid  twitch"}]},
    "the display beside another text": {"coding": [{"display": "Myokymia"}], "text": "Since May"},
    "the second of two": {"coding": [None, LOCAL, {**LOCAL, "display": "Muscle fasciculation (finding)"}]},
    "a known code in a system that is not": {
        "coding": [{"system": "urn:oid:1.2.3.4", "code": "R25.3", "display": "Fasciculation"}]
    },
}
NOT_IN_WORDS: dict[str, dict[str, Any]] = {
    "a part of the text": {"text": "Fasciculation of the left calf"},
    "denied": {"text": "No fasciculation"},
    "the family's": {"text": "Family history of fasciculations"},
    "a part of a word": {"text": "Defasciculation"},
    "something else": {"coding": [{**LOCAL, "display": "Tremor"}], "text": "Tremor"},
    "a known code of something else": {
        "coding": [codes.finding_concept("weakness", codes.SNOMED)["coding"][0]],
        "text": "Fasciculation",
    },
    "no words": {"coding": [LOCAL]},
    "a display that is none": {"coding": [{**LOCAL, "display": 7}]},
}
ENDED = {
    "resolved": ("clinicalStatus", "condition-clinical", "resolved"),
    "refuted": ("verificationStatus", "condition-ver-status", "refuted"),
}


def coded_status(name: str) -> dict[str, Any]:
    member, system, code = ENDED[name]
    return {member: {"coding": [{"system": codes.TERMINOLOGY + system, "code": code}]}}


def evaluated(client: FlaskClient, *resources: Any) -> dict[str, Any]:
    sent = bundle(PATIENT, {**observation(code=OTHER), "id": "o2"}, *resources)
    answer = client.post(f"/evaluate?asOf={AS_OF}", json=sent).get_json()
    assessment: dict[str, Any] = answer["assessment"]
    return assessment


@pytest.mark.parametrize("name", IN_WORDS)
def test_a_twitch_in_words_alone_opens_the_gate_and_is_named(client: FlaskClient, name: str) -> None:
    told = {**HEALTHY, "id": "c3", "code": IN_WORDS[name]}
    status, answer = hook(client, prefetch(conditions=bundle(HEALTHY, told)))
    assert status == 200
    assert answer["cards"]
    assessment = evaluated(client, told)
    assert assessment["gate"]["open"]
    (note,) = assessment["notUnderstood"]
    assert (note["reference"], note["expression"]) == ("Condition/c3", "Condition.code")
    assert "names a twitch" in note["why"]


@pytest.mark.parametrize("name", IN_WORDS)
def test_a_twitch_in_words_beside_another_is_named_alone(client: FlaskClient, name: str) -> None:
    told = {**HEALTHY, "id": "c3", "code": IN_WORDS[name]}
    status, answer = hook(client, prefetch(conditions=bundle(SEEN, told)))
    assert status == 200
    assert answer["cards"]
    assessment = evaluated(client, SEEN, told)
    assert assessment["gate"]["open"]
    assert [note["reference"] for note in assessment["notUnderstood"]] == ["Condition/c3"]


@pytest.mark.parametrize("name", NOT_IN_WORDS)
def test_other_words_make_no_noise(client: FlaskClient, name: str) -> None:
    said = {**HEALTHY, "id": "c3", "code": NOT_IN_WORDS[name]}
    assert hook(client, prefetch(conditions=bundle(HEALTHY, said))) == (200, {"cards": []})


@pytest.mark.parametrize("name", ENDED)
def test_a_twitch_in_words_that_is_over_is_named_and_refuses_nothing(client: FlaskClient, name: str) -> None:
    over = {**HEALTHY, "id": "c3", "code": {"text": "Fasciculation"}, **coded_status(name)}
    assert hook(client, prefetch(conditions=bundle(over))) == (200, {"cards": []})
    assert [note["reference"] for note in evaluated(client, over)["notUnderstood"]] == ["Condition/c3"]


def test_a_twitch_in_words_that_was_an_error_or_anothers_is_nothing(client: FlaskClient) -> None:
    told = {**HEALTHY, "id": "c3", "code": {"text": "Fasciculation"}}
    system = codes.TERMINOLOGY + "condition-ver-status"
    wrong = {**told, "verificationStatus": {"coding": [{"system": system, "code": "entered-in-error"}]}}
    other = {**told, "id": "c4", "subject": {"reference": "Patient/p2"}}
    sent = bundle(HEALTHY, wrong, other, {**told, "recordedDate": "2026-07-15"})
    assert hook(client, prefetch(conditions=sent)) == (200, {"cards": []})


def test_a_twitch_in_words_that_cannot_be_read_is_412(client: FlaskClient) -> None:
    broken = {**HEALTHY, "id": "c3", "code": {"text": "Fasciculation"}, **BROKEN}
    status, answer = hook(client, prefetch(conditions=bundle(HEALTHY, broken)))
    assert (status, len(answer["issue"])) == (412, 1)


def test_words_make_nothing_absent(client: FlaskClient) -> None:
    refuted = {**HEALTHY, "id": "c3", "code": {"text": "Fasciculation"}, **coded_status("refuted")}
    assert evaluated(client, {**SEEN, "recordedDate": "2026-06-01"}, refuted)["gate"]["open"]


STATUS = {"coding": [{"system": "https://ehr.example.org/status", "code": "active"}]}


@pytest.mark.parametrize("member", ["clinicalStatus", "verificationStatus"])
def test_a_twitch_whose_status_is_not_recognised_is_412_and_named(client: FlaskClient, member: str) -> None:
    unclear = {**SEEN, "id": "c3", member: STATUS}
    status, answer = hook(client, prefetch(conditions=bundle(HEALTHY, unclear)))
    assert status == 412
    (issue,) = answer["issue"]
    assert issue["expression"] == [f"Condition.{member}"]
    assert "(its status is not recognised)" in issue["diagnostics"]
    # Beside another twitch the card speaks, and says that something was not understood.
    status, answer = hook(client, prefetch(conditions=bundle(SEEN, unclear)))
    assert status == 200
    assert "not understood" in answer["cards"][0]["detail"]


@pytest.mark.parametrize(("problem", "place"), [({**SEEN, **BROKEN}, "[0].resource"), (7, "[0].resource")])
def test_a_new_problem_that_cannot_be_read_is_no_all_clear(
    client: FlaskClient, problem: Any, place: str
) -> None:
    response = client.post(
        "/cds-services/fasciculation-problem-list-item-create",
        json={
            "hook": "problem-list-item-create",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {
                "userId": "Practitioner/1",
                "patientId": "p1",
                "conditions": bundle(problem),
            },
            "prefetch": prefetch(),
        },
    )
    assert response.status_code == 412
    assert response.get_json()["issue"][0]["expression"] == [f"context.conditions.entry{place}"]
