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

ALONE = "not-examined"
NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}
# The examination is normal, and nothing asks for a test.
QUIET = "self-care nothing-calls-for-tests"
# Duration known and short, too: the pattern is called benign.
BENIGN = f"{QUIET} benign"


@pytest.mark.parametrize(
    ("finding", "examined", "reported"),
    [
        ("weakness", "weakness", "weakness-reported"),
        ("atrophy", "atrophy", "atrophy-reported"),
        ("sensory-loss", "sensory-loss", "sensory-loss-reported"),
        ("coordination", "coordination", "coordination-reported"),
        ("movement", "movement", "movement"),
        ("rigidity", "rigidity", "rigidity-reported"),
        ("upper-motor-sign", "upper-motor-sign", "upper-motor-sign-reported"),
        ("tingling", "tingling", "tingling"),
        ("pain", "pain", "pain"),
        ("cramps", "pain", "pain"),
        ("stiffness", "", ""),
        ("bulbar", "bulbar bulbar-named", "bulbar"),
        ("orthopnea", "", ""),
        ("breathing-difficulty", "", ""),
        ("low-tone", "", ""),
        ("motor-regression", "", ""),
        ("thyroid-disease", "thyroid-disease", "thyroid-disease"),
        ("multiple-sclerosis", "multiple-sclerosis", "multiple-sclerosis"),
        ("peripheral-neuropathy", "known-neuromuscular", "known-neuromuscular"),
        ("multifocal-motor-neuropathy", "known-neuromuscular", "known-neuromuscular"),
        ("neuromyotonia", "known-neuromuscular", "known-neuromuscular"),
        ("post-polio", "known-neuromuscular", "known-neuromuscular"),
        ("abnormal-emg", "known-neuromuscular", "known-neuromuscular"),
        ("guillain-barre-past", "known-neuromuscular", "known-neuromuscular"),
        ("guillain-barre", "emergency-diagnosis", "emergency-diagnosis"),
        ("cauda-equina", "emergency-diagnosis", "emergency-diagnosis"),
        ("cholinergic-poisoning", "emergency-diagnosis", "emergency-diagnosis"),
        ("lithium-poisoning", "lithium-toxicity", "lithium-toxicity"),
        ("alcohol-withdrawal", "withdrawal", "withdrawal"),
        ("kidney-failure", "kidney-failure", "kidney-failure"),
        ("hypoparathyroidism", "parathyroid-disease", "parathyroid-disease"),
        ("hyperparathyroidism", "parathyroid-disease", "parathyroid-disease"),
        ("family-neurological", "family-history", "family-history"),
        ("malabsorption", "", ""),
        ("bariatric-surgery", "", ""),
        ("restrictive-diet", "", ""),
        ("lumbosacral-radiculopathy", "", ""),
        ("cervical-radiculopathy", "", ""),
        ("arm-nerve", "", ""),
        ("lung-disease", "", ""),
        ("central-lesion", "", ""),
        ("heart-failure", "", ""),
        ("chronic-kidney-disease", "", ""),
        ("diabetes", "", ""),
        ("pregnancy", "", ""),
        ("low-b12", "", ""),
        ("anxiety", "", ""),
        ("stress", "", ""),
        ("sleep", "", ""),
        ("exertion", "", ""),
        ("caffeine", "", ""),
        ("tobacco", "", ""),
        ("dehydration", "", ""),
    ],
)
def test_a_finding(finding: str, examined: str, reported: str) -> None:
    exactly(record_of_example({finding: "examined"}), f"{ALONE} {examined}")
    # What stands on a problem list counts as examined.
    exactly(record_of_example({finding: "listed"}), f"{ALONE} {examined}")
    exactly(record_of_example({finding: "reported"}), f"{ALONE} {reported}")
    exactly(record_of_example({finding: "absent"}), ALONE)
    exactly(record_of_example({finding: "absent-not-examined"}), ALONE)


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
    for days, row in ((90, "electrolyte-disorder"), (91, "electrolyte-disorder-old")):
        exactly(record_of_example({disorder: "listed", "recorded_days_ago": days}), f"{ALONE} {row}")


class TestExamination:
    """Strength, bulk and sensation are examined, or somebody has to examine them."""

    def test_all_three_absent_on_examination(self) -> None:
        exactly(record_of_example(NORMAL), QUIET)

    @pytest.mark.parametrize("sign", NORMAL)
    def test_one_is_missing(self, sign: str) -> None:
        for said in ("absent-not-examined", None):
            given = {name: value for name, value in {**NORMAL, sign: said}.items() if value}
            exactly(record_of_example(given), ALONE)
        assert ALONE in rows_of(record_of_example({**NORMAL, sign: "listed"}))
        assert ALONE in rows_of(record_of_example({**NORMAL, sign: "reported"}))
        assert ALONE not in rows_of(record_of_example({**NORMAL, sign: "examined"}))

    def test_an_eyelid_alone_needs_none(self) -> None:
        exactly(record_of_example({"sites": ["eyelid"]}), QUIET)
        exactly(record_of_example({"sites": ["eyelid", "hand"]}), ALONE)


class TestBenign:
    """A normal examination, a known and short duration, and nothing else on record against it."""

    def test_it_needs_a_known_short_duration(self) -> None:
        exactly(record_of_example({**NORMAL, "onset_days_ago": 14}), BENIGN)
        assert "benign" not in rows_of(record_of_example({**NORMAL, "onset_days_ago": 15}))
        assert "benign" not in rows_of(record_of_example(NORMAL))

    def test_an_eyelid_may_last_for_ninety_days(self) -> None:
        lid = {**NORMAL, "sites": ["eyelid"]}
        exactly(record_of_example({**lid, "onset_days_ago": 90}), BENIGN)
        assert "benign" not in rows_of(record_of_example({**lid, "onset_days_ago": 91}))
        # Nobody has to examine it, but then it is not called benign.
        exactly(record_of_example({"sites": ["eyelid"], "onset_days_ago": 20}), QUIET)

    @pytest.mark.parametrize(
        "trigger", ["caffeine", "sleep", "stress", "anxiety", "exertion", "dehydration", "tobacco"]
    )
    def test_beside_a_trigger(self, trigger: str) -> None:
        exactly(record_of_example({**NORMAL, "onset_days_ago": 5, trigger: "reported"}), BENIGN)

    def test_beside_a_pregnancy(self) -> None:
        exactly(record_of_example({**NORMAL, "onset_days_ago": 5, "pregnancy": "listed"}), BENIGN)

    @pytest.mark.parametrize("basis", ["examined", "listed", "reported"])
    @pytest.mark.parametrize(
        "other",
        ["coordination", "stiffness", "orthopnea", "tingling", "diabetes", "heart-failure", "low-b12"],
    )
    def test_not_beside_anything_else(self, other: str, basis: str) -> None:
        given = {**NORMAL, "onset_days_ago": 5, other: basis}
        assert "benign" not in rows_of(record_of_example(given))

    def test_not_a_continuous_twitch(self) -> None:
        given = {**NORMAL, "onset_days_ago": 5}
        exactly(record_of_example({**given, "courses": ["intermittent"]}), BENIGN)
        exactly(record_of_example({**given, "courses": ["continuous"]}), QUIET)


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ({"onset_days_ago": 14}, ""),
        ({"onset_days_ago": 15}, "persistent"),
        ({"onset_days_ago": 14, "sites": ["hand"]}, ""),
        ({"onset_days_ago": 15, "sites": ["hand"]}, "persistent"),
        ({"onset_days_ago": 91, "sites": ["hand"]}, "persistent"),
        # an unknown site is not an isolated eyelid
        ({"onset_days_ago": 91}, "persistent"),
        ({"onset_days_ago": 15, "sites": ["eyelid", "hand"]}, "persistent"),
        ({"sites": ["face"]}, ""),
        ({"sites": ["hand"]}, ""),
        ({"sites": ["calf"]}, ""),
        ({"sites": ["trunk"]}, ""),
        ({"sites": ["tongue"]}, "bulbar bulbar-named"),
        ({"sites": ["hand", "forearm"]}, ""),
        ({"sites": ["eyelid", "hand"]}, ""),
        ({"sites": ["hand", "calf"]}, "widespread"),
        ({"sites": ["face", "trunk"]}, "widespread"),
        ({"courses": ["worsening"]}, "progressing"),
        ({"courses": ["spreading"]}, "progressing"),
        ({"courses": ["continuous"]}, ""),
        ({"courses": ["intermittent"]}, ""),
        ({"courses": ["stable"]}, ""),
        ({"age_years": 16}, ""),
        ({"age_years": 15}, "child"),
        ({"age_years": 60}, ""),
    ],
    ids=str,
)
def test_time_site_course_and_age(given: dict[str, Any], rows: str) -> None:
    exactly(record_of_example(given), f"{ALONE} {rows}")


@pytest.mark.parametrize(
    ("days", "rows"),
    [(15, QUIET), (90, QUIET), (91, "eyelid-long self-care")],
)
def test_an_eyelid_alone(days: int, rows: str) -> None:
    found = rows_of(record_of_example({"onset_days_ago": days, "sites": ["eyelid"]}))
    assert found - {"nothing-calls-for-tests"} == set(rows.split()) - {"nothing-calls-for-tests"}


class TestNormalExamination:
    """What is calm once the examination is normal, and what is not."""

    @pytest.mark.parametrize(
        ("given", "rows"),
        [
            ({"onset_days_ago": 15}, "persistent self-care"),
            ({"sites": ["hand", "calf"]}, "widespread self-care"),
            ({"tingling": "reported"}, "tingling self-care"),
            ({"pain": "reported"}, "pain self-care"),
            ({"courses": ["worsening"]}, "progressing progressing-normal"),
        ],
        ids=str,
    )
    def test_rows(self, given: dict[str, Any], rows: str) -> None:
        exactly(record_of_example({**NORMAL, **given}), rows)

    @pytest.mark.parametrize(
        ("age", "onset", "fires"),
        [(60, 365, True), (60, 366, False), (59, 365, False), (60, 3, True)],
    )
    def test_new_after_sixty(self, age: int, onset: int, fires: bool) -> None:
        given = {"age_years": age, "onset_days_ago": onset}
        assert ("new-after-60" in rows_of(record_of_example({**NORMAL, **given}))) is fires
        assert "new-after-60" not in rows_of(record_of_example(given))
        lid = {**NORMAL, **given, "sites": ["eyelid"]}
        assert "new-after-60" not in rows_of(record_of_example(lid))

    def test_new_after_sixty_keeps_it_benign(self) -> None:
        given = {**NORMAL, "age_years": 60, "onset_days_ago": 5}
        exactly(record_of_example(given), f"{BENIGN} new-after-60")


@pytest.mark.parametrize(
    ("drug_class", "row"),
    [
        ("thiazide-diuretic", "diuretic-depleting"),
        ("loop-diuretic", "diuretic-depleting"),
        ("carbonic-anhydrase-inhibitor", "diuretic-depleting"),
        ("diuretic-other", "diuretic-depleting"),
        ("potassium-sparing-diuretic", "diuretic-sparing"),
        ("corticosteroid-systemic", "corticosteroid"),
        ("corticosteroid-mineralocorticoid", "corticosteroid"),
        ("beta2-agonist-short", "beta-agonist"),
        ("beta2-agonist-long", "beta-agonist"),
        ("xanthine", "beta-agonist"),
        ("ssri", "antidepressant"),
        ("snri", "antidepressant"),
        ("antidepressant-tricyclic", "antidepressant"),
        ("antidepressant-maoi", "antidepressant"),
        ("antidepressant-other", "antidepressant"),
        ("cns-stimulant", "stimulant"),
        ("dopaminergic-levodopa", "dopaminergic"),
        ("dopaminergic-agonist", "dopaminergic"),
        ("dopaminergic-maob", "dopaminergic"),
        ("dopaminergic-comt", "dopaminergic"),
        ("dopaminergic-amantadine", "dopaminergic"),
        ("other-lithium", "lithium"),
        ("other-cholinesterase-inhibitor", "cholinesterase-inhibitor"),
        # inhaled, topical, gut-local and ophthalmic classes and all others fire nothing
        ("corticosteroid-inhaled", ""),
        ("corticosteroid-topical-local", ""),
        ("corticosteroid-gut-local", ""),
        ("carbonic-anhydrase-inhibitor-ophthalmic", ""),
        ("asthma-other", ""),
        ("caffeine", ""),
        ("als-riluzole", ""),
        ("other-ppi", ""),
        ("other-statin", ""),
        ("other-succinylcholine", ""),
    ],
)
def test_a_medicine(drug_class: str, row: str) -> None:
    for plausible in ("yes", "possible"):
        # stopped since the onset is still yes: taken when it began
        for current in (True, False):
            one = replace(record_of_example({}), drugs=(drug(drug_class, plausible, current=current),))
            exactly(one, f"{ALONE} {row}")
    ruled_out = replace(record_of_example({}), drugs=(drug(drug_class, "no"),))
    exactly(ruled_out, ALONE)


@pytest.mark.parametrize(
    ("analyte", "band", "rows"),
    [
        *(
            (analyte, band, "electrolyte-abnormal")
            for analyte in ("sodium", "potassium", "calcium", "calcium-ionised", "magnesium")
            for band in ("low", "high", "out-of-range")
        ),
        *(
            (analyte, "critical", "electrolyte-abnormal electrolyte-critical")
            for analyte in ("sodium", "potassium", "calcium", "calcium-ionised", "magnesium")
        ),
        ("vitamin-b12", "low", "b12-low"),
        ("vitamin-b12", "high", ""),
        ("tsh", "low", "thyroid-abnormal"),
        ("tsh", "high", "thyroid-abnormal"),
        ("free-t4", "out-of-range", "thyroid-abnormal"),
        ("total-t4", "out-of-range", "thyroid-abnormal"),
        ("creatine-kinase", "high", ""),
        ("creatine-kinase", "critical", "muscle-breakdown"),
        ("lithium", "high", "lithium-high"),
        ("lithium", "low", ""),
        ("lithium", "critical", "lithium-toxicity"),
        ("vitamin-d", "low", ""),
        ("zinc", "low", ""),
        ("hba1c", "high", ""),
        ("egfr", "low", ""),
    ],
)
def test_a_result(analyte: str, band: str, rows: str) -> None:
    exactly(replace(record_of_example({}), results=(result(analyte, band),)), f"{ALONE} {rows}")
    for said in ("in-range", "not-judged"):
        exactly(replace(record_of_example({}), results=(result(analyte, said),)), ALONE)


@pytest.mark.parametrize(
    ("analyte", "band", "row", "days"),
    [
        ("sodium", "out-of-range", "electrolyte-abnormal", 90),
        ("sodium", "out-of-range", "electrolyte-abnormal-old", 180),
        ("potassium", "critical", "electrolyte-critical", 30),
        # what was critical is out of range afterwards
        ("potassium", "critical", "electrolyte-abnormal", 90),
        ("potassium", "critical", "electrolyte-abnormal-old", 180),
        ("vitamin-b12", "low", "b12-low", 365),
        ("tsh", "high", "thyroid-abnormal", 90),
        ("tsh", "high", "thyroid-abnormal-old", 365),
        ("free-t4", "low", "thyroid-abnormal-old", 365),
        ("creatine-kinase", "critical", "muscle-breakdown", 30),
        ("lithium", "critical", "lithium-toxicity", 30),
        ("lithium", "high", "lithium-high", 90),
    ],
)
def test_how_long_a_result_speaks(analyte: str, band: str, row: str, days: int) -> None:
    def on(day: int) -> Record:
        return replace(record_of_example({}), results=(result(analyte, band, day),))

    assert row in rows_of(on(days))
    assert row not in rows_of(on(days + 1))


@pytest.mark.parametrize(
    ("recent", "old", "analyte"),
    [
        ("electrolyte-abnormal", "electrolyte-abnormal-old", "sodium"),
        ("thyroid-abnormal", "thyroid-abnormal-old", "tsh"),
    ],
)
def test_a_recent_result_is_no_old_one(recent: str, old: str, analyte: str) -> None:
    for days, row in ((90, recent), (91, old)):
        record = replace(record_of_example({}), results=(result(analyte, "high", days),))
        assert rows_of(record) & {recent, old} == {row}
