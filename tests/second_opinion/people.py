"""Drawn people: each leans towards one row of the table; numbers are the table's own and their neighbours."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.second_opinion.abstract import (
    LIMITS,
    MEDICINES,
    OVER,
    SUSPECTED,
    TABLE,
    Measured,
    Person,
    Statement,
    Taken,
    Twitching,
)
from tests.second_opinion.opinion_knowledge import leaves, names_in
from tests.spec import records

ROWS = {row["id"]: row for row in TABLE["rows"]}
ACTIONS = {action["id"]: action for action in TABLE["actions"]}
SITES = ("eyelid", "face", "tongue", "hand", "forearm", "thigh", "calf", "trunk")
COURSES = ("worsening", "stable", "continuous", "intermittent")
FINDINGS = (
    *("weakness", "atrophy", "sensory-loss", "tingling", "coordination", "movement", "pain", "cramps"),
    *("bulbar", "breathing-difficulty", "orthopnea", "low-tone"),
    *("caffeine", "sleep", "stress", "exertion", "dehydration"),
    *("heart-failure", "chronic-kidney-disease", "lumbosacral-radiculopathy", "malabsorption"),
    *("multiple-sclerosis", "thyroid-disease", "motor-neuron-disease", "family-neurological"),
    *("hypokalemia", "hyponatremia", "hypercalcemia", "electrolyte-imbalance"),
)
STUDIES = ("emg", "ncs", "mri-brain", "mri-spine")
ANALYTES = tuple(name for name, head in TABLE["analytes"].items() if "order" in head)
ORDERED = (*ANALYTES, *STUDIES, "neurology-referral")
THRESHOLDS = tuple(
    sorted(
        {number for name, number in LIMITS.items() if name.endswith("_days")}
        | {a["done_days"] for a in ACTIONS.values() if "done_days" in a}
        | {a["ordered_days"] for a in ACTIONS.values() if "ordered_days" in a}
    )
)
NEIGHBOURS = tuple(sorted({near for number in THRESHOLDS for near in (number - 1, number, number + 1)}))


def days(*limits: str) -> st.SearchStrategy[int]:
    """Beside the named limits half of the time, else beside any."""
    near = [LIMITS[name] + shift for name in limits for shift in (-1, 0, 1)] or [0, 1, 5]
    return st.one_of(st.sampled_from(near), st.sampled_from((0, 5, *NEIGHBOURS)))


def births() -> st.SearchStrategy[date | None]:
    today = records.DAY
    birthday = today.replace(year=today.year - LIMITS["child_years"])
    near = [birthday + timedelta(days=shift) for shift in (-1, 0, 1)]
    return st.sampled_from([date(1980, 1, 1), date(1980, 1, 1), date(2019, 5, 5), None, *near])


@st.composite
def statements(draw: st.DrawFn, finding: str, present: bool | None = None) -> Statement:
    """One record of that finding."""
    form = draw(st.sampled_from(["condition", "observation"]))
    when = draw(st.one_of(st.just(0), st.sampled_from([None, -1, -2]), days("finding_days")))
    told = draw(st.sampled_from([False, False, True]))
    course = draw(st.sampled_from([None, None, "worsening", "stable"])) if form == "condition" else None
    if present:
        since = draw(st.one_of(st.none(), days("rapid_weakness_days"))) if form == "condition" else None
        return Statement(
            finding, form, "present", told, draw(st.sampled_from([0, 0, 5, 100])), course=course, since=since
        )
    verifications = ["confirmed", "confirmed", "refuted", "entered-in-error", *SUSPECTED]
    return Statement(
        finding,
        form,
        draw(st.sampled_from(["present", "absent", "unknown"])),
        told,
        when,
        draw(st.sampled_from(verifications)),
        draw(st.sampled_from(["active", "active", "recurrence", *OVER])),
        course=course,
    )


@st.composite
def twitchings(draw: st.DrawFn, names: set[str]) -> Twitching:
    """A twitch that leans towards the features named."""
    recorded = draw(st.sampled_from([0, 0, 0, 5, -1, LIMITS["finding_days"], LIMITS["finding_days"] + 1]))
    limit = "eyelid_days" if "lasts-long-for-eyelid" in names else "persistent_days"
    form = draw(st.sampled_from(["day", "day", "month", "period", "weeks"]))
    number = (
        draw(st.sampled_from([1, 2, 3, 4, 12]))
        if form == "weeks"
        else draw(days(limit, "rapid_weakness_days"))
    )
    if form != "weeks":
        number = max(number, recorded, 0)
    sites = draw(st.lists(st.sampled_from(SITES), max_size=2, unique=True))
    if "isolated-eyelid" in names and draw(st.sampled_from([True, True, False])):
        sites = ["eyelid"]
    if "tongue-site" in names and draw(st.booleans()):
        sites = ["tongue"]
    if "leg-site" in names and draw(st.booleans()):
        sites = ["calf"]
    courses = draw(st.lists(st.sampled_from(COURSES), max_size=2, unique=True))
    if "lasts-long-for-eyelid" in names:
        form, number = "day", LIMITS[limit] + draw(st.sampled_from([1, 1, 0, -1]))
    if "continuous" in names:
        sites, courses = ["hand", "calf"], [*courses, "continuous"]
    if names & {"worsening", "weakness-worsening"} and draw(st.booleans()):
        courses = [*courses, "worsening"]
    return Twitching(
        form=draw(st.sampled_from(["condition", "condition", "condition", "observation"])),
        clinical=draw(st.sampled_from(["active"] * 12 + list(OVER))),
        verification=draw(
            st.sampled_from(["confirmed"] * 12 + ["provisional", "refuted", "entered-in-error"])
        ),
        recorded=recorded,
        onset=draw(st.sampled_from([(form, number)] * 3 + [None])),
        sites=tuple(sites),
        courses=tuple(dict.fromkeys(courses)),
        not_seen=draw(st.sampled_from([None, None, 0, 3])),
    )


@st.composite
def medicines(draw: st.DrawFn, medicine: str) -> Taken:
    start = draw(st.one_of(st.sampled_from([0, 400, None]), days("persistent_days")))
    end = draw(st.sampled_from([None, None, 0, 5, 20, LIMITS["persistent_days"]]))
    form = draw(st.sampled_from(["request", "statement"]))
    stopped = ["completed", "stopped", "entered-in-error"]
    status = draw(st.sampled_from(["active"] * 4 + stopped + (["not-taken"] if form == "statement" else [])))
    if end is not None and (start is None or end > start):
        end = None
    return Taken(medicine, form, status, start, end)


@st.composite
def results(draw: st.DrawFn, analyte: str) -> Measured:
    """A value at one of the limits of its analyte, or a step beside it."""
    head = TABLE["analytes"][analyte]
    bounds = [
        Decimal(head[part][side])
        for part in ("critical", "default_range")
        for side in ("low", "high")
        if side in head.get(part, {})
    ]
    bound = draw(st.sampled_from(bounds or [Decimal("1.0"), Decimal("5.0")]))
    step = Decimal("0.01") if bound < 10 else Decimal(1)
    value = bound + draw(st.sampled_from([-step, Decimal(0), step]))
    plain_factors = ("1", "0.5", "0.001")
    unit = draw(
        st.sampled_from([u for u, f in head.get("units", {"U/L": "1"}).items() if f in plain_factors])
    )
    factor = Decimal(head["units"][unit]) if "units" in head else Decimal(1)
    own = draw(st.sampled_from([None, (bound - step, bound), (bound, bound + step), (bound, bound)]))
    limits = (
        ("critical_days", "out_of_range_days")
        if analyte in TABLE["electrolytes"]
        else ("thyroid_days", "low_b12_days")
    )
    return Measured(
        analyte,
        value / factor,
        unit,
        draw(st.one_of(st.sampled_from([0, 3]), days(*limits))),
        draw(st.sampled_from([None, None, None, "N", "H", "L", "A", "HH", "LL"])),
        None if own is None else (own[0] / factor, own[1] / factor),
        draw(st.sampled_from(["final", "final", "final", "amended", "preliminary"])),
    )


@st.composite
def people(draw: st.DrawFn, leaning: str) -> Person:
    """A person who leans towards the row of that id."""
    row = ROWS[leaning]
    names = names_in(TABLE, row)
    wanted: list[Any] = []
    for name in sorted(names & set(FINDINGS)):
        if draw(st.sampled_from([True, True, True, False])):
            wanted.append(draw(statements(name, present=True)))
    for name in draw(st.lists(st.sampled_from(FINDINGS), max_size=6)):
        wanted.append(draw(statements(name)))
    classes = {leaf.split()[1] for leaf, _ in leaves(row["when"]) if leaf.startswith("drug ")}
    taken = [medicine for medicine, made in MEDICINES.items() if made in classes]
    taken += draw(st.lists(st.sampled_from(sorted(MEDICINES)), max_size=3))
    analytes = draw(st.lists(st.sampled_from(ANALYTES), max_size=4, unique=True))
    analytes = sorted({*analytes, *draw(st.lists(st.sampled_from(TABLE["electrolytes"]), max_size=3))})
    if names & {"b12-result-low"}:
        analytes = sorted({*analytes, "vitamin-b12"})
    if names & {"thyroid-result-abnormal"}:
        analytes = sorted({*analytes, "tsh"})
    if names & {"any-electrolyte-abnormal", "any-electrolyte-critical"}:
        analytes = sorted({*analytes, draw(st.sampled_from(TABLE["electrolytes"]))})
    asked = [test for action in row["actions"] for test in _tests_of(action)]
    ordered = draw(st.lists(st.sampled_from([*asked, *ORDERED] if asked else ORDERED), max_size=3))
    order_days = st.one_of(st.sampled_from([0, 5]), st.sampled_from([n for n in NEIGHBOURS if n > 80]))
    priorities = st.sampled_from([None, "routine", "urgent", "asap", "stat"])
    statuses = st.sampled_from(["active", "active", "on-hold", "completed", "revoked"])
    child = "child-age" in names and draw(st.booleans())
    return Person(
        born=date(2019, 5, 5) if child else draw(births()),
        deceased=draw(st.sampled_from([False] * 19 + [True])),
        twitch=draw(twitchings(names)) if draw(st.sampled_from([True] * 9 + [False])) else None,
        statements=tuple(wanted),
        medicines=tuple(draw(medicines(medicine)) for medicine in taken),
        results=tuple(draw(results(analyte)) for analyte in analytes),
        orders=tuple((test, draw(order_days), draw(priorities), draw(statuses)) for test in ordered),
        studies=tuple(
            (test, draw(days("study_days"))) for test in draw(st.lists(st.sampled_from(STUDIES), max_size=2))
        ),
    )


def _tests_of(action: Any) -> list[str]:
    name = action if isinstance(action, str) else action["id"]
    known = ACTIONS[name]
    return [test for test in (*known.get("analytes", ()), *known.get("studies", ()), name) if test in ORDERED]
