"""The decision table as a plan: one action for each recommendation and urgency, on the library's word."""

from __future__ import annotations

from collections.abc import Iterator

from service.care_plan import PLAN
from service.decision.table import STUDY, Action, Row, RowAction, Support
from service.knowledge import Knowledge
from service.knowledge.claims import Claim
from service.knowledge.rules_in_words import short_of
from tools.artifacts.plan import Plan, Source, Step
from tools.artifacts.publication import Say
from tools.cql.rows import Rows, recommends

LIBRARY = "fasciculation-decision"
# Kinds of cards that are the whole work-up; the others speak of an order, or of what is open.
_WORK_UP = frozenset({"work-up", "new-problem"})


def plan_of(knowledge: Knowledge, rows: Rows, say: Say) -> Plan:
    """The whole table as one plan. rows: of the library whose definitions are its conditions."""
    return Plan(
        id=PLAN,
        title=say("plan.title"),
        description=say("plan.description"),
        purpose=say("plan.purpose"),
        usage=say("plan.usage"),
        library=LIBRARY,
        documents=tuple(
            Source(
                "derived-from",
                document.id,
                document.title,
                say("plan.document", title=document.title, sha256=document.sha256),
            )
            for document in knowledge.claims.documents.values()
        ),
        steps=tuple(_step(action, urgency, knowledge, say) for action, urgency in rows.possible()),
    )


def tests_of(action: Action) -> tuple[str, ...]:
    """What is ordered for the action, as a card does: its analytes, else its first study, else itself.

    A study that shows that a referral was answered is not ordered.
    """
    return action.analytes or (action.studies[:1] if action.order == STUDY else ()) or (action.id,)


def _step(name: str, urgency: str, knowledge: Knowledge, say: Say) -> Step:
    action = knowledge.table.actions[name]
    tests = [test for test in tests_of(action) if test in knowledge.templates.orders]
    asking = [row for row in knowledge.table.rows if _asks(row, name, urgency)]
    several = len(tests) > 1
    labels = ", ".join(knowledge.terminology.analytes[one].label for one in action.analytes)
    return Step(
        id=f"{name}.{urgency}",
        title=short_of(knowledge.wording, name, urgency),
        says=knowledge.wording.say(f"actions.{name}.says", analytes=labels),
        condition=(recommends(name, urgency), say("plan.recommended", urgency=say(f"plan.{urgency}"))),
        urgency=urgency,
        reasons=tuple(row.label for row in asking),
        sources=tuple(dict.fromkeys(s for row in asking for s in _sources(row, knowledge, say))),
        triggers=tuple(dict.fromkeys(h["hook"] for h in knowledge.hooks if h["cards"] in _WORK_UP)),
        definition=None if several or not tests else tests[0],
        steps=tuple(
            Step(
                id=f"{name}.{urgency}.{test}",
                title=knowledge.terminology.analytes[test].label,
                condition=(recommends(name, urgency, test), say("plan.missing")),
                definition=test,
            )
            for test in tests
            if several
        ),
    )


def _asks(row: Row, action: str, urgency: str) -> bool:
    asked: tuple[RowAction, ...] = row.actions
    return any((one.id, one.urgency) == (action, urgency) for one in asked)


def _sources(row: Row, knowledge: Knowledge, say: Say) -> Iterator[Source]:
    for support in row.support:
        yield from _cited(support, knowledge, say)


def _cited(support: Support, knowledge: Knowledge, say: Say) -> Iterator[Source]:
    """Claims are cited with their place and hash; the documents' sentences are not copied."""
    for name in support.ids:
        known = knowledge.claims.get(name)
        display = f"{support.reading}: {support.note}"
        if isinstance(known, Claim):
            place = say(
                "plan.place",
                title=knowledge.claims.documents[known.document].title,
                heading=known.heading,
                sentences=", ".join(str(number) for number in known.sentences),
                sha256=known.sha256,
            )
            yield Source("citation", name, display, say("plan.source", says=known.says, source=place))
        elif known is not None:
            citation = say("plan.source", says=known.says, source=known.source)
            yield Source("justification", name, display, citation, known.url)
