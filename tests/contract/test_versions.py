"""Orders and answers leave in the version of FHIR that was asked in, and are valid in it."""

from __future__ import annotations

import importlib
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_mappings.record import Version
from fhir_mappings.to_fhir.actions import about, filled_answer, filled_order, usable
from fhir_mappings.to_fhir.in_version import in_version
from service.knowledge import load_knowledge
from tests.contract.requests import DAY, example
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.ehr import call
from tests.vignettes.patient import AS_OF, BY_ID, PEOPLE, Person
from tests.vignettes.versions import r5, stu3

TEMPLATES = load_knowledge().templates
PACKAGES = {
    Version.R4: "fhir.resources.R4B",
    Version.R5: "fhir.resources",
    Version.STU3: "fhir.resources.STU3",
}
ORDER = {Version.R4: "ServiceRequest", Version.R5: "ServiceRequest", Version.STU3: "ProcedureRequest"}
WRITTEN = {"r4b": Version.R4, "r5": Version.R5, "stu3": Version.STU3, "snomed": Version.R4}
IN_EACH = pytest.mark.parametrize("version", list(Version))
ALIVE = [person for person in PEOPLE if not person.expected.silent]
V08 = BY_ID["v08"]


def validated(resource: dict[str, Any], version: Version) -> dict[str, Any]:
    """The resource, if it is valid in that version: the models forbid what they do not know."""
    model = importlib.import_module(PACKAGES[version]).get_fhir_model_class(resource["resourceType"])
    model.model_validate(resource)
    # The models take any word for a code that is bound to a list.
    for member, field in model.model_fields.items():
        allowed = (field.json_schema_extra or {}).get("enum_values")
        if allowed and "+" not in allowed and member in resource:
            assert resource[member] in allowed
    return resource


def orders(subject: str | None, encounter: str | None) -> list[dict[str, Any]]:
    reasons = usable(["Condition/c", "urn:uuid:x"], 3)
    return [
        filled_order(template, about=about(subject, encounter), reasons=reasons, urgency="now", day=AS_OF)
        for template in TEMPLATES.orders.values()
    ]


def answers(subject: str | None, encounter: str | None) -> list[dict[str, Any]]:
    return [
        filled_answer(template, about=about(subject, encounter), day=AS_OF, present=True)
        for template in TEMPLATES.answers.values()
    ]


@IN_EACH
def test_what_all_of_a_card_share_stays_as_it_is(version: Version) -> None:
    """The templates, whom it is about and the reasons stand in many orders at once."""
    templates, made = deepcopy(TEMPLATES), [*orders(None, "e1"), *answers(None, "e1")]
    before = deepcopy(made)
    for resource in made:
        in_version(resource, version)
    assert made == before
    assert templates == TEMPLATES


@IN_EACH
@pytest.mark.parametrize(("subject", "encounter"), [("Patient/p", "e1"), ("Patient/p", None), (None, None)])
def test_every_order_and_answer_that_can_leave_is_valid(
    version: Version, subject: str | None, encounter: str | None
) -> None:
    for order in orders(subject, encounter):
        made = validated(in_version(order, version), version)
        assert (made["resourceType"], made["status"], made["intent"]) == (ORDER[version], "draft", "proposal")
        assert made["priority"] == "stat"
        code = made["code"]["concept"] if version is Version.R5 else made["code"]
        assert code == order["code"]
    for answer in answers(subject, encounter):
        made = validated(in_version(answer, version), version)
        assert made["valueBoolean"] is True
        stu3_categories = str(made["category"]).count("http://hl7.org/fhir/observation-category")
        assert stu3_categories == (1 if version is Version.STU3 else 0)
        assert [c["code"] for one in made["category"] for c in one["coding"]] == [
            c["code"] for one in answer["category"] for c in one["coding"]
        ]


@IN_EACH
def test_what_an_order_is_for_and_where_it_was_asked_stand_in_its_members(version: Version) -> None:
    (order, *_) = [in_version(order, version) for order in orders("Patient/p", "e1")]
    (answer, *_) = [in_version(answer, version) for answer in answers("Patient/p", "e1")]
    visit = "context" if version is Version.STU3 else "encounter"
    for made in (order, answer):
        assert made[visit] == {"reference": "Encounter/e1"}
        assert {"context", "encounter"} & made.keys() == {visit}
        assert made["subject"] == {"reference": "Patient/p"}
    reason = {"reference": "Condition/c"}
    if version is Version.R5:
        assert order["reason"] == [{"reference": reason}]
        assert "reasonReference" not in order
    else:
        assert order["reasonReference"] == [reason]
        assert "reason" not in order


def test_making_another_version_leaves_what_was_made() -> None:
    (order, *_) = orders("Patient/p", "e1")
    before = repr(order)
    assert in_version(order, Version.R5) != order
    assert in_version(order, Version.STU3) != order
    assert repr(order) == before
    assert in_version(order, Version.R4) is order


def evaluated(client: FlaskClient, bundle: dict[str, Any], query: str = "") -> dict[str, Any]:
    response = client.post(f"/evaluate?asOf={DAY}&{query}", json=bundle)
    assert response.status_code == 200, response.get_data(as_text=True)
    content: dict[str, Any] = response.get_json()
    return content


def offered(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        action["resource"]
        for card in content["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]


def kinds(content: dict[str, Any]) -> set[str]:
    return {resource["resourceType"] for resource in offered(content)} - {"Observation"}


@pytest.mark.parametrize("person", ALIVE, ids=lambda person: person.id)
@pytest.mark.parametrize("dialect", WRITTEN)
def test_a_patient_is_answered_in_the_version_of_the_record(
    client: FlaskClient, dialect: str, person: Person
) -> None:
    content = evaluated(client, DIALECTS[dialect](person))
    version = WRITTEN[dialect]
    for resource in offered(content):
        validated(resource, version)
    # The same card, whatever the version: labels, descriptions and words.
    plain = evaluated(client, DIALECTS["snomed"](person))
    assert [card["summary"] for card in content["cards"]] == [card["summary"] for card in plain["cards"]]
    assert [
        (suggestion["label"], [action["description"] for action in suggestion["actions"]])
        for card in content["cards"]
        for suggestion in card.get("suggestions", ())
    ] == [
        (suggestion["label"], [action["description"] for action in suggestion["actions"]])
        for card in plain["cards"]
        for suggestion in card.get("suggestions", ())
    ]


def test_most_patients_are_offered_orders(client: FlaskClient) -> None:
    """Where no test is needed and none is asked about, nothing is offered."""
    offers = [offered(evaluated(client, DIALECTS["snomed"](person))) for person in ALIVE]
    assert len([one for one in offers if one]) > len(ALIVE) / 2


@pytest.mark.parametrize(
    ("change", "version"), [(lambda one: one, Version.R4), (r5, Version.R5), (stu3, Version.STU3)]
)
def test_a_hook_is_answered_in_the_version_of_its_prefetch(
    client: FlaskClient, change: Any, version: Version
) -> None:
    prefetch = in_prefetch(change)
    reply = call(client, V08.id, prefetch)
    assert reply.card is not None
    assert kinds({"cards": [reply.card]}) == {ORDER[version]}
    for resource in offered({"cards": [reply.card]}):
        validated(resource, version)
        assert ("context" in resource) is (version is Version.STU3)


def in_prefetch(change: Any) -> dict[str, Any]:
    """The prefetch of v08 whose every resource is written in another version."""
    made = DIALECTS["prefetch"](V08)
    for value in made.values():
        for entry in value.get("entry", ()):
            entry["resource"] = change(entry["resource"])
    return made


@cache
def resources(dialect: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in DIALECTS[dialect](V08)["entry"]]


def mixed(*dialects: str) -> dict[str, Any]:
    """One bundle of what several dialects write of the same patient, each under ids of its own."""
    found = {}
    for dialect in dialects:
        for resource in resources(dialect):
            referred_to = resource["resourceType"] in ("Patient", "Medication")
            name = resource["id"] if referred_to else f"{resource['id']}-{dialect}"
            found[name] = {**resource, "id": name}
    entries = [{"resource": resource} for resource in found.values()]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.mark.parametrize(
    "dialects", [("r4b", "r5"), ("r5", "stu3"), ("stu3", "r4b"), ("r5", "stu3", "r4b"), ("snomed", "r5")]
)
def test_a_mixture_is_read_whole_and_answered_in_r4(client: FlaskClient, dialects: tuple[str, ...]) -> None:
    content = evaluated(client, mixed(*dialects))
    alone = evaluated(client, DIALECTS["snomed"](V08))["assessment"]
    assert content["assessment"]["level"] == alone["level"]
    assert content["assessment"]["rows"] == alone["rows"]
    assert content["assessment"]["recommendations"] == alone["recommendations"]
    assert kinds(content) == {"ServiceRequest"}
    for resource in offered(content):
        validated(resource, Version.R4)


@pytest.mark.parametrize(("dialect", "name"), [("r4b", "R4B"), ("r5", "R5"), ("stu3", "STU3")])
def test_validation_is_by_the_version_of_the_record(client: FlaskClient, dialect: str, name: str) -> None:
    bundle = DIALECTS[dialect](BY_ID["v24"])
    issue, unknown = evaluated(client, bundle, "validate=true")["outcome"]["issue"]
    assert (issue["severity"], issue["diagnostics"]) == ("information", f"Every entry is valid FHIR {name}.")
    assert "codes that no value set has" in unknown["diagnostics"]
    for entry in bundle["entry"]:
        entry["resource"]["vendorScratch"] = 1
    issues = [
        issue
        for issue in evaluated(client, bundle, "validate=true")["outcome"]["issue"]
        if issue["severity"] == "error"
    ]
    assert len(issues) == len(bundle["entry"])
    assert {issue["diagnostics"] for issue in issues} == {f"Not valid FHIR {name}: extra forbidden."}


def test_validation_of_a_mixture_is_by_the_version_of_each(client: FlaskClient) -> None:
    issue, unknown = evaluated(client, mixed("r4b", "r5", "stu3"), "validate=true")["outcome"]["issue"]
    assert issue["diagnostics"] == "Every entry is valid FHIR R4B or R5 or STU3."
    assert "codes that no value set has" in unknown["diagnostics"]


def test_a_broken_resource_is_explained_by_its_own_version(client: FlaskClient) -> None:
    bundle = DIALECTS["r5"](V08)
    broken = next(one for one in (entry["resource"] for entry in bundle["entry"]) if "bodyStructure" in one)
    broken["code"] = "R25.3"
    notes = evaluated(client, bundle)["assessment"]["notUnderstood"]
    (note,) = [one for one in notes if one["reference"].endswith(broken["id"])]
    assert note["why"].startswith(f"{broken['resourceType']}.code")
    assert "forbidden" not in note["why"]


def test_a_type_that_nobody_knows_is_named_by_validation(client: FlaskClient) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    bundle["entry"].append({"resource": {"resourceType": "PatientMood", "id": "1"}})
    (issue,) = evaluated(client, bundle, "validate=true")["outcome"]["issue"]
    assert issue["diagnostics"] == "Not valid FHIR R4B: not a resource type of FHIR R4B."
