"""The detail of a card, in GitHub-flavoured Markdown: why, what, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_mappings.record import Band, Drug, Result, Status
from service.cards.escaping import escaped
from service.cards.text import (
    Questions,
    capital,
    duration,
    finding_text,
    joined,
    recommendation_text,
    result_text,
    site_label,
    study_label,
    test_label,
)
from service.decision import Decision, Recommendation, Withheld
from service.decision.facts import band_today, present
from service.decision.table import ADVICE, FALSE, REVIEW, TRUE, UNKNOWN, Facts, RowRole
from service.knowledge import Knowledge

_FACTS = {Status.PRESENT: TRUE, Status.ABSENT: FALSE, Status.UNKNOWN: UNKNOWN}
# An old abnormal value is history and comes last, with its date.
_RESULT_RANKS = {Band.CRITICAL: 0, Band.OUT_OF_RANGE: 1, Band.IN_RANGE: 2, Band.NOT_JUDGED: 2}
_COLUMNS = ("feature", "recorded", "reassuring", "evaluate")


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

    def markdown(self) -> str:
        """The whole detail."""
        parts = [
            self.unseen(),
            self.statements(),
            self.section("why", self.features()),
            self.section("recommended", self.recommended()),
            self.self_care(),
            self.section("not_again", self.not_again()),
            self.section("withheld", self.withheld_from_child()),
            self.section("questions", Questions(self.decision, self.knowledge).lines()),
            self.section("medicines", self.medicines()),
            self.section("results", self.results()),
            self.section("studies", self.studies()),
            self.section("also", self.also()),
            self.safety_net(self.decision.level),
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
            notes.append(self.say("suspected", label=capital(label)))
        if decision.facts.get("child-age", UNKNOWN) == UNKNOWN:
            notes.append(self.say("age_unknown"))
        return " ".join(notes)

    def features(self) -> Iterator[str]:
        """The recorded features against the two columns of the documents, as a Markdown table."""
        say, twitch, facts = self.say, self.record.twitch, self.decision.facts
        yield f"| {' | '.join(say(f'table.{column}') for column in _COLUMNS)} |"
        yield "|---|---|---|---|"
        site = site_label(twitch, self.wording) or say("table.not_recorded")
        yield self._feature("site", site, _either(facts, "several-regions", "tongue-site"))
        lasting = duration(twitch, self.record.as_of, self.wording)
        for text in twitch.onset_texts:
            lasting += "; " + say("table.as_written", text=escaped(text))
        if twitch.not_seen_lately:
            lasting += "; " + say("table.not_seen_lately")
        eyelid = facts.get("isolated-eyelid") == TRUE
        long = facts.get("lasts-long-for-eyelid" if eyelid else "lasts-long", UNKNOWN)
        yield self._feature("duration", lasting, long)
        course = joined(sorted(twitch.courses)) or say("table.not_recorded")
        yield self._feature("course", course, _either(facts, "worsening", "spreading"))
        absent: list[str] = []
        signs = self.table.benign_signs
        for name in [*signs, *(f for f in self._recorded_findings() if f not in signs)]:
            finding = self.record.finding(name)
            if finding.status is Status.ABSENT and name not in signs and not finding.conflict:
                absent.append(self.terminology.findings[name].label)
            else:
                text = finding_text(finding, self.wording)
                yield self._feature(name, text, _FACTS[finding.status])
        if absent:
            # Absent findings share one line.
            names = say("table.absent", findings=joined(absent))
            both = f"**{say('status.absent')}** | {say('status.present')}"
            yield f"| {say('table.others')} | {names} | {both} |"

    def _recorded_findings(self) -> list[str]:
        """Asked findings about which something is recorded, present ones first."""
        findings = (self.record.findings.get(asked.id) for asked in self.table.asked)
        recorded = [finding for finding in findings if finding and finding.evidence]
        return [f.id for f in sorted(recorded, key=lambda f: f.status is not Status.PRESENT)]

    def _feature(self, name: str, recorded: str, fact: str) -> str:
        """One row of the table; the column that the fact falls into is bold."""
        place = f"table.rows.{name}"
        label = self.wording.maybe(f"{place}.label")
        if label:
            reassuring, evaluate = self.say(f"{place}.reassuring"), self.say(f"{place}.evaluate")
        else:
            label = capital(self.terminology.findings[name].label)
            reassuring, evaluate = self.say("status.absent"), self.say("status.present")
        reassuring = f"**{reassuring}**" if fact == FALSE else reassuring
        evaluate = f"**{evaluate}**" if fact == TRUE else evaluate
        return f"| {label} | {recorded} | {reassuring} | {evaluate} |"

    def recommended(self) -> Iterator[str]:
        for recommendation in sorted(self.decision.recommendations, key=lambda r: not r.urgent):
            if self.table.actions[recommendation.id].kind != ADVICE:
                yield f"- {self.recommendation(recommendation)}"

    def recommendation(self, recommendation: Recommendation) -> str:
        """**Blood test: sodium, potassium** – because: muscle wasting; twitching for more than two weeks."""
        text = recommendation_text(recommendation, self.knowledge)
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
                names = lines.setdefault(self.withheld_text(withheld), [])
                names.extend(test_label(t, self.terminology, self.wording) for t in withheld.tests)
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
        """What the medicine has to do with the twitching, and why."""
        classes = self.class_names(drug.classes)
        if not any(row.drug_classes & drug.classes for row in self.table.rows):
            return self.say("medicine.other", name=f"{escaped(drug.name)} ({classes})")
        return self.say(
            f"medicine.{drug.plausible.value}",
            name=escaped(drug.name),
            **{"class": classes},
            why=escaped(drug.why),
        )

    def results(self) -> Iterator[str]:
        """The results that the table shows, critical ones first."""
        order = {name: index for index, name in enumerate(self.table.shown_results)}
        judged = [
            (band_today(result, self.table, self.record.as_of), result)
            for result in self.record.results
            if result.analyte in order
        ]
        judged.sort(key=lambda pair: (_RESULT_RANKS[pair[0]], order[pair[1].analyte]))
        for band, result in judged:
            yield f"- {result_text(result, band, self.terminology, self.wording)}"

    def judged(self, result: Result) -> str:
        """The result with the band that it has today."""
        band = band_today(result, self.table, self.record.as_of)
        return result_text(result, band, self.terminology, self.wording)

    def names(self, tests: Iterable[str]) -> str:
        """Names of analytes, studies and actions."""
        return joined(test_label(test, self.terminology, self.wording) for test in tests)

    def class_names(self, classes: Iterable[str]) -> str:
        """Names of the classes of a medicine."""
        labels = self.terminology.medications.class_labels
        return joined(labels[name] for name in sorted(classes) if name in labels)

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
        shown: set[frozenset[str]] = set()
        # The newest of several orders for the same tests.
        for order in reversed(self.record.orders):
            if order.reference not in named and not order.draft and order.tests not in shown:
                shown.add(order.tests)
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

    def safety_net(self, level: str) -> str:
        """When to come back; not on a critical card."""
        if level == "critical":
            return ""
        return f"**{self.say('headings.safety_net')}:** {self.say('safety_net')}"


def _either(facts: Facts, *names: str) -> str:
    """true if one of the facts is true, false if one is false, else unknown."""
    values = [facts.get(name, UNKNOWN) for name in names]
    return TRUE if TRUE in values else FALSE if FALSE in values else UNKNOWN
