"""Section 4 of the decision model: what is done, what is ordered, and what is withheld."""

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Days, Order, Patient, Record, Study, Twitch
from service.decision import Decision, decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, finding, record_of_example, result

TABLE = load_knowledge().table
ELECTROLYTES = ("sodium", "potassium", "calcium", "magnesium")


def patient(**given: Any) -> Record:
    return record_of_example(given)


def recommended(record: Record) -> dict[str, tuple[str, ...]]:
    """recommendation id -> analytes, urgent ones with "!"."""
    return {f"{r.id}{'!' if r.urgent else ''}": r.analytes for r in decide(record, TABLE).recommendations}


def withheld(decision: Decision) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(w.id, w.kind, w.tests) for w in decision.withheld}


def in_range(days: int) -> tuple[Any, ...]:
    return tuple(result(a, "in-range", days) for a in (*ELECTROLYTES, "tsh"))


@pytest.mark.parametrize(("days", "again"), [(30, False), (31, True)])
def test_electrolytes_speak_for_thirty_days(days: int, again: bool) -> None:
    record = replace(patient(weakness="examined"), results=in_range(days))
    assert ("electrolytes" in recommended(record)) is again


@pytest.mark.parametrize(("days", "again"), [(90, False), (91, True)])
def test_tsh_speaks_for_ninety_days(days: int, again: bool) -> None:
    record = replace(patient(weakness="examined"), results=in_range(days))
    assert ("thyroid" in recommended(record)) is again


@pytest.mark.parametrize(("days", "again"), [(180, False), (181, True)])
def test_vitamins_speak_for_half_a_year(days: int, again: bool) -> None:
    record = replace(
        patient(weakness="examined", malabsorption="examined"), results=(result("zinc", "in-range", days),)
    )
    assert ("zinc" in recommended(record)) is again


def test_only_the_missing_analytes_are_ordered() -> None:
    record = replace(
        patient(weakness="examined"),
        results=(result("potassium", "in-range", 3), result("sodium", "out-of-range", 91)),
    )
    assert recommended(record)["electrolytes"] == ("sodium", "calcium", "magnesium")


@pytest.mark.parametrize("days", [0, 3, 30])
def test_a_result_that_could_not_be_judged_answers_nothing(days: int) -> None:
    results = (result("potassium", "in-range", 3), result("sodium", "not-judged", days))
    decision = decide(replace(patient(weakness="examined"), results=results), TABLE)
    assert ("electrolytes", "done", ("potassium",)) in withheld(decision)
    assert [r.analytes for r in decision.recommendations if r.id == "electrolytes"] == [
        ("sodium", "calcium", "magnesium")
    ]


@pytest.mark.parametrize(("days", "again"), [(2, True), (3, True), (4, False)])
def test_nor_does_an_older_result_that_counts_as_the_same(days: int, again: bool) -> None:
    results = (result("calcium", "in-range", 3), result("calcium-ionised", "not-judged", days))
    record = replace(patient(weakness="examined"), results=results)
    assert ("calcium" in recommended(record)["electrolytes"]) is again


def test_ionised_calcium_answers_calcium() -> None:
    record = replace(patient(weakness="examined"), results=(result("calcium-ionised", "in-range", 3),))
    assert "calcium" not in recommended(record)["electrolytes"]


def test_a_preliminary_result_answers_nothing() -> None:
    record = replace(
        patient(weakness="examined"), results=(result("potassium", "in-range", 3, preliminary=True),)
    )
    assert "potassium" in recommended(record)["electrolytes"]


def test_a_result_older_than_the_diuretic_does_not_answer() -> None:
    start = Days(days_ago(10), days_ago(10))
    base = replace(patient(onset_days_ago=5), drugs=(drug("thiazide-diuretic", start=start),))
    assert "electrolytes" not in recommended(replace(base, results=in_range(10)))
    assert "electrolytes" in recommended(replace(base, results=in_range(11)))


def test_a_drug_ruled_out_by_time_does_not_ask_again() -> None:
    start = Days(days_ago(2), days_ago(2))
    base = replace(patient(weakness="examined"), drugs=(drug("thiazide-diuretic", "no", start=start),))
    assert "electrolytes" not in recommended(replace(base, results=in_range(11)))


def test_an_electrolyte_out_of_range_is_ordered_again_with_the_missing_ones() -> None:
    record = replace(patient(), results=(result("potassium", "low", 1), result("sodium", "in-range", 1)))
    assert recommended(record)["electrolytes"] == ("potassium", "calcium", "magnesium")


def test_a_critical_one_urgently() -> None:
    record = replace(patient(), results=(result("potassium", "critical", 1),))
    assert "potassium" in recommended(record)["electrolytes!"]
    assert decide(record, TABLE).level == "critical"


def test_tsh_out_of_range_is_acted_on_not_repeated() -> None:
    record = replace(patient(), results=(result("tsh", "high", 5),))
    decision = decide(record, TABLE)
    assert ("thyroid", "act-on", ("tsh",)) in withheld(decision)
    assert decision.level == "warning"
    assert "thyroid" in recommended(replace(patient(), results=(result("tsh", "high", 91),)))


class TestDurationAlone:
    """Where only `persistent` or `eyelid-long` asks, a result in range since the onset is done for a year."""

    def test_in_range_since_the_onset(self) -> None:
        record = replace(patient(onset_days_ago=200, sites=["thigh"]), results=in_range(200))
        decision = decide(record, TABLE)
        assert decision.level == "info"
        assert not decision.recommends("electrolytes")

    def test_in_range_before_the_onset(self) -> None:
        record = replace(patient(onset_days_ago=200, sites=["thigh"]), results=in_range(201))
        decision = decide(record, TABLE)
        assert decision.level == "warning"
        assert decision.recommends("electrolytes")

    @pytest.mark.parametrize(("days", "level"), [(365, "info"), (366, "warning")])
    def test_for_a_year(self, days: int, level: str) -> None:
        record = replace(patient(onset_days_ago=400, sites=["thigh"]), results=in_range(days))
        assert decide(record, TABLE).level == level

    def test_not_where_a_sign_asks_too(self) -> None:
        record = replace(
            patient(onset_days_ago=200, sites=["thigh"], weakness="examined"), results=in_range(100)
        )
        assert "electrolytes" in recommended(record)

    def test_one_test_missing_keeps_the_warning(self) -> None:
        record = replace(patient(onset_days_ago=20, sites=["thigh"]), results=in_range(3)[:-1])
        assert decide(record, TABLE).level == "warning"

    def test_all_ordered_lowers_to_info(self) -> None:
        order = Order(frozenset({*ELECTROLYTES, "tsh"}), days_ago(6), reference="ServiceRequest/1")
        record = replace(patient(onset_days_ago=20, sites=["thigh"]), orders=(order,))
        decision = decide(record, TABLE)
        assert decision.level == "info"
        assert ("thyroid", "ordered", ("tsh",)) in withheld(decision)

    def test_a_value_without_a_range_is_neither_done_nor_in_range(self) -> None:
        results = tuple(replace(r, band=result(r.analyte, "not-judged").band) for r in in_range(3))
        decision = decide(replace(patient(onset_days_ago=20, sites=["thigh"]), results=results), TABLE)
        assert decision.level == "warning"
        assert decision.recommends("electrolytes")
        assert decision.withheld == ()


def an_order(test: str, days: int | None, priority: str | None = None) -> Order:
    return Order(
        frozenset({test}), None if days is None else days_ago(days), priority, reference="ServiceRequest/1"
    )


class TestOrders:
    @pytest.mark.parametrize(("days", "again"), [(90, False), (91, True)])
    def test_blood_tests_for_ninety_days(self, days: int, again: bool) -> None:
        record = replace(patient(weakness="examined"), orders=(an_order("tsh", days),))
        assert ("thyroid" in recommended(record)) is again

    @pytest.mark.parametrize(("days", "again"), [(365, False), (366, True)])
    def test_studies_for_a_year(self, days: int, again: bool) -> None:
        record = replace(patient(weakness="examined"), orders=(an_order("emg", days),))
        assert ("emg" in recommended(record)) is again

    def test_an_undated_order_removes_nothing(self) -> None:
        record = replace(patient(weakness="examined"), orders=(an_order("emg", None),))
        assert "emg" in recommended(record)

    def test_an_undated_draft_does(self) -> None:
        draft = replace(an_order("emg", None), draft=True, status="draft")
        assert "emg" not in recommended(replace(patient(weakness="examined"), orders=(draft,)))

    @pytest.mark.parametrize("priority", ["urgent", "asap", "stat"])
    def test_an_urgent_referral_is_covered_by_an_urgent_order(self, priority: str) -> None:
        record = replace(patient(bulbar="examined"), orders=(an_order("neurology-referral", 3, priority),))
        decision = decide(record, TABLE)
        assert decision.level == "critical"
        assert ("neurology-referral", "ordered", ("neurology-referral",)) in withheld(decision)

    @pytest.mark.parametrize("priority", ["routine", None])
    def test_a_routine_order_does_not_cover_it(self, priority: str | None) -> None:
        order = an_order("neurology-referral", 3, priority)
        record = replace(patient(bulbar="examined"), orders=(order,))
        (found,) = [r for r in decide(record, TABLE).recommendations if r.id == "neurology-referral"]
        assert found.urgent
        assert found.routine_order == order


class TestStudies:
    @pytest.mark.parametrize(("days", "again"), [(180, False), (181, True)])
    def test_half_a_year(self, days: int, again: bool) -> None:
        weak = finding("weakness", "examined", first_examined=days_ago(300))
        record = replace(patient(), findings={"weakness": weak}, studies=(Study("emg", days_ago(days)),))
        assert ("emg" in recommended(record)) is again

    def test_again_where_the_sign_is_newer(self) -> None:
        record = replace(patient(weakness="examined"), studies=(Study("emg", days_ago(1)),))
        assert "emg" in recommended(record)

    def test_not_again_where_the_sign_was_examined_on_the_same_day(self) -> None:
        record = replace(patient(weakness="examined"), studies=(Study("emg", days_ago(0)),))
        assert "emg" not in recommended(record)

    def test_not_again_for_a_diagnosis_that_is_no_sign(self) -> None:
        root = finding("lumbosacral-radiculopathy", "examined", first_examined=days_ago(0))
        record = replace(
            patient(sites=["calf"]), findings={root.id: root}, studies=(Study("ncs", days_ago(1)),)
        )
        assert "ncs" not in recommended(record)

    def test_again_where_the_newer_sign_is_now_only_reported(self) -> None:
        wasting = finding("atrophy", "reported", first_examined=days_ago(50))
        record = replace(patient(), findings={"atrophy": wasting}, studies=(Study("emg", days_ago(51)),))
        assert "emg" in recommended(record)

    def test_of_two_on_one_day_the_same_is_named_whatever_their_order(self) -> None:
        patient_ = replace(patient(), findings={"coordination": finding("coordination", "examined")})
        studies = tuple(Study(name, days_ago(0), f"Procedure/{name}") for name in ("mri-brain", "mri-spine"))
        (one,) = [w for w in decide(replace(patient_, studies=studies), TABLE).withheld if w.id == "mri"]
        (other,) = [
            w for w in decide(replace(patient_, studies=studies[::-1]), TABLE).withheld if w.id == "mri"
        ]
        assert one == other

    def test_an_undated_study_answers_nothing(self) -> None:
        weak = finding("weakness", "examined", first_examined=days_ago(300))
        record = replace(patient(), findings={"weakness": weak}, studies=(Study("emg"),))
        assert "emg" in recommended(record)


class TestChild:
    def test_tests_of_adults_are_withheld(self) -> None:
        decision = decide(patient(age_years=15, weakness="examined", coordination="examined"), TABLE)
        assert {w.id for w in decision.withheld if w.kind == "child"} == {"emg", "ncs", "mri"}
        assert {r.id for r in decision.recommendations} == {"neurology-referral", "electrolytes", "thyroid"}

    def test_self_care_too(self) -> None:
        assert not decide(patient(age_years=15), TABLE).recommends("self-care")
        assert decide(patient(age_years=16), TABLE).recommends("self-care")


class TestSelfCare:
    def advice(self, record: Record) -> set[str]:
        return {advice.id for advice in decide(record, TABLE).self_care}

    @pytest.mark.parametrize("sign", ["weakness", "atrophy", "sensory-loss", "coordination", "movement"])
    @pytest.mark.parametrize("basis", ["examined", "reported"])
    def test_never_beside_a_sign(self, sign: str, basis: str) -> None:
        assert not decide(patient(**{sign: basis}, caffeine="reported"), TABLE).recommends("self-care")

    def test_never_beside_a_critical_row(self) -> None:
        assert not decide(patient(sites=["tongue"]), TABLE).recommends("self-care")

    def test_built_from_the_recorded_triggers(self) -> None:
        assert self.advice(patient(caffeine="reported", sleep="reported")) == {"caffeine", "sleep"}

    def test_rest_where_there_is_none(self) -> None:
        assert self.advice(patient()) == {"rest"}

    @pytest.mark.parametrize("condition", ["heart-failure", "chronic-kidney-disease"])
    def test_no_fluids_and_no_electrolyte_drink(self, condition: str) -> None:
        given = {condition: "examined", "dehydration": "reported"}
        assert self.advice(patient(**given)) == {"rest"}
        assert self.advice(patient(dehydration="reported")) == {"fluids", "electrolyte-drink"}

    def test_no_electrolyte_drink_with_a_medicine_that_raises_potassium(self) -> None:
        record = patient(dehydration="reported")
        sparing = replace(record, drugs=(drug("potassium-sparing-diuretic"),))
        pril = replace(record, drugs=(drug("other", "no", raises_potassium=True),))
        assert self.advice(sparing) == {"fluids"}
        assert self.advice(pril) == {"fluids"}

    def test_no_fluids_with_low_sodium(self) -> None:
        record = replace(patient(dehydration="reported"), results=(result("sodium", "low", 2),))
        assert self.advice(record) == {"rest"}


def test_gate() -> None:
    assert decide(replace(patient(weakness="examined"), twitch=Twitch()), TABLE).gate == "no-twitch"
    unseen = replace(patient(), twitch=Twitch(), not_seen=("findings",))
    assert decide(unseen, TABLE).gate == "unseen"
    assert decide(replace(patient(), patient=Patient(deceased=True)), TABLE).gate == "deceased"


def test_known_disease_closes_the_gate_and_suspected_does_not() -> None:
    assert decide(patient(**{"motor-neuron-disease": "examined"}), TABLE).gate == "known-disease"
    suspected = finding("motor-neuron-disease", "reported", suspected=True)
    decision = decide(replace(patient(), findings={"motor-neuron-disease": suspected}), TABLE)
    assert decision.open
    assert decision.suspected == ("motor-neuron-disease",)
