"""What a card says where nothing is left to do, and what of it is done, ordered or seen already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from fhir_mappings.record import Result
from service.cards.spans import day_month
from service.cards.text import capital, counted, joined, short_result
from service.cards.to_do import ToDo
from service.decision import Decision, Withheld
from service.decision.result_facts import OUT, band_today
from service.decision.table import REFERRAL, RowRole
from service.knowledge import Knowledge

_MOST_RESULTS = 3


class CardStatus:
    """Writes the state of one decision. to_do: its actions. named: what their lines name."""

    def __init__(self, decision: Decision, knowledge: Knowledge, to_do: ToDo, named: frozenset[str]) -> None:
        self.decision = decision
        self.record = decision.record
        self.as_of = decision.record.as_of
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.to_do = to_do
        self.named = named

    def text(self) -> str:
        """No tests; tests done or pending; what is out of range; what is suspected."""
        parts = [self.referral()]
        tests = [w for w in self.decision.withheld if not self._is_referral(w)]
        ordered = [w for w in tests if w.why == "ordered"]
        done = [w for w in tests if w.why == "done"]
        if ordered:
            parts = self._pending(ordered)
        elif done:
            parts.append(self._done(done))
        text = "; ".join(filter(None, parts))
        if text:
            return f"{capital(text)}."
        if self.abnormal():
            return self.out_of_range()
        if self.decision.has(RowRole.BENIGN):
            return self.say("lead.benign")
        if self.decision.suspected:
            return self.suspected()
        return self.say("lead.no_tests" if self.decision.has(RowRole.NOTHING) else "lead.nothing")

    def short(self) -> str:
        """The same as the beginning of the summary."""
        if self.abnormal() and not any(w.why in ("ordered", "seen", "done") for w in self.decision.withheld):
            result = self.abnormal()[0]
            value = short_result(result, self.as_of, self.terminology, self.wording)
            return joined([value, self.to_do.way(result)])
        if self.decision.has(RowRole.NOTHING) and not self.decision.withheld:
            return self.say("summary.no_tests")
        return self.text().rstrip(".")

    def referral(self) -> str:
        """seen by neurology 16 Apr; neurology referral pending since 19 Nov; "" where there is none.

        An urgent one that is ordered is named with what is made.
        """
        texts = []
        for withheld in filter(self._is_referral, self.decision.withheld):
            if withheld.why == "seen":
                texts.append(self._seen(withheld))
            elif withheld.why == "ordered" and withheld.urgency == "routine":
                texts.append(self._since(self._made(withheld), withheld.day))
        return "; ".join(dict.fromkeys(texts))

    def _pending(self, ordered: Sequence[Withheld]) -> list[str]:
        """Neurology referral and tests pending since 19 Nov."""
        day = max((w.day for w in ordered if w.day is not None), default=None)
        tests = self.say("lead.tests")
        for withheld in filter(self._is_referral, self.decision.withheld):
            if withheld.why == "ordered" and withheld.day == day:
                return [self._since(f"{self._made(withheld)}{self.say('summary.and')}{tests}", day)]
        return [self.referral(), self._since(tests, day)]

    def _since(self, what: str, day: date | None) -> str:
        if day is None:
            return self.say("lead.pending_undated", what=what)
        return self.say("lead.pending", what=what, date=day_month(day, self.as_of, self.wording))

    def _seen(self, withheld: Withheld) -> str:
        when = day_month(withheld.day, self.as_of, self.wording) if withheld.day else ""
        return self.say("lead.seen", date=when).strip()

    def _done(self, done: Sequence[Withheld]) -> str:
        days = [w.day for w in done if w.day is not None]
        when = day_month(max(days), self.as_of, self.wording) if days else self.say("results.undated")
        # "Normal" is not said beside a result out of range.
        normal = all(w.calm for w in done) and not self.abnormal()
        return self.say("lead.done_normal" if normal else "lead.done", date=when)

    def _made(self, withheld: Withheld) -> str:
        return self.wording.say(f"actions.{withheld.id}.made")

    def _is_referral(self, withheld: Withheld) -> bool:
        return self.table.actions[withheld.id].order == REFERRAL

    def abnormal(self) -> tuple[Result, ...]:
        """Results out of range that bear on it and that no line of the actions names."""
        abnormal = [
            result
            for result in self.record.results
            if result.analyte in self.table.shown_results
            and f"result {result.analyte}" not in self.named
            and band_today(result, self.table, self.as_of) in OUT
        ]
        ranked = self.to_do.ranked(self.record.results) if abnormal else ()
        return tuple(result for result in ranked if result in abnormal)

    def out_of_range(self, said: Collection[str] = frozenset()) -> str:
        """Creatine kinase 700 U/L (2026-06-12), high. said: the keys of results that stand elsewhere."""
        abnormal = [r for r in self.abnormal() if f"result {r.analyte}" not in said]
        texts = [self.to_do.value_line(result) for result in abnormal]
        return f"{counted(texts, _MOST_RESULTS, self.wording)}." if texts else ""

    def suspected(self) -> str:
        """The disease that the record itself suspects."""
        labels = [self.terminology.findings[name].label for name in self.decision.suspected]
        return self.say("lead.suspected", labels=counted(labels, 2, self.wording))
