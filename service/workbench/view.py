"""Everything that the page shows of one evaluation, as frozen values for its template."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from fhir_mappings.record import Evidence, Finding, Note, Status, Twitch
from service.cards.escaping import folded
from service.cards.text import Questions, capital, finding_text, joined, test_label
from service.decision import Decision
from service.decision.outcome import RANK
from service.decision.table import Row
from service.evaluation import Answer
from service.knowledge import Knowledge
from service.knowledge.explained import Explained
from service.workbench.columns import Column, columns_of
from service.workbench.markdown import html_of
from service.workbench.results import ResultView, results_of
from service.workbench.timeline import NARROW, WIDE, Timeline, timeline_of

# Limit of notes, and of evidence for one finding: the size of the page stays bounded.
MOST_NOTES = 200
# A shell takes a few hundred kilobytes; a longer request is read from a file.
_LONGEST_COMMAND = 100_000
WITHHELD = {
    "done": "done, and recent enough",
    "act-on": "done, and out of range: act on it, no repeat is needed",
    "ordered": "ordered already",
    "child": "for the paediatric team to decide",
}
_DRUG = ("drug ", "current ")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """finding, answer: of the question that it answers; "" for an order. resources: JSON it creates."""

    label: str
    finding: str
    answer: str
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardView:
    """card: as it leaves. html: its detail, safe."""

    card: Mapping[str, Any]
    html: str
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """An unknown that would change the advice. clicks: whether a click answers it."""

    id: str
    name: str
    sentence: str
    clicks: bool


@dataclass(frozen=True, slots=True)
class Support:
    """Claims of one reading, each as `Sources.shown` gives it."""

    reading: str
    note: str
    claims: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """A row that fired. rule: when it holds; met: what on record met it."""

    row: Row
    rule: str
    met: tuple[str, ...]
    supports: tuple[Support, ...]


@dataclass(frozen=True, slots=True)
class Advised:
    """A recommendation, and the labels of the rows that ask for it."""

    label: str
    urgent: bool
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A test that a row asks for and that is not recommended."""

    label: str
    why: str
    day: date | None
    reference: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding about which something is recorded."""

    label: str
    status: str
    basis: str
    conflict: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class View:
    """One evaluation. gate: why there is no card, in words; "" = open. span: lowest and highest level.

    timelines: the same one for a wide and for a narrow screen.
    """

    as_of: date
    level: str
    gate: str
    span: tuple[str, str]
    cards: tuple[CardView, ...]
    asked: tuple[Asked, ...]
    timelines: tuple[Timeline, ...]
    results: tuple[ResultView, ...]
    reasons: tuple[Reason, ...]
    columns: tuple[Column, ...]
    advised: tuple[Advised, ...]
    withheld: tuple[Withheld, ...]
    not_understood: tuple[Note, ...]
    not_used: tuple[Note, ...]
    not_seen: tuple[str, ...]
    findings: tuple[FindingView, ...]


def view_of(
    answer: Answer, cards: Iterable[Mapping[str, Any]], knowledge: Knowledge, explained: Explained
) -> View:
    """What the page shows. cards: those of the answer that the site shows."""
    decision = answer.decision
    record = decision.record
    return View(
        as_of=record.as_of,
        level=decision.level,
        gate="" if decision.open else knowledge.wording.say(f"gate.{decision.gate}"),
        span=decision.span,
        cards=tuple(_card(card, number, knowledge) for number, card in enumerate(cards, 1)),
        asked=tuple(_asked(decision, knowledge)),
        timelines=tuple(timeline_of(decision, knowledge, width) for width in (WIDE, NARROW)),
        results=results_of(decision, knowledge),
        reasons=reasons_of(decision, knowledge, explained),
        columns=columns_of(decision, knowledge, explained.sources),
        advised=tuple(_advised(decision, knowledge)),
        withheld=tuple(_withheld(decision, knowledge)),
        not_understood=record.not_understood[:MOST_NOTES],
        not_used=record.not_used[:MOST_NOTES],
        not_seen=tuple(knowledge.wording.say(f"unseen.{key}") for key in record.not_seen),
        findings=tuple(_findings(decision, knowledge)),
    )


def curl_of(base_url: str, path: str, text: str) -> str:
    """The curl command of that request. text: its JSON, passed by a here-document."""
    kind = "application/json" if path.startswith("/cds-services/") else "application/fhir+json"
    head = f"curl -s -H 'Content-Type: {kind}' --data-binary"
    if len(text) > _LONGEST_COMMAND:
        return f"{head} @request.json '{base_url}{path}'"
    end = "JSON"
    while end in text.splitlines():
        end += "_END"
    return f"{head} @- '{base_url}{path}' <<'{end}'\n{text.rstrip()}\n{end}\n"


def _card(card: Mapping[str, Any], number: int, knowledge: Knowledge) -> CardView:
    names = {template["code"]["text"]: name for name, template in knowledge.templates.answers.items()}
    suggestions = tuple(_suggestion(one, names) for one in card.get("suggestions", ()))
    return CardView(card, html_of(card["detail"], f"Table of card {number}"), suggestions)


def _suggestion(suggestion: Mapping[str, Any], names: Mapping[str, str]) -> Suggestion:
    resources = [action["resource"] for action in suggestion["actions"] if "resource" in action]
    first = resources[0] if resources else {}
    is_answer = first.get("resourceType") == "Observation"
    return Suggestion(
        label=suggestion["label"],
        finding=names.get(first["code"]["text"], "") if is_answer else "",
        answer=("present" if first.get("valueBoolean") else "absent") if is_answer else "",
        resources=tuple(json.dumps(one, ensure_ascii=False, indent=2) for one in resources),
    )


def _asked(decision: Decision, knowledge: Knowledge) -> Iterator[Asked]:
    """All questions of the decision, the most important first."""
    words = Questions(decision, knowledge)
    for question in decision.questions:
        clicks = question.id in knowledge.templates.answers
        yield Asked(question.id, words.name(question), words.sentence(question), clicks)


def reasons_of(decision: Decision, knowledge: Knowledge, explained: Explained) -> tuple[Reason, ...]:
    """The fired rows, the gravest first."""
    return tuple(
        Reason(
            row=row,
            rule=explained.rules.rule(row.when).sentence(),
            met=tuple(dict.fromkeys(_met(row, decision, knowledge))),
            supports=tuple(
                Support(one.reading, one.note, tuple(explained.sources.shown(name) for name in one.ids))
                for one in row.support
            ),
        )
        for row in sorted(decision.rows, key=lambda row: -RANK[row.level])
    )


def _met(row: Row, decision: Decision, knowledge: Knowledge) -> Iterator[str]:
    for term in row.terms:
        if all(literal.true_in(decision.facts) for literal in term):
            for literal in term:
                # Something that is not recorded is no reason of its own.
                if literal.positive:
                    yield from _recorded(literal.variable, decision, knowledge)


def _recorded(variable: str, decision: Decision, knowledge: Knowledge) -> Iterator[str]:
    record, definitions = decision.record, knowledge.terminology.findings
    if variable in definitions:
        yield f"{definitions[variable].label}: {finding_text(record.finding(variable), knowledge.wording)}"
    elif variable.startswith(_DRUG):
        name = variable.partition(" ")[2]
        for drug in record.drugs:
            if name in drug.classes:
                yield f"{drug.name}: {drug.why}"
    elif variable in knowledge.pages.features:
        yield knowledge.pages.features[variable].holds


def _advised(decision: Decision, knowledge: Knowledge) -> Iterator[Advised]:
    for recommendation in sorted(decision.recommendations, key=lambda r: not r.urgent):
        names = _names(recommendation.analytes, knowledge)
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


def _withheld(decision: Decision, knowledge: Knowledge) -> Iterator[Withheld]:
    for one in decision.withheld:
        label = _names(one.tests, knowledge) or knowledge.wording.say(f"actions.{one.id}.short")
        yield Withheld(capital(label), WITHHELD[one.kind], one.day, one.reference)


def _names(tests: Iterable[str], knowledge: Knowledge) -> str:
    return joined(test_label(test, knowledge.terminology, knowledge.wording) for test in tests)


def _findings(decision: Decision, knowledge: Knowledge) -> Iterator[FindingView]:
    """The twitch, then every finding with evidence by its id."""
    twitch = decision.record.twitch
    if twitch.evidence:
        label = twitch.label or knowledge.wording.say("summary.twitch")
        yield FindingView(label, twitch.status.value, "", False, _evidence(twitch))
    for name, finding in sorted(decision.record.findings.items()):
        if finding.evidence:
            basis = finding.basis.value if finding.basis and finding.status is not Status.UNKNOWN else ""
            label = knowledge.terminology.findings[name].label
            yield FindingView(label, finding.status.value, basis, finding.conflict, _evidence(finding))


def _evidence(owner: Twitch | Finding) -> tuple[Evidence, ...]:
    return tuple(replace(one, text=folded(one.text)) for one in owner.evidence[:MOST_NOTES])
