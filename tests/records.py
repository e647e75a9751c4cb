"""Realistic records of 500 and more resources of many types, seeded; about one patient, without any twitch.

Add the resources of a test patient to get a record with one. Everything else is noise: visits, claims,
immunisations, laboratory values that have nothing to do with muscles, notes with tempting words.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tests.vignettes import codes

Resource = dict[str, Any]

# Words that a search in free text would trip over.
TEMPTING = (
    "No fasciculation seen. Patient worried about muscle twitching she read of.",
    "Mother says: fasciculations in ALS. Tongue fasciculation discussed, none today.",
    "Left anterior fascicular block on ECG, unchanged. Eyelid twitch resolved in 2009.",
    "R25.3 queried by coder, not confirmed. 82470000?",
)
# Plain names of laboratory values of no interest here; a local code each.
_LABS = ("Haemoglobin", "Platelets", "ALT", "CRP", "Ferritin", "Cholesterol", "Urate", "Bilirubin")
_VACCINES = ("Influenza", "Tetanus", "Hepatitis B", "COVID-19")
_PROBLEMS = ("Acne", "Hay fever", "Ingrowing toenail", "Astigmatism", "Verruca")
# Belong to no medicine class and to no ingredient of the tables.
_MEDICINES = ("Emollient cream", "Sodium chloride 0.9% eye wash", "Throat lozenge")
LOCAL = "https://ehr.example.org/codes"


def record(
    seed: int,
    *,
    patient_id: str,
    as_of: date,
    size: int = 600,
    extra: tuple[Resource, ...] = (),
    history: bool = True,
) -> dict[str, Any]:
    """A collection of at least that many resources about that patient, shuffled with the extra ones.

    The same arguments give the same bundle. One of the resources is the Patient, unless extra brings one.
    history: with twitches that are over; a card shows them.
    """
    chance = random.Random(seed)
    writer = _Writer(chance, patient_id, as_of)
    brought = {resource["resourceType"] for resource in extra}
    found = [] if "Patient" in brought else [writer.patient()]
    # One of each, so that no seed misses a type; then by weight.
    weighted = (*writer.makers, (writer.old_twitch, 1)) if history else writer.makers
    makers = [make for make, _ in weighted]
    found += [make() for make in makers]
    weights = [weight for _, weight in weighted]
    while len(found) + len(extra) < size:
        found.append(chance.choices(makers, weights)[0]())
    resources = [{"id": f"n{number}", **resource} for number, resource in enumerate(found)] + list(extra)
    chance.shuffle(resources)
    entries = [
        {"fullUrl": f"https://ehr.example.org/fhir/{made['resourceType']}/{made['id']}", "resource": made}
        for made in resources
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


class _Writer:
    """Writes one resource of each sort."""

    def __init__(self, chance: random.Random, patient_id: str, as_of: date) -> None:
        self.chance = chance
        self.id = patient_id
        self.as_of = as_of
        self.makers: tuple[tuple[Callable[[], Resource], int], ...] = (
            (self.encounter, 12),
            (self.claim, 8),
            (self.explanation_of_benefit, 6),
            (self.immunization, 4),
            (self.laboratory, 30),
            (self.vital_sign, 20),
            (self.social, 3),
            (self.document, 5),
            (self.condition, 3),
            (self.medication_request, 3),
            (self.procedure, 4),
            (self.diagnostic_report, 5),
            (self.care_plan, 1),
            (self.appointment, 3),
            (self.communication, 2),
            (self.allergy, 1),
            (self.coverage, 1),
            (self.medication_statement, 1),
            (self.service_request, 2),
            (self.family_history, 1),
        )

    def _day(self) -> str:
        return (self.as_of - timedelta(days=self.chance.randint(1, 4000))).isoformat()

    def _pick(self, names: tuple[str, ...]) -> Resource:
        name = self.chance.choice(names)
        return {"coding": [{"system": LOCAL, "code": f"L{names.index(name)}", "display": name}], "text": name}

    @property
    def _about(self) -> Resource:
        return {"reference": f"Patient/{self.id}"}

    def patient(self) -> Resource:
        return {
            "resourceType": "Patient",
            "id": self.id,
            "name": [{"family": "Testperson", "given": ["Quirine"]}],
            "gender": "female",
            "birthDate": "1971-03-04",
        }

    def encounter(self) -> Resource:
        ambulatory = {"system": codes.TERMINOLOGY + "v3-ActCode", "code": "AMB"}
        return {
            "resourceType": "Encounter",
            "status": "finished",
            "class": ambulatory,
            "subject": self._about,
            "period": {"start": self._day()},
            "reasonCode": [{"text": self.chance.choice(TEMPTING)}],
        }

    def claim(self) -> Resource:
        return {
            "resourceType": "Claim",
            "status": "active",
            "type": {"text": "professional"},
            "use": "claim",
            "patient": self._about,
            "created": self._day(),
            "provider": {"display": "Practice"},
            "priority": {"text": "normal"},
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "Plan"}}],
            # A diagnosis on a claim is why something was billed, not what the patient has.
            "diagnosis": [
                {
                    "sequence": 1,
                    "diagnosisCodeableConcept": codes.finding_concept("fasciculation", codes.ICD_10_CM),
                }
            ],
        }

    def explanation_of_benefit(self) -> Resource:
        return {
            "resourceType": "ExplanationOfBenefit",
            "status": "active",
            "type": {"text": "professional"},
            "use": "claim",
            "patient": self._about,
            "created": self._day(),
            "insurer": {"display": "Insurer"},
            "provider": {"display": "Practice"},
            "outcome": "complete",
            "insurance": [{"focal": True, "coverage": {"display": "Plan"}}],
        }

    def immunization(self) -> Resource:
        return {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": self._pick(_VACCINES),
            "patient": self._about,
            "occurrenceDateTime": self._day(),
        }

    def laboratory(self) -> Resource:
        return self._observation(
            "laboratory",
            self._pick(_LABS),
            valueQuantity={"value": round(self.chance.uniform(0.1, 400), 1), "unit": "g/L"},
        )

    def vital_sign(self) -> Resource:
        return self._observation(
            "vital-signs",
            self._pick(("Body weight", "Heart rate", "Blood pressure")),
            valueQuantity={"value": self.chance.randint(40, 180), "unit": "1"},
        )

    def social(self) -> Resource:
        return self._observation(
            "social-history", self._pick(("Housing", "Occupation")), valueString="Lives with a twitching dog"
        )

    def _observation(self, sort: str, code: Resource, **value: Any) -> Resource:
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"system": codes.TERMINOLOGY + "observation-category", "code": sort}]}],
            "code": code,
            "subject": self._about,
            "effectiveDateTime": self._day(),
            **value,
        }

    def document(self) -> Resource:
        text = base64.b64encode(self.chance.choice(TEMPTING).encode()).decode()
        return {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": self._about,
            "date": f"{self._day()}T08:00:00Z",
            "description": self.chance.choice(TEMPTING),
            "content": [{"attachment": {"contentType": "text/plain", "data": text}}],
        }

    def condition(self) -> Resource:
        return self._condition(self._pick(_PROBLEMS), "active")

    def old_twitch(self) -> Resource:
        """A twitch that is over: history, and no subject for a card."""
        code = codes.finding_concept("fasciculation", codes.SNOMED)
        return self._condition(code, "resolved", abatementDateTime=self._day())

    def _condition(self, code: Resource, status: str, **members: Any) -> Resource:
        system = codes.TERMINOLOGY + "condition-clinical"
        return {
            "resourceType": "Condition",
            "clinicalStatus": {"coding": [{"system": system, "code": status}]},
            "code": code,
            "subject": self._about,
            "recordedDate": self._day(),
            "note": [{"text": self.chance.choice(TEMPTING)}],
            **members,
        }

    def medication_request(self) -> Resource:
        return {
            "resourceType": "MedicationRequest",
            "status": "cancelled",
            "intent": "order",
            "medicationCodeableConcept": {"text": self.chance.choice(_MEDICINES)},
            "subject": self._about,
            "authoredOn": self._day(),
            "note": [{"text": "furosemide was considered, not given"}],
        }

    def medication_statement(self) -> Resource:
        return {
            "resourceType": "MedicationStatement",
            "status": "not-taken",
            "medicationCodeableConcept": {"text": self.chance.choice(_MEDICINES)},
            "subject": self._about,
            "effectivePeriod": {"start": self._day()},
        }

    def service_request(self) -> Resource:
        return {
            "resourceType": "ServiceRequest",
            "status": "completed",
            "intent": "order",
            "code": self._pick(("Chest radiograph", "Hearing test")),
            "subject": self._about,
            "authoredOn": self._day(),
        }

    def family_history(self) -> Resource:
        return {
            "resourceType": "FamilyMemberHistory",
            "status": "completed",
            "patient": self._about,
            "relationship": {"text": "aunt"},
            "condition": [{"code": self._pick(_PROBLEMS)}],
        }

    def procedure(self) -> Resource:
        return {
            "resourceType": "Procedure",
            "status": "completed",
            "code": self._pick(("Ear syringing", "Suture removal")),
            "subject": self._about,
            "performedDateTime": self._day(),
        }

    def diagnostic_report(self) -> Resource:
        return {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": self._pick(("Chest radiograph", "Full blood count")),
            "subject": self._about,
            "effectiveDateTime": self._day(),
            "conclusion": self.chance.choice(TEMPTING),
        }

    def care_plan(self) -> Resource:
        return {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": self._about}

    def appointment(self) -> Resource:
        return {
            "resourceType": "Appointment",
            "status": "booked",
            "description": "Twitching?",
            "participant": [{"actor": self._about, "status": "accepted"}],
        }

    def communication(self) -> Resource:
        return {
            "resourceType": "Communication",
            "status": "completed",
            "subject": self._about,
            "payload": [{"contentString": self.chance.choice(TEMPTING)}],
        }

    def allergy(self) -> Resource:
        return {
            "resourceType": "AllergyIntolerance",
            "patient": self._about,
            "code": {"text": "Furosemide"},
            "clinicalStatus": {
                "coding": [{"system": codes.TERMINOLOGY + "allergyintolerance-clinical", "code": "active"}]
            },
        }

    def coverage(self) -> Resource:
        return {
            "resourceType": "Coverage",
            "status": "active",
            "beneficiary": self._about,
            "payor": [{"display": "Insurer"}],
        }
