"""Cards about draft orders: one for each remark of the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

from fhir_mappings.record import Band, Result
from service.cards.card import Situation, framed
from service.cards.detail import Detail
from service.cards.escaping import escaped, folded
from service.cards.suggestions import Suggestions
from service.cards.summary import fitting, row_phrases
from service.cards.text import Questions, action_name, capital, joined, study_names
from service.decision import Decision
from service.decision.draft_orders import (
    Remark,
    distinct,
    remarks_of,
    rows_asking_for,
    undrafted,
    with_questions_for,
)
from service.decision.facts import band_today, current_results
from service.decision.outcome import RANK
from service.decision.table import ASK, TRUE, Action, ActionRole, Row, RowRole

_MOST_LINKS = 6
_ROWS_NAMED_AS_REASON = 3
# A longer value leaves no room in a summary.
_LONGEST_VALUE_CHARACTERS = 12


def draft_order_cards(situation: Situation) -> list[dict[str, Any]]:
    """The cards in the order of the drafts; none where there is nothing to add."""
    remarks = remarks_of(situation.decision, situation.knowledge.table)
    # Shared by all cards: a call may hold thousands of drafts.
    before = cache(partial(undrafted, situation.decision, situation.knowledge.table))
    taken = frozenset(drug.name for drug in situation.decision.record.drugs if drug.current)
    return [_Card(remark, situation, before, taken).card() for remark in remarks]


class _Card:
    """Writes the card of one remark."""

    def __init__(
        self, remark: Remark, situation: Situation, before: Callable[[], Decision], taken: frozenset[str]
    ) -> None:
        self.remark = remark
        self.decision = situation.decision
        self.knowledge = situation.knowledge
        self.table = situation.knowledge.table
        self.terminology = situation.knowledge.terminology
        self.wording = situation.knowledge.wording
        self.say = situation.knowledge.wording.say
        # Two cards of one call may ask the same question: each click has an id of its own.
        self.call = replace(situation.call, about=remark.draft.reference)
        self.of = Detail(self.decision, self.knowledge)
        self.undecided = with_questions_for(remark.unsupported, before)
        self.drugs = remark.drugs
        # The patient takes all of them already: nothing is begun, and nothing comes before it.
        self.renewed = all(drug.name in taken for drug in self.drugs)
        asked = (self.table.actions[asked.id] for row in remark.effects for asked in row.actions)
        # The blood tests that the rows of the medicine ask for.
        self.blood = tuple(dict.fromkeys(action for action in asked if action.analytes))
        made = (recommendation.id for recommendation in self.decision.recommendations)
        # To examine or to ask comes before a study.
        self.to_ask = [action for action in made if self.table.actions[action].kind == ASK]

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
        rows = [*remark.because, *remark.effects]
        actions = [*remark.unsupported, *remark.child]
        if not rows:
            actions += [self.table.actions[withheld.id] for withheld in remark.answered]
        asking = [row for action in actions for row in rows_asking_for(action, self.table)]
        fired = [row for row in asking if self.decision.fired(row.id)]
        return distinct(rows + (fired or asking))[:_MOST_LINKS]

    def summary(self) -> Iterator[tuple[str, ...]]:
        """Its parts, each in forms from the fullest to the shortest."""
        remark, say = self.remark, self.say
        if remark.effects:
            yield from self._medicine_parts()
        if remark.child:
            yield (say("drafts.child", tests=self._names(remark.child)),)
            for wanted in self.decision.recommendations:
                if wanted.paediatric:
                    yield (action_name(wanted.id, wanted.urgent, self.wording),)
        if remark.unsupported:
            yield (say("drafts.unsupported", tests=self._names(remark.unsupported)),)
            if self.to_ask:
                yield (say("drafts.examine"),)
            yield say("drafts.supports", signs=joined(self._supporting())), ""
        if remark.left_out or remark.make_urgent:
            twitch = say("summary.twitch")
            phrases = row_phrases(remark.because, self.decision, self.knowledge)
            yield joined([twitch, *phrases[:2]]), joined([twitch, *phrases[:1]]), twitch
        yield from self._answered_parts()
        if remark.left_out:
            yield say("drafts.left_out", tests=self.of.names(remark.left_out)), say("drafts.left_out_brief")
        if remark.make_urgent:
            yield (say("drafts.make_urgent"),)

    def _medicine_parts(self) -> Iterator[tuple[str, ...]]:
        remark, say = self.remark, self.say
        drugs = joined(folded(drug.name) for drug in self.drugs)
        names = drugs, self.of.class_names(remark.classes), say("drafts.this_medicine")
        effects = list(dict.fromkeys(self._effect(row, "short") for row in remark.effects))
        # A cream is not systemic.
        unsure = all(drug.route_unknown for drug in self.drugs)
        place = "drafts.medicine_if_systemic" if unsure else "drafts.medicine"
        yield (
            *(say(place, name=name, effects=joined(effects)) for name in names),
            say(place, name=names[-1], effects=effects[0]),
        )
        if remark.abnormal or remark.disorders:
            yield self._abnormal_part()
        if remark.lacking:
            order, blood = "drafts.order_first", "drafts.blood_first"
            if remark.level == "critical":
                order, blood = "drafts.order_today", "summary.blood_today"
            elif self.renewed:
                # A medicine that the patient takes already does not wait for a blood test.
                order, blood = "drafts.order", "summary.blood"
            yield say(order, tests=self.of.names(remark.lacking)), say(blood)
        elif self.blood:
            yield (say("drafts.in_hand"),)
        elif not self.renewed:
            yield (say("drafts.watch"),)

    def _abnormal_part(self) -> tuple[str, ...]:
        """Potassium low, or as short as it must be: potassium out of range."""
        results = []
        for result in self.remark.abnormal:
            side = {True: "low", False: "high", None: "out"}[result.low]
            band = "critical" if self._band(result) is Band.CRITICAL else "abnormal"
            results.append(self.say(f"drafts.{band}_{side}", test=self.of.names([result.analyte])))
        disorders = [self.terminology.findings[name].label for name in self.remark.disorders]
        brief = self.say(f"drafts.{'critical' if self.remark.level == 'critical' else 'abnormal'}_some")
        return joined([*results, *disorders]), joined([*results[:2], *disorders[:1]]), brief

    def _answered_parts(self) -> Iterator[tuple[str, ...]]:
        say = self.say
        on_file: list[str] = []
        values: list[str] = []
        pending: dict[str, list[str]] = {}
        for withheld in self.remark.answered:
            name = self.of.names(withheld.tests)
            if withheld.kind == "ordered":
                pending.setdefault(str(withheld.day or ""), []).append(name)
            elif withheld.kind == "act-on":
                yield (say("drafts.act_on", tests=name),)
            elif self.table.actions[withheld.id].kind == "study":
                done = say("drafts.study_done", tests=name, date=withheld.day)
                yield done, say("drafts.studies_done", tests=name)
            else:
                on_file.append(name)
                values.append(self._value(withheld.reference, withheld.tests[0]))
        if on_file:
            brief = say("drafts.on_file", tests=joined(on_file))
            yield say("drafts.on_file_of", results=joined(values)), brief
        for day, tests in pending.items():
            brief = say("drafts.pending", tests=joined(tests))
            yield (say("drafts.pending_of", tests=joined(tests), date=day) if day else brief), brief

    def _value(self, reference: str, test: str) -> str:
        """potassium 4.1 mmol/L 2026-06-10; the name alone where the value is long."""
        for result in self._results([test]):
            value, unit = result.text, result.unit or ""
            if result.reference == reference and max(len(value), len(unit)) <= _LONGEST_VALUE_CHARACTERS:
                parts = self.of.names([test]), folded(value), folded(unit), str(result.day or "")
                return " ".join(filter(None, parts))
        return self.of.names([test])

    def detail(self) -> str:
        of = self.of
        questions = Questions(self.undecided, self.knowledge).lines() if self.undecided else ()
        parts = [
            of.unseen(),
            of.section("draft", (f"- {line}" for line in self._lines())),
            of.section("questions", questions),
            of.section("results", (f"- {line}" for line in self._result_lines())),
            of.safety_net(self.remark.level),
        ]
        return "\n\n".join(part for part in parts if part)

    def _lines(self) -> Iterator[str]:
        remark, say = self.remark, self.say
        if any(RowRole.TREAT_TODAY in row.roles for row in remark.because):
            yield say("electrolyte_critical")
        if remark.effects:
            yield from self._medicine_lines()
        if remark.child:
            yield say("drafts.child_says", tests=capital(self._names(remark.child)))
            yield from (self.of.recommendation(r) for r in self.decision.recommendations if r.paediatric)
        if remark.unsupported:
            text = say("drafts.unsupported_says", tests=self._names(remark.unsupported))
            labels = "; ".join(self._supporting().values())
            yield f"{text} {labels}. {say('drafts.other_reason')}"
            for action in self.to_ask:
                yield say(f"actions.{action}.says") + "."
        for withheld in remark.answered:
            test = capital(self.of.names(withheld.tests))
            yield self.of.withheld_text(withheld).replace("{test}", test) + "."
        if remark.left_out:
            worst_first = sorted(remark.because, key=lambda row: -RANK[row.level])
            labels = "; ".join(row.label for row in worst_first[:_ROWS_NAMED_AS_REASON])
            text = say("drafts.left_out_says", tests=self.of.names(remark.left_out))
            yield f"{text} {capital(say('reasons', rows=labels))}."
        if remark.elsewhere:
            yield say("drafts.elsewhere", tests=self.of.names(remark.elsewhere))
        if remark.make_urgent:
            yield say("drafts.make_urgent_says")

    def _medicine_lines(self) -> Iterator[str]:
        remark, say = self.remark, self.say
        effects = " ".join(dict.fromkeys(self._effect(row, "says") for row in remark.effects))
        for drug in self.drugs:
            names = {"name": escaped(drug.name), "class": self.of.class_names(drug.classes)}
            yield say("drafts.medicine_heading", **names, effects=effects)
            if drug.route_unknown:
                yield say("drafts.if_systemic")
        if remark.abnormal:
            yield say("drafts.out_of_range", results=joined(self.of.judged(r) for r in remark.abnormal))
        if remark.disorders:
            labels = joined(self.terminology.findings[name].label for name in remark.disorders)
            yield say("drafts.disorder", disorders=labels)
        places = {analyte: self._lacking_place(analyte) for analyte in remark.lacking}
        days = next((action.done_days for action in self.blood if action.done_days is not None), 0)
        for place in ("lacking", "lacking_renewed", "repeat", "repeat_unjudged"):
            tests = self.of.names(analyte for analyte in remark.lacking if places[analyte] == place)
            if tests:
                yield say(f"drafts.{place}", tests=tests, days=days)
        classes = remark.classes
        for drug in self.decision.record.drugs:
            if drug.current and not drug.classes.isdisjoint(classes):
                yield say("drafts.taken", medicine=self.of.medicine(drug))
        notice = "" if self.renewed else f"{say('drafts.notice')} "
        yield f"{notice}{say('drafts.prescriber')}"

    def _lacking_place(self, analyte: str) -> str:
        """Why the analyte is missing, as a place in wording.yaml."""
        if self.decision.facts.get(f"{analyte}-abnormal") == TRUE:
            return "repeat"
        if any(r.band is Band.NOT_JUDGED and not r.preliminary for r in self._results([analyte])):
            return "repeat_unjudged"
        return "lacking_renewed" if self.renewed else "lacking"

    def _result_lines(self) -> Iterator[str]:
        """Results of the tests in question that were not named above, abnormal ones first."""
        remark = self.remark
        tests = [test for withheld in remark.answered for test in withheld.tests]
        tests += [analyte for action in self.blood for analyte in action.analytes]
        if remark.left_out or remark.make_urgent:
            tests += [*sorted(remark.draft.tests & set(self.table.electrolytes)), *remark.left_out]
        results = {
            result.reference + result.expression: result
            for result in self._results(dict.fromkeys(tests))
            if result not in remark.abnormal
        }
        abnormal = (Band.CRITICAL, Band.OUT_OF_RANGE)
        for result in sorted(results.values(), key=lambda r: self._band(r) not in abnormal):
            yield self.of.judged(result)

    def suggestions(self) -> Iterator[dict[str, Any]]:
        remark, write = self.remark, Suggestions(self.decision, self.knowledge, self.call)
        if remark.suggested:
            action = self.table.action_for(ActionRole.MISSING_BLOOD_TESTS).id
            label = self.say(f"actions.{action}.order", analytes=self.of.names(remark.suggested))
            yield from write.order(action, remark.suggested, label, urgent=remark.urgent)
        if self.undecided is not None:
            yield from write.answers(Questions(self.undecided, self.knowledge).first)

    def _effect(self, row: Row, form: str) -> str:
        """What a medicine of the row can do."""
        text = self.wording.maybe(f"effects.{row.id}.{form}")
        return text or self.say("drafts.effect_other", row=row.label)

    def _names(self, actions: Iterable[Action]) -> str:
        return study_names(actions, self.remark.draft.tests, self.wording)

    def _supporting(self) -> dict[str, str]:
        """What would support the study: short phrase -> the shortest label of the rows with that phrase."""
        labels: dict[str, str] = {}
        for action in self.remark.unsupported:
            for row in rows_asking_for(action, self.table):
                phrase = self.wording.maybe(f"found.{row.id}") or row.label
                labels[phrase] = min(labels.get(phrase, row.label), row.label, key=len)
        return labels

    def _results(self, tests: Iterable[str]) -> list[Result]:
        return [r for test in tests for r in current_results(self.decision.record, self.table, test)]

    def _band(self, result: Result) -> Band:
        return band_today(result, self.table, self.decision.record.as_of)
