"""An urgent action that nothing orders is the first line of every card, or a card of its own."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Draft, Drug, Order, Record
from service.cards.parts import MOST_LINES_ABOVE, MOST_WORDS_ABOVE
from service.decision import decide
from tests.hooks.drafts import (
    TABLE,
    above,
    calm,
    cards,
    draft_cards,
    line,
    medicine,
    order,
    patient,
    pending,
    results,
)
from tests.knowledge.patients import days_ago, record_of_example

# name -> (patient, words of the first line, an order that covers it)
URGENT: dict[str, tuple[Record, str, Order]] = {
    "urgent referral": (
        patient(weakness="examined", atrophy="examined", sites=["hand"]),
        "Refer to neurology, urgent",
        Order(frozenset({"neurology-referral"}), days_ago(3), "urgent", reference="ServiceRequest/r"),
    ),
    "referral of a child today": (
        patient(weakness="examined", age_years=7),
        "Refer to the paediatric team today",
        Order(frozenset({"neurology-referral"}), days_ago(0), "stat", reference="ServiceRequest/r"),
    ),
    "bulbar": (
        patient(bulbar="reported"),
        "Refer to neurology, urgent",
        Order(frozenset({"neurology-referral"}), days_ago(3), "asap", reference="ServiceRequest/r"),
    ),
}
EMERGENCY = patient(**{"cauda-equina": "listed", "sites": ["calf"]})
EACH = pytest.mark.parametrize("name", URGENT)
PARACETAMOL = Draft("MedicationRequest/p", drugs=(Drug("paracetamol"),))
# Every card of every hook, by what the context brings.
DRAFTS = {
    "a medicine of the table": (medicine("ssri"),),
    "another medicine": (PARACETAMOL,),
    "a blood test": (order("potassium"),),
    "another test": (order(),),
    "several": (medicine("loop-diuretic"), medicine("ssri", name="b"), order("mri-brain")),
    "no draft": (),
}


@EACH
@pytest.mark.parametrize("drafted", DRAFTS)
def test_it_leads_every_card_of_the_order_hooks(name: str, drafted: str) -> None:
    record, words, _ = URGENT[name]
    found = draft_cards(record, *DRAFTS[drafted])
    assert found
    for card in found:
        assert card["indicator"] == "critical"
        assert line(card, 1).startswith(words)


@EACH
@pytest.mark.parametrize("drafted", DRAFTS)
def test_once_it_is_ordered_it_leads_none(name: str, drafted: str) -> None:
    record, words, made = URGENT[name]
    for card in draft_cards(replace(record, orders=(made,)), *DRAFTS[drafted]):
        assert words not in "\n".join(above(card))
        assert card["indicator"] != "critical"


@EACH
def test_an_order_of_too_low_a_priority_does_not_cover_it(name: str) -> None:
    record, words, made = URGENT[name]
    (card,) = draft_cards(replace(record, orders=(replace(made, priority="routine"),)), PARACETAMOL)
    assert line(card, 1).startswith(words)


@EACH
def test_it_leads_the_discharge_card(name: str) -> None:
    record, words, made = URGENT[name]
    (card,) = cards("open-ends", pending(record, "tsh", 3))
    assert line(card, 1).startswith(words)
    for other in cards("open-ends", replace(record, orders=(made,))):
        assert words not in "\n".join(above(other))


@EACH
def test_it_is_a_card_of_its_own_where_a_new_problem_changes_nothing(name: str) -> None:
    record, _, made = URGENT[name]
    (card,) = cards("new-problem", record)
    assert card["indicator"] == "critical"
    assert cards("new-problem", replace(record, orders=(made,))) == []


@pytest.mark.parametrize("kind", ["work-up", "drafts", "new-problem", "open-ends"])
def test_an_emergency_leads_every_hook(kind: str) -> None:
    (card,) = cards(kind, EMERGENCY)
    assert card["indicator"] == "critical"
    assert "emergency" in above(card)[0].lower()


def test_without_one_an_order_of_no_matter_is_silent() -> None:
    assert draft_cards(calm(), PARACETAMOL) == []
    assert cards("new-problem", calm()) == []


def test_a_critical_result_leads_until_it_is_repeated_today() -> None:
    record = results(calm(), 0, "potassium", said="critical")
    (card,) = draft_cards(record, PARACETAMOL)
    assert "otassium" in above(card)[0]
    stat = Order(frozenset({"electrolytes"}), days_ago(0), "stat", reference="ServiceRequest/e")
    assert decide(replace(record, orders=(stat,)), TABLE).level != "critical"
    # Its line stays on a card, but it is no card of its own.
    assert draft_cards(replace(record, orders=(stat,)), PARACETAMOL) == []
    (kept,) = draft_cards(replace(record, orders=(stat,)), medicine("ssri"))
    assert "otassium" in above(kept)[0]


def labels(card: dict[str, Any]) -> list[str]:
    return [suggestion["label"] for suggestion in card.get("suggestions", ())]


def test_one_click_on_one_card_of_the_call_orders_it() -> None:
    record, _, _ = URGENT["bulbar"]
    first, second = draft_cards(record, medicine("ssri"), medicine("cns-stimulant", name="b"))
    assert any("neurology" in label for label in labels(first))
    assert not any("neurology" in label for label in labels(second))


def test_any_draft_in_the_record_of_any_example_keeps_the_limits() -> None:
    chance = random.Random(11)
    classes = sorted({name for row in TABLE.rows for name in row.drug_classes})
    tests = sorted({t for a in TABLE.actions.values() for t in (a.id, *a.analytes, *a.studies)})
    found = 0
    for row in TABLE.rows:
        for example in row.examples:
            drafts = (
                medicine(*chance.sample(classes, 2), name="a"),
                order(*chance.sample(tests, 3), name="b"),
                order(*chance.sample(tests, 1), name="c", priority="stat"),
            )
            for card in draft_cards(record_of_example(example.given), *drafts):
                found += 1
                assert 0 < len(card["summary"]) < 140
                assert len(above(card)) <= MOST_LINES_ABOVE
                assert sum(len(text.split()) for text in above(card)) <= MOST_WORDS_ABOVE
                if card["indicator"] == "critical":
                    assert above(card)[0].startswith("1. **")
    assert found > 100
