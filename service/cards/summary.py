"""The one line that a clinician reads first: what was found, then what is recommended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from fhir_mappings.terminology import Terminology
from service.cards.facets import capital, joined, site_label
from service.decision import Decision, Recommendation
from service.decision.facts import days_between
from service.decision.outcome import RANK
from service.decision.questions import foremost
from service.decision.standing import abnormal_result
from service.decision.table import Table
from service.knowledge.wording import Wording

LIMIT = 140


class SummaryTooLong(ValueError):
    """No form of the summary fits: an error in the wording, never a reason to cut."""


def summary_of(decision: Decision, table: Table, terminology: Terminology, wording: Wording) -> str:
    """Plain text under 140 characters. Raises SummaryTooLong."""
    found = found_of(decision, table, terminology, wording)
    todo = _todo(decision, table, terminology, wording)
    at_least = 1 if found else 0
    ends = [""]
    if decision.signs_known_absent:
        ends.insert(0, wording.say("summary.no_signs"))
    for phrases in range(min(len(found), 3), at_least - 1, -1):
        for places in _heads(decision, wording):
            for actions in todo:
                for end in ends:
                    text = f"{joined([*places, *found[:phrases]])}{end}: {actions}."
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


def found_of(decision: Decision, table: Table, terminology: Terminology, wording: Wording) -> list[str]:
    """The phrases of the fired rows, the worst first."""
    phrases: dict[str, None] = {}
    abnormal = _abnormal(decision, table, terminology)
    ranked = sorted(decision.rows, key=lambda row: -RANK[row.level])
    for row in ranked:
        phrase = wording.maybe(f"found.{row.id}", abnormal=abnormal)
        if phrase:
            phrases.setdefault(phrase)
    # "weakness" says nothing beside "weakness and wasting, worsening".
    words = {phrase: set(phrase.replace(",", "").split()) for phrase in phrases}
    return [p for p in phrases if not any(words[p] < words[other] for other in phrases)]


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


def _todo(decision: Decision, table: Table, terminology: Terminology, wording: Wording) -> list[str]:
    """What is recommended: every action by name, and a shorter form in which blood tests are one phrase."""
    actions = sorted((r for r in decision.recommendations if r.id != "self-care"), key=lambda r: not r.urgent)
    if actions:
        names = [short_name(r, wording) for r in actions]
        blood = [r for r in actions if table.actions[r.id].kind == "blood"]
        one = wording.say("summary.blood_today" if any(r.urgent for r in blood) else "summary.blood")
        brief = [one if r in blood else short_name(r, wording) for r in actions]
        return [joined(names), joined(brief)]
    kinds = {withheld.kind for withheld in decision.withheld}
    if "ordered" in kinds:
        return [wording.say("summary.pending")]
    if "act-on" in kinds or decision.fired("b12-low"):
        return [wording.say("summary.act_on")]
    if "done" in kinds:
        return [wording.say("summary.done")]
    if decision.benign:
        return [wording.say("summary.benign"), wording.say("summary.no_tests")]
    first = foremost(decision.questions, table.thresholds.at_most_questions)
    asked = [wording.maybe(f"question.name_{q.id}") or terminology.findings[q.id].label for q in first]
    return [
        wording.say("summary.no_tests") + wording.say("summary.unknowns", unknowns=joined(asked[:count]))
        for count in range(len(asked), 0, -1)
    ] + [wording.say("summary.no_tests")]


def short_name(recommendation: Recommendation, wording: Wording) -> str:
    """EMG; urgent neurology referral."""
    place = f"actions.{recommendation.id}.short"
    urgent = wording.maybe(f"{place}_urgent") if recommendation.urgent else ""
    return urgent or wording.say(place)
