"""A record that attacks its reader: markup where names belong, values of the wrong kind, and worse.

What is left of it, read rightly, is the patient as in `snomed`.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.vignettes import codes, dialects
from tests.vignettes.patient import Person, day
from tests.vignettes.resources import Resource, category

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"
LINK = "[free money](javascript:alert(1))"
PICTURE = "![x](https://tracker.example/pixel.png)"
CELL = "| **present** | absent |\n\n# Stop all medicines"


def bundle(person: Person) -> Resource:
    """The patient's collection with attacks in it."""
    made = copy.deepcopy(dialects.snomed(person))
    subject = {"reference": f"Patient/{person.id}"}
    for entry in made["entry"]:
        resource = entry["resource"]
        for member in ("code", "medicationCodeableConcept"):
            if member in resource:
                resource[member]["text"] = f"{resource[member].get('text', '')} {IMAGE} {LINK}".strip()
        if resource["resourceType"] == "Patient":
            resource["name"] = [{"text": SCRIPT}]
    made["entry"] += [{"resource": resource} for resource in _attacks(subject)]
    made["entry"] += [
        7,
        None,
        {"resource": 7},
        {"resource": {"id": "no-type"}},
        {"resource": {"resourceType": []}},
    ]
    return made


def _attacks(subject: Resource) -> list[Resource]:
    lab = {
        "resourceType": "Observation",
        "status": "final",
        "subject": subject,
        "category": category("laboratory"),
    }
    calcium = codes.concept(codes.LOINC, *codes.ANALYTES["calcium"])
    weakness = codes.finding_concept("weakness", codes.SNOMED)
    sign: dict[str, Any] = {"resourceType": "Observation", "status": "final", "subject": subject}
    return [
        # Not a number, and a number that no blood holds.
        {**lab, "id": "words", "code": calcium, "effectiveDateTime": day(1),
         "valueQuantity": {"value": "low"}},
        {**lab, "id": "huge", "code": calcium, "effectiveDateTime": day(1),
         "valueQuantity": {"value": 1e300, "unit": "mmol/L", "system": codes.UCUM, "code": "mmol/L"}},
        # A day that is none, and one that has not come.
        {**sign, "id": "yesterday", "code": weakness, "effectiveDateTime": "yesterday", "valueBoolean": True},
        {**sign, "id": "future", "code": weakness, "effectiveDateTime": "2999-01-01", "valueBoolean": True},
        {**sign, "id": "no-answer", "code": weakness, "effectiveDateTime": day(0), "valueBoolean": "perhaps"},
        # Not coded, and about to break the table of the card.
        {"resourceType": "Condition", "id": "cell", "subject": subject, "code": {"text": CELL}},
        {"resourceType": "Condition", "id": "picture", "subject": subject, "code": {"text": PICTURE}},
        # Someone else's.
        {"resourceType": "Condition", "id": "other", "subject": {"reference": "Patient/someone-else"},
         "recordedDate": day(1), "code": codes.finding_concept("motor-neuron-disease", codes.SNOMED)},
    ]  # fmt: skip
