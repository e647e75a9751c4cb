"""A result in the words of a card: its value, which way it is out of range, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from fhir_mappings.record import Band, Drug, Order, Result
from service.cards.escaping import plain
from service.cards.spans import day_month
from service.cards.text import (
    capital,
    drug_name,
    joined,
    kind_text,
    measured_text,
    short_result,
    together,
    way_text,
)
from service.decision import Decision
from service.decision.on_file import PRIORITIES
from service.decision.result_facts import OUT, age_of, as_judged, band_today, is_critical, present
from service.decision.table import NOW, ROUTINE, TRUE, URGENT
from service.knowledge import Knowledge
from service.knowledge.wording import NextStep

_SIDES = {True: "low", False: "high", None: "out"}
_MOST_EXPLAINING = 2


class ResultLines:
    """Writes the results of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.decision = decision
        self.record = decision.record
        self.as_of = decision.record.as_of
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.say = knowledge.wording.say

    def _short(self, result: Result) -> str:
        return f"{measured_text(result, self.terminology, self.wording)} {self.way(result)}"

    def way(self, result: Result) -> str:
        """critical, low; high."""
        critical = self._is_critical(result)
        result = as_judged(result, self.table)
        return way_text(result, Band.CRITICAL if critical else Band.OUT_OF_RANGE, self.wording)

    def _is_critical(self, result: Result) -> bool:
        return is_critical(result, self.record, self.table)

    def _counts_as(self, result: Result) -> str:
        return self.table.counts_as.get(result.analyte, result.analyte)

    def ranked(self, results: Iterable[Result]) -> tuple[Result, ...]:
        """The most dangerous first; without those that stand in the line of another one."""
        ranked = sorted(results, key=self._danger)
        taken = {partner for result in ranked if (partner := self.partner(result))}
        return tuple(result for result in ranked if result not in taken)

    def _danger(self, result: Result) -> tuple[bool, int]:
        critical = self._is_critical(result)
        order = self.wording.dangers["critical" if critical else "out"]
        analyte = self._counts_as(result)
        return not critical, order.index(analyte) if analyte in order else len(order)

    def keys(self, result: Result) -> frozenset[str]:
        """What the line of that result names, by the keys of reasons."""
        partner = self.partner(result)
        return frozenset(f"result {one.analyte}" for one in (result, partner) if one is not None)

    def result_line(self, result: Result, *, brief: bool = False) -> str:
        """Potassium 3.1 mmol/L (2026-11-21), low: treat it, check magnesium."""
        partner = self.partner(result)
        measured = capital(measured_text(result, self.terminology, self.wording))
        if partner is not None:
            other = measured_text(partner, self.terminology, self.wording)
            days = (
                [self._day(result)] if result.day == partner.day else [self._day(result), self._day(partner)]
            )
            if len(days) == 1:
                value = f"{measured}, {other} ({days[0]})"
            else:
                value = f"{measured} ({days[0]}), {other} ({days[1]})"
        else:
            more = [self._day(result), "" if brief else kind_text(result, self.wording)]
            value = f"{measured} ({', '.join(filter(None, more))}), {self.way(result)}"
        return f"{value}: {self.next_step(result, brief=brief)}"

    def value_line(self, result: Result) -> str:
        """Creatine kinase 700 U/L (2026-06-12), high."""
        measured = capital(measured_text(result, self.terminology, self.wording))
        return f"{measured} ({self._day(result)}), {self.way(result)}"

    def _day(self, result: Result) -> str:
        return result.day.isoformat() if result.day else self.say("results.undated")

    def next_step(self, result: Result, *, brief: bool = False) -> str:
        """What to do about that result next."""
        step, critical = self._step(result), self._is_critical(result)
        text = step.says if step else ""
        if critical and age_of(result, self.as_of) > self.wording.old_result_days:
            if brief or not text:
                return self.say("lead.repeat_first_only")
            return self.say("lead.repeat_first", next=text)
        return text or self.say("lead.act_critical" if critical else "lead.act")

    def _step(self, result: Result) -> NextStep | None:
        side = _SIDES[as_judged(result, self.table).low]
        states = {side, "out"}
        if self._is_critical(result):
            states |= {"critical", f"critical-{side}"}
        names = {result.analyte, self._counts_as(result)}
        for step in self.wording.next_steps:
            if (
                step.state in states
                and not names.isdisjoint(step.analytes)
                and (not step.beside or self._beside(step) is not None)
                and (step.fact is None or self.decision.facts.get(step.fact) == TRUE)
                and not any(present(self.record, name) for name in step.unless)
            ):
                return step
        return None

    def partner(self, result: Result) -> Result | None:
        """The result that stands in one line with it: TSH and free T4."""
        step = self._step(result)
        return self._beside(step) if step is not None and step.together else None

    def _beside(self, step: NextStep) -> Result | None:
        return next(
            (
                result
                for result in self.record.results
                if {result.analyte, self._counts_as(result)} & set(step.beside)
                and self._is_in(step.beside_state, result)
            ),
            None,
        )

    def _is_in(self, state: str, result: Result) -> bool:
        band = band_today(result, self.table, self.as_of)
        if state == "in-range":
            days = self.table.thresholds.recent_result_days
            return band is Band.IN_RANGE and age_of(result, self.as_of) <= days
        return band in OUT and state in (_SIDES[result.low], "out")

    def explaining(self, result: Result) -> list[Drug]:
        """The current medicines that move that analyte that way."""
        return [drug for drug in self.record.drugs if self.explains(drug, result)]

    def explains(self, drug: Drug, result: Result) -> bool:
        """Whether it is a current medicine that moves that analyte that way."""
        return drug.current and self.moves(drug, result)

    def moves(self, drug: Drug, result: Result) -> bool:
        """Whether the medicine, taken, can move that analyte to the side where the result is out of range."""
        return any(
            entry.state == _SIDES[result.low]
            and (
                drug.classes & entry.classes
                or (entry.raises_potassium and drug.raises_potassium and drug.recognised)
            )
            and {result.analyte, self._counts_as(result)} & entry.analytes
            for entry in self.wording.explains
        )

    def summary_result(self, result: Result) -> tuple[str, str]:
        """Potassium 3.1 (21 Nov) on furosemide; what to do."""
        value = short_result(result, self.as_of, self.terminology, self.wording)
        partner = self.partner(result)
        if partner is not None:
            other = short_result(partner, self.as_of, self.terminology, self.wording, capitals=False)
            if partner.day == result.day:
                value = value.rpartition(" (")[0] if result.day else value
            value = joined([value, other])
        names = [plain(drug_name(drug, self.wording)) for drug in self.explaining(result)[:_MOST_EXPLAINING]]
        drugs = together(names, self.wording)
        value = self.say("summary.on_drug", value=value, drug=drugs) if drugs else value
        return value, self.next_step(result)

    def repeated(self, result: Result, text: str, *, short: bool = False) -> str:
        """The text, and that the result is being repeated."""
        days = self._repeat_days(result)
        if not days:
            return self.say("lead.in_hand_undated", text=text)
        when = day_month(max(days), self.as_of, self.wording) if short else max(days).isoformat()
        return self.say("lead.in_hand", text=text, date=when)

    def repeated_too_late(self, result: Result, text: str) -> str:
        """The text, and that its repeat is ordered, but not for the same day."""
        orders = [order for order in self._orders_since(result) if order.priority not in PRIORITIES[NOW]]
        if not orders or self._repeat_days(result):
            return text
        newest = max(orders, key=lambda order: str(order.day))
        priority = newest.priority if newest.priority in PRIORITIES[URGENT] else ROUTINE
        return self.say("lead.repeat_too_late", text=text, priority=priority, date=newest.day)

    def _repeat_days(self, result: Result) -> list[date]:
        """The days on which it was ordered again, for the same day."""
        orders = [order for order in self._orders_since(result) if order.priority in PRIORITIES[NOW]]
        return [order.day for order in orders if order.day is not None]

    def _orders_since(self, result: Result) -> list[Order]:
        analyte = self._counts_as(result)
        actions = {action.id for action in self.table.actions.values() if analyte in action.analytes}
        return [
            order
            for order in self.record.orders
            if order.day is not None
            and not order.tests.isdisjoint({analyte, result.analyte, *actions})
            and (result.day is None or order.day >= result.day)
        ]
