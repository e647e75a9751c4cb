"""An evaluation as the plain values of a CarePlan: the answer of $apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from fhir_mappings.record import Version
from fhir_mappings.to_fhir.actions import about
from fhir_mappings.to_fhir.care_plan import Evidence, Proposal, ProposedAction
from service.cards import Call
from service.cards.action_texts import ActionTexts
from service.cards.escaping import escaped
from service.cards.suggestions import Suggestions
from service.cards.text import action_name, capital
from service.decision import Decision, Recommendation
from service.decision.table import Row
from service.evaluation import Evaluation, subject_of
from service.knowledge import Knowledge
from service.knowledge.claims import Anchor

# The id of the PlanDefinition that $apply is called on.
PLAN = "fasciculation"


def proposal_of(evaluation: Evaluation, knowledge: Knowledge, shown: Sequence[dict[str, Any]]) -> Proposal:
    """The values of the CarePlan. shown: the cards that the settings let through; without one no action."""
    # Whatever the version of the record: a CarePlan holds orders of its own version.
    decision = replace(evaluation.decision, record=replace(evaluation.decision.record, version=Version.R4))
    record, say = decision.record, knowledge.apply.say
    proposes = decision.open and bool(shown)
    return Proposal(
        subject=about(subject_of(record.patient), None)["subject"],
        day=record.as_of,
        plan=f"{knowledge.apply.root}/PlanDefinition/{PLAN}|{knowledge.version}",
        title=say("title"),
        description=shown[0]["summary"] if shown else "",
        level=decision.level if proposes else "",
        actions=tuple(_actions(decision, knowledge)) if proposes else (),
        reasons=tuple((row.id, row.label) for row in decision.rows) if proposes else (),
        notes=(_outcome(decision, knowledge, proposes), *_unknown(evaluation, knowledge)),
    )


def _actions(decision: Decision, knowledge: Knowledge) -> Iterator[ProposedAction]:
    """Each recommendation, in the order of the assessment."""
    texts = ActionTexts(decision, knowledge)
    suggestions = Suggestions(decision, knowledge, Call("", "", subject_of(decision.record.patient)))
    for made in decision.recommendations:
        rows = [row for name in made.because if (row := knowledge.table.row(name))]
        yield ProposedAction(
            id=made.id,
            title=capital(action_name(made.id, made.urgency, knowledge.wording)),
            text=texts.of(made),
            why=knowledge.apply.say("because", reasons="; ".join(row.label for row in rows)),
            urgency=made.urgency,
            orders=tuple(_orders(suggestions, made)),
            evidence=tuple(_evidence(rows, knowledge)),
        )


def _orders(suggestions: Suggestions, made: Recommendation) -> Iterator[dict[str, Any]]:
    for suggestion in suggestions.orders_of(made):
        yield from (action["resource"] for action in suggestion["actions"])


def _evidence(rows: Iterable[Row], knowledge: Knowledge) -> Iterator[Evidence]:
    """The claims and anchors of those rows, each once."""
    notes = {
        name: knowledge.apply.say("display", reading=support.reading, note=support.note)
        for row in rows
        for support in row.support
        for name in support.ids
    }
    for name, note in notes.items():
        known = knowledge.claims.get(name)
        if isinstance(known, Anchor):
            yield Evidence("justification", name, note, known.says, known.url)
        elif known is not None:
            yield Evidence("citation", name, note, known.says)


def _outcome(decision: Decision, knowledge: Knowledge, proposes: bool) -> str:
    say, version = knowledge.apply.say, knowledge.version
    if not decision.open:
        reason = knowledge.wording.say(f"gate.{decision.gate}")
        return say("closed", reason=reason, version=version)
    return say("level" if proposes else "withheld", level=decision.level, version=version)


def _unknown(evaluation: Evaluation, knowledge: Knowledge) -> Iterator[str]:
    """What was not supplied, not understood, or has a code that is not known."""
    record, say = evaluation.decision.record, knowledge.apply.say
    if record.not_seen:
        yield say("not_seen", names=", ".join(record.not_seen))
    for note in record.not_understood:
        place = note.expression if note.expression == note.reference else None
        places = [note.reference, *([note.expression] if note.expression and place is None else [])]
        yield say("not_understood", place=", ".join(map(escaped, places)), why=note.why)
    for row in evaluation.unknown.rows() if evaluation.unknown else ():
        words = [row[member] for member in ("system", "code", "text") if member in row]
        yield say("unknown_code", code=escaped(" ".join(words)), count=row["count"])
