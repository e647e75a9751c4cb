"""What the published artifacts say about themselves, and the expansions of the value sets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.knowledge.published import ALL, KNOWLEDGE, PUBLICATION, VALUE_SETS
from tests.knowledge.value_sets import holds

# Required by the CRMI shareable profiles: each has a minimum of one there.
SHAREABLE = ("url", "version", "title", "experimental", "description", "name", "status", "publisher")
UNCLOSED = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed"


@pytest.mark.parametrize("resource", ALL, ids=lambda r: f"{r['resourceType']}/{r['id']}")
def test_a_profile_is_named_where_its_members_are_there(resource: dict[str, Any]) -> None:
    kind = resource["resourceType"]
    if kind == "Questionnaire":
        # A form need not conform to a profile to be filled.
        assert "meta" not in resource
        return
    assert resource["meta"]["profile"] == [
        f"http://hl7.org/fhir/uv/crmi/StructureDefinition/crmi-shareable{kind.lower()}"
    ]
    assert [member for member in SHAREABLE if resource.get(member) in (None, "")] == []


@pytest.mark.parametrize("resource", ALL, ids=lambda r: f"{r['resourceType']}/{r['id']}")
def test_who_publishes_it_and_when(resource: dict[str, Any]) -> None:
    assert (resource["publisher"], resource["date"]) == (PUBLICATION.publisher, PUBLICATION.date)
    assert [one["name"] for one in resource["contact"]] == [PUBLICATION.contact["name"]]
    assert [one["text"] for one in resource["jurisdiction"]] == [PUBLICATION.jurisdiction]


def test_definitions_are_about_the_finding() -> None:
    answer = KNOWLEDGE.terminology.findings[PUBLICATION.topic].answer
    assert answer is not None
    for resource in ALL:
        if resource["resourceType"] in ("ValueSet", "Questionnaire"):
            assert not {"topic", "useContext"} & resource.keys()
            continue
        (topic,) = resource["topic"]
        assert [(one["system"], one["code"]) for one in topic["coding"]] == [answer]
        (context,) = resource["useContext"]
        assert (context["code"]["code"], context["valueCodeableConcept"]) == ("focus", topic)


@pytest.mark.parametrize("name", VALUE_SETS)
def test_an_expansion_lists_what_the_definition_holds(name: str) -> None:
    value_set = VALUE_SETS[name]
    expansion = value_set["expansion"]
    listed = [(one["system"], one["code"]) for one in expansion.get("contains", ())]
    assert expansion["timestamp"] == PUBLICATION.date
    assert expansion["total"] == len(listed) == len(set(listed))
    include = value_set.get("compose", {}).get("include", ())
    parts = [canonical for entry in include for canonical in entry.get("valueSet", ())]
    if parts:
        united = [VALUE_SETS[part.rpartition("/")[2].partition("|")[0]] for part in parts]
        assert set(listed) == {
            (one["system"], one["code"]) for part in united for one in part["expansion"]["contains"]
        }
    else:
        assert [one for one in listed if not holds(value_set, *one)] == []
    enumerated = {
        (entry["system"], concept["code"]) for entry in include for concept in entry.get("concept", ())
    }
    roots = {(entry["system"], entry["filter"][0]["value"]) for entry in include if "filter" in entry}
    assert enumerated | roots <= set(listed)
    unclosed = [one["url"] for one in expansion.get("extension", ())] == [UNCLOSED]
    assert unclosed == any("filter" in entry for entry in include)


def test_there_are_closed_and_unclosed_expansions() -> None:
    unclosed = [name for name, one in VALUE_SETS.items() if "extension" in one["expansion"]]
    assert 20 < len(unclosed) < len(VALUE_SETS) - 20
