"""Sections 2, 4 and 5: what is named and shown, what self-care is built from, what an answer means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Record
from service.cards import Call, cards_of
from service.decision import decide
from service.decision.facts import facts_of
from service.knowledge import load_knowledge
from tests.knowledge.patients import drug, finding, record_of_example, result

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table


def detail(record: Record) -> str:
    (card,) = cards_of(decide(record, TABLE), KNOWLEDGE, Call("1", "https://cds.example", "Patient/p"))
    return str(card["detail"])


# In the order in which the card names them.
NAMED = (
    "diabetes",
    "diabetic-neuropathy",
    "peripheral-neuropathy",
    "chronic-kidney-disease",
    "heart-failure",
    "thyroid-disease",
    "malabsorption",
    "bariatric-surgery",
    "low-b12",
    "lumbosacral-radiculopathy",
    "nerve-root-disorder",
    "multiple-sclerosis",
    "pregnancy",
    "neuromyotonia",
    "vitamin-d-deficiency",
    "zinc-deficiency",
)


def test_the_conditions_that_are_named() -> None:
    everything = decide(record_of_example(dict.fromkeys(NAMED, "examined")), TABLE)
    assert tuple(found.id for found in everything.named) == NAMED


@pytest.mark.parametrize("condition", NAMED)
def test_a_condition_is_named_where_it_is_recorded(condition: str) -> None:
    assert [f.id for f in decide(record_of_example({condition: "examined"}), TABLE).named] == [condition]
    assert decide(record_of_example({condition: "absent"}), TABLE).named == ()


@pytest.mark.parametrize("disease", ["motor-neuron-disease", "spinal-muscular-atrophy"])
def test_a_known_disease_gives_no_card_and_a_suspected_one_is_named(disease: str) -> None:
    assert decide(record_of_example({disease: "examined"}), TABLE).gate == "known-disease"
    doubtful = {disease: finding(disease, "reported", suspected=True)}
    decision = decide(replace(record_of_example({}), findings=doubtful), TABLE)
    assert decision.open
    assert decision.suspected == (disease,)


def test_both_suspected_the_more_common_first() -> None:
    diseases = ("motor-neuron-disease", "spinal-muscular-atrophy")
    doubtful = {name: finding(name, "reported", suspected=True) for name in reversed(diseases)}
    assert decide(replace(record_of_example({}), findings=doubtful), TABLE).suspected == diseases


SIGNS = ("weakness", "atrophy", "sensory-loss", "coordination", "movement")


def test_the_signs_that_are_not_known() -> None:
    assert decide(record_of_example({}), TABLE).unknown_signs == SIGNS
    for sign in SIGNS:
        left = tuple(other for other in SIGNS if other != sign)
        for said in ("absent", "reported", "examined"):
            assert decide(record_of_example({sign: said}), TABLE).unknown_signs == left


SHOWN = (
    "potassium",
    "sodium",
    "calcium",
    "calcium-ionised",
    "magnesium",
    "tsh",
    "free-t4",
    "total-t4",
    "creatine-kinase",
    "vitamin-b12",
    "vitamin-d",
    "zinc",
    "hba1c",
    "egfr",
)


def test_the_results_that_are_shown_and_their_order() -> None:
    backwards = tuple(
        result(analyte, "in-range", 3, text=str(number))
        for number, analyte in reversed(list(enumerate(SHOWN, start=7000)))
    )
    text = detail(replace(record_of_example({}), results=backwards))
    places = [text.find(f" {number} ") for number in range(7000, 7000 + len(SHOWN))]
    assert -1 not in places
    assert places == sorted(places)


class TestSelfCare:
    @pytest.mark.parametrize(
        ("trigger", "advice"),
        [
            ("caffeine", ("caffeine",)),
            ("sleep", ("sleep",)),
            ("stress", ("stress",)),
            ("exertion", ("exertion",)),
            ("dehydration", ("fluids", "electrolyte-drink")),
            ("tobacco", ("tobacco",)),
            ("anxiety", ("rest",)),
            ("malabsorption", ("rest",)),
        ],
    )
    def test_the_advice_for_each_trigger(self, trigger: str, advice: tuple[str, ...]) -> None:
        assert self.advice({trigger: "reported"}) == advice
        assert self.advice({trigger: "examined"}) == advice
        assert self.advice({trigger: "absent"}) == ("rest",)

    def test_all_of_them_in_one_order(self) -> None:
        triggers = ("tobacco", "dehydration", "exertion", "stress", "sleep", "caffeine")
        assert self.advice(dict.fromkeys(triggers, "reported")) == (
            "caffeine",
            "sleep",
            "stress",
            "exertion",
            "fluids",
            "electrolyte-drink",
            "tobacco",
        )

    @pytest.mark.parametrize("basis", ["examined", "reported"])
    @pytest.mark.parametrize(
        ("condition", "advice"),
        [
            ("heart-failure", ("rest",)),
            ("chronic-kidney-disease", ("rest",)),
            # low sodium and any other electrolyte out of range
            ("hyponatremia", ("rest",)),
            ("hypernatremia", ("fluids",)),
            ("hypokalemia", ("fluids",)),
            ("electrolyte-imbalance", ("fluids",)),
            ("diabetes", ("fluids", "electrolyte-drink")),
            ("multiple-sclerosis", ("fluids", "electrolyte-drink")),
            ("pregnancy", ("fluids", "electrolyte-drink")),
        ],
    )
    def test_what_a_condition_forbids(self, condition: str, advice: tuple[str, ...], basis: str) -> None:
        assert self.advice({"dehydration": "reported", condition: basis}) == advice

    @pytest.mark.parametrize(
        ("analyte", "band", "advice"),
        [
            ("sodium", "low", ("rest",)),
            ("sodium", "high", ("fluids",)),
            ("potassium", "high", ("fluids",)),
            ("magnesium", "low", ("fluids",)),
            ("tsh", "high", ("fluids", "electrolyte-drink")),
            ("vitamin-b12", "low", ("fluids", "electrolyte-drink")),
        ],
    )
    def test_what_a_result_forbids(self, analyte: str, band: str, advice: tuple[str, ...]) -> None:
        assert self.advice({"dehydration": "reported"}, results=(result(analyte, band),)) == advice

    @pytest.mark.parametrize(
        ("plausible", "current", "advice"),
        [
            ("yes", True, ("fluids",)),
            # ended before today, and still thought to act
            ("yes", False, ("fluids",)),
            ("possible", False, ("fluids",)),
            # began after the twitch, and is taken today
            ("no", True, ("fluids",)),
            ("no", False, ("fluids", "electrolyte-drink")),
        ],
    )
    def test_a_potassium_sparing_diuretic(
        self, plausible: str, current: bool, advice: tuple[str, ...]
    ) -> None:
        sparing = drug("potassium-sparing-diuretic", plausible, current=current)
        assert self.advice({"dehydration": "reported"}, drugs=(sparing,)) == advice

    def test_another_diuretic_forbids_nothing_and_one_that_raises_potassium_the_drink(self) -> None:
        for name in ("thiazide-diuretic", "loop-diuretic", "ssri", "beta2-agonist-short"):
            given = self.advice({"dehydration": "reported"}, drugs=(drug(name),))
            assert given == ("fluids", "electrolyte-drink")
        pril = drug("other", "no", raises_potassium=True)
        assert self.advice({"dehydration": "reported"}, drugs=(pril,)) == ("fluids",)

    def advice(self, given: dict[str, Any], **more: Any) -> tuple[str, ...]:
        record = replace(record_of_example(given), **more)
        return tuple(advice.id for advice in decide(record, TABLE).self_care)


class TestAnswersInWords:
    """Each answer sets what a record that says so would say."""

    def sets(self, question: str, says: str) -> dict[str, str]:
        (words,) = [words for words in TABLE.words if words.id == question]
        (answer,) = [answer for answer in words.answers if answer.says == says]
        return dict(answer.sets)

    def told_by(self, record: Record, names: str) -> dict[str, str]:
        facts = facts_of(record, TABLE)
        return {name: facts[name] for name in names.split()}

    def test_what_is_asked_and_the_answers_in_their_order(self) -> None:
        assert {words.id: [answer.says for answer in words.answers] for words in TABLE.words} == {
            "onset": [
                "two weeks or less",
                "two to four weeks",
                "four weeks to three months",
                "over three months",
            ],
            "site": [
                "an eyelid only",
                "one arm, the face or the trunk",
                "one leg",
                "the tongue",
                "several regions",
            ],
            "course": [
                "stable, comes and goes",
                "continuous",
                "worsening or spreading",
                "worsening or spreading, and continuous",
            ],
            "age": ["16 or older", "younger than 16"],
        }
        assert [words.id for words in TABLE.words] == ["onset", "site", "course", "age"]

    @pytest.mark.parametrize(
        ("says", "days"),
        [
            ("two weeks or less", (1, 14)),
            ("two to four weeks", (15, 28)),
            ("four weeks to three months", (29, 90)),
            ("over three months", (91, 400)),
        ],
    )
    def test_onset(self, says: str, days: tuple[int, ...]) -> None:
        for day in days:
            record = record_of_example({"onset_days_ago": day})
            told = self.told_by(record, "lasts-long lasts-long-for-eyelid weakness-recent")
            assert self.sets("onset", says) == told

    @pytest.mark.parametrize(
        ("says", "places"),
        [
            ("an eyelid only", (["eyelid"],)),
            ("one arm, the face or the trunk", (["hand"], ["face"], ["trunk"])),
            ("one leg", (["calf"], ["thigh", "calf"])),
            ("the tongue", (["tongue"],)),
            ("several regions", (["hand", "calf"],)),
        ],
    )
    def test_site(self, says: str, places: tuple[list[str], ...]) -> None:
        for sites in places:
            told = self.told_by(
                record_of_example({"sites": sites}), "isolated-eyelid several-regions leg-site tongue-site"
            )
            assert self.sets("site", says) == told

    @pytest.mark.parametrize(
        ("says", "courses", "worse"),
        [
            ("stable, comes and goes", ["stable", "intermittent"], False),
            ("continuous", ["stable", "continuous"], False),
            ("worsening or spreading", ["worsening", "spreading", "intermittent"], True),
            ("worsening or spreading, and continuous", ["worsening", "spreading", "continuous"], True),
        ],
    )
    def test_course(self, says: str, courses: list[str], worse: bool) -> None:
        signs = {
            name: replace(finding(name, "examined"), worsening=worse) for name in ("weakness", "atrophy")
        }
        record = replace(record_of_example({"courses": courses}), findings=signs)
        names = "worsening spreading continuous weakness-worsening atrophy-worsening"
        assert self.sets("course", says) == self.told_by(record, names)

    @pytest.mark.parametrize(("says", "years"), [("16 or older", (16, 80)), ("younger than 16", (0, 15))])
    def test_age(self, says: str, years: tuple[int, ...]) -> None:
        for age in years:
            assert self.sets("age", says) == self.told_by(record_of_example({"age_years": age}), "child-age")


def test_three_questions_are_written_out_and_the_rest_named() -> None:
    record = record_of_example({})
    assert len(decide(record, TABLE).questions) > 4
    _, _, questions = detail(record).partition("would change the advice**")
    lines = [line for line in questions.partition("**")[0].splitlines() if line.startswith("- ")]
    assert ["?" in line for line in lines] == [True, True, True, False]
    assert lines[3].startswith("- Also: ")


class TestTheElectrolyteThatTheSummaryNames:
    def summary(self, *results: Any) -> str:
        decision = decide(replace(record_of_example({}), results=results), TABLE)
        (card,) = cards_of(decision, KNOWLEDGE, Call("1", "https://cds.example", "Patient/p"))
        return str(card["summary"])

    def test_the_newest(self) -> None:
        old, new = result("sodium", "low", 9), result("magnesium", "low", 1)
        assert "magnesium" in self.summary(old, new)
        assert "magnesium" in self.summary(new, old)

    def test_a_dangerous_one_before_a_newer_one(self) -> None:
        dangerous, newer = result("potassium", "critical", 2), result("magnesium", "low", 1)
        assert "potassium" in self.summary(dangerous, newer)
        assert "potassium" in self.summary(newer, dangerous)

    def test_of_one_panel_the_first_in_the_order_of_the_model(self) -> None:
        panel = [
            result(analyte, "low", 1, reference="Observation/panel")
            for analyte in ("sodium", "potassium", "calcium", "magnesium")
        ]
        while panel:
            assert panel[0].analyte in self.summary(*reversed(panel))
            panel.pop(0)
