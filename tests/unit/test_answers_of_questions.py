"""Section 5: what the answers to a question lead to, and the range of levels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Days
from service.decision import decide
from tests.knowledge.patients import days_ago, record_of_example, result
from tests.spec.records import KNOWLEDGE, observation, read
from tests.spec.records import as_of as day_of
from tests.spec.records import condition as listed
from tests.unit.asking import EXAMINED, NO_BREATHING, TABLE, asked, of


class TestRange:
    @pytest.mark.parametrize(
        ("given", "span"),
        [
            ({}, ("info", "critical")),
            (EXAMINED, ("info", "critical")),
            ({**EXAMINED, "bulbar": "absent"}, ("info", "info")),
            ({"pain": "reported"}, ("info", "critical")),
            ({"coordination": "examined", **EXAMINED, "bulbar": "absent"}, ("warning", "warning")),
            ({"bulbar": "examined"}, ("critical", "critical")),
        ],
    )
    def test_of_what_is_unknown_all_absent_and_all_present(
        self, given: dict[str, Any], span: tuple[str, str]
    ) -> None:
        assert of(given).span == span

    def test_what_is_not_of_orders_one_to_three_is_not_in_it(self) -> None:
        """Rigidity would be a warning, pain too; neither is of the range."""
        decision = of({**EXAMINED, "bulbar": "absent", **NO_BREATHING})
        assert decision.span == ("info", "info")
        assert {"rigidity", "coordination"} <= asked(decision)

    def test_a_closed_gate_has_none(self) -> None:
        assert of({"motor-neuron-disease": "listed"}).span == ("none", "none")


class TestImpossibleAnswers:
    """An answer that the record contradicts is not tried: it would ask for an emergency that cannot be."""

    def test_a_twitch_on_record_for_weeks_did_not_begin_yesterday(self) -> None:
        base = record_of_example({"sites": ["hand", "calf"], "breathing-difficulty": "reported"})
        for latest, possible in ((days_ago(20), False), (days_ago(0), True)):
            onset = Days(None, latest)
            record = replace(base, twitch=replace(base.twitch, onset=onset, first_recorded=latest))
            questions = [q for q in decide(record, TABLE).questions if q.id == "onset"]
            said = {a.says for q in questions for a in q.answers}
            assert ("at most two days ago" in said) is possible
            assert any(a.outcome.level == "critical" for q in questions for a in q.answers) is possible

    def test_a_first_record_of_this_year_is_no_onset(self) -> None:
        given = {"age_years": 70, **EXAMINED, "bulbar": "absent", "sites": ["hand"]}
        record = record_of_example(given)
        onset = Days(None, days_ago(20))
        record = replace(record, twitch=replace(record.twitch, onset=onset, first_recorded=days_ago(20)))
        (question,) = [q for q in decide(record, TABLE).questions if q.id == "onset"]
        again = {a.says: any(r.weeks for r in a.outcome.recommendations) for a in question.answers}
        assert again == {
            "two weeks to three months ago": True,
            "three months to a year ago": True,
            "over a year ago": False,
        }

    def test_a_span_that_reaches_to_today_may_be_yesterday(self) -> None:
        base = record_of_example({"sites": ["hand", "calf"], "breathing-difficulty": "reported", **EXAMINED})
        record = replace(base, twitch=replace(base.twitch, onset=Days(days_ago(100), days_ago(0))))
        (question,) = [q for q in decide(record, TABLE).questions if q.id == "onset"]
        assert {a.says: a.outcome.level for a in question.answers}["at most two days ago"] == "critical"


class TestTheNextCall:
    """An answer promises what the next call decides, with the Observation that it creates."""

    PATIENTS: tuple[tuple[dict[str, Any], ...], ...] = (
        (listed("fasciculation", onsetDateTime=day_of(20), recordedDate=day_of(10)),),
        (listed("fasciculation", onsetDateTime=day_of(5)), listed("lumbosacral-radiculopathy")),
        (
            listed("fasciculation", onsetDateTime=day_of(60), recordedDate=day_of(60)),
            observation("weakness", valueBoolean=False, effectiveDateTime=day_of(20)),
            observation("bulbar", valueBoolean=False, effectiveDateTime=day_of(20)),
        ),
        # Weakness is on a list from long before the twitch.
        (
            listed("fasciculation", onsetDateTime=day_of(20), recordedDate=day_of(20)),
            listed("weakness", recordedDate=day_of(1500)),
        ),
        # The same, and an examination since then did not find it.
        (
            listed("fasciculation", onsetDateTime=day_of(20), recordedDate=day_of(20)),
            listed("weakness", recordedDate=day_of(1500)),
            observation("weakness", valueBoolean=False, effectiveDateTime=day_of(250)),
        ),
        (
            listed("fasciculation", recordedDate=day_of(20)),
            observation("weakness", valueBoolean=True, effectiveDateTime=day_of(10)),
        ),
    )

    @pytest.mark.parametrize("patient", PATIENTS)
    def test_by_a_click(self, patient: tuple[dict[str, Any], ...]) -> None:
        decision = decide(read(*patient), KNOWLEDGE.table)
        promised = [a for q in decision.questions if not q.in_words for a in q.answers]
        assert promised
        for answer in promised:
            of_sign = KNOWLEDGE.table.asked[answer.finding].present == "examined"
            category = "exam" if of_sign else "survey"
            made = observation(answer.finding, valueBoolean=answer.present, category=category)
            made = {**made, "id": "answer", "status": "preliminary"}
            then = decide(read(*patient, made), KNOWLEDGE.table)
            assert (then.level, then.recommendations) == (
                answer.outcome.level,
                answer.outcome.recommendations,
            )


def test_calcium_is_judged_anew_beside_cramps() -> None:
    """A43: under 1.9 mmol/L it is critical with tingling or cramps."""
    for number, level in (("1.89", "critical"), ("1.9", "warning")):
        low = replace(result("calcium", number), band=result("calcium", "low").band, low=True)
        record = replace(record_of_example({}), results=(low,))
        answers = {
            (a.finding, a.present): a.outcome.level
            for q in decide(record, TABLE).questions
            for a in q.answers
            if q.id in ("cramps", "tingling")
        }
        if level == "critical":
            assert answers == {
                ("cramps", True): "critical",
                ("cramps", False): "warning",
                ("tingling", True): "critical",
                ("tingling", False): "warning",
            }
        else:
            assert answers == {}
