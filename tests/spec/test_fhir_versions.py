"""Findings that R5 or STU3 writes otherwise than R4: the same record comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Basis, Status, Version
from tests.spec.records import as_of, code_of, concept, condition, observation, read
from tests.spec.versions import DOCTOR, PERSON, TWITCH, same

RELATIVE = {"reference": "RelatedPerson/r"}
ASKED = {"reference": "QuestionnaireResponse/q"}


def word(status: str, system: str = "condition-clinical") -> dict[str, Any]:
    return concept(f"http://terminology.hl7.org/CodeSystem/{system}", status)


WEAK = condition("weakness")
WEAK_STU3 = {**WEAK, "clinicalStatus": "active", "verificationStatus": "confirmed"}


@pytest.mark.parametrize(
    ("asserter", "actors", "basis"),
    [
        (PERSON, [PERSON], Basis.REPORTED),
        (RELATIVE, [RELATIVE], Basis.REPORTED),
        (DOCTOR, [DOCTOR], Basis.LISTED),
        # R5 names everybody who took part: one who tells is enough.
        (PERSON, [DOCTOR, PERSON], Basis.REPORTED),
        (DOCTOR, [DOCTOR, {"display": "Somebody"}], Basis.LISTED),
    ],
)
def test_condition_participant_is_r4s_asserter(asserter: Any, actors: list[Any], basis: Basis) -> None:
    r5 = {**WEAK, "participant": [{"actor": actor} for actor in actors]}
    record = same({**WEAK, "asserter": asserter}, r5, Version.R5)
    assert record.finding("weakness").basis is basis


@pytest.mark.parametrize("status", ["active", "recurrence", "relapse", "inactive", "remission", "resolved"])
def test_condition_clinical_status_is_a_word_in_stu3(status: str) -> None:
    stu3 = {**WEAK, "clinicalStatus": status, "verificationStatus": "confirmed"}
    stu3["assertedDate"] = stu3.pop("recordedDate")
    record = same({**WEAK, "clinicalStatus": word(status)}, stu3, Version.STU3)
    present = status in ("active", "recurrence", "relapse")
    assert record.finding("weakness").status is (Status.PRESENT if present else Status.UNKNOWN)


def test_condition_clinical_status_of_r5_may_be_unknown() -> None:
    # Required there, so that what is not known has a code.
    record = same({**WEAK, "clinicalStatus": None}, {**WEAK, "clinicalStatus": word("unknown")}, Version.R4)
    assert record.finding("weakness").status is Status.PRESENT


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("confirmed", (Status.PRESENT, Basis.LISTED)),
        ("unknown", (Status.PRESENT, Basis.LISTED)),
        ("provisional", (Status.PRESENT, Basis.REPORTED)),
        ("differential", (Status.PRESENT, Basis.REPORTED)),
        ("refuted", (Status.ABSENT, Basis.LISTED)),
        ("entered-in-error", (Status.UNKNOWN, None)),
    ],
)
def test_condition_verification_is_a_word_in_stu3(status: str, expected: tuple[Status, Any]) -> None:
    stu3 = {**WEAK, "clinicalStatus": "active", "verificationStatus": status}
    stu3["assertedDate"] = stu3.pop("recordedDate")
    r4 = {**WEAK, "verificationStatus": word(status, "condition-ver-status")}
    record = same(r4, stu3, Version.STU3)
    found = record.finding("weakness")
    assert (found.status, found.basis) == expected


@pytest.mark.parametrize(("ended", "status"), [(True, Status.UNKNOWN), (False, Status.PRESENT)])
def test_condition_abatement_is_a_boolean_in_stu3(ended: bool, status: Status) -> None:
    stu3 = {**WEAK_STU3, "abatementBoolean": ended, "recordedDate": None, "assertedDate": as_of(0)}
    assert read(TWITCH, stu3).finding("weakness").status is status


@pytest.mark.parametrize(
    ("related", "basis"),
    [
        ([{"type": "derived-from", "target": ASKED}], Basis.REPORTED),
        ([{"target": ASKED}], Basis.REPORTED),
        ([{"type": "has-member", "target": ASKED}], Basis.EXAMINED),
        ([{"type": "derived-from", "target": {"reference": "Observation/o"}}], Basis.EXAMINED),
        ([None, {"type": "derived-from"}], Basis.EXAMINED),
    ],
)
def test_observation_related_is_r4s_derived_from_and_has_member(related: list[Any], basis: Basis) -> None:
    record = read(observation("weakness", valueBoolean=True, related=related))
    assert record.version is Version.STU3
    assert record.finding("weakness").basis is basis


def test_observation_related_says_what_derived_from_says() -> None:
    one = observation("weakness", valueBoolean=True)
    stu3 = {**one, "related": [{"type": "derived-from", "target": ASKED}]}
    record = same({**one, "derivedFrom": [ASKED]}, stu3, Version.STU3)
    assert record.finding("weakness").basis is Basis.REPORTED


@pytest.mark.parametrize(("code", "status"), [("POS", Status.PRESENT), ("NEG", Status.ABSENT)])
def test_observation_interpretation_is_one_concept_in_stu3(code: str, status: Status) -> None:
    flag = concept("http://hl7.org/fhir/v2/0078", code)
    record = read({**observation("weakness"), "interpretation": flag, "comment": "Seen.", "context": {}})
    assert record.version is Version.STU3
    assert record == replace(
        read({**observation("weakness"), "interpretation": [flag]}), version=Version.STU3
    )
    assert record.finding("weakness").status is status


def structure(*parts: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "BodyStructure", "id": "s", "includedStructure": list(parts), **members}


THIGH = code_of("thigh")


@pytest.mark.parametrize(
    ("reference", "contained", "beside"),
    [
        ("#s", [structure({"structure": THIGH})], []),
        ("BodyStructure/s", None, [structure({"structure": THIGH}, patient=PERSON)]),
    ],
)
def test_observation_body_structure_is_a_body_site(reference: str, contained: Any, beside: list[Any]) -> None:
    r4 = read(observation("fasciculation", bodySite="thigh"))
    one = observation("fasciculation", bodyStructure={"reference": reference})
    record = read(one | ({"contained": contained} if contained else {}), *beside)
    assert record == replace(r4, version=Version.R5)
    assert [site.id for site in record.twitch.sites] == ["thigh"]


@pytest.mark.parametrize("contained", [[], [{"resourceType": "Group", "id": "s"}], [5]])
def test_a_body_structure_that_is_not_there_is_named(contained: list[Any]) -> None:
    one = observation("fasciculation", bodyStructure={"reference": "#s"}, contained=contained)
    record = read(one)
    assert record.twitch.sites == ()
    assert "body site not understood" in [note.why for note in record.not_understood]
