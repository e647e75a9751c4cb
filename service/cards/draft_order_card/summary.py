"""The one line of a draft's card: what was found, then what is recommended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fhir_mappings.record import Band
from service.cards.draft_order_card.words import Words
from service.cards.escaping import folded
from service.cards.facets import joined, test_label
from service.cards.phrases import phrases_of
from service.cards.summary import fitting, found_of

# A longer value leaves no room in a summary.
_LONGEST_VALUE = 12


class Summary(Words):
    """Writes the summary of one remark."""

    def summary(self) -> str:
        """Plain text under 140 characters. Raises SummaryTooLong."""
        return fitting(list(self._parts()))

    def _parts(self) -> Iterator[tuple[str, ...]]:
        """Its parts, each in forms from the fullest to the shortest."""
        remark = self.remark
        if remark.effects:
            yield from self._medicine_parts()
        if remark.child:
            yield (self.say("drafts.child", tests=self.shorts(remark.child)),)
            for wanted in self.decision.recommendations:
                if wanted.paediatric:
                    yield (phrases_of(self.knowledge).short_name(wanted.id, wanted.urgent),)
        if remark.unsupported:
            yield from self._study_parts()
        if remark.left_out or remark.make_urgent:
            yield self._why()
        yield from self._answered_parts()
        if remark.left_out:
            names = self.names(remark.left_out)
            yield self.say("drafts.left_out", tests=names), self.say("drafts.left_out_brief")
        if remark.make_urgent:
            yield (self.say("drafts.make_urgent"),)

    def _why(self) -> tuple[str, ...]:
        """Twitching, over two weeks."""
        resting = replace(self.decision, rows=self.remark.because)
        found = found_of(resting, self.knowledge)
        twitch = self.say("summary.twitch")
        return joined([twitch, *found[:2]]), joined([twitch, *found[:1]]), twitch

    def _medicine_parts(self) -> Iterator[tuple[str, ...]]:
        remark = self.remark
        drugs = self.drugs()
        labels = self.terminology.medications.class_labels
        names = (
            joined(folded(drug.name) for drug in drugs),
            joined(labels[name] for name in sorted(self.classes()) if name in labels),
            self.say("drafts.this_medicine"),
        )
        effects = list(dict.fromkeys(self.effect(row, "short") for row in remark.effects))
        # A cream is no systemic medicine: without a route it is said under that condition.
        unsure = all(drug.route_unknown for drug in drugs)
        place = "drafts.medicine_if_systemic" if unsure else "drafts.medicine"
        yield (
            *(self.say(place, name=name, effects=joined(effects)) for name in names),
            self.say(place, name=names[-1], effects=effects[0]),
        )
        yield from self._abnormal_parts()
        if remark.lacking:
            order, blood = "drafts.order_first", "drafts.blood_first"
            if remark.level == "critical":
                order, blood = "drafts.order_today", "summary.blood_today"
            elif self.renewed():
                # What the patient takes already is not to be kept back for a blood test.
                order, blood = "drafts.order", "summary.blood"
            yield self.say(order, tests=self.names(remark.lacking)), self.say(blood)
        elif self.blood():
            yield (self.say("drafts.in_hand"),)
        elif not self.renewed():
            yield (self.say("drafts.watch"),)

    def _abnormal_parts(self) -> Iterator[tuple[str, ...]]:
        """Potassium low, or as short as it must be: potassium out of range."""
        remark = self.remark
        disorders = [self.terminology.findings[name].label for name in remark.disorders]
        if not remark.abnormal and not disorders:
            return
        said = []
        for result in remark.abnormal:
            side = {True: "low", False: "high", None: "out"}[result.low]
            critical = "critical" if self.band(result) is Band.CRITICAL else "abnormal"
            name = test_label(result.analyte, self.terminology, self.wording)
            said.append(self.say(f"drafts.{critical}_{side}", test=name))
        full = joined([*said, *disorders])
        brief = self.say(f"drafts.{'critical' if remark.level == 'critical' else 'abnormal'}_some")
        yield full, joined([*said[:2], *disorders[:1]]), brief

    def _study_parts(self) -> Iterator[tuple[str, ...]]:
        actions = self.remark.unsupported
        yield (self.say("drafts.unsupported", tests=self.shorts(actions)),)
        if self.to_ask():
            yield (self.say("drafts.examine"),)
        yield self.say("drafts.supports", signs=joined(self.supporting())), ""

    def _answered_parts(self) -> Iterator[tuple[str, ...]]:
        on_file: list[str] = []
        values: list[str] = []
        pending: dict[str, list[str]] = {}
        for withheld in self.remark.answered:
            name = self.names(withheld.tests)
            if withheld.kind == "ordered":
                pending.setdefault(str(withheld.day or ""), []).append(name)
            elif withheld.kind == "act-on":
                yield (self.say("drafts.act_on", tests=name),)
            elif withheld.id in self.table.actions and self.table.actions[withheld.id].kind == "study":
                done = self.say("drafts.study_done", tests=name, date=withheld.day)
                yield done, self.say("drafts.studies_done", tests=name)
            else:
                on_file.append(name)
                values.append(self._value(withheld.reference, withheld.tests[0]))
        if on_file:
            brief = self.say("drafts.on_file", tests=joined(on_file))
            yield self.say("drafts.on_file_of", results=joined(values)), brief
        for day, tests in pending.items():
            brief = self.say("drafts.pending", tests=joined(tests))
            yield (self.say("drafts.pending_of", tests=joined(tests), date=day) if day else brief), brief

    def _value(self, reference: str, test: str) -> str:
        """potassium 4.1 mmol/L 2026-06-10; the name alone where the value is long."""
        name = self.names((test,))
        result = next((r for r in self.results((test,)) if r.reference == reference), None)
        if result is None or max(len(result.text), len(result.unit or "")) > _LONGEST_VALUE:
            return name
        unit = f" {folded(result.unit)}" if result.unit else ""
        return f"{name} {folded(result.text)}{unit}" + (f" {result.day}" if result.day else "")
