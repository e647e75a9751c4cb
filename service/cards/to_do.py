"""What to do, as the numbered lines of a card: the most urgent first, tests of one urgency on one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fhir_mappings.record import Result
from service.cards.drug_lines import DrugLines
from service.cards.question_text import Questions
from service.cards.reasons import Reasons
from service.cards.spans import day_in, day_month, weeks_in_words
from service.cards.text import (
    action_name,
    capital,
    counted,
    joined,
    small,
    test_label,
    together,
)
from service.decision import Decision, Recommendation
from service.decision.recommendations import URGENCY_RANK
from service.decision.result_facts import is_critical
from service.decision.table import BLOOD, ROUTINE, STUDY, ActionRole, RowRole
from service.knowledge import Knowledge

# Of one urgency, in this order; what has no role comes in between, medicines and re-examination last.
_FIRST = (ActionRole.EMERGENCY, ActionRole.EXAMINATION, ActionRole.ACT_ON_RESULT, ActionRole.REFERRAL)
_LAST = (ActionRole.MEDICATION_REVIEW, ActionRole.RE_EXAMINE, ActionRole.SELF_CARE)
_MOST_RESULTS = 3
_MOST_NAMES = 3
_ALL_REASONS = 9


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its form in full, a brief one, and the least ("" = the brief one).

    names: what it says, by the keys of reasons. results: the results that it is about, by name.
    """

    urgency: str
    full: str
    brief: str
    names: frozenset[str] = frozenset()
    least: str = ""
    results: tuple[str, ...] = ()


class ToDo(DrugLines):
    """Writes the actions of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        super().__init__(decision, knowledge)
        self.questions = Questions(decision, knowledge)
        self.reasons = Reasons(decision, knowledge)
        shown = [
            replace(made, results=self.ranked(made.results)) if made.results else made
            for made in decision.recommendations
            if not self.has(made, ActionRole.SELF_CARE)
        ]
        places = list(self.table.actions)
        shown.sort(key=lambda r: (-URGENCY_RANK[r.urgency], self._place(r), places.index(r.id)))
        self.actions = tuple(shown)
        self.acted_on = [result for made in self.actions for result in made.results]
        self.reviewed = [drug for made in self.actions for drug in made.drugs]

    def has(self, made: Recommendation, role: ActionRole) -> bool:
        return role in self.table.actions[made.id].roles

    def _place(self, made: Recommendation) -> int:
        roles = self.table.actions[made.id].roles
        for place, role in enumerate((*_FIRST, None, *_LAST)):
            if role in roles:
                return place
        return len(_FIRST)

    def lines(self, *, first: bool = True) -> list[Line]:
        """The lines in order. first: whether the card begins with them."""
        lines: list[Line] = []
        merged: set[tuple[str, str]] = set()
        for made in self.actions:
            action = self.table.actions[made.id]
            if action.order in (BLOOD, STUDY):
                group = made.urgency, action.order
                if group not in merged:
                    merged.add(group)
                    lines.append(self._tests(*group))
            else:
                lines += self._line(made)
        # Results that can wait come after what cannot.
        lines.sort(key=lambda line: -URGENCY_RANK[line.urgency])
        if first and lines and True in [question.forced for question in self.decision.questions]:
            line, more = lines[0], self.say("lead.check_breathing")
            lines[0] = Line(line.urgency, line.full + more, line.brief + more, line.names)
        return lines

    def _tests(self, urgency: str, order: str) -> Line:
        """All tests of one kind and urgency."""
        group = [m for m in self.actions if m.urgency == urgency and self.table.actions[m.id].order == order]
        places = [f"lead.{'blood' if order == BLOOD else 'studies'}_{urgency}", "lead.studies"]
        places.insert(1, "lead.blood" if order == BLOOD else "lead.studies")
        full = self.wording.first(places, tests=", ".join(dict.fromkeys(self._names_of(group))))
        brief = self.wording.first(
            places, tests=", ".join(dict.fromkeys([action_name(m.id, ROUTINE, self.wording) for m in group]))
        )
        orders = [made for made in group if made.too_low is not None]
        if orders:
            full, brief = self._too_low(orders[0], full), self._too_low(orders[0], brief)
        return Line(urgency, full, brief)

    def _names_of(self, group: Sequence[Recommendation]) -> Iterator[str]:
        for made in group:
            names = ", ".join([test_label(a, self.terminology, self.wording) for a in made.analytes])
            yield self.say(f"actions.{made.id}.says", analytes=names)

    def _too_low(self, made: Recommendation, text: str) -> str:
        order = made.too_low
        if order is None:
            return text
        priority = order.priority if order.priority in ("routine", "urgent", "asap") else ROUTINE
        place = f"lead.too_low_{made.urgency}" if order.day else "lead.too_low_undated"
        return self.say(place, text=text, date=order.day, priority=priority)

    def _line(self, made: Recommendation) -> Iterator[Line]:
        if self.has(made, ActionRole.ACT_ON_RESULT):
            yield from self._results(made)
        elif self.has(made, ActionRole.EXAMINATION):
            yield self._examination(made)
        elif self.has(made, ActionRole.EMERGENCY):
            yield self._emergency(made)
        elif self.has(made, ActionRole.MEDICATION_REVIEW):
            yield self._review(made)
        elif self.has(made, ActionRole.RE_EXAMINE):
            time, day = self.re_examined(made)
            text = self._says(made, time=time, date=day)
            yield Line(made.urgency, text, text)
        else:
            text = self._too_low(made, self._says(made))
            yield Line(made.urgency, text, text)

    def _says(self, made: Recommendation, **names: object) -> str:
        place = f"actions.{made.id}"
        forms = [f"_{made.urgency}", ""]
        if made.consider and made.urgency == ROUTINE:
            forms.insert(0, "_consider")
        if self._treating_team(made):
            forms.insert(0, "_team")
        if made.paediatric:
            forms = [f"_paediatric_{made.urgency}", "_paediatric", *forms]
        places = [f"{place}.{kind}{form}" for form in forms for kind in ("line", "says")]
        return self.wording.first(places, **names)

    def _treating_team(self, made: Recommendation) -> bool:
        """Whether all rows that ask for a routine action leave it to the treating team."""
        if made.urgency != ROUTINE:
            return False
        rows = list(filter(None, map(self.table.row, made.because)))
        return bool(rows) and all(RowRole.TREATING_TEAM in row.roles for row in rows)

    def lead(self, made: Recommendation, most: int = _ALL_REASONS) -> str:
        """The beginning of the summary. most: as many reasons of an emergency."""
        place = f"actions.{made.id}.lead"
        forms = [f"_{made.urgency}", ""]
        if made.consider and made.urgency == ROUTINE:
            forms.insert(0, "_consider")
        if made.paediatric:
            forms = [f"_paediatric_{made.urgency}", "_paediatric", *forms]
        time = self.re_examined(made)[0] if made.weeks else ""
        reason = ""
        if self.has(made, ActionRole.EMERGENCY):
            reason = counted(self.emergencies(made).values(), most, self.wording)
            forms.insert(0, "_because" if reason else "")
        return self.wording.first(
            [f"{place}{form}" for form in forms], time=time, drug=self.drug(made), reason=reason
        )

    def re_examined(self, made: Recommendation) -> tuple[str, str]:
        """In how long, and by which day."""
        weeks = made.weeks or 0
        return weeks_in_words(weeks, self.wording), day_in(7 * weeks, self.as_of)

    def _examination(self, made: Recommendation) -> Line:
        names = list(made.findings)
        for question in self.questions.first:
            if self.questions.examines(question) and question.old is None:
                names += [name for name in question.findings if name not in names]
        what = together([self.questions.examined(name) for name in names], self.wording)
        text = self._says(made, what=what or self.say("examine.all"))
        return Line(made.urgency, text, text)

    def _results(self, made: Recommendation) -> Iterator[Line]:
        urgent = [result for result in made.results if self._is_urgent(made, result)]
        others = [result for result in made.results if result not in urgent]
        for urgency, results in ((made.urgency, urgent), (ROUTINE, others)):
            for result in results[:_MOST_RESULTS]:
                full, brief = self.result_line(result), self.result_line(result, brief=True)
                if made.in_hand and urgency != ROUTINE:
                    full, brief = self.repeated(result, full), self.repeated(result, brief)
                elif urgency != ROUTINE and not any(action.too_low for action in self.actions):
                    full, brief = self.repeated_too_late(result, full), self.repeated_too_late(result, brief)
                least = capital(self._short(result))
                yield Line(urgency, full, brief, self.keys(result), least, (self._named(result),))
            if more := results[_MOST_RESULTS:]:
                labels = list(map(self._short, more))
                text = self.say("lead.more_results", results=", ".join(labels))
                brief = self.say("lead.more_results", results=counted(labels, 1, self.wording))
                names = tuple(map(self._named, more))
                yield Line(urgency, text, brief, frozenset().union(*map(self.keys, more)), results=names)
        if not made.results:
            yield Line(made.urgency, self._says(made), self._says(made))

    def _named(self, result: Result) -> str:
        """Potassium critical; sodium."""
        label = test_label(result.analyte, self.terminology, self.wording)
        return (
            f"{label} {self.say('results.critical')}"
            if is_critical(result, self.record, self.table)
            else label
        )

    def forms(self, lines: Sequence[Line]) -> list[list[str]]:
        """Forms of lines that cannot wait: in full, briefly, the first one briefly and the others at least.

        Then all results but the first one by name, on one line.
        """
        least = [(line.least if place else "") or line.brief for place, line in enumerate(lines)]
        others = [place for place, line in enumerate(lines) if place and line.results]
        forms = [[line.full for line in lines], [line.brief for line in lines], least]
        if len(others) > 1:
            names = [name for place in others for name in lines[place].results]
            least = [text for place, text in enumerate(least) if place not in others[1:]]
            least[others[0]] = self.say(
                "lead.more_results", results=counted(names, _MOST_NAMES, self.wording)
            )
            forms.append(least)
        return forms

    def _review(self, made: Recommendation) -> Line:
        drugs = self.in_order(made.drugs)
        full = self._says(made, drugs=counted([self.since(d) for d in drugs], _MOST_NAMES, self.wording))
        brief = self._says(made, drugs=counted(self.brief_names(drugs), 2, self.wording))
        return Line(made.urgency, full, brief, frozenset([f"drug {drug.name}" for drug in drugs]))

    def _emergency(self, made: Recommendation) -> Line:
        full, brief = self.lead(made), self.lead(made, 2)
        return Line(made.urgency, full, brief, frozenset(self.emergencies(made)))

    def leads(self, made: Recommendation) -> list[str]:
        """The same, the fullest form first."""
        return list(dict.fromkeys(self.lead(made, most) for most in (_ALL_REASONS, 2, 1)))

    def emergencies(self, made: Recommendation) -> dict[str, str]:
        """Why somebody is to be assessed at once: fact -> its words, one of each row."""
        found: dict[str, str] = {}
        for row in filter(None, map(self.table.row, made.because)):
            names = set(self.reasons.variables(row))
            reasons = [(fact, text) for fact, text in self.wording.emergencies if fact in names]
            found |= dict(reasons[:1])
        return found

    def briefly(self, lines: Sequence[Line]) -> str:
        """Several lines as one."""
        return self.say("lead.briefly", actions="; ".join(small(line.brief) for line in lines))

    def by_name(self, written: int = 0) -> str:
        """The routine actions by name. written: so many of their results have own lines."""
        routine = [made for made in self.actions if made.urgency == ROUTINE]
        names = [action_name(made.id, ROUTINE, self.wording) for made in routine]
        more = [r for made in self.actions for r in made.results if not self._is_urgent(made, r)]
        if more:
            labels = [test_label(r.analyte, self.terminology, self.wording) for r in more[written:]]
            act = self.table.action_for(ActionRole.ACT_ON_RESULT)
            name = action_name(act.id, ROUTINE, self.wording)
            acted = f"{name} ({counted(labels, _MOST_NAMES, self.wording)})" if labels else ""
            names = [acted, *(n for n in names if n != name)]
        return self.say("lead.briefly", actions=joined(names))

    def _is_urgent(self, made: Recommendation, result: Result) -> bool:
        """Whether that result is as urgent as its action: beside a critical one, others can wait."""
        if made.urgency == ROUTINE:
            return False
        critical = [is_critical(other, self.record, self.table) for other in made.results]
        return not any(critical) or is_critical(result, self.record, self.table)

    def made(self) -> list[str]:
        """Urgent actions that are ordered: "urgent neurology referral made 19 Nov".

        A result that is being repeated says so itself.
        """
        repeated = {
            self.table.counts_as.get(result.analyte, result.analyte)
            for action in self.actions
            for result in action.results
            if action.in_hand
        }
        repeats = {
            (w.id, w.reference)
            for w in self.decision.withheld
            if w.why == "ordered" and repeated & set(w.tests)
        }
        texts: list[str] = []
        newest: dict[str, date | None] = {}
        for withheld in self.decision.withheld:
            urgent = withheld.why == "ordered" and withheld.urgency != ROUTINE
            if not urgent or (withheld.id, withheld.reference) in repeats:
                continue
            if self.table.actions[withheld.id].order in (BLOOD, STUDY):
                name = action_name(withheld.id, ROUTINE, self.wording)
                days = filter(None, (withheld.day, newest.get(name)))
                newest[name] = max(days, default=None)
            else:
                place = f"actions.{withheld.id}.made"
                name = self.wording.first((f"{place}_{withheld.urgency}", place))
                texts.append(self._dated("made", withheld.day, action=name))
        for day in dict.fromkeys(newest.values()):
            names = joined(name for name in newest if newest[name] == day)
            texts.append(self._dated("ordered", day, tests=names))
        return list(dict.fromkeys(texts))

    def _dated(self, place: str, day: date | None, **names: str) -> str:
        if day is None:
            return self.say(f"lead.{place}_undated", **names)
        return self.say(f"lead.{place}", date=day_month(day, self.as_of, self.wording), **names)
