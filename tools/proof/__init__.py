"""The decision proved over its whole input space: python -m tools.proof. See docs/proof.md."""

from __future__ import annotations

from collections.abc import Mapping

from fhir_mappings.terminology import FindingDefinition
from service.decision.table import Table
from tools.proof.conditions import check_conditions
from tools.proof.duration import check_duration
from tools.proof.factors import factors
from tools.proof.gate import check_gate
from tools.proof.joint import Judge, walk
from tools.proof.ledger import Ledger
from tools.proof.levels import check_levels
from tools.proof.monotone import check_steps
from tools.proof.ranges import check_ranges
from tools.proof.reading import read
from tools.proof.removals import Removals
from tools.proof.rows import tables

__all__ = ["Ledger", "proved"]


def proved(table: Table, findings: Mapping[str, FindingDefinition], *, whole: bool) -> Ledger:
    """Everything that was covered and every counterexample found.

    whole: also the walks that take minutes. findings: the definitions of the knowledge files.
    """
    ledger = Ledger()
    truths = tables(table, ledger)
    check_levels(table, truths, findings, ledger)
    variables = frozenset(name for truth in truths for name in truth.variables)
    axes = read(table, variables, ledger, whole=whole)
    check_steps(table, axes, truths, ledger)
    walk(Judge(table, truths, ledger), factors(axes, truths, ledger), whole=whole)
    check_conditions(table, ledger)
    Removals(table, ledger).walk(whole=whole)
    check_duration(table, ledger, whole=whole)
    check_ranges(table, truths, axes, ledger, whole=whole)
    check_gate(table, ledger)
    return ledger
