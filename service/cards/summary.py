"""The one line that a clinician reads first: what was found, then what is recommended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from service.cards.facets import capital, joined, site_label
from service.cards.phrases import phrases_of
from service.decision import Decision
from service.decision.facts import days_between
from service.decision.on_file import abnormal_result
from service.decision.questions import foremost
from service.decision.table import ADVICE, RowRole
from service.knowledge import Knowledge
from service.knowledge.wording import Wording

LIMIT = 140


class SummaryTooLong(ValueError):
    """No form of the summary fits: an error in the wording, never a reason to cut."""


def summary_of(decision: Decision, knowledge: Knowledge) -> str:
    """Plain text under 140 characters. Raises SummaryTooLong."""
    wording = knowledge.wording
    found = found_of(decision, knowledge)
    todo = _todo(decision, knowledge)
    heads = _heads(decision, wording)
    at_least = 1 if found else 0
    ends = [""]
    if decision.signs_known_absent:
        ends.insert(0, wording.say("summary.no_signs"))
    for phrases in range(min(len(found), 3), at_least - 1, -1):
        for places in heads:
            head = joined([*places, *found[:phrases]])
            for actions in todo:
                for end in ends:
                    text = f"{head}{end}: {actions}."
                    if len(text) < LIMIT:
                        return text
    raise SummaryTooLong("no form of the summary is under 140 characters: shorten wording.yaml")


def fitting(parts: Sequence[Sequence[str]]) -> str:
    """One sentence of the parts under 140 characters. Each part: its forms, from the fullest to the shortest.

    As few as can be are shortened, the later ones first; at last the last parts are left out. Raises
    SummaryTooLong.
    """
    said = [part for part in parts if part]
    choices = product(*(range(len(part)) for part in said))
    for choice in sorted(choices, key=lambda forms: (sum(forms), forms)):
        text = _sentence(part[form] for part, form in zip(said, choice, strict=True))
        if len(text) < LIMIT:
            return text
    for count in range(len(said) - 1, 0, -1):
        text = _sentence(part[-1] for part in said[:count])
        if len(text) < LIMIT:
            return text
    raise SummaryTooLong("no form of the summary is under 140 characters: shorten wording.yaml")


def _sentence(parts: Iterable[str]) -> str:
    return capital("; ".join(part for part in parts if part)) + "."


def _heads(decision: Decision, wording: Wording) -> list[list[str]]:
    """From the fullest to the shortest: twitching, where, how long."""
    onset = decision.record.twitch.onset
    days = ""
    if onset.exact and onset.earliest is not None:
        days = wording.say("summary.days", days=days_between(onset.earliest, decision.record.as_of))
    twitch = wording.say("summary.twitch")
    return [[twitch, site_label(decision.record.twitch, wording), days], [twitch, days], [twitch]]


def found_of(decision: Decision, knowledge: Knowledge) -> tuple[str, ...]:
    """The phrases of the fired rows, the worst first."""
    phrases = phrases_of(knowledge)
    rows = tuple(row.id for row in decision.rows)
    if phrases.naming_results.isdisjoint(rows):
        return phrases.found(rows)
    return phrases.found_with(_abnormal(decision, knowledge), rows)


def _abnormal(decision: Decision, knowledge: Knowledge) -> str:
    """What is out of range: "potassium 2.4 mmol/L"; the recorded disorder where no result says so."""
    table, terminology = knowledge.table, knowledge.terminology
    result = abnormal_result(decision.record, table, table.electrolytes)
    if result is not None and len(result.text) < 12 and len(result.unit or "") < 12:
        label = terminology.analytes[result.analyte].label
        return f"{label} {result.text}{' ' + result.unit if result.unit else ''}"
    for disorder in table.disorders:
        if decision.facts.get(disorder.finding) in ("examined", "reported"):
            return terminology.findings[disorder.finding].label
    return "electrolyte out of range"


def _todo(decision: Decision, knowledge: Knowledge) -> Sequence[str]:
    """What is recommended: every action by name, and a shorter form in which blood tests are one phrase."""
    terminology, wording = knowledge.terminology, knowledge.wording
    actions = knowledge.table.actions
    wanted = tuple(
        (made.id, made.urgent) for made in decision.recommendations if actions[made.id].kind != ADVICE
    )
    if wanted:
        return phrases_of(knowledge).to_do(wanted)
    kinds = {withheld.kind for withheld in decision.withheld}
    if "ordered" in kinds:
        return [wording.say("summary.pending")]
    if "act-on" in kinds or decision.has(RowRole.TREAT_B12):
        return [wording.say("summary.act_on")]
    if "done" in kinds:
        return [wording.say("summary.done")]
    if decision.benign:
        return [wording.say("summary.benign"), wording.say("summary.no_tests")]
    first = foremost(decision.questions, knowledge.table.thresholds.at_most_questions)
    asked = [wording.maybe(f"question.name_{q.id}") or terminology.findings[q.id].label for q in first]
    return [
        wording.say("summary.no_tests") + wording.say("summary.unknowns", unknowns=joined(asked[:count]))
        for count in range(len(asked), 0, -1)
    ] + [wording.say("summary.no_tests")]
