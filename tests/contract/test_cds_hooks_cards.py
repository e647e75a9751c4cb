"""What CDS Hooks asks of cards, suggestions, actions and links, by the number of the requirement."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

import fhir.resources as R5
import pytest
from fhir.resources import R4B, STU3
from flask.testing import FlaskClient

from tests.contract.requests import EXAMPLES, SERVICE, example, hook_call

Content = dict[str, Any]
REASONS = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"


@pytest.fixture(scope="module")
def client(app: Any) -> FlaskClient:
    made: FlaskClient = app.test_client()
    return made


@pytest.fixture(scope="module")
def cards_by_file(client: FlaskClient) -> dict[str, list[Content]]:
    """Every card of every example, at every hook and by /evaluate."""
    found: dict[str, list[Content]] = {}
    for path in sorted(EXAMPLES.glob("*/*.json")):
        name = path.relative_to(EXAMPLES).as_posix()
        content = example(name)
        if content.get("resourceType") == "Bundle":
            answer = client.post("/evaluate?asOf=2026-06-15", json=content)
        else:
            answer = client.post(f"/cds-services/fasciculation-{content['hook']}", json=content)
        found[name] = answer.get_json()["cards"]
    return found


@pytest.fixture(scope="module")
def cards(cards_by_file: dict[str, list[Content]]) -> list[Content]:
    found = [card for listed in cards_by_file.values() for card in listed]
    assert len(found) >= 100
    assert len({card["indicator"] for card in found}) > 1
    return found


@pytest.fixture(scope="module")
def suggestions(cards: list[Content]) -> list[Content]:
    found = [one for card in cards for one in card.get("suggestions", ())]
    assert len(found) > 10
    return found


@pytest.fixture(scope="module")
def actions(suggestions: list[Content]) -> list[Content]:
    return [action for one in suggestions for action in one["actions"]]


@pytest.fixture(scope="module")
def links(cards: list[Content]) -> list[Content]:
    return [link for card in cards for link in card["links"]]


def is_absolute(url: Any) -> bool:
    return isinstance(url, str) and urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).netloc)


def texts(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, str) and value for value in values)


def test_cds_hooks_80_a_card_has_a_uuid_of_its_own(client: FlaskClient) -> None:
    ids = []
    for instance in ("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "0a1b2c3d-dfbe-44ad-ba6d-3e05e953b2ea"):
        answer = client.post(SERVICE, json=hook_call(hookInstance=instance)).get_json()
        ids += [card["uuid"] for card in answer["cards"]]
    assert all(str(uuid.UUID(found)) == found for found in ids)
    assert len(set(ids)) == len(ids) == 2


def test_cds_hooks_83_a_summary_has_fewer_than_140_characters(cards: list[Content]) -> None:
    assert all(0 < len(card["summary"]) < 140 for card in cards)


def test_cds_hooks_85_the_detail_is_markdown_without_html(cards: list[Content]) -> None:
    for card in cards:
        assert "<" not in card["detail"]
    # Lists, bold text and, between blank lines, a rule.
    details = "".join(f"{card['detail']}\n" for card in cards)
    assert all(mark in details for mark in ("\n1. ", "**", "\n\n---\n\n"))


def test_cds_hooks_87_the_indicator_is_always_there(cards: list[Content]) -> None:
    assert texts([card["indicator"] for card in cards])


def test_cds_hooks_88_the_indicator_is_one_of_three(cards: list[Content]) -> None:
    assert {card["indicator"] for card in cards} <= {"info", "warning", "critical"}


def test_cds_hooks_90_a_card_names_its_source(cards: list[Content]) -> None:
    assert all(isinstance(card["source"], dict) and card["source"]["label"] for card in cards)


def test_cds_hooks_92_suggestions_are_a_list_of_objects(suggestions: list[Content]) -> None:
    assert all(isinstance(one, dict) and one["actions"] for one in suggestions)


def test_cds_hooks_93_suggestions_come_with_a_selection_behaviour(cards: list[Content]) -> None:
    assert all("selectionBehavior" in card for card in cards if "suggestions" in card)


def test_cds_hooks_95_any_number_of_suggestions_may_be_taken(cards: list[Content]) -> None:
    assert {card["selectionBehavior"] for card in cards} == {"any"}


def test_cds_hooks_96_the_selection_behaviour_is_a_text(cards: list[Content]) -> None:
    assert texts([card["selectionBehavior"] for card in cards])


def test_cds_hooks_98_reasons_to_override_are_codings(cards: list[Content]) -> None:
    for card in cards:
        assert all({"system", "code"} <= set(reason) for reason in card["overrideReasons"])


def test_at_most_five_reasons_to_override(cards: list[Content]) -> None:
    for card in cards:
        codes = [reason["code"] for reason in card["overrideReasons"]]
        assert 1 <= len(codes) == len(set(codes)) <= 5


def test_cds_hooks_100_every_reason_to_override_has_a_display(cards: list[Content]) -> None:
    assert texts([reason["display"] for card in cards for reason in card["overrideReasons"]])


def test_cds_hooks_103_links_are_a_list_of_objects(cards: list[Content]) -> None:
    assert all(isinstance(card["links"], list) and card["links"] for card in cards)


def test_cds_hooks_105_a_source_has_a_label(cards: list[Content]) -> None:
    assert texts([card["source"]["label"] for card in cards])


def test_cds_hooks_107_the_url_of_a_source_is_absolute(cards: list[Content]) -> None:
    assert all(is_absolute(card["source"]["url"]) for card in cards)


def test_cds_hooks_109_the_url_of_a_source_is_the_same_for_every_patient(cards: list[Content]) -> None:
    assert len({card["source"]["url"] for card in cards}) == 1


def test_cds_hooks_110_what_is_about_this_card_is_a_link(cards: list[Content]) -> None:
    for card in cards:
        rows = card["extension"]["org.fasciculation-cds"]["rows"]
        (link,) = card["links"]
        path, _, fired = link["url"].partition("?rows=")
        assert urlsplit(path).path == "/knowledge"
        assert fired == ",".join(rows)
        assert link["label"] == "Why this card"


def test_a_source_has_no_icon(cards: list[Content]) -> None:
    assert not [card for card in cards if "icon" in card["source"]]


def test_cds_hooks_115_the_topic_of_a_source_is_a_coding(cards: list[Content]) -> None:
    topics = [card["source"]["topic"] for card in cards if "topic" in card["source"]]
    assert topics
    assert all({"system", "code"} <= set(topic) for topic in topics)


def test_cds_hooks_117_every_suggestion_has_a_label(suggestions: list[Content]) -> None:
    assert texts([one["label"] for one in suggestions])


def test_cds_hooks_119_every_suggestion_has_a_uuid_of_its_own(cards: list[Content]) -> None:
    for card in cards:
        ids = [one["uuid"] for one in card.get("suggestions", ())]
        assert all(str(uuid.UUID(found)) == found for found in ids)
        assert len(set(ids)) == len(ids)


def test_cds_hooks_121_recommended_are_orders_where_any_may_be_taken(cards: list[Content]) -> None:
    """Several may be recommended because the selection behaviour is "any"; an answer never is."""
    recommended = 0
    for card in cards:
        for one in card.get("suggestions", ()):
            kind = one["actions"][0]["resource"]["resourceType"]
            assert one.get("isRecommended", False) is (kind != "Observation")
            recommended += kind != "Observation"
        assert card["selectionBehavior"] == "any"
    assert recommended


def test_cds_hooks_124_actions_are_a_list(suggestions: list[Content]) -> None:
    assert all(isinstance(one["actions"], list) and one["actions"] for one in suggestions)


def test_cds_hooks_125_answers_that_exclude_each_other_are_two_suggestions(
    suggestions: list[Content],
) -> None:
    """All actions of a suggestion are taken together: yes and no are never in one."""
    observed = [
        {action["resource"]["valueBoolean"] for action in one["actions"]}
        for one in suggestions
        if one["actions"][0]["resource"]["resourceType"] == "Observation"
    ]
    assert {len(values) for values in observed} == {1}
    kinds = [{action["resource"]["resourceType"] for action in one["actions"]} for one in suggestions]
    assert all(len(kind) == 1 for kind in kinds)


def test_an_answer_says_whether_it_is_a_sign_or_a_symptom(suggestions: list[Content]) -> None:
    """An exam is read as examined, a survey as reported."""
    found: dict[str, set[str]] = {}
    for one in suggestions:
        for resource in (action["resource"] for action in one["actions"]):
            if resource["resourceType"] == "Observation":
                assert resource["status"] == "preliminary"
                (category,) = {
                    coding["code"] for listed in resource["category"] for coding in listed["coding"]
                }
                found.setdefault(resource["code"]["text"], set()).add(category)
    assert {"exam", "survey"} == set().union(*found.values())
    assert all(len(categories) == 1 for categories in found.values())


def test_the_label_of_an_order_says_its_urgency(suggestions: list[Content]) -> None:
    ends = {"urgent": ", urgent", "stat": ", today"}
    seen = set()
    for one in suggestions:
        for resource in (action["resource"] for action in one["actions"]):
            if "priority" in resource:
                seen.add(resource["priority"])
                label = one["label"].partition(" (replaces ")[0]
                urgent = label.endswith((*ends.values(),))
                assert label.endswith(ends.get(resource["priority"], "")), label
                assert urgent == (resource["priority"] != "routine")
    assert seen == {"routine", "urgent", "stat"}


def test_cds_hooks_127_every_action_has_a_type(actions: list[Content]) -> None:
    assert {action["type"] for action in actions} == {"create"}


def test_cds_hooks_128_every_action_has_a_description(actions: list[Content]) -> None:
    assert texts([action["description"] for action in actions])


def test_cds_hooks_130_the_resource_of_an_action_is_valid_fhir(
    cards_by_file: dict[str, list[Content]],
) -> None:
    models = {"R4B": R4B, "stu3": STU3, "r5": R5}
    validated = set()
    for name, cards in cards_by_file.items():
        version = next((one for one in ("stu3", "r5") if name.split("/")[0].endswith(f"-{one}")), "R4B")
        for resource in [
            a["resource"] for c in cards for s in c.get("suggestions", ()) for a in s["actions"]
        ]:
            models[version].get_fhir_model_class(resource["resourceType"]).model_validate(resource)
            validated.add(version)
    assert validated == set(models)


def test_cds_hooks_131_what_is_created_is_new(actions: list[Content]) -> None:
    assert all("id" not in action["resource"] and "resourceId" not in action for action in actions)


def test_cds_hooks_136_a_reason_to_override_is_readable(cards: list[Content]) -> None:
    for reason in cards[0]["overrideReasons"]:
        assert " " in reason["display"]
        assert reason["display"] != reason["code"]


def test_cds_hooks_138_every_link_has_a_label(links: list[Content]) -> None:
    assert texts([link["label"] for link in links])


def test_cds_hooks_139_every_link_has_a_url(links: list[Content]) -> None:
    assert all(is_absolute(link["url"]) for link in links)


def test_cds_hooks_141_every_link_has_a_type(links: list[Content]) -> None:
    assert texts([link["type"] for link in links])


def test_cds_hooks_142_every_link_is_taken_as_it_stands(links: list[Content]) -> None:
    assert {link["type"] for link in links} == {"absolute"}


def test_cds_hooks_147_an_absolute_link_has_no_context_of_an_app(links: list[Content]) -> None:
    assert not [link for link in links if "appContext" in link]


def codings(cards: list[Content]) -> list[Content]:
    topics = [card["source"]["topic"] for card in cards if "topic" in card["source"]]
    return [*topics, *(reason for card in cards for reason in card["overrideReasons"])]


def test_cds_hooks_216_every_coding_has_a_code(cards: list[Content]) -> None:
    assert texts([coding["code"] for coding in codings(cards)])


def test_cds_hooks_217_every_coding_has_a_system(cards: list[Content]) -> None:
    assert all(is_absolute(coding["system"]) for coding in codings(cards))


def test_cds_hooks_218_no_code_holds_a_blank(cards: list[Content]) -> None:
    assert not [coding for coding in codings(cards) if " " in coding["code"]]


def test_cds_hooks_219_every_coding_that_is_chosen_has_a_display(cards: list[Content]) -> None:
    assert texts([reason["display"] for card in cards for reason in card["overrideReasons"]])


def test_cds_hooks_220_a_topic_has_a_display_too(cards: list[Content]) -> None:
    assert texts([card["source"]["topic"]["display"] for card in cards if "topic" in card["source"]])


def test_cds_hooks_ballot_4_reasons_to_override_are_of_the_published_codes(cards: list[Content]) -> None:
    assert {reason["system"] for card in cards for reason in card["overrideReasons"]} == {REASONS}
