"""A condition of the table in plain words, as an outline and as one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_mappings.terminology import Terminology
from service.decision.table import EXAMINED, REPORTED, All, AnyOf, Condition, Leaf, Not
from service.knowledge.page_wording import PageWording, joined

_BASES = {frozenset({EXAMINED}): "examined", frozenset({REPORTED}): "reported"}
# Kinds that an examination does not make firmer.
RECORDED = frozenset({"diagnosis", "family"})
# What is said of several findings at once where all of them are asked for.
_SAID_OF_ALL = frozenset({"examined", "reported", "present", "diagnosis"})


_BRACKETED = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One clause (no parts), or several of which all or any must be so."""

    says: str
    kind: str = "clause"
    parts: tuple[Rule, ...] = ()

    def outline(self) -> dict[str, Any]:
        """The rule as nested mappings: says, and parts where it has some."""
        if not self.parts:
            return {"says": self.says}
        return {"says": self.says, "parts": [part.outline() for part in self.parts]}

    def sentence(self) -> str:
        """The rule as one sentence without its end: "A, and either B or C"."""
        if self.kind == "all":
            return ", and ".join(part.inside() for part in self.parts)
        if self.kind == "any":
            return ", or ".join(part.inside() for part in self.parts)
        return self.says

    def inside(self) -> str:
        """The same within another rule, so that what belongs together stays together."""
        if self.kind == "clause":
            return self.says
        inner = [part.inside() for part in self.parts]
        word = " and " if self.kind == "all" else " or "
        # A part with the same word of its own would run into its neighbour.
        if len(inner) > 2 or any(word in _BRACKETED.sub("", part) for part in inner):
            return f"{self.says} ({'; '.join(inner)})"
        first, second = inner
        return f"both {first} and {second}" if self.kind == "all" else f"either {first} or {second}"


class Rules:
    """Says the conditions of one table."""

    def __init__(self, pages: PageWording, terminology: Terminology) -> None:
        self.pages = pages
        self.terminology = terminology

    def rule(self, condition: Condition, *, holds: bool = True) -> Rule:
        """The condition as a rule; with holds=False, that it is not so."""
        match condition:
            case Leaf():
                kind, name = self._phrase(condition, holds)
                return Rule(self._clause(kind, [name], "or"))
            case Not(part):
                return self.rule(part, holds=not holds)
            case All(parts) | AnyOf(parts):
                together = isinstance(condition, All) is holds
                found = tuple(self._parts(parts, holds, together))
                if len(found) == 1:
                    return found[0]
                kind = "all" if together else "any"
                return Rule(self.pages.phrases["all_of" if together else "one_of"], kind, found)

    def label(self, variable: str) -> str:
        """What a variable of the table is called."""
        word, _, name = variable.partition(" ")
        if word in ("drug", "current"):
            return self.terminology.medications.class_labels[name]
        if variable in self.pages.features:
            return self.pages.features[variable].holds
        return self.terminology.findings[variable].label

    def _parts(self, parts: tuple[Condition, ...], holds: bool, together: bool) -> Iterator[Rule]:
        """The parts in their order; leaves that are said alike are said once, at the first of them."""
        alike: dict[str, list[str]] = {}
        order: list[str | Rule] = []
        for part in parts:
            leaf, positive = _leaf(part, holds)
            kind, name = self._phrase(leaf, positive) if leaf else ("", "")
            groups = kind in _SAID_OF_ALL | {"absent"} if together else kind not in ("", "feature", "absent")
            if not groups:
                order.append(self.rule(part, holds=holds))
                continue
            if kind not in alike:
                order.append(kind)
            alike.setdefault(kind, []).append(name)
        for each in order:
            if isinstance(each, Rule):
                yield each
            else:
                yield Rule(self._clause(each, alike[each], "and" if together else "or"))

    def _phrase(self, leaf: Leaf, holds: bool) -> tuple[str, str]:
        """How the leaf is said (the name of a phrase), and what it names."""
        word, _, name = leaf.variable.partition(" ")
        if leaf.variable in self.pages.features:
            feature = self.pages.features[leaf.variable]
            return "feature", feature.holds if holds else feature.fails
        label = self.label(leaf.variable)
        if not holds:
            # Whatever the leaf asked for: it is said of the record, which may be silent.
            return "absent", label
        if name:
            return word, label
        if leaf.values in _BASES:
            return _BASES[leaf.values], label
        return "diagnosis" if self._kind(leaf.variable) in RECORDED else "present", label

    def _kind(self, finding: str) -> str:
        return self.terminology.findings[finding].kind

    def _clause(self, kind: str, names: list[str], last: str) -> str:
        if kind == "feature":
            return names[0]
        if kind == "absent" and len(names) > 1:
            return self.pages.phrases["none_of"].format(names=joined(names, "or"))
        return self.pages.phrases[kind].format(names=joined(names, last))


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every leaf, in the order of the text."""
    match condition:
        case Leaf():
            yield condition
        case Not(part):
            yield from leaves(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)


def _leaf(condition: Condition, holds: bool) -> tuple[Leaf | None, bool]:
    """The leaf under any number of "not", and whether it must be true."""
    while isinstance(condition, Not):
        condition, holds = condition.part, not holds
    return (condition, holds) if isinstance(condition, Leaf) else (None, holds)
