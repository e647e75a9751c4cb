"""Why each row fired: the rule, what of this record met it, and the claims it rests on with their place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.cards.features import Features
from service.decision import Decision
from service.decision.outcome import RANK
from service.decision.table import Row
from service.knowledge import Knowledge
from service.knowledge.explained import Explained

_DRUG = ("drug ", "current ")


@dataclass(frozen=True, slots=True)
class Support:
    """Claims of one reading, each as explained.Sources shows it."""

    reading: str
    note: str
    claims: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """A row that fired. rule: when it holds; met: what on record met it."""

    id: str
    label: str
    level: str
    level_says: str
    rule: str
    met: tuple[str, ...]
    supports: tuple[Support, ...]


def reasons_of(decision: Decision, knowledge: Knowledge, explained: Explained) -> tuple[Reason, ...]:
    """The fired rows, the gravest first."""
    words = Features(decision, knowledge)
    rows = sorted(decision.rows, key=lambda row: -RANK[row.level])
    return tuple(
        Reason(
            id=row.id,
            label=row.label,
            level=row.level,
            level_says=knowledge.pages.levels[row.level],
            rule=explained.rules.rule(row.when).sentence(),
            met=tuple(dict.fromkeys(_met(row, decision, knowledge, words))),
            supports=tuple(
                Support(
                    support.reading,
                    support.note,
                    tuple(explained.sources.shown(name) for name in support.ids),
                )
                for support in row.support
            ),
        )
        for row in rows
    )


def _met(row: Row, decision: Decision, knowledge: Knowledge, words: Features) -> Iterator[str]:
    facts = decision.facts
    for term in row.terms:
        if not all(literal.true_in(facts) for literal in term):
            continue
        for literal in term:
            # What is not recorded is no reason of its own.
            if literal.positive:
                yield from _said(literal.variable, decision, knowledge, words)


def _said(variable: str, decision: Decision, knowledge: Knowledge, words: Features) -> Iterator[str]:
    record, definitions = decision.record, knowledge.terminology.findings
    if variable in definitions:
        yield f"{definitions[variable].label}: {words.finding_text(record.finding(variable))}"
    elif variable.startswith(_DRUG):
        name = variable.partition(" ")[2]
        for drug in record.drugs:
            if name in drug.classes:
                yield f"{drug.name}: {drug.why}"
    elif variable in knowledge.pages.features:
        yield knowledge.pages.features[variable].holds
