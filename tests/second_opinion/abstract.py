"""A patient as plain values, and as an EHR would write it in FHIR. Days count back from the decision date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from tests.second_opinion.opinion_knowledge import knowledge
from tests.spec import records

TABLE = knowledge()
LIMITS = TABLE["thresholds"]
Resource = dict[str, Any]

SUSPECTED = ("provisional", "differential", "unconfirmed")
OVER = ("inactive", "resolved", "remission")
# A medicine as it is typed, and its class.
MEDICINES = {
    "hydrochlorothiazide 25 mg tablets": "thiazide-diuretic",
    "furosemide 40 mg tablets": "loop-diuretic",
    "acetazolamide 250 mg tablets": "carbonic-anhydrase-inhibitor",
    "spironolactone 25 mg tablets": "potassium-sparing-diuretic",
    "prednisolone 5 mg tablets": "corticosteroid-systemic",
    "salbutamol 100 microgram inhaler": "beta2-agonist-short",
    "theophylline 200 mg tablets": "xanthine",
    "escitalopram 10 mg tablets": "ssri",
    "venlafaxine 75 mg tablets": "snri",
    "methylphenidate 10 mg tablets": "cns-stimulant",
    "pramipexole 0.18 mg tablets": "dopaminergic-agonist",
}


def day(days: int) -> date:
    return records.DAY - timedelta(days=days)


@dataclass(frozen=True)
class Statement:
    """One record of one finding. form: condition or observation; says: present, absent or unknown."""

    finding: str
    form: str
    says: str
    told: bool = False
    days: int | None = 0
    verification: str = "confirmed"
    clinical: str = "active"
    course: str | None = None
    since: int | None = None


@dataclass(frozen=True)
class Twitching:
    """form: condition or observation. onset: (how it is written, days ago, or weeks of a text)."""

    form: str = "condition"
    clinical: str = "active"
    verification: str = "confirmed"
    recorded: int = 0
    onset: tuple[str, int] | None = None
    sites: tuple[str, ...] = ()
    courses: tuple[str, ...] = ()
    not_seen: int | None = None


@dataclass(frozen=True)
class Taken:
    """One record of a medicine. form: request or statement; end None: open."""

    medicine: str
    form: str = "request"
    status: str = "active"
    start: int | None = 0
    end: int | None = None


@dataclass(frozen=True)
class Measured:
    """A result. value in its unit; own: its own range, or None."""

    analyte: str
    value: Decimal
    unit: str
    days: int = 0
    flag: str | None = None
    own: tuple[Decimal, Decimal] | None = None
    status: str = "final"


@dataclass(frozen=True)
class Person:
    born: date | None = date(1980, 1, 1)
    deceased: bool = False
    twitch: Twitching | None = Twitching()
    statements: tuple[Statement, ...] = ()
    medicines: tuple[Taken, ...] = ()
    results: tuple[Measured, ...] = ()
    orders: tuple[tuple[str, int, str | None, str], ...] = ()
    studies: tuple[tuple[str, int], ...] = ()


# --- as FHIR


@cache
def _code(name: str) -> Resource:
    return records.code_of(name)


def _extension(course: str) -> Resource:
    url = "http://hl7.org/fhir/StructureDefinition/condition-diseaseCourse"
    return {
        "url": url,
        "valueCodeableConcept": records.concept("http://snomed.info/sct", _course_code(course)),
    }


def _course_code(course: str) -> str:
    from tests.vignettes.codes import COURSES

    return COURSES[course][0]


def _statement(made: Statement) -> Resource:
    patient = {"reference": "Patient/p"}
    if made.form == "condition":
        more: Resource = {"asserter": patient} if made.told else {}
        if made.course:
            more["extension"] = [_extension(made.course)]
        if made.since is not None:
            more["onsetDateTime"] = day(made.since).isoformat()
        return records.condition(
            "fasciculation",
            clinical=None if made.verification == "refuted" else made.clinical,
            verification=made.verification,
            recordedDate=None if made.days is None else day(made.days).isoformat(),
            code=_code(made.finding),
            **more,
        )
    value: Resource = {"valueBoolean": made.says == "present"}
    if made.says == "unknown":
        value = {
            "dataAbsentReason": records.concept(
                "http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown"
            )
        }
    more = {"category": "survey"} if made.told else {"category": "exam"}
    effective = None if made.days is None else day(made.days).isoformat()
    return records.observation(
        "fasciculation", code=_code(made.finding), effectiveDateTime=effective, **value, **more
    )


def _twitch(made: Twitching) -> list[Resource]:
    more: Resource = {}
    if made.form == "condition":
        if made.sites:
            more["bodySite"] = list(made.sites)
        if made.courses:
            more["extension"] = [_extension(course) for course in made.courses]
        if made.onset is not None:
            more |= _onset(*made.onset)
        found = [
            records.condition(
                "fasciculation",
                clinical=None if made.verification == "refuted" else made.clinical,
                verification=made.verification,
                recordedDate=day(made.recorded).isoformat(),
                **more,
            )
        ]
    else:
        # One site an Observation; the first of them is enough here.
        more = {"bodySite": made.sites[0]} if made.sites else {}
        found = [
            records.observation(
                "fasciculation",
                status="entered-in-error" if made.verification == "entered-in-error" else "final",
                valueBoolean=made.verification != "refuted",
                category="exam",
                effectiveDateTime=day(made.recorded).isoformat(),
                **more,
            )
        ]
    if made.not_seen is not None:
        effective = day(made.not_seen).isoformat()
        absent = {"valueBoolean": False, "category": "exam", "effectiveDateTime": effective}
        found.append({**records.observation("fasciculation", **absent), "id": "not-seen"})
    return found


def _onset(form: str, number: int) -> Resource:
    if form == "day":
        return {"onsetDateTime": day(number).isoformat()}
    if form == "month":
        return {"onsetDateTime": day(number).isoformat()[:7]}
    if form == "period":
        return {"onsetPeriod": {"start": day(number).isoformat()}}
    return {"onsetString": f"{number} weeks"}


def _medicine(made: Taken) -> Resource:
    period = {}
    if made.start is not None:
        period["start"] = day(made.start).isoformat()
    if made.end is not None:
        period["end"] = day(made.end).isoformat()
    common = {"status": made.status, "medicationCodeableConcept": {"text": made.medicine}}
    subject = {"subject": {"reference": "Patient/p"}}
    if made.form == "statement":
        more: Resource = {"effectivePeriod": period} if period else {}
        return {"resourceType": "MedicationStatement", **common, **subject, **more}
    more = {"dispenseRequest": {"validityPeriod": period}} if period else {}
    return {"resourceType": "MedicationRequest", "intent": "order", **common, **subject, **more}


def _result(made: Measured) -> Resource:
    order = TABLE["analytes"][made.analyte]["order"]
    quantity = {"unit": made.unit, "system": "http://unitsofmeasure.org", "code": made.unit}
    more: Resource = {}
    if made.own is not None:
        low, high = made.own
        more["referenceRange"] = [
            {"low": {"value": float(low), **quantity}, "high": {"value": float(high), **quantity}}
        ]
    if made.flag is not None:
        more["interpretation"] = [
            records.concept("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", made.flag)
        ]
    return records.observation(
        "fasciculation",
        status=made.status,
        code=records.concept(order["system"], order["code"]),
        effectiveDateTime=day(made.days).isoformat(),
        valueQuantity={"value": float(made.value), **quantity},
        **more,
    )


def resources_of(person: Person) -> list[Resource]:
    """The person's record as FHIR R4 resources, without the Patient."""
    found = [] if person.twitch is None else _twitch(person.twitch)
    found += [_statement(made) for made in person.statements]
    found += [_medicine(made) for made in person.medicines]
    found += [_result(made) for made in person.results]
    found += [_order(*made) for made in person.orders]
    found += [_study(*made) for made in person.studies]
    return [{**made, "id": f"r{number}"} for number, made in enumerate(found)]


def _order(test: str, days: int, priority: str | None, status: str) -> Resource:
    made = {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "order",
        "code": _test_code(test),
        "subject": {"reference": "Patient/p"},
        "authoredOn": day(days).isoformat(),
    }
    return made if priority is None else {**made, "priority": priority}


def _study(test: str, days: int) -> Resource:
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": _test_code(test),
        "subject": {"reference": "Patient/p"},
        "performedDateTime": day(days).isoformat(),
    }


@cache
def _test_code(test: str) -> Resource:
    terminology = records.KNOWLEDGE.terminology
    if test in terminology.analytes:
        order = TABLE["analytes"][test]["order"]
        return records.concept(order["system"], order["code"])
    codes = sorted(key for key, name in terminology.procedures.items() if name == test)
    return records.concept(*codes[0])
