"""What a context brings, in every shape that is read, and what it may not bring."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from tests.hooks.requests import (
    EXTENSION,
    Resource,
    answered,
    bundle,
    call,
    cards,
    orders,
    posted,
    prescription,
    request,
    typed,
)
from tests.hooks.situations import pending, problem
from tests.vignettes import codes, medicine_codes

V05 = "v05"
RX = prescription(V05, "escitalopram")
SELECTED = ["MedicationRequest/rx"]


@pytest.mark.parametrize("entry", [None, []])
def test_a_session_without_orders_is_silent(client: FlaskClient, entry: Any) -> None:
    draft_orders = {"resourceType": "Bundle", "entry": entry}
    assert cards(client, call("order-sign", V05, draftOrders=draft_orders)) == []
    assert cards(client, call("order-select", V05, draftOrders=draft_orders, selections=[])) == []


def test_the_form_opens_with_an_empty_order(client: FlaskClient) -> None:
    empty = {name: RX[name] for name in ("resourceType", "id", "status", "subject", "authoredOn")}
    assert cards(client, orders("order-select", V05, empty)) == []


@pytest.mark.parametrize(
    "selection",
    [
        "MedicationRequest/rx",
        "MedicationRequest/rx/_history/2",
        " MedicationRequest/rx ",
        "https://ehr.example.org/fhir/MedicationRequest/rx",
        "rx",
    ],
)
def test_a_selection_however_it_is_written(client: FlaskClient, selection: str) -> None:
    body = orders("order-select", V05, RX)
    body["context"]["selections"] = [selection]
    assert len(cards(client, body)) == 1


@pytest.mark.parametrize("selections", [[], ["MedicationRequest/other"], ["ServiceRequest/rx"], [""], ["/"]])
def test_a_selection_that_names_nothing_is_silent(client: FlaskClient, selections: list[str]) -> None:
    body = orders("order-select", V05, RX)
    body["context"]["selections"] = selections
    assert cards(client, body) == []


def test_a_full_url_can_be_selected(client: FlaskClient) -> None:
    name = "urn:uuid:6f3a5c1e-7d0c-4d3a-9d3e-0b7b2a1c5e11"
    draft = {key: value for key, value in RX.items() if key != "id"}
    draft_orders = {"entry": [{"fullUrl": name, "resource": draft}]}
    body = call("order-select", V05, draftOrders=draft_orders, selections=[name])
    assert len(cards(client, body)) == 1
    body["context"]["selections"] = ["urn:uuid:6f3a5c1e-7d0c-4d3a-9d3e-0b7b2a1c5e12"]
    assert cards(client, body) == []


def test_a_hundred_thousand_selections(client: FlaskClient) -> None:
    body = orders("order-select", V05, RX)
    body["context"]["selections"] = [*(f"MedicationRequest/{n}" for n in range(100_000)), *SELECTED]
    assert len(cards(client, body)) == 1


def test_the_other_drafts_are_counted_as_ordered_and_not_spoken_about(client: FlaskClient) -> None:
    body = orders("order-select", V05, prescription(V05, "furosemide"), request(V05, "panel"))
    body["context"]["selections"] = ["MedicationRequest/rx"]
    (card,) = cards(client, body)
    assert "Magnesium before or with" in card["summary"]


def test_a_draft_of_another_patient_is_not_used(client: FlaskClient) -> None:
    content = answered(client, orders("order-sign", V05, {**RX, "subject": {"reference": "Patient/v06"}}))
    assert content["cards"] == []
    assert [
        note["reference"] for note in content["extension"][EXTENSION]["assessment"]["notUsed"]
    ] == SELECTED


def test_a_draft_that_names_no_patient_is_of_the_one_in_the_context(client: FlaskClient) -> None:
    nameless = {key: value for key, value in RX.items() if key != "subject"}
    assert len(cards(client, orders("order-sign", V05, nameless))) == 1


def test_the_draft_itself_is_no_medicine_of_the_patient(client: FlaskClient) -> None:
    content = answered(client, orders("order-sign", V05, RX))
    assert content["extension"][EXTENSION]["assessment"]["drugs"] == []


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", None])
def test_an_order_that_is_signed_again_is_spoken_about(client: FlaskClient, status: str | None) -> None:
    changed = {**RX, "status": status} if status else {k: v for k, v in RX.items() if k != "status"}
    assert len(cards(client, orders("order-sign", V05, changed))) == 1


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "stopped", "completed"])
def test_a_prescription_that_is_ended_is_not(client: FlaskClient, status: str) -> None:
    assert cards(client, orders("order-sign", V05, {**RX, "status": status})) == []


@pytest.mark.parametrize("status", ["entered-in-error", "revoked", "completed"])
def test_a_request_that_is_ended_is_not(client: FlaskClient, status: str) -> None:
    assert cards(client, orders("order-sign", V05, request(V05, "emg", status=status))) == []
    # Nor is it counted as ordered.
    ended = request(V05, "panel", "ended", status=status)
    (card,) = cards(client, orders("order-sign", V05, request(V05, "potassium"), ended))
    assert "sodium, calcium, magnesium" in card["summary"]


def test_what_is_not_to_be_done_is_not_ordered(client: FlaskClient) -> None:
    for draft in ({**RX, "doNotPerform": True}, request(V05, "emg", doNotPerform=True)):
        assert cards(client, orders("order-sign", V05, draft)) == []


def test_an_order_on_file_that_is_signed_again_is_not_its_own_duplicate(client: FlaskClient) -> None:
    stored = pending(V05, "potassium", 5)
    again = {**request(V05, "potassium"), "id": stored["id"], "status": "active"}
    (card,) = cards(client, orders("order-sign", V05, again, stored=(stored,)))
    assert "pending" not in card["summary"]
    (other,) = cards(client, orders("order-sign", V05, request(V05, "potassium"), stored=(stored,)))
    assert "pending since" in other["summary"]


EMG = codes.concept(codes.LOINC, *codes.STUDIES["emg"])


@pytest.mark.parametrize(
    "draft",
    [
        {**request(V05, "emg"), "code": {"concept": EMG}},
        {**request(V05, "emg"), "resourceType": "ProcedureRequest"},
        {**request(V05, "emg"), "intent": "proposal"},
    ],
    ids=["R5", "STU3", "as suggested"],
)
def test_a_request_in_other_shapes(client: FlaskClient, draft: Resource) -> None:
    (card,) = cards(client, orders("order-select", V05, draft))
    assert card["summary"].startswith("EMG: nothing about the twitching")


def _medicine(**members: Any) -> Resource:
    kept = {key: value for key, value in RX.items() if key != "medicationCodeableConcept"}
    return {**kept, **members}


ESCITALOPRAM = medicine_codes.drug_concept("escitalopram", codes.RXNORM)


@pytest.mark.parametrize(
    "draft",
    [
        _medicine(medication={"concept": ESCITALOPRAM}),
        _medicine(
            medicationReference={"reference": "#m"},
            contained=[{"resourceType": "Medication", "id": "m", "code": ESCITALOPRAM}],
        ),
        _medicine(medicationReference={"reference": "Medication/none", "display": "Escitalopram 10 mg"}),
        typed(V05, "escitalopram 10mg tabs"),
    ],
    ids=["R5", "contained", "display", "text"],
)
def test_a_medicine_in_other_shapes(client: FlaskClient, draft: Resource) -> None:
    (card,) = cards(client, orders("order-select", V05, draft))
    assert card["summary"].startswith("Escitalopram")


def test_a_medication_of_the_same_bundle_is_found(client: FlaskClient) -> None:
    draft = _medicine(medicationReference={"reference": "Medication/m1"})
    medication = {"resourceType": "Medication", "id": "m1", "code": ESCITALOPRAM}
    body = call("order-sign", V05, draftOrders=bundle(draft, medication))
    assert len(cards(client, body)) == 1


def test_hostile_and_long_names_stay_text_and_fit(client: FlaskClient) -> None:
    for text in (
        "escitalopram <img src=x onerror=alert(1)>",
        "escitalopram " + "x" * 5000,
        "escitalopram\n# a",
    ):
        for card in cards(client, orders("order-sign", V05, typed(V05, text))):
            assert len(card["summary"]) < 140
            assert "<img" not in card["detail"]
            assert "\n# a" not in card["detail"]


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_412_only_where_the_drafts_are_a_matter_of_the_table(client: FlaskClient, hook: str) -> None:
    unseen = {"prefetch": {}}
    asked = posted(client, {**orders(hook, V05, RX), **unseen})
    assert asked == (412, ["prefetch.conditions", "prefetch.findings"])
    assert cards(client, {**orders(hook, V05, typed(V05, "amoxicillin 500 mg")), **unseen}) == []


def test_412_for_a_new_problem_only_where_the_table_reads_it(client: FlaskClient) -> None:
    def added(finding: Resource) -> Resource:
        return {**call("problem-list-item-create", V05, conditions=bundle(finding)), "prefetch": {}}

    fracture = problem(V05, "weakness", code={"text": "Fracture of ankle"})
    assert cards(client, added(fracture)) == []
    assert posted(client, added(problem(V05, "weakness")))[0] == 412
    # The twitch itself is enough: the card says what was not seen.
    (card,) = cards(client, added(problem(V05, "fasciculation")))
    assert "**Not seen:** the patient" in card["detail"]


def test_what_the_hook_asks_for_and_is_not_sent_is_named(client: FlaskClient) -> None:
    """The family's diseases support a study: an order hook asks for them too."""
    body = orders("order-sign", V05, RX)
    assert answered(client, body)["extension"][EXTENSION]["assessment"]["notSeen"] == []
    body["prefetch"].pop("familyHistory")
    body["prefetch"].pop("labs")
    assert "**Not seen:** laboratory results, family history." in cards(client, body)[0]["detail"]


def test_patient_view_brings_nothing_by_its_context(client: FlaskClient) -> None:
    plain = answered(client, call("patient-view", V05))
    more = call(
        "patient-view",
        V05,
        draftOrders=bundle(request(V05, "panel")),
        conditions=bundle(problem(V05, "weakness")),
    )
    assert answered(client, more) == plain


def test_under_one_id_the_hook_in_the_request_decides(knowledge: Knowledge) -> None:
    one = create_app(Config(public_base_url="https://cds.example", shared_service_id="twitch"), knowledge)
    client = one.test_client()
    services = client.get("/cds-services").get_json()["services"]
    assert {service["id"] for service in services} == {"twitch"}
    assert len({service["hook"] for service in services}) == 5
    for body, words in (
        (call("patient-view", V05), "15 days"),
        (orders("order-sign", V05, RX), "Escitalopram"),
        (call("encounter-discharge", "v50", encounterId="e1"), "Pending"),
    ):
        (card,) = client.post("/cds-services/twitch", json=body).get_json()["cards"]
        assert words in card["summary"]


def test_a_hook_of_another_service_is_400(client: FlaskClient) -> None:
    response = client.post("/cds-services/fasciculation-order-sign", json=orders("order-select", V05, RX))
    assert response.status_code == 400
    assert response.get_json()["issue"][0]["expression"] == ["hook"]


@pytest.mark.parametrize("encounter", ["e77", "Encounter/e77"])
def test_an_encounter_is_an_id_or_a_reference(client: FlaskClient, encounter: str) -> None:
    (card,) = cards(client, call("patient-view", V05, encounterId=encounter))
    orders_made = [a["resource"] for s in card["suggestions"] for a in s["actions"]]
    assert orders_made
    assert {made["encounter"]["reference"] for made in orders_made} == {"Encounter/e77"}


# New problems.


def test_a_problem_that_is_listed_already_does_not_double(client: FlaskClient) -> None:
    listed = call("patient-view", V05)["prefetch"]["conditions"]["entry"][0]["resource"]
    again = call("problem-list-item-create", V05, conditions=bundle(listed))
    (card,) = cards(client, again)
    (plain,) = cards(client, call("patient-view", V05))
    assert (card["summary"], card["detail"]) == (plain["summary"], plain["detail"])


def test_a_duplicate_under_another_id_changes_nothing_that_is_advised(client: FlaskClient) -> None:
    twice = call("problem-list-item-create", V05, conditions=bundle(problem(V05, "fasciculation")))
    (card,) = cards(client, twice)
    (plain,) = cards(client, call("patient-view", V05))
    assert card["summary"] == plain["summary"]


def test_a_new_problem_counts_as_new_even_if_the_list_holds_it_already(client: FlaskClient) -> None:
    added = problem(V05, "weakness")
    (card,) = cards(client, call("problem-list-item-create", V05, added, conditions=bundle(added)))
    assert "1. Weakness put on the problem list" in card["detail"]


@pytest.mark.parametrize("category", ["problem-list-item", {"text": "Problem"}, [{"text": "x"}], ["x"], None])
def test_a_category_however_it_is_written(client: FlaskClient, category: Any) -> None:
    added = problem(V05, "weakness", category=category)
    assert len(cards(client, call("problem-list-item-create", V05, conditions=bundle(added)))) == 1


def test_a_new_problem_that_is_not_read_is_silent(client: FlaskClient) -> None:
    for members in (
        {"code": {"text": "Fracture of ankle"}},
        {"verificationStatus": "entered-in-error"},
        {"subject": {"reference": "Patient/v06"}},
    ):
        added = problem(V05, "weakness", **members)
        assert cards(client, call("problem-list-item-create", V05, conditions=bundle(added))) == []


def test_a_new_problem_that_names_no_patient_is_not_used(client: FlaskClient) -> None:
    # Only the form of an order may leave it out.
    added = {key: value for key, value in problem(V05, "weakness").items() if key != "subject"}
    assert cards(client, call("problem-list-item-create", V05, conditions=bundle(added))) == []


def test_a_disease_that_closes_the_gate_gives_no_card(client: FlaskClient) -> None:
    added = problem(V05, "motor-neuron-disease")
    assert cards(client, call("problem-list-item-create", V05, conditions=bundle(added))) == []
