"""A call of a hook must not hold a worker: four times the drafts cost about four times the cards."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from fhir_mappings.resources.budget import Budget, within
from service.cards import draft_order_card
from service.evaluation import Evaluator
from service.hook_request import read_hook_request
from tests.spec.records import DAY, KNOWLEDGE, as_of, condition, observation
from tests.unit.bodies import Resource, listed, medicine, study, twitching
from tests.unit.growth import MOST, least

# What is stored, and what the hook adds to it.
Asked = tuple[list[Resource], Resource]
HURTING_HOOKS: dict[str, tuple[Callable[[int], Asked], str, int]] = {}
EVALUATOR = Evaluator(KNOWLEDGE, "https://cds.example")
SERVICES = {service["hook"]: service for service in KNOWLEDGE.hooks}


def hurting_hook(hook: str, size: int) -> Callable[[Callable[[int], Asked]], Callable[[int], Asked]]:
    def registered(made: Callable[[int], Asked]) -> Callable[[int], Asked]:
        HURTING_HOOKS[made.__name__] = made, hook, size
        return made

    return registered


def drafted(resources: Iterable[Resource]) -> Resource:
    return {"draftOrders": listed({**resource, "status": "draft"} for resource in resources)}


def call_of(hook: str, stored: list[Resource], context: Resource) -> bytes:
    """A call of that hook."""
    keys = {"Condition": "conditions", "Observation": "findings", "MedicationRequest": "medications"}
    kept: dict[str, list[Resource]] = {key: [] for key in SERVICES[hook]["prefetch"]}
    for resource in stored:
        kept[keys.get(resource["resourceType"], "procedures")].append(resource)
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}
    body = {
        "hook": hook,
        "hookInstance": str(uuid.UUID(int=1)),
        "context": {"userId": "Practitioner/x", "patientId": "p", **context},
        "prefetch": {**{key: listed(some) for key, some in kept.items()}, "patient": patient},
        "extension": {"org.fasciculation-cds": {"asOf": DAY.isoformat()}},
    }
    return json.dumps(body).encode()


def cards_in(call: bytes) -> list[dict[str, Any]]:
    # The budget of drafts would hide a cost that grows with them.
    with within(Budget(drafts=10_000)):
        return EVALUATOR.hook_request(read_hook_request(call, SERVICES), assessed=False).cards


def timed(act: Callable[[bytes], Any], body: bytes) -> float:
    start = time.process_time()
    act(body)
    return time.process_time() - start


# Cards of the other hooks: what depends on the record is written once, however many drafts there are


@hurting_hook("order-sign", 1000)
def many_drafts_beside_many_medicines(size: int) -> Asked:
    on_file = [medicine(n, f"zzz{n}qq") for n in range(size)]
    return [twitching(), *on_file], drafted(medicine(n, "furosemide") for n in range(size))


@hurting_hook("order-sign", 500)
def many_drafts_of_other_names_beside_the_same_on_file(size: int) -> Asked:
    names = [f"furosemide zz{n}" for n in range(size)]
    on_file = [medicine(n, name) for n, name in enumerate(names)]
    return [twitching(), *on_file], drafted(medicine(n, name) for n, name in enumerate(names))


@hurting_hook("order-sign", 800)
def many_drafts_beside_many_twitches(size: int) -> Asked:
    return [twitching(n) for n in range(size)], drafted(medicine(n, "furosemide") for n in range(size))


@hurting_hook("order-sign", 1000)
def many_draft_studies_beside_many_medicines(size: int) -> Asked:
    on_file = [medicine(n, f"zzz{n}qq") for n in range(size)]
    return [twitching(), *on_file], drafted(study(n) for n in range(size))


@hurting_hook("order-sign", 1000)
def many_draft_studies_beside_many_done(size: int) -> Asked:
    done = {"resourceType": "Procedure", "status": "completed", "performedDateTime": as_of(3)}
    on_file = [{**study(n), **done} for n in range(size)]
    return [twitching(), *on_file], drafted(study(n) for n in range(size))


@hurting_hook("problem-list-item-create", 700)
def many_new_problems_beside_many_examinations(size: int) -> Asked:
    examined = [
        observation("weakness", id=f"o{n}", valueBoolean=False, effectiveDateTime=as_of(1 + n % 30))
        for n in range(size)
    ]
    return [twitching(), *examined], {
        "conditions": listed(condition("weakness", id=f"n{n}") for n in range(size))
    }


@pytest.mark.parametrize("name", HURTING_HOOKS)
def test_the_cost_of_the_cards_grows_with_the_call(name: str) -> None:
    made, hook, size = HURTING_HOOKS[name]
    small, large = (call_of(hook, *made(count)) for count in (size, 4 * size))
    assert cards_in(large), "a call without cards times nothing"
    cards_in(small)

    def growth() -> float:
        quick = min(timed(cards_in, small) for _ in range(3))
        return min(timed(cards_in, large) for _ in range(2)) / quick

    assert least(growth) < MOST


def test_equal_remarks_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    card = draft_order_card._DraftCard.card

    def counted(self: Any) -> Any:
        written.append(self.remark.draft.reference)
        return card(self)

    monkeypatch.setattr(draft_order_card._DraftCard, "card", counted)
    call = call_of("order-sign", [twitching()], drafted(medicine(n, "furosemide") for n in range(9)))
    assert len(cards_in(call)) == len(written) == 1
