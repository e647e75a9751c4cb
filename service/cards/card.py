"""What every card is made of: the call, the situation, and the members around summary and detail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from fhir_mappings.terminology import Form
from service.cards.card_ids import CardIds, id_of
from service.decision import Decision
from service.decision.questions import Question
from service.decision.table import Row
from service.knowledge import Knowledge

EXTENSION = "org.fasciculation-cds"


@dataclass(frozen=True, slots=True)
class Call:
    """What a card takes from the call.

    hook_instance: the uuids derive from it, never from chance. ids: sign them; by default they are unsigned,
    and feedback on them is refused. knowledge_version: hexadecimal, part of the uuids. about: the draft order
    that the card is about, where a call has several cards. user: reference of the user. smart_url: launch URL
    of the second link; "" = no such link.
    """

    hook_instance: str
    base_url: str
    subject: str | None = None
    encounter: str | None = None
    ids: CardIds = field(default_factory=CardIds)
    knowledge_version: str = ""
    about: str = ""
    user: str | None = None
    smart_url: str = ""

    def uuid(self, kind: str, name: str) -> str:
        """A uuid that is the same for the same thing in the same call.

        kind: see card_ids.KINDS. name: the leading row of a card, the action of an order, the finding of an
        answer: feedback is counted by it.
        """
        return id_of(self.ids, self.knowledge_version, self.hook_instance, kind, name, self.about)


@dataclass(frozen=True, slots=True)
class Situation:
    """A decision to be shown. before: makes the decision of the record without the hook's context."""

    decision: Decision
    before: Callable[[], Decision]
    knowledge: Knowledge
    call: Call

    @property
    def is_read(self) -> bool:
        """Whether the context brings anything that makes or unmakes a finding, or may do so unread."""
        now, old = self.decision.record, self.before().record
        return (now.twitch, now.findings, now.unread) != (old.twitch, old.findings, old.unread)

    @property
    def changes_advice(self) -> bool:
        """Whether it brings a twitch, or changes what is advised about one that was there."""
        old = self.before()
        if self.decision.record.twitch != old.record.twitch:
            return True
        return bool(_advice(self.decision) != _advice(old))


_advice = attrgetter("gate", "level", "rows", "recommendations", "withheld", "self_care", "suspected")


def framed(
    knowledge: Knowledge,
    call: Call,
    *,
    summary: str,
    level: str,
    detail: str,
    rows: Sequence[Row],
    suggestions: Sequence[dict[str, Any]],
    questions: Sequence[Question],
) -> dict[str, Any]:
    """A CDS Hooks card without null or empty members.

    rows: what it rests on, the leading one first. questions: those that are open.
    """
    wording = knowledge.wording
    ids = [row.id for row in rows]
    card: dict[str, Any] = {
        "uuid": call.uuid("card", ids[0] if ids else ""),
        "summary": summary,
        "indicator": level,
        "detail": detail,
        "source": _source(knowledge, call),
        "selectionBehavior": "any",
        "overrideReasons": [
            {"system": wording.override_system, "code": code, "display": display}
            for code, display in wording.override_reasons
        ],
        "links": _links(knowledge, call, ids, questions),
        "extension": {
            EXTENSION: {
                "knowledgeVersion": knowledge.version,
                "rows": ids,
                "claims": sorted({claim for row in rows for support in row.support for claim in support.ids}),
            }
        },
    }
    if suggestions:
        card["suggestions"] = list(suggestions)
    return card


def _links(
    knowledge: Knowledge, call: Call, rows: Sequence[str], questions: Sequence[Question]
) -> list[dict[str, str]]:
    """The rows that fired, with their claims; and a site's form, where a card may ask something."""
    fired = f"?rows={','.join(rows)}" if rows else ""
    links = [
        {
            "label": knowledge.wording.say("link"),
            "url": f"{call.base_url}/knowledge{fired}",
            "type": "absolute",
        }
    ]
    if call.smart_url and any(question.on_card or question.forced for question in questions):
        links.append(
            {
                "label": knowledge.wording.say("smart_link"),
                "url": call.smart_url,
                "type": "smart",
                "appContext": _app_context(knowledge.terminology.form, questions),
            }
        )
    return links


def _app_context(form: Form, questions: Iterable[Question]) -> str:
    """JSON text: the canonical URL of the Questionnaire, and the linkIds of what is open."""
    links: list[str] = []
    for question in questions:
        links += question.findings or filter(None, [form.links.get(question.id)])
    return json.dumps({"questionnaire": form.canonical, "linkIds": list(dict.fromkeys(links))})


def _source(knowledge: Knowledge, call: Call) -> dict[str, Any]:
    source: dict[str, Any] = {
        "label": knowledge.wording.say("source_label"),
        "url": f"{call.base_url}/knowledge",
    }
    topic = knowledge.terminology.findings["fasciculation"]
    if topic.answer is not None:
        system, code = topic.answer
        # CDS Hooks requires a display.
        source["topic"] = {"system": system, "code": code, "display": topic.answer_display or topic.label}
    return source
