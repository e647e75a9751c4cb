"""A body that another address, or another member, would have taken: the answer says what belongs there."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.requests import applied
from tests.hooks.requests import orders, prescription, request

SIGN = "/cds-services/fasciculation-order-sign"
RX = prescription("v08", "salbutamol")


@pytest.mark.parametrize("data", [{"resourceType": "Bundle"}, {"resourceType": "Patient", "id": "p"}, None])
def test_parameters_for_evaluate_are_sent_on(client: FlaskClient, data: Any) -> None:
    response = client.post("/evaluate", json=applied(data))
    assert response.status_code == 422
    assert "post the Bundle in them" in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "drafts",
    [
        {"MedicationRequest": [RX]},
        {"R4": {"resourceType": "Bundle", "entry": [{"resource": RX}]}},
        {"medications": [RX], "orders": []},
        {"resource": RX},
    ],
)
def test_drafts_in_members_of_another_name_are_not_read_as_none(client: FlaskClient, drafts: Any) -> None:
    body = orders("order-sign", "v08", RX)
    body["context"]["draftOrders"] = drafts
    response = client.post(SIGN, json=body)
    assert response.status_code == 400
    (issue,) = response.get_json(force=True)["issue"]
    assert issue["expression"] == ["context.draftOrders.entry"]
    assert "is no Bundle" in issue["diagnostics"]


@pytest.mark.parametrize(
    "drafts",
    [
        {},
        {"resourceType": "Bundle"},
        {"type": "collection"},
        {"total": 0},
        {"entry": []},
        {"entry": [{"resource": request("v08", "mri")}]},
        {"entries": [{"resource": RX}]},
    ],
)
def test_drafts_of_a_lenient_bundle_are_taken(client: FlaskClient, drafts: Any) -> None:
    body = orders("order-sign", "v08", RX)
    body["context"]["draftOrders"] = drafts
    assert client.post(SIGN, json=body).status_code == 200
