"""Section 4 of the decision model: what is done, what is ordered, what was seen, and what is withheld."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from fhir_mappings.record import Basis, Days, Drug, Evidence, Order, Plausible, Record, Status, Study
from service.decision import Decision, Recommendation, Withheld, decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, finding, record_of_example, result

TABLE = load_knowledge().table
ELECTROLYTES = ("sodium", "potassium", "calcium", "magnesium")
NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}


def patient(**given: Any) -> Record:
    return record_of_example({name.replace("__", "-"): said for name, said in given.items()})


def made(record: Record, action: str) -> Recommendation | None:
    return next((r for r in decide(record, TABLE).recommendations if r.id == action), None)


def recommended(record: Record) -> dict[str, str]:
    """recommendation id -> urgency."""
    return {r.id: r.urgency for r in decide(record, TABLE).recommendations}


def missing(record: Record, action: str = "electrolytes") -> tuple[str, ...]:
    found = made(record, action)
    return () if found is None else found.analytes


def withheld(decision: Decision) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(w.id, w.why, w.tests) for w in decision.withheld}


def of(decision: Decision, action: str) -> Withheld:
    (found,) = [w for w in decision.withheld if w.id == action]
    return found


def in_range(days: int) -> tuple[Any, ...]:
    return tuple(result(a, "in-range", days) for a in (*ELECTROLYTES, "tsh"))


def an_order(test: str, days: int | None, priority: str | None = None) -> Order:
    return Order(
        frozenset({test}), None if days is None else days_ago(days), priority, reference="ServiceRequest/1"
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


class TestStudies:
    @pytest.mark.parametrize(("days", "again"), [(180, False), (181, True)])
    def test_half_a_year(self, days: int, again: bool) -> None:
        weak = finding("weakness", "examined", first_examined=days_ago(300))
        record = replace(patient(), findings={"weakness": weak}, studies=(Study("emg", days_ago(days)),))
        assert ("emg" in recommended(record)) is again

    @pytest.mark.parametrize(("days", "again"), [(1, True), (0, False)])
    def test_again_where_the_sign_is_newer(self, days: int, again: bool) -> None:
        record = replace(patient(weakness="examined"), studies=(Study("emg", days_ago(days)),))
        assert ("emg" in recommended(record)) is again

    def test_again_where_the_newer_sign_is_now_only_reported(self) -> None:
        wasting = finding("atrophy", "reported", first_examined=days_ago(50))
        record = replace(patient(), findings={"atrophy": wasting}, studies=(Study("emg", days_ago(51)),))
        assert "emg" in recommended(record)

    def test_of_two_on_one_day_the_same_is_named_whatever_their_order(self) -> None:
        base = replace(patient(), findings={"coordination": finding("coordination", "examined")})
        studies = tuple(Study(name, days_ago(0), f"Procedure/{name}") for name in ("mri-brain", "mri-spine"))
        one, other = (
            of(decide(replace(base, studies=each), TABLE), "mri") for each in (studies, studies[::-1])
        )
        assert one == other
        assert one.why == "done"

    def test_an_undated_study_answers_nothing(self) -> None:
        weak = finding("weakness", "examined", first_examined=days_ago(300))
        record = replace(patient(), findings={"weakness": weak}, studies=(Study("emg"),))
        assert "emg" in recommended(record)


def visited(record: Record, days: int) -> Decision:
    return decide(replace(record, studies=(Study("neurology-consultation", days_ago(days), "x"),)), TABLE)


def weak_on(days: int, status: Status = Status.PRESENT, **more: Any) -> Evidence:
    """A record of an examination of strength."""
    basis, day = Basis.EXAMINED, days_ago(days)
    return Evidence(f"Observation/{days}", "Observation.value", "weak", status, basis, day, **more)


class TestSeenByNeurology:
    @pytest.mark.parametrize(("days", "seen"), [(180, True), (181, False)])
    def test_half_a_year_covers_a_routine_and_an_urgent_referral(self, days: int, seen: bool) -> None:
        for given in ({"weakness": "examined"}, {"bulbar": "examined"}):
            decision = visited(record_of_example({**given, "recorded_days_ago": 200}), days)
            assert ("neurology-referral" not in {r.id for r in decision.recommendations}) is seen
            if seen:
                assert of(decision, "neurology-referral").why == "seen"
                assert decision.level == "warning"

    def test_never_one_of_today(self) -> None:
        given = {"bulbar": "examined", "breathing-difficulty": "reported", "recorded_days_ago": 20}
        assert visited(record_of_example(given), 3).level == "critical"

    @pytest.mark.parametrize(("days", "again"), [(11, True), (10, False), (9, False)])
    def test_not_a_sign_that_was_recorded_after_it(self, days: int, again: bool) -> None:
        for basis in ("examined", "listed", "reported"):
            given = {"bulbar": basis, "recorded_days_ago": 10}
            found = {r.id for r in visited(record_of_example(given), days).recommendations}
            assert ("neurology-referral" in found) is again

    def test_a_sign_that_was_over_or_absent_in_between_is_a_new_one(self) -> None:
        """The safer reading of "first recorded": what is not there any more was another weakness."""
        old, new = weak_on(100), weak_on(3)
        ended = weak_on(100, history=True, used=False)
        absent = weak_on(50, status=Status.ABSENT, used=False)
        for evidence, again in (
            ((old, new), False),
            ((ended, new), True),
            ((old, absent, new), True),
        ):
            weak = finding("weakness", "examined", days_ago(3), evidence=evidence)
            decision = visited(replace(patient(), findings={"weakness": weak}), 30)
            assert ("neurology-referral" in {r.id for r in decision.recommendations}) is again

    @pytest.mark.parametrize(("days", "again"), [(11, True), (10, False)])
    def test_nor_a_tongue_that_was_first_seen_after_it(self, days: int, again: bool) -> None:
        """The tongue is a bulbar sign without a finding of its own: the twitch's first record counts."""
        base = patient(sites=["tongue"])
        record = replace(base, twitch=replace(base.twitch, first_recorded=days_ago(10)))
        assert (visited(record, days).level == "critical") is again

    def test_a_diagnosis_is_no_sign(self) -> None:
        given = {"neuromyotonia": "listed", "courses": ["worsening"]}
        found = {r.id for r in visited(record_of_example(given), 3).recommendations}
        assert "neurology-referral" not in found


class TestChild:
    GIVEN: ClassVar = {"weakness": "examined", "coordination": "examined", "sensory-loss": "examined"}

    def test_tests_of_adults_are_withheld(self) -> None:
        decision = decide(record_of_example({**self.GIVEN, "age_years": 15}), TABLE)
        assert {w.id for w in decision.withheld if w.why == "child"} == {
            "emg", "ncs", "mri", "creatine-kinase", "vitamin-b12", "hba1c",
        }  # fmt: skip
        (referral,) = [r for r in decision.recommendations if r.id == "neurology-referral"]
        assert (referral.urgency, referral.paediatric) == ("now", True)
        adult = decide(record_of_example({**self.GIVEN, "age_years": 16}), TABLE)
        assert not [w for w in adult.withheld if w.why == "child"]

    def test_age_unknown_is_an_adult(self) -> None:
        record = record_of_example(self.GIVEN)
        decision = decide(replace(record, patient=replace(record.patient, born=Days())), TABLE)
        assert "emg" in {r.id for r in decision.recommendations}

    def test_self_care_is_not_for_a_child(self) -> None:
        assert "self-care" not in recommended(record_of_example({**NORMAL, "age_years": 15}))
        assert "self-care" in recommended(record_of_example({**NORMAL, "age_years": 16}))


class TestBeside:
    def test_thyroid_is_left_out_beside_an_action_of_today_only(self) -> None:
        now = decide(patient(onset_days_ago=5, weakness="examined"), TABLE)
        assert ("thyroid", "beside-now", ()) in withheld(now)
        urgent = patient(onset_days_ago=60, weakness="examined", atrophy="examined")
        start = Days(days_ago(60), days_ago(50))
        signs = {name: finding(name, "examined", start=start) for name in urgent.findings}
        urgent = replace(urgent, findings=signs)
        assert recommended(urgent)["neurology-referral"] == "urgent"
        assert "thyroid" in recommended(urgent)

    @pytest.mark.parametrize(
        ("given", "left_out"),
        [
            ({}, False),
            ({"coordination": "examined"}, False),
            ({"rigidity": "examined"}, False),
            ({"bulbar": "examined"}, True),
            ({"alcohol-withdrawal": "listed"}, True),
        ],
    )
    def test_a_routine_examination_is_left_out_beside_what_cannot_wait(
        self, given: dict[str, Any], left_out: bool
    ) -> None:
        record = record_of_example(given)
        assert ("ask-examination" not in recommended(record)) is left_out
        if left_out:
            assert of(decide(record, TABLE), "ask-examination").why == "beside-urgent"

    def test_an_examination_of_today_is_not(self) -> None:
        given = {"onset_days_ago": 5, "weakness": "reported", "courses": ["worsening"], "bulbar": "examined"}
        assert recommended(record_of_example(given))["ask-examination"] == "now"

    def test_one_examination_names_all_that_is_not_settled(self) -> None:
        given = {"weakness": "absent", "atrophy": "listed", "coordination": "reported"}
        found = made(record_of_example(given), "ask-examination")
        assert found is not None
        assert found.findings == ("atrophy", "sensory-loss", "coordination")

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({}, 13),
            ({"courses": ["worsening"]}, 4),
            ({"rigidity": "examined"}, None),
            ({"bulbar": "examined"}, None),
        ],
    )
    def test_a_re_examination_is_left_out_beside_a_referral_and_the_earlier_date_counts(
        self, more: dict[str, Any], expected: int | None
    ) -> None:
        found = made(
            record_of_example({**NORMAL, "age_years": 60, "onset_days_ago": 10, **more}), "re-examine"
        )
        assert (found.weeks if found else None) == expected


class TestReview:
    """A review names the medicines for which its rows fire, and no others."""

    @pytest.mark.parametrize(
        ("analyte", "band", "named"),
        [
            ("potassium", "high", ["loop-diuretic", "ramipril"]),
            ("potassium", "low", ["loop-diuretic", "other-ppi"]),
            ("sodium", "low", ["loop-diuretic", "ssri"]),
            ("calcium", "high", ["loop-diuretic", "other-lithium"]),
        ],
    )
    def test_for_an_electrolyte_those_that_can_explain_it(
        self, analyte: str, band: str, named: list[str]
    ) -> None:
        drugs = tuple(drug(name, "no") for name in ("loop-diuretic", "other-ppi", "ssri", "other-lithium"))
        drugs += (Drug("ramipril", plausible=Plausible.NO, raises_potassium=True),)
        drugs += (Drug("unheard of", plausible=Plausible.NO, raises_potassium=True, recognised=False),)
        found = made(
            replace(patient(), results=(result(analyte, band, 1),), drugs=drugs), "medication-review"
        )
        assert found is not None
        assert sorted(d.name for d in found.drugs) == sorted(named)

    def test_only_the_antidepressant_that_was_stopped(self) -> None:
        end = days_ago(15)
        stopped = replace(drug("ssri", "no", current=False, end=Days(end, end)), name="sertraline")
        started = replace(drug("ssri", "no"), name="citalopram")
        record = replace(patient(onset_days_ago=5), drugs=(stopped, started))
        found = made(record, "medication-review")
        assert found is not None
        assert [d.name for d in found.drugs] == ["sertraline"]


class TestDates:
    def test_a_result_dated_tomorrow_counts_as_of_today(self) -> None:
        """Records of the next day exist for the decision: a critical one must not be lost."""
        record = replace(patient(), results=(result("potassium", "critical", -1),))
        assert decide(record, TABLE).level == "critical"


class TestSelfCare:
    @staticmethod
    def advice(record: Record) -> set[str]:
        return {advice.id for advice in decide(record, TABLE).self_care}

    @pytest.mark.parametrize("sign", TABLE.signs)
    @pytest.mark.parametrize("basis", ["examined", "listed", "reported"])
    def test_never_beside_a_sign(self, sign: str, basis: str) -> None:
        given = {**NORMAL, "caffeine": "reported"}
        assert self.advice(record_of_example(given)) == {"caffeine"}
        assert self.advice(record_of_example({**given, sign: basis})) == set()

    def test_only_beside_a_normal_examination_or_an_eyelid_alone(self) -> None:
        assert self.advice(patient(caffeine="reported")) == set()
        assert self.advice(patient(caffeine="reported", sites=["eyelid"])) == {"caffeine"}
        for sign in NORMAL:
            left = {**NORMAL, sign: "absent-not-examined", "caffeine": "reported"}
            assert self.advice(record_of_example(left)) == set()

    def test_never_above_info(self) -> None:
        assert self.advice(record_of_example({**NORMAL, "sites": ["tongue"]})) == set()
        assert self.advice(record_of_example({**NORMAL, "courses": ["worsening"]})) == set()

    def test_of_the_triggers_that_are_recorded_else_the_usual(self) -> None:
        assert self.advice(record_of_example({**NORMAL, "caffeine": "reported", "sleep": "reported"})) == {
            "caffeine",
            "sleep",
        }
        assert self.advice(record_of_example(NORMAL)) == {"usual"}

    @pytest.mark.parametrize("condition", ["heart-failure", "chronic-kidney-disease"])
    def test_no_fluids_and_no_electrolyte_drink(self, condition: str) -> None:
        given = {**NORMAL, "dehydration": "reported"}
        assert self.advice(record_of_example(given)) == {"fluids", "electrolyte-drink"}
        assert self.advice(record_of_example({**given, condition: "listed"})) == {"usual"}

    def test_no_electrolyte_drink_with_a_medicine_that_raises_potassium(self) -> None:
        record = record_of_example({**NORMAL, "dehydration": "reported"})
        sparing = drug("potassium-sparing-diuretic", "no")
        assert self.advice(replace(record, drugs=(sparing,))) == {"fluids"}
        for recognised in (True, False):
            pril = drug("other", "no", raises_potassium=True, recognised=recognised)
            assert self.advice(replace(record, drugs=(pril,))) == {"fluids"}


@pytest.mark.parametrize("trigger", ["anxiety", "stress"])
def test_anxiety_lowers_no_level(trigger: str) -> None:
    for given in ({}, {"pain": "reported"}, {"courses": ["worsening"]}, {"bulbar": "reported"}):
        without = decide(record_of_example(given), TABLE)
        beside = decide(record_of_example({**given, trigger: "examined"}), TABLE)
        assert beside.level == without.level
        assert beside.recommendations == without.recommendations
