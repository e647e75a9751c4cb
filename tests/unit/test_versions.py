"""Which version a resource is written in: the table is that of the models, and the rule for many of them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from fhir_mappings.record import Version
from fhir_mappings.resources import fhir_version as versions
from fhir_mappings.resources import select
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.fhir_version import (
    ANY,
    FORMS,
    MEMBERS,
    PARTS,
    TYPES,
    beyond_r4,
    fitting,
    version_of,
)
from tests.spec.records import condition, observation, read

PACKAGES = {
    Version.R4: "fhir.resources.R4B",
    Version.R5: "fhir.resources",
    Version.STU3: "fhir.resources.STU3",
}


def models_of(kind: str) -> Mapping[Version, Any]:
    """The model of that type in each version that has it."""
    found = {}
    for version, package in PACKAGES.items():
        try:
            found[version] = importlib.import_module(package).get_fhir_model_class(kind)
        except ValueError:
            continue
    return found


def members_of(model: Any) -> dict[str, str]:
    """Member -> its type as written, without those that only carry extensions of primitives."""
    return {
        field.alias or name: str(field.annotation)
        for name, field in model.model_fields.items()
        if not name.endswith("__ext") and name not in ("resource_type", "fhir_comments")
    }


def having(kind: str, member: str) -> versions.Versions:
    return frozenset(version for version, model in models_of(kind).items() if member in members_of(model))


@pytest.mark.parametrize("kind", sorted({*select.SHAPES, "Medication", "Patient"} - {"MedicationUsage"}))
def test_the_table_is_that_of_the_models(kind: str) -> None:
    models = models_of(kind)
    assert TYPES.get(kind, ANY) == frozenset(models)
    every = {member for model in models.values() for member in members_of(model)}
    differing = {
        member: having(kind, member)
        for member in every
        # What is of animals alone is nothing here.
        if having(kind, member) != frozenset(models) and member != "animal"
    }
    assert MEMBERS.get(kind, {}) == differing


def form(annotation: str) -> type:
    if "List[" in annotation:
        return list
    return dict if "Type" in annotation else str


@pytest.mark.parametrize("kind", FORMS)
def test_forms_are_those_of_the_models(kind: str) -> None:
    for member, forms in FORMS[kind].items():
        found: dict[type, set[Version]] = {}
        for version, model in models_of(kind).items():
            if member in members_of(model):
                found.setdefault(form(members_of(model)[member]), set()).add(version)
        assert {key: set(value) for key, value in forms.items()} == found


PART_TYPES = {
    ("Medication", "ingredient"): ("medication", "MedicationIngredient"),
    ("Observation", "component"): ("observation", "ObservationComponent"),
}


@pytest.mark.parametrize(("kind", "member"), PART_TYPES)
def test_parts_are_those_of_the_models(kind: str, member: str) -> None:
    module, name = PART_TYPES[kind, member]
    for part, expected in PARTS[kind][member].items():
        found = {
            version
            for version, package in PACKAGES.items()
            if part in members_of(getattr(importlib.import_module(f"{package}.{module}"), name))
        }
        assert found == expected


CODED = {"coding": [{"system": "http://loinc.org", "code": "1"}]}
CLINICAL = {"clinicalStatus": CODED}
R4_ORDER = {"resourceType": "ServiceRequest", "code": CODED}
R5_ORDER = {"resourceType": "ServiceRequest", "code": {"concept": CODED}}
STU3_ORDER = {"resourceType": "ProcedureRequest", "code": CODED}


def told(*resources: Mapping[str, Any]) -> Version:
    return version_of(fitting(resource) for resource in resources)


@pytest.mark.parametrize(
    ("resources", "version"),
    [
        ([], Version.R4),
        ([{"resourceType": "Observation"}], Version.R4),
        # Fits R4 and R5: nothing says R5.
        ([{"resourceType": "Condition", **CLINICAL}], Version.R4),
        ([R4_ORDER], Version.R4),
        ([R5_ORDER], Version.R5),
        ([STU3_ORDER], Version.STU3),
        # What fits both is of the version that the other names.
        ([{"resourceType": "Condition", **CLINICAL}, R5_ORDER], Version.R5),
        ([{"resourceType": "Observation", "valueInteger": 1}, R5_ORDER], Version.R5),
        ([{"resourceType": "Condition", "asserter": {}}, STU3_ORDER], Version.STU3),
        # Two that are of neither R4 nor the same are of one together.
        (
            [{"resourceType": "Observation", "valueAttachment": {}}, {"resourceType": "Task", "for": {}}],
            Version.R4,
        ),
        # No one version has all of it.
        ([R5_ORDER, STU3_ORDER], Version.R4),
        ([R4_ORDER, R5_ORDER], Version.R4),
        ([R4_ORDER, STU3_ORDER], Version.R4),
        ([{"resourceType": "Condition", "participant": [], "assertedDate": "2026"}], Version.R4),
        ([{"resourceType": "Condition", **CLINICAL}, STU3_ORDER], Version.R4),
        # One that mixes them itself tells nothing.
        ([R5_ORDER, {"resourceType": "Condition", "participant": [], "assertedDate": "2026"}], Version.R5),
        (
            [STU3_ORDER, {"resourceType": "Condition", "participant": [], "assertedDate": "2026"}],
            Version.STU3,
        ),
        # A type that nobody reads tells nothing; a null is not there.
        ([{"resourceType": "Encounter", "context": {}}], Version.R4),
        ([{"resourceType": "Condition", "participant": None}], Version.R4),
    ],
)
def test_the_version_of_what_came_together(resources: list[dict[str, Any]], version: Version) -> None:
    assert told(*resources) is version
    assert told(*reversed(resources)) is version


def sample(kind: str, member: str, shape: type[fhir.Struct]) -> Any:
    """The smallest value that the shape takes for that member."""
    for value in ("2026-01-01", True, {}, [], {"any": "thing"}, "y"):
        try:
            decoded = msgspec.json.decode(json.dumps({member: value}), type=shape)
        except msgspec.ValidationError:
            continue
        return decoded
    raise AssertionError(f"no value of {kind}.{member}")


@pytest.mark.parametrize("kind", MEMBERS)
def test_every_member_is_seen_that_is_read_and_not_of_r4(kind: str) -> None:
    shape = fhir.Medication if kind == "Medication" else select.SHAPES[kind]
    assert not beyond_r4({kind}, {shape: [shape()]})
    fields = {field.encode_name for field in msgspec.structs.fields(shape)}
    newer = {member for member, has in MEMBERS[kind].items() if Version.R4 not in has} & fields
    assert newer
    for member in newer:
        assert beyond_r4({kind}, {shape: [sample(kind, member, shape)]}), member


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("Condition", {"clinicalStatus": "active"}),
        ("Condition", {"verificationStatus": "confirmed"}),
        ("Observation", {"interpretation": CODED}),
        ("Medication", {"ingredient": [{"item": {}}]}),
        ("ServiceRequest", {"code": {"concept": CODED}}),
        ("ServiceRequest", {"code": {"reference": {"reference": "ActivityDefinition/a"}}}),
        ("ProcedureRequest", {}),
        ("ReferralRequest", {}),
        ("MedicationUsage", {}),
    ],
)
def test_other_forms_are_seen(kind: str, content: dict[str, Any]) -> None:
    shape = fhir.Medication if kind == "Medication" else select.SHAPES[kind]
    assert beyond_r4({kind}, {shape: [msgspec.json.decode(json.dumps(content), type=shape)]})


@pytest.mark.parametrize(
    "resource",
    [
        condition("fasciculation", asserter={"reference": "Patient/p"}, recorder={"reference": "Patient/p"}),
        observation("weakness", interpretation=("http://hl7.org/fhir/v2/0078", "POS"), encounter={}),
    ],
)
def test_r4_is_never_read_twice(monkeypatch: pytest.MonkeyPatch, resource: dict[str, Any]) -> None:
    def content_of(raw: bytes) -> Any:
        raise AssertionError("read once more")

    monkeypatch.setattr(select, "content_of", content_of)
    assert read(resource).version is Version.R4
    with pytest.raises(AssertionError):
        read(resource, {**condition("weakness"), "clinicalStatus": "active"})


def test_what_is_not_of_the_patient_tells_nothing() -> None:
    other = {**condition("weakness"), "clinicalStatus": "active", "subject": {"reference": "Patient/other"}}
    del other["verificationStatus"], other["recordedDate"]
    assert read(other).version is Version.R4
    assert read({**other, "subject": {"reference": "Patient/p"}}).version is Version.STU3
