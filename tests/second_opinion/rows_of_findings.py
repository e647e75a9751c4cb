"""Truth tables of the rows of what was examined, told and seen of the twitch."""

from __future__ import annotations

from tests.second_opinion.abstract import NORMAL, finding, interval
from tests.second_opinion.shorthand import CALF, EYELID, WIDE, Plain, f, w

# Row: (patients of whom it holds, patients of whom it does not).
FINDINGS: dict[str, tuple[list[Plain], list[Plain]]] = {
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
}
