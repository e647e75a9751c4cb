"""Draft studies: a truth table over examination, sign, family and the rows that fire."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from fhir_mappings.record import Study
from tests.hooks.drafts import NORMAL, TABLE, above, calm, draft_cards, order, patient, pending, remarks
from tests.knowledge.patients import days_ago

STUDIES = ("emg", "ncs", "mri-brain", "mri-spine")
UNSUPPORTED, EXAMINE, SILENT = "unsupported", "examine first", "silent"


def verdict(record: Any, study: str) -> str:
    found = remarks(record, order(study))
    if not found:
        return SILENT
    (remark,) = found
    assert bool(remark.unsupported) != bool(remark.examine_first)
    return UNSUPPORTED if remark.unsupported else EXAMINE


EXAMINATIONS: dict[str, dict[str, str]] = {
    "normal": NORMAL,
    "not examined": {},
    "one sign not examined": {"weakness": "absent", "atrophy": "absent"},
}
# What supports a study: each alone makes the card silent, whatever the examination says.
SUPPORT: dict[str, dict[str, Any]] = {
    "coordination examined": {"coordination": "examined"},
    "coordination reported": {"coordination": "reported"},
    "difficulty walking": {"movement": "reported"},
    "upper motor sign": {"upper-motor-sign": "examined"},
    "upper motor sign reported": {"upper-motor-sign": "reported"},
    "rigidity": {"rigidity": "examined"},
    "bulbar": {"bulbar": "reported"},
    "tongue": {"sites": ["tongue"]},
    "family": {"family-neurological": "reported"},
    "polyneuropathy": {"peripheral-neuropathy": "listed"},
    "root irritation with a leg site": {"lumbosacral-radiculopathy": "listed", "sites": ["calf"]},
    "carpal tunnel with an arm site": {"arm-nerve": "listed", "sites": ["hand"]},
    "hyperexcitability": {"cramps": "reported", "sites": ["hand", "calf"], "courses": ["continuous"]},
}
# A neighbour of what supports it does not.
NO_SUPPORT: dict[str, dict[str, Any]] = {
    "nothing": {},
    "20 days": {"onset_days_ago": 20},
    "widespread": {"sites": ["hand", "calf"]},
    "tingling": {"tingling": "reported"},
    "cramps": {"cramps": "reported"},
    "anxiety": {"anxiety": "listed"},
    "root irritation with an arm site": {"lumbosacral-radiculopathy": "listed", "sites": ["hand"]},
    "carpal tunnel with a leg site": {"arm-nerve": "listed", "sites": ["calf"]},
    "no family history": {"family-neurological": "absent"},
    "no bulbar sign": {"bulbar": "absent"},
}


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize(("examined", "support"), list(product(EXAMINATIONS, SUPPORT)))
def test_what_supports_a_study_is_silent(study: str, examined: str, support: str) -> None:
    given = {"sites": ["thigh"], **EXAMINATIONS[examined], **SUPPORT[support]}
    assert verdict(patient(**given), study) == SILENT


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize(("examined", "support"), list(product(EXAMINATIONS, NO_SUPPORT)))
def test_what_does_not_depends_on_the_examination(study: str, examined: str, support: str) -> None:
    given = {"sites": ["thigh"], **EXAMINATIONS[examined], **NO_SUPPORT[support]}
    expected = UNSUPPORTED if examined == "normal" else EXAMINE
    assert verdict(patient(**given), study) == expected


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("basis", ["examined", "listed", "reported"])
@pytest.mark.parametrize("sign", ["weakness", "atrophy", "sensory-loss"])
def test_a_sign_on_any_basis_is_silent(sign: str, basis: str, study: str) -> None:
    assert verdict(patient(**{sign: basis}), study) == SILENT


def test_examine_first_names_only_what_is_missing() -> None:
    (card,) = draft_cards(patient(weakness="absent", atrophy="absent", sites=["thigh"]), order("emg"))
    assert "sensation" in card["summary"]
    assert "strength" not in card["summary"]
    assert above(card)[0].startswith("1. Examine first")


def test_an_eyelid_that_nobody_examined_is_examined_first() -> None:
    assert verdict(patient(sites=["eyelid"]), "emg") == EXAMINE
    assert verdict(calm(sites=["eyelid"]), "emg") == UNSUPPORTED


@pytest.mark.parametrize(("age", "child"), [(15, True), (16, False)])
def test_a_study_of_a_child_is_for_the_paediatric_team(age: int, child: bool) -> None:
    (remark,) = remarks(calm(age_years=age), order("emg"))
    assert bool(remark.child) is child
    assert bool(remark.unsupported) is not child


def test_a_child_to_be_referred_today_is_referred_first() -> None:
    (card,) = draft_cards(patient(age_years=10, weakness="examined"), order("emg"))
    assert card["indicator"] == "critical"
    assert "paediatric" in above(card)[0]


@pytest.mark.parametrize(("days", "said"), [(365, True), (366, False)])
def test_a_study_that_is_pending(days: int, said: bool) -> None:
    record = pending(patient(atrophy="examined"), "emg", days)
    found = remarks(record, order("emg"))
    assert [w.why for one in found for w in one.answered] == (["ordered"] if said else [])


@pytest.mark.parametrize(("days", "done"), [(180, True), (181, False)])
def test_a_study_that_nothing_supports_and_that_was_done(days: int, done: bool) -> None:
    record = replace(calm(), studies=(Study("emg", days_ago(days), "Procedure/emg"),))
    (remark,) = remarks(record, order("emg"))
    assert (bool(remark.answered), bool(remark.unsupported)) == (done, not done)


def test_a_study_that_nothing_supports_and_that_is_pending() -> None:
    (remark,) = remarks(pending(calm(), "emg", 5), order("emg"))
    assert [w.why for w in remark.answered] == ["ordered"]


def test_imaging_of_another_part_is_no_duplicate() -> None:
    record = pending(patient(coordination="examined"), "mri-brain", 5)
    assert remarks(record, order("mri-brain"))
    assert remarks(record, order("mri-spine")) == ()


def test_two_studies_in_one_draft_are_one_card() -> None:
    (card,) = draft_cards(calm(), order("emg", "ncs"))
    assert card["summary"].startswith("Nerve conduction, EMG: ")


def test_the_rows_that_support_studies_say_so_themselves() -> None:
    assert sum(row.supports_studies for row in TABLE.rows) >= 5
