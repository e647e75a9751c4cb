"""A truth table for each row, written from section 3 of the decision model, not from the YAML.

Each case is decided by the second opinion; test_agreement.py puts the same patients before the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.second_opinion.abstract import (
    NORMAL,
    TABLE,
    ago,
    born,
    drug,
    evidence,
    finding,
    interval,
    patient,
    result,
)
from tests.second_opinion.opinion import opinion
from tests.second_opinion.opinion_facts import TRIGGERS

Plain = dict[str, Any]


def f(**findings: Any) -> Plain:
    """A patient with those findings; underscores are hyphens."""
    return patient({name.replace("_", "-"): says for name, says in findings.items()})


def w(findings: Mapping[str, Any] | None = None, **more: Any) -> Plain:
    return patient(findings, **more)


def on(*names: str, plausible: str = "yes", **more: Any) -> Plain:
    return patient(drugs=[drug(name, plausible, **more) for name in names])


def lab(*values: Any, **more: Any) -> Plain:
    return patient(results=[result(*values, **more)])


def weak(says: str = "examined", recent: int | None = 10, **more: Any) -> Plain:
    """Weakness that began so many days ago."""
    start = interval(recent, recent) if recent is not None else interval(None, None)
    return finding(says, start=start, **more)


def old_bulbar(says: str = "listed", days: int | None = 30, **more: Any) -> Plain:
    return {"bulbar": finding(says, days, **more)}


EYELID: Plain = {"sites": ["eyelid"]}
CALF: Plain = {"sites": ["calf"]}
WIDE: Plain = {"sites": ["hand", "calf"]}
STOPPED: Plain = {"drugs": [drug("ssri", "no", end=interval(34, 34), current=False)]}
CK_HIGH = [result("creatine-kinase", "high")]
STATIN = [drug("other-statin")]
OFF_STATIN = [drug("other-statin", current=False)]
ABN_NA, LOW_K = [result("sodium", "high")], [result("potassium", "low")]
NEW_60: Plain = {"age": 60, "onset": 300, "first": 300}

# Row: (patients of whom it holds, patients of whom it does not).
ROWS: dict[str, tuple[list[Plain], list[Plain]]] = {
    "not-examined": (
        [w(), w({**NORMAL, "atrophy": "unknown"}), w({**NORMAL, "weakness": "listed"})],
        [
            w(NORMAL),
            f(weakness="examined", atrophy="absent", sensory_loss="examined"),
            w(**EYELID),
        ],
    ),
    "weakness": ([f(weakness="examined"), f(weakness="listed")], [f(weakness="reported"), w(NORMAL), w()]),
    "weakness-reported": ([f(weakness="reported")], [f(weakness="examined"), f(weakness="listed"), w()]),
    "atrophy": ([f(atrophy="examined"), f(atrophy="listed")], [f(atrophy="reported"), w(NORMAL)]),
    "atrophy-reported": ([f(atrophy="reported")], [f(atrophy="examined"), f(atrophy="listed")]),
    "atrophy-persistent": (
        [
            w({"atrophy": "examined"}, onset=15),
            w({"atrophy": "listed"}, **WIDE),
            w({"atrophy": "examined"}, courses=["worsening"]),
            w({"atrophy": finding("examined", worsening=True)}),
        ],
        [w({"atrophy": "examined"}, onset=14, **CALF), w({"atrophy": "reported"}, onset=15)],
    ),
    "sensory-loss": ([f(sensory_loss="examined"), f(sensory_loss="listed")], [f(sensory_loss="reported")]),
    "sensory-loss-reported": ([f(sensory_loss="reported")], [f(sensory_loss="examined")]),
    "tingling": ([f(tingling="reported"), f(tingling="listed")], [f(tingling="absent")]),
    "coordination": ([f(coordination="examined")], [f(coordination="reported")]),
    "coordination-reported": ([f(coordination="reported")], [f(coordination="listed")]),
    "movement": ([f(movement="reported"), f(movement="examined")], [f(movement="absent"), w()]),
    "persistent": (
        [w(onset=15), w(onset=interval(None, 15)), w(onset=15, **CALF)],
        [w(onset=14), w(onset=15, **EYELID), w(onset=interval(20, 14)), w()],
    ),
    "eyelid-long": ([w(onset=91, **EYELID)], [w(onset=90, **EYELID), w(onset=91, **CALF)]),
    "widespread": (
        [w(**WIDE), w(generalized=True)],
        [w(sites=["hand", "forearm"]), w(sites=["eyelid", "hand"]), w()],
    ),
    "progressing": (
        [
            w(courses=["worsening"]),
            w(courses=["spreading"]),
            w({"rigidity": finding("reported", worsening=True)}),
            w({"upper-motor-sign": finding("listed", worsening=True)}),
        ],
        [
            w(courses=["stable"]),
            w({"weakness": finding("absent", worsening=True)}),
            w({"pain": finding("reported", worsening=True)}),
        ],
    ),
    "progressing-normal": (
        [w(NORMAL, courses=["worsening"])],
        [w(courses=["worsening"]), w({**NORMAL, "atrophy": "absent-reported"}, courses=["worsening"])],
    ),
    "pain": ([f(pain="reported"), f(cramps="reported")], [f(pain="absent"), w()]),
    "nerve-irritation": (
        [
            w({"lumbosacral-radiculopathy": "listed"}, **CALF),
            w({"cervical-radiculopathy": "listed"}, sites=["hand"]),
            w({"arm-nerve": "listed"}, sites=["hand"]),
        ],
        [
            w({"lumbosacral-radiculopathy": "listed"}, sites=["hand"]),
            w({"arm-nerve": "listed"}, **CALF),
            w({"cervical-radiculopathy": "listed"}),
        ],
    ),
    "diuretic-depleting": (
        [
            on("thiazide-diuretic"),
            on("loop-diuretic", plausible="possible"),
            on("carbonic-anhydrase-inhibitor"),
            on("diuretic-other"),
        ],
        [on("loop-diuretic", plausible="no"), on("potassium-sparing-diuretic")],
    ),
    "diuretic-sparing": (
        [on("potassium-sparing-diuretic")],
        [on("loop-diuretic"), on("potassium-sparing-diuretic", plausible="no")],
    ),
    "corticosteroid": (
        [on("corticosteroid-systemic"), on("corticosteroid-mineralocorticoid")],
        [on("corticosteroid-inhaled"), on("corticosteroid-systemic", plausible="no")],
    ),
    "beta-agonist": (
        [on("beta2-agonist-short"), on("xanthine", plausible="possible")],
        [on("xanthine", plausible="no")],
    ),
    "antidepressant": (
        [on("ssri"), on("snri"), on("antidepressant-tricyclic")],
        [on("ssri", plausible="no")],
    ),
    "antidepressant-stopped": (
        [w(onset=20, **STOPPED)],
        [w(onset=19, **STOPPED), w(**STOPPED), on("ssri")],
    ),
    "stimulant": ([on("cns-stimulant")], [on("cns-stimulant", plausible="no")]),
    "dopaminergic": ([on("dopaminergic-agonist")], [on("dopaminergic-agonist", plausible="no")]),
    "lithium": ([on("other-lithium")], [on("other-lithium", plausible="no")]),
    "cholinesterase-inhibitor": (
        [on("other-cholinesterase-inhibitor", plausible="possible")],
        [on("other-cholinesterase-inhibitor", plausible="no")],
    ),
    "lithium-high": (
        [lab("lithium", "high", 90)],
        [
            lab("lithium", "high", 91),
            lab("lithium", "critical"),
            lab("lithium", "low"),
            w(
                {"coordination": "reported"},
                drugs=[drug("other-lithium")],
                results=[result("lithium", "high")],
            ),
        ],
    ),
    "lithium-toxicity": (
        [lab("lithium", "critical", 30), f(lithium_poisoning="listed")]
        + [
            w({s: "reported"}, drugs=[drug("other-lithium", "no")])
            for s in ("coordination", "weakness", "bulbar")
        ],
        [
            lab("lithium", "critical", 31),
            on("other-lithium"),
            w({"weakness": "examined"}, drugs=[drug("other-lithium", current=False)]),
        ],
    ),
    "electrolyte-abnormal": (
        [lab(name, "out-of-range", 90) for name in ("sodium", "potassium", "calcium", "magnesium")]
        + [lab("calcium-ionised", "low", 3), lab("potassium", "critical", 31)],
        [lab("potassium", "low", 91), lab("potassium", "in-range"), lab("potassium", "not-judged")],
    ),
    "electrolyte-abnormal-old": (
        [lab("potassium", "low", 91), lab("potassium", "low", 180)],
        [lab("potassium", "low", 90), lab("potassium", "low", 181)],
    ),
    "electrolyte-drug": (
        [
            w(results=ABN_NA, drugs=[drug("loop-diuretic", "no")]),
            w(results=ABN_NA, drugs=[drug("ssri", "no")]),
            w(results=LOW_K, drugs=[drug("other-ppi", "no")]),
            w(results=[result("potassium", "high")], drugs=[drug("x", "no", raises_potassium=True)]),
            w(results=[result("calcium", "high")], drugs=[drug("other-lithium", "no")]),
        ],
        [
            w(results=ABN_NA, drugs=[drug("loop-diuretic", "no", current=False)]),
            w(results=LOW_K, drugs=[drug("ssri")]),
            w(results=ABN_NA, drugs=[drug("other-ppi")]),
            w(results=LOW_K, drugs=[drug("x", "no", raises_potassium=True)]),
            w(results=[result("calcium", "low")], drugs=[drug("other-lithium", "no")]),
            on("loop-diuretic"),
        ],
    ),
    "electrolyte-critical": (
        [
            lab("potassium", "critical", 30),
            w({"tingling": "reported"}, results=[result("calcium", "low", canonical="1.89")]),
        ],
        [
            lab("potassium", "critical", 31),
            lab("potassium", "low"),
            lab("creatine-kinase", "critical"),
            w({"tingling": "reported"}, results=[result("calcium", "low", canonical="1.9")]),
            lab("calcium", "low", canonical="1.89"),
        ],
    ),
    "muscle-breakdown": ([lab("creatine-kinase", "critical")], [lab("creatine-kinase", "high")]),
    "muscle-breakdown-statin": (
        [
            w(results=[result("creatine-kinase", "critical")], drugs=STATIN),
            w({"weakness": "reported"}, results=CK_HIGH, drugs=STATIN),
        ],
        [w(results=CK_HIGH, drugs=STATIN), w({"weakness": "examined"}, results=CK_HIGH, drugs=OFF_STATIN)],
    ),
    "critical-result": (
        [lab("hba1c", "critical", 30), lab("tsh", "critical")],
        [lab("hba1c", "critical", 31), lab("potassium", "critical"), lab("lithium", "critical")],
    ),
    "kidney-failure": (
        [f(kidney_failure="listed"), lab("egfr", "low", 180, canonical="14.9")],
        [lab("egfr", "low", 181, canonical="14"), lab("egfr", "low", canonical="15")],
    ),
    "kidney-failure-new": (
        [lab("egfr", "low", canonical="14.9")],
        [w({"kidney-failure": "listed"}, results=[result("egfr", "low", canonical="14.9")])],
    ),
    "parathyroid-disease": ([f(hypoparathyroidism="listed"), f(hyperparathyroidism="reported")], [w()]),
    "b12-low": (
        [lab("vitamin-b12", "low", 365)],
        [lab("vitamin-b12", "low", 366), lab("vitamin-b12", "high")],
    ),
    "thyroid-abnormal": (
        [lab("tsh", "high", 90), lab("free-t4", "low"), lab("total-t4", "out-of-range")],
        [lab("tsh", "high", 91), lab("tsh", "in-range")],
    ),
    "thyroid-abnormal-old": (
        [lab("tsh", "high", 91), lab("free-t4", "high", 365)],
        [lab("tsh", "high", 90), lab("tsh", "high", 366)],
    ),
    "thyroid-disease": ([f(thyroid_disease="listed")], [w()]),
    "malabsorption": (
        [
            f(malabsorption="listed", weakness="reported"),
            f(bariatric_surgery="listed", sensory_loss="reported"),
            f(restrictive_diet="reported", sensory_loss="examined"),
        ],
        [f(malabsorption="listed"), f(malabsorption="listed", atrophy="examined")],
    ),
    "family-history": ([f(family_neurological="reported")], [w()]),
    "multiple-sclerosis": ([f(multiple_sclerosis="listed")], [w()]),
    "multiple-sclerosis-sign": (
        [
            f(multiple_sclerosis="listed", **{s: "reported"})
            for s in ("weakness", "sensory_loss", "coordination")
        ]
        + [w({"multiple-sclerosis": "listed"}, sites=["face"], courses=["continuous"])]
        + [w({"multiple-sclerosis": "listed"}, sites=["face"], onset=15)],
        [
            f(multiple_sclerosis="listed", atrophy="examined"),
            f(weakness="examined"),
            w({"multiple-sclerosis": "listed"}, sites=["hand"], onset=15),
            w({"multiple-sclerosis": "listed"}, sites=["face"], onset=14),
        ],
    ),
    "known-neuromuscular": (
        [
            f(**{n: "listed"})
            for n in ("peripheral_neuropathy", "multifocal_motor_neuropathy", "neuromyotonia")
        ]
        + [f(**{n: "listed"}) for n in ("post_polio", "abnormal_emg", "guillain_barre_past")],
        [w()],
    ),
    "known-neuromuscular-sign": (
        [
            w({"post-polio": "listed"}, courses=["worsening"]),
            f(post_polio="listed", weakness="reported"),
            f(neuromyotonia="listed", atrophy="examined"),
        ],
        [f(post_polio="listed", sensory_loss="examined"), f(weakness="examined")],
    ),
    "hyperexcitability": (
        [
            w({"cramps": "reported"}, courses=["continuous"], **WIDE),
            w({"stiffness": "reported"}, courses=["continuous"], generalized=True),
        ],
        [
            w({"cramps": "reported"}, **WIDE),
            w(courses=["continuous"], **WIDE),
            w({"cramps": "reported"}, courses=["continuous"], **CALF),
        ],
    ),
    "upper-motor-sign": (
        [f(upper_motor_sign="examined"), f(upper_motor_sign="listed")],
        [f(upper_motor_sign="reported"), f(upper_motor_sign="examined", multiple_sclerosis="listed")],
    ),
    "upper-motor-sign-ms": (
        [f(upper_motor_sign="examined", multiple_sclerosis="listed")],
        [f(upper_motor_sign="examined"), f(upper_motor_sign="reported", multiple_sclerosis="listed")],
    ),
    "upper-motor-sign-and-weakness": (
        [
            f(upper_motor_sign="examined", weakness="reported"),
            f(upper_motor_sign="listed", atrophy="examined"),
        ],
        [
            f(upper_motor_sign="examined", weakness="examined", multiple_sclerosis="listed"),
            f(upper_motor_sign="examined", weakness="examined", central_lesion="listed"),
            f(upper_motor_sign="reported", weakness="examined"),
            f(upper_motor_sign="examined", sensory_loss="examined"),
        ],
    ),
    "rigidity": ([f(rigidity="examined")], [f(rigidity="reported")]),
    # Not in section 3, but like the other signs that are only reported.
    "upper-motor-sign-reported": ([f(upper_motor_sign="reported")], [f(upper_motor_sign="listed")]),
    "rigidity-reported": ([f(rigidity="reported")], [f(rigidity="examined")]),
    "bulbar": (
        [
            f(bulbar="reported"),
            w(sites=["tongue"]),
            w(old_bulbar(days=20), onset=20, **EYELID),
            w(old_bulbar(), **EYELID),
            w(old_bulbar(), onset=20, **CALF),
        ],
        [w(old_bulbar(days=21), onset=20, **EYELID), f(bulbar="absent")],
    ),
    "bulbar-named": ([f(bulbar="listed"), w(sites=["tongue"])], [f(bulbar="reported")]),
    "eyelid-old-bulbar": (
        [w(old_bulbar(days=21), onset=20, **EYELID), w(old_bulbar("reported", 21), onset=20, **EYELID)],
        [
            w(old_bulbar(days=20), onset=20, **EYELID),
            w(old_bulbar("examined", 21), onset=20, **EYELID),
            w(old_bulbar(days=21), **EYELID),
            w(old_bulbar(days=21), onset=20, **CALF),
            # Reported anew beside the old entry.
            w(
                old_bulbar(days=21, evidence=[evidence("present", "reported", ago(1))]),
                onset=20,
                **EYELID,
            ),
        ],
    ),
    "respiratory": (
        [
            f(breathing_difficulty="reported", weakness="reported"),
            f(orthopnea="reported", atrophy="reported"),
            f(orthopnea="reported", bulbar="reported"),
            w({"orthopnea": "reported"}, sites=["tongue"]),
        ],
        [
            f(breathing_difficulty="reported"),
            f(breathing_difficulty="reported", weakness="examined", heart_failure="listed"),
            f(orthopnea="reported", weakness="examined", lung_disease="listed"),
            f(breathing_difficulty="absent", weakness="examined"),
        ],
    ),
    "respiratory-with-other-cause": (
        [
            f(breathing_difficulty="reported", weakness="examined", heart_failure="listed"),
            f(orthopnea="reported", atrophy="listed", lung_disease="listed"),
            f(orthopnea="reported", bulbar="reported", lung_disease="listed"),
        ],
        [
            f(breathing_difficulty="reported", weakness="reported", heart_failure="listed"),
            f(breathing_difficulty="reported", weakness="examined"),
        ],
    ),
    "emergency-diagnosis": (
        [f(cholinergic_poisoning="listed"), f(guillain_barre="listed"), f(cauda_equina="reported")],
        [f(guillain_barre_past="listed"), w()],
    ),
    "cholinergic": (
        [w({"breathing-difficulty": "reported"}, onset=2, **WIDE)],
        [
            w({"breathing-difficulty": "reported"}, onset=3, **WIDE),
            w({"breathing-difficulty": "reported"}, onset=interval(None, 1), **WIDE),
            w({"breathing-difficulty": "reported"}, onset=2, **CALF),
            w(onset=2, **WIDE),
        ],
    ),
    "withdrawal": ([f(alcohol_withdrawal="listed")], [f(alcohol="reported")]),
    "rapid-weakness": (
        [
            w({"weakness": weak(recent=28)}),
            w({"weakness": weak(worsening=False), "movement": "reported"}),
            w({"weakness": weak(worsening=False)}, courses=["worsening"]),
        ],
        [
            w({"weakness": weak(recent=29)}),
            w({"weakness": weak(worsening=False)}),
            w({"weakness": weak("reported")}),
            w({"weakness": finding("examined", start=interval(40, 5))}),
        ],
    ),
    "rapid-weakness-reported": (
        [
            w({"weakness": weak("reported"), "movement": "reported"}),
            w({"weakness": weak("reported")}, courses=["worsening"]),
        ],
        [w({"weakness": weak("reported")}), w({"weakness": weak(), "movement": "reported"})],
    ),
    "progressive-weakness": (
        [
            w({"weakness": "listed"}, courses=["spreading"]),
            w({"weakness": finding("examined", worsening=True)}),
        ],
        [w({"weakness": "reported"}, courses=["worsening"]), f(weakness="examined")],
    ),
    "weakness-and-atrophy": (
        [f(weakness="examined", atrophy="listed")],
        [f(weakness="reported", atrophy="examined"), f(weakness="examined", atrophy="reported")],
    ),
    "child": (
        [w(age=15)],
        [w(age=16), w(age=None), w(patient={"id": "p", "born": born(16), "sex": None, "deceased": False})],
    ),
    "child-sign": (
        [w({s: "reported"}, age=15) for s in ("atrophy", "sensory-loss", "coordination", "rigidity")]
        + [w({"cramps": "reported"}, courses=["continuous"], age=15, **WIDE)],
        [w(age=15), w({"atrophy": "examined"}, age=16)],
    ),
    "child-weakness": (
        [w({"weakness": "reported"}, age=15), w({"movement": "reported"}, age=15)],
        [w({"weakness": "examined"}, age=16), w({"atrophy": "examined"}, age=15)],
    ),
    "child-tone": (
        [
            w({"low-tone": "listed"}, age=4),
            w({"motor-regression": "reported", "atrophy": "reported"}, age=15),
        ],
        [w({"low-tone": "listed"}, age=5), w({"atrophy": "examined"}, age=4)],
    ),
    "new-after-60": (
        [w(NORMAL, **{**NEW_60, "onset": 365}), w(NORMAL, age=61, first=365)],
        [
            w(NORMAL, **{**NEW_60, "onset": 366}),
            w(NORMAL, age=60, first=366),
            w(NORMAL, **{**NEW_60, "age": 59}),
            w(**NEW_60),
            w(NORMAL, **NEW_60, **EYELID),
        ],
    ),
    "self-care": (
        [w(NORMAL), w(**EYELID), w(NORMAL, onset=20), w(NORMAL, age=None)],
        [
            w(),
            w(NORMAL, age=15),
            w({**NORMAL, "rigidity": "reported"}),
            w(NORMAL, courses=["worsening"]),
            w(NORMAL, results=[result("tsh", "high", 200)]),
            w(NORMAL, results=[result("vitamin-b12", "high", 200)]),
            w(NORMAL, results=[result("egfr", "low", canonical="14", days=3)]),
        ],
    ),
    "nothing-calls-for-tests": (
        [w(NORMAL), w(NORMAL, onset=14), w(onset=20, **EYELID)],
        [
            w(),
            w(NORMAL, onset=15),
            w(NORMAL, drugs=[drug("loop-diuretic")]),
            w({**NORMAL, "bulbar": "reported"}),
        ],
    ),
    "benign": (
        [
            w(NORMAL, onset=14),
            *(w({**NORMAL, name: "reported"}, onset=5) for name in TRIGGERS),
            w({**NORMAL, "pregnancy": "listed"}, onset=5),
            w(NORMAL, onset=5, age=70),
            w(NORMAL, onset=90, **EYELID),
        ],
        [
            w(NORMAL),
            w(NORMAL, onset=15),
            w(NORMAL, onset=91, **EYELID),
            w(onset=5, **EYELID),
            w(NORMAL, onset=5, courses=["continuous"]),
            w({**NORMAL, "diabetes": "listed"}, onset=5),
            w({**NORMAL, "stiffness": "reported"}, onset=5),
            w({**NORMAL, "bulbar": "history"}, onset=5),
            w({**NORMAL, "coordination": "history"}, onset=5),
            w({**NORMAL, "family-neurological": "reported"}, onset=5),
            w(NORMAL, onset=5, drugs=[drug("ssri")]),
            w(NORMAL, onset=5, age=15),
        ],
    ),
}
CASES = [
    pytest.param(row, made, holds, id=f"{row} {'holds' if holds else 'does not'} {number}")
    for row, sides in ROWS.items()
    for holds, patients in zip((True, False), sides, strict=True)
    for number, made in enumerate(patients)
]


@pytest.mark.parametrize(("row", "made", "holds"), CASES)
def test_a_row_holds(row: str, made: Plain, holds: bool) -> None:
    rows = opinion(made, questions=False)["rows"]
    assert (row in rows) is holds, rows


def test_every_row_of_the_table_is_tried() -> None:
    disorder = {row["id"] for row in TABLE["rows"] if "disorder" in row["id"]}
    assert {row["id"] for row in TABLE["rows"]} - disorder == set(ROWS)
