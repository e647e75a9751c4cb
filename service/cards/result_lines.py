"""A result in the words of a card: its value, which way it is out of range, and what to do next."""

from __future__ import annotations

from fhir_mappings.record import Band, Result
from service.cards.escaping import plain, short_name
from service.cards.text import capital, kind_text, measured_text, short_result, way_text
from service.decision import Decision
from service.decision.result_facts import age_of, is_critical
from service.knowledge import Knowledge


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
        return f"{measured_text(result, self.terminology, self.wording)} {self._way(result)}"

    def _way(self, result: Result) -> str:
        critical = is_critical(result, self.record, self.table)
        return way_text(result, Band.CRITICAL if critical else Band.OUT_OF_RANGE, self.wording)

    def result_line(self, result: Result, *, brief: bool = False) -> str:
        """Potassium 3.1 mmol/L (2026-11-21), low: treat it, check magnesium."""
        day = result.day.isoformat() if result.day else self.say("results.undated")
        more = [day, "" if brief else kind_text(result, self.wording)]
        measured = capital(measured_text(result, self.terminology, self.wording))
        value = f"{measured} ({', '.join(filter(None, more))}), {self._way(result)}"
        return f"{value}: {self.next_step(result)}"

    def next_step(self, result: Result) -> str:
        """What to do about that result next."""
        critical = is_critical(result, self.record, self.table)
        side = {True: "low", False: "high", None: "out"}[result.low]
        states = ("critical", side) if critical else (side,)
        counts_as = self.table.counts_as.get(result.analyte, result.analyte)
        text = next(
            (
                step.says
                for step in self.wording.next_steps
                if step.analytes & {result.analyte, counts_as}
                and step.state in states
                and (step.beside is None or self._is_high(step.beside))
            ),
            "",
        )
        old = critical and age_of(result, self.as_of) > self.wording.old_result_days
        if old:
            return self.say("lead.repeat_first", next=text) if text else self.say("lead.repeat_first_only")
        return text or self.say("lead.act")

    def _is_high(self, analyte: str) -> bool:
        return any(
            result.analyte == analyte
            and result.low is False
            and result.band in (Band.OUT_OF_RANGE, Band.CRITICAL)
            for result in self.record.results
        )

    def explaining(self, result: Result) -> str:
        """The medicine that explains a result: one that a row reads together with it; "" if none does."""
        counts_as = self.table.counts_as.get(result.analyte, result.analyte)
        for row in self.decision.rows:
            for term in row.terms:
                reads = [literal.variable for literal in term if literal.positive]
                if not all(literal.true_in(self.decision.facts) for literal in term):
                    continue
                about = any(
                    counts_as in fact.analytes
                    for name in reads
                    for fact in self.table.result_facts.get(name, ())
                )
                classes = {name.partition(" ")[2] for name in reads if name.startswith("current ")}
                for drug in self.record.drugs if about else ():
                    if drug.current and drug.classes & classes:
                        return plain(short_name(drug.name))
        return ""

    def summary_result(self, result: Result) -> tuple[str, str]:
        """Potassium 3.1 (21 Nov) on furosemide; what to do."""
        value = short_result(result, self.as_of, self.terminology, self.wording)
        drug = self.explaining(result)
        value = self.say("summary.on_drug", value=value, drug=drug) if drug else value
        return value, self.next_step(result)
