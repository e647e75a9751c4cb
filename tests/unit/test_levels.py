"""Section 4 and the level: what lowers it, and what must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Days, Order
from service.decision import decide
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.removed import ELECTROLYTES, NORMAL, TABLE, an_order, in_range, missing, patient, recommended


class TestInHand:
    """An order for today of the analyte, made since its critical result, counts for the level only."""

    @staticmethod
    def level(days: int, order_days: int, priority: str | None, test: str = "potassium") -> str:
        others = Order(frozenset({"sodium", "calcium", "magnesium"}), days_ago(0), "stat")
        ordered = [an_order(test, order_days, priority), others]
        record = replace(patient(), results=(result("potassium", "critical", days),), orders=tuple(ordered))
        decision = decide(record, TABLE)
        assert "act-on-result" in {r.id for r in decision.recommendations}
        return decision.level

    @pytest.mark.parametrize(
        ("order_days", "priority", "expected"),
        [
            (3, "stat", "warning"),
            (3, "asap", "warning"),
            (2, "stat", "warning"),
            (4, "stat", "critical"),
            (3, "urgent", "critical"),
            (3, "routine", "critical"),
            (3, None, "critical"),
        ],
    )
    def test_by_day_and_priority(self, order_days: int, priority: str | None, expected: str) -> None:
        assert self.level(3, order_days, priority) == expected

    def test_an_order_of_another_analyte_does_not_count(self) -> None:
        assert self.level(3, 3, "stat", "tsh") == "critical"

    def test_it_has_to_be_known_to_be_later(self) -> None:
        """The safer reading: an order for an undated result may be older than it."""
        undated = replace(result("potassium", "critical"), day=None)
        order = Order(frozenset(ELECTROLYTES), days_ago(80), "stat")
        record = replace(patient(), results=(undated,), orders=(order,))
        assert decide(record, TABLE).level == "critical"

    def test_every_critical_result_needs_one(self) -> None:
        orders: tuple[Order, ...] = (Order(frozenset(ELECTROLYTES), days_ago(0), "stat"),)
        results = (result("potassium", "critical", 1), result("creatine-kinase", "critical", 1))
        orders += (Order(frozenset({"creatinine", "egfr"}), days_ago(0), "stat"),)
        assert decide(replace(patient(), results=results, orders=orders), TABLE).level == "critical"
        orders += (Order(frozenset({"creatine-kinase"}), days_ago(0), "stat"),)
        assert decide(replace(patient(), results=results, orders=orders), TABLE).level == "warning"


class TestCalm:
    """Where only calm rows ask, a result in range since the onset is done for a year."""

    def test_since_the_onset(self) -> None:
        base = patient(onset_days_ago=200, sites=["thigh"])
        decision = decide(replace(base, results=in_range(200)), TABLE)
        assert {w.calm for w in decision.withheld} == {True}
        assert missing(replace(base, results=in_range(200))) == ()
        assert missing(replace(base, results=in_range(201))) == ELECTROLYTES

    def test_since_the_latest_possible_onset(self) -> None:
        base = patient(onset_days_ago=200, sites=["thigh"])
        base = replace(base, twitch=replace(base.twitch, onset=Days(days_ago(250), days_ago(200))))
        assert missing(replace(base, results=in_range(200))) == ()
        assert missing(replace(base, results=in_range(201))) == ELECTROLYTES
        open_ended = replace(base, twitch=replace(base.twitch, onset=Days(days_ago(250), None)))
        open_ended = replace(open_ended, findings=patient(tingling="reported").findings)
        assert missing(replace(open_ended, results=in_range(100))) == ELECTROLYTES

    @pytest.mark.parametrize(("days", "again"), [(365, False), (366, True)])
    def test_for_a_year(self, days: int, again: bool) -> None:
        record = replace(patient(onset_days_ago=400, sites=["thigh"]), results=in_range(days))
        assert bool(missing(record)) is again

    @pytest.mark.parametrize("row", ["weakness", "thiazide"])
    def test_not_where_another_row_asks_too(self, row: str) -> None:
        base = patient(
            onset_days_ago=200, sites=["thigh"], **({row: "examined"} if row == "weakness" else {})
        )
        if row == "thiazide":
            start = Days(days_ago(300), days_ago(300))
            base = replace(base, drugs=(drug("thiazide-diuretic", start=start),))
        decision = decide(replace(base, results=in_range(30)), TABLE)
        assert {w.calm for w in decision.withheld if w.id == "electrolytes"} == {False}
        assert missing(replace(base, results=in_range(100))) == ELECTROLYTES

    def test_an_old_result_out_of_range_is_not_enough(self) -> None:
        tsh = result("tsh", "high", 100)
        record = replace(patient(onset_days_ago=200, sites=["thigh"]), results=(tsh,))
        assert "thyroid" in recommended(record)

    @pytest.mark.parametrize(
        ("given", "level"),
        [
            ({}, "warning"),
            (NORMAL, "info"),
            ({**NORMAL, "atrophy": "absent-not-examined"}, "warning"),
            ({**NORMAL, "sensory-loss": "reported"}, "warning"),
        ],
    )
    def test_calm_rows_are_calm_after_a_normal_examination(self, given: dict[str, Any], level: str) -> None:
        for more in (
            {"onset_days_ago": 15, "sites": ["thigh"]},
            {"onset_days_ago": 5, "sites": ["thigh", "hand"]},
            {"tingling": "reported"},
            {"pain": "examined"},
        ):
            assert decide(record_of_example({**given, **more}), TABLE).level == level

    def test_results_do_not_calm(self) -> None:
        """Examining does; what is done or ordered only takes the action away."""
        record = replace(patient(onset_days_ago=20, sites=["thigh"]), results=in_range(3))
        assert decide(record, TABLE).level == "warning"


class TestUntilDone:
    def test_warning_while_its_action_remains(self) -> None:
        base = record_of_example({"kidney-failure": "listed", **NORMAL})
        assert decide(base, TABLE).level == "warning"
        assert decide(replace(base, results=in_range(30)), TABLE).level == "info"
        assert decide(replace(base, results=in_range(30)[1:]), TABLE).level == "warning"
        order = Order(frozenset(ELECTROLYTES), days_ago(6))
        assert decide(replace(base, orders=(order,)), TABLE).level == "info"


class TestDates:
    def test_a_result_dated_tomorrow_counts_as_of_today(self) -> None:
        """Records of the next day exist for the decision: a critical one must not be lost."""
        record = replace(patient(), results=(result("potassium", "critical", -1),))
        assert decide(record, TABLE).level == "critical"


@pytest.mark.parametrize("trigger", ["anxiety", "stress"])
def test_anxiety_lowers_no_level(trigger: str) -> None:
    for given in ({}, {"pain": "reported"}, {"courses": ["worsening"]}, {"bulbar": "reported"}):
        without = decide(record_of_example(given), TABLE)
        beside = decide(record_of_example({**given, trigger: "examined"}), TABLE)
        assert beside.level == without.level
        assert beside.recommendations == without.recommendations
