"""ServiceRequests and Tasks -> what is already asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from fhir_mappings.record import Note, Order, Reading
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of
from fhir_mappings.resources.references import plain
from fhir_mappings.resources.select import exists_on
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.onsets import Dates

_OPEN = frozenset({"active", "on-hold", "suspended"})  # STU3 spells "suspended"
_OPEN_TASK = frozenset({"requested", "received", "accepted", "ready", "in-progress", "on-hold"})
# An order may be signed again after a change that ended it.
_ENDED = frozenset({"entered-in-error", "revoked", "cancelled", "completed", "ended"})
# A proposal or a plan is not an order yet; a draft in a hook's context is.
_NO_ORDER = frozenset({"proposal", "plan", "option"})


def orders_of(
    requests: Sequence[Located[fhir.ServiceRequest]],
    tasks: Sequence[Located[fhir.Task]],
    terminology: Terminology,
    as_of: date,
    reading: Reading,
) -> tuple[tuple[Order, ...], tuple[Note, ...]]:
    """Everything that is open, with the tests its codes name; notes = open, but of no test that is known."""
    notes: list[Note] = []
    found: list[Order] = []
    for located in requests:
        order = _of_request(located, terminology, notes)
        if order is not None and exists_on(order.day, as_of, reading.future_days):
            found.append(order)
    by_name = {
        name: _Asked(request.resource) for request in requests for name in (*request.names, request.reference)
    }
    for task in tasks:
        order = _of_task(task, by_name, terminology, notes)
        if order is not None and exists_on(order.day, as_of, reading.future_days):
            found.append(order)
    ordered = sorted(set(found), key=lambda o: (o.day or date.min, o.reference, sorted(o.tests)))
    return tuple(ordered), tuple(notes)


def tests_of(concepts: Iterable[fhir.CodeableConcept | None], terminology: Terminology) -> frozenset[str]:
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


def _of_request(
    located: Located[fhir.ServiceRequest], terminology: Terminology, notes: list[Note]
) -> Order | None:
    resource = located.resource
    status = (resource.status or "").strip().lower()
    intent = (resource.intent or "").strip().lower()
    counts = status not in _ENDED if located.draft else status in _OPEN and intent not in _NO_ORDER
    if resource.doNotPerform or not counts:
        return None
    tests = _request_tests(resource, terminology)
    if not tests:
        written = resource.code.concepts if resource.code is not None else ()
        if any(one.text for one in written) and not any(one.coding for one in written):
            # Read by code alone: an order in words could ask for any test.
            notes.append(Note(located.reference, "an order without a code", "ServiceRequest.code"))
        return None
    dates = Dates(located.reference, notes)
    authored = dates.days(resource.authoredOn, "ServiceRequest.authoredOn")
    return Order(
        tests=tests,
        day=authored.earliest,
        priority=(resource.priority or "").strip().lower() or None,
        status=status,
        reference=located.reference,
        draft=located.draft,
    )


def _request_tests(resource: fhir.ServiceRequest, terminology: Terminology) -> frozenset[str]:
    code = resource.code
    concepts: list[fhir.CodeableConcept | None] = [resource.type, *(resource.serviceRequested or ())]
    concepts += code.concepts if code is not None else ()
    for detail in resource.orderDetail or ():
        if detail is not None:
            concepts.append(fhir.CodeableConcept(detail.coding, detail.text))
            concepts += [one.valueCodeableConcept for one in detail.parameter or () if one is not None]
    return tests_of(concepts, terminology)


class _Asked:
    """A request that Tasks may carry out. Its tests are worked out once, and only if one does."""

    def __init__(self, request: fhir.ServiceRequest) -> None:
        self.request = request
        self._tests: frozenset[str] | None = None

    def tests(self, terminology: Terminology) -> frozenset[str]:
        if self._tests is None:
            self._tests = _request_tests(self.request, terminology)
        return self._tests


def _reasons(task: fhir.Task) -> list[fhir.CodeableConcept | None]:
    """What R4 has as reasonCode: a list of references or concepts in R5, one concept in STU3."""
    if isinstance(task.reason, list):
        return [one.concept for one in task.reason if one is not None]
    return [task.reason]


def _of_task(
    located: Located[fhir.Task],
    requests: dict[str, _Asked],
    terminology: Terminology,
    notes: list[Note],
) -> Order | None:
    """An open Task, by its own code or by the request it carries out."""
    resource = located.resource
    if (resource.status or "").strip().lower() not in _OPEN_TASK or resource.doNotPerform:
        return None
    tests = tests_of([resource.code, resource.reasonCode, *_reasons(resource)], terminology)
    priority = resource.priority
    if resource.focus is not None and resource.focus.reference:
        request = requests.get(plain(resource.focus.reference))
        if request is not None:
            tests |= request.tests(terminology)
            priority = priority or request.request.priority
    if not tests:
        return None
    authored = Dates(located.reference, notes).days(resource.authoredOn, "Task.authoredOn")
    return Order(
        tests=tests,
        day=authored.earliest,
        priority=(priority or "").strip().lower() or None,
        status=(resource.status or "").strip().lower(),
        reference=located.reference,
    )
