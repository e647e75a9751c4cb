"""Codes that no value set has: counted by entry, named, and never an "everything was understood"."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.resources.submission import MAX_NOTES
from schemas.hooks import EXTENSION
from tests.contract.requests import SERVICE, hook_call
from tests.spec.records import KNOWLEDGE, bundle, code_of, concept, condition, unknown_in

Resource = dict[str, Any]
Row = dict[str, Any]

LOCAL = "https://ehr.example.org/codes"
SNOMED = "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
ASKED = {EXTENSION: {"assessment": True}}


def local(code: str, display: str = "", **members: Any) -> Resource:
    coding = {"system": LOCAL, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding], **members}


def resource(kind: str, **members: Any) -> Resource:
    return {"resourceType": kind, "id": "r", "subject": {"reference": "Patient/p"}, **members}


def problem(name: str, code: Resource, **members: Any) -> Resource:
    return resource("Condition", id=name, code=code, **members)


def result(code: Resource, **members: Any) -> Resource:
    return resource("Observation", **{"id": "o", "status": "final", "code": code, **members})


def prescription(**members: Any) -> Resource:
    return resource("MedicationRequest", status="active", **members)


def medication(name: str, **members: Any) -> Resource:
    return {"resourceType": "Medication", "id": name, **members}


def row(code: str, count: int = 1, **members: Any) -> Row:
    return {"system": LOCAL, "code": code, **members, "count": count}


def rows_of(*resources: Resource) -> list[Row]:
    return unknown_in(decode_bundle(bundle(*resources))).rows()


def known(system: str) -> Resource:
    """A medicine of the knowledge, by its first code of that system."""
    medications = KNOWLEDGE.terminology.medications
    codes = (
        sorted(medications.atc) if system == ATC else sorted(c for s, c in medications.codes if s == system)
    )
    return concept(system, codes[0])


def look_alike() -> Resource:
    terminology = KNOWLEDGE.terminology
    return concept(
        *next(
            key
            for key, codes in sorted(terminology.finding_codes.items())
            if {terminology.findings[code.finding].kind for code in codes} == {"look-alike"}
        )
    )


def contained(kind: str, code: Resource, **members: Any) -> list[Resource]:
    return [{"resourceType": kind, "id": "c", "code": code, **members}]


WEAK, TO_MEDICINE = code_of("weakness"), {"reference": "Medication/m"}
IN_ERROR = concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", "entered-in-error")
RAISING = sorted(KNOWLEDGE.terminology.medications.potassium_raising_atc)[0]
RELATIVE = {"patient": {"reference": "Patient/p"}, "status": "completed"}

UNKNOWN: dict[str, tuple[list[Resource], list[Row]]] = {
    "a-local-code": ([problem("c", local("W1", "Schwäche"))], [row("W1", text="Schwäche")]),
    "the-text-where-there-is-no-display": (
        [problem("c", local("W1", text="Schwäche"))],
        [row("W1", text="Schwäche")],
    ),
    "two-codings-of-one-entry": (
        [problem("c", {"coding": [*local("W1")["coding"], {"code": "w"}]})],
        [{"code": "w", "count": 1}, row("W1")],
    ),
    "one-code-of-two-entries": (
        [problem("a", local("W1")), result(local("W1"))],
        [row("W1", 2)],
    ),
    "one-code-twice-in-one-entry": (
        [result(local("W1"), component=[{"code": local("W1")}, {"code": local("W2")}])],
        [row("W1"), row("W2")],
    ),
    "the-most-frequent-first": (
        [problem("a", local("A")), *(problem(name, local("B")) for name in "bc")],
        [row("B", 2), row("A")],
    ),
    "text-alone": ([problem("c", {"text": "Schwäche"})], [{"text": "Schwäche", "count": 1}]),
    "a-display-alone": (
        [problem("c", {"coding": [{"display": "Schwäche", "code": " "}]})],
        [{"text": "Schwäche", "count": 1}],
    ),
    "control-characters-and-length": (
        [problem("c", local("W\u202e1\x1b", "a\n\u200b b\x00" + "c" * 999))],
        [row("W1", text="a b" + "c" * 197)],
    ),
    "a-family-history": (
        [resource("FamilyMemberHistory", **RELATIVE, condition=[{"code": local("F")}])],
        [row("F")],
    ),
    "an-order-of-r4": ([resource("ServiceRequest", status="active", code=local("O"))], [row("O")]),
    "an-order-of-r5": (
        [resource("ServiceRequest", status="active", code={"concept": local("O")})],
        [row("O")],
    ),
    "a-referral-of-stu3": (
        [resource("ReferralRequest", status="active", serviceRequested=[local("O")])],
        [row("O")],
    ),
    "a-procedure": ([resource("Procedure", status="completed", code=local("P"))], [row("P")]),
    "a-part-of-a-report": (
        [
            resource(
                "DiagnosticReport",
                status="final",
                code=local("R"),
                contained=contained("Observation", local("C")),
            )
        ],
        [row("C"), row("R")],
    ),
    "a-prescription": (
        [prescription(medicationCodeableConcept=local("M"))],
        [row("M")],
    ),
    "a-statement-of-r5": (
        [resource("MedicationStatement", status="recorded", medication={"concept": local("M")})],
        [row("M")],
    ),
    "a-contained-medication": (
        [
            prescription(
                medicationReference={"reference": "#c"},
                contained=contained(
                    "Medication", local("M"), ingredient=[{"itemCodeableConcept": local("I")}]
                ),
            )
        ],
        [row("I"), row("M")],
    ),
    "a-medication-that-two-refer-to": (
        [
            prescription(medicationReference=TO_MEDICINE),
            resource("MedicationStatement", status="active", medication={"reference": TO_MEDICINE}),
            medication("m", code=local("M")),
        ],
        [row("M")],
    ),
    "a-medication-by-another-address": (
        [
            prescription(
                medicationReference={"reference": "https://ehr.example.org/fhir/Medication/m/_history/2"},
            ),
            medication("m", code=local("M")),
        ],
        [row("M")],
    ),
    "an-ingredient-that-a-medication-refers-to": (
        [
            prescription(medicationReference=TO_MEDICINE),
            medication("m", ingredient=[{"itemReference": {"reference": "Medication/i"}}]),
            medication("i", code=local("I")),
        ],
        [row("I")],
    ),
    "refuted": (
        [problem("c", local("W1"), verificationStatus="refuted")],
        [row("W1")],
    ),
    "the-newest-version": (
        [
            problem("c", local(code), meta={"lastUpdated": f"2026-01-0{day}T00:00:00Z"})
            for day, code in ((1, "old"), (2, "new"))
        ],
        [row("new")],
    ),
    "beside-a-known-component": ([result(local("panel"), component=[{"code": WEAK}])], [row("panel")]),
    "beside-a-known-contained-result": (
        [
            resource(
                "DiagnosticReport", status="final", code=local("R"), contained=contained("Observation", WEAK)
            )
        ],
        [row("R")],
    ),
    "beside-a-known-detail-of-an-order": (
        [
            resource(
                "ServiceRequest",
                status="active",
                code=local("O"),
                orderDetail=[concept(*min(KNOWLEDGE.terminology.procedures))],
            )
        ],
        [row("O")],
    ),
    "beside-a-known-ingredient": (
        [
            prescription(medicationReference=TO_MEDICINE),
            {
                "resourceType": "Medication",
                "id": "m",
                "code": local("M"),
                "ingredient": [{"itemCodeableConcept": known(SNOMED)}],
            },
        ],
        [row("M")],
    ),
    "a-component-beside-a-known-code": (
        [result(WEAK, component=[{"code": WEAK}, {"code": local("C")}, {"code": {"text": "Kraft"}}])],
        [{"text": "Kraft", "count": 1}, row("C")],
    ),
    "the-disease-of-one-relative": (
        [
            {
                "resourceType": "FamilyMemberHistory",
                "id": "f",
                **RELATIVE,
                "condition": [{"code": WEAK}, {"code": local("F")}],
            }
        ],
        [row("F")],
    ),
    "an-ingredient-beside-a-known-medicine": (
        [
            prescription(medicationReference=TO_MEDICINE),
            medication("m", code=known(SNOMED), ingredient=[{"itemCodeableConcept": local("I")}]),
        ],
        [row("I")],
    ),
    "a-contained-result-of-a-known-panel": (
        [
            resource(
                "DiagnosticReport",
                status="final",
                code=concept(*min(KNOWLEDGE.terminology.panels)),
                contained=contained("Observation", local("C")),
            )
        ],
        [row("C")],
    ),
}

KNOWN: dict[str, list[Resource]] = {
    "a-finding": [condition("weakness")],
    "one-known-code-beside": [problem("c", {"coding": [*local("W1")["coding"], *WEAK["coding"]]})],
    "the-system-written-otherwise": [problem("c", concept(f" {SNOMED}/", WEAK["coding"][0]["code"]))],
    "a-look-alike": [problem("c", look_alike())],
    "a-result-that-is-left-out": [result(concept("http://loinc.org", "32673-6"))],
    "a-note-that-is-left-out": [resource("DiagnosticReport", code=concept("http://loinc.org", "80664-6"))],
    "a-panel": [
        resource("DiagnosticReport", status="final", code=concept(*min(KNOWLEDGE.terminology.panels)))
    ],
    "what-only-asks-for-a-study": [
        resource("ServiceRequest", status="active", code=concept(*min(KNOWLEDGE.terminology.asked_for)))
    ],
    "a-medicine": [prescription(medicationCodeableConcept=known(SNOMED))],
    "an-atc-group": [prescription(medicationCodeableConcept=concept(ATC, known(ATC)["coding"][0]["code"]))],
    "an-atc-group-that-raises-potassium": [prescription(medicationCodeableConcept=concept(ATC, RAISING))],
    "of-another-patient": [problem("c", local("W1"), subject={"reference": "Patient/q"})],
    "of-no-patient": [problem("c", local("W1"), subject=None)],
    "a-condition-in-error": [problem("c", local("W1"), verificationStatus=IN_ERROR)],
    "a-condition-in-error-of-stu3": [problem("c", local("W1"), verificationStatus="entered-in-error")],
    "a-result-in-error": [result(local("W1"), status="entered-in-error")],
    "a-contained-result-in-error": [
        resource(
            "DiagnosticReport",
            status="final",
            code=WEAK,
            contained=contained("Observation", local("C"), status="entered-in-error"),
        )
    ],
    "a-medication-that-nothing-refers-to": [{"resourceType": "Medication", "id": "m", "code": local("M")}],
    "a-medication-of-a-prescription-in-error": [
        resource("MedicationRequest", status="entered-in-error", medicationReference=TO_MEDICINE),
        medication("m", code=local("M")),
    ],
    "the-reason-contained-in-a-prescription": [
        prescription(
            medicationCodeableConcept=known(SNOMED),
            contained=contained("Condition", local("W1")),
        )
    ],
    "a-medicine-in-words": [prescription(medicationCodeableConcept={"text": "Furosemide 40 mg"})],
    "a-type-that-is-not-read": [resource("Immunization", status="completed", vaccineCode=local("V"))],
    "an-empty-concept": [problem("c", {})],
}


@pytest.mark.parametrize(("resources", "rows"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_no_value_set_has_is_counted(resources: list[Resource], rows: list[Row]) -> None:
    assert rows_of(*resources) == rows
    # The order of the entries decides nothing.
    assert rows_of(*reversed(resources)) == rows


@pytest.mark.parametrize("resources", KNOWN.values(), ids=KNOWN)
def test_what_is_known_or_does_not_count_is_not(resources: list[Resource]) -> None:
    assert rows_of(*resources) == []
    # Beside it the unknown is still counted.
    assert rows_of(*resources, problem("other", local("W9"))) == [row("W9")]


@pytest.mark.parametrize(
    "contents",
    [
        {"coding": "text"},
        {"coding": [None, 5, {"code": 5}, {"code": []}]},
        {"coding": [{"system": 5, "code": "x"}]},
        {"coding": [{"system": LOCAL}]},
        [[{"text": "deep"}]],
        5,
    ],
)
@pytest.mark.parametrize("member", ["orderDetail", "contained", "code"])
def test_odd_members_do_no_harm(contents: Any, member: str) -> None:
    assert {"system": LOCAL, "code": "W9", "count": 1} in rows_of(
        resource("ServiceRequest", id="o", **{member: contents}),
        resource("DiagnosticReport", id="d", **{member: contents}),
        problem("other", local("W9")),
    )


def test_past_the_most_notes_the_rest_is_counted() -> None:
    codes = [f"{number:04}" for number in range(MAX_NOTES + 3)]
    first = problem("again", local(codes[0]))
    rows = rows_of(first, *(problem(f"c{code}", local(code)) for code in codes))
    assert rows[:2] == [row("0000", 2), row("0001")]
    assert rows[MAX_NOTES - 1] == row(codes[MAX_NOTES - 1])
    assert rows[MAX_NOTES:] == [{"text": "3 more codes that are only counted", "count": 3}]


def test_validation_says_how_many_and_which(client: FlaskClient) -> None:
    records = bundle(
        problem("a", local("W1", "Said by Jane")),
        problem("b", local("W1")),
        problem("c", {"text": "Jane"}),
        condition("weakness"),
    )
    answered = client.post("/evaluate?validate=true", data=records, content_type="application/fhir+json")
    issues = answered.get_json()["outcome"]["issue"]
    assert [issue["severity"] for issue in issues] == ["information", "information"]
    assert issues[1]["diagnostics"] == (
        f"3 entries carry codes that no value set has, or words alone: {LOCAL}|W1 (2), without a code (1)."
    )
    assert "Jane" not in json.dumps(issues)


def test_validation_is_silent_where_every_code_is_known(client: FlaskClient) -> None:
    records = bundle(condition("weakness"))
    answered = client.post("/evaluate?validate=true", data=records, content_type="application/fhir+json")
    assert len(answered.get_json()["outcome"]["issue"]) == 1
    assert answered.get_json()["assessment"]["unknownCodes"] == []


def test_a_hook_call_that_asks_for_the_assessment_has_them(client: FlaskClient) -> None:
    call = hook_call()
    patient = call["context"]["patientId"].removeprefix("Patient/")
    added = problem("added", local("W1"), subject={"reference": f"Patient/{patient}"})
    call["prefetch"]["conditions"].setdefault("entry", []).append({"resource": added})
    answered = client.post(SERVICE, json=call | {"extension": ASKED}).get_json()
    assert answered["extension"][EXTENSION]["assessment"]["unknownCodes"] == [row("W1")]


def test_the_workbench_does_not_say_that_all_was_understood(client: FlaskClient) -> None:
    def shown(code: Resource) -> str:
        posted = {"text": bundle(problem("c", code)).decode()}
        html: str = client.post("/workbench/answer", json=posted).get_json()["html"]
        return html

    everything = "Everything that was sent was understood."
    assert everything in shown(WEAK)
    unknown = shown(local("<W1>"))
    assert everything not in unknown
    assert "<code>&lt;W1&gt;</code>" in unknown
    assert LOCAL in unknown
