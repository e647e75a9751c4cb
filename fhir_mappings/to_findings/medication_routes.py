"""Which classes an ingredient is in, where the route decides between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from fhir_mappings.terminology import Ingredient


class Classed(msgspec.Struct, frozen=True):
    """One ingredient of a medicine. sure: the classes it is in. maybe: those that an unknown route leaves."""

    name: str
    sure: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()


def classed(
    coded: Iterable[Ingredient],
    written: Iterable[Ingredient],
    routes: Iterable[frozenset[str]],
    class_routes: Mapping[str, frozenset[str]],
) -> tuple[Classed, ...]:
    """The ingredients of one medicine with their classes.

    routes: what is known of the route, the best source first; the first that is not empty counts.
    A code that decides the class goes before the route, and text adds only ingredients that no code names.
    """
    coded, written = tuple(coded), tuple(written)
    if not coded and not written:
        return ()
    coded_names = {hit.name for hit in coded}
    hits = (*coded, *(hit for hit in written if hit.name not in coded_names))
    decided = {hit.medication_class for hit in hits if not hit.route_decides}
    route = next((known for known in routes if known), frozenset[str]())
    by_name: dict[str, list[Ingredient]] = {}
    for hit in hits:
        by_name.setdefault(hit.name, []).append(hit)
    return tuple(_one(name, by_name[name], decided, route, class_routes) for name in sorted(by_name))


def _one(
    name: str,
    hits: list[Ingredient],
    decided: set[str],
    route: frozenset[str],
    class_routes: Mapping[str, frozenset[str]],
) -> Classed:
    direct = frozenset(hit.medication_class for hit in hits if not hit.route_decides)
    candidates = frozenset(hit.medication_class for hit in hits)
    # Another code of the same medicine may say what this one leaves to the route.
    settled = direct or candidates & decided
    if settled:
        return Classed(name, sure=settled)
    fitting = frozenset(c for c in candidates if class_routes.get(c, frozenset()) & route)
    if len(fitting) == 1:
        return Classed(name, sure=fitting)
    if fitting:
        return Classed(name, maybe=fitting)
    if route and len(candidates) == 1:
        return Classed(name)
    # A route that none of several classes is given by settles nothing: never a silent no.
    return Classed(name, maybe=candidates)
