"""Responses to the published Questionnaire -> statements about findings, and what they tell of the twitch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fhir_mappings.code_systems import CodeKey, code_key
from fhir_mappings.record import Basis, Days, Note, Site, Status
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.dates import NO_DAY
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import FormItem
from fhir_mappings.to_findings.findings import Reader, bounded, day_of, recorded_as
from fhir_mappings.to_findings.onsets import Dates
from fhir_mappings.to_findings.statements import Statement
from fhir_mappings.to_findings.statuses import EXAMINED_BY, NOT_READ_AS_WRITTEN, REPORTED_BY, type_of

OTHER_FORM = "answers another questionnaire, or none that it names"
NOT_COMPLETED = "its status is not completed or amended"
UNKNOWN_ITEM = "an item that the questionnaire does not have"
NOT_UNDERSTOOD = "its answer is not understood"
NOT_PRESENT = "dates a finding that the form does not answer as present"
FUTURE = "begins after the day of the decision"
_COMPLETED = frozenset({"completed", "amended"})
_IN_ERROR = "entered-in-error"
_EXAMINATION = "exam"
_TWITCH = "fasciculation"
_PLACE = "QuestionnaireResponse"
# What a note may repeat of a linkId.
_PLAIN_LINK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_Answer = dict[str, Any]


def response_statements(reader: Reader, located: Located[fhir.QuestionnaireResponse]) -> Iterator[Statement]:
    """The statements of one response; those about the twitch tell of one that is on record, and make none."""
    resource, reference = located.resource, located.reference
    status = (resource.status or "").strip().lower()
    if status == _IN_ERROR:
        return
    named = resource.questionnaire
    canonical = (named.reference if isinstance(named, fhir.Reference) else named) or ""
    if canonical.partition("|")[0].strip() != reader.terminology.form.canonical:
        reader.not_used.append(Note(reference, OTHER_FORM))
    elif status not in _COMPLETED:
        reader.notes.append(Note(reference, NOT_COMPLETED, f"{_PLACE}.status"))
    else:
        authored = Dates(reference, reader.notes).days(resource.authored, f"{_PLACE}.authored")
        if not reader.is_future(authored.earliest, reference):
            examined = type_of(resource.author) in EXAMINED_BY and type_of(resource.source) not in REPORTED_BY
            yield from _Response(reader, reference, authored, examined).statements(resource.item)


class _Response:
    """One response that is read. examined: by a practitioner, not told by the patient."""

    def __init__(self, reader: Reader, reference: str, authored: Days, examined: bool) -> None:
        self.reader = reader
        self.reference = reference
        self.authored = authored
        self.examined = examined
        self.findings = reader.terminology.findings
        self.items = reader.terminology.form.items

    def statements(self, raw: msgspec.Raw) -> Iterator[Statement]:
        answers = self._answers(raw)
        began = dict(self._began(answers))
        for link, given in answers.items():
            item = self.items.get(link)
            if item is None:
                status = self._status(given)
                if status is Status.UNKNOWN:
                    self._note(NOT_UNDERSTOOD, link)
                since = began.pop(link, NO_DAY) if status is Status.PRESENT else NO_DAY
                yield self._statement(link, link, status, since=since)
            elif item.is_read and item.type != "date":
                yield from self._about_twitch(link, item, given)
        for finding, since in began.items():
            links = [link for link, item in self.items.items() if item.since == finding and link in answers]
            if finding == _TWITCH:
                yield self._statement(_TWITCH, links[0], Status.PRESENT, since=since)
            else:
                self._note(NOT_PRESENT, links[0])

    def _answers(self, raw: msgspec.Raw) -> dict[str, list[_Answer]]:
        """The answers by linkId, in the order of the form; notes what the form does not have."""
        try:
            content = msgspec.json.decode(raw)
        except fhir.UNDECODABLE:
            self._note(NOT_UNDERSTOOD)
            return {}
        found: dict[str, list[_Answer]] = {}
        for item in _walked(content):
            link, given = item.get("linkId"), item.get("answer")
            if given is None or given == []:
                continue
            if not isinstance(link, str) or not self._is_of_form(link):
                self._note(UNKNOWN_ITEM, link)
            elif item.get("modifierExtension"):
                self._note(NOT_READ_AS_WRITTEN, link)
            else:
                listed = given if isinstance(given, list) else [given]
                found.setdefault(link, []).extend(a if isinstance(a, dict) else {} for a in listed)
        return dict(sorted(found.items()))

    def _is_of_form(self, link: str) -> bool:
        definition = self.findings.get(link)
        return link in self.items or (definition is not None and definition.question is not None)

    def _began(self, answers: dict[str, list[_Answer]]) -> Iterator[tuple[str, Days]]:
        """The findings that the form dates, with the days on which they began."""
        dates = Dates(self.reference, self.reader.notes)
        for link, item in self.items.items():
            if item.since is None or link not in answers:
                continue
            values = [answer.get("valueDate") or answer.get("valueDateTime") for answer in answers[link]]
            if len(values) != 1 or not isinstance(values[0], str):
                self._note(NOT_UNDERSTOOD, link)
                continue
            place = _place(link)
            since = dates.since_birth(dates.days(values[0], place), self.reader.born, place)
            if not self.reader.exists(since.earliest):
                self._note(FUTURE, link)
            elif since.known:
                yield item.since, since

    def _about_twitch(self, link: str, item: FormItem, given: list[_Answer]) -> Iterator[Statement]:
        """The sites or courses of one item as one statement."""
        terminology, form = self.reader.terminology, self.reader.terminology.form
        known: Any = (
            (terminology.sites, form.sites) if item.type == "sites" else (terminology.courses, form.courses)
        )
        found = [_value(answer, *known) for answer in given]
        if None in found:
            self._note(NOT_UNDERSTOOD, link)
        values = tuple(dict.fromkeys(value for value in found if value is not None))
        if values and item.type == "sites":
            yield self._statement(_TWITCH, link, Status.PRESENT, sites=values)
        elif values:
            yield self._statement(_TWITCH, link, Status.PRESENT, courses=frozenset(values))

    def _status(self, given: Iterable[_Answer]) -> Status:
        answers = self.reader.terminology.answers
        words = {word: status for (system, word), status in answers.items() if not system}
        found = {_truth(answer) or _value(answer, answers, words) or Status.UNKNOWN for answer in given}
        # Answers that contradict each other answer nothing.
        return found.pop() if len(found) == 1 else Status.UNKNOWN

    def _statement(
        self,
        finding: str,
        link: str,
        status: Status,
        *,
        since: Days = NO_DAY,
        sites: tuple[Site, ...] = (),
        courses: frozenset[str] = frozenset(),
    ) -> Statement:
        as_of, definition = self.reader.as_of, self.findings[finding]
        name, status = recorded_as(definition, status, sites)
        day = day_of(self.authored, status, as_of)
        return Statement(
            name,
            status,
            Basis.EXAMINED if self.examined and definition.category == _EXAMINATION else Basis.REPORTED,
            self.reference,
            _place(link),
            definition.label,
            day=day,
            history=day is not None and (as_of - day).days > self.reader.reading.finding_days,
            since=since,
            at_least=bounded(self.authored.latest if status is Status.PRESENT else None, as_of),
            sites=sites,
            courses=courses,
            acute=definition.acute,
        )

    def _note(self, why: str, link: object = None) -> None:
        self.reader.notes.append(Note(self.reference, why, _place(link)))


def _place(link: object) -> str:
    """FHIRPath of an answer; of the items where the linkId is none that a note may repeat."""
    if not isinstance(link, str) or not _PLAIN_LINK.fullmatch(link):
        return f"{_PLACE}.item"
    return f"{_PLACE}.repeat(item).where(linkId='{link}').answer.value"


def _walked(content: Any) -> Iterator[dict[str, Any]]:
    """Every item, also those within items and within answers."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            if "linkId" in value or "answer" in value:
                yield value
            waiting += [value[member] for member in ("answer", "item") if member in value]


def _truth(answer: _Answer) -> Status | None:
    match answer.get("valueBoolean"):
        case bool(value):
            return Status.PRESENT if value else Status.ABSENT
    return None


def _value(answer: _Answer, by_code: Any, by_display: Any) -> Any:
    """What the code of an answer means, or its text where it is the display of an option; else None."""
    coding, text = answer.get("valueCoding"), answer.get("valueString")
    if isinstance(coding, dict):
        system, code, text = coding.get("system"), coding.get("code"), coding.get("display")
        if isinstance(system, str) and isinstance(code, str) and system and code:
            key: CodeKey = code_key(system, code)
            return by_code.get(key)
    return by_display.get(text.strip(" .").lower()) if isinstance(text, str) else None
