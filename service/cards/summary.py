"""The one line that a clinician reads first: what was found, then what is recommended."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.terminology import Terminology
from service.cards.facets import joined, site_label
from service.decision import Decision
from service.decision.facts import days_between
from service.decision.outcome import RANK
from service.decision.standing import abnormal_result
from service.decision.table import Table
from service.knowledge.wording import Wording

LIMIT = 140


class SummaryTooLong(ValueError):
    """No form of the summary fits: an error in the wording, never a reason to cut."""


def summary_of(decision: Decision, table: Table, terminology: Terminology, wording: Wording) -> str:
    """Plain text under 140 characters. Raises SummaryTooLong."""
    found = _found(decision, table, terminology, wording)
    todo = _todo(decision, wording)
    for places in _heads(decision, wording):
        for phrases in range(min(len(found), 3), -1, -1):
            for actions in todo:
                text = f"{joined([*places, *found[:phrases]])}: {actions}."
                if len(text) < LIMIT and (phrases or not found or phrases == len(found)):
                    return text
    raise SummaryTooLong("no form of the summary is under 140 characters: shorten wording.yaml")


def _heads(decision: Decision, wording: Wording) -> Iterator[list[str]]:
    """From the fullest to the shortest: twitching, where, how long."""
    onset = decision.record.twitch.onset
    days = ""
    if onset.exact and onset.earliest is not None:
        days = wording.say("summary.days", days=days_between(onset.earliest, decision.record.as_of))
    twitch = wording.say("summary.twitch")
    yield [twitch, site_label(decision.record.twitch, wording), days]
    yield [twitch, days]
    yield [twitch]


def _found(
    decision: Decision, table: Table, terminology: Terminology, wording: Wording
) -> list[str]:
    phrases: dict[str, None] = {}
    ranked = sorted(decision.rows, key=lambda row: -RANK[row.level])
    for row in ranked:
        phrase = wording.maybe(f"found.{row.id}", abnormal=_abnormal(decision, table, terminology))
        if phrase and not (row.downgraded_when_tests_done and decision.record.twitch.onset.exact):
            phrases.setdefault(phrase)
    return list(phrases)


def _abnormal(decision: Decision, table: Table, terminology: Terminology) -> str:
    """What is out of range: "potassium 2.4 mmol/L"; the recorded disorder where no result says so."""
    result = abnormal_result(decision.record, table, table.electrolytes)
    if result is not None and len(result.text) < 12 and len(result.unit or "") < 12:
        label = terminology.analytes[result.analyte].label
        return f"{label} {result.text}{' ' + result.unit if result.unit else ''}"
    for disorder in table.disorders:
        if decision.facts.get(disorder.finding) in ("examined", "reported"):
            return terminology.findings[disorder.finding].label
    return "electrolyte out of range"


def _todo(decision: Decision, wording: Wording) -> list[str]:
    """What is recommended, from the fullest to the shortest list."""
    actions = [r for r in decision.recommendations if r.id != "self-care"]
    names = [
        (r.urgent and wording.maybe(f"actions.{r.id}.short_urgent"))
        or wording.say(f"actions.{r.id}.short")
        for r in sorted(actions, key=lambda r: not r.urgent)
    ]
    if names:
        return [joined(names[:count]) + (" …" if count < len(names) else "") for count in range(len(names), 0, -1)]
    kinds = {withheld.kind for withheld in decision.withheld}
    if "ordered" in kinds:
        return [wording.say("summary.pending")]
    if "act-on" in kinds or decision.fired("b12-low"):
        return [wording.say("summary.act_on")]
    if "done" in kinds:
        return [wording.say("summary.done")]
    if decision.fired("nothing-calls-for-tests") and decision.signs_known_absent:
        return [wording.say("summary.benign"), wording.say("summary.no_tests")]
    return [wording.say("summary.no_tests")]
