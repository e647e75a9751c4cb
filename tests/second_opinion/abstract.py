"""A patient as plain values, how an EHR would write it in FHIR, and what the model makes of it, said plainly.

The expectations read section 1 of the decision model once more for what is simple to say: the status and
basis of a finding, the interval of the onset, whether a medicine is plausible, the band of a result, the
gate. Days are counted back from the decision date.
"""

from __future__ import annotations

from calendar import monthrange
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


# --- what section 1 makes of it


def exists(days: int | None) -> bool:
    return days is None or days >= -LIMITS["future_days"]


def expected_onset(twitch: Twitching) -> tuple[date | None, date | None]:
    """The earliest and the latest possible day; what is recorded was there on that day."""
    recorded = min(day(twitch.recorded), records.DAY)
    if twitch.onset is None or twitch.form == "observation":
        return None, recorded
    form, number = twitch.onset
    if form == "weeks":
        half = 4  # three weeks: 17 to 25 days
        written = day(twitch.recorded)
        return (
            written - timedelta(days=7 * number + half),
            min(recorded, written - timedelta(days=7 * number - half)),
        )
    begun = day(number)
    if form == "month":
        first, last = begun.replace(day=1), begun.replace(day=monthrange(begun.year, begun.month)[1])
        return first, min(last, recorded)
    return begun, min(begun, recorded)


def expected_open(person: Person) -> bool:
    """The gate of section 2, the known diseases aside."""
    twitch = person.twitch
    if twitch is None or person.deceased or not exists(twitch.recorded):
        return False
    if twitch.verification in ("refuted", "entered-in-error"):
        return False
    if twitch.form == "condition":
        return twitch.clinical not in OVER
    if twitch.recorded > LIMITS["finding_days"]:
        return False
    # Not seen on a later day; an older look, or one that is history, says nothing against it.
    return twitch.not_seen is None or not exists(twitch.not_seen) or twitch.not_seen >= twitch.recorded


def speaks(made: Statement, onset: date | None) -> bool:
    """Whether a statement counts today."""
    if not exists(made.days) or status_of(made) == "unknown":
        return False
    if made.form == "condition":
        if made.verification == "entered-in-error":
            return False
        chronic = TABLE["findings"][made.finding].get("chronic", False)
        if made.verification != "refuted" and made.clinical in (("resolved",) if chronic else OVER):
            return False
    elif made.days is not None and made.days > LIMITS["finding_days"]:
        return False
    if status_of(made) == "absent" and onset is not None:
        return made.days is not None and day(made.days) >= onset
    return True


def status_of(made: Statement) -> str:
    if made.form == "condition":
        return "absent" if made.verification == "refuted" else "present"
    return made.says


def is_told(made: Statement) -> bool:
    return made.told or (made.form == "condition" and made.verification in SUSPECTED)


def expected_finding(statements: list[Statement], onset: date | None) -> str:
    """examined, reported, absent or unknown: section 1, Conflict."""
    speaking = [made for made in statements if speaks(made, onset)]

    def newest(some: list[Statement]) -> Statement | None:
        # Undated is oldest; on one day present beats absent.
        def rank(made: Statement) -> tuple[float, bool]:
            return (-10_000 if made.days is None else -made.days, status_of(made) == "present")

        return max(some, key=rank, default=None)

    def older(made: Statement, than: Statement) -> bool:
        return than.days is not None and (made.days is None or made.days > than.days)

    examined = newest([made for made in speaking if not is_told(made)])
    told = newest([made for made in speaking if is_told(made)])
    if examined is None:
        return "unknown" if told is None else "reported" if status_of(told) == "present" else "absent"
    if status_of(examined) == "present":
        return "examined"
    again = [
        made for made in speaking if is_told(made) and status_of(made) == "present" and older(examined, made)
    ]
    return "reported" if again else "absent"


def expected_plausible(taken: list[Taken], onset: tuple[date | None, date | None]) -> str | None:
    """yes, possible or no; None where no record of it counts: section 1, Drug timing."""
    counted = [t for t in taken if t.status not in ("entered-in-error", "not-taken", "cancelled", "draft")]
    if not counted:
        return None
    earliest, latest = onset
    starts = [t.start for t in counted]
    ends = [_end(t) for t in counted]
    first = None if None in starts else day(max(s for s in starts if s is not None))
    if first is None:
        known = [s for s in starts if s is not None]
        # One record says when, another does not: the start is no later than the one that is known.
        bound = day(max(known)) if known else None
    else:
        bound = first
    last = None if None in ends else day(min(e for e in ends if e is not None))
    if first is not None and latest is not None and first > latest:
        return "no"
    if last is not None and earliest is not None and last < earliest:
        return "no"
    if bound is None or earliest is None or bound >= earliest:
        return "possible"
    return "yes"


def _end(taken: Taken) -> int | None:
    """Days ago; a stopped or completed record without an end ended on its start."""
    if taken.end is None and taken.status in ("stopped", "completed"):
        return taken.start
    return taken.end


def expected_band(made: Measured) -> str:
    """in-range, out-of-range, critical or not-judged: section 1, Results."""
    head = TABLE["analytes"][made.analyte]
    factor = Decimal(head["units"][made.unit]) if "units" in head else None
    value = made.value if factor is None else made.value * factor
    critical = head.get("critical", {})
    if made.flag in ("HH", "LL", "AA"):
        return "critical"
    if factor is not None and "low" in critical and value <= Decimal(critical["low"]):
        return "critical"
    if factor is not None and "high" in critical and value >= Decimal(critical["high"]):
        return "critical"
    if made.flag in ("H", "L", "A"):
        return "out-of-range"
    if made.own is not None:
        low, high = made.own
        return "in-range" if low <= made.value <= high else "out-of-range"
    if factor is not None and "default_range" in head:
        # "Normal" is no flag in the list: with no range of its own, the default one speaks all the same.
        usual = head["default_range"]
        return "in-range" if Decimal(usual["low"]) <= value <= Decimal(usual["high"]) else "out-of-range"
    return "in-range" if made.flag == "N" else "not-judged"
