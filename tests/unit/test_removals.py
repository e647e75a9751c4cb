"""Section 4 of the decision model: what is done, what is acted on, what is ordered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Days, Order
from service.decision import decide
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.removed import (
    ELECTROLYTES,
    TABLE,
    an_order,
    in_range,
    made,
    missing,
    of,
    patient,
    recommended,
    withheld,
)


class TestDone:
    @pytest.mark.parametrize(
        ("analyte", "action", "days"),
        [
            ("potassium", "electrolytes", 30),
            ("creatine-kinase", "creatine-kinase", 30),
            ("tsh", "thyroid", 90),
            ("hba1c", "hba1c", 90),
            ("vitamin-b12", "vitamin-b12", 180),
            ("zinc", "zinc", 180),
        ],
    )
    def test_how_long(self, analyte: str, action: str, days: int) -> None:
        base = patient(weakness="examined", sensory__loss="examined", malabsorption="examined")
        young = replace(base, results=(result(analyte, "in-range", days),))
        old = replace(base, results=(result(analyte, "in-range", days + 1),))
        assert analyte not in missing(young, action)
        assert analyte in missing(old, action)

    def test_only_the_missing_analytes_are_ordered(self) -> None:
        record = replace(
            patient(weakness="examined"),
            results=(result("potassium", "in-range", 3), result("sodium", "in-range", 31)),
        )
        assert missing(record) == ("sodium", "calcium", "magnesium")

    @pytest.mark.parametrize("days", [0, 3, 30])
    def test_a_result_that_could_not_be_judged_answers_nothing(self, days: int) -> None:
        results = (result("potassium", "in-range", 3), result("sodium", "not-judged", days))
        record = replace(patient(weakness="examined"), results=results)
        assert ("electrolytes", "done", ("potassium",)) in withheld(decide(record, TABLE))
        assert missing(record) == ("sodium", "calcium", "magnesium")

    @pytest.mark.parametrize(("days", "again"), [(2, True), (3, True), (4, False)])
    def test_nor_does_an_older_result_that_counts_as_the_same(self, days: int, again: bool) -> None:
        results = (result("calcium", "in-range", 3), result("calcium-ionised", "not-judged", days))
        record = replace(patient(weakness="examined"), results=results)
        assert ("calcium" in missing(record)) is again

    def test_ionised_calcium_answers_calcium(self) -> None:
        record = replace(patient(weakness="examined"), results=(result("calcium-ionised", "in-range", 3),))
        assert missing(record) == ("sodium", "potassium", "magnesium")

    def test_a_preliminary_result_answers_nothing(self) -> None:
        preliminary = result("potassium", "in-range", 3, preliminary=True)
        assert "potassium" in missing(replace(patient(weakness="examined"), results=(preliminary,)))

    @pytest.mark.parametrize(
        ("name", "action", "tests"),
        [
            ("thiazide-diuretic", "electrolytes", ELECTROLYTES),
            ("other-lithium", "lithium-level", ("lithium",)),
            ("other-lithium", "kidney-function", ("creatinine", "egfr")),
        ],
    )
    def test_a_result_from_before_the_medicine_does_not_answer(
        self, name: str, action: str, tests: tuple[str, ...]
    ) -> None:
        start = Days(days_ago(10), days_ago(10))
        base = replace(patient(onset_days_ago=5), drugs=(drug(name, start=start),))
        since = replace(base, results=tuple(result(a, "in-range", 10) for a in tests))
        before = replace(base, results=tuple(result(a, "in-range", 11) for a in tests))
        assert missing(since, action) == ()
        assert missing(before, action) == tests

    def test_a_medicine_ruled_out_by_time_does_not_ask_again(self) -> None:
        start = Days(days_ago(2), days_ago(2))
        base = replace(patient(weakness="examined"), drugs=(drug("thiazide-diuretic", "no", start=start),))
        assert missing(replace(base, results=in_range(11))) == ()

    @pytest.mark.parametrize(("days", "again"), [(0, False), (1, False), (2, True)])
    def test_for_an_action_of_today_only_a_result_of_today_or_yesterday(self, days: int, again: bool) -> None:
        weak = replace(
            patient(onset_days_ago=5, weakness="examined"), results=(result("sodium", "in-range", days),)
        )
        assert decide(weak, TABLE).fired("rapid-weakness")
        assert ("sodium" in missing(weak)) is again
        poisoned = record_of_example({"lithium-poisoning": "examined"})
        poisoned = replace(poisoned, results=(result("lithium", "in-range", days),))
        assert ("lithium-level" in recommended(poisoned)) is again

    def test_an_electrolyte_out_of_range_is_ordered_again_with_the_missing_ones(self) -> None:
        for band in ("low", "high", "out-of-range"):
            record = replace(
                patient(weakness="examined"),
                results=(result("potassium", band, 1), result("sodium", "in-range", 1)),
            )
            assert missing(record) == ("potassium", "calcium", "magnesium")

    def test_a_critical_one_now(self) -> None:
        record = replace(patient(), results=(result("potassium", "critical", 0),))
        assert recommended(record)["electrolytes"] == "now"
        assert recommended(record)["act-on-result"] == "now"
        assert "potassium" in missing(record)
        assert decide(record, TABLE).level == "critical"

    def test_a_recorded_disorder_is_answered_only_by_a_later_result(self) -> None:
        base = record_of_example({"hypokalemia": "listed", "recorded_days_ago": 10})
        for days, again in ((9, False), (10, True), (11, True)):
            record = replace(base, results=(result("potassium", "in-range", days),))
            assert ("potassium" in missing(record)) is again


class TestActedOn:
    """What is done and out of range is acted on, not repeated."""

    def test_tsh(self) -> None:
        young = replace(patient(), results=(result("tsh", "high", 90),))
        found = made(replace(young, findings=patient(thyroid__disease="listed").findings), "act-on-result")
        assert found is not None
        assert [r.analyte for r in found.results] == ["tsh"]
        assert "thyroid" not in recommended(young)
        assert decide(young, TABLE).level == "warning"
        assert recommended(replace(patient(), results=(result("tsh", "high", 91),)))["thyroid"] == "routine"

    @pytest.mark.parametrize(
        ("analyte", "action", "given"),
        [
            ("hba1c", "hba1c", {"sensory-loss": "examined"}),
            ("creatine-kinase", "creatine-kinase", {"weakness": "examined"}),
            ("zinc", "zinc", {"malabsorption": "listed", "weakness": "examined"}),
            ("vitamin-d", "vitamin-d", {"malabsorption": "listed", "weakness": "examined"}),
            ("vitamin-b12", "vitamin-b12", {"sensory-loss": "examined"}),
        ],
    )
    def test_another_test_that_a_row_asks_for(self, analyte: str, action: str, given: dict[str, Any]) -> None:
        abnormal = replace(record_of_example(given), results=(result(analyte, "out-of-range", 3),))
        found = made(abnormal, "act-on-result")
        assert found is not None
        assert found.urgency == "routine"
        assert [r.analyte for r in found.results] == [analyte]
        assert action not in recommended(abnormal)
        normal = replace(abnormal, results=(result(analyte, "in-range", 3),))
        assert "act-on-result" not in recommended(normal)

    def test_not_where_no_row_asks_for_it(self) -> None:
        assert "act-on-result" not in recommended(
            replace(patient(), results=(result("hba1c", "out-of-range", 3),))
        )

    def test_the_most_dangerous_is_named_first(self) -> None:
        """A critical value before a newer one that is only out of range, whichever rule brings it."""
        cases = (
            (result("potassium", "critical", 3), result("magnesium", "low", 0)),
            # No row acts on a lithium level that is critical: the level is done, and out of range.
            (result("lithium", "critical", 0, reference="Observation/a"), result("sodium", "low", 0)),
        )
        for dangerous, other in cases:
            for results in ((dangerous, other), (other, dangerous)):
                found = made(replace(patient(), results=results), "act-on-result")
                assert found is not None
                assert [r.analyte for r in found.results] == [dangerous.analyte, other.analyte]


class TestOrders:
    @pytest.mark.parametrize(
        ("test", "action", "days"),
        [("tsh", "thyroid", 90), ("emg", "emg", 365), ("neurology-referral", "neurology-referral", 365)],
    )
    def test_how_long(self, test: str, action: str, days: int) -> None:
        base = patient(weakness="examined")
        assert action not in recommended(replace(base, orders=(an_order(test, days),)))
        assert action in recommended(replace(base, orders=(an_order(test, days + 1),)))

    def test_a_panel_counts_for_the_analytes_it_names(self) -> None:
        panel = Order(frozenset({"sodium", "potassium"}), days_ago(3))
        assert missing(replace(patient(weakness="examined"), orders=(panel,))) == ("calcium", "magnesium")

    def test_an_undated_order_removes_nothing_and_a_draft_does(self) -> None:
        base = patient(weakness="examined")
        assert "emg" in recommended(replace(base, orders=(an_order("emg", None),)))
        draft = replace(an_order("emg", None), draft=True, status="draft")
        assert "emg" not in recommended(replace(base, orders=(draft,)))

    @pytest.mark.parametrize(
        ("priority", "urgent", "now"),
        [
            ("stat", True, True),
            ("asap", True, True),
            ("urgent", True, False),
            ("routine", False, False),
            (None, False, False),
        ],
    )
    def test_only_an_order_of_at_least_that_priority(
        self, priority: str | None, urgent: bool, now: bool
    ) -> None:
        order = an_order("neurology-referral", 3, priority)
        for given, covered in (
            ({"bulbar": "examined"}, urgent),
            ({"bulbar": "examined", "breathing-difficulty": "reported"}, now),
        ):
            record = replace(record_of_example(given), orders=(order,))
            decision = decide(record, TABLE)
            found = made(record, "neurology-referral")
            assert (found is None) is covered
            assert decision.level == ("warning" if covered else "critical")
            if found is None:
                assert of(decision, "neurology-referral").why == "ordered"
                assert of(decision, "neurology-referral").priority == priority
            else:
                assert found.too_low == order

    def test_a_blood_test_of_today(self) -> None:
        orders = tuple(an_order(a, 0, "urgent") for a in ELECTROLYTES)
        record = replace(patient(), results=(result("potassium", "critical", 0),), orders=orders)
        found = made(record, "electrolytes")
        assert found is not None
        assert found.analytes == ELECTROLYTES
        assert found.too_low is not None
        stat = replace(record, orders=tuple(replace(order, priority="stat") for order in orders))
        assert made(stat, "electrolytes") is None

    @pytest.mark.parametrize("action", ["ask-examination", "emergency-assessment", "medication-review"])
    def test_no_order_settles_what_is_no_order(self, action: str) -> None:
        record = replace(
            record_of_example({"lithium-poisoning": "examined", "weakness": "reported", "onset_days_ago": 5,
                               "courses": ["worsening"], "drugs": {"ssri": "yes"}}),
            orders=(an_order(action, 0, "stat"),),
        )  # fmt: skip
        assert action in recommended(record)
        assert decide(record, TABLE).level == "critical"


def test_an_order_of_one_test_is_not_said_to_be_of_all() -> None:
    """A routine potassium leaves sodium, calcium and magnesium unordered."""
    record = replace(
        patient(),
        results=(result("potassium", "critical", 0),),
        orders=(an_order("potassium", 0, "routine"),),
    )
    found = made(record, "electrolytes")
    assert found is not None
    assert found.analytes == ELECTROLYTES
    assert found.too_low is None
