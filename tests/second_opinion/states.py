"""Plain patients for every value that the table can tell apart: alone, in pairs, and sparse random ones.

A facet is one thing about a patient; a value of it changes a plain patient. Days are the thresholds of the
table with their neighbours.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from itertools import combinations, product
from typing import Any

from tests.second_opinion.abstract import (
    LIMITS,
    NOWHERE,
    REGIONS,
    TABLE,
    Plain,
    ago,
    born,
    drug,
    evidence,
    finding,
    interval,
    order,
    patient,
    result,
    study,
)
from tests.second_opinion.opinion_facts import TRIGGERS
from tests.second_opinion.opinion_table import DRUG_WORDS, actions_of, leaves

Change = Callable[[Plain], None]
# A day on which results, studies and records can meet.
MEETING = 60
BLOOD = sorted({name for action in TABLE["actions"] for name in action.get("analytes", ())})
STUDIES = ("emg", "ncs", "mri-brain", "mri-spine", "neurology-consultation")
ASKED = (*TABLE["signs"], "bulbar", "breathing-difficulty", "orthopnea", "tingling", "pain", "cramps")


def around(*numbers: int) -> tuple[int, ...]:
    return tuple(sorted({near for number in numbers for near in (number - 1, number, number + 1)}))


def conditions() -> Iterator[Any]:
    for row in TABLE["rows"]:
        yield row["when"]
        yield from (action["when"] for action in actions_of(row) if "when" in action)
    yield from TABLE.get("definitions", {}).values()
    yield from (advice["unless"] for advice in TABLE["self_care"] if "unless" in advice)


def _set(name: str, made: Plain) -> Change:
    def change(state: Plain) -> None:
        state["findings"][name] = made

    return change


def _attribute(name: str, **more: Any) -> Change:
    def change(state: Plain) -> None:
        state["findings"][name] = {**state["findings"].get(name, finding("unknown")), **more}

    return change


def _add(member: str, made: Plain) -> Change:
    return lambda state: state[member].append(made)


def _twitch(**more: Any) -> Change:
    return lambda state: state["twitch"].update(more)


def _findings() -> Iterator[tuple[str, list[Change]]]:
    read = {leaf.split()[0] for condition in conditions() for leaf in leaves(condition)}
    read |= {advice["trigger"] for advice in TABLE["self_care"]} | {*TRIGGERS, *TABLE["named"], *ASKED}
    read |= {name for name, head in TABLE["findings"].items() if {"analyte", "any_electrolyte"} & set(head)}
    # Of a kind that is only shown, the mapping makes nothing present.
    read -= {name for name, head in TABLE["findings"].items() if head["kind"] == "shown"}
    for name in sorted(read & set(TABLE["findings"])):
        values = [_set(name, finding(says)) for says in ("examined", "listed", "reported", "absent")]
        yield name, values
        more = [finding(says, MEETING) for says in ("examined", "listed", "reported")]
        more += [finding("listed", None), finding("absent-reported"), finding("unknown"), finding("history")]
        again = evidence("present", "reported", ago(0))
        more += [finding("listed", MEETING, evidence=[again]), finding("absent", 180)]
        more += [finding(says, worsening=True) for says in ("examined", "reported")]
        if "analyte" in TABLE["findings"][name] or "any_electrolyte" in TABLE["findings"][name]:
            more += [finding("listed", day) for day in around(LIMITS["recent_result_days"])]
        yield f"{name} else", [_set(name, one) for one in more]


def _drugs() -> Iterator[tuple[str, list[Change]]]:
    words = (leaf.split() for condition in conditions() for leaf in leaves(condition))
    classes = {word[1] for word in words if word[0] in DRUG_WORDS}
    stopped = LIMITS["antidepressant_stopped_days"]
    for name in sorted({*classes, "corticosteroid-inhaled"}):
        made = [drug(name, "yes"), drug(name, "possible"), drug(name, "no")]
        made += [drug(name, "no", current=False)]
        made += [drug(name, "yes", start=interval(day, day)) for day in around(MEETING)]
        made += [drug(name, "possible", start=interval(9, 3)), drug(name, start=interval(9, None))]
        if name in ("ssri", "snri"):
            made += [
                drug(name, "no", current=False, end=interval(MEETING + day, MEETING + day))
                for day in (0, 1, *around(stopped))
            ]
        yield f"drug {name}", [_add("drugs", one) for one in made]
    raising = [
        drug("ramipril", "no", raises_potassium=True, current=now, classes=set()) for now in (True, False)
    ]
    yield "raises potassium", [_add("drugs", one) for one in raising]


def _results() -> Iterator[tuple[str, list[Change]]]:
    limits = (
        "critical_days",
        "recent_result_days",
        "out_of_range_days",
        "long_result_days",
        "calm_test_days",
    )
    days = (*around(MEETING, *(LIMITS[name] for name in limits)), None, -1, 0, 1, 2)
    canonical = {"calcium": ("1.89", "1.9", None), "egfr": ("14.9", "15", "40")}
    for name in sorted({*BLOOD, "calcium-ionised", "free-t4", "total-t4", "glucose"}):
        bands = ("low", "high", "out-of-range", "critical", "in-range", "not-judged")
        made = [
            result(name, band, day, canonical=value)
            for band, day, value in product(bands, days, canonical.get(name, (None,)))
        ]
        yield f"result {name}", [_add("results", one) for one in made]
        early = [
            result(name, band, day, preliminary=True, reference=f"Observation/{name}-p")
            for band, day in product(("low", "critical", "in-range"), (0, 3))
        ]
        yield f"preliminary {name}", [_add("results", one) for one in early]


def _orders() -> Iterator[tuple[str, list[Change]]]:
    ordered = {action["id"]: action for action in TABLE["actions"] if "ordered_days" in action}
    panels = [{name} for name in ordered] + [{"potassium"}, {"tsh"}, {"lithium"}, {"creatinine", "egfr"}]
    panels += [set(BLOOD), set(TABLE["electrolytes"])]
    days = (None, 0, *around(2, *{action["ordered_days"] for action in ordered.values()}))
    for panel in panels:
        made = [order(panel, *both) for both in product(days, (None, "routine", "urgent", "asap", "stat"))]
        made += [
            order(panel, None, wanted, draft=True, status="draft") for wanted in (None, "urgent", "stat")
        ]
        yield f"order {'+'.join(sorted(panel))}", [_add("orders", one) for one in made]
    days = (None, 0, *around(MEETING, LIMITS["study_days"]))
    for name in STUDIES:
        yield f"study {name}", [_add("studies", study(name, day)) for day in days]


def _whole() -> Iterator[tuple[str, list[Change]]]:
    limits = [LIMITS[n] for n in ("persistent_days", "eyelid_days", "new_onset_days", "sudden_days")]
    exact = [interval(day, day) for day in (0, *around(*limits, MEETING))]
    wide = [interval(limit + 1, limit) for limit in limits] + [interval(None, day) for day in around(14)]
    yield "onset", [_twitch(onset=one) for one in (*exact, *wide, interval(20, None), dict(NOWHERE))]
    groups = [(name,) for name in REGIONS] + [("hand", "calf"), ("hand", "forearm"), ("eyelid", "hand"), ()]
    sites = [[{"id": n, "label": n, "region": REGIONS[n], "side": None} for n in some] for some in groups]
    yield "site", [_twitch(sites=some) for some in sites]
    yield "eyelid", [_twitch(sites=sites[0]), _twitch(sites=sites[0], generalized=True)]
    yield "generalized", [_twitch(generalized=True)]
    names = ("worsening", "spreading", "continuous", "intermittent", "stable", "persistent")
    courses = [{name} for name in names] + [{"continuous", "worsening"}, {"stable", "continuous"}, set()]
    yield "course", [_twitch(courses=some) for some in courses]
    yield "first record", [_twitch(first_recorded=ago(day)) for day in (None, *around(365))]
    ages = [LIMITS[name] for name in ("child_years", "small_child_years", "old_years")]
    births = [born(years, day) for years, day in product(ages, (-1, 0, 1))]
    births += [dict(NOWHERE), born(4), born(10), born(80)]
    births += [{"earliest": born(16, 1)["earliest"], "latest": born(16, -1)["latest"]}]
    yield "born", [_born(made) for made in births]
    starts = [interval(day, day) for day in around(LIMITS["rapid_weakness_days"])]
    starts += [interval(40, 5), interval(None, 5), interval(20, None), interval(5, 5)]
    yield "weakness start", [_attribute("weakness", start=one) for one in starts]
    for name in ("weakness", "atrophy"):
        yield f"{name} course", [_attribute(name, worsening=one) for one in (True, False)]
    lists = ("conditions", "labs", "medications", "medicationStatements", "orders")
    yield "not seen", [_add_names(some) for some in (*((n,) for n in lists), lists)]


def _born(made: Plain) -> Change:
    return lambda state: state["patient"].update(born=made)


def _add_names(names: tuple[str, ...]) -> Change:
    return lambda state: state["not_seen"].extend(names)


def _gate() -> Iterator[Change]:
    yield lambda state: state["patient"].update(deceased=True)
    yield from (_twitch(status=status) for status in ("absent", "unknown"))
    for name in TABLE["closes_gate"]:
        yield _set(name, finding("listed"))
        yield _set(name, finding("reported", suspected=True))


# Findings first, then what is said of them: the order in which a state applies its changes.
FACETS: dict[str, list[Change]] = dict(
    pair for made in (_findings(), _drugs(), _results(), _orders(), _whole()) for pair in made
)
FACETS["records that disagree"] = [_attribute(name, conflict=True) for name in ("weakness", "bulbar")]
GATE = list(_gate())
CORE = ("weakness", "atrophy", "sensory-loss", "bulbar", "onset", "site", "course", "born", "weakness start")


def base(known: bool) -> Plain:
    """All unknown, or all absent on examination with an onset, a site and a course."""
    if not known:
        return patient()
    return patient(dict.fromkeys(ASKED, "absent"), onset=5, sites=["calf"], courses=["stable"])


def state(changes: list[Change], *, known: bool) -> Plain:
    made = base(known)
    for change in changes:
        change(made)
    return made


def singles() -> Iterator[Plain]:
    """Every value of every facet, and every state of the gate, off each baseline."""
    for known in (False, True):
        yield base(known)
        for change in (*GATE, *(change for values in FACETS.values() for change in values)):
            yield state([change], known=known)


def pairs(seed: int) -> Iterator[Plain]:
    """Every two facets off each baseline, with the first value of each or one drawn."""
    chance = random.Random(seed)
    for known in (False, True):
        for first, second in combinations(FACETS.values(), 2):
            if chance.random() < 0.5:
                yield state([first[0], second[0]], known=known)
            else:
                yield state([chance.choice(first), chance.choice(second)], known=known)


def sampled(number: int, seed: int, bases: Sequence[Plain] = ()) -> Iterator[Plain]:
    """Sparse random states, some dense, off the baselines or (half of them) off `bases`; seeded."""
    chance = random.Random(seed)
    rest = [name for name in FACETS if name not in CORE]
    for index in range(number):
        some = set(chance.sample(CORE, chance.choice((0, 1, 2, 3, 5, 8))))
        some |= set(chance.sample(rest, chance.choice((0, 1, 2, 3, 4, 6, 12))))
        if chance.random() < 0.5:
            # Most patients are adults.
            some.discard("born")
        if bases and index % 2:
            made = deepcopy(chance.choice(bases))
            some = set(chance.sample(sorted(some), min(len(some), chance.choice((0, 1, 2, 3)))))
        else:
            made = base(known=chance.random() < 0.7)
        changes = [chance.choice(FACETS[name]) for name in FACETS if name in some]
        if index % 50 == 0:
            changes.append(chance.choice(GATE))
        for change in changes:
            change(made)
        yield made
