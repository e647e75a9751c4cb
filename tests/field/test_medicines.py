"""Medicines as EHRs write them: home medicines, what is not taken, old names, and references of every form.

The decision day is 2026-11-24; the twitch began 50 days before it. Names and codes: the knowledge files.
"""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Drug, Note
from tests.spec.records import as_of, condition, read
from tests.spec.test_drugs_of_a_record import request, statement, supply, taken

TWITCH = condition("fasciculation", onsetDateTime=as_of(50))
BEFORE, AFTER = as_of(80), as_of(20)
DENIED = "its text says that it is not taken"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-medication-adherence"
R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MedicationStatement.adherence"
SNOMED = "http://snomed.info/sct"


def drugs(*resources: dict[str, Any]) -> tuple[Drug, ...]:
    return read(TWITCH, *resources).drugs


def classes(*resources: dict[str, Any]) -> set[str]:
    return {name for drug in drugs(*resources) for name in drug.classes}


# --- what counts


@pytest.mark.parametrize(
    "intent", ["order", "plan", "original-order", "reflex-order", "filler-order", "instance-order", None]
)
def test_an_order_or_a_plan_counts(intent: str | None) -> None:
    assert classes(request(intent=intent, authoredOn=BEFORE)) == {"loop-diuretic"}


def test_a_proposal_does_not_count() -> None:
    assert drugs(request(intent="proposal", authoredOn=BEFORE)) == ()


def days(count: float, unit: str = "d") -> dict[str, Any]:
    return {"dispenseRequest": {"expectedSupplyDuration": {"value": count, "unit": unit}}}


@pytest.mark.parametrize(
    ("members", "plausible", "current"),
    [
        # a permission to dispense that is over
        (supply(as_of(80), as_of(60)), "yes", True),
        # a supply that is over may have been renewed elsewhere
        (days(10), "yes", True),
        # what was dispensed lasts beyond the day of the order
        ({"status": "completed", **days(90)}, "yes", False),
        ({"status": "completed", **days(40)}, "yes", False),
        ({"status": "completed", **days(6, "wk")}, "yes", False),
        ({"status": "completed", **days(3, "months")}, "yes", False),
        ({"status": "stopped", **days(90)}, "yes", False),
        ({"status": "completed", **days(29)}, "no", False),
        ({"status": "completed", **days(90, "boxes")}, "no", False),
        ({"status": "completed", **days(-90)}, "no", False),
        ({"status": "completed", **days(1e300)}, "no", False),
        # a stated end goes before the supply
        ({"status": "completed", **taken(BEFORE, as_of(60)), **days(90)}, "no", False),
    ],
)
def test_the_end_of_a_supply(members: dict[str, Any], plausible: str, current: bool) -> None:
    (drug,) = drugs(request(authoredOn=BEFORE, **members))
    assert (drug.plausible.value, drug.current) == (plausible, current)


# --- what is not taken

NOT = [
    "Not taking furosemide 40 mg tablet",
    "furosemide 40 mg tablet (NOT TAKING)",
    "Furosemide 40 mg - patient doesn’t take it",
    "Furosemide: no longer taking",
    "No furosemide",
    "no  Furosemide 40 mg",
    "Nil furosemide",
    "Not on furosemide",
    "Denies furosemide",
    "Allergy: furosemide",
    "ALLERGIES: Furosemide, penicillin",
    "Allergic to furosemide",
    "Furosemide - allergy to sulfonamides",
    "Stopped furosemide in 2024",
    "Furosemide 40 mg, stopped",
    "Furosemide 40 mg [DISCONTINUED]",
    "Declined furosemide",
    "furosemide 40 mg - refused",
    "Never taken: furosemide",
    "Avoid furosemide",
    "Previously on furosemide",
    "Furosemide contraindicated",
    "Adverse reaction to furosemide",
    "Furosemide - do not give",
    "Furosemide intolerance",
    "Furosemide (intolerant)",
    "Furosemide allergy",
    "furosemide - allergic",
    "Furosemide: adverse reaction",
    "Furosemide, not tolerated",
    "furosemide side effects",
    "HELD: furosemide 40 mg",
    "Furosemide 40 mg HELD",
    "furosemide (on hold)",
    "Hold furosemide",
    "Furosemide withheld since May",
    "Furosemide 40 mg, suspended",
    "furosemide paused",
    "D/C furosemide",
    "Furosemide D/C",
    "Furosemide D/C\u2019d 3/24",
    "DC'd furosemide",
    "Furosemide [DC]",
    "discontinue furosemide",
    "furosemide stopped 2024",
    "Furosemide 40 mg (inactive)",
    "h/o furosemide",
    "Hx of furosemide use",
    "History of furosemide",
    "past furosemide",
    "furosemide in the past",
    "Furosemide-induced hypokalaemia",
    "off furosemide",
    "Consider furosemide",
    "Furosemide abgesetzt",
]


@pytest.mark.parametrize("text", NOT)
def test_a_name_that_says_that_it_is_not_taken(text: str) -> None:
    record = read(TWITCH, request(text, authoredOn=BEFORE))
    assert record.drugs == ()
    assert record.not_understood == (Note("MedicationRequest/r", DENIED, "MedicationRequest.medication"),)
    assert read(TWITCH, statement(text, dateAsserted=BEFORE)).drugs == ()


def test_a_code_beside_the_words_does_not_make_it_taken() -> None:
    coded = {"coding": [{"system": "http://www.whocc.no/atc", "code": "C03CA01", "display": "Not taking"}]}
    assert drugs(request(medicationCodeableConcept=coded, authoredOn=BEFORE)) == ()


def test_another_record_of_the_same_medicine_still_counts() -> None:
    stopped = request("Stopped furosemide", id="a", authoredOn=BEFORE)
    assert classes(stopped, request(id="b", authoredOn=BEFORE)) == {"loop-diuretic"}


@pytest.mark.parametrize(
    ("text", "medication_class"),
    [
        ("Furosemide 40 mg tablet", "loop-diuretic"),
        ("Furosemide 40 mg. No refills", "loop-diuretic"),
        ("Furosemide 40 mg tablet, no sugar", "loop-diuretic"),
        ("Furosemide 40 mg, do not crush", "loop-diuretic"),
        ("Nitrofurantoin and furosemide", "loop-diuretic"),
        ("No Doz", "caffeine"),
        ("Salbutamol hand-held inhaler", "beta2-agonist-short"),
        ("Furosemide 40 mg oral suspension", "loop-diuretic"),
        ("Furosemide, vitamin D/C", "loop-diuretic"),
        ("Furosemide (past due)", "loop-diuretic"),
    ],
)
def test_a_name_that_does_not_say_so(text: str, medication_class: str) -> None:
    assert medication_class in classes(request(text, authoredOn=BEFORE))


@pytest.mark.parametrize(
    "text",
    [
        "Not taking",
        "Patient not taking: reported on 2026-11-01",
        "PATIENT NOT TAKING",
        "No longer taking",
        "Discontinued",
        "HELD",
        "On hold per cardiology",
        "D/C'd 3/1",
        "d/c",
        "STOP",
        "hold",
        "Stopped 2024",
        "1 tab daily (stopped 2024)",
        "1 tab daily - D/C'd",
        "1 tab daily. Patient not taking: reported",
        "Patient stopped",
        "self-discontinued",
    ],
)
def test_a_dosage_that_says_that_it_is_not_taken(text: str) -> None:
    record = read(TWITCH, request(authoredOn=BEFORE, dosageInstruction=[{"text": text}]))
    assert record.drugs == ()
    assert record.not_understood == (Note("MedicationRequest/r", DENIED, "MedicationRequest.dosage"),)


@pytest.mark.parametrize(
    "text",
    [
        "Take one daily",
        "One daily, not taken with food",
        "Do not take with milk",
        "If not taking food, omit",
        "Hold if SBP < 90",
        "hold for K < 3.5",
        "Take one, hold if dizzy",
        "Discontinue if rash",
        "Stop when swelling is gone",
        "Do not stop abruptly",
        "Take until stopped by doctor",
        "2.5 mg daily",
    ],
)
def test_a_dosage_that_does_not_say_so(text: str) -> None:
    assert drugs(request(authoredOn=BEFORE, dosageInstruction=[{"text": text}]))


IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"


@pytest.mark.parametrize(
    "medicine",
    [
        *({"text": text} for text in (
            "No known medications", "NO CURRENT MEDICATIONS", "No medications", "None", "Nil", "nil known",
            "No meds", "Not on any medication", "Patient takes no medications.", "Nil regular medications",
            "Medications: none", "No known drug therapy", "Denies any medications",
        )),
        {"coding": [{"system": IPS, "code": "no-known-medications", "display": "No known medications"}]},
        {"coding": [{"system": IPS, "code": "no-known-medications"}]},
    ],
)  # fmt: skip
def test_no_medicine_is_no_medicine_and_nothing_unread(medicine: dict[str, Any]) -> None:
    for made in (
        request(medicationCodeableConcept=medicine, authoredOn=BEFORE),
        statement(medicationCodeableConcept=medicine, dateAsserted=BEFORE),
    ):
        record = read(TWITCH, made)
        assert (record.drugs, record.not_understood) == ((), ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("No known medication allergies", DENIED),
        ("No information about medications", DENIED),
        ("Unknown", "medicine not recognised by its code or name"),
        ("NKDA", "medicine not recognised by its code or name"),
    ],
)
def test_words_that_do_not_say_that_there_is_none(text: str, why: str) -> None:
    assert [note.why for note in read(TWITCH, request(text, authoredOn=BEFORE)).not_understood] == [why]


def test_a_medicine_beside_the_words_counts() -> None:
    none = request("No known medications", id="a", authoredOn=BEFORE)
    assert classes(none, request(id="b", authoredOn=BEFORE)) == {"loop-diuretic"}


def adherence(code: str, system: str = SNOMED, url: str = US_CORE, inner: str = "medicationAdherence") -> Any:
    concept = {"coding": [{"system": system, "code": code}]}
    return {"extension": [{"url": url, "extension": [{"url": inner, "valueCodeableConcept": concept}]}]}


HL7 = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"


@pytest.mark.parametrize(
    "record",
    [
        request(authoredOn=BEFORE, **adherence("715036001")),
        request(authoredOn=BEFORE, **adherence("not-taking", HL7)),
        statement(dateAsserted=BEFORE, **adherence("not-taking", HL7, R5, "code")),
        statement(
            dateAsserted=BEFORE, adherence={"code": {"coding": [{"system": HL7, "code": "not-taking"}]}}
        ),
    ],
)
def test_an_adherence_of_not_taking(record: dict[str, Any]) -> None:
    found = read(TWITCH, record)
    assert found.drugs == ()
    # A coded status is read: nothing is left to name.
    assert (found.not_used, found.not_understood) == ((), ())


@pytest.mark.parametrize(
    "record",
    [
        # complies; takes it otherwise than directed; partly: it is taken
        request(authoredOn=BEFORE, **adherence("1156699004")),
        request(authoredOn=BEFORE, **adherence("702565001")),
        request(authoredOn=BEFORE, **adherence("taking-not-as-directed", HL7)),
        request(authoredOn=BEFORE, **adherence("unknown", HL7)),
        request(authoredOn=BEFORE, extension=5),
        request(authoredOn=BEFORE, extension=[{"url": US_CORE, "extension": {"url": 5}}, 7]),
        request(authoredOn=BEFORE, extension=[{"url": US_CORE, "valueCodeableConcept": {"coding": [None]}}]),
        request(authoredOn=BEFORE, extension=[{"url": "https://ehr.example/x", "valueString": "not taking"}]),
    ],
)
def test_another_adherence(record: dict[str, Any]) -> None:
    (drug,) = drugs(record)
    assert drug.plausible.value == "yes"


# --- names and codes


@pytest.mark.parametrize(
    ("name", "medication_class"),
    [
        ("Frusemide 40 mg tablets", "loop-diuretic"),
        ("FUROSEMIDE (FRUSEMIDE) 40MG", "loop-diuretic"),
        ("ethacrynic acid 25 mg", "loop-diuretic"),
        ("Bendrofluazide 2.5mg", "thiazide-diuretic"),
        ("Salbutamol 100 micrograms inhaler", "beta2-agonist-short"),
        ("albuterol HFA", "beta2-agonist-short"),
        ("Eformoterol 12 micrograms", "beta2-agonist-long"),
        ("Dothiepin 25 mg", "antidepressant-tricyclic"),
        ("Dexamphetamine 5 mg", "cns-stimulant"),
        ("Dexamfetamine 5mg tablets", "cns-stimulant"),
        ("Neo-NaClex 2.5mg tablets", "thiazide-diuretic"),
        ("Navidrex 500microgram tablets", "thiazide-diuretic"),
        ("Natrilix SR 1.5mg tablets", "thiazide-diuretic"),
        ("Frumil LS tablets", "loop-diuretic"),
        ("Frumil LS tablets", "potassium-sparing-diuretic"),
        ("Lasilactone 50/20 capsules", "loop-diuretic"),
        ("Lasilactone 50/20 capsules", "potassium-sparing-diuretic"),
        ("Cipramil 20mg tablets", "ssri"),
        ("Cipralex 10mg", "ssri"),
        ("Seroxat 20mg tablets", "ssri"),
        ("Lustral 50mg tablets", "ssri"),
        ("Faverin 100mg", "ssri"),
        ("Efexor XL 75mg capsules", "snri"),
        ("Yentreve 40mg", "snri"),
        ("Zispin SolTab 30mg", "antidepressant-other"),
        ("Prothiaden 75mg", "antidepressant-tricyclic"),
        ("Triptafen tablets", "antidepressant-tricyclic"),
        ("Manerix 150mg", "antidepressant-maoi"),
        ("Equasym XL 10mg capsules", "cns-stimulant"),
        ("Priadel 400mg modified-release tablets", "other-lithium"),
        ("Lithonate 400mg tablets", "other-lithium"),
        ("Pariet 10mg gastro-resistant tablets", "other-ppi"),
        ("Glucophage SR 500mg", "other-metformin"),
    ],
)
def test_old_names_and_british_brands(name: str, medication_class: str) -> None:
    assert medication_class in classes(request(name, authoredOn=BEFORE))


@pytest.mark.parametrize("name", ["Frusenex", "Cipra", "Lustralax", "Seroxatine", "Ziespin"])
def test_a_name_of_which_a_part_is_one_is_named(name: str) -> None:
    record = read(TWITCH, request(name, authoredOn=BEFORE))
    (drug,) = record.drugs
    assert (drug.classes, drug.recognised) == (frozenset(), False)
    assert [note.why for note in record.not_understood] == ["medicine not recognised by its code or name"]
