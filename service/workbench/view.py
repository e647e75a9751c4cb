"""An evaluation as the page shows it: the assessment, with what the page adds in words and drawings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.cards.escaping import folded
from service.cards.question_text import Questions
from service.cards.spans import age_of
from service.cards.text import capital, finding_text, joined, test_label
from service.decision import Decision
from service.decision.recommendations import URGENCY_RANK
from service.decision.table import ROUTINE, Row, true_terms
from service.evaluation import Evaluation
from service.knowledge import Knowledge
from service.knowledge.page_contents import Explained
from service.workbench.columns import Column, columns_of
from service.workbench.laboratory import ResultView, results_of
from service.workbench.markdown import html_of
from service.workbench.timeline import NARROW, WIDE, Timeline, timeline_of

# A shell takes some hundred kilobytes; a longer request is read from a file.
_MAX_COMMAND_CHARACTERS = 100_000
_DRUG = ("drug ", "current ", "stopped ")
# The gravest rows first; what makes a row of level calm a warning is the examination, not the row.
_LEVELS = ("critical", "warning", "until-done", "calm", "info")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """resources: what it creates, as JSON."""

    label: str
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardView:
    """card: as it leaves. html: its detail, safe."""

    card: Mapping[str, Any]
    html: str
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """An unknown that would change the advice. link: the linkId of its group in the form."""

    name: str
    sentence: str
    link: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A row that fired.

    Args:
        rule: When the row holds.
        met: What on record met it.
        supports: Reading, note and claims, the claims as `Sources.shown` gives them.
    """

    row: Row
    rule: str
    met: tuple[str, ...]
    supports: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Advised:
    """A recommendation, and the labels of the rows that ask for it."""

    label: str
    urgent: bool
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """One evaluation.

    Args:
        cards: Those that the site shows.
        timelines: The same one for a wide and for a narrow screen.
        advised, withheld: Recommendations, and those that are not given, with their labels.
        not_seen: The lists that were not sent, in words.
        labels: Id of a finding with evidence -> its label.
    """

    assessment: Mapping[str, Any]
    cards: tuple[CardView, ...]
    asked: tuple[Asked, ...]
    timelines: tuple[Timeline, ...]
    results: tuple[ResultView, ...]
    reasons: tuple[Reason, ...]
    columns: tuple[Column, ...]
    advised: tuple[Advised, ...]
    withheld: tuple[dict[str, Any], ...]
    not_seen: tuple[str, ...]
    labels: Mapping[str, str]


def view_of(
    evaluation: Evaluation,
    cards: Iterable[Mapping[str, Any]],
    knowledge: Knowledge,
    explained: Explained,
    table: str = "Table of card",
) -> View:
    """What the page shows. cards: those that the site shows. table: names those of their tables."""
    decision, assessment = evaluation.decision, evaluation.assessment
    labels = {name: finding.label for name, finding in knowledge.terminology.findings.items()}
    labels["fasciculation"] = decision.record.twitch.label or knowledge.wording.say("summary.twitch")
    return View(
        assessment,
        cards=tuple(_card(card, f"{table} {number}") for number, card in enumerate(cards, 1)),
        asked=tuple(_asked(decision, knowledge)),
        timelines=tuple(timeline_of(decision, knowledge, width) for width in (WIDE, NARROW)),
        results=results_of(decision, knowledge),
        reasons=reasons_of(decision, knowledge, explained),
        columns=columns_of(decision, knowledge, explained.sources),
        advised=tuple(_advised(decision, knowledge)),
        withheld=tuple(
            {**withheld, "label": capital(_label(withheld["id"], withheld.get("tests", ()), knowledge))}
            for withheld in assessment["withheld"]
        ),
        not_seen=tuple(knowledge.wording.say(f"unseen.{key}") for key in assessment["notSeen"]),
        labels=labels,
    )


def patient_in_words(decision: Decision, knowledge: Knowledge) -> str:
    """Age and sex of the patient, and what is not recorded of them."""
    patient, wording = decision.record.patient, knowledge.wording
    age = age_of(patient.born, decision.record.as_of, wording) or "age not recorded"
    sex = folded(patient.sex) if patient.sex else "sex not recorded"
    return capital(", ".join([age, sex, *(["deceased"] if patient.deceased else [])]))


def curl_of(base_url: str, path: str, text: str) -> str:
    """The curl command of that request. text: its JSON, passed by a here-document."""
    kind = "application/json" if path.startswith("/cds-services/") else "application/fhir+json"
    head = f"curl -s -H 'Content-Type: {kind}' --data-binary"
    if len(text) > _MAX_COMMAND_CHARACTERS:
        return f"{head} @request.json '{base_url}{path}'"
    end = "JSON"
    while end in text.splitlines():
        end += "_END"
    return f"{head} @- '{base_url}{path}' <<'{end}'\n{text.rstrip()}\n{end}\n"


def _card(card: Mapping[str, Any], table: str) -> CardView:
    suggestions = tuple(
        Suggestion(
            suggestion["label"],
            tuple(
                json.dumps(action["resource"], ensure_ascii=False, indent=2)
                for action in suggestion["actions"]
                if "resource" in action
            ),
        )
        for suggestion in card.get("suggestions", ())
    )
    return CardView(card, html_of(card["detail"], table), suggestions)


def _asked(decision: Decision, knowledge: Knowledge) -> Iterator[Asked]:
    """All questions of the decision, the most important first."""
    words = Questions(decision, knowledge)
    for question in decision.questions:
        yield Asked(words.name(question), words.sentence(question), f"group-{question.id}")


def reasons_of(decision: Decision, knowledge: Knowledge, explained: Explained) -> tuple[Reason, ...]:
    """The fired rows, the gravest first."""
    return tuple(
        Reason(
            row=row,
            rule=explained.rules.rule(row.when).sentence(),
            met=tuple(dict.fromkeys(_met(row, decision, knowledge))),
            supports=tuple(
                {
                    "reading": support.reading,
                    "note": support.note,
                    "claims": [explained.sources.shown(name) for name in support.ids],
                }
                for support in row.support
            ),
        )
        for row in sorted(decision.rows, key=lambda row: _LEVELS.index(row.level))
    )


def _met(row: Row, decision: Decision, knowledge: Knowledge) -> Iterator[str]:
    for term in true_terms(row.terms, decision.facts):
        for literal in term:
            # The absence of a record is no reason of its own.
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
    for recommendation in sorted(decision.recommendations, key=lambda r: -URGENCY_RANK[r.urgency]):
        names = _names(recommendation.analytes, knowledge)
        place = f"actions.{recommendation.id}"
        label = knowledge.wording.say(f"{place}.short")
        urgent = knowledge.wording.maybe(f"{place}.short_{recommendation.urgency}")
        rows = (knowledge.table.row(row) for row in recommendation.because)
        yield Advised(
            label=capital(urgent or label)
            + (f" ({names})" if names and names.lower() != label.lower() else ""),
            urgent=recommendation.urgency != ROUTINE,
            because=tuple(row.label for row in rows if row),
        )


def _label(action: str, tests: Iterable[str], knowledge: Knowledge) -> str:
    return _names(tests, knowledge) or knowledge.wording.say(f"actions.{action}.short")


def _names(tests: Iterable[str], knowledge: Knowledge) -> str:
    return joined(test_label(test, knowledge.terminology, knowledge.wording) for test in tests)
