"""Where the time of a decision goes: its parts one after the other in this process, without HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from fhir_mappings.request.hook_call import decode_call
from fhir_mappings.request.json_body import json_bytes
from fhir_mappings.resources.select import select
from fhir_mappings.to_findings import record_of
from fhir_mappings.to_findings.findings import relevance_by
from service.cards import Call, cards_of
from service.cards.card_ids import CardIds
from service.decision import decide
from service.hook_request import checked_hook_request
from service.knowledge import load_knowledge
from tests.vignettes.patient import AS_OF
from tools.bench.bodies import patient_view

HOOK = "patient-view"


def cost(part: Callable[[], object], seconds: float) -> float:
    """CPU microseconds of one run: the least of many, warm."""
    part()
    least, until = float("inf"), time.process_time() + seconds
    while time.process_time() < until:
        began = time.process_time()
        part()
        least = min(least, time.process_time() - began)
    return least * 1e6


def parts_of(resources: int, size: int, seconds: float) -> Iterator[tuple[str, float]]:
    """Name and cost of each part for that call."""
    knowledge = load_knowledge()
    body = patient_view(resources, size).content
    services = {hook["hook"]: hook for hook in knowledge.hooks}
    received = decode_call(body)
    request = checked_hook_request(received, services)
    submission = request.submission()
    terminology = knowledge.terminology
    record = record_of(submission, terminology, AS_OF, knowledge.reading)
    decision = decide(record, knowledge.table)
    call = Call(
        request.members["hookInstance"],
        "https://cds.example.org",
        f"Patient/{record.patient.id}",
        None,
        CardIds(("only-for-the-benchmark-and-long-enough",), "fasciculation-patient-view"),
        knowledge.version,
    )
    cards = cards_of(decision, knowledge, call)

    yield "the call and its lists split (`decode_call`)", cost(lambda: decode_call(body), seconds)
    yield (
        "members checked",
        cost(lambda: checked_hook_request(received, services), seconds),
    )
    yield (
        "entries, a look at each (`submission_of_prefetch`)",
        cost(request.submission, seconds),
    )
    parsed = cost(lambda: select(submission, relevance_by(terminology)), seconds)
    yield "whose they are, what is relevant, and that typed (`select`)", parsed
    whole = cost(lambda: record_of(submission, terminology, AS_OF, knowledge.reading), seconds)
    yield "findings, medicines, results (`record_of` less `select`)", whole - parsed
    yield "facts, rows, questions (`decide`)", cost(lambda: decide(record, knowledge.table), seconds)
    yield "card (`cards_of`)", cost(lambda: cards_of(decision, knowledge, call), seconds)
    yield "JSON of the answer", cost(lambda: json_bytes({"cards": cards}), seconds)
