"""What a card calls a drafted medicine: as the draft writes it, else by its British name."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from fhir_mappings.record import Drug
from service.cards.text import drug_name
from tests.hooks.drafts import KNOWLEDGE
from tests.hooks.requests import cards, orders, typed

V05 = "v05"
MEDICATIONS = KNOWLEDGE.terminology.medications
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def code_of(ingredient: str) -> str:
    """A code of that ingredient alone."""
    return min(
        code
        for (system, code), hits in MEDICATIONS.codes.items()
        if "rxnorm" in system
        and {hit.name for hit in hits} == {ingredient}
        and not any(h.route for h in hits)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("salbutamol", "Salbutamol"),
        ("Salbutamol 2 mg tablets", "Salbutamol"),
        ("albuterol", "Albuterol"),
        ("Ventolin 2 mg tablet", "Ventolin"),
        ("  salbutamol\n tablets ", "Salbutamol tablets"),
    ],
)
def test_the_name_that_the_draft_writes(client: FlaskClient, text: str, expected: str) -> None:
    (card,) = cards(client, orders("order-select", V05, typed(V05, text)))
    assert re.match(f"{expected}(, if systemic,)? can cause twitching", card["summary"])


def test_a_code_alone_has_its_british_name(client: FlaskClient) -> None:
    coded = {"coding": [{"system": RXNORM, "code": code_of("albuterol")}]}
    draft = {**typed(V05, ""), "medicationCodeableConcept": coded}
    (card,) = cards(client, orders("order-select", V05, draft))
    assert card["summary"].startswith("Salbutamol")
    assert "lbuterol" not in card["summary"] + card["detail"]


def test_text_of_a_draft_is_inert_and_short(client: FlaskClient) -> None:
    text = "salbutamol <img src=x onerror=alert(1)> [a](http://x.example) " + "x" * 4000
    (card,) = cards(client, orders("order-select", V05, typed(V05, text)))
    assert "<img" not in card["summary"] + card["detail"]
    assert "](" not in card["detail"].split("\n---")[0]
    assert "xxxx" not in card["summary"]


def test_of_several_ingredients_each_has_its_own_name(client: FlaskClient) -> None:
    (card,) = cards(client, orders("order-select", V05, typed(V05, "ipratropium and torasemide")))
    assert "torasemide" in card["summary"].lower()
    assert "ipratropium and" not in card["summary"]


@pytest.mark.parametrize(("ingredient", "name"), sorted(KNOWLEDGE.wording.medicine_names.items()))
def test_a_british_name_is_a_name_of_its_ingredient(ingredient: str, name: str) -> None:
    assert ingredient in {hit.name for hit in MEDICATIONS.terms[name]}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", "salbutamol"),
        ("Salbutamol (CFC-free) 100 micrograms", "Salbutamol (CFC-free)"),
        ("24 hour salbutamol", "24 hour salbutamol"),
        ("a b c d e f", "a b c d…"),
    ],
)
def test_strength_and_form_are_left_out(written: str, expected: str) -> None:
    assert drug_name(Drug("albuterol", written=written), KNOWLEDGE.wording) == expected
