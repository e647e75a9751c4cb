"""One card for each order being written that the table speaks about; no work-up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fhir_mappings.findings import Band, Result
from service.cards.card import framed
from service.cards.detail import Detail
from service.cards.escaping import escaped, folded
from service.cards.facets import capital, joined, result_text, study_label, test_label
from service.cards.questions import Questions
from service.cards.situation import Situation
from service.cards.suggestions import answers_to, order_of
from service.cards.summary import fitting, found_of
from service.decision import Decision
from service.decision.drafts import Remark, distinct, remarks_of, rows_asking_for, without_drafts
from service.decision.facts import band_today, current_results
from service.decision.questions import AnswerOutcome, foremost
from service.decision.table import Action, Row

# A longer value leaves no room in a summary.
_LONGEST_VALUE = 12
_MOST_LINKS = 6


def draft_cards(situation: Situation) -> list[dict[str, Any]]:
    """The cards in the order of the drafts; none where there is nothing to add."""
    remarks = remarks_of(situation.decision, situation.knowledge.table)
    return [_Card(remark, situation).card() for remark in remarks]


class _Card:
    """Writes the card of one remark."""

    def __init__(self, remark: Remark, situation: Situation) -> None:
        self.remark = remark
        self.decision = situation.decision
        self.record = situation.decision.record
        self.knowledge = situation.knowledge
        # Two cards of one call may ask the same question: each click has an id of its own.
        self.call = replace(situation.call, about=remark.draft.reference)
        self.table = situation.knowledge.table
        self.terminology = situation.knowledge.terminology
        self.wording = situation.knowledge.wording
        self.say = situation.knowledge.wording.say
        self.of = Detail(self.decision, self.table, self.terminology, self.wording)
        self.undecided = self._undecided()

    def card(self) -> dict[str, Any]:
        return framed(
            self.knowledge,
            self.call,
            summary=fitting(list(self.summary())),
            level=self.remark.level,
            detail=self.detail(),
            rows=self.rows(),
            suggestions=list(self.suggestions()),
        )

    def rows(self) -> tuple[Row, ...]:
        """What the remark rests on: fired rows, else those that can ask for what is drafted."""
        remark = self.remark
        resting = [*remark.because, *remark.effects]
        actions = [*remark.unsupported, *remark.child]
        if not resting:
            actions += [self.table.actions[withheld.id] for withheld in remark.answered]
        could = [row for action in actions for row in rows_asking_for(action, self.table)]
        fired = [row for row in could if self.decision.fired(row.id)]
        return distinct(resting + (fired or could))[:_MOST_LINKS]

    # The summary: what was found, then what is recommended.

    def summary(self) -> Iterator[tuple[str, ...]]:
        """Its parts, each in forms from the fullest to the shortest."""
        remark = self.remark
        if remark.effects:
            yield from self._medicine_parts()
        if remark.child:
            yield (self.say("drafts.child", tests=self.shorts(remark.child)),)
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
        found = found_of(resting, self.table, self.terminology, self.wording)
        twitch = self.say("summary.twitch")
        return joined([twitch, *found[:2]]), joined([twitch, *found[:1]]), twitch

    def _medicine_parts(self) -> Iterator[tuple[str, ...]]:
        remark = self.remark
        drugs = [drug for drug in remark.draft.drugs if drug.classes & self._classes()]
        labels = self.terminology.medications.class_labels
        names = (
            joined(folded(drug.name) for drug in drugs),
            joined(labels[name] for name in sorted(self._classes()) if name in labels),
            self.say("drafts.this_medicine"),
        )
        effects = list(dict.fromkeys(self.effect(row, "short") for row in remark.effects))
        yield (
            *(self.say("drafts.medicine", name=name, effects=joined(effects)) for name in names),
            self.say("drafts.medicine", name=names[-1], effects=effects[0]),
        )
        abnormal = joined(
            [
                *(test_label(r.analyte, self.terminology, self.wording) for r in remark.abnormal),
                *(self.terminology.findings[name].label for name in remark.disorders),
            ]
        )
        if abnormal:
            place = "critical_short" if remark.level == "critical" else "abnormal_short"
            yield (self.say(f"drafts.{place}", tests=abnormal),)
        if remark.lacking:
            names_of_tests = self.say("drafts.order_first", tests=self.names(remark.lacking))
            yield names_of_tests, self.say("drafts.blood_first")
        elif self._blood():
            yield (self.say("drafts.in_hand"),)
        else:
            yield (self.say("drafts.watch"),)

    def _study_parts(self) -> Iterator[tuple[str, ...]]:
        actions = self.remark.unsupported
        yield (self.say("drafts.unsupported", tests=self.shorts(actions)),)
        if self.decision.recommends("ask-examination"):
            yield (self.say("drafts.examine"),)
        signs = [self.wording.maybe(f"found.{row.id}") for row in self._supporting()]
        yield self.say("drafts.supports", signs=joined(signs)), ""

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
        result = next((r for r in self._results((test,)) if r.reference == reference), None)
        if result is None or max(len(result.text), len(result.unit or "")) > _LONGEST_VALUE:
            return name
        unit = f" {folded(result.unit)}" if result.unit else ""
        return f"{name} {folded(result.text)}{unit}" + (f" {result.day}" if result.day else "")

    # The detail.

    def detail(self) -> str:
        parts = [
            self.of.unseen(),
            self.of.section("draft", (f"- {line}" for line in self.lines())),
            self.of.section("questions", self._questions()),
            self.of.section("results", (f"- {line}" for line in self._result_lines())),
            "" if self.remark.level == "critical" else self._safety_net(),
        ]
        return "\n\n".join(part for part in parts if part)

    def lines(self) -> Iterator[str]:
        remark, say = self.remark, self.say
        if remark.effects:
            yield from self._medicine_lines()
        if any(row.id == "electrolyte-critical" for row in remark.because):
            yield say("electrolyte_critical")
        if remark.child:
            yield say("drafts.child_says", tests=capital(self.shorts(remark.child)))
        if remark.unsupported:
            text = say("drafts.unsupported_says", tests=self.shorts(remark.unsupported))
            labels = "; ".join(row.label for row in self._supporting())
            yield f"{text} {labels}. {say('drafts.other_reason')}"
            if self.decision.recommends("ask-examination"):
                yield say("actions.ask-examination.says") + "."
        for withheld in remark.answered:
            test = capital(self.names(withheld.tests))
            yield self.of.withheld_text(withheld).replace("{test}", test) + "."
        if remark.left_out:
            labels = "; ".join(row.label for row in remark.because)
            text = say("drafts.left_out_says", tests=self.names(remark.left_out))
            yield f"{text} {capital(say('reasons', rows=labels))}."
        if remark.make_urgent:
            yield say("drafts.make_urgent_says")

    def _medicine_lines(self) -> Iterator[str]:
        remark, say = self.remark, self.say
        labels = self.terminology.medications.class_labels
        drugs = [drug for drug in remark.draft.drugs if drug.classes & self._classes()]
        says = " ".join(dict.fromkeys(self.effect(row, "says") for row in remark.effects))
        for drug in drugs:
            classes = joined(labels[name] for name in sorted(drug.classes) if name in labels)
            heading = {"name": escaped(drug.name), "class": classes, "effects": says}
            yield say("drafts.medicine_heading", **heading)
            if drug.route_unknown:
                yield say("drafts.if_systemic")
        if remark.abnormal:
            yield say("drafts.abnormal", results=joined(self._judged(r) for r in remark.abnormal))
        if remark.disorders:
            names = joined(self.terminology.findings[name].label for name in remark.disorders)
            yield say("drafts.disorder", disorders=names)
        lacking = [a for a in remark.lacking if self.decision.facts.get(f"{a}-abnormal") != "true"]
        repeated = [a for a in remark.lacking if a not in lacking]
        if lacking:
            yield say("drafts.lacking", tests=self.names(lacking), days=self._done_days())
        if repeated:
            yield say("drafts.repeat", tests=self.names(repeated))
        for drug in self.record.drugs:
            if drug.current and drug.classes & self._classes():
                yield say("drafts.taken", medicine=self.of.medicine(drug))
        yield f"{say('drafts.notice')} {say('drafts.prescriber')}"

    def _questions(self) -> Iterator[str]:
        """What nobody recorded and would support the study."""
        if self.undecided is not None:
            yield from Questions(self.undecided, self.table, self.terminology, self.wording).lines()

    def _undecided(self) -> Decision | None:
        wanted = {action.id for action in self.remark.unsupported}
        if not wanted:
            return None
        bare = without_drafts(self.decision, self.table)
        asked = tuple(
            question
            for question in bare.questions
            if not question.in_words and any(r.id in wanted for r in question.present.outcome.recommendations)
        )
        return replace(bare, questions=asked) if asked else None

    def _result_lines(self) -> Iterator[str]:
        """Results that bear on the order, abnormal ones first."""
        tests = [test for withheld in self.remark.answered for test in withheld.tests]
        tests += [analyte for action in self._blood() for analyte in action.analytes]
        tests += list(self.remark.left_out)
        found = {r.reference + r.expression: r for r in self._results(tuple(dict.fromkeys(tests)))}
        rank = (Band.CRITICAL, Band.OUT_OF_RANGE)
        for result in sorted(found.values(), key=lambda r: self._band(r) not in rank):
            yield self._judged(result)

    def _safety_net(self) -> str:
        return self.of.safety_net() or f"**{self.say('headings.safety_net')}:** {self.say('safety_net')}"

    # What one click does.

    def suggestions(self) -> Iterator[dict[str, Any]]:
        remark = self.remark
        if remark.suggested:
            label = self.say("actions.electrolytes.order", analytes=self.names(remark.suggested))
            order = order_of(
                remark.suggested,
                label,
                self.call.uuid("order", "electrolytes"),
                self.decision,
                self.knowledge.templates,
                self.call,
                urgent=remark.urgent,
            )
            if order is not None:
                yield order
        if self.undecided is not None:
            asked = foremost(self.undecided.questions, self.table.thresholds.at_most_questions)
            yield from answers_to(
                asked, self.undecided, self.terminology, self.wording, self.knowledge.templates, self.call
            )

    # Names.

    def effect(self, row: Row, form: str) -> str:
        """What a medicine of the row can do, in words."""
        return self.wording.maybe(f"effects.{row.id}.{form}") or self.say(
            "drafts.effect_other", row=row.label
        )

    def names(self, tests: tuple[str, ...] | list[str]) -> str:
        return joined(test_label(test, self.terminology, self.wording) for test in tests)

    def shorts(self, actions: tuple[Action, ...]) -> str:
        """MRI brain where the draft says which part, else EMG, nerve conduction."""
        return joined(
            study_label(study, self.wording)
            for action in actions
            for study in ([s for s in action.studies if s in self.remark.draft.tests] or [action.id])
        )

    def _supporting(self) -> tuple[Row, ...]:
        return distinct(
            row for action in self.remark.unsupported for row in rows_asking_for(action, self.table)
        )

    def _classes(self) -> frozenset[str]:
        return frozenset(name for row in self.remark.effects for name in row.drug_classes) & frozenset(
            name for drug in self.remark.draft.drugs for name in drug.classes
        )

    def _blood(self) -> tuple[Action, ...]:
        """The blood tests that the rows of the medicine ask for."""
        found = [self.table.actions[asked.id] for row in self.remark.effects for asked in row.actions]
        return tuple(dict.fromkeys(action for action in found if action.analytes))

    def _done_days(self) -> int:
        return next((action.done_days for action in self._blood() if action.done_days is not None), 0)

    def _results(self, tests: tuple[str, ...]) -> list[Result]:
        return [r for test in tests for r in current_results(self.record, self.table, test)]

    def _band(self, result: Result) -> Band:
        return band_today(result, self.table, self.record.as_of)

    def _judged(self, result: Result) -> str:
        return result_text(result, self._band(result), self.terminology, self.wording)


def _ids(answer: AnswerOutcome) -> set[str]:
    return {recommendation.id for recommendation in answer.outcome.recommendations}
