"""A medicine in the words of a card: since when, until when, and what it bears on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fhir_mappings.record import Drug, Plausible, Result
from service.cards.escaping import escaped, plain
from service.cards.result_lines import ResultLines
from service.cards.spans import day_month, span
from service.cards.text import drug_name, joined, test_label, together
from service.decision import Recommendation


class DrugLines(ResultLines):
    """Writes the medicines of one decision."""

    # The results that the actions act on, and the medicines that they review.
    acted_on: Sequence[Result] = ()
    reviewed: Sequence[Drug] = ()

    def in_order(self, drugs: Iterable[Drug]) -> list[Drug]:
        """Those that explain a result first, then those whose timing fits best."""
        explaining = [drug.name for result in self.acted_on for drug in self.explaining(result)]
        order = list(dict.fromkeys(explaining))

        def place(drug: Drug) -> tuple[int, bool]:
            first = order.index(drug.name) if drug.name in order else len(order)
            return first, drug.plausible is not Plausible.YES

        return sorted(drugs, key=place)

    def drug(self, made: Recommendation) -> str:
        """The medicine of a review for the summary, plain: the one that explains a result or fits best."""
        drugs = self.in_order(made.drugs)
        if not drugs:
            return ""
        first = drugs[0]
        name = plain(drug_name(first, self.wording))
        if first.current or first.end is None or first.end.latest is None:
            return name
        day = day_month(first.end.latest, self.as_of, self.wording)
        return self.say("medicine.stopped_short", name=name, date=day)

    def since(self, drug: Drug) -> str:
        """furosemide (since 2026-10-01)."""
        return f"{escaped(drug_name(drug, self.wording))} ({self.when(drug)})"

    def when(self, drug: Drug) -> str:
        """since 2026-10-01; start unknown; stopped 2026-05-28, 8 days before the twitching; route unknown."""
        if not drug.route_unknown:
            return self._when(drug)
        return joined([self._when(drug) if drug.start.known else "", self.say("medicine.route_unknown")])

    def _when(self, drug: Drug) -> str:
        start = drug.start.earliest or drug.start.latest
        if start is None:
            when = self.say("medicine.start_unknown")
        else:
            when = self.say("medicine.since" if drug.start.exact else "medicine.about", date=start)
        end = drug.end.latest if drug.end is not None and not drug.current else None
        if not self.is_reviewed(drug) or drug.plausible is not Plausible.NO:
            return self.say("medicine.ended", when=when, date=end) if end is not None else when
        onset = self.record.twitch.onset
        if end is not None:
            days = (onset.earliest - end).days if onset.earliest is not None else 0
            if days == 1:
                return self.say("medicine.stopped_day", date=end)
            if days > 1:
                return self.say("medicine.stopped", date=end, span=span(days, self.wording))
            return self.say("medicine.ended", when=when, date=end)
        if drug.start.earliest and onset.latest and drug.start.earliest > onset.latest:
            when = self.say("medicine.begun_after", when=when)
        bears = self._bears_on(drug)
        return self.say("medicine.bears_on", when=when, results=bears) if bears else when

    def _bears_on(self, drug: Drug) -> str:
        """sodium: the results that it can explain."""
        results = [result for result in self.acted_on if self.explains(drug, result)]
        return together(
            [test_label(r.analyte, self.terminology, self.wording) for r in results], self.wording
        )

    def is_reviewed(self, drug: Drug) -> bool:
        """Whether the card asks if it plays a part."""
        return drug in self.reviewed

    def timing(self, drug: Drug) -> str:
        """When it was taken, and what that says of the twitching; never against what the card asks."""
        when = self.when(drug)
        if drug.plausible is Plausible.NO and not self.is_reviewed(drug):
            return f"{when}, {self.say('medicine.no')}"
        if drug.plausible is Plausible.POSSIBLE and not drug.route_unknown and drug.start.known:
            return self.say("medicine.possible", when=when)
        return when

    def brief_names(self, drugs: Sequence[Drug]) -> list[str]:
        """The names alone."""
        return [escaped(drug_name(drug, self.wording)) for drug in drugs]
