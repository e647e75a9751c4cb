"""An entry dated after the day of the decision changes nothing, and stands in notUsed, whatever its type."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.outcomes import outcome_of
from tests.spec.records import as_of, code_of, concept, condition, observation, read
from tests.spec.test_drugs_of_a_record import request as prescription
from tests.spec.test_drugs_of_a_record import statement
from tests.spec.test_orders_and_studies import EMG, LOINC, MINE, referral, relative, request
from tests.spec.test_results import K, lab

LATER = "is dated after the day of the decision"
TWITCH = condition("fasciculation", onsetDateTime=as_of(30))
BMP = "24321-2"


def made(kind: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": "x", "code": concept(LOINC, EMG), **MINE, **members}


def panel(day: str) -> dict[str, Any]:
    parts = [lab(code, value) for code, value in ((K, "2.0"), ("2951-2", "110"))]
    components = [{"code": part["code"], "valueQuantity": part["valueQuantity"]} for part in parts]
    return {**lab(BMP, None, when=day), "component": components}


ENTRIES = {
    "condition": lambda day: condition("weakness", recordedDate=day),
    "condition, by its onset": lambda day: condition("weakness", recordedDate=None, onsetDateTime=day),
    "finding": lambda day: observation("weakness", valueBoolean=True, effectiveDateTime=day),
    "result": lambda day: lab(K, "2.0", when=day),
    "result, by issued": lambda day: lab(K, "2.0", when=None, issued=f"{day}T08:00:00Z"),
    "panel": panel,
    "order": lambda day: request(authoredOn=day),
    "completed referral": lambda day: referral(authoredOn=day),
    "task": lambda day: made("Task", status="requested", authoredOn=day, **{"for": MINE["subject"]}),
    "report": lambda day: made("DiagnosticReport", status="final", effectiveDateTime=day),
    "procedure": lambda day: made("Procedure", status="completed", performedDateTime=day),
    "study": lambda day: made("Observation", status="final", effectiveDateTime=day),
    "prescription": lambda day: prescription(authoredOn=day),
    "medicine reported": lambda day: statement(effectiveDateTime=day),
    "family history": lambda day: relative(code_of("motor-neuron-disease"), date=day),
}
each = pytest.mark.parametrize("name", ENTRIES)


@each
def test_an_entry_of_a_later_day_is_named_and_changes_nothing(name: str) -> None:
    entry = ENTRIES[name](as_of(-2))
    record, without = read(TWITCH, entry), read(TWITCH)
    reference = f"{entry['resourceType']}/{entry['id']}"
    assert [(note.reference, note.why) for note in record.not_used] == [(reference, LATER)]
    assert outcome_of(record) == outcome_of(without)
    assert (record.results, record.orders, record.studies, record.drugs) == ((), (), (), ())


@each
def test_an_entry_of_the_day_is_read(name: str) -> None:
    record, without = read(TWITCH, ENTRIES[name](as_of(0))), read(TWITCH)
    assert record.not_used == ()
    read_of = [(r.findings, r.results, r.orders, r.studies, r.drugs) for r in (record, without)]
    assert read_of[0] != read_of[1]
