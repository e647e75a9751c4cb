"""A FHIR Bundle of a patient that was put together by hand, in the service's own codes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from fhir_mappings.terminology import CodeKey
from service.knowledge import Knowledge
from service.workbench.codings import Codings, concept
from service.workbench.described import Dated, Described, Measured, Taken
from service.workbench.json_text import number

Resource = dict[str, Any]

PATIENT = "built"
_SUBJECT = {"reference": f"Patient/{PATIENT}"}
_HL7 = "http://terminology.hl7.org/CodeSystem"
_COURSE = "http://hl7.org/fhir/StructureDefinition/condition-diseaseCourse"
_UCUM = "http://unitsofmeasure.org"


def bundle_of(described: Described, knowledge: Knowledge, codings: Codings, as_of: date) -> Resource:
    """The Bundle, a collection, for `json_text.written`. A list that would hold nothing was not sent."""
    builder = _Builder(described, knowledge, codings, as_of)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in builder.resources()],
    }


class _Builder:
    def __init__(self, described: Described, knowledge: Knowledge, codings: Codings, as_of: date) -> None:
        self.described = described
        self.knowledge = knowledge
        self.terminology = knowledge.terminology
        self.codings = codings
        self.today = as_of.isoformat()

    def resources(self) -> Iterator[Resource]:
        described = self.described
        yield self.patient()
        if described.twitching:
            yield self.twitch()
        for name, state in (described.findings or {}).items():
            yield self.finding(name, state)
        for place, taken in enumerate(described.medicines, 1):
            yield self.medicine(place, taken)
        for place, measured in enumerate(described.results, 1):
            yield self.result(place, measured)
        for place, dated in enumerate(described.orders, 1):
            yield self.order(place, dated)
        for place, dated in enumerate(described.studies, 1):
            yield self.study(place, dated)

    def patient(self) -> Resource:
        made: Resource = {"resourceType": "Patient", "id": PATIENT}
        if self.described.sex:
            made["gender"] = self.described.sex
        if self.described.born:
            made["birthDate"] = self.described.born
        return made

    def twitch(self) -> Resource:
        name, definition = next(
            (name, one) for name, one in self.terminology.findings.items() if one.kind == "fasciculation"
        )
        made = self._condition(name, self._twitch_code(name, definition.answer), definition.label)
        onset = self.described.onset
        if onset:
            made["onsetDateTime" if onset[:4].isdigit() else "onsetString"] = onset
        if self.described.courses:
            made["extension"] = [
                {"url": _COURSE, "valueCodeableConcept": concept(self.codings.courses[course], course)}
                for course in self.described.courses
            ]
        if self.described.sites:
            made["bodySite"] = [
                concept(self.codings.sites[site, side], self._site_label(site, side))
                for site, side in self.described.sites
            ]
        return made

    def _twitch_code(self, name: str, answer: CodeKey | None) -> CodeKey:
        return answer or self.codings.findings[name]

    def _site_label(self, site: str, side: str) -> str:
        label = next(one.label for one in self.terminology.sites.values() if one.id == site)
        return f"{side} {label}".strip()

    def finding(self, name: str, state: str) -> Resource:
        """An Observation for what is looked at or told, a Condition for a diagnosis or a habit."""
        definition = self.terminology.findings[name]
        code = self.codings.findings[name]
        if name in self.knowledge.templates.answers:
            made = {**self.knowledge.templates.answers[name], "id": f"answer-{name}", "status": "final"}
            made |= {"subject": _SUBJECT, "effectiveDateTime": self.today, "valueBoolean": state != "absent"}
            if state == "told":
                made["performer"] = [_SUBJECT]
            return made
        made = self._condition(name, code, definition.label)
        if state == "absent":
            made["verificationStatus"] = _status("condition-ver-status", "refuted")
        if state == "told":
            made["asserter"] = _SUBJECT
        return made

    def _condition(self, name: str, code: CodeKey, label: str) -> Resource:
        return {
            "resourceType": "Condition",
            "id": name,
            "clinicalStatus": _status("condition-clinical", "active"),
            "verificationStatus": _status("condition-ver-status", "confirmed"),
            "code": concept(code, label),
            "subject": _SUBJECT,
            "recordedDate": self.today,
        }

    def medicine(self, place: int, taken: Taken) -> Resource:
        known = self.codings.medicines.get(taken.name)
        made: Resource = {
            "resourceType": "MedicationStatement",
            "id": f"medicine-{place}",
            "status": "completed" if taken.end else "active",
            "medicationCodeableConcept": concept(known.code, known.name)
            if known and known.code
            else {"text": taken.name},
            "subject": _SUBJECT,
        }
        period = {side: day for side, day in (("start", taken.start), ("end", taken.end)) if day}
        if period:
            made["effectivePeriod"] = period
        return made

    def result(self, place: int, measured: Measured) -> Resource:
        analyte = self.terminology.analytes[measured.analyte]
        unit = measured.unit or analyte.unit or ""
        made: Resource = {
            "resourceType": "Observation",
            "id": f"result-{place}",
            "status": "final",
            "category": [_status("observation-category", "laboratory")],
            "code": concept(self.codings.analytes[measured.analyte], analyte.label),
            "subject": _SUBJECT,
            "effectiveDateTime": measured.day or self.today,
            "valueQuantity": {"value": number(measured.value)} | ({"unit": unit} if unit else {}),
        }
        if measured.flag:
            made["interpretation"] = [_status("v3-ObservationInterpretation", measured.flag)]
        return made

    def order(self, place: int, dated: Dated) -> Resource:
        template = self.knowledge.templates.orders[dated.id]
        return {
            **template,
            "id": f"order-{place}",
            "status": "active",
            "intent": "order",
            "priority": "routine",
            "subject": _SUBJECT,
            "authoredOn": dated.day or self.today,
        }

    def study(self, place: int, dated: Dated) -> Resource:
        label = self.terminology.procedure_labels[dated.id]
        return {
            "resourceType": "Procedure",
            "id": f"study-{place}",
            "status": "completed",
            "code": concept(self.codings.studies[dated.id], label),
            "subject": _SUBJECT,
            "performedDateTime": dated.day or self.today,
        }


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}
