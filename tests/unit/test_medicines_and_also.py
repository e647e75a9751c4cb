"""Below the rule: the medicines that a row reads, and each disease once, in the record's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fhir_mappings.record import Basis, Drug, Evidence, Finding, Order, Record, Status
from service.cards.also_known import AlsoKnown
from service.cards.medicine_lines import MedicineLines
from service.cards.to_do import ToDo
from tests.knowledge.patients import days_ago, drug, record_of_example, result
from tests.unit.one_card import ABSENT, KNOWLEDGE, card, decided

FINDINGS = KNOWLEDGE.terminology.findings


def medicines(record: Record) -> list[str]:
    decision = decided(record)
    return MedicineLines(decision, KNOWLEDGE, ToDo(decision, KNOWLEDGE)).texts()


def also(findings: Mapping[str, Finding]) -> str:
    record = record_of_example({"onset_days_ago": 5, **ABSENT})
    record = replace(record, findings={**record.findings, **findings})
    return "; ".join(AlsoKnown(decided(record), KNOWLEDGE).texts())


def listed(
    name: str, words: str, days: int = 400, reference: str = "Condition/d", *, past: bool = False
) -> Finding:
    """A diagnosis on the problem list in those words; past: it does not speak any more."""
    status = Status.PRESENT
    evidence = Evidence(
        reference, "Condition.code", words, status, Basis.LISTED, days_ago(days), history=past
    )
    if past:
        return Finding(name, Status.UNKNOWN, evidence=(evidence,))
    return Finding(name, status, Basis.LISTED, recorded=days_ago(days), evidence=(evidence,))


def unread(name: str) -> Drug:
    return replace(drug(name), classes=frozenset())


def test_a_medicine_that_a_row_reads_is_never_called_not_judged() -> None:
    names = sorted(frozenset().union(*(row.drug_classes for row in KNOWLEDGE.table.rows)))[:9]
    record = replace(record_of_example(ABSENT), drugs=(*map(drug, names), unread("paracetamol")))
    texts = medicines(record)
    assert texts[-1] == "1 other medicine, not judged"
    assert len(texts) == 8
    assert all(any(text.startswith(name) or name in text for text in texts) for name in names)
    assert medicines(replace(record, drugs=record.drugs[:9]))[-1] == texts[-2]


def test_a_medicine_that_explains_a_result_comes_first() -> None:
    others = ["ssri", "snri", "cns-stimulant", "other-lithium", "dopaminergic-agonist"]
    known = KNOWLEDGE.terminology.medications.class_labels
    taken = [drug(name) for name in others if name in known]
    record = replace(
        record_of_example(ABSENT),
        drugs=(*taken, drug("potassium-sparing-diuretic", "no")),
        results=(result("potassium", "high"),),
    )
    explaining = medicines(record)
    assert any(text.startswith("potassium-sparing-diuretic") for text in explaining[:1])
    # Without a result the timing decides.
    assert medicines(replace(record, results=()))[-1].startswith("potassium-sparing-diuretic")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Chronic obstructive lung disease (disorder)", "Chronic obstructive lung disease"),
        ("COPD", "COPD"),
        ("COPD *severe*", "COPD \\*severe\\*"),
        ("J44.9", "COPD or obesity hypoventilation"),
        ("", "COPD or obesity hypoventilation"),
    ],
)
def test_a_label_of_several_diseases_is_the_one_that_is_recorded(words: str, shown: str) -> None:
    assert also({"lung-disease": listed("lung-disease", words)}) == shown


def test_dialysis_is_said_once() -> None:
    both = {
        name: listed(name, "Dialysis dependence") for name in ("chronic-kidney-disease", "kidney-failure")
    }
    assert also(both) == "Dialysis dependence"
    other = listed("chronic-kidney-disease", "CKD stage 5", reference="Condition/other")
    evidence = both["kidney-failure"].evidence + other.evidence
    both["chronic-kidney-disease"] = replace(other, evidence=evidence)
    assert "ialysis dependence" in also(both)
    assert "CKD stage 5" in also(both)


def test_an_acute_state_that_is_over_is_said_once() -> None:
    words = "Guillain-Barré syndrome"
    findings = {
        "guillain-barre": listed("guillain-barre", words, 20, past=True),
        "guillain-barre-past": listed("guillain-barre-past", words, 20),
    }
    assert also(findings) == FINDINGS["guillain-barre-past"].label
    # One that stands in the actions is not in the past.
    findings["guillain-barre"] = listed("guillain-barre", words, 2)
    assert also(findings) == ""


def test_tests_on_file_are_not_repeated() -> None:
    done = tuple(result(name, "in-range") for name in KNOWLEDGE.table.actions["electrolytes"].analytes)
    record = replace(record_of_example({"onset_days_ago": 20, **ABSENT}), results=done)
    detail = card(record)["detail"]
    assert "**Not repeated:** " in detail
    assert "Not again" not in detail


def test_the_words_of_the_record_stand_for_findings_that_exist() -> None:
    assert KNOWLEDGE.wording.own_words <= set(FINDINGS)


def test_a_steroid_is_not_said_to_cause_twitching() -> None:
    effect = KNOWLEDGE.wording.texts["effects.corticosteroid.says"]
    assert "twitch" not in effect
    assert "potassium" in effect


def line_of(record: Record, heading: str) -> str:
    """The line of the detail with that heading, without it."""
    detail: str = card(record)["detail"]
    (found,) = [line for line in detail.splitlines() if line.startswith(heading)]
    return found.removeprefix(heading)


def because(record: Record) -> str:
    return line_of(record, "**Because:** ")


def test_a_competing_cause_argues_for_nothing() -> None:
    given = {"weakness": "examined", "breathing-difficulty": "examined", "lung-disease": "listed"}
    record = record_of_example(given)
    assert "respiratory-with-other-cause" in {row.id for row in decided(record).rows}
    assert "breathing difficulty" in because(record)
    assert "lung-disease" not in because(record)
    assert "**Also:** Lung-disease." in card(record)["detail"]


def test_a_deciding_diagnosis_stands_in_the_words_of_the_record() -> None:
    record = record_of_example({"kidney-failure": "listed", "onset_days_ago": 20, **ABSENT})
    own = listed("kidney-failure", "Dialysis dependence *since* 2020")
    record = replace(record, findings={**record.findings, "kidney-failure": own})
    assert "dialysis dependence \\*since\\*" in because(record)
    assert "end-stage" not in card(record)["detail"]
    assert "*" not in card(record)["summary"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Hyperthyroidism", "hyperthyroidism"),
        ("Graves disease (disorder)", "Graves disease"),
        ("Basedow's disease", "Basedow's disease"),
        ("Gravestone thyroid", "gravestone thyroid"),
        ("TSH receptor disease", "TSH receptor disease"),
        ("E05.9", "thyroid disease"),
    ],
)
def test_within_a_sentence_a_person_keeps_the_capital(words: str, shown: str) -> None:
    record = record_of_example({"thyroid-disease": "listed", "onset_days_ago": 20, **ABSENT})
    own = listed("thyroid-disease", words)
    assert because(replace(record, findings={**record.findings, "thyroid-disease": own})).startswith(shown)


def not_repeated(record: Record) -> str:
    return line_of(record, "**Not repeated:** ")


def test_the_day_of_a_result_is_said_once() -> None:
    record = replace(
        record_of_example({"onset_days_ago": 20, **ABSENT}), results=(result("tsh", "in-range"),)
    )
    assert not_repeated(record) == "TSH done."
    assert "(2026-11-24, in range)" in card(record)["detail"]


def test_the_day_of_pending_tests_is_said_once() -> None:
    tests = frozenset({*KNOWLEDGE.table.actions["electrolytes"].analytes, "tsh"})
    ordered = Order(tests, days_ago(3), "routine", reference="ServiceRequest/o")
    record = replace(record_of_example({"onset_days_ago": 20, **ABSENT}), orders=(ordered,))
    assert "Tests pending since 21 Nov." in card(record)["detail"]
    assert not_repeated(record) == "sodium, potassium, calcium, magnesium, TSH ordered."
    # Where something is still to be done, nothing above names the day.
    some = replace(record, orders=(replace(ordered, tests=frozenset({"tsh"})),))
    assert not_repeated(some) == "TSH ordered 2026-11-21."
