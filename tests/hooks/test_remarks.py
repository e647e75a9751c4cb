"""What the table says of each draft, on both sides of every threshold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Draft, Drug, Order, Record, Status, Study, Twitch
from service.decision import decide
from service.decision.draft_orders import Remark, drafts_matter, remarks_of
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, record_of_example, result

TABLE = load_knowledge().table
ELECTROLYTES = ("sodium", "potassium", "calcium", "magnesium")
CLASSES = sorted({name for row in TABLE.rows for name in row.drug_classes})


def medicine(*classes: str, name: str = "rx", **more: Any) -> Draft:
    drugs = tuple(Drug(one, frozenset({one})) for one in classes)
    return Draft(f"MedicationRequest/{name}", drugs=drugs, **more)


def order(*tests: str, name: str = "sr", **more: Any) -> Draft:
    return Draft(f"ServiceRequest/{name}", tests=frozenset(tests), **more)


def with_drafts(record: Record, *drafts: Draft) -> Record:
    """As the mapping gives it: drafts of tests stand among the orders too."""
    ordered = tuple(
        Order(d.tests, None, d.priority, "draft", d.reference, draft=True) for d in drafts if d.tests
    )
    return replace(record, orders=record.orders + ordered, drafts=drafts)


def remarks(record: Record, *drafts: Draft) -> tuple[Remark, ...]:
    return remarks_of(decide(with_drafts(record, *drafts), TABLE), TABLE)


def remark(record: Record, *drafts: Draft) -> Remark:
    (only,) = remarks(record, *drafts)
    return only


def patient(**given: Any) -> Record:
    return record_of_example(given)


def pending(record: Record, test: str, days: int, **more: Any) -> Record:
    open_order = Order(frozenset({test}), days_ago(days), reference=f"ServiceRequest/{test}", **more)
    return replace(record, orders=(*record.orders, open_order))


def results(record: Record, days: int, *analytes: str, said: str = "in-range") -> Record:
    found = tuple(result(analyte, said, days) for analyte in analytes)
    return replace(record, results=record.results + found)


# A medicine.


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_of_the_table_is_spoken_of(name: str) -> None:
    rows = [row.id for row in TABLE.rows if name in row.drug_classes]
    said = remark(patient(), medicine(name))
    assert [row.id for row in said.effects] == rows
    assert said.level == "info"


@pytest.mark.parametrize("name", ["other-statin", "corticosteroid-inhaled", "corticosteroid-topical-local"])
def test_another_class_is_not(name: str) -> None:
    assert remarks(patient(), medicine(name)) == ()


def test_a_medicine_without_a_name_is_not() -> None:
    assert remarks(patient(), Draft("MedicationRequest/rx")) == ()


@pytest.mark.parametrize("name", CLASSES)
def test_no_twitch_no_remark(name: str) -> None:
    nothing = replace(patient(), twitch=Twitch())
    assert remarks(nothing, medicine(name)) == ()
    known = replace(patient(), twitch=Twitch(Status.ABSENT))
    assert remarks(known, medicine(name)) == ()


@pytest.mark.parametrize(("days", "lacking"), [(0, ()), (30, ()), (31, ("potassium",))])
def test_a_result_is_missing_after_thirty_days(days: int, lacking: tuple[str, ...]) -> None:
    record = results(results(patient(), 1, "sodium", "calcium", "magnesium"), days, "potassium")
    assert remark(record, medicine("loop-diuretic")).lacking == lacking


def test_a_result_that_could_not_be_judged_is_neither_on_file_nor_done() -> None:
    record = results(
        results(patient(), 1, "sodium", "calcium", "magnesium"), 1, "potassium", said="not-judged"
    )
    assert remark(record, medicine("loop-diuretic")).lacking == ("potassium",)
    assert "potassium" not in {
        t for one in remarks(record, order("potassium")) for w in one.answered for t in w.tests
    }
    judged = results(patient(), 1, "potassium", said="in-range")
    assert [w.kind for w in remark(judged, order("potassium")).answered] == ["done"]


@pytest.mark.parametrize(("days", "lacking"), [(90, ()), (91, ("potassium",))])
def test_a_pending_order_is_waited_for_for_ninety_days(days: int, lacking: tuple[str, ...]) -> None:
    record = results(patient(), 1, "sodium", "calcium", "magnesium")
    assert remark(pending(record, "potassium", days), medicine("loop-diuretic")).lacking == lacking


def test_a_medicine_whose_row_asks_for_no_blood_lacks_none() -> None:
    assert remark(patient(), medicine("ssri")).lacking == ()


@pytest.mark.parametrize(
    ("said", "days", "level"),
    [
        ("in-range", 0, "info"),
        ("out-of-range", 0, "warning"),
        ("out-of-range", 180, "warning"),
        ("out-of-range", 181, "info"),
        ("critical", 0, "critical"),
        ("critical", 30, "critical"),
        ("critical", 31, "warning"),
    ],
)
def test_the_level_is_that_of_the_electrolytes(said: str, days: int, level: str) -> None:
    record = results(patient(), days, "potassium", said=said)
    found = remark(record, medicine("loop-diuretic"))
    assert found.level == level
    assert found.urgent is (level == "critical")
    assert [r.analyte for r in found.abnormal] == ([] if level == "info" else ["potassium"])
    # A value out of range is repeated, whatever its age.
    assert ("potassium" in found.lacking) is (said != "in-range" or days > 30)


@pytest.mark.parametrize(("analyte", "level"), [("sodium", "warning"), ("potassium", "info")])
def test_an_antidepressant_minds_sodium_alone(analyte: str, level: str) -> None:
    record = results(patient(), 1, analyte, said="out-of-range")
    assert remark(record, medicine("ssri")).level == level


@pytest.mark.parametrize("name", ["cns-stimulant", "dopaminergic-levodopa"])
def test_a_stimulant_minds_no_electrolyte(name: str) -> None:
    record = results(patient(), 1, "sodium", "potassium", said="critical")
    assert (remark(record, medicine(name)).level, remark(record, medicine(name)).abnormal) == ("info", ())


def test_a_medicine_taken_already_does_not_hide_what_the_draft_is() -> None:
    record = replace(results(patient(), 1, "potassium", said="low"), drugs=(drug("loop-diuretic"),))
    # Potassium is a matter of the diuretic.
    assert remark(record, medicine("ssri")).level == "info"


def test_a_recorded_disorder_without_a_result_counts() -> None:
    found = remark(patient(hypokalemia="examined"), medicine("loop-diuretic"))
    assert (found.level, found.disorders) == ("warning", ("hypokalemia",))


# A study.


@pytest.mark.parametrize("study", ["emg", "ncs", "mri-brain", "mri-spine"])
def test_a_study_that_no_row_asks_for(study: str) -> None:
    found = remark(patient(onset_days_ago=20, sites=["thigh"]), order(study))
    assert [action.id for action in found.unsupported] == [study.split("-")[0]]
    assert found.level == "info"


@pytest.mark.parametrize(
    ("study", "given"),
    [
        ("emg", {"weakness": "examined"}),
        ("ncs", {"weakness": "examined"}),
        ("emg", {"atrophy": "reported"}),
        ("ncs", {"sensory-loss": "examined"}),
        ("emg", {"lumbosacral-radiculopathy": "examined", "sites": ["calf"]}),
        ("mri-brain", {"coordination": "examined"}),
        ("mri-spine", {"coordination": "examined"}),
    ],
)
def test_a_study_that_a_row_asks_for_is_silent(study: str, given: dict[str, Any]) -> None:
    assert remarks(patient(**given), order(study)) == ()


@pytest.mark.parametrize(
    ("study", "given"),
    [
        ("emg", {"weakness": "reported"}),
        ("emg", {"coordination": "examined"}),
        ("ncs", {"sensory-loss": "reported"}),
        ("emg", {"lumbosacral-radiculopathy": "examined", "sites": ["hand"]}),
        ("mri-brain", {"coordination": "reported"}),
        ("mri-brain", {"weakness": "examined"}),
    ],
)
def test_a_neighbour_of_what_supports_it_does_not(study: str, given: dict[str, Any]) -> None:
    assert remark(patient(**given), order(study)).unsupported


@pytest.mark.parametrize(("age", "child"), [(15, True), (16, False)])
def test_a_study_of_a_child_is_for_the_paediatric_team(age: int, child: bool) -> None:
    found = remarks(patient(age_years=age, weakness="examined"), order("emg"))
    assert [bool(one.child) for one in found] == ([True] if child else [])


def test_a_study_of_a_child_who_is_to_be_referred_is_of_that_level() -> None:
    said = remark(patient(age_years=2, weakness="examined"), order("emg"))
    assert (said.level, [row.id for row in said.because]) == ("critical", ["child-weakness"])
    assert remark(patient(age_years=2), order("emg")).level == "info"


@pytest.mark.parametrize(("days", "answered"), [(180, True), (181, False)])
def test_a_study_done_in_the_last_half_year(days: int, answered: bool) -> None:
    done = replace(patient(), studies=(Study("emg", days_ago(days), "Procedure/emg"),))
    found = remark(done, order("emg"))
    assert (bool(found.answered), bool(found.unsupported)) == (answered, not answered)


@pytest.mark.parametrize(("days", "said"), [(365, True), (366, False)])
def test_a_study_that_is_pending(days: int, said: bool) -> None:
    record = pending(patient(weakness="examined"), "emg", days)
    assert bool(remarks(record, order("emg"))) is said


def test_an_urgent_study_is_no_duplicate_of_a_routine_one() -> None:
    record = pending(patient(weakness="examined"), "emg", 5, priority="routine")
    assert remarks(record, order("emg", priority="urgent")) == ()


def test_a_brain_that_was_imaged_does_not_answer_for_the_spine() -> None:
    done = replace(patient(), studies=(Study("mri-brain", days_ago(170), "Procedure/mri"),))
    assert remark(done, order("mri-brain")).answered
    assert remark(done, order("mri-spine")).unsupported


def test_a_sign_that_is_newer_than_the_study_asks_for_it_again() -> None:
    done = replace(patient(coordination="examined"), studies=(Study("mri-brain", days_ago(10), "P/mri"),))
    assert remarks(done, order("mri-brain")) == ()


# Blood tests.


@pytest.mark.parametrize(("days", "answered"), [(30, True), (31, False)])
@pytest.mark.parametrize("analyte", ELECTROLYTES)
def test_an_electrolyte_on_file_for_thirty_days(analyte: str, days: int, answered: bool) -> None:
    found = remarks(results(patient(), days, analyte), order(analyte))
    assert [[w.tests for w in one.answered] for one in found] == ([[(analyte,)]] if answered else [])


@pytest.mark.parametrize(("days", "answered"), [(90, True), (91, False)])
def test_tsh_on_file_for_ninety_days(days: int, answered: bool) -> None:
    assert bool(remarks(results(patient(), days, "tsh"), order("tsh"))) is answered


@pytest.mark.parametrize(("days", "kind"), [(90, "act-on"), (91, None)])
def test_tsh_out_of_range_is_acted_on(days: int, kind: str | None) -> None:
    found = remarks(results(patient(), days, "tsh", said="out-of-range"), order("tsh"))
    assert [w.kind for one in found for w in one.answered] == ([kind] if kind else [])
    assert [one.level for one in found] == (["warning"] if kind else [])


@pytest.mark.parametrize("said", ["out-of-range", "critical"])
def test_an_electrolyte_out_of_range_is_rightly_repeated(said: str) -> None:
    record = results(patient(), 1, "potassium", said=said)
    found = remarks(record, order(*ELECTROLYTES, priority="urgent"))
    assert found == ()


@pytest.mark.parametrize("priority", ["urgent", "asap", "stat"])
def test_an_urgent_order_is_not_called_needless(priority: str) -> None:
    record = results(patient(), 1, *ELECTROLYTES, "tsh")
    assert remarks(record, order("potassium", priority=priority)) == ()
    assert remarks(record, order("tsh", priority=priority)) == ()
    assert remark(record, order("potassium", priority="routine")).answered


def test_an_order_is_needless_only_as_a_whole() -> None:
    record = results(patient(), 1, "potassium", "sodium")
    assert remark(record, order("potassium", "sodium")).answered
    assert remarks(record, order("potassium", "sodium", "calcium")) == ()


def test_a_result_older_than_the_medicine_does_not_answer() -> None:
    old = results(patient(drugs={"loop-diuretic": "yes"}), 20, *ELECTROLYTES)
    started = tuple(replace(one, start=replace(one.start, latest=days_ago(10))) for one in old.drugs)
    assert remarks(replace(old, drugs=started), order(*ELECTROLYTES)) == ()
    assert remark(old, order(*ELECTROLYTES)).answered


@pytest.mark.parametrize(("days", "said"), [(90, True), (91, False)])
def test_an_electrolyte_that_is_pending(days: int, said: bool) -> None:
    assert bool(remarks(pending(patient(), "potassium", days), order("potassium"))) is said


def test_a_routine_order_does_not_make_an_urgent_one_needless() -> None:
    record = pending(patient(), "potassium", 1, priority="routine")
    assert remarks(record, order("potassium", priority="stat")) == ()
    urgent = pending(patient(), "potassium", 1, priority="urgent")
    assert remark(urgent, order("potassium", priority="stat")).answered


def test_what_an_order_leaves_out() -> None:
    found = remark(patient(onset_days_ago=15, sites=["thigh"]), order("potassium"))
    assert found.left_out == ("sodium", "calcium", "magnesium")
    assert found.level == "warning"
    assert [row.id for row in found.because] == ["persistent"]


def test_nothing_is_left_out_where_no_row_asks() -> None:
    assert remarks(patient(onset_days_ago=14, sites=["thigh"]), order("potassium")) == ()


def test_what_is_pending_or_on_file_is_not_left_out() -> None:
    record = results(pending(patient(onset_days_ago=15, sites=["thigh"]), "sodium", 5), 5, "calcium")
    assert remark(record, order("potassium")).left_out == ("magnesium",)


def test_a_dangerous_value_makes_the_order_urgent() -> None:
    record = results(patient(), 0, "potassium", said="critical")
    found = remark(record, order(*ELECTROLYTES))
    assert (found.level, found.make_urgent, found.left_out) == ("critical", True, ())
    some = remark(record, order("potassium", priority="urgent"))
    assert (some.level, some.make_urgent, some.urgent) == ("critical", False, True)
    assert some.left_out == ("sodium", "calcium", "magnesium")


def test_a_routine_referral_where_an_urgent_one_is_needed() -> None:
    record = patient(bulbar="examined")
    found = remark(record, order("neurology-referral"))
    assert (found.level, found.make_urgent) == ("critical", True)
    assert remarks(record, order("neurology-referral", priority="urgent")) == ()


def test_a_referral_that_nobody_asked_for_is_no_matter() -> None:
    assert remarks(patient(), order("neurology-referral")) == ()


def test_the_level_never_exceeds_that_of_the_decision() -> None:
    # Everything that duration asks for is in range or ordered: the table then says info.
    record = pending(results(patient(onset_days_ago=15, sites=["thigh"]), 5, *ELECTROLYTES), "tsh", 5)
    decision = decide(with_drafts(record, order("tsh")), TABLE)
    assert decision.level == "info"
    assert [one.level for one in remarks_of(decision, TABLE)] == ["info"]


# Which drafts are spoken about.


def test_only_the_selected_drafts_are_spoken_about() -> None:
    chosen, other = medicine("ssri"), medicine("loop-diuretic", name="other", selected=False)
    assert [one.draft for one in remarks(patient(), other, chosen)] == [chosen]


def test_the_drafts_keep_their_order() -> None:
    drafts = (order("emg"), medicine("ssri"), order("ncs", name="second"))
    assert [one.draft for one in remarks(patient(), *drafts)] == list(drafts)


@pytest.mark.parametrize(
    ("draft", "matters"),
    [
        (medicine("ssri"), True),
        (medicine("ssri", selected=False), False),
        (medicine("other-statin"), False),
        (Draft("MedicationRequest/rx"), False),
        (order("potassium"), True),
        (order("mri-brain"), True),
        (order("glucose"), False),
    ],
)
def test_whether_a_draft_can_matter(draft: Draft, matters: bool) -> None:
    assert drafts_matter([draft], TABLE) is matters
