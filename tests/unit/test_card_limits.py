"""However much is recorded, a card stays as short as it says: summary, words and lines."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from service.cards.detail import MOST_LINES
from service.cards.fitting import LIMIT_CHARACTERS
from service.cards.parts import MOST_LINES_ABOVE, MOST_WORDS_ABOVE
from service.evaluation import Evaluator
from service.hook_request import read_hook_request
from tests.spec.records import DAY, KNOWLEDGE, as_of, code_of, concept, condition, observation

Resource = dict[str, Any]
TERMINOLOGY = KNOWLEDGE.terminology
EVALUATOR = Evaluator(KNOWLEDGE, "https://cds.example")
SERVICES = {service["hook"]: service for service in KNOWLEDGE.hooks}
RECORDS = 60
SIGNS = [*KNOWLEDGE.table.signs, *KNOWLEDGE.table.asked]
SITES = ("hand", "calf", "thigh", "tongue", "eyelid")
NAMES = (
    "furosemide",
    "lithium",
    "citalopram",
    "salbutamol",
    "enalapril",
    "pyridostigmine",
    "a b c d e f " * 9,
)
UNITS = ("mmol/L", "mg/dL", "U/L", "a b c d e f g h i j", None)
NUMBERS = (0.5, 1.5, 2.3, 3.4, 6.5, 20, 140, 9000)
DAYS = (0, 1, 3, 30, 80, 200, 900)
CATEGORY = concept("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")
ORDERED = [*TERMINOLOGY.procedures, *TERMINOLOGY.analyte_codes]


def coded(finding: str) -> bool:
    try:
        code_of(finding)
    except IndexError:
        return False
    return True


FINDINGS = [finding for finding in TERMINOLOGY.findings if coded(finding)]


class Dense:
    """A record of very many entries, the same for the same number."""

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)
        self.any = self.random.choice

    def entry(self, number: int) -> Resource:
        made: Callable[[str], Resource] = self.any(
            (self.twitch, self.medicine, self.order, *[self.problem, self.sign] * 2, *[self.result] * 3)
        )
        return made(f"r{number}")

    def twitch(self, name: str) -> Resource:
        sites = self.random.sample(SITES, self.any((0, 1, 2)))
        onset = self.any(
            ({}, {"onsetDateTime": as_of(self.any(DAYS))}, {"onsetString": "since that day " * 9})
        )
        return condition(
            "fasciculation", id=name, recordedDate=as_of(self.any(DAYS)), bodySite=sites, **onset
        )

    def problem(self, name: str) -> Resource:
        verification = self.any(("confirmed", "confirmed", "refuted", "provisional"))
        day = as_of(self.any(DAYS))
        return condition(
            self.any(self.any((SIGNS, FINDINGS))), id=name, verification=verification, recordedDate=day
        )

    def sign(self, name: str) -> Resource:
        present = self.random.random() < 0.6
        return observation(
            self.any(SIGNS), id=name, valueBoolean=present, effectiveDateTime=as_of(self.any(DAYS))
        )

    def result(self, name: str) -> Resource:
        code = concept(*self.any(list(TERMINOLOGY.analyte_codes)))
        value: Resource = {"valueQuantity": {"value": self.any(NUMBERS), "unit": self.any(UNITS)}}
        if self.random.random() < 0.2:
            value = {"valueString": "one two three four five six"}
        return observation(
            "weakness",
            id=name,
            code=code,
            status=self.any(("final", "final", "preliminary")),
            effectiveDateTime=as_of(self.any(DAYS)),
            interpretation=[{"text": self.any(("high", "low", "critical high", "critical low"))}],
            **value,
        ) | {"category": [CATEGORY]}

    def medicine(self, name: str, status: str = "active") -> Resource:
        made = {"resourceType": "MedicationRequest", "intent": "order", "subject": {"reference": "Patient/p"}}
        text = {"medicationCodeableConcept": {"text": self.any(NAMES)}}
        return {**made, **text, "id": name, "status": status, "authoredOn": as_of(self.any(DAYS))}

    def order(self, name: str, status: str = "active") -> Resource:
        made = {"resourceType": "ServiceRequest", "intent": "order", "subject": {"reference": "Patient/p"}}
        more = {"status": status, "priority": self.any(("routine", "urgent", "stat"))}
        code = concept(*self.any(ORDERED))
        return {**made, **more, "id": name, "code": code, "authoredOn": as_of(self.any(DAYS))}

    def call(self, hook: str) -> bytes:
        lists: dict[str, list[Resource]] = {key: [] for key in SERVICES[hook]["prefetch"]}
        kinds = {"Condition": "conditions", "ServiceRequest": "orders", "MedicationRequest": "medications"}
        for number in range(self.random.randint(20, 90)):
            entry = self.entry(number)
            key = "labs" if "category" in entry else kinds.get(entry["resourceType"], "findings")
            lists[key].append(entry)
        lists["conditions"].append(self.twitch("t"))
        contexts: dict[str, Resource] = {
            "encounter-discharge": {"encounterId": "e"},
            "problem-list-item-create": {"conditions": listed([self.problem(f"n{n}") for n in range(5)])},
        }
        context = contexts.get(hook)
        if context is None and hook != "patient-view":
            drafts = [self.medicine(f"d{n}", "draft") for n in range(3)]
            context = {"draftOrders": listed([*drafts, *(self.order(f"e{n}", "draft") for n in range(3))])}
        birth = self.any(("1980-01-01", "2021-02-03", "1950-01-01"))
        body = {
            "hook": hook,
            "hookInstance": str(uuid.UUID(int=1)),
            "context": {"userId": "Practitioner/x", "patientId": "p", **(context or {})},
            "prefetch": {key: listed(some) for key, some in lists.items()}
            | {"patient": {"resourceType": "Patient", "id": "p", "birthDate": birth}},
            "extension": {"org.fasciculation-cds": {"asOf": DAY.isoformat()}},
        }
        return json.dumps(body).encode()


def listed(resources: list[Resource]) -> Resource:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def too_long(card: Resource) -> Iterator[str]:
    """What of a card is longer than it may be."""
    above = card["detail"].split("\n\n---")[0]
    measures = {
        "characters of the summary": (len(card["summary"]), LIMIT_CHARACTERS - 1),
        "words": (len(above.split()), MOST_WORDS_ABOVE),
        "lines": (count(above), MOST_LINES_ABOVE),
        "lines in all": (count(card["detail"]), MOST_LINES),
        "characters in all": (len(card["detail"]), 8000),
    }
    for name, (found, most) in measures.items():
        if found > most:
            yield f"{found} {name}, at most {most}"


def count(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip())


@pytest.mark.parametrize(
    "hook", ["patient-view", "order-sign", "encounter-discharge", "problem-list-item-create"]
)
def test_a_card_of_a_dense_record_keeps_its_limits(hook: str) -> None:
    made = 0
    for number in range(RECORDS):
        call = Dense(number).call(hook)
        cards = EVALUATOR.hook_request(read_hook_request(call, SERVICES), assessed=False).cards
        made += len(cards)
        for card in cards:
            assert not list(too_long(card)), (number, list(too_long(card)), card["summary"], card["detail"])
    assert made > RECORDS / 4, "records without cards hold any limit"


def test_old_examinations_are_counted() -> None:
    call = Dense(1).call("patient-view")
    body = json.loads(call)
    body["prefetch"]["findings"] = listed(
        [
            observation("weakness", id=f"w{n}", valueBoolean=bool(n % 2), effectiveDateTime=as_of(n + 900))
            for n in range(2000)
        ]
    )
    body["prefetch"]["conditions"] = listed([condition("fasciculation")])
    request = read_hook_request(json.dumps(body).encode(), SERVICES)
    (card,) = EVALUATOR.hook_request(request, assessed=False).cards
    assert "and 1998 more" in card["detail"]
    assert not list(too_long(card))
