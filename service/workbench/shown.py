"""Everything that the page shows of one answer, as frozen values for its template."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from fhir_mappings.findings import Finding, Note, Status, Twitch
from service.cards.escaping import folded
from service.cards.facets import capital, joined, test_label
from service.decision import Decision
from service.knowledge import Knowledge
from service.knowledge.explained import Explained
from service.pipeline import Answer
from service.workbench.columns import Column, columns_of
from service.workbench.markdown import html_of
from service.workbench.places import Places
from service.workbench.questions import Asked, asked_in
from service.workbench.reasons import Reason, reasons_of
from service.workbench.results import ResultView, results_of
from service.workbench.timeline import NARROW, WIDE, Timeline, timeline_of

# No page grows without end with what was pasted into it.
MOST_NOTES = 200
Lines = Mapping[tuple[str, str | None], int]
WHY = {
    "done": "done, and recent enough",
    "act-on": "done, and out of range: act on it, no repeat is needed",
    "ordered": "ordered already",
    "child": "for the paediatric team to decide",
}


@dataclass(frozen=True, slots=True)
class ShownSuggestion:
    """finding and answer: of the question that it answers; "" for an order. resources: what it creates."""

    label: str
    finding: str
    answer: str
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as an EHR shows it. html: its detail, safe."""

    indicator: str
    summary: str
    html: str
    source_label: str
    source_url: str
    suggestions: tuple[ShownSuggestion, ...]
    override_reasons: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ShownNote:
    """Something of the record that was not used. line: of the JSON, None where it was not found."""

    reference: str
    expression: str
    why: str
    line: int | None


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    reference: str
    expression: str
    text: str
    status: str
    day: date | None
    used: bool
    line: int | None


@dataclass(frozen=True, slots=True)
class ShownFinding:
    label: str
    status: str
    basis: str
    conflict: bool
    evidence: tuple[ShownEvidence, ...]


@dataclass(frozen=True, slots=True)
class Advised:
    """A recommendation, or with `why` something withheld."""

    label: str
    urgent: bool = False
    because: tuple[str, ...] = ()
    why: str = ""
    day: date | None = None
    reference: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer. gate: "" = open, else why there is no card, in words. span: lowest and highest level.

    timelines: the same one for a wide and for a narrow screen.
    """

    as_of: date
    level: str
    gate: str
    span: tuple[str, str]
    cards: tuple[ShownCard, ...]
    columns: tuple[Column, ...]
    reasons: tuple[Reason, ...]
    advised: tuple[Advised, ...]
    withheld: tuple[Advised, ...]
    asked: tuple[Asked, ...]
    not_understood: tuple[ShownNote, ...]
    not_used: tuple[ShownNote, ...]
    not_seen: tuple[str, ...]
    findings: tuple[ShownFinding, ...]
    timelines: tuple[Timeline, ...]
    results: tuple[ResultView, ...]


def shown_answer(
    answer: Answer,
    cards: Iterable[Mapping[str, Any]],
    knowledge: Knowledge,
    explained: Explained,
    places: Places,
) -> Shown:
    """What the page shows. cards: those of the answer that this site wants to see."""
    decision = answer.decision
    record = decision.record
    notes = [(note.reference, note.expression) for note in (*record.not_understood, *record.not_used)]
    notes += [(e.reference, e.expression) for owner in _owners(decision) for e in owner.evidence]
    notes += [(withheld.reference, None) for withheld in decision.withheld if withheld.reference]
    lines = places.lines(dict.fromkeys(notes))
    return Shown(
        as_of=record.as_of,
        level=decision.level,
        gate="" if decision.open else knowledge.wording.say(f"gate.{decision.gate}"),
        span=decision.span,
        cards=tuple(_card(card, number, knowledge) for number, card in enumerate(cards, 1)),
        columns=columns_of(decision, knowledge, explained.sources),
        reasons=reasons_of(decision, knowledge, explained),
        advised=tuple(_advised(decision, knowledge)),
        withheld=tuple(_withheld(decision, knowledge, lines)),
        asked=asked_in(decision, knowledge),
        not_understood=tuple(_notes(record.not_understood, lines)),
        not_used=tuple(_notes(record.not_used, lines)),
        not_seen=tuple(knowledge.wording.say(f"unseen.{key}") for key in record.not_seen),
        findings=tuple(_findings(decision, knowledge, lines)),
        timelines=tuple(timeline_of(decision, knowledge, width) for width in (WIDE, NARROW)),
        results=results_of(decision, knowledge),
    )


def _owners(decision: Decision) -> list[Twitch | Finding]:
    """The twitch and every finding about which something is recorded."""
    recorded = (finding for finding in decision.record.findings.values() if finding.evidence)
    twitch = [decision.record.twitch] if decision.record.twitch.evidence else []
    return [*twitch, *sorted(recorded, key=lambda finding: finding.id)]


def _notes(notes: Iterable[Note], lines: Lines) -> Iterator[ShownNote]:
    for note in islice(notes, MOST_NOTES):
        line = lines.get((note.reference, note.expression))
        yield ShownNote(note.reference, note.expression or "", note.why, line)


def _findings(decision: Decision, knowledge: Knowledge, lines: Lines) -> Iterator[ShownFinding]:
    definitions = knowledge.terminology.findings
    for owner in _owners(decision):
        finding = owner if isinstance(owner, Finding) else None
        label = definitions[finding.id].label if finding else owner.label  # type: ignore[union-attr]
        basis = finding.basis.value if finding and finding.basis else ""
        yield ShownFinding(
            label=label or knowledge.wording.say("summary.twitch"),
            status=owner.status.value,
            basis="" if owner.status is Status.UNKNOWN else basis,
            conflict=finding.conflict if finding else False,
            evidence=tuple(
                ShownEvidence(
                    reference=e.reference,
                    expression=e.expression,
                    text=folded(e.text),
                    status=e.status.value,
                    day=e.day,
                    used=e.used,
                    line=lines.get((e.reference, e.expression)),
                )
                for e in owner.evidence[:MOST_NOTES]
            ),
        )


def _card(card: Mapping[str, Any], number: int, knowledge: Knowledge) -> ShownCard:
    names = {template["code"]["text"]: name for name, template in knowledge.templates.answers.items()}
    return ShownCard(
        indicator=card["indicator"],
        summary=card["summary"],
        html=html_of(card["detail"], f"Table of card {number}"),
        source_label=card["source"]["label"],
        source_url=card["source"]["url"],
        suggestions=tuple(_suggestion(one, names) for one in card.get("suggestions", ())),
        override_reasons=tuple(reason["display"] for reason in card["overrideReasons"]),
        links=tuple((link["label"], link["url"]) for link in card["links"]),
    )


def _suggestion(suggestion: Mapping[str, Any], names: Mapping[str, str]) -> ShownSuggestion:
    resources = [action["resource"] for action in suggestion["actions"] if "resource" in action]
    first = resources[0] if resources else {}
    is_answer = first.get("resourceType") == "Observation"
    return ShownSuggestion(
        label=suggestion["label"],
        finding=names.get(first["code"]["text"], "") if is_answer else "",
        answer=("present" if first.get("valueBoolean") else "absent") if is_answer else "",
        resources=tuple(json.dumps(one, ensure_ascii=False, indent=2) for one in resources),
    )


def _advised(decision: Decision, knowledge: Knowledge) -> Iterator[Advised]:
    for recommendation in sorted(decision.recommendations, key=lambda r: not r.urgent):
        names = joined(_names(recommendation.analytes, knowledge))
        place = f"actions.{recommendation.id}"
        label = knowledge.wording.say(f"{place}.short")
        urgent = knowledge.wording.maybe(f"{place}.short_urgent") if recommendation.urgent else ""
        rows = (knowledge.table.row(row) for row in recommendation.because)
        yield Advised(
            label=capital(urgent or label)
            + (f" ({names})" if names and names.lower() != label.lower() else ""),
            urgent=recommendation.urgent,
            because=tuple(row.label for row in rows if row),
        )


def _withheld(decision: Decision, knowledge: Knowledge, lines: Lines) -> Iterator[Advised]:
    for withheld in decision.withheld:
        names = joined(_names(withheld.tests, knowledge))
        rows = (knowledge.table.row(row) for row in withheld.because)
        yield Advised(
            label=capital(names or knowledge.wording.say(f"actions.{withheld.id}.short")),
            because=tuple(row.label for row in rows if row),
            why=WHY[withheld.kind],
            day=withheld.day,
            reference=withheld.reference,
            line=lines.get((withheld.reference, None)),
        )


def _names(tests: Iterable[str], knowledge: Knowledge) -> Iterator[str]:
    for test in tests:
        yield test_label(test, knowledge.terminology, knowledge.wording)
