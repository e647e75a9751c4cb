"""What made the rows fire: the recorded facts that decide, each once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from fhir_mappings.record import Basis, Drug, Plausible, Result, Status
from service.cards.escaping import escaped, plain
from service.cards.own_words import recorded_name
from service.cards.spans import day_month, lasting, recorded_how
from service.cards.text import drug_name, result_text, short_result, small
from service.decision import Decision
from service.decision.result_facts import as_judged, band_today, present, results_in
from service.decision.table import LEVELS, TRUE, UNKNOWN, Row, true_terms
from service.knowledge import Knowledge

# Signs first, then the course, results, diagnoses, symptoms and medicines.
_SIGN, _COURSE, _RESULT, _DIAGNOSIS, _SYMPTOM, _DRUG = range(6)
_KINDS = {"sign": _SIGN, "diagnosis": _DIAGNOSIS, "family": _DIAGNOSIS}
_COURSES = ("worsening", "spreading")
_DISORDERS = ("disorder-recent", "disorder-old")
_RANK = {level: rank for rank, level in enumerate(LEVELS)}


@dataclass(frozen=True, slots=True)
class Reason:
    """One recorded fact. key: its subject. short: plain text for the summary. how: basis and date, or "".

    taken: the plain name of a medicine in use, so that several share one "on".
    """

    key: str
    group: int
    text: str
    short: str
    how: str = ""
    taken: str = ""


class Reasons:
    """Finds the facts of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.decision = decision
        self.record = decision.record
        self.as_of: date = decision.record.as_of
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self._by_variable: dict[str, tuple[Reason, ...]] = {}
        # Signs in the order of the table.
        self._places = {sign: place for place, sign in enumerate(self.table.signs)}

    def of(self, rows: Iterable[Row], leave_out: Collection[str] = ()) -> list[Reason]:
        """The facts that those rows read, those of the gravest row first."""
        places = self._places
        found: dict[str, tuple[int, int, int, str, Reason]] = {}
        for row in rows:
            rank = -_RANK.get(row.level, _RANK["warning"])
            for variable in self.variables(row):
                if variable not in self._by_variable:
                    self._by_variable[variable] = tuple(self._reasons(variable))
                for reason in self._by_variable[variable]:
                    before = found.get(reason.key)
                    if reason.key not in leave_out and (before is None or rank < before[0]):
                        place = places.get(reason.key, len(places))
                        found[reason.key] = rank, reason.group, place, reason.key, reason
        # No two have one key: reasons themselves are never compared.
        return [reason for *_, reason in sorted(found.values())]

    def variables(self, row: Row) -> list[str]:
        """What the terms of the row read that hold."""
        true = true_terms(row.terms, self.decision.facts)
        return [literal.variable for term in true for literal in term if literal.positive]

    def _reasons(self, variable: str) -> Iterator[Reason]:
        record, terminology = self.record, self.terminology
        kind, _, name = variable.partition(" ")
        if variable in terminology.findings or variable in record.findings:
            yield from self._finding(variable)
        elif name and kind in ("drug", "current", "stopped"):
            yield from map(self._drug, self._drugs(kind, name))
        elif variable in self.table.result_facts:
            yield from map(self._result, self.results_of(variable))
        elif variable in _DISORDERS:
            for disorder in self.table.disorders:
                yield from self._finding(disorder.finding)
        elif variable == "getting-worse":
            yield from self._courses()
        elif variable == "old-bulbar-only":
            yield from self._finding("bulbar")
        elif variable == "weakness-recent":
            yield from self._finding("weakness", recent=True)
        elif (text := self.wording.maybe(f"facts.{variable}")) and self.is_true(variable):
            yield Reason(f"fact {variable}", _COURSE, text, text)

    def _finding(self, name: str, *, recent: bool = False) -> Iterator[Reason]:
        finding = self.record.finding(name)
        if finding.status is not Status.PRESENT:
            return
        definition = self.terminology.findings.get(name)
        # A competing cause argues for nothing.
        if definition is not None and definition.only_lowers:
            return
        named = recorded_name(finding, self.terminology, self.wording)
        text, short = escaped(named), plain(named)
        if finding.basis is not None and finding.basis is not Basis.EXAMINED:
            short = self.wording.say(f"summary.{finding.basis}", finding=short)
        group = _KINDS.get(definition.kind if definition else "", _SYMPTOM)
        how_long = lasting(finding.start, self.as_of, self.wording) if recent else ""
        text = f"{text} {how_long}" if how_long else text
        yield Reason(name, group, text, short, recorded_how(finding, self.as_of, self.wording))

    def _courses(self) -> Iterator[Reason]:
        """worsening; spreading: of the twitch, else of a sign."""
        courses = [course for course in _COURSES if course in self.record.twitch.courses]
        if not courses:
            signs = [present(self.record, name) for name in self.table.signs]
            courses = ["worsening"] if any(sign and sign.worsening for sign in signs) else []
        for course in courses:
            text = self.wording.maybe(f"facts.{course}") or course
            yield Reason(f"course {course}", _COURSE, text, text)

    def _drugs(self, kind: str, name: str) -> Iterator[Drug]:
        for drug in self.record.drugs:
            if name not in drug.classes:
                continue
            if kind == "current" and not drug.current:
                continue
            if kind == "drug" and drug.plausible is Plausible.NO:
                continue
            if kind == "stopped" and (drug.current or drug.end is None):
                continue
            yield drug

    def _drug(self, drug: Drug) -> Reason:
        name = drug_name(drug, self.wording)
        short = plain(name)
        if drug.current:
            short = self.wording.say("summary.taking", drug=short)
        elif drug.end is not None and drug.end.latest is not None:
            day = day_month(drug.end.latest, self.as_of, self.wording)
            short = self.wording.say("summary.taken_until", drug=short, date=day)
        taken = plain(name) if drug.current else ""
        return Reason(f"drug {drug.name}", _DRUG, escaped(name), short, taken=taken)

    def _result(self, result: Result) -> Reason:
        result = as_judged(result, self.table)
        band = band_today(result, self.table, self.as_of)
        text = result_text(result, band, self.terminology, self.wording)
        short = short_result(result, self.as_of, self.terminology, self.wording)
        return Reason(f"result {result.analyte}", _RESULT, text, small(short))

    def results_of(self, variable: str) -> Iterator[Result]:
        """The results for which that fact holds."""
        for fact in self.table.result_facts[variable]:
            yield from results_in(fact, self.record, self.table)

    def is_true(self, fact: str) -> bool:
        return self.decision.facts.get(fact, UNKNOWN) == TRUE
