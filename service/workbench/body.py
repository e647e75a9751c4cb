"""Where it twitches, on an outline seen from the front and from behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fhir_mappings.findings import Site, Status
from service.cards.facets import site_label
from service.decision import Decision
from service.knowledge import Knowledge

# One view is so wide and so high; the second stands beside the first.
VIEW, HEIGHT = 140.0, 232.0
_MIDDLE = VIEW / 2
_BEHIND = frozenset({"back", "calf"})
# Of the right half, seen from the front; what lies in the middle has no side.
_PLACES: Mapping[str, tuple[float, float]] = {
    "eyelid": (62, 19),
    "face": (70, 26),
    "tongue": (70, 35),
    "neck": (70, 47),
    "chest": (70, 66),
    "trunk": (70, 86),
    "back": (70, 80),
    "abdomen": (70, 106),
    "shoulder": (47, 60),
    "upper-arm": (41, 80),
    "upper-limb": (36, 94),
    "forearm": (29, 116),
    "hand": (24, 140),
    "hip": (55, 124),
    "thigh": (57, 148),
    "quadriceps": (57, 148),
    "lower-limb": (56, 162),
    "knee": (55, 172),
    "lower-leg": (54, 194),
    "calf": (54, 192),
    "ankle": (53, 212),
    "foot": (51, 222),
}
_OF_REGION = {
    "face": "face",
    "tongue": "tongue",
    "arms": "upper-limb",
    "legs": "lower-limb",
    "trunk": "trunk",
}


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the outline. number: of its site in the list; sure: its side is recorded, or it has none."""

    x: float
    y: float
    number: int
    sure: bool


@dataclass(frozen=True, slots=True)
class Body:
    """sites: their names, the first is number 1. everywhere: it twitches all over."""

    sites: tuple[str, ...]
    spots: tuple[Spot, ...]
    everywhere: bool


def body_of(decision: Decision, knowledge: Knowledge) -> Body | None:
    """The outline with the recorded sites; None without a twitch."""
    twitch = decision.record.twitch
    if twitch.status is not Status.PRESENT:
        return None
    sites = sorted(set(twitch.sites), key=lambda site: (site.label, site.side or ""))
    names = [f"{site.side} {site.label}" if site.side else site.label for site in sites]
    if not sites and twitch.generalized:
        names.append(site_label(twitch, knowledge.wording))
    spots = tuple(spot for number, site in enumerate(sites, 1) for spot in spots_of(site, number))
    return Body(tuple(names), spots, twitch.generalized)


def spots_of(site: Site, number: int) -> Iterator[Spot]:
    """Where the site is drawn: on both sides, and unsure, where it has sides and none is recorded."""
    place = _PLACES.get(site.id) or _PLACES.get(_OF_REGION.get(site.region or "", ""))
    if place is None:
        return
    x, y = place
    behind = site.id in _BEHIND
    sides = [site.side] if site.side in ("left", "right") else ["right", "left"]
    if x == _MIDDLE:
        sides = sides[:1]
    sure = x == _MIDDLE or site.side is not None
    for side in sides:
        # In front of the reader, the right side of the patient is on the left.
        mirrored = (side == "left") is not behind
        across = VIEW - x if mirrored and x != _MIDDLE else x
        yield Spot(across + (VIEW if behind else 0), y, number, sure)
