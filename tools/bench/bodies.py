"""The requests that every contender is sent: patient-view calls of a given size, the deciding resources last.

A record is mostly what the table does not ask for: laboratory values, problems, prescriptions and visits with
codes of one hospital. Each of those resources has the same number of bytes; what decides stands at the end of
its list, so that nobody can stop reading early.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests import records
from tests.vignettes import codes
from tests.vignettes.dialects import prefetch
from tests.vignettes.patient import AS_OF, BY_ID

Resource = dict[str, Any]

EXTENSION = "org.fasciculation-cds"
LOCAL = "https://ehr.example.org/codes"
KEYS = {
    "Condition": "conditions",
    "Observation": "labs",
    "MedicationRequest": "medications",
    "MedicationStatement": "medicationStatements",
    "ServiceRequest": "orders",
    "Procedure": "procedures",
    "DiagnosticReport": "reports",
    "FamilyMemberHistory": "familyHistory",
}
# Of a hundred resources of no interest.
MIX = {"labs": 70, "conditions": 12, "medications": 10, "procedures": 8}
# The first unless another is named: everything that alarms; a medicine and results in range; a weak hand; and
# one of whom nothing but a twitch is recorded, which leaves most to ask.
PEOPLE = ("v39", "v08", "v06", "v44")


@dataclass(frozen=True)
class Body:
    """A request. name: what the report calls it; resources: in its prefetch."""

    name: str
    resources: int
    content: bytes


def patient_view(resources: int, size: int, person: str = PEOPLE[0], seed: int = 1) -> Body:
    """A call whose prefetch holds that many resources of that many bytes each, those that decide included."""
    lists = prefetch(BY_ID[person])
    deciding = sum(len(found.get("entry", ())) for found in lists.values()) + 1
    writer = _Writer(random.Random(seed), person, size)
    keys = list(MIX)
    wanted = random.Random(seed).choices(keys, [MIX[key] for key in keys], k=max(0, resources - deciding))
    for key in keys:
        noise = [{"resource": writer.resource(key)} for _ in range(wanted.count(key))]
        found = lists.setdefault(key, {"resourceType": "Bundle", "type": "searchset"})
        found["entry"] = [*noise, *found.get("entry", ())]
    return Body(f"{resources} x {size} B", resources, _call(person, lists))


def real_shaped(resources: int, person: str = PEOPLE[0], seed: int = 1) -> Body:
    """A call with the lists of a real record: resources of all lengths, some with narrative."""
    bundle = records.record(seed, patient_id=person, as_of=AS_OF, size=resources * 3)
    chance = random.Random(seed)
    lists = prefetch(BY_ID[person])
    room = resources - sum(len(found.get("entry", ())) for found in lists.values()) - 1
    kept: dict[str, list[Resource]] = {}
    for entry in bundle["entry"]:
        key = KEYS.get(entry["resource"]["resourceType"])
        # Half of a record is of types that no list of the prefetch holds.
        if key is not None and room > 0:
            kept.setdefault(key, []).append({**entry, "resource": _documented(entry["resource"], chance)})
            room -= 1
    for key, entries in kept.items():
        found = lists.setdefault(key, {"resourceType": "Bundle", "type": "searchset"})
        found["entry"] = [*entries, *found.get("entry", ())]
    return Body(f"record of {resources}", resources, _call(person, lists))


def _documented(resource: Resource, chance: random.Random) -> Resource:
    """With the narrative that many servers add, of the length that they have."""
    words = " ".join(chance.choice(records.TEMPTING) for _ in range(chance.choice((0, 0, 1, 2, 8))))
    return {**resource, "text": {"status": "generated", "div": f"<div>{words}</div>"}} if words else resource


def _call(person: str, lists: dict[str, Any]) -> bytes:
    call = {
        "hookInstance": "3c63d725-2f2a-4106-ac43-f86e057bd760",
        "hook": "patient-view",
        "context": {"userId": "Practitioner/example", "patientId": person},
        # The day of the decision, so that the record does not age; HealthChain reads no such extension.
        "extension": {EXTENSION: {"asOf": AS_OF.isoformat()}},
        "prefetch": lists,
    }
    return json.dumps(call, separators=(",", ":")).encode()


class _Writer:
    """Writes resources of no interest, each of the same number of bytes."""

    def __init__(self, chance: random.Random, patient_id: str, size: int) -> None:
        self.chance = chance
        self.subject = {"reference": f"Patient/{patient_id}"}
        self.size = size
        self.number = 0

    def resource(self, key: str) -> Resource:
        """Its kind of resource with the members that such a record has, as many as its size has room for."""
        self.number += 1
        made = getattr(self, key)()
        made = {"resourceType": made.pop("resourceType"), "id": f"n{self.number}", **made}
        room = self.size - _bytes(made)
        for name, value in self._further(key):
            needs = _bytes({name: value}) - 1
            if needs <= room:
                made[name] = value
                room -= needs
        rest = room - _bytes({"language": ""}) + 1
        # What is left is less than any member: a word fills it.
        return {**made, "language": "x" * rest} if rest >= 0 else made

    def _further(self, key: str) -> list[tuple[str, Any]]:
        day, number = self._day(), self.number
        unit = {"unit": "mmol/L", "system": codes.UCUM, "code": "mmol/L"}
        normal = {
            "system": codes.TERMINOLOGY + "v3-ObservationInterpretation",
            "code": "N",
            "display": "Normal",
        }
        who = {"reference": f"Practitioner/p{number % 40}", "display": "Dr. Q. Example"}
        laboratory: list[tuple[str, Any]] = [
            ("issued", f"{day}T09:40:00.000+00:00"),
            ("referenceRange", [{"low": {"value": 1, **unit}, "high": {"value": 200, **unit}}]),
            ("interpretation", [{"coding": [normal], "text": "Normal"}]),
            ("performer", [who]),
        ]
        return [
            ("encounter", {"reference": f"Encounter/e{number}"}),
            ("meta", {"versionId": "1", "lastUpdated": f"{day}T08:15:00.000+00:00"}),
            *(laboratory if key == "labs" else [("recorder", who)] if key == "conditions" else []),
            (
                "identifier",
                [{"use": "official", "system": f"{LOCAL}/record-number", "value": f"{number:08}"}],
            ),
            ("extension", [{"url": f"{LOCAL}/entered-at", "valueDateTime": f"{day}T08:16:30+00:00"}]),
            ("note", [{"authorString": "Q. Example", "time": day, "text": "Seen, nothing to add."}]),
            ("implicitRules", f"{LOCAL}/rules"),
        ]

    def _day(self) -> str:
        return (AS_OF - timedelta(days=self.chance.randint(1, 3000))).isoformat()

    def _code(self, kind: str, of: int) -> Resource:
        """One of so many: a record of years repeats its codes."""
        number = self.chance.randint(1, of)
        name = f"Local {kind} {number}"
        return {"coding": [{"system": LOCAL, "code": f"{kind[0]}{number}", "display": name}], "text": name}

    def labs(self) -> Resource:
        sort = {"system": codes.TERMINOLOGY + "observation-category", "code": "laboratory"}
        unit = {"unit": "mmol/L", "system": codes.UCUM, "code": "mmol/L"}
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [sort]}],
            "code": self._code("analyte", 80),
            "subject": self.subject,
            "effectiveDateTime": f"{self._day()}T08:15:00+00:00",
            "valueQuantity": {"value": round(self.chance.uniform(0.1, 400), 1), **unit},
        }

    def conditions(self) -> Resource:
        status = {"system": codes.TERMINOLOGY + "condition-clinical", "code": "resolved"}
        return {
            "resourceType": "Condition",
            "clinicalStatus": {"coding": [status]},
            "code": self._code("problem", 60),
            "subject": self.subject,
            "onsetDateTime": self._day(),
            "recordedDate": self._day(),
        }

    def medications(self) -> Resource:
        return {
            "resourceType": "MedicationRequest",
            "status": "completed",
            "intent": "order",
            "medicationCodeableConcept": self._code("medicine", 25),
            "subject": self.subject,
            "authoredOn": self._day(),
            "dosageInstruction": [{"text": "one in the morning", "timing": {"repeat": {"frequency": 1}}}],
        }

    def procedures(self) -> Resource:
        return {
            "resourceType": "Procedure",
            "status": "completed",
            "code": self._code("procedure", 60),
            "subject": self.subject,
            "performedDateTime": self._day(),
        }


def _bytes(made: Resource) -> int:
    return len(json.dumps(made, separators=(",", ":")))
