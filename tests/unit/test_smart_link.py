"""The link to a site's form: on cards of what is asked, with what is open."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from service.config import Config, ConfigError
from tests.knowledge.published import RESOURCES
from tests.unit.one_card import CALL, RECORDS, card, decided

LAUNCH = "https://forms.example/launch"
FORM = RESOURCES["Questionnaire"]["fasciculation-assessment"]
LINK_IDS = {item["linkId"] for group in FORM["item"] for item in group["item"]}


def test_a_card_that_asks_leads_to_the_open_items_of_the_form() -> None:
    asking = 0
    for record in RECORDS:
        questions = decided(record).questions
        links = card(record, replace(CALL, smart_url=LAUNCH))["links"]
        if not any(question.on_card or question.forced for question in questions):
            assert [link["type"] for link in links] == ["absolute"]
            continue
        asking += 1
        smart = links[1]
        assert (smart["type"], smart["url"], smart["label"]) == ("smart", LAUNCH, "Record the examination")
        context = json.loads(smart["appContext"])
        assert set(context) == {"questionnaire", "linkIds"}
        assert context["questionnaire"] == FORM["url"]
        assert set(context["linkIds"]) <= LINK_IDS
        assert {name for question in questions for name in question.findings} <= set(context["linkIds"])
        named = {"birth-date" if q.id == "age" else q.id for q in questions if q.in_words}
        assert named <= set(context["linkIds"])
    assert 0 < asking < len(RECORDS)


def test_without_the_setting_no_card_has_the_link() -> None:
    assert {len(card(record)["links"]) for record in RECORDS} == {1}


@pytest.mark.parametrize("url", ["https://forms.example/launch", "http://127.0.0.1:3000/launch"])
def test_where_the_form_may_be(url: str) -> None:
    assert Config.from_environ({"SMART_FORM_URL": url}).smart_form_url == url


@pytest.mark.parametrize(
    "url", ["http://forms.example/launch", "ftp://forms.example", "forms.example", "https://u@forms.example"]
)
def test_where_it_may_not_be(url: str) -> None:
    with pytest.raises(ConfigError, match="SMART_FORM_URL: "):
        Config.from_environ({"SMART_FORM_URL": url})
