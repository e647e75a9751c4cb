"""The summary of every card fits, whatever is drafted and however long its names are."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Draft, Drug, Record, Result, Study
from service.cards import Call, Situation, cards_to
from service.cards.summary import SummaryTooLong, fitting
from service.decision import decide
from service.knowledge import load_knowledge
from tests.hooks.test_remarks import CLASSES, ELECTROLYTES, medicine, order, patient, pending, with_drafts
from tests.knowledge.patients import days_ago, drug, record_of_example, result

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
CALL = Call("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "https://cds.example", "Patient/p", "e1")
TESTS = sorted({*TABLE.actions, *(t for a in TABLE.actions.values() for t in (*a.analytes, *a.studies))})
RECORDS = [record_of_example(example.given) for row in TABLE.rows for example in row.examples]


def cards(kind: str, record: Record) -> list[dict[str, Any]]:
    decision = decide(record, TABLE)
    return cards_to(kind, Situation(decision, lambda: decision, KNOWLEDGE, CALL))


def on_file(record: Record, *said: tuple[str, str]) -> Record:
    found = [result(analyte, band, 1, text="1234567.8901") for analyte, band in said]
    return replace(record, results=tuple(replace(one, unit="mmol/L/1.73m2") for one in found))


def test_every_pair_of_classes_in_one_medicine_fits() -> None:
    worst = on_file(patient(), *((a, "critical") for a in TABLE.electrolytes))
    for record in (patient(), worst):
        for one in CLASSES:
            for other in CLASSES:
                (card,) = cards("drafts", with_drafts(record, medicine(one, other)))
                assert len(card["summary"]) < 140


@pytest.mark.parametrize("length", [1, 60, 139, 200, 100_000])
def test_a_name_of_any_length_fits(length: int) -> None:
    drug = Drug("x" * length, frozenset(CLASSES))
    (card,) = cards("drafts", with_drafts(patient(), Draft("MedicationRequest/rx", drugs=(drug,))))
    assert len(card["summary"]) < 140


@pytest.mark.parametrize("record", [patient(), patient(age_years=10), patient(weakness="reported")])
def test_an_order_for_everything_fits(record: Record) -> None:
    analytes = [test for test in TESTS if test in KNOWLEDGE.terminology.analytes]
    for base in (record, on_file(record, *((analyte, "in-range") for analyte in analytes))):
        waiting = base
        for number, test in enumerate(TESTS):
            waiting = pending(waiting, test, number)
        for one in (base, waiting):
            for card in cards("drafts", with_drafts(one, order(*TESTS))):
                assert len(card["summary"]) < 140


def labels(card: dict[str, Any]) -> list[str]:
    return [suggestion["label"] for suggestion in card.get("suggestions", ())]


def test_the_card_that_does_not_suggest_says_where() -> None:
    record = patient(onset_days_ago=15, sites=["thigh"])
    drug, blood = cards(
        "drafts", with_drafts(record, medicine("loop-diuretic"), order("potassium", name="blood"))
    )
    assert (labels(drug), labels(blood)) == ([], ["Order sodium, calcium, magnesium"])
    assert "Suggested on another card: sodium, calcium, magnesium." in drug["detail"]
    assert "on another card" not in blood["detail"]


def test_a_medicine_that_is_taken_already_is_not_kept_back() -> None:
    new = with_drafts(patient(), medicine("corticosteroid-systemic"))
    (begun,) = cards("drafts", new)
    (renewed,) = cards("drafts", replace(new, drugs=(drug("corticosteroid-systemic"),)))
    (ended,) = cards("drafts", replace(new, drugs=(replace(drug("corticosteroid-systemic"), current=False),)))
    assert [" first" in card["summary"] for card in (begun, renewed, ended)] == [True, False, True]
    assert ["Before it" in card["detail"] for card in (begun, renewed, ended)] == [True, False, True]
    assert ["after it is begun" in card["detail"] for card in (begun, renewed, ended)] == [True, False, True]


def test_a_dangerous_value_waits_for_no_order_of_tests() -> None:
    record = on_file(patient(), ("potassium", "critical"))
    (card,) = cards("drafts", with_drafts(record, medicine("loop-diuretic")))
    assert "today" in card["summary"]
    assert " first" not in card["summary"]
    assert card["detail"].splitlines()[2].startswith("- A dangerous electrolyte value")


@pytest.mark.parametrize(("low", "said"), [(True, "low"), (False, "high"), (None, "out of range")])
def test_a_summary_says_which_way_a_value_is_out_of_range(low: bool | None, said: str) -> None:
    record = replace(patient(), results=(replace(result("potassium", "out-of-range", 1), low=low),))
    (card,) = cards("drafts", with_drafts(record, medicine("loop-diuretic")))
    assert f"; potassium {said};" in card["summary"]


@pytest.mark.parametrize(("route_unknown", "said"), [(True, ", if systemic,"), (False, " is linked to")])
def test_a_route_that_nobody_wrote_is_said_in_the_summary(route_unknown: bool, said: str) -> None:
    drug = Drug("hydrocortisone", frozenset({"corticosteroid-systemic"}), route_unknown=route_unknown)
    (card,) = cards("drafts", with_drafts(patient(), Draft("MedicationRequest/rx", drugs=(drug,))))
    assert card["summary"].startswith(f"Hydrocortisone{said}")


def test_only_what_would_support_a_study_is_asked_about_it() -> None:
    (card,) = cards("drafts", with_drafts(patient(), order("emg")))
    asked = {label.partition(":")[0] for label in labels(card)}
    assert asked == {"Weakness", "Muscle wasting", "Sensory loss or numbness"}


def _any_draft(chance: random.Random, name: str) -> Draft:
    if chance.random() < 0.5:
        return medicine(*chance.sample(CLASSES, chance.randint(1, 3)), name=name)
    tests = chance.sample(TESTS, chance.randint(1, 6))
    return order(*tests, name=name, priority=chance.choice([None, "stat"]))


def test_any_order_in_any_record_fits() -> None:
    chance = random.Random(11)
    spoken = 0
    for _ in range(300):
        record = chance.choice(RECORDS)
        drafts = [_any_draft(chance, str(number)) for number in range(3)]
        found = cards("drafts", with_drafts(record, *drafts))
        spoken += len(found)
        assert all(0 < len(card["summary"]) < 140 for card in found)
        assert len({card["uuid"] for card in found}) == len(found)
    assert spoken > 300


@pytest.mark.parametrize("record", RECORDS)
def test_every_discharge_fits(record: Record) -> None:
    for test in TESTS:
        record = pending(record, test, 3)
    for card in cards("open-ends", record):
        assert 0 < len(card["summary"]) < 140
        assert card["indicator"] == decide(record, TABLE).level


def test_a_discharge_with_nothing_open_is_silent() -> None:
    said = {asked.id: "absent" for asked in TABLE.asked}
    nothing = patient(**said, onset_days_ago=5, sites=["eyelid"], courses=["stable"])
    assert decide(nothing, TABLE).questions == ()
    assert cards("open-ends", nothing) == []
    assert cards("open-ends", pending(nothing, "tsh", 90)) != []
    assert cards("open-ends", pending(nothing, "tsh", 91)) == []
    (card,) = cards("open-ends", patient(**{**said, "weakness": "examined"}, onset_days_ago=5))
    assert "EMG" in card["summary"]


SETTLED = {asked.id: "absent" for asked in TABLE.asked} | {
    "onset_days_ago": 5,
    "sites": ["eyelid"],
    "courses": ["stable"],
}


def without(*names: str, **more: Any) -> Record:
    """A patient of whom everything is known but those, and `more` besides."""
    return patient(**{name: said for name, said in SETTLED.items() if name not in names} | more)


@pytest.mark.parametrize(
    "left_open",
    [
        ("orthopnea",),
        ("tingling",),
        ("cramps", "pain", "tingling", "orthopnea", "breathing-difficulty"),
    ],
)
def test_a_discharge_is_silent_about_symptoms_alone(left_open: tuple[str, ...]) -> None:
    record = without(*left_open)
    assert {question.id for question in decide(record, TABLE).questions} & set(left_open)
    assert cards("open-ends", record) == []


@pytest.mark.parametrize(
    "left_open", ["weakness", "atrophy", "sensory-loss", "coordination", "movement", "bulbar"]
)
def test_a_discharge_names_what_nobody_examined(left_open: str) -> None:
    (card,) = cards("open-ends", without(left_open))
    assert f"not recorded: {KNOWLEDGE.terminology.findings[left_open].label}" in card["summary"]


@pytest.mark.parametrize(
    ("left_open", "name"), [("onset_days_ago", "onset"), ("sites", "site"), ("courses", "course")]
)
def test_a_discharge_asks_of_the_twitch_what_could_raise_the_level(left_open: str, name: str) -> None:
    (card,) = cards("open-ends", without(left_open))
    assert f"not recorded: {name}" in card["summary"]


def test_a_discharge_asks_no_more_of_the_twitch_where_the_level_is_as_high_already() -> None:
    # The electrolytes that tingling asks for are done: an onset could add TSH and raise nothing.
    record = on_file(without("onset_days_ago", tingling="reported"), *((a, "in-range") for a in ELECTROLYTES))
    assert decide(record, TABLE).level == "warning"
    assert {question.id for question in decide(record, TABLE).questions} == {"onset"}
    assert cards("open-ends", record) == []


def test_a_discharge_asks_after_breathing_beside_a_sign() -> None:
    record = without("orthopnea", "breathing-difficulty", weakness="examined")
    done = on_file(record, *((analyte, "in-range") for analyte in (*ELECTROLYTES, "tsh")))
    studied = replace(done, studies=tuple(Study(name, days_ago(0), f"P/{name}") for name in ("emg", "ncs")))
    assert decide(studied, TABLE).recommendations == ()
    (card,) = cards("open-ends", studied)
    assert card["summary"] == (
        "Twitching at discharge; not recorded: breathing difficulty, breathlessness lying flat, course."
    )


def test_a_discharge_that_speaks_names_the_other_questions_in_its_detail_alone() -> None:
    (card,) = cards("open-ends", pending(without("orthopnea"), "tsh", 5))
    assert card["summary"] == "Twitching at discharge; pending: TSH."
    assert "breathless lying flat" in card["detail"]


def test_a_discharge_names_a_result_to_act_on() -> None:
    said = {asked.id: "absent" for asked in TABLE.asked}
    base = patient(**said, onset_days_ago=5, sites=["eyelid"], courses=["stable"])
    acting: tuple[Result, ...] = (result("tsh", "out-of-range", 20),)
    (card,) = cards("open-ends", replace(base, results=acting))
    assert "act on TSH" in card["summary"]
    assert f"out of range {days_ago(20)}" in card["detail"]


def test_a_form_that_never_fits_is_an_error() -> None:
    with pytest.raises(SummaryTooLong):
        fitting([("x" * 200, "y" * 139)])


def test_the_last_parts_are_shortened_first_and_left_out_last() -> None:
    long, short = "a" * 100, "a"
    assert fitting([(long, short), (long, short)]) == f"A{'a' * 99}; a."
    assert fitting([("a" * 100,), ("b" * 100,)]) == f"A{'a' * 99}."
    assert fitting([("found",), (), ("", "")]) == "Found."


def test_what_could_not_be_judged_is_not_called_absent() -> None:
    record = on_file(patient(), ("potassium", "not-judged"))
    (card,) = cards("drafts", with_drafts(record, medicine("loop-diuretic")))
    assert "Could not be judged, so to be repeated: potassium." in card["detail"]
    assert "not ordered: sodium, calcium, magnesium." in card["detail"]
