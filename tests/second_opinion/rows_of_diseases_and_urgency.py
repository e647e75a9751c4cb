"""Truth tables of the rows of known diseases, of what cannot wait, of children, and of what is harmless."""

from __future__ import annotations

from tests.second_opinion.abstract import NORMAL, ago, born, drug, evidence, finding, interval, result
from tests.second_opinion.opinion_facts import TRIGGERS
from tests.second_opinion.shorthand import CALF, EYELID, NEW_60, WIDE, Plain, f, old_bulbar, w, weak

# Row: (patients of whom it holds, patients of whom it does not).
DISEASES_AND_URGENCY: dict[str, tuple[list[Plain], list[Plain]]] = {
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
