"""The cards at every hook are the reviewed ones. `python -m tests.hooks.situations` writes them again."""

from __future__ import annotations

import pytest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.servicerequest import ServiceRequest
from flask.testing import FlaskClient

from service.cards.detail import MOST_LINES
from service.cards.parts import MOST_LINES_ABOVE, MOST_WORDS_ABOVE
from tests.hooks.requests import answered, cards
from tests.hooks.situations import DIRECTORY, SITUATIONS, page
from tools.openapi.answers import HookAnswerSchema

EACH = pytest.mark.parametrize("name", SITUATIONS)
# What no card about an order says, whatever it is about.
NEVER = (
    "do not prescribe",
    "do not order",
    "stop ",
    "discontinue",
    "avoid",
    "instead",
    "switch",
    "change the dose",
    "change the medicine",
)


@EACH
def test_the_cards_are_the_reviewed_ones(client: FlaskClient, name: str) -> None:
    assert page(client, name) == (DIRECTORY / f"{name}.md").read_text(encoding="utf-8")


def test_every_page_is_compared() -> None:
    assert {path.stem for path in DIRECTORY.glob("*.md")} == set(SITUATIONS)


@EACH
def test_every_answer_fits_its_schema(client: FlaskClient, name: str) -> None:
    assert HookAnswerSchema().validate(answered(client, SITUATIONS[name][1])) == {}


@EACH
def test_what_one_click_creates_is_valid_and_about_the_patient(client: FlaskClient, name: str) -> None:
    models = {"ServiceRequest": ServiceRequest, "Observation": Observation}
    asked = SITUATIONS[name][1]
    for card in cards(client, asked):
        uuids = [card["uuid"], *(one["uuid"] for one in card.get("suggestions", ()))]
        assert len(set(uuids)) == len(uuids)
        for action in [action for one in card.get("suggestions", ()) for action in one["actions"]]:
            assert action["type"] == "create"
            models[action["resource"]["resourceType"]].model_validate(action["resource"])
            assert action["resource"]["subject"] == {"reference": f"Patient/{asked['context']['patientId']}"}


@EACH
def test_no_card_tells_anyone_what_not_to_prescribe(client: FlaskClient, name: str) -> None:
    for card in cards(client, SITUATIONS[name][1]):
        text = f"{card['summary']} {card['detail']}".lower()
        assert [words for words in NEVER if words in text] == []


@EACH
def test_every_card_keeps_the_limits_of_the_work_up_card(client: FlaskClient, name: str) -> None:
    for card in cards(client, SITUATIONS[name][1]):
        detail = [line for line in card["detail"].splitlines() if line.strip()]
        above = [line for line in card["detail"].split("\n---")[0].splitlines() if line.strip()]
        assert len(card["summary"]) < 140
        assert len(above) <= MOST_LINES_ABOVE
        assert sum(len(line.split()) for line in above) <= MOST_WORDS_ABOVE
        assert len(detail) <= MOST_LINES
        assert len(card["links"]) == 1
        assert len(card["overrideReasons"]) <= 5
        assert "icon" not in card["source"]


@EACH
def test_no_two_cards_of_an_answer_have_one_content(client: FlaskClient, name: str) -> None:
    found = [(card["summary"], card["detail"]) for card in cards(client, SITUATIONS[name][1])]
    assert len(set(found)) == len(found)


@EACH
def test_uuids_of_one_answer_differ(client: FlaskClient, name: str) -> None:
    found = [card["uuid"] for card in cards(client, SITUATIONS[name][1])]
    assert len(set(found)) == len(found)


def test_every_hook_is_among_them_with_a_card_and_without() -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in DIRECTORY.glob("*.md")}
    silent = {(SITUATIONS[name][1]["hook"], "No card." in text) for name, text in pages.items()}
    hooks = ("order-sign", "problem-list-item-create", "encounter-discharge")
    assert {(hook, one) for hook in hooks for one in (True, False)} <= silent
    assert ("order-select", False) in silent
