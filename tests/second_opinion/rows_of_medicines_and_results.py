"""Truth tables of the rows of medicines, results and what disturbs the electrolytes."""

from __future__ import annotations

from tests.second_opinion.abstract import drug, result
from tests.second_opinion.shorthand import (
    ABN_NA,
    CK_HIGH,
    LOW_K,
    OFF_STATIN,
    STATIN,
    STOPPED,
    Plain,
    f,
    lab,
    on,
    w,
)

# Row: (patients of whom it holds, patients of whom it does not).
MEDICINES_AND_RESULTS: dict[str, tuple[list[Plain], list[Plain]]] = {
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
}
