"""Builders of single FHIR R4 resources about the patient SUBJECT: plain dictionaries without an id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.vignettes import codes
from tests.vignettes.codes import FLAGS, TERMINOLOGY, UCUM, concept
from tests.vignettes.patient import Course, Person, Problem, Statement, Value, day

Resource = dict[str, Any]

SUBJECT = {"reference": "Patient/subject"}
COURSE_URL = "http://hl7.org/fhir/StructureDefinition/condition-diseaseCourse"


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": TERMINOLOGY + system, "code": code}]}


def category(code: str) -> list[Resource]:
    """An Observation category: exam, survey, social-history or laboratory."""
    return [_status("observation-category", code)]


def category_of(statement: Statement) -> list[Resource]:
    """How the statement came into the record, as a category."""
    if statement.social:
        return category("social-history")
    return category("exam" if statement.examined else "survey")


def patient(person: Person) -> Resource:
    """The Patient resource, without any name."""
    return {
        "resourceType": "Patient",
        "active": True,
        "gender": person.sex,
        "birthDate": person.birth_date,
    }


def condition(code: Resource, *, recorded: int, verification: str = "confirmed", **members: Any) -> Resource:
    """A Condition, active unless refuted (R4 forbids a clinical status only for entered-in-error)."""
    made = {
        "resourceType": "Condition",
        "clinicalStatus": _status("condition-clinical", "active"),
        "verificationStatus": _status("condition-ver-status", verification),
        "code": code,
        "subject": SUBJECT,
        "recordedDate": day(recorded),
        **members,
    }
    if verification == "refuted":
        del made["clinicalStatus"]
    return made


def course_extensions(courses: Sequence[str]) -> Resource:
    """The member `extension` with the course of a Condition; empty where none is recorded."""
    if not courses:
        return {}
    made = [
        {"url": COURSE_URL, "valueCodeableConcept": concept(codes.SNOMED, *codes.COURSES[course])}
        for course in courses
    ]
    return {"extension": made}


def course_components(courses: Sequence[str]) -> Resource:
    """The member `component` with the course of an Observation; empty where none is recorded."""
    if not courses:
        return {}
    made = [
        {
            "code": {"text": "Course"},
            "valueCodeableConcept": concept(codes.SNOMED, *codes.COURSES[course]),
        }
        for course in courses
    ]
    return {"component": made}


def observation(code: Resource, *, days: int, **members: Any) -> Resource:
    """A final Observation of that day."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        "subject": SUBJECT,
        "effectiveDateTime": day(days),
        **members,
    }


def began(made: Resource, since: int | None, issued: int) -> Resource:
    """The Observation with its start as an open period; unchanged where no start is recorded."""
    if since is None:
        return made
    kept = {key: value for key, value in made.items() if key != "effectiveDateTime"}
    return {**kept, "effectivePeriod": {"start": day(since)}, "issued": f"{day(issued)}T09:00:00Z"}


def said(statement: Statement, code: Resource, **members: Any) -> Resource:
    """A statement as an Observation: the members hold its value; day, start and course are filled in."""
    courses = (statement.course,) if statement.course else ()
    made = observation(
        code,
        days=statement.days,
        category=category_of(statement),
        **course_components(courses),
        **members,
    )
    return began(made, statement.since, statement.days)


def smoking(statement: Statement) -> Resource:
    """The smoking status, whose code is in its value."""
    value = codes.SMOKES if statement.present else codes.NEVER_SMOKED
    return observation(
        concept(*codes.SMOKING_STATUS),
        days=statement.days,
        category=category("social-history"),
        valueCodeableConcept=concept(*value),
    )


def _quantity(value: str, unit: str) -> Resource:
    # A float prints these short decimals as they are written; a whole number must not gain a ".0".
    number = float(value) if "." in value else int(value)
    return {"value": number, "unit": unit, "system": UCUM, "code": unit}


def result(value: Value) -> Resource:
    """A laboratory result with its own range and flag, where they are given."""
    limits: dict[str, Any] = {}
    if value.low is not None:
        limits["low"] = _quantity(value.low, value.unit)
    if value.high is not None:
        limits["high"] = _quantity(value.high, value.unit)
    members: dict[str, Any] = {"referenceRange": [limits]} if limits else {}
    if value.flag:
        system = TERMINOLOGY + "v3-ObservationInterpretation"
        flag = {"system": system, "code": value.flag, "display": FLAGS[value.flag]}
        members["interpretation"] = [{"coding": [flag]}]
    return observation(
        concept(codes.LOINC, *codes.ANALYTES[value.analyte]),
        days=value.days,
        category=category("laboratory"),
        valueQuantity=_quantity(value.value, value.unit),
        **members,
    )


def request(medicine: Mapping[str, Any], course: Course, **members: Any) -> Resource:
    """A MedicationRequest since that day; one that has ended is completed, with the days of its dosage."""
    made = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        **medicine,
        "subject": SUBJECT,
        "authoredOn": day(course.start),
        **members,
    }
    if course.end is not None:
        (dosage,) = made.get("dosageInstruction", [{}])
        days = {"start": day(course.start), "end": day(course.end)}
        made["status"] = "completed"
        made["dosageInstruction"] = [{**dosage, "timing": {"repeat": {"boundsPeriod": days}}}]
    return made


def statement_of_use(medicine: Mapping[str, Any], course: Course) -> Resource:
    """A MedicationStatement since that day; one that has ended is completed."""
    ended = {} if course.end is None else {"end": day(course.end)}
    return {
        "resourceType": "MedicationStatement",
        "status": "completed" if ended else "active",
        **medicine,
        "subject": SUBJECT,
        "effectivePeriod": {"start": day(course.start), **ended},
    }


def orders(person: Person) -> list[Resource]:
    """One ServiceRequest for each test that is ordered."""
    return [
        order(_test_code(test), ordered.days, priority=ordered.priority, status=ordered.status)
        for test, ordered in person.orders.items()
    ]


def order(code: Resource, days: int, *, priority: str = "routine", status: str = "active") -> Resource:
    """A ServiceRequest of that day."""
    return {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "order",
        "priority": priority,
        "code": code,
        "subject": SUBJECT,
        "authoredOn": day(days),
    }


def _test_code(test: str) -> Resource:
    if test in codes.REFERRALS:
        return concept(codes.SNOMED, *codes.REFERRALS[test])
    return concept(codes.LOINC, *(codes.STUDIES.get(test) or codes.ANALYTES[test]))


def procedures(person: Person, *, with_studies: bool = True) -> list[Resource]:
    """Completed Procedures: operations as text, EMG and nerve conduction by code."""
    done = [({"text": name}, days) for name, days in person.procedures.items()]
    if with_studies:
        done += [(_test_code(study), days) for study, days in person.studies.items()]
    return [
        {
            "resourceType": "Procedure",
            "status": "completed",
            "code": code,
            "subject": SUBJECT,
            "performedDateTime": day(days),
        }
        for code, days in done
    ]


def reports(person: Person) -> list[Resource]:
    """A DiagnosticReport for each study that was done."""
    return [
        {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": _test_code(study),
            "subject": SUBJECT,
            "effectiveDateTime": day(days),
        }
        for study, days in person.studies.items()
    ]


def refutations(person: Person, *systems: str) -> list[Resource]:
    """Problems that were entered and then struck out."""
    return [
        condition(codes.finding_concept(name, *systems), recorded=days, verification="refuted")
        for name, days in person.refuted.items()
    ]


def diagnoses(person: Person, *systems: str) -> list[Resource]:
    """The problem list: by code, and the problems for which the tables have no code as text."""
    known = [
        _listed(codes.finding_concept(name, *systems), problem) for name, problem in person.diagnoses.items()
    ]
    return known + [condition({"text": text}, recorded=900) for text in person.problems]


def _listed(code: Resource, problem: Problem) -> Resource:
    members = {} if problem.onset is None else {"onsetDateTime": day(problem.onset)}
    made = condition(code, recorded=problem.recorded, verification=problem.verification, **members)
    if "clinicalStatus" in made:
        made["clinicalStatus"] = _status("condition-clinical", problem.clinical)
    return made


def relatives(person: Person, *systems: str) -> list[Resource]:
    """What runs in the family: one FamilyMemberHistory for each relative."""
    return [
        {
            "resourceType": "FamilyMemberHistory",
            "status": "completed",
            "patient": SUBJECT,
            "date": day(0),
            "relationship": {"text": relation},
            "condition": [{"code": codes.finding_concept(finding, *systems)}],
        }
        for relation, finding in person.family.items()
    ]
