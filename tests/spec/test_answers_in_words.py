"""Section 5: what is asked, in which order, and what an answer in words means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_mappings.record import Days, Record
from service.decision.facts import facts_of
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, finding, record_of_example

TABLE = load_knowledge().table


class TestAnswersInWords:
    """Each answer sets what a record that says so would say."""

    def sets(self, question: str, says: str) -> dict[str, str]:
        (words,) = [words for words in TABLE.questions if words.id == question]
        (answer,) = [answer for answer in words.answers if answer.says == says]
        return dict(answer.sets)

    def by(self, record: Record, sets: dict[str, str]) -> dict[str, str]:
        facts = facts_of(record, TABLE)
        return {name: facts[name] for name in sets}

    def test_what_is_asked_in_which_order_and_when(self) -> None:
        assert [(q.order, q.id, q.findings) for q in TABLE.questions] == [
            (1, "examination", ("weakness", "atrophy", "sensory-loss")),
            (2, "bulbar", ("bulbar",)),
            (3, "weakness-start", ()),
            (4, "breathing", ("breathing-difficulty", "orthopnea")),
            (5, "onset", ()),
            (5, "site", ()),
            (5, "course", ()),
            (5, "age", ()),
            *(
                (6, name, (name,))
                for name in ("coordination", "movement", "upper-motor-sign", "rigidity", "tingling", "pain",
                             "cramps", "stiffness")
            ),
        ]  # fmt: skip
        assert {q.id for q in TABLE.questions if q.on_critical_card} == {
            "bulbar", "weakness-start", "breathing",
        }  # fmt: skip
        assert {q.id for q in TABLE.questions if q.in_range} == {"examination", "bulbar", "breathing"}
        assert {q.id for q in TABLE.questions if q.always_beside_now} == {"bulbar", "breathing"}

    def test_the_answers_in_their_order(self) -> None:
        assert {q.id: [answer.says for answer in q.answers] for q in TABLE.questions if q.answers} == {
            "weakness-start": ["within four weeks", "longer ago"],
            "onset": [
                "at most two days ago",
                "three days to two weeks ago",
                "two weeks to three months ago",
                "three months to a year ago",
                "over a year ago",
            ],
            "site": [
                "an eyelid only", "one arm", "one leg", "the face", "the trunk", "the tongue",
                "several regions",
            ],
            "course": [
                "stable, comes and goes",
                "continuous",
                "worsening or spreading",
                "worsening or spreading, and continuous",
            ],
            "age": ["younger than 5", "5 to 15", "16 to 59", "60 or older"],
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("says", "days"),
        [
            ("at most two days ago", (0, 2)),
            ("three days to two weeks ago", (3, 14)),
            ("two weeks to three months ago", (15, 90)),
            ("three months to a year ago", (91, 365)),
            ("over a year ago", (366, 4000)),
        ],
    )
    def test_onset(self, says: str, days: tuple[int, ...]) -> None:
        sets = self.sets("onset", says)
        assert len(sets) == 6
        for day in days:
            assert sets == self.by(record_of_example({"onset_days_ago": day}), sets)

    @pytest.mark.parametrize(("says", "days"), [("within four weeks", 28), ("longer ago", 29)])
    def test_start_of_weakness(self, says: str, days: int) -> None:
        weak = finding("weakness", "examined", start=Days(days_ago(days), days_ago(days)))
        sets = self.sets("weakness-start", says)
        assert sets == self.by(replace(record_of_example({}), findings={"weakness": weak}), sets)
        assert set(sets) == {"weakness-recent"}

    @pytest.mark.parametrize(
        ("says", "sites"),
        [
            ("an eyelid only", ["eyelid"]),
            ("one arm", ["hand"]),
            ("one leg", ["thigh", "calf"]),
            ("the face", ["face"]),
            ("the trunk", ["trunk"]),
            ("the tongue", ["tongue"]),
            ("several regions", ["hand", "calf"]),
        ],
    )
    def test_site(self, says: str, sites: list[str]) -> None:
        sets = self.sets("site", says)
        assert len(sets) == 6
        assert sets == self.by(record_of_example({"sites": sites}), sets)

    @pytest.mark.parametrize(
        ("says", "courses"),
        [
            ("stable, comes and goes", ["stable", "intermittent"]),
            ("continuous", ["stable", "continuous"]),
            ("worsening or spreading", ["spreading", "intermittent"]),
            ("worsening or spreading", ["worsening", "recurrent"]),
            ("worsening or spreading, and continuous", ["worsening", "continuous"]),
        ],
    )
    def test_course(self, says: str, courses: list[str]) -> None:
        sets = self.sets("course", says)
        assert set(sets) == {"getting-worse", "continuous"}
        assert sets == self.by(record_of_example({"courses": courses}), sets)

    @pytest.mark.parametrize(
        ("says", "years"),
        [("younger than 5", (0, 4)), ("5 to 15", (5, 15)), ("16 to 59", (16, 59)), ("60 or older", (60, 99))],
    )
    def test_age(self, says: str, years: tuple[int, ...]) -> None:
        sets = self.sets("age", says)
        assert set(sets) == {"child-age", "small-child", "sixty-or-older"}
        for age in years:
            assert sets == self.by(record_of_example({"age_years": age}), sets)
