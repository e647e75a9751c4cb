"""Each list of a call in each state it can come in, with and without the caller's FHIR server."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from service.knowledge import Knowledge
from tests.contract.fhir_server import (
    OTHER,
    TYPES,
    FhirServer,
    Resource,
    assessment,
    call,
    record,
    site,
)
from tests.contract.requests import SERVICE

SAYS = {
    "patient": "the patient's own data",
    "conditions": "conditions",
    "findings": "examination and symptom records",
    "labs": "laboratory results",
    "examinations": "examinations",
    "medications": "prescriptions",
    "medicationStatements": "medicines reported by the patient",
    "orders": "orders",
    "procedures": "procedures",
    "reports": "reports of studies",
    "familyHistory": "family history",
}
FIRST = {
    "conditions": "Conditions were not seen.",
    "findings": "Examination and symptom records were not seen.",
}
ABSENT = object()
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
# state -> whether the list counts as seen, and whether the server is asked for it.
STATES = {
    "present": (True, False),
    "null": (True, False),
    "absent": (False, True),
    "outcome": (False, True),
    "empty": (True, False),
    "first-page": (False, True),
    "wrong-type": (False, True),
    "wrong-type-in-bundle": (False, True),
    "outcome-entry": (False, True),
    "not-a-resource": (False, True),
}
EACH_KEY = pytest.mark.parametrize("key", SAYS)
EACH_STATE = pytest.mark.parametrize("state", STATES)


@pytest.fixture(scope="module")
def asking(knowledge: Knowledge, fhir_servers: tuple[FhirServer, FhirServer]) -> FlaskClient:
    """A site that may ask that server."""
    return site(knowledge, fhir_servers[0]).test_client()


def in_state(key: str, state: str, server: FhirServer) -> Any:
    """The value of the key in that state."""
    value = record()[key]
    entries = value.get("entry", [{"resource": value}])
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    if state == "first-page":
        link = {"relation": "next", "url": f"{server.base}/{TYPES.get(key, 'Patient')}/more?key={key}&from=1"}
        return {**bundle, "entry": entries[:1], "link": [link]}
    wrong = {"resourceType": "Appointment", "id": "wrong", "status": "booked"}
    return {
        "present": value,
        "null": None,
        "absent": ABSENT,
        "outcome": OUTCOME,
        "empty": EMPTY,
        "wrong-type": wrong,
        "wrong-type-in-bundle": {**bundle, "entry": [{"resource": wrong}]},
        "outcome-entry": {
            **bundle,
            "entry": [*entries[:1], {"resource": OUTCOME, "search": {"mode": "outcome"}}],
        },
        "not-a-resource": {"entry": []},
    }[state]


def with_key(key: str, value: Any) -> Resource:
    prefetch = {**record(), key: value}
    return {name: held for name, held in prefetch.items() if held is not ABSENT}


def unseen(key: str, state: str) -> list[str]:
    """The keys that are not seen without a server."""
    # Nobody's own data is no data: null and no match say nothing of a patient.
    return [] if STATES[state][0] and not (key == "patient" and state in ("null", "empty")) else [key]


def detail_of(answer: Resource) -> str:
    text: str = answer["cards"][0]["detail"]
    return text


def notices(answer: Resource) -> tuple[list[str], list[str]]:
    """What the card says was not seen: above its rule, at its first line, and in its last one."""
    above, _, below = detail_of(answer).partition("\n\n---\n\n")
    lines = above.split("\n")
    assert not [line for line in lines[1:] if "not seen" in line]
    return [line for line in lines[:1] if "not seen" in line], [
        line for line in below.split("\n") if "Not seen" in line or "not understood" in line
    ]


def noticed(lacking: list[str], *, unread: bool = False) -> tuple[list[str], list[str]]:
    """What it has to say: the lists that the gate rests on come first."""
    first = [FIRST[key] for key in lacking if key in FIRST]
    last = [f"**Not seen:** {SAYS[key]}." for key in lacking]
    return first, [" ".join(last + ["1 entry was not understood."] * unread)] if last or unread else []


def posted(client: FlaskClient, body: Resource, status: int = 200) -> Resource:
    response = client.post(SERVICE, json=body)
    assert response.status_code == status, response.get_data(as_text=True)
    content: Resource = response.get_json(force=True)
    return content


@EACH_KEY
@EACH_STATE
def test_alone_without_a_server(client: FlaskClient, server: FhirServer, key: str, state: str) -> None:
    answer = posted(client, call(with_key(key, in_state(key, state, server)), None))
    lacking = unseen(key, state)
    assert assessment(answer)["notSeen"] == lacking
    unread = state in ("wrong-type", "wrong-type-in-bundle", "not-a-resource")
    assert notices(answer) == noticed(lacking, unread=unread)
    assert server.asked == []


@EACH_KEY
@EACH_STATE
def test_alone_with_a_server(asking: FlaskClient, server: FhirServer, key: str, state: str) -> None:
    server.page = 1 if state == "first-page" else 1000
    answer = posted(asking, call(with_key(key, in_state(key, state, server)), server.base))
    asked = STATES[state][1]
    assert set(server.keys) == ({key} if asked else set())
    assert assessment(answer)["notSeen"] == ([] if asked else unseen(key, state))
    if state == "first-page" and key != "patient":
        assert not any("from=1" not in path and "/more?" not in path for path, _ in server.asked)
    if asked:
        whole = posted(asking, call(record(), None))
        # A resource of the wrong kind is named; all else is as if everything had been sent.
        ours, theirs = assessment(answer), assessment(whole)
        for name in ("level", "rows", "recommendations", "questions", "results", "drugs", "orders"):
            assert ours[name] == theirs[name], name
        assert [card["summary"] for card in answer["cards"]] == [card["summary"] for card in whole["cards"]]


@EACH_KEY
def test_alone_where_the_server_refuses(asking: FlaskClient, server: FhirServer, key: str) -> None:
    server.lists.pop(key)
    answer = posted(asking, call(with_key(key, ABSENT), server.base))
    assert server.keys == [key]
    assert assessment(answer)["notSeen"] == [key]
    assert notices(answer) == noticed([key])


def test_cds_hooks_34_prefetch_and_fhir_server_give_the_same_card(
    asking: FlaskClient, server: FhirServer
) -> None:
    sent = posted(asking, call(record(), None))
    fetched = posted(asking, call(None, server.base))
    assert server.keys == [*SAYS, "questionnaireResponses"]
    assert assessment(fetched)["notSeen"] == []
    shorn = [{**answer["cards"][0], "links": None} for answer in (sent, fetched)]
    assert shorn[0] == shorn[1]


def test_pages_are_followed_to_the_last(asking: FlaskClient, server: FhirServer) -> None:
    server.page = 1
    sent = posted(asking, call(record(), None))
    fetched = posted(asking, call(None, server.base))
    assert assessment(fetched)["notSeen"] == []
    assert server.keys.count("findings") == len(record()["findings"]["entry"]) > 10
    assert fetched["cards"] == sent["cards"]


def test_cds_hooks_52_an_operation_outcome_is_not_an_empty_list(client: FlaskClient) -> None:
    for value in (OUTCOME, {**EMPTY, "entry": [{"resource": OUTCOME, "search": {"mode": "outcome"}}]}):
        answer = posted(client, call(with_key("labs", value), None))
        assert assessment(answer)["notSeen"] == ["labs"]


@pytest.mark.parametrize("key", ["conditions", "findings"])
def test_cds_hooks_54_what_cannot_be_had_is_412(asking: FlaskClient, server: FhirServer, key: str) -> None:
    """No twitch in what was seen, and the rest is in no prefetch and not to be had."""
    other = ({"conditions", "findings"} - {key}).pop()
    server.lists.pop(key)
    prefetch = {name: value for name, value in record().items() if name != key} | {other: None}
    (issue,) = posted(asking, call(prefetch, server.base), 412)["issue"]
    assert issue["expression"] == [f"prefetch.{key}"]
    assert issue["diagnostics"].endswith(f"send prefetch.{key}. fhirServer did not give them: not-found.")


def test_cds_hooks_54_what_can_be_had_is_not(asking: FlaskClient, server: FhirServer) -> None:
    server.lists |= {"conditions": EMPTY, "findings": EMPTY}
    assert posted(asking, call(None, server.base))["cards"] == []


def test_cds_hooks_60_the_server_is_asked_for_what_was_not_sent_alone(
    asking: FlaskClient, server: FhirServer
) -> None:
    prefetch = {name: value for name, value in record().items() if name not in ("labs", "orders")}
    posted(asking, call(prefetch, server.base))
    assert server.keys == ["labs", "orders"]


def test_cds_hooks_61_every_request_carries_the_token(asking: FlaskClient, server: FhirServer) -> None:
    server.page = 1
    posted(asking, call(None, server.base))
    assert {headers.get("Authorization") for _, headers in server.asked} == {"Bearer the-token-of-this-call"}
    assert not any("Cookie" in headers for _, headers in server.asked)


def test_cds_hooks_61_without_a_token_nothing_is_asked(asking: FlaskClient, server: FhirServer) -> None:
    body = call(with_key("labs", ABSENT), server.base)
    del body["fhirAuthorization"]
    assert assessment(posted(asking, body))["notSeen"] == ["labs"]
    assert server.asked == []


@pytest.mark.parametrize(
    "changed",
    [
        {"access_token": ""},
        {"access_token": None},
        {"access_token": 7},
        {"access_token": "a\r\nX-Other: b"},
        {"access_token": "a b"},
        {"access_token": "ä"},
        {"access_token": "a" * 8001},
        {"token_type": "MAC"},
        {"token_type": None},
        {"patient": OTHER},
        {"patient": f"Patient/{OTHER}"},
        {"patient": 7},
    ],
    ids=str,
)
def test_a_token_that_is_unfit_or_of_another_patient_is_not_used(
    asking: FlaskClient, server: FhirServer, changed: dict[str, Any]
) -> None:
    """A token of another patient would find nothing, and nothing found reads as nothing recorded."""
    body = call(with_key("labs", ABSENT), server.base)
    body["fhirAuthorization"] |= changed
    assert assessment(posted(asking, body))["notSeen"] == ["labs"]
    assert server.asked == []


def test_a_token_of_this_patient_is_used(asking: FlaskClient, server: FhirServer) -> None:
    body = call(with_key("labs", ABSENT), server.base + "/")
    body["fhirAuthorization"] |= {"patient": f"Patient/{body['context']['patientId']}"}
    assert assessment(posted(asking, body))["notSeen"] == []
    assert server.keys == ["labs"]


@pytest.mark.parametrize("patient_id", [".", ".."])
def test_an_id_that_is_a_path_leads_nowhere(asking: FlaskClient, server: FhirServer, patient_id: str) -> None:
    body = call(None, server.base)
    body["context"]["patientId"] = patient_id
    posted(asking, body, 412)
    assert server.asked
    assert all(path.startswith("/fhir/") and f"?patient={patient_id}" in path for path, _ in server.asked)


OLDER, NEWER = "2026-06-14T10:00:00Z", "2026-06-15T10:00:00Z"


def versions(first: dict[str, Any], second: dict[str, Any]) -> tuple[Resource, Resource]:
    """The same condition in two versions: the twitch of the record, and a refuted one."""
    twitch = record()["conditions"]["entry"][0]["resource"]
    refuted = {"coding": [{**twitch["verificationStatus"]["coding"][0], "code": "refuted"}]}
    return {**twitch, **first}, {**twitch, "verificationStatus": refuted, **second}


@pytest.mark.parametrize(
    ("sent", "fetched", "open_gate"),
    [
        ({"meta": {"lastUpdated": NEWER}}, {"meta": {"lastUpdated": OLDER}}, True),
        ({"meta": {"lastUpdated": OLDER}}, {"meta": {"lastUpdated": NEWER}}, False),
        ({}, {}, True),
        ({"meta": {"versionId": "2"}}, {"meta": {"versionId": "2"}}, True),
    ],
)
def test_the_newest_version_wins_and_of_equal_ones_what_was_sent(
    asking: FlaskClient, server: FhirServer, sent: dict[str, Any], fetched: dict[str, Any], open_gate: bool
) -> None:
    ours, theirs = versions(sent, fetched)
    outcome = {"resource": OUTCOME, "search": {"mode": "outcome"}}
    prefetch = {**record(), "findings": None, "conditions": {**EMPTY, "entry": [{"resource": ours}, outcome]}}
    server.lists["conditions"] = {**EMPTY, "entry": [{"resource": theirs}]}
    assert assessment(posted(asking, call(prefetch, server.base)))["gate"]["open"] == open_gate
    assert server.keys == ["conditions"]


def test_every_list_has_its_type_here() -> None:
    assert set(TYPES) | {"patient"} == set(SAYS)
    for key in TYPES:
        assert len(record()[key]["entry"]) > 1


CONTEXT_OF = {
    "patient-view": {},
    "order-select": {"selections": ["MedicationRequest/draft"], "draftOrders": {"entry": []}},
    "order-sign": {"draftOrders": {"entry": []}},
    "problem-list-item-create": {"conditions": {"entry": []}},
    "encounter-discharge": {"encounterId": "visit-1"},
}


@pytest.mark.parametrize("hook", CONTEXT_OF)
def test_every_hook_fetches_its_own_lists(
    asking: FlaskClient, server: FhirServer, knowledge: Knowledge, hook: str
) -> None:
    assert {entry["hook"] for entry in knowledge.hooks} == set(CONTEXT_OF)
    (entry,) = (entry for entry in knowledge.hooks if entry["hook"] == hook)

    def answer(prefetch: dict[str, Any] | None, base: str | None) -> Resource:
        body = call(prefetch, base, hook=hook)
        body["context"] |= CONTEXT_OF[hook]
        content: Resource = asking.post(f"/cds-services/{entry['id']}", json=body).get_json()
        return content

    own = {key: value for key, value in record().items() if key in entry["prefetch"]}
    sent, fetched = answer(own, None), answer(None, server.base)
    assert server.keys == list(entry["prefetch"])
    assert assessment(fetched)["notSeen"] == []
    assert assessment(fetched)["rows"] == assessment(sent)["rows"]
    assert fetched["cards"] == sent["cards"]


def test_an_id_ends_where_it_ends(asking: FlaskClient, server: FhirServer) -> None:
    """With a line break a server knows no such patient, and nothing found reads as nothing recorded."""
    body = call(None, server.base)
    whole = posted(asking, body)
    body["context"]["patientId"] += "\n"
    assert posted(asking, body) == whole
    assert not any("%0A" in path or "\n" in path for path in map(str, server.asked))


def test_a_fetched_page_with_an_outcome_is_seen_in_part(asking: FlaskClient, server: FhirServer) -> None:
    entries = [*record()["labs"]["entry"], {"resource": OUTCOME, "search": {"mode": "outcome"}}]
    server.lists["labs"] = {**EMPTY, "entry": entries}
    answer = posted(asking, call(with_key("labs", ABSENT), server.base))
    assert assessment(answer)["notSeen"] == ["labs"]


def test_a_first_page_with_an_outcome_is_fetched_whole(asking: FlaskClient, server: FhirServer) -> None:
    """What the outcome speaks of may stand on that very page."""
    first = in_state("labs", "first-page", server)
    first["entry"].append({"resource": OUTCOME, "search": {"mode": "outcome"}})
    answer = posted(asking, call(with_key("labs", first), server.base))
    assert assessment(answer)["notSeen"] == []
    assert ["/more?" in path for path, _ in server.asked] == [False]
