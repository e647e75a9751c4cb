"""One card for each order being written that the table speaks about; no work-up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fhir_mappings.record import Band
from service.cards.card import framed
from service.cards.detail import Detail
from service.cards.draft_order_card.summary import Summary
from service.cards.escaping import escaped
from service.cards.facets import capital, joined
from service.cards.questions import Questions
from service.cards.situation import Situation
from service.cards.suggestions import Suggestions
from service.decision import Decision
from service.decision.draft_orders import Remark, distinct, remarks_of, rows_asking_for, without_drafts
from service.decision.outcome import RANK
from service.decision.questions import AnswerOutcome, foremost
from service.decision.table import ActionRole, Row, RowRole

_MOST_LINKS = 6


def draft_cards(situation: Situation) -> list[dict[str, Any]]:
    """The cards in the order of the drafts; none where there is nothing to add."""
    remarks = remarks_of(situation.decision, situation.knowledge.table)
    return [_Card(remark, situation).card() for remark in remarks]


class _Card(Summary):
    """Writes the card of one remark."""

    def __init__(self, remark: Remark, situation: Situation) -> None:
        super().__init__(remark, situation)
        # Two cards of one call may ask the same question: each click has an id of its own.
        self.call = replace(situation.call, about=remark.draft.reference)
        self.of = Detail(self.decision, self.knowledge)
        self.undecided = self._undecided()

    def card(self) -> dict[str, Any]:
        return framed(
            self.knowledge,
            self.call,
            summary=self.summary(),
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
        if any(RowRole.TREAT_TODAY in row.roles for row in remark.because):
            yield say("electrolyte_critical")
        if remark.effects:
            yield from self._medicine_lines()
        if remark.child:
            yield say("drafts.child_says", tests=capital(self.shorts(remark.child)))
            yield from (self.of.recommendation(r) for r in self.decision.recommendations if r.paediatric)
        if remark.unsupported:
            text = say("drafts.unsupported_says", tests=self.shorts(remark.unsupported))
            labels = "; ".join(self.supporting().values())
            yield f"{text} {labels}. {say('drafts.other_reason')}"
            for action in self.to_ask():
                yield say(f"actions.{action}.says") + "."
        for withheld in remark.answered:
            test = capital(self.names(withheld.tests))
            yield self.of.withheld_text(withheld).replace("{test}", test) + "."
        if remark.left_out:
            worst_first = sorted(remark.because, key=lambda row: -RANK[row.level])
            labels = "; ".join(row.label for row in worst_first[:3])
            text = say("drafts.left_out_says", tests=self.names(remark.left_out))
            yield f"{text} {capital(say('reasons', rows=labels))}."
        if remark.elsewhere:
            yield say("drafts.elsewhere", tests=self.names(remark.elsewhere))
        if remark.make_urgent:
            yield say("drafts.make_urgent_says")

    def _medicine_lines(self) -> Iterator[str]:
        remark, say = self.remark, self.say
        labels = self.terminology.medications.class_labels
        says = " ".join(dict.fromkeys(self.effect(row, "says") for row in remark.effects))
        for drug in self.drugs():
            classes = joined(labels[name] for name in sorted(drug.classes) if name in labels)
            heading = {"name": escaped(drug.name), "class": classes, "effects": says}
            yield say("drafts.medicine_heading", **heading)
            if drug.route_unknown:
                yield say("drafts.if_systemic")
        if remark.abnormal:
            yield say("drafts.out_of_range", results=joined(self.judged(r) for r in remark.abnormal))
        if remark.disorders:
            names = joined(self.terminology.findings[name].label for name in remark.disorders)
            yield say("drafts.disorder", disorders=names)
        repeated = [a for a in remark.lacking if self.decision.facts.get(f"{a}-abnormal") == "true"]
        unjudged = [a for a in remark.lacking if a not in repeated and self._unjudged(a)]
        lacking = [a for a in remark.lacking if a not in repeated and a not in unjudged]
        if lacking:
            place = "drafts.lacking_renewed" if self.renewed() else "drafts.lacking"
            yield say(place, tests=self.names(lacking), days=self.done_days())
        if repeated:
            yield say("drafts.repeat", tests=self.names(repeated))
        if unjudged:
            yield say("drafts.repeat_unjudged", tests=self.names(unjudged))
        for drug in self.record.drugs:
            if drug.current and drug.classes & self.classes():
                yield say("drafts.taken", medicine=self.of.medicine(drug))
        notice = "" if self.renewed() else f"{say('drafts.notice')} "
        yield f"{notice}{say('drafts.prescriber')}"

    def _unjudged(self, analyte: str) -> bool:
        """Whether a final result of it is on file that could not be judged."""
        return any(r.band is Band.NOT_JUDGED and not r.preliminary for r in self.results((analyte,)))

    def _questions(self) -> Iterator[str]:
        """Findings that nobody recorded and that would support the study."""
        if self.undecided is not None:
            yield from Questions(self.undecided, self.knowledge).lines()

    def _undecided(self) -> Decision | None:
        wanted = {action.id for action in self.remark.unsupported}
        if not wanted:
            return None
        bare = without_drafts(self.decision, self.table)
        asked = tuple(
            question
            for question in bare.questions
            # Not what is asked beside an assumed sign, which supports it already.
            if not question.in_words and wanted & (_ids(question.present) - _ids(question.absent))
        )
        return replace(bare, questions=asked) if asked else None

    def _result_lines(self) -> Iterator[str]:
        """Results that bear on the order and were not named above, abnormal ones first."""
        tests = [test for withheld in self.remark.answered for test in withheld.tests]
        tests += [analyte for action in self.blood() for analyte in action.analytes]
        if self.remark.left_out or self.remark.make_urgent:
            tests += [*sorted(self.remark.draft.tests & set(self.table.electrolytes)), *self.remark.left_out]
        bearing = self.results(tuple(dict.fromkeys(tests)))
        found = {r.reference + r.expression: r for r in bearing if r not in self.remark.abnormal}
        rank = (Band.CRITICAL, Band.OUT_OF_RANGE)
        for result in sorted(found.values(), key=lambda r: self.band(r) not in rank):
            yield self.judged(result)

    def _safety_net(self) -> str:
        return self.of.safety_net() or f"**{self.say('headings.safety_net')}:** {self.say('safety_net')}"

    # What one click does.

    def suggestions(self) -> Iterator[dict[str, Any]]:
        remark, write = self.remark, Suggestions(self.decision, self.knowledge, self.call)
        if remark.suggested:
            action = self.table.action_for(ActionRole.MISSING_BLOOD_TESTS).id
            label = self.say(f"actions.{action}.order", analytes=self.names(remark.suggested))
            yield from write.order(action, remark.suggested, label, urgent=remark.urgent)
        if self.undecided is not None:
            yield from write.answers(
                foremost(self.undecided.questions, self.table.thresholds.at_most_questions)
            )


def _ids(answer: AnswerOutcome) -> set[str]:
    return {recommendation.id for recommendation in answer.outcome.recommendations}
