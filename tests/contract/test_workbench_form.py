"""POST /workbench/form without a browser: the form on the record that is shown, and what its answers do."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.knowledge import HERE, Knowledge, load_knowledge
from service.knowledge.form import groups_of
from tests.contract.pages import Element, Page
from tests.contract.requests import example, hook_call
from tests.spec.forms import FORM, ITEMS, NO, OFFERED, YES

DAY = "2026-06-15"
UNEXAMINED = json.dumps(example("unexamined-forearm/bundle.json"))
WEAK = {"answer.weakness": YES["code"]}
HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'


def as_shown(page: Page) -> dict[str, list[str]]:
    """What a browser would post of the form as it is."""
    (form,) = [e for e in page.root.all("form") if e.attributes.get("id") == "assessment"]
    fields: dict[str, list[str]] = {}
    for field in form.all("input"):
        attributes = field.attributes
        skipped = attributes["type"] in ("radio", "checkbox") and "checked" not in attributes
        if "name" in attributes and not skipped:
            fields.setdefault(attributes["name"], []).append(attributes["value"])
    return fields


def answered(client: FlaskClient, text: str, answers: dict[str, Any], author: str = "clinician") -> Page:
    """The form as it is shown of that record, with those answers changed and posted."""
    shown = client.post("/workbench/answer", json={"text": text, "asOf": DAY, "chosen": True}).get_json()
    fields: dict[str, Any] = as_shown(Page(f"<body>{shown['html']}</body>"))
    reply = client.post("/workbench/form", data={**fields, "author": author, **answers})
    assert reply.status_code == 200
    page = Page(reply.get_data(as_text=True))
    assert page.problems == []
    assert len(set(page.ids)) == len(page.ids)
    return page


def element(page: Page, name: str) -> Element:
    (found,) = [e for e in page.root.all(*page.tags) if e.attributes.get("id") == name]
    return found


def level(page: Page, side: str) -> str:
    return element(page, side).all("span")[0].text


def text_of(page: Page) -> str:
    return "".join(element(page, "request").pieces).removeprefix("\n")


def responses(text: str) -> list[dict[str, Any]]:
    document = json.loads(text)
    held = document["prefetch"]["questionnaireResponses"] if "hook" in document else document
    found = [entry["resource"] for entry in held["entry"]]
    return [resource for resource in found if resource["resourceType"] == "QuestionnaireResponse"]


def given(response: dict[str, Any]) -> dict[str, list[Any]]:
    items = [item for group in response["item"] for item in group["item"]]
    return {item["linkId"]: [next(iter(answer.values())) for answer in item["answer"]] for item in items}


def ticked(page: Page) -> set[tuple[str, str]]:
    fields = as_shown(page).items()
    return {
        (name, value) for name, values in fields for value in values if name.startswith("answer.") and value
    }


def test_the_form_is_the_published_one(knowledge: Knowledge) -> None:
    groups = groups_of(knowledge)
    assert [(group.link, group.text) for group in groups] == [(g["linkId"], g["text"]) for g in FORM["item"]]
    for group, published in zip(groups, FORM["item"], strict=True):
        when = {(one["question"], one["answerCoding"]["code"]) for one in published.get("enableWhen", ())}
        assert group.when == when, group.link
        for item, its in zip(group.items, published["item"], strict=True):
            assert (item.link, item.text) == (its["linkId"], its["text"])
            kinds = {"date": "date"}.get(item.type, "choice")
            assert (kinds, item.type in ("sites", "courses")) == (its["type"], its.get("repeats", False))
            offered = OFFERED[its["answerValueSet"][1:]] if "answerValueSet" in its else []
            options = [(option.system, option.code, option.display) for option in item.options]
            assert options == [(one["system"], one["code"], one["display"]) for one in offered]


def test_the_page_draws_every_item_in_its_order(client: FlaskClient) -> None:
    page = Page(client.get("/?example=unexamined-forearm").get_data(as_text=True))
    (form,) = [e for e in page.root.all("form") if e.attributes.get("id") == "assessment"]
    drawn = [
        e.attributes["id"] for e in form.all("fieldset", "p") if e.attributes.get("id", "")[:6] == "field-"
    ]
    assert drawn == [f"field-{name}" for name in ("author", *ITEMS)]
    for link, item in ITEMS.items():
        assert item["text"] in element(page, f"field-{link}").text
    codes = [e.attributes["value"] for e in element(page, "field-site").all("input")]
    assert codes == [one["code"] for one in OFFERED["sites"]]


def test_it_is_filled_in_from_the_record(client: FlaskClient) -> None:
    page = Page(client.get("/?example=thigh-day-fifteen").get_data(as_text=True))
    shown = as_shown(page)
    assert shown["answer.weakness"] == [NO["code"]]
    assert shown["answer.onset"] == ["2026-05-31"]
    assert [one["display"] for one in OFFERED["sites"] if [one["code"]] == shown["answer.site"]] == [
        "right thigh"
    ]
    assert shown["answer.rigidity"] == [""]
    assert "On record: absent, examined 2026-06-15" in element(page, "known-weakness").text
    assert "answer.birth-date" not in shown
    assert element(page, "date-birth-date").attributes["value"]


def test_an_answer_is_added_and_both_cards_are_shown(client: FlaskClient) -> None:
    page = answered(client, UNEXAMINED, WEAK)
    assert (level(page, "before"), level(page, "after")) == ("info", "warning")
    assert "not examined" in element(page, "before").text
    assert "Refer to neurology" in element(page, "after").text
    text = text_of(page)
    (response,) = responses(text)
    assert response["questionnaire"].partition("|")[0] == FORM["url"]
    assert given(response) == {"weakness": [YES]}
    # Nothing else of the record has changed, and any caller gets that answer.
    kept = [e for e in json.loads(text)["entry"] if e["resource"]["id"] != response["id"]]
    assert kept == json.loads(UNEXAMINED)["entry"]
    reply = client.post(f"/evaluate?asOf={DAY}", data=text, content_type="application/fhir+json").get_json()
    assert reply["cards"][0]["summary"] in element(page, "after").text
    assert reply["assessment"]["notUnderstood"] == reply["assessment"]["notUsed"] == []


def test_the_author_decides_whether_it_was_examined(client: FlaskClient) -> None:
    for author, basis in (("clinician", "examined"), ("patient", "reported")):
        page = answered(client, UNEXAMINED, WEAK, author)
        assert f"On record: present, {basis}" in element(page, "known-weakness").text
    unsaid = answered(client, UNEXAMINED, WEAK, "")
    assert "Say who answers" in element(unsaid, "wrong-author").text
    assert ("answer.weakness", YES["code"]) in ticked(unsaid)
    assert "QuestionnaireResponse" not in text_of(unsaid)
    assert "Say who answers" in element(answered(client, UNEXAMINED, WEAK, "nurse"), "wrong-author").text


def test_what_is_on_record_is_neither_said_again_nor_replaced(client: FlaskClient) -> None:
    bundle = json.dumps(example("thigh-day-fifteen/bundle.json"))
    same = answered(client, bundle, {})
    assert "No answer differs from the record" in same.text
    assert "QuestionnaireResponse" not in text_of(same)
    emptied = answered(client, bundle, {"answer.weakness": "", "answer.site": []})
    assert "Is there weakness on examination? No is still on record" in emptied.text
    assert "Where does it twitch? right thigh is still on record" in emptied.text
    left = next(one for one in OFFERED["sites"] if one["display"] == "left thigh")
    right = next(one for one in OFFERED["sites"] if one["display"] == "right thigh")
    more = answered(client, bundle, {"answer.site": [left["code"], right["code"]]})
    (response,) = responses(text_of(more))
    assert given(response) == {"site": [left]}


def test_an_answer_of_the_form_is_amended_and_taken_back(client: FlaskClient) -> None:
    first = text_of(answered(client, UNEXAMINED, {**WEAK, "answer.bulbar": NO["code"]}))
    other = text_of(answered(client, first, {"answer.cramps": YES["code"]}, "patient"))
    assert [given(response) for response in responses(other)] == [
        {"weakness": [YES], "bulbar": [NO]},
        {"cramps": [YES]},
    ]
    amended = text_of(answered(client, other, {"answer.weakness": NO["code"]}))
    assert {"weakness": [NO], "bulbar": [NO]} in [given(response) for response in responses(amended)]
    back = answered(client, first, {"answer.weakness": "", "answer.bulbar": ""})
    assert "Is there weakness on examination? Taken back." in back.text
    assert responses(text_of(back)) == []


def test_a_response_that_the_form_did_not_write_is_not_replaced(client: FlaskClient) -> None:
    own = json.loads(text_of(answered(client, UNEXAMINED, WEAK)))
    odd: Any
    for odd in ({}, [{"item": 7}], [{"linkId": "group-pain", "item": [{"linkId": "x", "answer": []}]}]):
        own["entry"][-1]["resource"]["item"] = odd
        page = answered(client, json.dumps(own), {"answer.bulbar": NO["code"]})
        assert f"has an entry form-clinician-{DAY} that this form did not write" in page.text
        assert json.loads(text_of(page)) == own


@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
def test_the_answers_join_the_prefetch_of_a_hook_request(client: FlaskClient, hook: str) -> None:
    call = {**example(f"unexamined-forearm/{hook}.json")}
    page = answered(client, json.dumps(call), WEAK)
    assert given(responses(text_of(page))[0]) == {"weakness": [YES]}
    assert "On record: present, examined" in element(page, "known-weakness").text
    both = answered(client, text_of(page), {"answer.bulbar": NO["code"]})
    assert given(responses(text_of(both))[0]) == {"weakness": [YES], "bulbar": [NO]}


def test_a_group_waits_for_its_answers(client: FlaskClient) -> None:
    page = Page(client.get("/?example=unexamined-forearm").get_data(as_text=True))
    for link in ("group-weakness-start", "group-breathing"):
        assert "hidden" in element(page, link).attributes
    weak = answered(client, UNEXAMINED, WEAK)
    for link in ("group-weakness-start", "group-breathing"):
        assert "hidden" not in element(weak, link).attributes
    # An answer to what is not asked is not recorded, and is not lost.
    start = {"answer.weakness-start": "1 May 2026", "answer.bulbar": NO["code"]}
    unasked = answered(client, UNEXAMINED, start)
    assert given(responses(text_of(unasked))[0]) == {"bulbar": [NO]}
    assert "When did the weakness begin? Not recorded" in unasked.text
    dated = answered(client, text_of(weak), start)
    assert given(responses(text_of(dated))[0])["weakness-start"] == ["2026-05-01"]
    assert as_shown(dated)["answer.weakness-start"] == ["2026-05-01"]
    # Without its weakness a beginning goes too.
    back = answered(client, text_of(dated), {"answer.weakness": ""})
    assert given(responses(text_of(back))[0]) == {"bulbar": [NO]}
    wrong = answered(client, UNEXAMINED, {"answer.weakness-start": "soon"})
    assert "hidden" not in element(wrong, "group-weakness-start").attributes


def test_a_day_of_weakness_on_record_brings_its_yes_along(client: FlaskClient) -> None:
    theirs = text_of(answered(client, UNEXAMINED, WEAK, "patient"))
    page = answered(client, theirs, {"answer.weakness-start": "05/2026"})
    assert given(responses(text_of(page))[1]) == {"weakness": [YES], "weakness-start": ["2026-05"]}
    assert as_shown(page)["answer.weakness-start"] == ["2026-05"]


def test_a_wrong_date_is_refused_beside_its_field_and_everything_is_kept(client: FlaskClient) -> None:
    page = answered(client, UNEXAMINED, {**WEAK, "answer.onset": "3/4/2026"})
    wrong = element(page, "wrong-onset").text
    assert wrong == "The day could be the month. Write 2026-04-03 or 2026-03-04."
    field = element(page, "date-onset").attributes
    assert (field["value"], field["aria-invalid"]) == ("3/4/2026", "true")
    assert "wrong-onset" in field["aria-describedby"]
    assert ("answer.weakness", YES["code"]) in ticked(page)
    assert as_shown(page)["author"] == ["clinician"]
    assert json.loads(text_of(page)) == json.loads(UNEXAMINED)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("answer.weakness", HOSTILE, f"Not an answer of this question: {HOSTILE}"),
        ("answer.weakness", [YES["code"], NO["code"]], "Two answers"),
        ("answer.site", [HOSTILE], f"Not an answer of this question: {HOSTILE}"),
        ("answer.onset", HOSTILE, "Not read as a date"),
        ("answer.onset", "9" * 5000, "Not read as a date"),
        (f"answer.{HOSTILE}", "x", "The form has no item answer."),
        ("answer.birth-date", "1980", "The form has no item answer.birth-date"),
    ],
)
def test_a_hostile_value_is_named_and_nothing_is_lost(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, field: str, value: Any, says: str
) -> None:
    caplog.set_level(logging.DEBUG)
    page = answered(client, UNEXAMINED, {"answer.bulbar": NO["code"], field: value})
    assert says in page.text
    assert ("answer.bulbar", NO["code"]) in ticked(page)
    assert not [e for e in page.root.all("script") if "src" not in e.attributes]
    assert json.loads(text_of(page)) == json.loads(UNEXAMINED)
    assert HOSTILE not in caplog.text


def test_a_record_that_cannot_be_read_keeps_what_was_typed(client: FlaskClient) -> None:
    for text, day in (("{nonsense", DAY), ('{"resourceType": "Patient"}', DAY), (UNEXAMINED, "soon")):
        fields = {"text": text, "asOf": day, "author": "patient", **WEAK, "answer.onset": "May 2026"}
        reply = client.post("/workbench/form", data=fields)
        assert reply.status_code == 200
        page = Page(reply.get_data(as_text=True))
        assert page.problems == []
        assert "Nothing was recorded." in page.text
        kept = {name: values for name, values in as_shown(page).items() if name in fields}
        assert kept == {name: [value] for name, value in fields.items()}


def test_only_a_form_in_utf_8_is_taken(client: FlaskClient) -> None:
    assert client.post("/workbench/form", json={}).status_code == 415
    form = "application/x-www-form-urlencoded"
    assert client.post("/workbench/form", data=b"text=%ff", content_type=form).status_code == 400
    assert (
        client.post("/workbench/form", data=b"&".join([b"a=1"] * 2000), content_type=form).status_code == 400
    )
    assert client.post("/workbench/form", data=b"a" * 20_000_000, content_type=form).status_code == 413


def test_the_answer_is_not_stored_and_has_the_policy_of_the_page(client: FlaskClient) -> None:
    reply = client.post("/workbench/form", data={"text": json.dumps(hook_call()), "asOf": DAY})
    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Content-Security-Policy"] == client.get("/").headers["Content-Security-Policy"]
    assert "unsafe-inline" not in reply.headers["Content-Security-Policy"]


def test_the_form_is_that_of_the_knowledge_in_use(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(HERE, folder)
    file = folder / "fhir.yaml"
    written = file.read_text(encoding="utf-8")
    file.write_text(written.replace('"Where does it twitch?"', '"Which muscle twitches?"'), encoding="utf-8")
    client = create_app(Config(), load_knowledge(folder)).test_client()
    page = answered(client, UNEXAMINED, {"answer.course": OFFERED["courses"][0]["code"]})
    assert "Which muscle twitches?" in element(page, "field-site").text
    assert given(responses(text_of(page))[0]) == {"course": [OFFERED["courses"][0]]}
