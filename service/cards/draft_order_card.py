"""Cards about draft orders: one for each remark of the decision, none twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from fhir_mappings.record import Drug, Result
from service.cards.card import Situation
from service.cards.escaping import escaped, plain
from service.cards.hook_card import HookCard, OfRecord, numbered
from service.cards.reasons import Reasons
from service.cards.suggestions import Suggestions
from service.cards.text import capital, drug_name, joined, short_result, study_names, together
from service.decision import Withheld
from service.decision.draft_orders import remarks_of
from service.decision.remarks import Remark
from service.decision.table import Action, ActionRole, Row

_SHORT, _FULL = "short", "says"
_MOST_ON_FILE = 3


def draft_order_cards(situation: Situation) -> list[dict[str, Any]]:
    """The cards in the order of the drafts; none where there is nothing to add."""
    cards: dict[tuple[str, str], dict[str, Any]] = {}
    same = _OfDrafts(situation)
    for remark in remarks_of(situation.decision, situation.knowledge.table, same.to_do.moves):
        # One click on the first card orders what cannot wait; a second one would order it twice.
        card = _DraftCard(remark, situation, same, orders_urgent=not cards).card()
        cards.setdefault((card["summary"], card["detail"]), card)
    return list(cards.values())


class _OfDrafts(OfRecord):
    """What the cards of all drafts share."""

    @cached_property
    def on_file(self) -> dict[str, list[Drug]]:
        """Name of a medicine on file, in small letters -> its first entries."""
        found: dict[str, list[Drug]] = {}
        for drug in self.record.drugs:
            entries = found.setdefault(drug.name.casefold(), [])
            if len(entries) < _MOST_ON_FILE:
                entries.append(drug)
        return found

    @cached_property
    def taken(self) -> frozenset[str]:
        """The names of what the patient takes."""
        return frozenset(drug.name.casefold() for drug in self.record.drugs if drug.current)


class _DraftCard(HookCard):
    """Writes the card of one remark."""

    def __init__(self, remark: Remark, situation: Situation, same: _OfDrafts, *, orders_urgent: bool) -> None:
        super().__init__(situation, same)
        self.on_file = same.on_file
        self.remark = remark
        self.orders_urgent = orders_urgent
        # Two cards of one call may suggest the same thing: each click has an id of its own.
        self.call = replace(situation.call, about=remark.draft.reference)
        self.drugs = joined(plain(drug_name(drug, self.wording)) for drug in remark.drugs)
        # Nothing is begun where the patient takes it already.
        self.renewed = all(drug.name.casefold() in same.taken for drug in remark.drugs)

    def card(self) -> dict[str, Any]:
        return self.framed(
            summary=self.summary(),
            level=self.remark.level,
            actions=[numbered(self.actions())],
            notes=self.notes(),
            evidence=self.evidence(),
            rows=self.rows(),
            suggestions=list(self.suggestions()),
        )

    def rows(self) -> Iterator[Row]:
        """What the remark rests on: fired rows, else those that can ask for what is drafted."""
        remark = self.remark
        yield from (*remark.because, *remark.effects)
        asked = [*remark.unsupported, *remark.examine_first, *remark.child]
        ids = {action.id for action in asked} | {withheld.id for withheld in remark.answered}
        asking = [row for row in self.table.rows if any(made.id in ids for made in row.actions)]
        fired = [row for row in asking if self.decision.fired(row.id)]
        yield from fired or asking

    def summary(self) -> Iterator[tuple[str, ...]]:
        """Its parts, each in forms from the fullest to the shortest."""
        remark, say = self.remark, self.say
        if remark.effects:
            yield from self._medicine_parts()
        if remark.child:
            yield (say("drafts.child", tests=self._names(remark.child)),)
        if remark.unsupported:
            yield (say("drafts.unsupported", tests=self._names(remark.unsupported)),)
        if remark.examine_first:
            yield (
                say("drafts.examine_first", tests=self._names(remark.examine_first), what=self._to_examine()),
            )
        for withheld in remark.answered:
            yield (self._answer(withheld, _SHORT),)
        if remark.left_out:
            yield say("drafts.left_out", tests=self.names(remark.left_out)), say("drafts.left_out_brief")

    def _medicine_parts(self) -> Iterator[tuple[str, ...]]:
        remark, say = self.remark, self.say
        names = self.drugs, say("drafts.this_medicine")
        effects = joined(self._effects(_SHORT)[:2])
        if remark.results:
            names = self._moving(remark.results[:1]), names[1]
            yield tuple(self._behind(remark.results[0], name) for name in names)
            if remark.lacking:
                yield say("drafts.with_tests", tests=self.names(remark.lacking)), say("drafts.with_blood")
        elif remark.lacking:
            tests = self.names(remark.lacking), say("drafts.blood")
            forms = [(one, name) for name in names for one in tests]
            yield tuple(say("drafts.tests_with", tests=one, name=n, effects=effects) for one, n in forms)
        else:
            place = "drafts.if_systemic" if self._route_unknown() else "drafts.medicine"
            yield tuple(say(place, name=name, effects=effects) for name in names)
            if not self.renewed:
                yield say("drafts.watch"), ""

    def _moving(self, results: Iterable[Result]) -> str:
        """Of several medicines in one the names of those that move the results; plain."""
        results = list(results)
        moves = self.to_do.moves
        moving = [drug for drug in self.remark.drugs if any(moves(drug, result) for result in results)]
        return joined(plain(drug_name(drug, self.wording)) for drug in moving) or self.drugs

    def _behind(self, result: Result, name: str) -> str:
        """Potassium 3.1 (21 Nov): furosemide can lower it further; of what is taken: may play a part."""
        way = "" if self.renewed else f"_{'lower' if result.low else 'raise'}"
        if self._is_named(result):
            return self.say(f"drafts.behind_named{way}", name=name, analyte=self.names([result.analyte]))
        value = short_result(result, self.record.as_of, self.terminology, self.wording)
        return self.say(f"drafts.behind_result{way}", result=value, name=name)

    def _before_signing(self) -> Iterator[str]:
        """What to settle about the results: of what is not taken yet only what it can do to them."""
        if self.renewed:
            name = escaped(self._moving(self.remark.results))
            yield self.say("drafts.behind_result_says", name=name)
            return
        for way, low in (("lower", True), ("raise", False)):
            results = [result for result in self.remark.results if result.low is low]
            if results:
                tests = together([self.names([result.analyte]) for result in results], self.wording)
                name = escaped(self._moving(results))
                yield self.say(f"drafts.behind_result_{way}_says", name=name, tests=tests)

    def _on_file(self, analytes: Iterable[str]) -> bool:
        """Whether a result of one of them is on file, however old and whatever it says."""
        counts_as = self.table.counts_as
        return not {counts_as.get(r.analyte, r.analyte) for r in self.record.results}.isdisjoint(analytes)

    def _is_named(self, result: Result) -> bool:
        """Whether an urgent action names the result already."""
        return any(result in made.results for made in self.urgent)

    def actions(self) -> Iterator[str]:
        """What to do about the draft."""
        remark, say = self.remark, self.say
        for result in remark.results:
            if not self._is_named(result):
                yield self.to_do.result_line(result)
        if remark.results:
            yield from self._before_signing()
        if remark.lacking:
            place = "with_tests_on_file_says" if self._on_file(remark.lacking) else "with_tests_says"
            yield say(f"drafts.{place}", tests=self.names(remark.lacking))
        if remark.effects and not remark.lacking and not remark.results and not self.renewed:
            yield say("drafts.watch_says")
        if remark.child:
            yield say("drafts.child_says", tests=self._names(remark.child))
        if remark.unsupported:
            yield say("drafts.unsupported_says", tests=self._names(remark.unsupported))
        if remark.examine_first:
            names = self._names(remark.examine_first)
            yield say("drafts.examine_first_says", tests=names, what=self._to_examine())
        for withheld in remark.answered:
            yield self._answer(withheld, _FULL)
        if remark.left_out:
            yield say("drafts.left_out_says", tests=self.names(remark.left_out))

    def notes(self) -> Iterator[str]:
        """Why, and whose decision it is."""
        remark, say = self.remark, self.say
        reasons: list[str] = []
        if remark.effects and not remark.results:
            reasons += self._effects(_FULL)
        found = Reasons(self.decision, self.knowledge).of(remark.because)
        reasons += [reason.text for reason in found] or [row.label for row in remark.because]
        if reasons:
            texts = dict.fromkeys(reason.rstrip(".") for reason in reasons)
            yield say("drafts.because", reasons="; ".join(texts))
        if self._route_unknown():
            yield say("drafts.route_unknown")
        if remark.effects:
            yield say("drafts.prescriber")
        if remark.unsupported:
            yield say("drafts.other_reason")

    def evidence(self) -> Iterator[str]:
        """The same medicine on file, and tests that another card suggests."""
        remark, say = self.remark, self.say
        for name in dict.fromkeys(drug.name.casefold() for drug in remark.drugs):
            for drug in self.on_file.get(name, ()):
                yield say(
                    "drafts.on_record",
                    name=capital(escaped(drug_name(drug, self.wording))),
                    when=self.to_do.when(drug),
                )
        if remark.elsewhere:
            yield say("drafts.elsewhere", tests=self.names(sorted(remark.elsewhere)))

    def suggestions(self) -> Iterator[dict[str, Any]]:
        """What cannot wait, on one card of the call, and the blood tests of this draft."""
        if self.orders_urgent:
            yield from self.urgent_orders()
        if self.remark.suggested:
            write = Suggestions(self.decision, self.knowledge, self.call)
            action = self.table.action_for(ActionRole.MISSING_BLOOD_TESTS).id
            label = self.say(f"actions.{action}.order", analytes=self.names(self.remark.suggested))
            yield from write.order(action, self.remark.suggested, label)

    def _effects(self, form: str) -> list[str]:
        """What a medicine of the rows can do."""
        texts = (self.wording.maybe(f"effects.{row.id}.{form}") for row in self.remark.effects)
        found = list(dict.fromkeys(filter(None, texts)))
        return found or [self.say(f"drafts.effect_other_{form}")]

    def _route_unknown(self) -> bool:
        """A cream is not systemic."""
        drugs = self.remark.drugs
        return bool(drugs) and all(drug.route_unknown for drug in drugs)

    def _answer(self, withheld: Withheld, form: str) -> str:
        abnormal = [r for r in self._acted_on if r.reference == withheld.reference]
        if withheld.why == "done" and abnormal:
            # Out of range: what it says comes before that it was done.
            value = short_result(abnormal[0], self.record.as_of, self.terminology, self.wording)
            short = f"{value}, {self.to_do.way(abnormal[0])}"
            return short if form == _SHORT else self.to_do.result_line(abnormal[0])
        tests = capital(self.names(withheld.tests or (withheld.id,)))
        date = self.say("drafts.undated")
        if withheld.day:
            date = self.day(withheld.day) if form == _SHORT else withheld.day.isoformat()
        return self.say(f"drafts.{withheld.why}_{form}", tests=tests, date=date)

    @cached_property
    def _acted_on(self) -> list[Result]:
        """The results that the decision acts on."""
        return [result for made in self.decision.recommendations for result in made.results]

    def _to_examine(self) -> str:
        """The signs that are not settled by an examination."""
        examination = self.table.action_for(ActionRole.EXAMINATION).id
        asked = [made.findings for made in self.decision.recommendations if made.id == examination]
        names = asked[0] if asked and asked[0] else self.table.benign_signs
        return together([self.to_do.questions.examined(name) for name in names], self.wording)

    def _names(self, actions: Iterable[Action]) -> str:
        return study_names(actions, self.remark.draft.tests, self.wording)
