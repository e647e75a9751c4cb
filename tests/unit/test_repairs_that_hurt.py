"""What is read of a resource with faults: the rest of it is as bad as any, and costs what its bytes cost."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest

from fhir_mappings.code_systems import system_of
from fhir_mappings.record import Record, Status
from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.request.json_places import Places
from fhir_mappings.resources.contained import NOT_READ
from fhir_mappings.to_findings import record_of
from tests.spec.records import DAY, KNOWLEDGE, bundle, condition, observation
from tests.unit.growth import MOST, least
from tests.unit.test_bodies_that_hurt import growth


def read_with(members: bytes) -> Record:
    """A record of a twitch whose onset is no text, with those members behind it."""
    marked = condition("fasciculation", onsetDateTime=5, marked=1)
    body = bundle(marked).replace(b'"marked": 1', members)
    return record_of(decode_bundle(body), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)


@pytest.mark.parametrize(
    "members",
    [
        b'"other": 1e999',
        b'"other": "\xff"',
        b'"other": ' + b"9" * 400,
        b'"other": ' + b"[" * 500 + b"]" * 500,
    ],
)
def test_a_member_that_nobody_reads_does_not_break_a_repair(members: bytes) -> None:
    record = read_with(members)
    assert record.twitch.status is Status.PRESENT
    assert [note.expression for note in record.not_understood] == ["Condition.onsetDateTime"]


def contained(size: int, name: int, member: str = "subject") -> bytes:
    subject = {"reference": "Patient/p"}
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": subject,
    }
    long = {"reference": "Patient/p", "display": "x" * name}
    report[member] = [long] if member == "modifierExtension" else long
    return bundle({**report, "contained": [{"resourceType": "Observation"}] * size})


@pytest.mark.parametrize("member", ["subject", "modifierExtension"])
def test_what_many_parts_inherit_is_not_copied_into_each(member: str) -> None:
    """Megabytes for each of thousands would be gigabytes."""
    body = decode_bundle(contained(3, 3000, member))
    record = record_of(body, KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    assert NOT_READ in [note.why for note in record.not_understood]


def seconds_to_find(pairs: int) -> float:
    # The last value of "a" is behind those of the others: none of them is found in what follows.
    members = "".join(f'"m{number}":"{number}!",' for number in range(pairs))
    places = Places(f'{{"a":0,{members}"a":"last","pad":"{"x" * 20 * pairs}","c":1}}'.encode())
    before = process_time()
    places.line("Bundle.c")
    return process_time() - before


def test_the_places_of_a_text_with_double_names_cost_what_it_costs() -> None:
    def growth_of_pairs() -> float:
        few, many = (min(seconds_to_find(pairs) for _ in range(3)) for pairs in (5_000, 20_000))
        return many / few

    assert least(growth_of_pairs) < MOST


def test_the_cost_of_many_parts_grows_with_the_body() -> None:
    assert least(lambda: growth(lambda size: contained(size, 100 * size), 300)) < MOST


def test_a_system_of_many_slashes_is_looked_up_by_its_first_parts() -> None:
    assert system_of("http://snomed.info/sct/" + "a/" * 80) == "http://snomed.info/sct"
    unknown = "a/" * 90 + "b"
    assert system_of(unknown) == unknown


def test_a_repaired_value_keeps_its_digits() -> None:
    code = min(code for system, code in KNOWLEDGE.terminology.analyte_codes if "loinc" in system)
    number = {"value": 4.5, "unit": "x"}
    raw = observation(
        "fasciculation",
        code={"coding": [{"system": "http://loinc.org", "code": code}]},
        valueQuantity=number,
        issued=5,
    )
    body = bundle(raw).replace(json.dumps(4.5).encode(), b"4.50")
    record = record_of(decode_bundle(body), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    assert [one.text for one in record.results] == ["4.50"]
