"""Brands, herbs, forms and words of denial that records have beside generic names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.knowledge.test_drug_recognition import classes, read, text

INHALER = {"corticosteroid-inhaled", "beta2-agonist-long"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Fostair 100micrograms/dose inhaler", INHALER),
        ("Luforbec 100/6", INHALER),
        ("DuoResp Spiromax 160/4.5", INHALER),
        ("Flutiform 125/5", INHALER),
        ("Seretide 250 Evohaler", INHALER),
        ("Relvar Ellipta 92/22", INHALER),
        ("Reminyl XL 16mg capsules", {"other-cholinesterase-inhibitor"}),
        ("St. John's Wort 300mg", {"antidepressant-other"}),
        ("St John’s wort", {"antidepressant-other"}),
        ("Johanniskraut 900 mg", {"antidepressant-other"}),
        ("Prednisolon 5 mg Tbl.", {"corticosteroid-systemic"}),
    ],
)
def test_a_name_in_everyday_use(name: str, expected: set[str]) -> None:
    assert classes(text(name)) == expected


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("zum Einnehmen", {"corticosteroid-systemic"}),
        ("Anwendung am Auge", {"corticosteroid-topical-local"}),
        ("auf die Haut", {"corticosteroid-topical-local"}),
        ("vía oral", {"corticosteroid-systemic"}),
        ("voie orale", {"corticosteroid-systemic"}),
        ("sur la peau", {"corticosteroid-topical-local"}),
    ],
)
def test_a_route_in_words(route: str, expected: set[str]) -> None:
    assert classes(text("Prednisolon"), dosageInstruction=[{"route": {"text": route}}]) == expected


@pytest.mark.parametrize(
    "dosage",
    ["pausiert", "abgesetzt am 3.9.", "Suspendido", "Arrêté le 3/9", "1-0-0, abgesetzt", "seponeret"],
)
def test_a_dosage_that_denies_it(dosage: str) -> None:
    taken: list[dict[str, Any]] = [{"text": dosage}]
    assert read(text("Furosemid"), dosageInstruction=taken) == ()


@pytest.mark.parametrize("use", ["bei Allergie", "mod allergi", "contre l'allergie", "for allergic rhinitis"])
def test_what_it_is_for_denies_nothing(use: str) -> None:
    assert [drug.name for drug in read(text(f"Prednisolon {use}"))] == ["prednisolone"]


@pytest.mark.parametrize(
    "name", ["FUROSEM\u0130D 40", "Furo\u00adsemid", "FUROSE\u0301MIDE", "furosemid\u200b"]
)
def test_signs_that_are_not_seen(name: str) -> None:
    assert [drug.name for drug in read(text(name))] == ["furosemide"]
