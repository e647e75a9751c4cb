"""What a hook's context holds as drafts -> what is being ordered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from fhir_mappings.record import Draft, Order
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.medication_identity import Medicines
from fhir_mappings.to_findings.medications import drafted_drugs

# A prescription may be signed again after a change that ended it.
_ENDED = frozenset({"entered-in-error", "cancelled", "stopped", "completed", "ended"})


def drafts_of(
    requests: Sequence[Located[fhir.ServiceRequest]],
    prescriptions: Sequence[Located[fhir.MedicationRequest]],
    medications: Mapping[str, Located[fhir.Medication]],
    orders: Sequence[Order],
    terminology: Terminology,
    as_of: date,
) -> tuple[Draft, ...]:
    """The drafts of tests (those among the orders) and of medicines, in the order of the context."""
    read = {order.reference: order for order in orders if order.draft}
    found = [*_tests(requests, read), *_medicines(prescriptions, medications, terminology, as_of)]
    return tuple(draft for _, draft in sorted(found, key=lambda pair: pair[0]))


def _tests(
    requests: Sequence[Located[fhir.ServiceRequest]], read: Mapping[str, Order]
) -> Iterator[tuple[list[int], Draft]]:
    for located in requests:
        order = read.get(located.reference)
        if located.draft and order is not None:
            draft = Draft(located.reference, order.tests, priority=order.priority, selected=located.selected)
            yield _place(located), draft


def _medicines(
    prescriptions: Sequence[Located[fhir.MedicationRequest]],
    medications: Mapping[str, Located[fhir.Medication]],
    terminology: Terminology,
    as_of: date,
) -> Iterator[tuple[list[int], Draft]]:
    medicines = Medicines(medications, terminology.medications)
    for located in prescriptions:
        if not located.draft:
            continue
        resource = located.resource
        if (resource.status or "").strip().lower() in _ENDED or resource.doNotPerform:
            continue
        drugs = drafted_drugs(located, medicines, as_of)
        yield _place(located), Draft(located.reference, drugs=drugs, selected=located.selected)


def _place(located: Located[fhir.ServiceRequest] | Located[fhir.MedicationRequest]) -> list[int]:
    """Where it stood: the numbers of "context.draftOrders.entry[3].resource"."""
    return [int(number) for number in re.findall(r"\[(\d+)\]", located.expression)]
