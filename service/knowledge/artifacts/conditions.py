"""A condition of the table as FHIRPath over the Parameters of the facts, and in words."""

from __future__ import annotations

from fhir_mappings.artifacts.plan import Rule
from fhir_mappings.terminology import Terminology
from service.decision.table import EXAMINED, REPORTED, TRUE, All, AnyOf, Condition, Leaf, Not


def rule_of(condition: Condition, terminology: Terminology) -> Rule:
    """The condition for an engine and for a reader."""
    return Rule(fhirpath_of(condition), in_words(condition, terminology))


def fhirpath_of(condition: Condition) -> str:
    """True of a Parameters resource where the condition is true of its facts; never empty.

    A fact that is left out is unknown: no leaf is true of it.
    """
    match condition:
        case Leaf(variable, values):
            listed = [f"'{value}'" for value in sorted(values)]
            wanted = f"value = {listed[0]}" if len(listed) == 1 else f"value in ({' | '.join(listed)})"
            return f"parameter.where(name = '{variable}' and {wanted}).exists()"
        case Not(part):
            return f"{_bracketed(part)}.not()"
        case All(parts):
            return " and ".join(_bracketed(part) for part in parts) or "true"
        case AnyOf(parts):
            return " or ".join(_bracketed(part) for part in parts) or "false"


def _bracketed(part: Condition) -> str:
    return f"({fhirpath_of(part)})" if isinstance(part, All | AnyOf) else fhirpath_of(part)


def in_words(condition: Condition, terminology: Terminology) -> str:
    """The condition as a clinician reads it; computed facts by their names."""
    match condition:
        case Leaf():
            return _leaf(condition, terminology)
        case Not(part):
            return f"not {_grouped(part, terminology)}"
        case All(parts):
            return " and ".join(_grouped(part, terminology) for part in parts) or "always"
        case AnyOf(parts):
            return " or ".join(_grouped(part, terminology) for part in parts) or "never"


def _grouped(part: Condition, terminology: Terminology) -> str:
    words = in_words(part, terminology)
    return f"({words})" if isinstance(part, All | AnyOf) and len(part.parts) > 1 else words


def _leaf(leaf: Leaf, terminology: Terminology) -> str:
    kind, _, name = leaf.variable.rpartition(" ")
    if kind == "drug":
        return f"plausible {terminology.medications.class_labels[name]}"
    if kind == "current":
        return f"current {terminology.medications.class_labels[name]}"
    if name not in terminology.findings:
        return name if leaf.values == {TRUE} else f"{name} {' or '.join(sorted(leaf.values))}"
    label = terminology.findings[name].label
    basis = {frozenset({EXAMINED}): " on examination", frozenset({REPORTED}): ", only reported"}
    return label + basis.get(leaf.values, "")
