"""A condition of the table as FHIRPath over the Parameters of the facts."""

from __future__ import annotations

from service.decision.table import All, AnyOf, Condition, Leaf, Not


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
