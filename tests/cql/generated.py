"""Seeded patients in plain R4: every kind of record that the library reads, at random, about one twitch."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

Resource = dict[str, Any]
Codes = Mapping[str, Sequence[tuple[str, str]]]

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_FLAGS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_COURSE = "http://hl7.org/fhir/StructureDefinition/condition-diseaseCourse"
_UCUM = "http://unitsofmeasure.org"
_SIGNS = ("weakness", "atrophy", "sensory-loss")
# Numbers around the limits of the knowledge, in the unit that is written.
_RESULTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "potassium": ("mmol/L", ("2.4", "2.5", "2.9", "3.4", "3.5", "4.1", "5.2", "5.3", "6.4", "6.5")),
    "sodium": ("mmol/L", ("118", "120", "130", "134", "140", "146", "160")),
    "calcium": ("mmol/L", ("1.75", "1.85", "1.95", "2.05", "2.3", "2.65", "3.5")),
    "calcium-ionised": ("mmol/L", ("0.85", "0.95", "1.2", "1.5", "1.65")),
    "albumin": ("g/L", ("20", "38", "46")),
    "magnesium": ("mmol/L", ("0.35", "0.4", "0.6", "0.8", "1.2")),
    "lithium": ("mmol/L", ("0.6", "1.1", "1.5")),
    "creatine-kinase": ("U/L", ("120", "900", "4999", "5000")),
    "tsh": ("m[IU]/L", ("0.01", "1.5", "9")),
    "free-t4": ("pmol/L", ("12", "40")),
    "egfr": ("mL/min/{1.73_m2}", ("14", "15", "80")),
    "creatinine": ("umol/L", ("80", "400")),
    "vitamin-b12": ("pmol/L", ("90", "300")),
    "hba1c": ("mmol/mol", ("35", "70")),
    "vitamin-d": ("nmol/L", ("20", "80")),
    "zinc": ("umol/L", ("5", "14")),
    "phosphate": ("mmol/L", ("0.4", "1.1")),
}
_RANGES = {
    "potassium": ("3.5", "5.1"),
    "sodium": ("135", "145"),
    "calcium": ("2.2", "2.6"),
    "tsh": ("0.4", "4"),
    "creatine-kinase": ("30", "200"),
    "lithium": ("0.6", "1.0"),
    "vitamin-b12": ("140", "700"),
    "hba1c": ("20", "42"),
}
_DAYS = (0, 1, 2, 5, 8, 14, 15, 28, 29, 31, 60, 90, 91, 120, 179, 181, 200, 364, 366, 700, 740)


def bundle_of(seed: int, as_of: date, codes: Codes) -> Resource:
    """One patient, the same for one seed. codes: id of a value set of the artifacts -> its codes."""
    return _Writer(random.Random(seed), f"g{seed}", as_of, codes).bundle(seed)


class _Writer:
    def __init__(self, chance: random.Random, name: str, as_of: date, codes: Codes) -> None:
        self.chance, self.name, self.as_of, self.codes = chance, name, as_of, codes
        self.made: list[Resource] = []
        self.findings = sorted(
            n.removeprefix("finding-") for n in codes if n.startswith("finding-") and codes[n]
        )
        self.classes = sorted(n.removeprefix("medication-") for n in codes if n.startswith("medication-"))
        self.classes = [n for n in self.classes if not n.startswith("route-") and codes[f"medication-{n}"]]
        self.sites = sorted(n for n in codes if n.startswith("body-site-"))
        self.courses = sorted(n for n in codes if n.startswith("course-") and codes[n])

    def bundle(self, seed: int) -> Resource:
        chance = self.chance
        self.patient()
        # Each finding in its turn, told by the patient or at random.
        turn, told = self.findings[seed % len(self.findings)], seed // len(self.findings) % 2
        if told:
            made = self.finding_observation(turn, present=True, days=chance.choice((0, 3, 30)))
            made["category"] = [{"coding": [{"system": _CATEGORY, "code": "survey"}]}]
        else:
            self.any_finding(turn)
        for _ in range(chance.choice((1, 1, 1, 2))):
            self.twitch()
        style = chance.random()
        if style < 0.45:
            for sign in _SIGNS:
                self.finding_observation(
                    sign, present=chance.random() < 0.12, days=chance.choice((0, 0, 3, 20))
                )
        elif style < 0.75:
            for sign in _SIGNS:
                if chance.random() < 0.6:
                    self.any_finding(sign)
        for _ in range(chance.choice((0, 0, 1, 2, 3))):
            self.any_finding(chance.choice(self.findings))
        for _ in range(chance.choice((0, 0, 1, 2, 4))):
            self.result(chance.choice(tuple(_RESULTS)))
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            self.medicine(chance.choice(self.classes))
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            self.order()
        if chance.random() < 0.15:
            self.study()
        if chance.random() < 0.05:
            self.relative()
        chance.shuffle(self.made)
        return {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {
                    "fullUrl": f"https://ehr.example.org/fhir/{one['resourceType']}/{one['id']}",
                    "resource": one,
                }
                for one in self.made
            ],
        }

    # --- parts

    def day(self, ago: int | None = None) -> str:
        """A date so many days ago, now and then without its day."""
        ago = self.chance.choice(_DAYS) if ago is None else ago
        written = (self.as_of - timedelta(days=ago)).isoformat()
        return written[:7] if ago > 60 and self.chance.random() < 0.1 else written

    def concept(self, value_set: str) -> Resource:
        system, code = self.chance.choice(self.codes[value_set])
        return {"coding": [{"system": system, "code": code}]}

    def add(self, kind: str, **members: Any) -> Resource:
        made = {"resourceType": kind, "id": f"{self.name}-{len(self.made)}", **members}
        if kind != "Patient":
            made |= {
                "patient" if kind == "FamilyMemberHistory" else "subject": {
                    "reference": f"Patient/{self.name}"
                }
            }
        self.made.append(made)
        return made

    def maybe(self, made: Resource, chance: float, **members: Any) -> None:
        if self.chance.random() < chance:
            made |= members

    def patient(self) -> None:
        made = self.add("Patient", id=self.name, gender=self.chance.choice(("male", "female")))
        years = self.chance.choice((2, 4, 6, 15, 16, 30, 40, 50, 59, 60, 75))
        born = date(
            self.as_of.year - years, self.chance.randint(1, 12), self.chance.randint(1, 28)
        ).isoformat()
        self.maybe(made, 0.95, birthDate=born[: self.chance.choice((4, 7, 10, 10, 10))])
        self.maybe(made, 0.02, deceasedBoolean=True)

    def sited(self, made: Resource, chance: float = 0.8, *, several: bool = True) -> None:
        if self.chance.random() < chance:
            sites = [
                self.concept(self.chance.choice(self.sites)) for _ in range(self.chance.choice((1, 1, 2)))
            ]
            made["bodySite"] = sites if several else sites[0]

    def twitch(self) -> None:
        if self.chance.random() < 0.75:
            made = self.condition("fasciculation", settled=True)
            self.sited(made)
        else:
            made = self.finding_observation("fasciculation", present=True, days=self.chance.choice(_DAYS))
            self.sited(made, several=False)
            if self.courses and self.chance.random() < 0.4:
                course = self.concept(self.chance.choice(self.courses))
                made["component"] = [{"code": {"text": "course"}, "valueCodeableConcept": course}]

    def condition(self, finding: str, *, settled: bool = False) -> Resource:
        chance = self.chance
        made = self.add("Condition", code=self.concept(f"finding-{finding}"))
        status = (
            "active"
            if settled or chance.random() < 0.8
            else chance.choice(("recurrence", "relapse", "inactive", "remission", "resolved"))
        )
        self.maybe(made, 0.95, clinicalStatus={"coding": [{"system": _CLINICAL, "code": status}]})
        certain = (
            "confirmed"
            if chance.random() < 0.8
            else chance.choice(("unconfirmed", "provisional", "differential", "refuted", "entered-in-error"))
        )
        self.maybe(made, 0.9, verificationStatus={"coding": [{"system": _VERIFICATION, "code": certain}]})
        recorded = chance.choice(_DAYS)
        self.maybe(made, 0.9, recordedDate=self.day(recorded))
        onset = chance.random()
        if onset < 0.5:
            made["onsetDateTime"] = self.day(recorded + chance.choice((0, 0, 1, 3, 10, 15, 100)))
        elif onset < 0.6:
            made["onsetPeriod"] = {"start": self.day(recorded + chance.choice((0, 5, 20)))}
        elif onset < 0.65:
            made["onsetAge"] = {
                "value": chance.choice((1, 3, 20, 45)),
                "unit": "a",
                "system": _UCUM,
                "code": "a",
            }
        self.maybe(made, 0.04, abatementDateTime=self.day())
        self.maybe(
            made, 0.1, asserter={"reference": chance.choice(("Patient/", "Practitioner/")) + self.name}
        )
        if self.courses and chance.random() < 0.2:
            course = self.concept(chance.choice(self.courses))
            made["extension"] = [{"url": _COURSE, "valueCodeableConcept": course}]
        return made

    def finding_observation(self, finding: str, *, present: bool, days: int) -> Resource:
        chance = self.chance
        made = self.add("Observation", status="final", code=self.concept(f"finding-{finding}"))
        if chance.random() < 0.08:
            made["status"] = chance.choice(
                ("amended", "preliminary", "entered-in-error", "cancelled", "registered")
            )
        way = chance.random()
        if way < 0.4:
            made["valueBoolean"] = present
        elif way < 0.8:
            made["valueCodeableConcept"] = self.concept(f"answer-{'present' if present else 'absent'}")
        elif way < 0.9 or not present:
            flag = "POS" if present else "NEG"
            made["interpretation"] = [{"coding": [{"system": _FLAGS, "code": flag}]}]
        if chance.random() < 0.9:
            made["effectiveDateTime"] = self.day(days)
        elif chance.random() < 0.5:
            made["effectivePeriod"] = {
                "start": self.day(days + chance.choice((1, 10, 30))),
                "end": self.day(days),
            }
        else:
            made["issued"] = f"{(self.as_of - timedelta(days=days)).isoformat()}T09:30:00Z"
        code = "exam" if chance.random() < 0.75 else "survey"
        made["category"] = [{"coding": [{"system": _CATEGORY, "code": code}]}]
        self.maybe(made, 0.04, dataAbsentReason={"text": "unknown"})
        return made

    def any_finding(self, finding: str) -> None:
        if self.chance.random() < 0.5:
            made = self.condition(finding)
            self.sited(made, 0.3)
        else:
            present = self.chance.random() < 0.6
            made = self.finding_observation(finding, present=present, days=self.chance.choice(_DAYS))
            self.sited(made, 0.3, several=False)

    def result(self, analyte: str) -> None:
        chance = self.chance
        unit, numbers = _RESULTS[analyte]
        number = chance.choice(numbers)
        made = self.add("Observation", status="final", code=self.concept(f"analyte-{analyte}"))
        if chance.random() < 0.15:
            made["status"] = chance.choice(("preliminary", "amended", "corrected", "entered-in-error"))
        made["valueQuantity"] = {"value": float(number), "unit": unit, "system": _UCUM, "code": unit}
        if chance.random() < 0.05:
            made["valueQuantity"]["comparator"] = chance.choice(("<", ">"))
        self.maybe(made, 0.95, effectiveDateTime=self.day())
        bounds = _RANGES.get(analyte)
        if bounds and chance.random() < 0.6:
            low, high = ({"value": float(one), "unit": unit, "system": _UCUM, "code": unit} for one in bounds)
            made["referenceRange"] = [{"low": low, "high": high}]
        if chance.random() < 0.35:
            flag = chance.choice(("H", "L", "HH", "LL", "N", "A", "AA", "H", "L"))
            made["interpretation"] = [{"coding": [{"system": _FLAGS, "code": flag}]}]

    def medicine(self, drug_class: str) -> None:
        chance = self.chance
        code = self.concept(f"medication-{drug_class}")
        began = chance.choice(_DAYS)
        if chance.random() < 0.6:
            made = self.add("MedicationRequest", intent="order", medicationCodeableConcept=code)
            made["status"] = chance.choice(
                ("active", "active", "active", "completed", "stopped", "on-hold", "cancelled")
            )
            made["authoredOn"] = self.day(began)
            self.maybe(made, 0.1, intent="plan")
            self.maybe(made, 0.05, doNotPerform=True)
            dosage = made.setdefault("dosageInstruction", [{}])[0]
        else:
            made = self.add("MedicationStatement", medicationCodeableConcept=code)
            made["status"] = chance.choice(
                ("active", "active", "completed", "stopped", "not-taken", "unknown")
            )
            period = {"start": self.day(began)}
            if chance.random() < 0.3:
                period["end"] = self.day(max(0, began - chance.choice((1, 10, 20, 100))))
            self.maybe(made, 0.9, effectivePeriod=period)
            dosage = made.setdefault("dosage", [{}])[0]
        routes = [n for n in self.codes if n.startswith("medication-route-")]
        if chance.random() < 0.3:
            dosage["route"] = self.concept(chance.choice(routes))
        if not dosage:
            dosage["text"] = "daily"

    def order(self) -> None:
        chance = self.chance
        tests = [n for n in self.codes if n.startswith(("procedure-", "panel-"))]
        tests += [
            f"analyte-{n}" for n in ("potassium", "sodium", "calcium", "magnesium", "tsh", "creatine-kinase")
        ]
        made = self.add("ServiceRequest", intent="order", code=self.concept(chance.choice(tests)))
        made["status"] = chance.choice(("active", "active", "on-hold", "completed", "revoked", "draft"))
        self.maybe(made, 0.7, priority=chance.choice(("routine", "urgent", "asap", "stat")))
        self.maybe(made, 0.95, authoredOn=self.day())

    def study(self) -> None:
        chance = self.chance
        studies = ("emg", "ncs", "mri-brain", "mri-spine", "neurology-consultation")
        code = self.concept(f"procedure-{chance.choice(studies)}")
        if chance.random() < 0.5:
            self.add("DiagnosticReport", status="final", code=code, effectiveDateTime=self.day())
        else:
            self.add("Procedure", status="completed", code=code, performedDateTime=self.day())

    def relative(self) -> None:
        condition = {"code": self.concept("finding-motor-neuron-disease")}
        self.add(
            "FamilyMemberHistory", status="completed", relationship={"text": "father"}, condition=[condition]
        )
