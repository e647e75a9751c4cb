"""Records for every value that the table can tell apart: each alone, two together, and a seeded sample."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

from fhir_mappings.record import Basis, Finding, Record, Status
from tests.second_opinion.facets import FACETS, GATE_FACETS, SITES, TODAY, Change, Sketch, interval

# Facets of the gate close it: in one state of so many.
GATE_SHARE = 25

KNOWN = (
    "atrophy",
    "breathing-difficulty",
    "bulbar",
    "coordination",
    "cramps",
    "movement",
    "orthopnea",
    "pain",
    "sensory-loss",
    "tingling",
    "weakness",
)


def sketch(known: bool) -> Sketch:
    """A bare twitch; with `known`, every sign looked for and absent, and onset, site and course recorded."""
    made = Sketch()
    if known:
        for name in KNOWN:
            made.findings[name] = Finding(name, Status.ABSENT, Basis.EXAMINED, recorded=TODAY)
        made.twitch = replace(
            made.twitch,
            onset=interval(5, 5),
            sites=SITES["calf"],
            courses=frozenset({"stable", "intermittent"}),
        )
    return made


def state(changes: Iterable[Change], *, known: bool = True) -> Record:
    made = sketch(known)
    for change in changes:
        change(made)
    return made.record()


def singles() -> Iterator[Record]:
    """Every value of every facet alone, in a record that is otherwise quiet."""
    for changes in {**FACETS, **GATE_FACETS}.values():
        for change in changes:
            yield state([change])


def pairs(seed: int) -> Iterator[Record]:
    """Without end: two values of two facets, drawn."""
    chance = random.Random(seed)
    names = list(FACETS)
    while True:
        first, second = sorted(chance.sample(range(len(names)), 2))
        yield state([chance.choice(FACETS[names[first]]), chance.choice(FACETS[names[second]])])


def pairs_of_facets(seed: int) -> Iterator[Record]:
    """Every two facets once, each with a value drawn."""
    chance = random.Random(seed)
    for (_, first), (_, second) in combinations(FACETS.items(), 2):
        yield state([chance.choice(first), chance.choice(second)])


# What most rows read: drawn as often as all the rest together.
CORE = ("onset", "site", "course", "born", "weakness", "atrophy", "cramps", "sensory-loss", "coordination")
CORE_TOO = (
    "eyelid since",
    "weakness since",
    "weakness course",
    "atrophy course",
    "generalized",
    "movement",
    "stiffness",
)


def sampled(number: int, seed: int) -> Iterator[Record]:
    """So many states of the full product, few facets and many; seeded, so that the same states come again."""
    chance = random.Random(seed)
    core = [*CORE, *CORE_TOO]
    rest = [name for name in FACETS if name not in core]
    for index in range(number):
        some = set(chance.sample(core, chance.choice((0, 1, 2, 4, 8, 10, 12))))
        some |= set(chance.sample(rest, chance.choice((0, 1, 2, 3, 4, 6, 12))))
        changes = [chance.choice(FACETS[name]) for name in FACETS if name in some]
        if index % GATE_SHARE == 0:
            changes += [chance.choice(GATE_FACETS[name]) for name in GATE_FACETS if chance.random() < 0.5]
        yield state(changes, known=chance.random() < 0.8)
