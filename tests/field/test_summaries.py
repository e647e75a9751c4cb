"""Resources of which a server sent some members alone (`_summary`, `_elements`): seen in part."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.field.test_lists import (
    OTHER,
    PATIENT,
    TWITCH,
    assessed,
    batch,
    evaluated,
    match,
    searchset,
    viewed,
)

Resource = dict[str, Any]
# As HAPI and Firely tag them: hl7.org/fhir/R4/search.html#summary.
TAG = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def summary(resource: Resource, *tags: Any) -> Resource:
    return {**resource, "meta": {"versionId": "1", "tag": list(tags or (TAG,))}}


IN_PART: dict[str, Resource] = {
    "alone": searchset(match(summary(OTHER)), total=1),
    "one-of-two": searchset(match({**OTHER, "id": "o2"}), match(summary(OTHER)), total=2),
    "without-the-system": searchset(match(summary(OTHER, {"code": "SUBSETTED"}))),
    "beside-other-tags": searchset(match(summary(OTHER, {"code": "HTEST"}, None, TAG))),
    "in-the-place-of-an-entry": searchset(summary(OTHER)),
    "in-entries": {"resourceType": "Bundle", "type": "searchset", "entries": [match(summary(OTHER))]},
    "one-tag-for-a-list": searchset(match({**OTHER, "meta": {"tag": TAG}})),
    "meta-of-another-shape": searchset(match({**OTHER, "meta": ["SUBSETTED"]})),
    "in-a-batch": batch({"response": {"status": "200"}, "resource": searchset(match(summary(OTHER)))}),
}
WHOLE: dict[str, Resource] = {
    "the-word-in-a-text": searchset(match({**OTHER, "note": [{"text": "SUBSETTED"}]})),
    "another-tag": searchset(match(summary(OTHER, {"code": "NOT-SUBSETTED"}))),
}


@pytest.mark.parametrize("name", IN_PART)
def test_conditions_in_summary_are_not_all_clear(client: FlaskClient, name: str) -> None:
    status, answer = viewed(client, IN_PART[name])
    assert status == 412
    assert "prefetch.conditions" in [place for issue in answer["issue"] for place in issue["expression"]]


@pytest.mark.parametrize("name", IN_PART)
def test_beside_a_twitch_the_list_is_named_on_the_card(client: FlaskClient, name: str) -> None:
    seen = {**TWITCH, "resourceType": "Observation", "status": "final", "valueBoolean": True}
    del seen["clinicalStatus"]
    _, answer = viewed(client, IN_PART[name], searchset(match(seen)))
    assert "conditions" in assessed(answer)["notSeen"]
    assert answer["cards"][0]["detail"].startswith("Conditions were not seen.")


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_no_summary_is_seen(client: FlaskClient, name: str) -> None:
    status, answer = viewed(client, WHOLE[name])
    assert (status, answer["cards"]) == (200, [])
    assert "conditions" not in assessed(answer)["notSeen"]


@pytest.mark.parametrize("tags", [(TAG,), ({"code": "SUBSETTED"}, {"code": "HTEST"})])
def test_in_a_bundle_the_lists_of_its_type_are_seen_in_part(
    client: FlaskClient, tags: tuple[Resource, ...]
) -> None:
    other = {**OTHER, "id": "o2"}
    whole = evaluated(client, match(PATIENT), match(TWITCH), match(other))
    cut = evaluated(client, match(PATIENT), match(TWITCH), match(summary(other, *tags)))
    assert set(cut["notSeen"]) - set(whole["notSeen"]) == {"conditions"}
    assert [note["why"] for note in cut["notUnderstood"]] == [
        "holds resources of which some members alone were sent (tag SUBSETTED): send them whole"
    ]
