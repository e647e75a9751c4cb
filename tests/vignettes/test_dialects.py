"""What the dialects write: valid in their version, nameless, every fact of every patient in every dialect."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.vignettes import codes, messy
from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.patient import EVERYONE, OWN, PEOPLE, Person

EACH = pytest.mark.parametrize("person", EVERYONE, ids=lambda person: person.id)
IN_EACH = pytest.mark.parametrize("dialect", DIALECTS)

# Findings that a dialect says in SNOMED because its own system has no code for them in the tables.
BORROWED = {
    codes.ICD_10_CM: {
        "alcohol",
        "breathing-difficulty",
        "caffeine",
        "lithium-poisoning",
        "low-tone",
        "orthopnea",
        "rigidity",
        "stiffness",
        "upper-motor-sign",
    },
    codes.HPO: {
        "alcohol",
        "alcohol-withdrawal",
        "breathing-difficulty",
        "caffeine",
        "cauda-equina",
        "central-lesion",
        "cholinergic-poisoning",
        "exertion",
        "kidney-failure",
        "lithium-poisoning",
        "motor-neuron-disease",
        "multiple-sclerosis",
        "orthopnea",
        "stress",
        "tobacco",
    },
}


MODELS = {"r5": "fhir.resources", "stu3": "fhir.resources.STU3"}


def model_of(dialect: str, kind: str) -> Any:
    """The model of that type in the version that the dialect is written in."""
    return importlib.import_module(MODELS.get(dialect, "fhir.resources.R4B")).get_fhir_model_class(kind)


def resources_of(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every resource of a bundle or of a prefetch."""
    for value in [made] if made.get("resourceType") == "Bundle" else made.values():
        if value["resourceType"] != "Bundle":
            yield value
        for entry in value.get("entry", ()):
            yield entry["resource"]


@EACH
@IN_EACH
def test_every_resource_is_valid(dialect: str, person: Person) -> None:
    for resource in resources_of(DIALECTS[dialect](person)):
        if resource["resourceType"] == messy.NO_SUCH_TYPE:
            continue
        model = model_of(dialect, resource["resourceType"])
        model.model_validate(messy.without_vendor_members(resource))


@EACH
@pytest.mark.parametrize("dialect", [name for name in BUNDLES if name != "grimy"])
def test_every_bundle_is_valid(dialect: str, person: Person) -> None:
    model_of(dialect, "Bundle").model_validate(BUNDLES[dialect](person))


@EACH
@IN_EACH
def test_a_dialect_is_a_pure_function(dialect: str, person: Person) -> None:
    first, second = DIALECTS[dialect](person), DIALECTS[dialect](person)
    assert json.dumps(first) == json.dumps(second)


def codes_in(made: dict[str, Any]) -> Counter[tuple[str, str]]:
    """Every (system, code) about the patient that is not struck out."""
    found: Counter[tuple[str, str]] = Counter()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "system" in value and "code" in value:
                found[value["system"], value["code"]] += 1
            for member in value.values():
                walk(member)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for resource in resources_of(made):
        if not resource.get("id", "").endswith("-error") and "-other-" not in resource.get("id", ""):
            walk(resource)
    return found


def said_in(made: dict[str, Any]) -> set[str]:
    """The findings that the codes stand for."""
    by_code = {
        (system, pair[0]): name
        for name, table in (codes.FINDINGS | codes.SHOWN).items()
        for system, pair in table.items()
    }
    # A twitch that HPO names with its place, and the smoking status.
    by_code |= {(codes.HPO, pair[0]): "fasciculation" for pair in codes.HPO_TWITCHES.values()}
    by_code[codes.SMOKING_STATUS[:2]] = "tobacco"
    return {by_code[key] for key in codes_in(made) if key in by_code}


@EACH
@IN_EACH
def test_every_dialect_says_every_finding(dialect: str, person: Person) -> None:
    expected = {item.finding for item in person.statements}
    expected |= {*person.refuted, *person.diagnoses, *person.family.values()}
    if person.twitch.words is None:
        expected.add("fasciculation")
    assert said_in(DIALECTS[dialect](person)) == expected


@pytest.mark.parametrize("system", BORROWED)
def test_what_a_system_has_no_code_for_is_listed(system: str) -> None:
    tables = codes.FINDINGS | codes.SHOWN
    assert {name for name, table in tables.items() if system not in table} == BORROWED[system]


REACHED = {
    "snomed": {
        "FamilyMemberHistory",
        "boundsPeriod",
        '"stat"',
        '"completed"',
        "valueBoolean",
        "bodySite",
        "onsetDateTime",
        "extension",
        codes.RXNORM,
    },
    "icd": {"valueCodeableConcept", codes.ICD_10_CM, codes.LOINC, codes.ATC, "validityPeriod"},
    "panel": {"component", "bodySite", "effectivePeriod", "24321-2"},
    "hpo": {"interpretation", codes.HPO, "contained", "urn:uuid:", "HP:0030826", "HP:0001308"},
    "grimy": {"entered-in-error", messy.OTHER, messy.NO_SUCH_TYPE, "T23:15:00-10:00", "outcome", "HCTZ"},
    "british": {
        "refuted",
        "asserter",
        "MedicationStatement",
        "DiagnosticReport",
        "Composition",
        codes.NDC,
        "35912411000001100",
    },
    "r4b": {"encounter", "asserter", "derivedFrom", "medicationReference", "MedicationStatement"},
    "r5": {
        "participant",
        "bodyStructure",
        '"medication": {"concept"',
        '"medication": {"reference"',
        "adherence",
        '"code": {"concept"',
        "occurrenceDateTime",
    },
    "stu3": {
        "assertedDate",
        '"clinicalStatus": "active"',
        '"verificationStatus": "refuted"',
        "related",
        '"interpretation": {',
        "taken",
        "ProcedureRequest",
        "context",
    },
    "prefetch": {"familyHistory", "medicationStatements", '"total": 0'},
}


@IN_EACH
def test_every_dialect_still_has_its_own_forms(dialect: str) -> None:
    text = " ".join(json.dumps(DIALECTS[dialect](person)) for person in EVERYONE)
    assert {form for form in REACHED[dialect] if form not in text} == set()


def test_all_are_here_and_expect_something() -> None:
    assert len({person.id for person in PEOPLE}) == 24
    assert len(OWN) >= 24
    assert len({person.id for person in EVERYONE}) == len(EVERYONE)
    for person in EVERYONE:
        expected = person.expected
        assert expected.silent or (expected.rows and expected.must_not), person.id
        assert set(expected.urgency) <= {one for ids in expected.must for one in ids.split("|")}, person.id
        assert not set(expected.withheld) & set(expected.must), person.id
