"""The promises of section 7, each as a check of one decision or of two that differ by one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fhir_mappings.record import Record
from service.decision.facts import facts_of
from service.decision.on_file import FiledTests
from service.decision.outcome import outcome_of
from service.decision.recommendations import RANK, URGENCY_RANK, Outcome
from service.decision.table import REFERRAL, ROUTINE, ActionRole, RowRole, Table


@dataclass(frozen=True, slots=True)
class Decided:
    """An outcome, and what is left to compare of it: level, and the urgency of what was asked for."""

    outcome: Outcome
    asked: Mapping[str, int]
    # Acts on results and orders that answer something: the level may fall where they are on file.
    answered: bool


def decided(record: Record, table: Table) -> Decided:
    """The outcome of that record; raises what the decision raises: it is total."""
    facts = facts_of(record, table)
    outcome = outcome_of(FiledTests(record, table, facts), facts)
    asked = {made.id: URGENCY_RANK[made.urgency] for made in outcome.recommendations}
    for withheld in outcome.withheld:
        asked[withheld.id] = max(asked.get(withheld.id, 0), URGENCY_RANK[withheld.urgency])
    return Decided(outcome, asked, any(w.why in ("done", "ordered", "seen") for w in outcome.withheld))


def broken_promises(found: Decided, table: Table) -> Iterator[str]:
    """What one decision breaks."""
    outcome = found.outcome
    urgent = [made for made in outcome.recommendations if made.urgency != ROUTINE and not made.in_hand]
    if (outcome.level == "critical") is not bool(urgent):
        yield "critical if, and only if, an urgent action is not ordered yet"
    made = [recommendation.id for recommendation in outcome.recommendations]
    if len(set(made)) != len(made):
        yield "an action is recommended twice"
    rows = {row.id for row in outcome.rows}
    if any(not set(r.because) <= rows or not r.because for r in outcome.recommendations):
        yield "an action without a row that fired"
    roles = {role for row in outcome.rows for role in row.roles}
    if roles & {RowRole.BENIGN, RowRole.NOTHING} and outcome.level != "info":
        yield "benign, or nothing calls for tests, above level info"
    if RowRole.NOTHING in roles and any(table.actions[name].is_test for name in made):
        yield "nothing calls for tests, and a test is recommended"
    if RowRole.BENIGN in roles and RowRole.EXCLUDE_DISEASE in roles:
        yield "benign beside a disease to be excluded"
    care = table.action_for(ActionRole.SELF_CARE).id
    if care in made and outcome.level != "info":
        yield "self-care above level info"


def lost_by_danger(less: Decided, more: Decided, table: Table) -> Iterator[str]:
    """What is lost by a step to something more dangerous: the level, a test, a referral or its urgency."""
    if RANK[more.outcome.level] < RANK[less.outcome.level] and not more.answered:
        yield f"the level falls from {less.outcome.level} to {more.outcome.level}"
    for name, urgency in less.asked.items():
        action = table.actions[name]
        if not (action.is_test or action.order == REFERRAL or ActionRole.EMERGENCY in action.roles):
            continue
        if name not in more.asked:
            yield f"{name} is lost"
        elif more.asked[name] < urgency and not more.answered:
            yield f"{name} becomes less urgent"
