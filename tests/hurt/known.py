"""Shapes of bodies that once held a worker, or could."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_mappings.code_systems import ATC
from tests.hurt.sending import Resource, Shape
from tests.spec.forms import FORM
from tests.spec.records import condition, observation
from tests.unit.bodies import medicine, prescription, result, study, twitching

# Name -> the shape of about so many bytes.
KNOWN: dict[str, Callable[[int], Shape]] = {}
_SUBJECT = {"reference": "Patient/p"}


def known(made: Callable[[int], Shape]) -> Callable[[int], Shape]:
    KNOWN[made.__name__.replace("_", " ")] = made
    return made


def copies(item: Any, size: int) -> int:
    return max(1, size // (len(str(item)) + 15))


def repeated(item: Any, size: int) -> list[Any]:
    return [item] * copies(item, size)


def numbered(make: Callable[[int], Resource], size: int) -> list[Resource]:
    return [make(number) for number in range(copies(make(100), size))]


def medication(name: str, **members: Any) -> Resource:
    return {"resourceType": "Medication", "id": name, **members}


def made_of(name: str, often: int) -> list[Resource]:
    return [{"itemReference": {"reference": f"Medication/{name}"}}] * often


@known
def a_result_of_blanks(size: int) -> Shape:
    return Shape([twitching(), result(" " * size)])


@known
def results_of_blanks(size: int) -> Shape:
    return Shape([twitching(), *({**result(" " * 4_000), "id": f"o{n}"} for n in range(size // 4_200))])


@known
def medications_that_name_the_next(size: int) -> Shape:
    often = size // 200
    chain = [medication(f"m{n}", ingredient=made_of(f"m{n + 1}", often)) for n in range(4)]
    first = prescription(0, medicationReference={"reference": "Medication/m0"})
    return Shape([twitching(), first, *chain, medication("m4", code={"text": "enalapril"})])


@known
def medications_that_name_each_other(size: int) -> Shape:
    count = int((size / 60) ** 0.5)
    each = [
        medication(f"m{n}", ingredient=[made_of(f"m{other}", 1)[0] for other in range(count)])
        for n in range(count)
    ]
    asked = [prescription(n, medicationReference={"reference": f"Medication/m{n}"}) for n in range(count)]
    return Shape([twitching(), *asked, *each])


@known
def entries_that_are_numbers(size: int) -> Shape:
    return Shape(bundle={"entry": [5] * (size // 2)})


@known
def entries_that_are_null(size: int) -> Shape:
    return Shape(bundle={"entry": [None] * (size // 5)})


@known
def entries_that_are_empty(size: int) -> Shape:
    return Shape(bundle={"entry": [{}] * (size // 3)})


@known
def entries_of_empty_resources(size: int) -> Shape:
    return Shape(bundle={"entry": [{"resource": {}}] * (size // 16)})


@known
def entries_of_a_resource_of_no_known_type(size: int) -> Shape:
    return Shape(bundle={"entry": [{"resource": {"resourceType": "X"}}] * (size // 32)})


@known
def links_that_are_numbers(size: int) -> Shape:
    return Shape(bundle={"link": [5] * (size // 2)})


@known
def bundles_in_bundles(size: int) -> Shape:
    inner = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle"}}]}
    return Shape(repeated(inner, size))


@known
def one_large_and_many_small_versions(size: int) -> Shape:
    large = condition("fasciculation", note=[{"text": "x" * (size // 2)}], meta={"lastUpdated": "2026-01-01"})
    small = {"resourceType": "Condition", "id": large["id"], "meta": {"lastUpdated": "2025-01-01"}}
    return Shape([large, *repeated(small, size // 2)])


@known
def an_atc_code(size: int) -> Shape:
    coding = {"system": ATC, "code": "N" * size}
    return Shape([twitching(), prescription(0, medicationCodeableConcept={"coding": [coding]})])


@known
def unreadable_dates(size: int) -> Shape:
    dosage = {"timing": {"repeat": {"boundsPeriod": {"start": "x"}}}}
    named = {"text": "enalapril"}
    order = prescription(0, medicationCodeableConcept=named, dosageInstruction=repeated(dosage, size))
    return Shape([twitching(), order])


@known
def prescriptions_of_unreadable_dates(size: int) -> Shape:
    def made(number: int) -> Resource:
        return {**medicine(number, "enalapril"), "authoredOn": "x"}

    return Shape([twitching(), *numbered(made, size)])


@known
def a_medication_that_contains_much(size: int) -> Shape:
    substance = {"resourceType": "Substance", "id": "s", "code": {"text": "salt"}}
    holder = medication("m0", code={"text": "enalapril"}, contained=repeated(substance, size // 2))

    def made(number: int) -> Resource:
        return prescription(number, medicationReference={"reference": "Medication/m0"})

    return Shape([twitching(), holder, *numbered(made, size // 2)])


@known
def a_report_that_contains_much(size: int) -> Shape:
    part = observation("weakness", valueBoolean=True)
    holder = {"resourceType": "DiagnosticReport", "id": "d", "status": "final", "subject": _SUBJECT}
    return Shape([twitching(), {**holder, "contained": repeated(part, size)}])


@known
def draft_medicines(size: int) -> Shape:
    return Shape([twitching(), *numbered(lambda n: medicine(n, f"furosemide {n}"), size)], drafts=True)


@known
def draft_studies(size: int) -> Shape:
    def made(number: int) -> Resource:
        return {**study(number), "status": "draft"}

    return Shape([twitching(), *numbered(made, size)], drafts=True)


@known
def a_hundred_draft_medicines(size: int) -> Shape:
    names = "furosemide salbutamol lithium citalopram prednisolone theophylline riluzole atorvastatin"
    of = names.split()
    padded = [{**medicine(n, f"{of[n % 8]} {n}"), "note": "x" * max(0, size // 100 - 200)} for n in range(99)]
    return Shape([twitching(), *padded], drafts=True)


@known
def empty_resources_of_a_type(size: int) -> Shape:
    return Shape(repeated({"resourceType": "Observation"}, size))


@known
def twitches(size: int) -> Shape:
    return Shape(numbered(twitching, size))


@known
def conditions_of_unknown_codes(size: int) -> Shape:
    def made(number: int) -> Resource:
        return {**twitching(number), "code": {"text": f"thing {number}"}}

    return Shape(numbered(made, size))


def _response(number: int, items: list[Resource]) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": f"q{number}",
        "status": "completed",
        "questionnaire": FORM["url"],
        "subject": _SUBJECT,
        "item": items,
    }


@known
def a_response_of_unknown_items(size: int) -> Shape:
    item = {"linkId": "x", "answer": [{"valueBoolean": True}]}
    return Shape([twitching(), _response(0, repeated(item, size))])


@known
def a_response_of_many_answers(size: int) -> Shape:
    item = {"linkId": "site", "answer": repeated({"valueString": "elbow"}, size)}
    return Shape([twitching(), _response(0, [item])])


@known
def many_responses(size: int) -> Shape:
    item = {"linkId": "weakness", "answer": [{"valueBoolean": True}]}
    return Shape([twitching(), *numbered(lambda number: _response(number, [item]), size)])
