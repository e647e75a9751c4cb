"""The decision table as a plan: one step for each row, and within it what the row asks for."""

from __future__ import annotations

from collections.abc import Iterator

from service.decision.table import (
    CALM,
    PRESENT,
    ROUTINE,
    STUDY,
    TRUE,
    UNTIL_DONE,
    Action,
    ActionRole,
    Advice,
    All,
    AnyOf,
    Condition,
    Leaf,
    Not,
    Row,
    RowAction,
    Support,
    variables,
)
from service.knowledge import Knowledge
from service.knowledge.claims import Claim
from service.knowledge.rules_in_words import Rules, short_of
from tools.artifacts.conditions import fhirpath_of
from tools.artifacts.facts import GATE, inputs_of
from tools.artifacts.plan import Plan, Rule, Source, Step
from tools.artifacts.publication import Say

PLAN = "fasciculation-work-up"
LIBRARY = "fasciculation-facts"
# Kinds of cards that are the whole work-up; the others speak of an order, or of what is open.
_WORK_UP = frozenset({"work-up", "new-problem"})
# The decision answers nothing before it.
OPEN = Leaf(GATE, frozenset({"open"}))
_CHILD = Leaf("child-age", frozenset({TRUE}))


def plan_of(knowledge: Knowledge, say: Say) -> Plan:
    """The whole table as one plan."""
    removals = "".join(
        f"\n* {removal.says} ({', '.join(removal.claims)})" for removal in knowledge.table.removals
    )
    return Plan(
        id=PLAN,
        title=say("plan.title"),
        description=f"{say('plan.description')}\n\n{say('plan.removals')}\n{removals}",
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
        steps=tuple(_row_step(row, knowledge, say) for row in knowledge.table.rows),
    )


def variables_of(knowledge: Knowledge) -> frozenset[str]:
    """Every fact that a condition of the plan reads."""
    table = knowledge.table
    conditions: list[Condition] = [OPEN, _CHILD, *(row.when for row in table.rows)]
    conditions += [action.when for row in table.rows for action in row.actions if action.when]
    conditions += [_advised(advice, knowledge) for advice in table.self_care]
    return frozenset(name for condition in conditions for name in variables(condition))


def _rule(condition: Condition, knowledge: Knowledge) -> Rule:
    """The condition for an engine, and for a reader in the words of the pages."""
    words = Rules(knowledge.pages, knowledge.terminology).rule(condition)
    return Rule(fhirpath_of(condition), words.sentence())


def _row_step(row: Row, knowledge: Knowledge, say: Say) -> Step:
    rule = _rule(row.when, knowledge)
    says = say("plan.row", rule=rule.says, level=row.level)
    if row.level in (CALM, UNTIL_DONE):
        says += f" {say('plan.calm' if row.level == CALM else 'plan.until_done')}"
    asked = list(row.actions)
    read = variables(row.when).union(*(variables(a.when) for a in asked if a.when), variables(OPEN))
    return Step(
        id=row.id,
        title=row.label,
        says=says,
        level=row.level,
        rules=(Rule(fhirpath_of(OPEN), say("facts.open")), rule),
        inputs=inputs_of(read, knowledge),
        sources=tuple(source for support in row.support for source in _sources(support, knowledge, say)),
        triggers=tuple(dict.fromkeys(h["hook"] for h in knowledge.hooks if h["cards"] in _WORK_UP)),
        steps=tuple(_action_step(row, action, knowledge, say) for action in asked),
    )


def _action_step(row: Row, asked: RowAction, knowledge: Knowledge, say: Say) -> Step:
    """What a row asks for: one order, or an order for each analyte."""
    action = knowledge.table.actions[asked.id]
    place = f"{row.id}.{action.id}"
    tests = [test for test in tests_of(action) if test in knowledge.templates.orders]
    several = len(tests) > 1
    return Step(
        id=place,
        title=_title(asked, action, knowledge),
        says=_needless(row, asked, action, knowledge, say),
        urgency=asked.urgency,
        rules=tuple(_limits(asked, action, knowledge)),
        definition=None if several or not tests else tests[0],
        steps=tuple(
            Step(
                f"{place}.{test}",
                knowledge.terminology.analytes[test].label,
                urgency=asked.urgency,
                definition=test,
            )
            for test in tests
            if several
        )
        or tuple(_advice_steps(place, action, knowledge)),
    )


def tests_of(action: Action) -> tuple[str, ...]:
    """What is ordered for the action, as a card does: its analytes, else its first study, else itself.

    A study that shows that a referral was answered is not ordered.
    """
    return action.analytes or (action.studies[:1] if action.order == STUDY else ()) or (action.id,)


def _title(asked: RowAction, action: Action, knowledge: Knowledge) -> str:
    return short_of(knowledge.wording, action.id, asked.urgency)


def _needless(row: Row, asked: RowAction, action: Action, knowledge: Knowledge, say: Say) -> str:
    """What makes the order needless, in words: results, studies and orders are no facts of the conditions."""
    limits = knowledge.table.thresholds
    applies = {
        "done": action.done_days is not None,
        "since_start": action.done_days is not None and bool(row.drug_classes),
        "calm": action.done_days is not None and row.level == CALM,
        "repeat_abnormal": action.repeat_abnormal,
        "study": bool(action.studies),
        "ordered": action.ordered_days is not None and asked.urgency == ROUTINE,
        "ordered_urgent": action.ordered_days is not None and asked.urgency != ROUTINE,
    }
    return " ".join(
        say(
            f"needless.{name}",
            done_days=action.done_days,
            ordered_days=action.ordered_days,
            study_days=limits.study_days,
            calm_test_days=limits.calm_test_days,
        )
        for name, does in applies.items()
        if does
    )


def _limits(asked: RowAction, action: Action, knowledge: Knowledge) -> Iterator[Rule]:
    if asked.when is not None:
        yield _rule(asked.when, knowledge)
    if action.withheld_from_child:
        yield _rule(Not(_CHILD), knowledge)


def _advice_steps(place: str, action: Action, knowledge: Knowledge) -> Iterator[Step]:
    if ActionRole.SELF_CARE not in action.roles:
        return
    for advice in knowledge.table.self_care:
        condition = _advised(advice, knowledge)
        yield Step(
            id=f"{place}.{advice.id}",
            title=knowledge.wording.say(f"self_care.advice.{advice.id}"),
            rules=(_rule(condition, knowledge),),
            inputs=inputs_of(variables(condition), knowledge),
        )


def _advised(advice: Advice, knowledge: Knowledge) -> Condition:
    """When the advice is given: for its trigger; without one, where no other is given."""
    if advice.trigger is None:
        others = [_advised(one, knowledge) for one in knowledge.table.self_care if one.trigger]
        return Not(AnyOf(tuple(others)))
    recorded = Leaf(advice.trigger, PRESENT)
    return All((recorded, Not(advice.withheld_when))) if advice.withheld_when else recorded


def _sources(support: Support, knowledge: Knowledge, say: Say) -> Iterator[Source]:
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
