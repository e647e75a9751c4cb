"""The published form on one record: prefilled from it, its answers added to it as a QuestionnaireResponse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fhir_mappings.record import Days, Version
from fhir_mappings.to_fhir.actions import about
from service.cards.text import finding_text, joined
from service.decision import Decision
from service.evaluation import subject_of
from service.knowledge import Knowledge
from service.knowledge.form import ANSWERS, DATE, SITES, Group, Item, groups_of
from service.workbench.typed_dates import WrongDate, fhir_date, written

FIELD = "answer."
AUTHORS = ("clinician", "patient")
_OTHER_FIELDS = frozenset({"author", "text", "asOf"})
_KIND, _KEY = "QuestionnaireResponse", "questionnaireResponses"
_MOST_SHOWN = 60
# The codes of an answer, or its date as FHIR writes it.
_Values = tuple[str, ...]


class RecordForm:
    """The form on a record, as it is or as it was posted.

    author: "" where it was not said. typed: linkId -> codes or the text of a date. wrong: linkId or "author"
    -> what is wrong. problems: of fields that the form does not have. said: what became of the answers.
    """

    def __init__(
        self, knowledge: Knowledge, decision: Decision, posted: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.knowledge, self.record = knowledge, decision.record
        self.texts, self.groups = knowledge.pages.form, groups_of(knowledge)
        self.items = {item.link: item for group in self.groups for item in group.items}
        self.asked = {question.id for question in decision.questions}
        self.recorded = {link: self._recorded(item) for link, item in self.items.items()}
        self.typed, self.read = dict(self.recorded), dict(self.recorded)
        self.author, self.wrong = "", dict[str, str]()
        self.problems, self.said = list[str](), list[str]()
        if posted is not None:
            self._post(posted)

    def enabled(self, group: Group) -> bool:
        """Whether an answer that it waits for is given; a group with something wrong is shown too."""
        given = any(code in self.read[link] for link, code in group.when)
        return not group.when or given or any(item.link in self.wrong for item in group.items)

    def waits_for(self, group: Group) -> str:
        """The fields and values of which one enables it, for the script of the page."""
        return " ".join(f"{FIELD}{link}={code}" for link, code in sorted(group.when))

    def on_record(self, item: Item) -> str:
        """What the record says of an item, in words; "" where it says nothing."""
        finding, days = self.record.finding(item.link), self._days(item)
        if item.type == ANSWERS:
            return finding_text(finding, self.knowledge.wording) if finding.evidence else ""
        if item.type == DATE and days.known and not self.recorded[item.link]:
            return self.texts["between"].format(first=days.earliest or "…", last=days.latest or "…")
        return self._shown(item, self.recorded[item.link])

    def added(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """The Bundle or hook request with the answers that differ from the record.

        An earlier response of this author and day is amended; no other entry changes.

        Returns:
            None where an answer is wrong, or none differs.
        """
        name = f"form-{self.author}-{self.record.as_of}"
        held = _held(document)
        entries = held["entry"] if isinstance(held.get("entry"), list) else []
        if (earlier := self._earlier(name, entries)) is None:
            self.problems.append(self.texts["other_entry"].format(value=name))
            return None
        answers = {
            item.link: self._answered(item, earlier[item.link], self.enabled(group))
            for group in self.groups
            for item in group.items
        }
        for item in self.items.values():
            # A day counts beside a Yes of the same response.
            if item.since in self.items and answers[item.link]:
                answers[item.since] = self.read[item.since]
        if answers == earlier and not (self.wrong or self.problems):
            self.said.append(self.texts["nothing"])
        elif answers != earlier and not self.author:
            self.wrong.setdefault("author", self.texts["no_author"])
        if self.wrong or self.problems or answers == earlier:
            return None
        for link, values in answers.items():
            if values != earlier[link]:
                text = self.texts["recorded" if values else "taken_back"]
                item = self.items[link]
                self.said.append(text.format(label=item.text, values=self._shown(item, values)))
        kept = [entry for entry in entries if not _is_response(entry, name)]
        if any(answers.values()):
            kept.append({"resource": self._response(name, answers)})
        made = {**held, "entry": kept}
        return made if held is document else {**document, "prefetch": {**_prefetch(document), _KEY: made}}

    def _earlier(self, name: str, entries: Iterable[Any]) -> dict[str, _Values] | None:
        """The answers of an earlier response by linkId; None where it is not as the form writes it."""
        found: dict[str, _Values] = dict.fromkeys(self.items, ())
        for items in (entry["resource"].get("item") for entry in entries if _is_response(entry, name)):
            try:
                for item in (item for group in items for item in group["item"]):
                    codes = (a.get("valueDate") or a["valueCoding"]["code"] for a in item["answer"])
                    found[item["linkId"]] = tuple(codes)
                if self._groups(found) != items:
                    return None
            except (KeyError, TypeError, AttributeError):
                return None
        return found

    def _post(self, posted: Mapping[str, Sequence[str]]) -> None:
        self.author = next((author for author in AUTHORS if [author] == posted.get("author")), "")
        names = {f"{FIELD}{link}": item for link, item in self.items.items() if item.is_read}
        for name in posted.keys() - names.keys() - _OTHER_FIELDS:
            self.problems.append(self.texts["no_item"].format(value=name[:_MOST_SHOWN]))
        for name, item in names.items():
            typed = tuple(value for value in posted.get(name, ()) if value.strip())
            self.typed[item.link], self.read[item.link] = typed, self._read(item, typed)

    def _read(self, item: Item, typed: _Values) -> _Values:
        """The codes or the date of an answer; what is wrong with it is noted."""
        codes = tuple(option.code for option in item.options if option.code in typed)
        if item.type == DATE and typed:
            try:
                return (fhir_date(typed[0], self.record.as_of, self.record.patient.born, self.texts),)
            except WrongDate as error:
                self.wrong[item.link] = str(error)
        elif unknown := set(typed) - set(codes):
            self.wrong[item.link] = self.texts["no_option"].format(value=min(unknown)[:_MOST_SHOWN])
        elif item.type == ANSWERS and len(codes) > 1:
            self.wrong[item.link] = self.texts["only_one"]
        return codes

    def _answered(self, item: Item, earlier: _Values, enabled: bool) -> _Values:
        """What the response says of an item: what is answered otherwise than the record has it."""
        read, recorded = self.read[item.link], self.recorded[item.link]
        if not enabled:
            if read not in ((), recorded):
                self.said.append(self.texts["not_asked"].format(label=item.text))
            return ()
        if read == recorded or item.link in self.wrong:
            return earlier
        several = item.type not in (ANSWERS, DATE)
        left = [value for value in recorded if value not in (*read, *earlier)] if several or not read else ()
        if left:
            text = self.texts["record_kept"]
            self.said.append(text.format(label=item.text, values=self._shown(item, left)))
        return tuple(value for value in read if not several or value in earlier or value not in recorded)

    def _recorded(self, item: Item) -> _Values:
        """The codes or the date that the record gives, as far as the form can say it."""
        if item.type == DATE:
            day = written(self._days(item))
            return (day,) if day else ()
        twitch = self.record.twitch
        status = self.record.finding(item.link).status
        known: Any = (
            (status,) if item.type == ANSWERS else twitch.sites if item.type == SITES else twitch.courses
        )
        return tuple(option.code for option in item.options if option.means in known)

    def _days(self, item: Item) -> Days:
        if not item.is_read:
            return self.record.patient.born
        return self.record.finding(item.since).since if item.since in self.items else self.record.twitch.onset

    def _shown(self, item: Item, values: Iterable[str]) -> str:
        displays = {option.code: option.display for option in item.options}
        return joined(displays.get(value, value) for value in values)

    def _response(self, name: str, answers: Mapping[str, _Values]) -> dict[str, Any]:
        canonical = f"{self.knowledge.terminology.form.canonical}|{self.knowledge.version}"
        subject = about(subject_of(self.record.patient), None)["subject"]
        examined = self.author == AUTHORS[0]
        return {
            "resourceType": _KIND,
            "id": name,
            "questionnaire": {"reference": canonical} if self.record.version is Version.STU3 else canonical,
            "status": "completed",
            "subject": subject,
            "authored": self.record.as_of.isoformat(),
            "author": {"reference": "Practitioner/workbench"} if examined else subject,
            "item": self._groups(answers),
        }

    def _groups(self, answers: Mapping[str, _Values]) -> list[dict[str, Any]]:
        return [
            {"linkId": group.link, "text": group.text, "item": items}
            for group in self.groups
            if (items := [_item(item, answers[item.link]) for item in group.items if answers[item.link]])
        ]


def _item(item: Item, values: _Values) -> dict[str, Any]:
    options = {
        option.code: {"system": option.system, "code": option.code, "display": option.display}
        for option in item.options
    }
    answer = [{"valueCoding": options[value]} if options else {"valueDate": value} for value in values]
    return {"linkId": item.link, "text": item.text, "answer": answer}


def _is_response(entry: Any, name: str) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and (resource.get("resourceType"), resource.get("id")) == (_KIND, name)


def _prefetch(document: Mapping[str, Any]) -> dict[str, Any]:
    prefetch = document.get("prefetch")
    return prefetch if isinstance(prefetch, dict) else {}


def _held(document: dict[str, Any]) -> dict[str, Any]:
    """The Bundle of the responses: the document itself, or a list of the prefetch."""
    held = _prefetch(document).get(_KEY) if "hook" in document else document
    return (
        held
        if isinstance(held, dict) and held.get("resourceType") == "Bundle"
        else {"resourceType": "Bundle", "type": "searchset"}
    )
