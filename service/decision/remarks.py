"""What the table says about a draft order, and the urgent actions that come before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_mappings.record import Draft, Drug, Result
from service.decision import Decision, Recommendation, Withheld
from service.decision.table import ROUTINE, Action, Row


@dataclass(frozen=True, slots=True)
class Remark:
    """What the table says about one draft order; empty members say nothing.

    effects: rows that hold once the drafted medicine is taken and that ask to review it. results: out of
    range, and moved further by it. lacking: blood tests to take before or with the medicine.
    unsupported: studies that nothing recorded supports, in a patient examined as normal.
    examine_first: the same where the examination is missing. child: studies for the paediatric team.
    answered: tests of the draft that are on file or pending. left_out: analytes of an action that a row asks
    for and that nothing orders. because: the fired rows that ask for them.
    elsewhere: analytes that another remark of the call suggests.
    """

    draft: Draft
    level: str = "info"
    effects: tuple[Row, ...] = ()
    results: tuple[Result, ...] = ()
    lacking: tuple[str, ...] = ()
    unsupported: tuple[Action, ...] = ()
    examine_first: tuple[Action, ...] = ()
    child: tuple[Action, ...] = ()
    answered: tuple[Withheld, ...] = ()
    left_out: tuple[str, ...] = ()
    because: tuple[Row, ...] = ()
    elsewhere: frozenset[str] = frozenset()

    @property
    def suggested(self) -> tuple[str, ...]:
        """The analytes that this remark suggests to order."""
        return tuple(a for a in (*self.lacking, *self.left_out) if a not in self.elsewhere)

    @property
    def content(self) -> tuple[object, ...]:
        """What it says, whichever draft it is about: two of one content are one card."""
        drugs = tuple((d.name.casefold(), d.classes, d.route_unknown) for d in self.drugs)
        named = self.effects, self.unsupported, self.examine_first, self.child, self.because
        tests = self.draft.tests if self.unsupported or self.examine_first or self.child else frozenset()
        said = self.level, self.results, self.lacking, self.answered, self.left_out
        return drugs, tests, *(tuple(one.id for one in group) for group in named), *said

    @property
    def is_empty(self) -> bool:
        members = self.effects, self.unsupported, self.examine_first, self.child, self.answered
        return not (any(members) or self.left_out)

    @property
    def drugs(self) -> tuple[Drug, ...]:
        """The drafted medicines that the effects are about."""
        classes = {name for row in self.effects for name in row.drug_classes}
        return tuple(
            drug
            for drug in self.draft.drugs
            if drug.classes & classes or (self.results and raises_potassium(drug))
        )


def urgent_actions(decision: Decision) -> tuple[Recommendation, ...]:
    """The actions that cannot wait and that no order of that priority covers, as the decision ranks them."""
    return tuple(made for made in decision.recommendations if made.urgency != ROUTINE)


def distinct(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows without repeats, in their order."""
    return tuple({row.id: row for row in rows}.values())


def classes_of(draft: Draft) -> frozenset[str]:
    return frozenset(name for drug in draft.drugs for name in drug.classes)


def raises_potassium(drug: Drug) -> bool:
    """Whether it is known to; what was not recognised is not known to."""
    return drug.raises_potassium and drug.recognised
