"""Section 3: one thing is recorded beside the twitch, and nothing else: exactly these rows hold.

Written from the decision model, not from the table. An adult; nothing is known that does not stand here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Record
from tests.knowledge.patients import drug, record_of_example, result
from tests.spec.outcomes import exactly, rows_of

# Nothing asks for a test and no sign is recorded.
QUIET = "self-care nothing-calls-for-tests"


@pytest.mark.parametrize(
    ("finding", "examined", "reported"),
    [
        ("weakness", "weakness", "weakness-reported"),
        ("atrophy", "atrophy", "atrophy"),
        ("sensory-loss", "sensory-loss", "sensory-loss-reported"),
        ("coordination", "coordination", "coordination-reported"),
        ("movement", "movement", "movement"),
        ("tingling", "tingling self-care", "tingling self-care"),
        ("pain", "pain self-care", "pain self-care"),
        ("cramps", "pain self-care", "pain self-care"),
        ("bulbar", "bulbar", "bulbar"),
        ("orthopnea", "respiratory", "respiratory"),
        ("breathing-difficulty", QUIET, QUIET),
        ("stiffness", QUIET, QUIET),
        ("low-tone", QUIET, QUIET),
        ("motor-regression", QUIET, QUIET),
        ("thyroid-disease", "thyroid-disease self-care", "thyroid-disease self-care"),
        ("multiple-sclerosis", "multiple-sclerosis self-care", "multiple-sclerosis self-care"),
        (
            "family-neurological",
            f"family-history {QUIET}",
            f"family-history {QUIET}",
        ),
        ("malabsorption", QUIET, QUIET),
        ("bariatric-surgery", QUIET, QUIET),
        ("restrictive-diet", QUIET, QUIET),
        ("lumbosacral-radiculopathy", QUIET, QUIET),
        ("nerve-root-disorder", QUIET, QUIET),
        ("heart-failure", QUIET, QUIET),
        ("chronic-kidney-disease", QUIET, QUIET),
        ("diabetes", QUIET, QUIET),
        ("diabetic-neuropathy", QUIET, QUIET),
        ("peripheral-neuropathy", QUIET, QUIET),
        ("pregnancy", QUIET, QUIET),
        ("low-b12", QUIET, QUIET),
        ("anxiety", QUIET, QUIET),
        ("stress", QUIET, QUIET),
        ("sleep", QUIET, QUIET),
        ("exertion", QUIET, QUIET),
        ("caffeine", QUIET, QUIET),
        ("tobacco", QUIET, QUIET),
        ("dehydration", QUIET, QUIET),
    ],
)
def test_a_finding(finding: str, examined: str, reported: str) -> None:
    exactly(record_of_example({finding: "examined"}), examined)
    exactly(record_of_example({finding: "reported"}), reported)
    exactly(record_of_example({finding: "absent"}), QUIET)


@pytest.mark.parametrize(
    "disorder",
    [
        "hypokalemia",
        "hyperkalemia",
        "hyponatremia",
        "hypernatremia",
        "hypocalcemia",
        "hypercalcemia",
        "hypomagnesemia",
        "hypermagnesemia",
        "calcium-disorder",
        "magnesium-disorder",
        "electrolyte-imbalance",
    ],
)
def test_a_recorded_electrolyte_disorder(disorder: str) -> None:
    exactly(record_of_example({disorder: "examined"}), "electrolyte-abnormal self-care")


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ({"onset_days_ago": 14}, QUIET),
        ({"onset_days_ago": 15}, "persistent self-care"),
        ({"onset_days_ago": 14, "sites": ["hand"]}, QUIET),
        ({"onset_days_ago": 15, "sites": ["hand"]}, "persistent self-care"),
        ({"onset_days_ago": 28, "sites": ["hand"]}, "persistent self-care"),
        ({"onset_days_ago": 90, "sites": ["hand"]}, "persistent self-care"),
        ({"onset_days_ago": 91, "sites": ["hand"]}, "persistent self-care"),
        ({"onset_days_ago": 15, "sites": ["eyelid"]}, QUIET),
        ({"onset_days_ago": 90, "sites": ["eyelid"]}, QUIET),
        ({"onset_days_ago": 91, "sites": ["eyelid"]}, "eyelid-long self-care"),
        # an unknown site is not an isolated eyelid
        ({"onset_days_ago": 91}, "persistent self-care"),
        ({"onset_days_ago": 15, "sites": ["eyelid", "hand"]}, "persistent self-care"),
        ({"sites": ["eyelid"]}, QUIET),
        ({"sites": ["face"]}, QUIET),
        ({"sites": ["hand"]}, QUIET),
        ({"sites": ["calf"]}, QUIET),
        ({"sites": ["trunk"]}, QUIET),
        ({"sites": ["tongue"]}, "bulbar"),
        ({"sites": ["hand", "forearm"]}, QUIET),
        ({"sites": ["eyelid", "hand"]}, QUIET),
        ({"sites": ["hand", "calf"]}, "widespread self-care"),
        ({"sites": ["face", "trunk"]}, "widespread self-care"),
        ({"courses": ["worsening"]}, "widespread self-care"),
        ({"courses": ["spreading"]}, "widespread self-care"),
        ({"courses": ["continuous"]}, QUIET),
        ({"courses": ["intermittent"]}, QUIET),
        ({"courses": ["stable"]}, QUIET),
        ({"age_years": 16}, QUIET),
        ({"age_years": 15}, f"child {QUIET}"),
    ],
    ids=str,
)
def test_time_site_course_and_age(given: dict[str, Any], rows: str) -> None:
    exactly(record_of_example(given), rows)


@pytest.mark.parametrize(
    ("drug_class", "row", "asks_for_a_test"),
    [
        ("thiazide-diuretic", "diuretic-depleting", True),
        ("loop-diuretic", "diuretic-depleting", True),
        ("carbonic-anhydrase-inhibitor", "diuretic-depleting", True),
        ("diuretic-other", "diuretic-depleting", True),
        ("potassium-sparing-diuretic", "diuretic-sparing", True),
        ("corticosteroid-systemic", "corticosteroid", True),
        ("corticosteroid-mineralocorticoid", "corticosteroid", True),
        ("beta2-agonist-short", "beta-agonist", True),
        ("beta2-agonist-long", "beta-agonist", True),
        ("xanthine", "beta-agonist", True),
        ("ssri", "antidepressant", False),
        ("snri", "antidepressant", False),
        ("antidepressant-tricyclic", "antidepressant", False),
        ("antidepressant-maoi", "antidepressant", False),
        ("antidepressant-other", "antidepressant", False),
        ("cns-stimulant", "stimulant", False),
        ("dopaminergic-levodopa", "dopaminergic", False),
        ("dopaminergic-agonist", "dopaminergic", False),
        ("dopaminergic-maob", "dopaminergic", False),
        ("dopaminergic-comt", "dopaminergic", False),
        ("dopaminergic-amantadine", "dopaminergic", False),
        # inhaled, topical, gut-local and ophthalmic classes and all others fire nothing
        ("corticosteroid-inhaled", "", False),
        ("corticosteroid-topical-local", "", False),
        ("corticosteroid-gut-local", "", False),
        ("carbonic-anhydrase-inhibitor-ophthalmic", "", False),
        ("asthma-other", "", False),
        ("caffeine", "", False),
        ("als-riluzole", "", False),
        ("other-cholinesterase-inhibitor", "", False),
        ("other-lithium", "", False),
        ("other-ppi", "", False),
        ("other-statin", "", False),
        ("other-succinylcholine", "", False),
    ],
)
def test_a_medicine(drug_class: str, row: str, asks_for_a_test: bool) -> None:
    rest = "self-care" if asks_for_a_test else QUIET
    for plausible in ("yes", "possible"):
        # stopped since the onset is still yes: taken when it began
        for current in (True, False):
            one = replace(record_of_example({}), drugs=(drug(drug_class, plausible, current=current),))
            exactly(one, f"{row} {rest}")
    ruled_out = replace(record_of_example({}), drugs=(drug(drug_class, "no"),))
    exactly(ruled_out, QUIET)


@pytest.mark.parametrize(
    ("analyte", "band", "rows"),
    [
        *(
            (analyte, band, "electrolyte-abnormal self-care")
            for analyte in ("sodium", "potassium", "calcium", "calcium-ionised", "magnesium")
            for band in ("low", "high", "out-of-range")
        ),
        *(
            (analyte, "critical", "electrolyte-abnormal electrolyte-critical")
            for analyte in ("sodium", "potassium", "calcium", "magnesium")
        ),
        ("vitamin-b12", "low", "b12-low self-care"),
        ("vitamin-b12", "high", QUIET),
        ("tsh", "low", "thyroid-abnormal self-care"),
        ("tsh", "high", "thyroid-abnormal self-care"),
        ("free-t4", "out-of-range", "thyroid-abnormal self-care"),
        ("total-t4", "out-of-range", "thyroid-abnormal self-care"),
        ("creatine-kinase", "high", QUIET),
        ("vitamin-d", "low", QUIET),
        ("zinc", "low", QUIET),
        ("hba1c", "high", QUIET),
        ("egfr", "low", QUIET),
    ],
)
def test_a_result(analyte: str, band: str, rows: str) -> None:
    exactly(replace(record_of_example({}), results=(result(analyte, band),)), rows)
    for said in ("in-range", "not-judged"):
        exactly(replace(record_of_example({}), results=(result(analyte, said),)), QUIET)


@pytest.mark.parametrize(
    ("analyte", "band", "row", "days"),
    [
        ("sodium", "out-of-range", "electrolyte-abnormal", 180),
        ("potassium", "critical", "electrolyte-critical", 30),
        # what was critical is out of range for the rest of half a year
        ("potassium", "critical", "electrolyte-abnormal", 180),
        ("vitamin-b12", "low", "b12-low", 365),
        ("tsh", "high", "thyroid-abnormal", 365),
        ("free-t4", "low", "thyroid-abnormal", 365),
    ],
)
def test_how_long_a_result_speaks(analyte: str, band: str, row: str, days: int) -> None:
    def on(day: int) -> Record:
        return replace(record_of_example({}), results=(result(analyte, band, day),))

    assert row in rows_of(on(days))
    assert row not in rows_of(on(days + 1))
