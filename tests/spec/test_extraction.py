"""What observation-based extraction of SDC makes of a response decides as the response does."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_mappings.record import Basis
from tests.spec.forms import (
    CLINICIAN,
    ITEMS,
    SDC,
    TWITCH,
    coding,
    outcome,
    response,
)
from tests.spec.records import KNOWLEDGE, as_of, condition, observation, read


def extracted(answered: dict[str, Any]) -> list[dict[str, Any]]:
    """The Observations that observation-based extraction makes of a response."""
    made = []
    for item in (item for group in answered["item"] for item in group["item"]):
        asked = ITEMS[item["linkId"]]
        marks = [one for one in asked.get("extension", ()) if one["url"] == f"{SDC}observationExtract"]
        if not any(one.get("valueBoolean") for one in marks):
            continue
        categories = [
            one["valueCodeableConcept"]
            for one in asked["extension"]
            if one["url"] == f"{SDC}observation-extract-category"
        ]
        for answer in item["answer"]:
            ((name, value),) = answer.items()
            observed = {
                "resourceType": "Observation",
                "id": f"{answered['id']}-{len(made)}",
                "status": "final",
                "category": categories,
                "code": {"coding": asked["code"]},
                "subject": answered["subject"],
                "effectiveDateTime": answered["authored"],
                "issued": answered["authored"],
                "derivedFrom": [{"reference": f"QuestionnaireResponse/{answered['id']}"}],
            }
            if "author" in answered:
                observed["performer"] = [answered["author"]]
            if name == "valueCoding":
                observed["valueCodeableConcept"] = {"coding": [value]}
            else:
                observed[name] = value
            made.append(observed)
    return made


ANSWERED: dict[str, dict[str, Any]] = {
    "normal": {"weakness": False, "atrophy": False, "sensory-loss": False},
    "weak": {"weakness": True, "atrophy": False, "sensory-loss": False},
    "bulbar": {"weakness": False, "atrophy": False, "bulbar": True, "orthopnea": False},
    "breathless": {"weakness": True, "breathing-difficulty": True, "orthopnea": True},
    "numb": {"sensory-loss": True, "tingling": True, "pain": True},
    "stiff": {"stiffness": True, "rigidity": True, "cramps": True, "movement": True},
    "upper": {"upper-motor-sign": True, "coordination": False},
    "every": dict.fromkeys(KNOWLEDGE.table.asked_findings, True),
    "none": dict.fromkeys(KNOWLEDGE.table.asked_findings, False),
}
ABOUT_TWITCH = [
    TWITCH,
    observation("fasciculation", bodySite="eyelid", effectiveDateTime=as_of(4)),
    condition("fasciculation", bodySite=["thigh"], onsetDateTime=as_of(60)),
]


@pytest.mark.parametrize("twitch", ABOUT_TWITCH, ids=["bare", "eyelid", "persistent"])
@pytest.mark.parametrize(
    "who",
    [CLINICIAN, {"author": {"reference": "Patient/p"}}, {"author": None}],
    ids=["clinician", "patient", "none"],
)
@pytest.mark.parametrize("answers", ANSWERED.values(), ids=ANSWERED)
def test_what_is_extracted_decides_as_the_response(
    answers: dict[str, Any], who: dict[str, Any], twitch: dict[str, Any]
) -> None:
    answered = response(answers, **who)
    observations = extracted(answered)
    assert len(observations) == len(answers)
    for made in observations:
        get_fhir_model_class("Observation").model_validate(made)
    assert outcome(read(twitch, answered)) == outcome(read(twitch, *observations))
    # Both of them, as a server holds them after the extraction.
    assert outcome(read(twitch, answered, *observations)) == outcome(read(twitch, answered))
    assert outcome(read(twitch, answered)) != outcome(read(twitch))


def test_days_places_and_courses_are_not_extracted() -> None:
    about = {"site": coding("sites", "tongue"), "course": coding("courses", "stable"), "onset": as_of(9)}
    assert extracted(response({**about, "weakness-start": as_of(3), "birth-date": "1980-01-01"})) == []


@pytest.mark.parametrize(
    ("category", "performer", "basis"),
    [
        ("exam", "Practitioner/d", Basis.EXAMINED),
        ("exam", "PractitionerRole/d", Basis.EXAMINED),
        ("exam", "Patient/p", Basis.REPORTED),
        ("exam", None, Basis.REPORTED),
        ("survey", "Practitioner/d", Basis.REPORTED),
        ("therapy", "Practitioner/d", Basis.REPORTED),
    ],
)
def test_an_observation_from_a_form_is_examined_where_a_clinician_examined(
    category: str, performer: str | None, basis: Basis
) -> None:
    people = {"performer": [{"reference": performer}]} if performer else {}
    derived = {"derivedFrom": [{"reference": "QuestionnaireResponse/r"}], "category": category, **people}
    record = read(TWITCH, observation("weakness", valueBoolean=True, **derived))
    assert record.finding("weakness").basis is basis
