"""Generated resources as the EHR of a hospital sends them; no real data.

Known codes are drawn from the knowledge files, so that a change there changes the resources. The code of a
name that the knowledge does not know is a number made from that name.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any
from zlib import crc32

from fhir_mappings.terminology import Terminology
from service.knowledge import load_knowledge
from tests.vignettes import codes
from tests.vignettes.medicine_codes import ROUTES
from tests.vignettes.patient import AS_OF, Course, Person, day
from tests.vignettes.resources import (
    SUBJECT,
    Resource,
    category,
    condition,
    observation,
    order,
    request,
)

LOCAL = "https://ehr.example.org/codes"
# Of a hundred resources of a record.
MIX = {"lab": 45, "vital_sign": 20, "medication": 10, "condition": 9, "procedure": 6, "report": 5, "order": 3}
MIX["statement"] = 2
# How often the analytes of the knowledge are measured; every other one has the weight 1.
OFTEN = {
    "potassium": 12,
    "sodium": 12,
    "creatinine": 10,
    "glucose": 8,
    "calcium": 4,
    "tsh": 3,
    "magnesium": 3,
}
KNOWN_PROBLEMS = ("diabetes", "anxiety", "lung-disease", "heart-failure", "chronic-kidney-disease")
# Names of which the knowledge has no code.
LABS = """Hemoglobin, Hematocrit, Leukocytes, Platelets, MCV, MCH, Neutrophils, Lymphocytes, ALT, AST,
Bilirubin, Alkaline phosphatase, GGT, CRP, INR, aPTT, Ferritin, Cholesterol, Triglycerides, Urate"""
VITAL_SIGNS = "Heart rate, Body temperature, Respiratory rate, Oxygen saturation, Body weight, Pain score"
PROBLEMS = """Essential hypertension, Hyperlipidemia, Osteoarthritis of knee, Cataract, Psoriasis,
Allergic rhinitis, Fracture of radius, Iron deficiency anemia, Appendicitis, Cellulitis"""
MEDICINES = """amlodipine 5 MG Oral Tablet, acetaminophen 500 MG Oral Tablet, amoxicillin 500 MG Oral Capsule,
enoxaparin sodium 40 MG Prefilled Syringe, insulin glargine 100 UNT/ML Injectable Solution,
metoprolol succinate 50 MG Extended Release Oral Tablet, sodium chloride 9 MG/ML Injectable Solution"""
PROCEDURES = "Colonoscopy, Total knee replacement, Electrocardiogram, Wound dressing, Excision of skin lesion"
REPORTS = "Chest X-ray report, Blood count panel, Echocardiogram report, Urine culture report"
# Who is responsible, by type of resource; the member holds one reference, a list, or a list of actors.
AUTHORS: dict[str, tuple[str, Callable[[Resource], Any]]] = {
    "Observation": ("performer", lambda who: [who]),
    "DiagnosticReport": ("performer", lambda who: [who]),
    "Procedure": ("performer", lambda who: [{"actor": who}]),
    "Condition": ("recorder", lambda who: who),
    "MedicationRequest": ("requester", lambda who: who),
    "ServiceRequest": ("requester", lambda who: who),
}


class Record:
    """Writes the resources of one patient as that patient's EHR sends them.

    several: a concept has a local coding beside the standard one. replaced: some resources are there in two
    versions. narrative: resources have one.
    """

    def __init__(self, chance: random.Random, person: Person, *, twitches: bool) -> None:
        self.chance, self.person, self.twitches = chance, person, twitches
        self.several, self.replaced, self.narrative = (chance.random() < share for share in (0.35, 0.2, 0.1))
        # Which of the codes of an analyte the laboratory uses.
        self.laboratory = chance.randrange(7)
        self.number = 0

    def _days(self) -> int:
        """Most of a record is of the last years."""
        return min(round(self.chance.expovariate(1 / 500)) + 1, 4_000)

    def _concept(self, system: str, code: str, name: str) -> Resource:
        made = codes.concept(system, code, name)
        if self.several and system != LOCAL:
            made["coding"].insert(
                self.chance.randrange(2), codes.coding(LOCAL, f"L{crc32(name.encode()) % 9973}", name)
            )
        return made

    def _unknown(self, system: str, names: str) -> Resource:
        """A concept of which the knowledge has no code, in the system or in that of the hospital."""
        name = self.chance.choice(re.split(r",\s", names))
        number = crc32(name.encode())
        if self.chance.random() < 0.4:
            system = LOCAL
        code = (
            f"{90_000 + number % 9_973}-{number % 10}"
            if system == codes.LOINC
            else str(900_000_000 + number % 99_991)
        )
        return self._concept(system, code, name)

    def _measured(self, sort: str, code: Resource, days: int, low: float, high: float, unit: str) -> Resource:
        value = self.chance.uniform(low - (high - low) / 10, high + (high - low) / 10)
        flag = "L" if value < low else "H" if value > high else "N"
        flags = codes.coding(f"{codes.TERMINOLOGY}v3-ObservationInterpretation", flag, codes.FLAGS[flag])
        ucum = {"unit": unit, "system": codes.UCUM, "code": unit}
        status = self.chance.choices(
            ("final", "corrected", "preliminary", "entered-in-error"), (92, 4, 3, 1)
        )[0]
        made = observation(code, days=days, category=category(sort))
        return made | {
            "status": status,
            "effectiveDateTime": f"{day(days)}T08:15:00+00:00",
            "issued": f"{day(days)}T09:40:00Z",
            "valueQuantity": {"value": round(value, 2), **ucum},
            "referenceRange": [{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}],
            "interpretation": [{"coding": [flags]}],
        }

    def known_lab(self, days: int | None = None) -> Resource:
        names = list(_labs())
        name = self.chance.choices(names, [OFTEN.get(name, 1) for name in names])[0]
        analyte, known = _terminology().analytes[name], _labs()[name]
        concept = self._concept(codes.LOINC, known[self.laboratory % len(known)], analyte.label)
        low, high = float(analyte.default_low or 10), float(analyte.default_high or 60)
        return self._measured(
            "laboratory", concept, days or self._days(), low, high, analyte.unit or "mmol/L"
        )

    def lab(self) -> Resource:
        if self.chance.random() < 0.6:
            return self.known_lab()
        return self._measured("laboratory", self._unknown(codes.LOINC, LABS), self._days(), 4, 150, "g/L")

    def vital_sign(self) -> Resource:
        return self._measured(
            "vital-signs", self._unknown(codes.LOINC, VITAL_SIGNS), self._days(), 15, 110, "1"
        )

    def condition(self) -> Resource:
        code = self._unknown(codes.SNOMED, PROBLEMS)
        if self.chance.random() < 0.2:
            code = codes.finding_concept(self.chance.choice(KNOWN_PROBLEMS), codes.SNOMED)
        made, days = condition(code, recorded=self._days()), self._days()
        if self.chance.random() < 0.5:
            made["clinicalStatus"]["coding"][0]["code"] = "resolved"
            made["abatementDateTime"] = day(days // 2)
        sort = codes.concept(
            f"{codes.TERMINOLOGY}condition-category", "problem-list-item", "Problem List Item"
        )
        return {**made, "category": [sort], "onsetDateTime": day(days)}

    def _medicine(self) -> Resource:
        if self.chance.random() < 0.4:
            code, name = self.chance.choice(_medicines())
            return {"medicationCodeableConcept": self._concept(codes.RXNORM, code, name)}
        return {"medicationCodeableConcept": self._unknown(codes.RXNORM, MEDICINES)}

    def medication(self) -> Resource:
        dosage = {
            "text": "1 tablet by mouth in the morning",
            "route": codes.concept(codes.SNOMED, *ROUTES["oral"]),
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
        }
        made = request(self._medicine(), Course(self._days()), dosageInstruction=[dosage])
        status = self.chance.choices(("completed", "stopped", "active", "cancelled"), (60, 15, 20, 5))[0]
        return {**made, "status": status, "dispenseRequest": {"numberOfRepeatsAllowed": 3}}

    def statement(self) -> Resource:
        return {
            "resourceType": "MedicationStatement",
            "status": self.chance.choice(("active", "completed")),
            **self._medicine(),
            "subject": SUBJECT,
            "effectivePeriod": {"start": day(self._days() + 900), "end": day(self._days())},
        }

    def procedure(self) -> Resource:
        return {
            "resourceType": "Procedure",
            "status": self.chance.choice(("completed", "completed", "not-done")),
            "code": self._unknown(codes.SNOMED, PROCEDURES),
            "subject": SUBJECT,
            "performedPeriod": {"start": f"{day(self._days())}T10:00:00+00:00"},
        }

    def report(self) -> Resource:
        return {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": self._unknown(codes.LOINC, REPORTS),
            "subject": SUBJECT,
            "effectiveDateTime": day(self._days()),
            "result": [{"reference": f"Observation/{self.person.id}-{number}"} for number in range(1, 4)],
            "conclusion": "No change from the earlier study.",
        }

    def order(self) -> Resource:
        status = self.chance.choice(("active", "completed", "revoked"))
        return order(self._unknown(codes.LOINC, REPORTS), self._days(), status=status)

    def dressed(self, made: Resource) -> Resource:
        """The resource with the members that a server adds to each."""
        self.number += 1
        identity = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        who = {"reference": f"Practitioner/p{self.number % 40}", "display": "Dr. Q. Example"}
        kind = made["resourceType"]
        further: Resource = {}
        if kind in AUTHORS:
            member, written = AUTHORS[kind]
            further = {member: written(who), "encounter": {"reference": f"Encounter/e{self.number // 7}"}}
        if self.narrative:
            words = f"{kind}, recorded by Dr. Q. Example on {AS_OF}. Nothing to add."
            further["text"] = {
                "status": "generated",
                "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>',
            }
        return {
            "resourceType": kind,
            "id": identity,
            "meta": {
                "versionId": "2",
                "lastUpdated": f"{AS_OF}T07:15:00Z",
            },
            "identifier": [{"system": f"{LOCAL}/number", "value": identity[:8]}],
            **{name: value for name, value in made.items() if name not in ("resourceType", "id")},
            **further,
        }

    @staticmethod
    def older(made: Resource) -> Resource:
        """The version before it."""
        return {**made, "meta": {**made["meta"], "versionId": "1", "lastUpdated": "2020-01-01T00:00:00Z"}}


@cache
def _terminology() -> Terminology:
    return load_knowledge().terminology


@cache
def _labs() -> dict[str, list[str]]:
    """Analyte of the knowledge -> its LOINC codes."""
    found: dict[str, list[str]] = {}
    for _, code in sorted(_terminology().analyte_codes):
        found.setdefault(_terminology().analyte_codes[codes.LOINC, code], []).append(code)
    return found


@cache
def _medicines() -> list[tuple[str, str]]:
    """RxNorm code and name of the medicines of the knowledge."""
    known = _terminology().medications.codes
    return [
        (code, f"{known[system, code][0].name} 25 MG Oral Tablet")
        for system, code in sorted(known)
        if system == codes.RXNORM
    ]
