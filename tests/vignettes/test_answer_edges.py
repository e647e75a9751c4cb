"""An answer that is given twice, taken back, contradicted, old, or about a patient who is hard to name."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from flask.testing import FlaskClient

from tests.vignettes import codes
from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.ehr import Reply, Resource, ask, call, evaluate, saved, with_findings
from tests.vignettes.patient import AS_OF, BY_ID
from tests.vignettes.test_next_question import (
    Choice,
    always,
    asked_by,
    check_card,
    check_step,
    clicked,
    essence,
)

BARE = BY_ID["v44"]


def answer_to(reply: Reply, name: str, there: bool) -> Resource:
    """The Observation that the card offers for that answer."""
    offered = {asked_by(resource): resource for resource in reply.answers}
    return offered[name, there]


def finding(reply: Reply, name: str) -> Resource:
    (found,) = [one for one in reply.assessment["findings"] if one["id"] == name]
    return found


def asked(client: FlaskClient, *stored: Resource) -> Reply:
    return ask(client, "prefetch", BARE, stored)


@pytest.fixture
def bare(client: FlaskClient) -> Reply:
    return asked(client)


def test_the_same_click_twice_is_one_answer(client: FlaskClient, bare: Reply) -> None:
    answer = answer_to(bare, "weakness", True)
    once, twice = (
        asked(client, saved(answer, "one")),
        asked(client, saved(answer, "one"), saved(answer, "two")),
    )
    assert essence(twice) == essence(once)
    assert finding(twice, "weakness")["conflict"] is False
    assert len(finding(twice, "weakness")["evidence"]) == 2


@pytest.mark.parametrize("first", [True, False])
def test_of_both_clicks_of_a_day_present_wins_and_the_card_says_so(
    client: FlaskClient, bare: Reply, first: bool
) -> None:
    pair = [answer_to(bare, "weakness", there) for there in (first, not first)]
    both = asked(client, *(saved(one, f"answer-{number}") for number, one in enumerate(pair)))
    found = finding(both, "weakness")
    assert (found["status"], found["basis"], found["conflict"]) == ("present", "examined", True)
    alone = asked(client, saved(answer_to(bare, "weakness", True), "answer-0"))
    assert essence(both) == essence(alone)
    assert both.card is not None
    assert "(not used)" in both.card["detail"]
    assert sorted(one["used"] for one in found["evidence"]) == [False, True]


@pytest.mark.parametrize("told", [True, False])
def test_of_one_day_what_was_examined_beats_what_was_told(
    client: FlaskClient, bare: Reply, told: bool
) -> None:
    report = {
        **saved(answer_to(bare, "weakness", told), "told"),
        "performer": [{"reference": f"Patient/{BARE.id}"}],
    }
    examined = saved(answer_to(bare, "weakness", not told), "examined")
    found = finding(asked(client, report, examined), "weakness")
    assert (found["status"], found["basis"]) == ("absent" if told else "present", "examined")


def test_an_answer_taken_back_is_asked_again(client: FlaskClient, bare: Reply) -> None:
    answer = saved(answer_to(bare, "weakness", True), "answer")
    assert asked(client, answer).assessment["level"] == "warning"
    back = asked(client, {**answer, "status": "entered-in-error", "meta": {"versionId": "2"}})
    assert essence(back) == essence(bare)
    assert back.answers == bare.answers


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "preliminary"])
def test_a_confirmed_answer_says_the_same(client: FlaskClient, bare: Reply, status: str) -> None:
    answer = saved(answer_to(bare, "weakness", True), "answer")
    assert essence(asked(client, {**answer, "status": status})) == essence(asked(client, answer))


def later(client: FlaskClient, days: int, *stored: Resource) -> Reply:
    """The bare code so many days on, when the twitch is still on the problem list."""
    bundle = BUNDLES["snomed"](BARE)
    bundle["entry"] += [{"resource": resource} for resource in stored]
    day = AS_OF + timedelta(days=days)
    content = client.post(f"/evaluate?asOf={day}", json=bundle).get_json()
    return Reply(content["cards"][0], content["assessment"])


@pytest.mark.parametrize(("days", "status"), [(180, "absent"), (181, "unknown")])
def test_an_answer_speaks_for_half_a_year(client: FlaskClient, bare: Reply, days: int, status: str) -> None:
    answer = saved(answer_to(bare, "sensory-loss", False), "answer")
    reply = later(client, days, answer)
    assert finding(reply, "sensory-loss")["status"] == status
    assert ("sensory-loss" in reply.asked) is (status == "unknown")
    if status == "unknown":
        (evidence,) = finding(reply, "sensory-loss")["evidence"]
        assert evidence["used"] is False
        assert essence(reply) == essence(later(client, days))
        new = saved(answer_to(reply, "sensory-loss", False), "new")
        assert new["effectiveDateTime"] == str(AS_OF + timedelta(days=days))
        assert finding(later(client, days, answer, new), "sensory-loss")["status"] == "absent"


def test_nobody_is_asked_about_the_dead(client: FlaskClient, bare: Reply) -> None:
    prefetch = DIALECTS["prefetch"](BARE)
    prefetch["patient"]["deceasedDateTime"] = AS_OF.isoformat()
    answer = saved(answer_to(bare, "weakness", True), "answer")
    for found in (prefetch, with_findings(prefetch, (answer,))):
        reply = call(client, BARE.id, found)
        assert reply.card is None
        assert reply.assessment["level"] == "none"
        assert reply.assessment["questions"] == []


TWITCH = {
    "resourceType": "Condition",
    "code": codes.finding_concept("fasciculation", codes.SNOMED),
    "recordedDate": AS_OF.isoformat(),
}
NAMELESS = "urn:uuid:8f4e1c52-0a43-4f0c-9e52-6f1f7f6d4b11"


def bundle_of(patient: Resource, *others: Resource) -> Resource:
    entries = [patient, *({"resource": other} for other in others)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.mark.parametrize("name", [NAMELESS, f"urn:uuid:{NAMELESS[9:].upper()}", NAMELESS.upper()])
def test_a_patient_without_an_id_is_answered_by_the_full_url(client: FlaskClient, name: str) -> None:
    patient = {"fullUrl": name, "resource": {"resourceType": "Patient", "birthDate": "1980-02-03"}}
    twitch = {**TWITCH, "id": "t", "subject": {"reference": name}}
    before = evaluate(client, bundle_of(patient, twitch))
    answer = answer_to(before, "weakness", True)
    assert answer["subject"] == {"reference": name}
    Observation.model_validate(answer)
    after = evaluate(client, bundle_of(patient, twitch, saved(answer, "answer")))
    assert finding(after, "weakness")["status"] == "present"
    assert after.assessment["level"] == before.asked["weakness"]["ifPresent"]["level"]


def test_of_a_patient_whom_nothing_names_no_record_is_used(client: FlaskClient) -> None:
    patient = {"resource": {"resourceType": "Patient", "birthDate": "1980-02-03"}}
    reply = evaluate(client, bundle_of(patient, {**TWITCH, "id": "t"}))
    assert reply.card is None
    assert [note["reference"] for note in reply.assessment["notUsed"]] == ["Condition/t"]


def test_without_the_list_of_findings_an_answer_opens_it(client: FlaskClient) -> None:
    prefetch = DIALECTS["prefetch"](BARE)
    unseen = {name: value for name, value in prefetch.items() if name != "findings"}
    before = call(client, BARE.id, unseen)
    assert "findings" in before.assessment["notSeen"]
    check_card(before, BARE.id)
    answer = saved(answer_to(before, "weakness", False), "answer")
    after = call(
        client, BARE.id, with_findings({**prefetch, "findings": {"resourceType": "Bundle"}}, (answer,))
    )
    assert "findings" not in after.assessment["notSeen"]
    check_step(before, (("weakness", False),), after)


def walk_of(client: FlaskClient, prefetch: dict[str, Any], choose: Any) -> tuple[list[Choice], Reply]:
    """Clicks until nothing can be clicked; every step and card is checked."""
    stored: dict[Choice, Resource] = {}
    before = call(client, BARE.id, prefetch)
    check_card(before, BARE.id)
    while before.clicks:
        offered = {clicked(resources): resources for resources in before.clicks}
        click = choose(list(offered))
        for answer, resource in zip(click, offered[click], strict=True):
            stored[answer] = saved(resource, f"answer-{len(stored)}")
        after = call(client, BARE.id, with_findings(prefetch, tuple(stored.values())))
        check_card(after, BARE.id)
        check_step(before, click, after)
        before = after
    return list(stored), before


def without_conditions() -> dict[str, Any]:
    """The twitch is on record as an Observation, and the problem list was not seen."""
    prefetch = DIALECTS["prefetch"](BARE)
    twitch = {
        "resourceType": "Observation",
        "id": "twitch",
        "status": "final",
        "code": codes.finding_concept("fasciculation", codes.SNOMED),
        "subject": {"reference": f"Patient/{BARE.id}"},
        "effectiveDateTime": AS_OF.isoformat(),
        "valueBoolean": True,
        "category": [{"coding": [{"code": "exam"}]}],
    }
    seen = with_findings(prefetch, (twitch,))
    return {name: value for name, value in seen.items() if name != "conditions"}


@pytest.mark.parametrize("there", [True, False])
def test_without_the_problem_list_answers_count_as_ever(client: FlaskClient, there: bool) -> None:
    prefetch = without_conditions()
    chosen, last = walk_of(client, prefetch, always(there))
    assert chosen
    assert last.assessment["notSeen"] == ["conditions"]
    assert last.card is not None
    # What was not seen is said first, after an urgent action: it is the list that is missing, not an answer.
    paragraphs = last.card["detail"].split("\n\n")
    assert "Conditions were not seen." in paragraphs[: 2 if there else 1]
    assert not {"multiple-sclerosis", "heart-failure"} & set(last.asked)


def child() -> dict[str, Any]:
    prefetch = DIALECTS["prefetch"](BARE)
    prefetch["patient"]["birthDate"] = date(AS_OF.year - 8, 1, 1).isoformat()
    return prefetch


@pytest.mark.parametrize("there", [True, False])
def test_a_child_gets_no_tests_of_adults(client: FlaskClient, there: bool) -> None:
    chosen, last = walk_of(client, child(), always(there))
    assert chosen
    recommended = {one["id"]: one["urgency"] for one in last.assessment["recommendations"]}
    assert not set(recommended) & {
        "emg",
        "ncs",
        "mri",
        "autoimmune",
        "vitamin-b12",
        "creatine-kinase",
        "self-care",
    }
    assert recommended.get("neurology-referral") == ("now" if there else None)


def test_an_answer_of_another_patient_answers_nothing(client: FlaskClient, bare: Reply) -> None:
    answer = saved(answer_to(bare, "weakness", True), "answer")
    other = {**answer, "subject": {"reference": "Patient/other"}}
    assert essence(asked(client, other)) == essence(bare)
