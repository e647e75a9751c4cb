"""The published Questionnaire: what it asks, with which codes, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fhirpathpy import evaluate
from fhirpathpy.models import models

from fhir_mappings.code_systems import code_key
from fhir_mappings.record import Status
from service.knowledge import HERE, KnowledgeError
from tests.knowledge.published import KNOWLEDGE, PUBLICATION, RESOURCES
from tests.knowledge.test_artifacts import changed, folder, problems_of

__all__ = ["folder"]

FORM = RESOURCES["Questionnaire"]["fasciculation-assessment"]
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
GROUPS = {group["linkId"]: group for group in FORM["item"]}
ITEMS = {item["linkId"]: item for group in FORM["item"] for item in group["item"]}
OFFERED = {contained["id"]: contained["expansion"]["contains"] for contained in FORM["contained"]}
TABLE = KNOWLEDGE.table


def extensions(element: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in element.get("extension", ()) if one["url"] == f"{SDC}{name}"]


def key_of(coding: dict[str, str]) -> tuple[str, str]:
    return code_key(coding["system"], coding["code"])


def test_its_canonical_is_published() -> None:
    assert FORM["url"] == PUBLICATION.canonical("Questionnaire", "fasciculation-assessment")
    assert FORM["subjectType"] == ["Patient"]
    assert {group["type"] for group in GROUPS.values()} == {"group"}
    assert problems_of(FORM) == []


def test_a_group_for_each_question_in_the_order_of_the_table() -> None:
    asked = sorted(TABLE.questions, key=lambda question: question.order)
    assert list(GROUPS) == [f"group-{question.id}" for question in asked]
    for question in asked:
        inside = [item["linkId"] for item in GROUPS[f"group-{question.id}"]["item"]]
        assert inside == list(question.findings or [KNOWN.get(question.id, question.id)])


KNOWN = {"age": "birth-date"}


def test_link_ids_are_unique() -> None:
    links = [*GROUPS, *(item["linkId"] for group in FORM["item"] for item in group["item"])]
    assert len(links) == len(set(links)) == len(GROUPS) + len(ITEMS)


@pytest.mark.parametrize("name", TABLE.asked_findings)
def test_a_finding_is_extracted_to_what_a_card_suggests(name: str) -> None:
    item, template = ITEMS[name], KNOWLEDGE.templates.answers[name]
    assert item["code"] == template["code"]["coding"]
    assert [one["valueBoolean"] for one in extensions(item, "observationExtract")] == [True]
    categories = [one["valueCodeableConcept"] for one in extensions(item, "observation-extract-category")]
    assert categories == template["category"]
    assert (item["type"], item["answerValueSet"]) == ("choice", "#answers")
    assert item["text"] == KNOWLEDGE.terminology.findings[name].question


def test_yes_and_no_are_codes_that_are_read() -> None:
    read = [KNOWLEDGE.terminology.answers[key_of(coding)] for coding in OFFERED["answers"]]
    assert read == [Status.PRESENT, Status.ABSENT]
    assert [coding["display"] for coding in OFFERED["answers"]] == ["Yes", "No"]


def test_every_site_with_a_code_is_offered_once() -> None:
    sites = KNOWLEDGE.terminology.sites
    offered = [sites[key_of(coding)] for coding in OFFERED["sites"]]
    assert len(offered) == len(set(offered))
    assert set(offered) == set(sites.values())
    for coding, site in zip(OFFERED["sites"], offered, strict=True):
        assert coding["display"] == " ".join(filter(None, (site.side, site.label)))


def test_courses_are_those_that_are_read() -> None:
    courses = KNOWLEDGE.terminology.courses
    assert {courses[key_of(coding)] for coding in OFFERED["courses"]} == {
        name for key, name in courses.items() if key[0]
    }


@pytest.mark.parametrize("name", ["answers", "sites", "courses"])
def test_what_is_expanded_is_what_is_composed(name: str) -> None:
    (contained,) = [one for one in FORM["contained"] if one["id"] == name]
    composed = [
        {"system": include["system"], **concept}
        for include in contained["compose"]["include"]
        for concept in include["concept"]
    ]
    assert composed == OFFERED[name]
    assert len({coding["display"] for coding in composed}) == len(composed)


@pytest.mark.parametrize(
    ("name", "kind"), [("weakness-start", "date"), ("onset", "date"), ("birth-date", "date")]
)
def test_days_are_asked_as_dates_and_not_extracted(name: str, kind: str) -> None:
    assert ITEMS[name]["type"] == kind
    assert extensions(ITEMS[name], "observationExtract") == []


@pytest.mark.parametrize("name", ["site", "course"])
def test_places_and_courses_repeat_and_are_not_extracted(name: str) -> None:
    item = ITEMS[name]
    assert (item["type"], item["repeats"]) == ("choice", True)
    assert extensions(item, "observationExtract") == []


def test_the_birth_date_is_filled_in_from_the_patient() -> None:
    (context,) = extensions(FORM, "launchContext")
    named = {one["url"]: one for one in context["extension"]}
    variable = named["name"]["valueCoding"]["code"]
    assert named["type"]["valueCode"] == "Patient"
    (initial,) = extensions(ITEMS["birth-date"], "initialExpression")
    expression = initial["valueExpression"]
    assert expression["language"] == "text/fhirpath"
    patient = {"resourceType": "Patient", "birthDate": "1980-02-03"}
    found = evaluate({}, expression["expression"], {variable: patient}, models["r4"])
    assert [str(value) for value in found] == ["1980-02-03"]


def conditions(link: str) -> list[tuple[str, str, str]]:
    return [
        (one["question"], one["operator"], one["answerCoding"]["code"])
        for one in GROUPS[link].get("enableWhen", ())
    ]


def test_a_question_waits_for_the_answers_that_its_condition_names() -> None:
    yes = OFFERED["answers"][0]["code"]
    (tongue,) = [coding["code"] for coding in OFFERED["sites"] if coding["display"] == "tongue"]
    assert conditions("group-weakness-start") == [("weakness", "=", yes)]
    assert conditions("group-breathing") == [
        ("weakness", "=", yes),
        ("atrophy", "=", yes),
        ("bulbar", "=", yes),
        ("site", "=", tongue),
    ]
    assert GROUPS["group-breathing"]["enableBehavior"] == "any"
    # Their conditions rest on days, or on nothing that the form asks.
    waiting = {link for link in GROUPS if conditions(link)}
    assert waiting == {"group-weakness-start", "group-breathing"}


def answered(values: dict[str, str]) -> Iterator[str]:
    """The groups that are shown beside those answers, as FHIR says."""
    for link, group in GROUPS.items():
        wanted = group.get("enableWhen", [])
        hold = [values.get(one["question"]) == one["answerCoding"]["code"] for one in wanted]
        if not wanted or (any(hold) if group.get("enableBehavior") == "any" else all(hold)):
            yield link


def test_nothing_that_a_card_may_ask_is_hidden() -> None:
    """A condition of the table that is true of an answer of the form shows its group."""
    yes = OFFERED["answers"][0]["code"]
    for question in TABLE.questions:
        for name in TABLE.asked_findings:
            facts = {name: "examined"}
            if question.on_card_when is not None and question.on_card(facts):
                assert f"group-{question.id}" in set(answered({name: yes})), (question.id, name)


def test_a_code_must_be_named_where_several_are_known(folder: Any) -> None:
    with pytest.raises(
        KnowledgeError, match=r"questionnaire\.preferred: must name one of the codes of 'eyelid'"
    ):
        changed(folder, "fhir.yaml", '"80243003", ', "")


def test_every_question_has_an_item(folder: Any) -> None:
    with pytest.raises(KnowledgeError, match=r"questionnaire\.items: lacks 'site'"):
        changed(folder, "fhir.yaml", '    site: {id: site, type: sites, text: "Where does it twitch?"}\n', "")


def test_a_question_of_the_table_is_a_group(folder: Any) -> None:
    made = changed(
        folder, "findings/cramps.yaml", "Are there muscle cramps?", "Does the patient have cramps?"
    )
    (form,) = made["Questionnaire"].values()
    (group,) = [group for group in form["item"] if group["linkId"] == "group-cramps"]
    assert group["item"][0]["text"] == "Does the patient have cramps?"
    assert HERE.exists()
