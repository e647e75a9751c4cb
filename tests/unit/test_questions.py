"""Section 5: which questions stand on a card, and which are asked at all events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from fhir_mappings.record import Basis, Days, Evidence, Finding, Record, Status
from service.decision import decide
from tests.knowledge.patients import days_ago, record_of_example
from tests.unit.asking import EXAMINED, NO_BREATHING, TABLE, asked, of, on_card


class TestExamination:
    def test_what_is_not_examined_is_one_question(self) -> None:
        (question,) = [q for q in of({"weakness": "absent"}).questions if q.id == "examination"]
        assert question.findings == ("atrophy", "sensory-loss")
        assert [(a.finding, a.present) for a in question.answers] == [
            ("atrophy", True),
            ("atrophy", False),
            ("sensory-loss", True),
            ("sensory-loss", False),
        ]
        assert question.on_card

    def test_absent_by_report_is_not_examined(self) -> None:
        given = {**EXAMINED, "atrophy": "absent-not-examined"}
        (question,) = [q for q in of(given).questions if q.id == "examination"]
        assert question.findings == ("atrophy",)
        assert "examination" not in on_card(of(EXAMINED))

    def test_not_on_a_critical_card(self) -> None:
        assert "examination" not in on_card(of({"bulbar": "examined"}))


class TestBulbar:
    @pytest.mark.parametrize(
        ("given", "stands"),
        [
            ({}, False),
            ({"onset_days_ago": 14, "sites": ["hand"]}, False),
            ({"onset_days_ago": 15, "sites": ["hand"]}, True),
            ({"onset_days_ago": 15, "sites": ["eyelid"]}, False),
            ({"courses": ["worsening"], "sites": ["eyelid"]}, False),
            ({"courses": ["worsening"]}, True),
            ({"sites": ["hand", "calf"]}, True),
            ({"atrophy": "reported"}, True),
            ({"weakness": "listed"}, True),
            ({"weakness": "absent", "sensory-loss": "examined"}, False),
            ({"atrophy": "absent", "weakness": "absent"}, False),
            ({"weakness": "examined", "bulbar": "absent"}, False),
        ],
    )
    def test_when_it_stands_on_a_card(self, given: dict[str, Any], stands: bool) -> None:
        decision = of(given)
        assert ("bulbar" in on_card(decision)) is stands
        if given.get("bulbar") != "absent":
            assert "bulbar" in asked(decision)


class TestBreathing:
    @pytest.mark.parametrize(
        ("given", "stands"),
        [
            ({}, False),
            ({"sensory-loss": "examined", "courses": ["worsening"]}, False),
            ({"weakness": "reported"}, True),
            ({"atrophy": "listed"}, True),
            ({"bulbar": "reported"}, True),
            ({"sites": ["tongue"]}, True),
            ({"weakness": "examined", **NO_BREATHING}, False),
        ],
    )
    def test_only_with_weakness_wasting_or_a_bulbar_sign(self, given: dict[str, Any], stands: bool) -> None:
        assert ("breathing" in on_card(of(given))) is stands


class TestStart:
    """The start of a weakness, in words."""

    @pytest.mark.parametrize(("onset", "stands"), [(None, True), (20, False), (200, True)])
    def test_where_it_is_not_known(self, onset: int | None, stands: bool) -> None:
        given: dict[str, Any] = {"weakness": "examined"} | ({"onset_days_ago": onset} if onset else {})
        assert ("weakness-start" in on_card(of(given))) is stands

    def test_its_answers(self) -> None:
        (question,) = [q for q in of({"weakness": "examined"}).questions if q.id == "weakness-start"]
        assert [(a.says, a.outcome.level) for a in question.answers] == [
            ("within four weeks", "critical"),
            ("longer ago", "warning"),
        ]
        assert question.in_words

    def test_not_of_a_weakness_known_to_settle(self) -> None:
        record = record_of_example({"weakness": "examined"})
        weak = replace(record.findings["weakness"], worsening=False)
        decision = decide(replace(record, findings={"weakness": weak}), TABLE)
        assert "weakness-start" not in asked(decision)


class TestNever:
    """Orders of the last rank stand in the assessment alone."""

    def test_on_a_card(self) -> None:
        for given in ({}, {"onset_days_ago": 3}, EXAMINED, {**EXAMINED, "onset_days_ago": 3}):
            decision = of(given)
            rest = {"coordination", "movement", "upper-motor-sign", "rigidity", "tingling", "pain", "cramps"}
            assert not rest & set(on_card(decision))
        assert {"coordination", "upper-motor-sign", "rigidity", "pain"} <= asked(of(EXAMINED))


def old_record(name: str, day: int) -> Finding:
    """Nothing counts any more, but a record says that it was there."""
    evidence = Evidence(
        f"Condition/{name}", "Condition.code", name, Status.PRESENT, Basis.LISTED, days_ago(day), False, True
    )
    return Finding(name, evidence=(evidence,))


def with_old(given: dict[str, Any], *names: str) -> Record:
    record = record_of_example(given)
    old = {name: old_record(name, 1500) for name in names}
    return replace(record, findings={**record.findings, **old})


class TestOldSigns:
    @pytest.mark.parametrize("name", ["weakness", "bulbar", "coordination", "cramps"])
    def test_it_stands_on_the_card_and_names_the_record(self, name: str) -> None:
        given: dict[str, Any] = {} if name == "weakness" else EXAMINED
        decision = decide(with_old({**given, "onset_days_ago": 3}, name), TABLE)
        (question,) = [q for q in decision.questions if q.old]
        assert question.on_card
        assert question.findings == (name,)
        assert question.old is not None
        assert question.old.reference == f"Condition/{name}"

    def test_it_keeps_its_place_though_three_others_come_before(self) -> None:
        """ "Whatever its order", and at most three: it takes the place of the last of them."""
        given = {"sites": ["hand", "calf"], "atrophy": "reported"}
        assert on_card(of(given)) == ["examination", "bulbar", "breathing"]
        decision = decide(with_old(given, "coordination"), TABLE)
        assert on_card(decision) == ["examination", "bulbar", "coordination"]

    def test_not_on_a_critical_card_unless_of_order_two_or_three(self) -> None:
        critical = {"bulbar": "examined", "sites": ["hand"], "onset_days_ago": 100}
        decision = decide(with_old(critical, "orthopnea", "coordination", "atrophy"), TABLE)
        assert decision.level == "critical"
        assert {q.id for q in decision.questions if q.old} == {"orthopnea", "coordination", "atrophy"}
        assert [q.id for q in decision.questions if q.old and q.on_card] == ["orthopnea"]


class TestThree:
    def test_at_most_three_in_their_order(self) -> None:
        decision = of({"weakness": "examined", "sites": ["hand", "calf"]})
        assert on_card(decision) == ["examination", "bulbar", "weakness-start"]
        further = {q.id for q in decision.questions if not q.on_card}
        assert {"breathing", "course", "coordination"} <= further

    def test_what_is_asked_in_one_line_counts_as_one(self) -> None:
        assert on_card(of({})) == ["examination", "onset", "site", "course"]
        ageless = record_of_example({"sensory-loss": "examined"})
        ageless = replace(ageless, patient=replace(ageless.patient, born=Days()))
        words = [q.id for q in decide(ageless, TABLE).questions if q.on_card and q.order == 5]
        assert words == ["onset", "site", "course", "age"]

    def test_on_a_critical_card_only_orders_two_to_three(self) -> None:
        decision = of({"weakness": "examined", "courses": ["worsening"]})
        assert decision.level == "critical"
        assert {"sensory-loss", "coordination"} <= asked(decision)
        assert on_card(decision) == ["weakness-start", "breathing"]


class TestForced:
    RAPID: ClassVar = {"onset_days_ago": 5, "weakness": "examined"}

    def test_beside_a_referral_of_today_that_rests_on_weakness(self) -> None:
        decision = of(self.RAPID)
        forced = {q.id: q.findings for q in decision.questions if q.forced}
        assert forced == {"bulbar": ("bulbar",), "breathing": ("breathing-difficulty", "orthopnea")}
        assert on_card(decision) == ["bulbar", "breathing"]

    def test_it_does_not_ask_what_is_known(self) -> None:
        decision = of({**self.RAPID, "bulbar": "absent", **NO_BREATHING})
        assert not [q for q in decision.questions if q.forced]

    @pytest.mark.parametrize(
        "given",
        [
            {"onset_days_ago": 60, "weakness": "examined", "courses": ["worsening"]},
            {"atrophy": "examined", "orthopnea": "reported"},
            {"age_years": 8, "movement": "reported"},
            {"weakness": "examined"},
        ],
    )
    def test_only_there(self, given: dict[str, Any]) -> None:
        assert not [q for q in of(given).questions if q.forced]


class TestNothing:
    @pytest.mark.parametrize(
        "given",
        [
            {"results": {"potassium": "critical"}},
            {"results": {"creatine-kinase": "critical"}},
            {"results": {"lithium": "critical"}},
            {"alcohol-withdrawal": "listed"},
            {"cholinergic-poisoning": "listed"},
        ],
    )
    def test_is_asked_on_a_card_of_results_poisoning_or_withdrawal(self, given: dict[str, Any]) -> None:
        weak = {**given, "weakness": "reported", "onset_days_ago": 60}
        for patient in (given, weak):
            decision = of(patient)
            assert decision.level == "critical"
            assert on_card(decision) == []
        other = of({**weak, "weakness": "examined", "atrophy": "examined"})
        assert "breathing" in on_card(other)
