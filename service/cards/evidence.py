"""The evidence of a card, below its rule: what is recorded, on file, pending, and what was not seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from fhir_mappings.record import Band, Result, Status
from service.cards.also_known import AlsoKnown
from service.cards.escaping import escaped, short_name
from service.cards.medicine_lines import MedicineLines
from service.cards.text import (
    capital,
    counted,
    duration,
    finding_name,
    finding_text,
    joined,
    result_text,
    site_label,
    study_label,
    test_label,
)
from service.cards.to_do import ToDo
from service.decision import Decision, Withheld
from service.decision.result_facts import as_judged, band_today, is_critical
from service.decision.table import FALSE, TRUE, UNKNOWN, ActionRole, Facts
from service.knowledge import Knowledge

_FACTS = {Status.PRESENT: TRUE, Status.ABSENT: FALSE, Status.UNKNOWN: UNKNOWN}
_RESULT_RANKS = {Band.CRITICAL: 0, Band.OUT_OF_RANGE: 1, Band.NOT_JUDGED: 2, Band.IN_RANGE: 3}
_COLUMNS = ("feature", "recorded", "reassuring", "evaluate")
_MOST_RESULTS, _MOST_STUDIES, _MOST_NAMES = 8, 4, 8


class EvidenceText:
    """Writes the evidence of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge, to_do: ToDo) -> None:
        self.decision = decision
        self.recorded = {
            finding.id
            for finding in decision.record.findings.values()
            if finding.status is not Status.UNKNOWN or finding.evidence
        }
        self.medicines = MedicineLines(decision, knowledge, to_do)
        self.record = decision.record
        self.as_of = decision.record.as_of
        self.knowledge = knowledge
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.site = site_label(decision.record.twitch, knowledge.wording)
        self.say = knowledge.wording.say

    def blocks(self, most_lines: int) -> list[str]:
        """Table and lines: at most so many lines. The table takes what the others leave."""
        lines = list(filter(None, self.lines()))
        rows = list(self.features())
        # The header of the table is two lines.
        room = most_lines - len(lines) - 2
        if len(rows) > room:
            kept, rest = rows[: room - 1], rows[room - 1 :]
            names = counted([row[0] for row in rest], _MOST_NAMES, self.wording)
            rows = [*kept, (self.say("table.also_present"), names, "", "")]
        if not rows:
            return lines
        cells = [[self.say(f"table.{column}") for column in _COLUMNS], *rows]
        header, *others = [f"| {' | '.join(row)} |" for row in cells]
        return ["\n".join([header, "|---|---|---|---|", *others]), *lines]

    def lines(self) -> list[str]:
        """The lines below the table, each "" where there is nothing to say."""
        missing = joined(self.not_recorded())
        texts = {
            "medicines": "; ".join(self.medicines.texts()),
            "results": "; ".join(self.results()),
            "studies": joined(self.studies()),
            "orders": "; ".join(self.orders()),
            "done": "; ".join(self.done()),
            "also": joined(AlsoKnown(self.decision, self.knowledge).texts()),
        }
        lines = [self.say("below.not_recorded", names=missing) if missing else ""]
        lines += [self.say(f"below.{place}", text=text) for place, text in texts.items() if text]
        return [*lines, self.unseen()]

    def features(self) -> Iterator[tuple[str, str, str, str]]:
        """The recorded features against the two columns of the documents."""
        say, twitch, facts = self.say, self.record.twitch, self.decision.facts
        if self.site:
            yield self._feature("site", escaped(self.site), _either(facts, "several-regions", "tongue-site"))
        if twitch.onset.known or twitch.onset_texts or twitch.not_seen_lately or twitch.in_words:
            parts = [duration(twitch, self.as_of, self.wording)]
            parts += [say("table.as_written", text=escaped(short_name(t))) for t in twitch.onset_texts[:2]]
            if twitch.not_seen_lately:
                parts.append(say("table.not_seen_lately"))
            if twitch.in_words:
                parts.append(say("table.in_words"))
            eyelid = facts.get("isolated-eyelid") == TRUE
            long = facts.get("lasts-long-for-eyelid" if eyelid else "lasts-long", UNKNOWN)
            yield self._feature("duration", "; ".join(parts), long)
        if twitch.courses:
            yield self._feature("course", joined(sorted(twitch.courses)), facts.get("getting-worse", UNKNOWN))
        absent: list[str] = []
        for name in self._recorded_findings():
            finding = self.record.findings[name]
            if (
                finding.status is Status.ABSENT
                and not finding.conflict
                and name not in self.table.benign_signs
            ):
                absent.append(finding_name(name, self.terminology, self.wording))
            else:
                text = finding_text(finding, self.wording, self.as_of)
                yield self._feature(name, text, _FACTS[finding.status])
        if absent:
            yield say("table.others"), counted(absent, _MOST_NAMES, self.wording), say("status.absent"), ""

    def _recorded_findings(self) -> list[str]:
        """Asked findings with a record: the signs, then present ones, conflicts, others."""
        signs = [sign for sign in self.table.benign_signs if sign in self.recorded]
        others = [name for name in self.table.asked if name not in signs and name in self.recorded]
        rank = {Status.PRESENT: 0, Status.UNKNOWN: 1, Status.ABSENT: 2}
        findings = self.record.findings

        def place(name: str) -> tuple[int, bool]:
            return rank[findings[name].status], not findings[name].conflict

        return [*signs, *sorted(others, key=place)]

    def _feature(self, name: str, recorded: str, fact: str) -> tuple[str, str, str, str]:
        """One row of the table; only what calls for evaluation is bold."""
        place, texts = f"table.rows.{name}", self.wording.texts
        label = texts.get(f"{place}.label")
        if label:
            reassuring, evaluate = texts[f"{place}.reassuring"], texts[f"{place}.evaluate"]
        else:
            label = capital(finding_name(name, self.terminology, self.wording))
            reassuring, evaluate = texts["status.absent"], texts["status.present"]
        return label, recorded, reassuring, f"**{evaluate}**" if fact == TRUE else evaluate

    def not_recorded(self) -> list[str]:
        """Features of the two columns about which nothing is recorded."""
        twitch = self.record.twitch
        known = {
            "site": bool(self.site),
            "duration": twitch.onset.known or bool(twitch.onset_texts),
            "course": bool(twitch.courses),
        }
        names = [self.say(f"table.rows.{name}.label").lower() for name, seen in known.items() if not seen]
        return names + [
            finding_name(sign, self.terminology, self.wording)
            for sign in self.table.benign_signs
            if sign not in self.recorded
        ]

    def results(self) -> list[str]:
        """The results in words; those beyond the first by name."""
        judged = self._judged
        texts = [
            result_text(result, band, self.terminology, self.wording)
            for band, result in judged[:_MOST_RESULTS]
        ]
        rest = [
            test_label(result.analyte, self.terminology, self.wording) for _, result in judged[_MOST_RESULTS:]
        ]
        return [*texts, counted(rest, _MOST_NAMES, self.wording)] if rest else texts

    @cached_property
    def _judged(self) -> list[tuple[Band, Result]]:
        """The results that bear on it with their bands, abnormal ones first."""
        named = {result for made in self.decision.recommendations for result in made.results}
        order = {name: index for index, name in enumerate(self.table.shown_results)}
        judged = [
            (self.band(seen), seen)
            for result in self.record.results
            for seen in (as_judged(result, self.table),)
            if result.analyte in order or result in named
        ]
        return sorted(judged, key=lambda pair: (_RESULT_RANKS[pair[0]], order.get(pair[1].analyte, -1)))

    def band(self, result: Result) -> Band:
        """The band of a result today."""
        if is_critical(result, self.record, self.table):
            return Band.CRITICAL
        return band_today(result, self.table, self.as_of)

    def judged(self, result: Result) -> str:
        """The result with the band that it has today."""
        return result_text(result, self.band(result), self.terminology, self.wording)

    def names(self, tests: Iterable[str]) -> str:
        """Names of analytes, studies and actions."""
        return joined([test_label(test, self.terminology, self.wording) for test in tests])

    def studies(self) -> list[str]:
        """MRI brain 2026-05-02."""
        undated = self.say("results.undated")
        newest = sorted(self.record.studies, key=lambda study: str(study.day or ""), reverse=True)
        return [
            self.say("below.study", label=study_label(study.id, self.wording), date=study.day or undated)
            for study in newest[:_MOST_STUDIES]
        ]

    def orders(self) -> Iterator[str]:
        """Open orders that answer nothing here: the newest of several for the same tests."""
        named = {withheld.reference for withheld in self.decision.withheld}
        answering = {order.tests for order in self.record.orders if order.reference in named}
        shown: set[frozenset[str]] = set()
        for order in reversed(self.record.orders):
            if order.tests in answering or order.draft or order.tests in shown:
                continue
            if len(shown) == _MOST_STUDIES:
                return
            shown.add(order.tests)
            tests = {self.table.counts_as.get(test, test) for test in order.tests}
            labels = sorted((test_label(t, self.terminology, self.wording) for t in tests), key=str.lower)
            place = "below.order" if order.day else "below.order_undated"
            yield self.say(place, tests=counted(labels, _MOST_NAMES, self.wording), date=order.day)

    def done(self) -> Iterator[str]:
        """What is done or pending, tests of one day together."""
        lines: dict[str, list[str]] = {}
        for withheld in self.decision.withheld:
            place = self._place(withheld)
            if place:
                text = self.say(place, tests="{tests}", date=withheld.day)
                lines.setdefault(text, []).append(self._tests(withheld))
        for text, names in lines.items():
            yield text.replace("{tests}", joined(names))

    def _place(self, withheld: Withheld) -> str:
        """The place of its words: without the day where another line says it."""
        if withheld.why == "ordered":
            dated = withheld.day and not self._is_said_above()
            return "below.ordered_test" if dated else "below.ordered_test_undated"
        if withheld.why == "done":
            return "below.done_result" if self._shown.issuperset(withheld.tests) else "below.done_test"
        return "below.seen_test" if withheld.why == "seen" else ""

    @cached_property
    def _shown(self) -> frozenset[str]:
        """The analytes whose results the line of results shows."""
        shown = [result.analyte for _, result in self._judged[:_MOST_RESULTS]]
        return frozenset([*shown, *[self.table.counts_as.get(name, name) for name in shown]])

    def _is_said_above(self) -> bool:
        """Whether the first line says since when tests are pending: nothing is left to do, and one day."""
        days = {withheld.day for withheld in self.decision.withheld if withheld.why == "ordered"}
        advice = self.table.action_for(ActionRole.SELF_CARE).id
        return len(days) == 1 and all(made.id == advice for made in self.decision.recommendations)

    def _tests(self, withheld: Withheld) -> str:
        return self.names(withheld.tests or (withheld.id,))

    def unseen(self) -> str:
        """Lists that were not supplied, and how much was not understood or not used."""
        notes = []
        lists = joined(self.say(f"unseen.{key}") for key in self.record.not_seen)
        if lists:
            notes.append(self.say("below.unseen", lists=lists))
        # A medicine without a known class is counted with the medicines.
        unread: dict[str, int] = {}
        for note in self.record.not_understood:
            if not (note.expression or "").endswith("medication"):
                unread[note.reference] = max(note.count, unread.get(note.reference, 0))
        for place, count in (
            ("not_understood", sum(unread.values())),
            ("not_used", sum(note.count for note in self.record.not_used)),
        ):
            if count:
                notes.append(self.say(f"below.{place}_one" if count == 1 else f"below.{place}", count=count))
        return " ".join(notes)

    def is_acted_on(self) -> bool:
        """Whether a result is to be acted on."""
        action = self.table.action_for(ActionRole.ACT_ON_RESULT).id
        return any(made.id == action for made in self.decision.recommendations)


def _either(facts: Facts, *names: str) -> str:
    """true if one of the facts is true, false if one is false, else unknown."""
    values = [facts.get(name, UNKNOWN) for name in names]
    return TRUE if TRUE in values else FALSE if FALSE in values else UNKNOWN
