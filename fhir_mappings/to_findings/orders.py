"""ServiceRequests and Tasks -> orders on file; drafts in a hook's context -> draft orders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from fhir_mappings.record import Draft, Note, Order, Study
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of
from fhir_mappings.resources.references import plain
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.findings import Reader
from fhir_mappings.to_findings.medication_identity import Medicines
from fhir_mappings.to_findings.medications import drafted_drugs
from fhir_mappings.to_findings.onsets import Dates
from fhir_mappings.to_findings.statuses import status_word
from fhir_mappings.to_findings.studies import first_day, known_status

_OPEN = frozenset({"active", "on-hold", "suspended"})  # STU3 spells "suspended"
# hl7.org/fhir/R4/codesystem-task-code.html: marks the order it is about as no longer active.
_ENDING_TASK = frozenset({("http://hl7.org/fhir/CodeSystem/task-code", "abort")})
_OPEN_TASK = frozenset({"requested", "received", "accepted", "ready", "in-progress", "on-hold"})
# An order or prescription may be signed again after a change that ended it.
_ENDED_ORDER = frozenset({"entered-in-error", "revoked", "cancelled", "completed", "ended"})
_WITHDRAWN = frozenset({"entered-in-error", "revoked", "cancelled"})
_ENDED_PRESCRIPTION = frozenset({"entered-in-error", "cancelled", "stopped", "completed", "ended"})
# Of STU3, R4 and R5; a missing one is no status of an order that stands.
_OF_REQUESTS = _OPEN | _ENDED_ORDER | {"", "draft", "unknown"}
# A proposal or a plan is not an order yet; a draft in a hook's context is.
_NO_ORDER = frozenset({"proposal", "plan", "option"})


def orders_of(
    reader: Reader, requests: Sequence[Located[fhir.ServiceRequest]], tasks: Sequence[Located[fhir.Task]]
) -> tuple[Order, ...]:
    """All open orders of a known test, drafts included, by their day."""
    orders = [_order_of_request(reader, located) for located in requests]
    by_name = {name: located.resource for located in requests for name in (*located.names, located.reference)}
    # Many Tasks may carry out one request.
    tests: dict[int, frozenset[str]] = {}
    orders += [_order_of_task(reader, located, by_name, tests) for located in tasks]
    existing = {
        order for order in orders if order is not None and not reader.is_future(order.day, order.reference)
    }
    return tuple(sorted(existing, key=lambda o: (o.day or date.min, o.reference, sorted(o.tests))))


def _order_of_request(reader: Reader, located: Located[fhir.ServiceRequest]) -> Order | None:
    resource, reference = located.resource, located.reference
    status, intent = status_word(resource.status), status_word(resource.intent)
    counts = status not in _ENDED_ORDER if located.draft else status in _OPEN and intent not in _NO_ORDER
    if status not in _OF_REQUESTS and not located.draft and not resource.doNotPerform:
        if _request_tests(resource, reader.terminology):
            known_status(reader, reference, status, _OF_REQUESTS)
        return None
    if resource.doNotPerform or not counts:
        return None
    tests = _request_tests(resource, reader.terminology)
    if not tests:
        concepts = resource.code.concepts if resource.code is not None else ()
        if any(concept.text for concept in concepts) and not any(concept.coding for concept in concepts):
            # Orders are read by code alone: one in words could ask for any test.
            reader.notes.append(Note(reference, "an order without a code", "ServiceRequest.code"))
        return None
    authored = Dates(reference, reader.notes).days(resource.authoredOn, "ServiceRequest.authoredOn")
    priority = status_word(resource.priority) or None
    return Order(tests, authored.earliest, priority, status, reference, located.draft)


def completed_of(reader: Reader, requests: Sequence[Located[fhir.ServiceRequest]]) -> Iterator[Study]:
    """The studies that completed referrals are: a neurology referral, a consultation."""
    terminology = reader.terminology
    for located in requests:
        resource, reference = located.resource, located.reference
        ordered = (
            status_word(resource.status) == "completed" and status_word(resource.intent) not in _NO_ORDER
        )
        if located.draft or resource.doNotPerform or not ordered:
            continue
        tests = _request_tests(resource, terminology)
        kinds = {terminology.completed_as[test] for test in tests if test in terminology.completed_as}
        if not kinds:
            continue
        dates = Dates(reference, reader.notes)
        start, end = dates.period(resource.occurrencePeriod, "ServiceRequest.occurrencePeriod")
        occurred = dates.days(resource.occurrenceDateTime, "ServiceRequest.occurrenceDateTime")
        authored = dates.days(resource.authoredOn, "ServiceRequest.authoredOn")
        day = first_day(occurred, end, start, authored)
        for kind in sorted(kinds):
            yield Study(kind, day, reference)


def _order_of_task(
    reader: Reader,
    located: Located[fhir.Task],
    requests: Mapping[str, fhir.ServiceRequest],
    request_tests: dict[int, frozenset[str]],
) -> Order | None:
    """An open Task, by its own code or by the request it carries out.

    request_tests: collects the tests of each request, by its identity.
    """
    resource, reference = located.resource, located.reference
    status = status_word(resource.status)
    if status not in _OPEN_TASK or resource.doNotPerform or status_word(resource.intent) in _NO_ORDER:
        return None
    codings = (resource.code.coding or ()) if resource.code is not None else ()
    if any(c is not None and (c.system, c.code) in _ENDING_TASK for c in codings):
        return None
    # A list of references or concepts in R5, one concept in STU3; R4 has reasonCode.
    reason = resource.reason
    reasons = [r.concept for r in reason if r is not None] if isinstance(reason, list) else [reason]
    tests = _tests_of([resource.code, resource.reasonCode, *reasons], reader.terminology)
    priority = resource.priority
    if resource.focus is not None and resource.focus.reference:
        request = requests.get(plain(resource.focus.reference))
        if request is not None:
            if request.doNotPerform or status_word(request.status) in _WITHDRAWN:
                # Left open when its order was withdrawn.
                return None
            if id(request) not in request_tests:
                request_tests[id(request)] = _request_tests(request, reader.terminology)
            tests |= request_tests[id(request)]
            priority = priority or request.priority
    if not tests:
        return None
    authored = Dates(reference, reader.notes).days(resource.authoredOn, "Task.authoredOn")
    return Order(tests, authored.earliest, status_word(priority) or None, status, reference)


def _request_tests(resource: fhir.ServiceRequest, terminology: Terminology) -> frozenset[str]:
    concepts: list[fhir.CodeableConcept | None] = [resource.type, *(resource.serviceRequested or ())]
    concepts += resource.code.concepts if resource.code is not None else ()
    for detail in resource.orderDetail or ():
        if detail is not None:
            concepts.append(fhir.CodeableConcept(detail.coding, detail.text))
            concepts += [p.valueCodeableConcept for p in detail.parameter or () if p is not None]
    return _tests_of(concepts, terminology)


def _tests_of(concepts: Iterable[fhir.CodeableConcept | None], terminology: Terminology) -> frozenset[str]:
    """Recommendation ids, study ids and analytes that the codes name; a panel names each of its own."""
    tests: set[str] = set()
    for concept in concepts:
        for key in keys_of(concept):
            if key in terminology.procedures:
                tests.add(terminology.procedures[key])
            if key in terminology.asked_for:
                tests.add(terminology.asked_for[key])
            if key in terminology.analyte_codes:
                analyte = terminology.analyte_codes[key]
                tests |= {analyte, terminology.analytes[analyte].counts_as}
            tests |= terminology.panels.get(key, frozenset())
    return frozenset(tests)


def draft_orders_of(
    reader: Reader,
    requests: Sequence[Located[fhir.ServiceRequest]],
    prescriptions: Sequence[Located[fhir.MedicationRequest]],
    medications: Mapping[str, Located[fhir.Medication]],
    orders: Sequence[Order],
) -> tuple[Draft, ...]:
    """The draft orders of tests, which are among the orders, and of medicines, as the context lists them."""
    draft_orders = {order.reference: order for order in orders if order.draft}
    drafts: list[tuple[list[int], Draft]] = []
    for test in requests:
        order = draft_orders.get(test.reference)
        if test.draft and order is not None:
            draft = Draft(test.reference, order.tests, priority=order.priority, selected=test.selected)
            drafts.append((_place(test.expression), draft))
    medicines = Medicines(medications, reader.terminology.medications)
    for located in prescriptions:
        ended = status_word(located.resource.status) in _ENDED_PRESCRIPTION
        if located.draft and not ended and not located.resource.doNotPerform:
            drugs = drafted_drugs(reader, located, medicines)
            draft = Draft(located.reference, drugs=drugs, selected=located.selected)
            drafts.append((_place(located.expression), draft))
    return tuple(draft for _, draft in sorted(drafts, key=lambda pair: pair[0]))


def _place(expression: str) -> list[int]:
    """The numbers of a place such as "context.draftOrders.entry[3].resource", to sort by."""
    return [int(number) for number in re.findall(r"\[(\d+)\]", expression)]
