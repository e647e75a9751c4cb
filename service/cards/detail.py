"""The body of a card, in GitHub-flavoured Markdown: why, what, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_mappings.record import Drug
from service.cards.escaping import escaped
from service.cards.facets import capital, joined, result_text, study_label, test_label
from service.cards.features import Features
from service.cards.phrases import phrases_of
from service.cards.questions import Questions
from service.decision import Decision, Recommendation, Withheld
from service.decision.facts import band_today, present
from service.decision.table import ADVICE, REVIEW, TRUE, UNKNOWN, RowRole
from service.knowledge import Knowledge


class Detail:
    """Writes the detail of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.decision = decision
        self.record = decision.record
        self.knowledge = knowledge
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.phrases = phrases_of(knowledge)

    def markdown(self) -> str:
        """The whole detail."""
        features = Features(self.decision, self.knowledge)
        questions = Questions(self.decision, self.knowledge)
        parts = [
            self.unseen(),
            self.statements(),
            self.section("why", features.rows()),
            self.section("recommended", self.recommended()),
            self.self_care(),
            self.section("not_again", self.not_again()),
            self.section("withheld", self.withheld_from_child()),
            self.section("questions", questions.lines()),
            self.section("medicines", self.medicines()),
            self.section("results", self.results()),
            self.section("studies", self.studies()),
            self.section("also", self.also()),
            self.safety_net(),
        ]
        return "\n\n".join(part for part in parts if part)

    def section(self, heading: str, lines: Iterable[str]) -> str:
        """A heading with its lines; nothing where there is no line."""
        body = "\n".join(lines)
        return f"**{self.say(f'headings.{heading}')}**\n\n{body}" if body else ""

    def unseen(self) -> str:
        lists = joined(self.say(f"unseen.{key}") for key in self.record.not_seen)
        notes = [self.say("unseen_says", lists=lists)] if lists else []
        # A medicine without a known class is listed with the medicines.
        unread: dict[str, int] = {}
        for note in self.record.not_understood:
            if not (note.expression or "").endswith("medication"):
                unread[note.reference] = max(note.count, unread.get(note.reference, 0))
        counted = (("not_understood", sum(unread.values())), ("not_used", len(self.record.not_used)))
        for place, count in counted:
            if count:
                notes.append(self.say(f"{place}_one" if count == 1 else place, count=count))
        return " ".join(notes)

    def statements(self) -> str:
        """What must be read first: nothing calls for tests, a low B12, what is to be excluded."""
        decision, notes = self.decision, []
        if decision.has(RowRole.NOTHING):
            notes.append(self.say("nothing"))
            if decision.benign:
                notes.append(self.say("benign"))
        if decision.has(RowRole.TREAT_TODAY):
            notes.append(self.say("electrolyte_critical"))
        if decision.has(RowRole.TREAT_B12):
            notes.append(self.say("b12_low"))
        adult = decision.facts.get("child-age") != TRUE
        if adult and decision.has(RowRole.EXCLUDE_DISEASE):
            notes.append(self.say("exclude_disease"))
        for name in decision.suspected:
            label = self.terminology.findings[name].label
            notes.append(self.say("suspected", label=label[:1].upper() + label[1:]))
        if decision.facts.get("child-age", UNKNOWN) == UNKNOWN:
            notes.append(self.say("age_unknown"))
        return " ".join(notes)

    def recommended(self) -> Iterator[str]:
        for recommendation in sorted(self.decision.recommendations, key=lambda r: (not r.urgent,)):
            if self.table.actions[recommendation.id].kind != ADVICE:
                yield f"- {self.recommendation(recommendation)}"

    def recommendation(self, recommendation: Recommendation) -> str:
        """**Blood test: sodium, potassium** – because: muscle wasting; twitching for more than two weeks."""
        made = recommendation
        text = self.phrases.recommendation(made.id, made.urgent, made.because, made.analytes, made.paediatric)
        order = recommendation.routine_order
        if order is not None:
            place = "routine_order" if order.day else "routine_order_undated"
            text += f"; {self.say(place, date=order.day)}"
        review = self.table.actions[recommendation.id].kind == REVIEW
        if review and self.decision.has(RowRole.CAN_RAISE_POTASSIUM):
            text += f". {self.say('diuretic_sparing')}"
        return text

    def self_care(self) -> str:
        if not self.decision.self_care:
            return ""
        heading = "heading_if_normal" if self.decision.unknown_signs else "heading"
        advice = joined(self.say(f"self_care.advice.{a.id}") for a in self.decision.self_care)
        return f"**{self.say(f'self_care.{heading}')}:** {advice}."

    def not_again(self) -> Iterator[str]:
        """What is done or pending, tests of one order on one line."""
        lines: dict[str, list[str]] = {}
        for withheld in self.decision.withheld:
            if withheld.kind != "child":
                names = [test_label(t, self.terminology, self.wording) for t in withheld.tests]
                lines.setdefault(self.withheld_text(withheld), []).extend(names)
        for text, names in lines.items():
            yield f"- {text.replace('{test}', capital(joined(names)))}"

    def withheld_text(self, withheld: Withheld) -> str:
        place = withheld.kind
        if withheld.kind == "ordered":
            urgent = withheld.priority is not None and withheld.priority != "routine"
            place = "ordered_undated" if withheld.day is None else "ordered_urgent" if urgent else "ordered"
        return self.say(f"withheld.{place}", test="{test}", date=withheld.day)

    def withheld_from_child(self) -> Iterator[str]:
        names = [self.say(f"actions.{w.id}.short") for w in self.decision.withheld if w.kind == "child"]
        if names:
            yield self.say("withheld.child", tests=capital(joined(names)))

    def medicines(self) -> Iterator[str]:
        unknown = []
        for drug in self.record.drugs:
            if drug.classes:
                yield f"- {self.medicine(drug)}"
            else:
                place = "other" if drug.recognised else "unrecognised"
                unknown.append(self.say(f"medicine.{place}", name=escaped(drug.name)))
        if unknown:
            yield f"- {'; '.join(unknown)}"

    def medicine(self, drug: Drug) -> str:
        labels = self.terminology.medications.class_labels
        classes = joined(labels[name] for name in sorted(drug.classes) if name in labels)
        if drug.classes.isdisjoint(self.phrases.causes):
            return self.say("medicine.other", name=f"{escaped(drug.name)} ({classes})")
        return self.say(
            f"medicine.{drug.plausible.value}",
            name=escaped(drug.name),
            **{"class": classes},
            why=escaped(drug.why),
        )

    def results(self) -> Iterator[str]:
        order = {name: index for index, name in enumerate(self.table.shown_results)}
        shown = [r for r in self.record.results if r.analyte in order]
        as_of = self.record.as_of
        judged = [(band_today(r, self.table, as_of), r) for r in shown]
        # An old abnormal value is history: it is shown, last, with its date.
        rank = {"critical": 0, "out-of-range": 1, "in-range": 2, "not-judged": 2}
        for band, result in sorted(judged, key=lambda x: (rank[x[0].value], order[x[1].analyte])):
            yield f"- {result_text(result, band, self.terminology, self.wording)}"

    def studies(self) -> Iterator[str]:
        for study in self.record.studies:
            label = study_label(study.id, self.wording)
            day = study.day.isoformat() if study.day else self.say("undated").lstrip(", ")
            yield f"- {self.say('study', label=label, date=day)}"

    def also(self) -> Iterator[str]:
        labels = [
            self.terminology.findings[f.id].label
            for f in self.decision.named
            if f.id in self.terminology.findings
        ]
        labels += [self.terminology.findings[name].label for name in self._named_by_rows()]
        if labels:
            yield capital(joined(labels)) + "."
        named = {withheld.reference for withheld in self.decision.withheld}
        told: set[frozenset[str]] = set()
        # The newest of several orders for the same tests.
        for order in reversed(self.record.orders):
            if order.reference not in named and not order.draft and order.tests not in told:
                told.add(order.tests)
                tests = {self.table.counts_as.get(test, test) for test in order.tests}
                names = capital(joined(self._names_in_order(tests)))
                place = "pending" if order.day else "pending_undated"
                yield self.say(place, tests=names, date=order.day)

    def _named_by_rows(self) -> Iterator[str]:
        """The findings that make a row hold whose role is to name them."""
        for row in self.decision.rows:
            if RowRole.NAMED in row.roles:
                yield from (name for name in row.reads if present(self.record, name))

    def _names_in_order(self, tests: Iterable[str]) -> list[str]:
        """The names of tests in an order that no id of an action decides."""

        def place(test: str) -> str:
            known = test in self.terminology.analytes
            return test if known else test_label(test, self.terminology, self.wording).lower()

        return [test_label(test, self.terminology, self.wording) for test in sorted(tests, key=place)]

    def safety_net(self) -> str:
        if self.decision.level == "critical":
            return ""
        return f"**{self.say('headings.safety_net')}:** {self.say('safety_net')}"
