"""Medicines from records to findings: what counts, what they are made of, what route and time make of them.

The terms and codes here are made up; the real ones are read in tests/knowledge/.
"""

from __future__ import annotations

import json
import random
from datetime import date
from typing import Any

import msgspec
import pytest

from fhir_mappings.dates import days_of
from fhir_mappings.findings import Days, Drug, Note, Plausible, Reading
from fhir_mappings.located import Located
from fhir_mappings.resources import Medication, MedicationRequest, MedicationStatement
from fhir_mappings.terminology import ATC, RXNORM, Ingredient, Medications, Terminology
from fhir_mappings.to_findings.drugs import drugs_of

AS_OF = date(2026, 11, 20)
ONSET = Days(date(2026, 10, 1), date(2026, 10, 1))
BEFORE, AFTER = "2026-09-01", "2026-10-02"


def steroid(medication_class: str) -> Ingredient:
    return Ingredient("steroidone", medication_class, route_decides=True)


WATER = Ingredient("waterazide", "thiazide-diuretic")
SPARING = Ingredient("sparamide", "potassium-sparing-diuretic")
TABLES = Medications(
    codes={
        (RXNORM, "w"): (WATER,),
        (RXNORM, "w+s"): (WATER, SPARING),
        (RXNORM, "steroid"): (steroid("systemic"), steroid("local")),
        (RXNORM, "steroid tablet"): (Ingredient("steroidone", "systemic", route="oral"),),
    },
    terms={
        "waterazide": (WATER,),
        "sparamide": (SPARING,),
        "steroidone": (steroid("systemic"), steroid("local")),
        "creamium": (Ingredient("creamium", "tricyclic", route_decides=True),),
    },
    form_words={
        "tablet": "oral",
        "oral": "oral",
        "cream": "topical",
        "skin": "topical",
        "patch": "transdermal",
    },
    class_routes={
        "systemic": frozenset({"oral", "parenteral"}),
        "local": frozenset({"topical"}),
        "tricyclic": frozenset({"oral"}),
    },
    potassium_raising_atc=frozenset({"Z09"}),
    potassium_raising_stems=frozenset({"pril", "sartan"}),
)


def read(
    *records: dict[str, Any], onset: Days = ONSET, shared: dict[str, dict[str, Any]] | None = None
) -> tuple[tuple[Drug, ...], tuple[Note, ...]]:
    """A record with `effectivePeriod`, `taken` or a given resourceType is a statement, else a request."""
    requests: list[Located[MedicationRequest]] = []
    statements: list[Located[MedicationStatement]] = []
    for number, record in enumerate(records):
        body = json.dumps({"status": "active", "intent": "order", **record}).encode()
        if record.get("resourceType") == "MedicationStatement":
            statement = msgspec.json.decode(body, type=MedicationStatement)
            statements.append(Located(statement, record.get("id", f"MedicationStatement/{number}"), "x"))
        else:
            request = msgspec.json.decode(body, type=MedicationRequest)
            draft = record.get("context draft", False)
            requests.append(Located(request, record.get("id", f"MedicationRequest/{number}"), "x", draft))
    medications = {
        name: Located(msgspec.convert(value, Medication), name, "x", names=(name, *value.get("also", ())))
        for name, value in (shared or {}).items()
    }
    terminology = Terminology(medications=TABLES)
    return drugs_of(
        requests, statements, medications, terminology, onset, AS_OF, Reading(finding_days=180, future_days=1)
    )


def one(*records: dict[str, Any], **more: Any) -> Drug:
    drugs, _ = read(*records, **more)
    assert len(drugs) == 1, drugs
    return drugs[0]


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"medicationCodeableConcept": {"text": name}, "authoredOn": BEFORE, **more}


def statement(name: str = "waterazide", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "medicationCodeableConcept": {"text": name},
        **more,
    }


def bounds(start: str | None = None, end: str | None = None) -> dict[str, Any]:
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    return {"timing": {"repeat": {"boundsPeriod": period}}}


def supply(start: str | None = None, end: str | None = None) -> dict[str, Any]:
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    return {"validityPeriod": period}


# --- what counts


@pytest.mark.parametrize(
    "record",
    [
        text("waterazide", status="entered-in-error"),
        text("waterazide", status="cancelled"),
        text("waterazide", status="draft"),
        text("waterazide", intent="proposal"),
        text("waterazide", intent="plan"),
        text("waterazide", doNotPerform=True),
        text("waterazide", **{"context draft": True}),
        text("waterazide", authoredOn="2026-11-22"),
        statement(status="not-taken"),
        statement(status="entered-in-error"),
        statement(taken="n"),
        statement(adherence={"code": {"coding": [{"code": "not-taking"}]}}, status="recorded"),
        statement(dateAsserted="2026-11-22", effectivePeriod={"start": BEFORE}),
        statement(effectiveDateTime="2026-11-22"),
    ],
)
def test_does_not_count(record: dict[str, Any]) -> None:
    assert read(record) == ((), ())


@pytest.mark.parametrize(
    "record",
    [
        text("waterazide", status="on-hold"),
        text("waterazide", intent="instance-order"),
        text("waterazide", doNotPerform=False),
        statement(taken="y", effectivePeriod={"start": BEFORE}),
        statement(status="recorded", effectivePeriod={"start": BEFORE}),
    ],
)
def test_counts(record: dict[str, Any]) -> None:
    drug = one(record)
    assert (drug.plausible, drug.current) == (Plausible.YES, True)


def test_the_day_after_the_decision_date_still_exists() -> None:
    assert one(text("waterazide", authoredOn="2026-11-21")).plausible is Plausible.NO


@pytest.mark.parametrize(
    "record",
    [
        text("waterazide", status="unknown"),
        text("waterazide", status=None),
        statement(status="intended", effectivePeriod={"start": BEFORE}),
        statement(taken="unk", effectivePeriod={"start": BEFORE}),
    ],
)
def test_status_unknown_is_possible(record: dict[str, Any]) -> None:
    drug = one(record)
    assert drug.plausible is Plausible.POSSIBLE
    assert drug.why.endswith("not known whether it is taken")


def test_a_record_of_unknown_status_makes_no_sure_one_less_sure() -> None:
    assert one(text("waterazide"), text("waterazide", status="unknown")).plausible is Plausible.YES


def test_a_yes_that_hangs_on_a_record_of_unknown_status_is_only_possible() -> None:
    drug = one(text("waterazide", authoredOn=AFTER), text("waterazide", status="unknown"))
    assert drug.plausible is Plausible.POSSIBLE


# --- start and end


@pytest.mark.parametrize(
    ("record", "start"),
    [
        (text("waterazide", authoredOn=AFTER, dosageInstruction=[bounds(BEFORE)]), BEFORE),
        (text("waterazide", authoredOn=AFTER, dispenseRequest=supply(BEFORE)), BEFORE),
        (
            text(
                "waterazide", dosageInstruction=[bounds("2026-08-01")], dispenseRequest=supply("2026-07-01")
            ),
            "2026-08-01",
        ),
        (text("waterazide", authoredOn=BEFORE), BEFORE),
        (statement(effectiveDateTime="2026-08"), "2026-08"),
        (statement(effectivePeriod={"start": BEFORE}, dateAsserted=AFTER), BEFORE),
        (statement(dosage=[bounds("2026-08-02")], dateAsserted=AFTER), "2026-08-02"),
    ],
)
def test_start(record: dict[str, Any], start: str) -> None:
    assert one(record).start == days_of(start)


def test_a_statement_without_a_time_has_no_known_start() -> None:
    drug = one(statement(dateAsserted=BEFORE))
    assert (drug.start, drug.plausible) == (Days(), Plausible.POSSIBLE)


def test_a_renewal_is_not_a_start() -> None:
    drug = one(text("waterazide", authoredOn="2026-11-01"), text("waterazide", authoredOn="2024-01-01"))
    assert drug.plausible is Plausible.YES
    assert drug.start == days_of("2024-01-01")
    assert drug.reference == "MedicationRequest/1"


@pytest.mark.parametrize(
    ("record", "plausible", "current"),
    [
        (text("waterazide", status="stopped"), "no", False),
        (text("waterazide", status="completed"), "no", False),
        (text("waterazide", status="stopped", authoredOn=None), "possible", False),
        (text("waterazide", status="completed", dispenseRequest=supply(BEFORE, AFTER)), "yes", False),
        (text("waterazide", status="completed", dispenseRequest=supply(BEFORE, "2027-01-01")), "yes", False),
        (text("waterazide", dispenseRequest=supply("2024-01-01", "2024-03-31")), "no", False),
        (text("waterazide", dosageInstruction=[bounds(BEFORE, "2026-11-20")]), "yes", False),
        (text("waterazide", dosageInstruction=[bounds(BEFORE, "2026-11-21")]), "yes", True),
        (statement(status="stopped", effectivePeriod={"start": BEFORE, "end": AFTER}), "yes", False),
        (statement(effectivePeriod={"end": "2026-09-30"}), "no", False),
    ],
)
def test_end(record: dict[str, Any], plausible: str, current: bool) -> None:
    drug = one(record)
    assert (drug.plausible.value, drug.current) == (plausible, current)


def test_the_latest_end_of_supply_and_period_counts() -> None:
    drug = one(
        text(
            "waterazide",
            dosageInstruction=[bounds(BEFORE, "2026-09-15")],
            dispenseRequest=supply(None, AFTER),
        )
    )
    assert drug.plausible is Plausible.YES


def test_a_date_that_cannot_be_read_is_unknown_and_reported() -> None:
    drugs, notes = read(text("waterazide", authoredOn="2026-13-45"))
    assert drugs[0].plausible is Plausible.POSSIBLE
    assert [note.expression for note in notes] == ["MedicationRequest.authoredOn"]
    assert all("2026-13" not in note.why for note in notes)


# --- what it is made of


@pytest.mark.parametrize(
    "record",
    [
        {"medicationReference": {"reference": "#m"}, "contained": [
            {"resourceType": "Medication", "id": "m", "code": {"text": "Waterazide 25 mg"}}]},
        {"medication": {"reference": {"reference": "#m"}}, "contained": [
            {"resourceType": "Medication", "id": "m", "code": {"text": "Waterazide 25 mg"}}]},
        {"medication": {"concept": {"text": "waterazide"}}},
        {"medicationReference": {"reference": "Medication/m1"}},
        {"medicationReference": {"reference": "Medication/m1/_history/2"}},
        {"medicationReference": {"reference": "urn:uuid:1"}},
        {"medicationReference": {"reference": "https://ehr.example/Medication/m1"}},
        {"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "w"}]}},
        {"medicationCodeableConcept": {"coding": [
            None, {"system": RXNORM, "code": "new", "display": "Waterazide"}]}},
    ],
)  # fmt: skip
def test_wherever_the_medicine_stands(record: dict[str, Any]) -> None:
    waterazide = {"code": {"text": "waterazide"}}
    shared = {"Medication/m1": waterazide, "urn:uuid:1": waterazide}
    drug = one({"authoredOn": BEFORE, **record}, shared=shared)
    assert (drug.name, set(drug.classes)) == ("waterazide", {"thiazide-diuretic"})


def test_each_ingredient_of_a_combination_is_a_drug() -> None:
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [
            {"itemCodeableConcept": {"coding": [{"system": RXNORM, "code": "w"}]}},
            {"item": {"concept": {"text": "Sparamide"}}},
            {"itemReference": {"reference": "#s"}},
        ],
    }
    substance = {"resourceType": "Substance", "id": "s", "code": {"text": "Lisinopril"}}
    record = {"medicationReference": {"reference": "#m"}, "contained": [medication, substance]}
    drugs, notes = read({"authoredOn": BEFORE, **record})
    assert [(d.name, sorted(d.classes)) for d in drugs] == [
        ("lisinopril", []),
        ("sparamide", ["potassium-sparing-diuretic"]),
        ("waterazide", ["thiazide-diuretic"]),
    ]
    assert notes == ()


def test_a_fixed_combination_code_is_in_both_classes() -> None:
    drugs, _ = read({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "w+s"}]}})
    assert {c for d in drugs for c in d.classes} == {"thiazide-diuretic", "potassium-sparing-diuretic"}


def test_a_display_is_not_read_where_the_code_is_known() -> None:
    coding = {"system": RXNORM, "code": "w", "display": "Sparamide"}
    assert one({"medicationCodeableConcept": {"coding": [coding]}}).name == "waterazide"


def test_medications_that_refer_to_each_other_end() -> None:
    shared = {
        "Medication/a": {"ingredient": [{"itemReference": {"reference": "Medication/b"}}]},
        "Medication/b": {"ingredient": [{"itemReference": {"reference": "Medication/a"}}]},
    }
    assert one({"medicationReference": {"reference": "Medication/a"}}, shared=shared).recognised is False


# --- route


@pytest.mark.parametrize(
    ("record", "classes", "plausible", "unknown"),
    [
        (text("steroidone"), {"systemic", "local"}, "possible", True),
        (text("steroidone tablet"), {"systemic"}, "yes", False),
        (text("steroidone 1% cream"), {"local"}, "yes", False),
        (text("steroidone cream", dosageInstruction=[{"route": {"text": "oral"}}]), {"systemic"}, "yes",
         False),
        (text("steroidone patch"), {"systemic", "local"}, "possible", True),
        (text("steroidone tablet or cream"), {"systemic", "local"}, "possible", True),
        (text("steroidone", authoredOn=AFTER), {"systemic", "local"}, "no", True),
        (text("creamium cream"), set(), "yes", False),
    ],
)  # fmt: skip
def test_route(record: dict[str, Any], classes: set[str], plausible: str, unknown: bool) -> None:
    drug = one(record)
    assert (set(drug.classes), drug.plausible.value, drug.route_unknown) == (classes, plausible, unknown)
    assert ("route unknown" in drug.why) is (plausible == "possible")


def test_the_form_goes_before_the_words_of_the_name_and_the_dosage_before_the_form() -> None:
    record = {
        "medicationReference": {"reference": "Medication/m"},
        "authoredOn": BEFORE,
    }
    shared = {"Medication/m": {"code": {"text": "steroidone tablet"}, "form": {"text": "Cream"}}}
    assert one(record, shared=shared).classes == {"local"}
    dosed = {**record, "dosageInstruction": [{"route": {"coding": [{"code": "x", "display": "Oral use"}]}}]}
    assert one(dosed, shared=shared).classes == {"systemic"}


def test_a_code_that_decides_goes_before_the_route() -> None:
    coding = [{"system": RXNORM, "code": "steroid"}, {"system": RXNORM, "code": "steroid tablet"}]
    concept = {"coding": coding, "text": "Steroidone cream"}
    assert one({"medicationCodeableConcept": concept, "authoredOn": BEFORE}).classes == {"systemic"}


def test_cream_and_tablets_of_one_ingredient_are_two_lines_with_times_of_their_own() -> None:
    drugs, _ = read(text("steroidone cream"), text("steroidone tablet", authoredOn=AFTER))
    assert [(sorted(d.classes), d.plausible.value) for d in drugs] == [
        (["local"], "yes"),
        (["systemic"], "no"),
    ]


# --- what raises potassium, and what is not recognised


@pytest.mark.parametrize(
    ("concept", "raises"),
    [
        ({"text": "Lisinopril 10 mg"}, True),
        ({"text": "amlodipine/benazepril"}, True),
        ({"text": "sacubitril/valsartan"}, True),
        ({"text": "sacubitril"}, False),
        ({"text": "losartan"}, True),
        ({"text": "given since April"}, False),
        ({"text": "prilocaine"}, False),
        ({"coding": [{"system": ATC, "code": "Z09AA03"}]}, True),
        ({"coding": [{"system": ATC, "code": "Z08AA03", "display": "x"}]}, False),
        ({"coding": [{"system": "urn:x", "code": "1", "display": "Enalapril"}], "text": "BP pill"}, True),
        ({"coding": [{"system": RXNORM, "code": "w", "display": "Waterazide/ramipril"}]}, True),
        ({"coding": [{"system": "urn:x", "code": "1"}]}, True),
        ({"coding": [{"system": "urn:x", "code": "1", "display": "Paracetamol"}]}, False),
        ({}, True),
    ],
)
def test_raises_potassium(concept: dict[str, Any], raises: bool) -> None:
    drugs, _ = read({"medicationCodeableConcept": concept, "authoredOn": BEFORE})
    assert any(drug.raises_potassium for drug in drugs) is raises


def test_an_unrecognised_medicine_is_listed_and_reported_once() -> None:
    drugs, notes = read(text("Secret pills"), text("secret pills", authoredOn=AFTER))
    assert [(d.name, d.recognised, sorted(d.classes)) for d in drugs] == [("Secret pills", False, [])]
    assert [(n.reference, n.expression) for n in notes] == [
        ("MedicationRequest/0", "MedicationRequest.medication")
    ]
    assert "ecret" not in notes[0].why


def test_medicines_without_a_name_are_not_one_medicine() -> None:
    drugs, notes = read({}, {})
    assert len(drugs) == len(notes) == 2


def test_a_reference_that_leads_nowhere_is_reported_and_its_display_read() -> None:
    drugs, notes = read({"medicationReference": {"reference": "Medication/gone", "display": "Waterazide"}})
    assert drugs[0].classes == {"thiazide-diuretic"}
    assert [note.why for note in notes] == ["the medicine it refers to was not supplied"]


def test_the_same_id_on_another_server_is_another_medicine() -> None:
    here = {"code": {"text": "waterazide"}, "also": ["https://ehr.example/Medication/m1"]}
    record = {"medicationReference": {"reference": "https://other.example/Medication/m1"}}
    assert one(record, shared={"Medication/m1": here}).classes == frozenset()


def test_a_contained_resource_that_cannot_be_read_is_reported() -> None:
    _, notes = read({"medicationReference": {"reference": "#m"}, "contained": [{"id": 3}, 7]})
    assert "a contained resource that cannot be read" in {note.why for note in notes}


def test_order_does_not_matter() -> None:
    records = [
        text(name, id=f"MedicationRequest/{number}", authoredOn=day, status=status)
        for number, (name, day, status) in enumerate(
            (name, day, status)
            for name in (
                "waterazide",
                "steroidone",
                "steroidone cream",
                "Lisinopril",
                "lisinopril",
                "other",
                "Other",
            )
            for day in (BEFORE, AFTER, None)
            for status in ("active", "stopped", "unknown")
        )
    ]
    expected = read(*records)
    chance = random.Random(7)
    for _ in range(5):
        chance.shuffle(records)
        assert read(*records) == expected
