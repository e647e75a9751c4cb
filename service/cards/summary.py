"""The summary of a card: what was found, then what is recommended, in under 140 characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, product

from service.cards.text import Questions, action_name, capital, joined, site_label
from service.decision import Decision, Recommendation
from service.decision.facts import days_between
from service.decision.on_file import abnormal_result
from service.decision.outcome import RANK
from service.decision.table import ADVICE, EXAMINED, REPORTED, Row, RowRole
from service.knowledge import Knowledge

# CDS Hooks: "under 140 characters".
_LIMIT_CHARACTERS = 140
_LONGEST_VALUE_CHARACTERS = 12
_MOST_PHRASES = 3


class SummaryTooLong(ValueError):
    """No form of the summary fits: an error in the wording, never a reason to cut."""

    def __init__(self) -> None:
        super().__init__("no form of the summary is under 140 characters: shorten wording.yaml")


def summary_of(decision: Decision, knowledge: Knowledge) -> str:
    """Plain text: twitching, where, how long, the worst rows; then what to do.

    Raises:
        SummaryTooLong: even the shortest form is too long.
    """
    phrases = row_phrases(decision.rows, decision, knowledge)
    to_do = _to_do(decision, knowledge)
    heads = _heads(decision, knowledge)
    ends = [knowledge.wording.say("summary.no_signs"), ""] if decision.signs_known_absent else [""]
    at_least = 1 if phrases else 0
    for count in range(len(phrases), at_least - 1, -1):
        for places in heads:
            head = joined([*places, *phrases[:count]])
            for actions in to_do:
                for end in ends:
                    text = f"{head}{end}: {actions}."
                    if len(text) < _LIMIT_CHARACTERS:
                        return text
    raise SummaryTooLong


def fitting(parts: Sequence[Sequence[str]]) -> str:
    """One sentence of the parts under 140 characters.

    As few parts as possible are shortened, the later ones first; if that does not suffice, the last parts are
    left out.

    Args:
        parts: for each part its forms, from the fullest to the shortest.

    Raises:
        SummaryTooLong: even the shortest form of the first part is too long.
    """
    parts = [part for part in parts if part]
    choices = product(*(range(len(part)) for part in parts))
    for choice in sorted(choices, key=lambda forms: (sum(forms), forms)):
        text = _sentence(part[form] for part, form in zip(parts, choice, strict=True))
        if len(text) < _LIMIT_CHARACTERS:
            return text
    for count in range(len(parts) - 1, 0, -1):
        text = _sentence(part[-1] for part in parts[:count])
        if len(text) < _LIMIT_CHARACTERS:
            return text
    raise SummaryTooLong


def _sentence(parts: Iterable[str]) -> str:
    return capital("; ".join(part for part in parts if part)) + "."


def row_phrases(rows: Iterable[Row], decision: Decision, knowledge: Knowledge) -> list[str]:
    """The first phrases of those rows, the worst first; a result that one names is the decision's."""
    texts = knowledge.wording.texts
    ranked = sorted(rows, key=lambda row: -RANK[row.level])
    phrases = dict.fromkeys(texts.get(f"found.{row.id}", "") for row in ranked)
    abnormal = ""
    if any("{abnormal}" in phrase for phrase in phrases):
        abnormal = _abnormal(decision, knowledge)
    phrases = dict.fromkeys(phrase.format(abnormal=abnormal) for phrase in phrases if phrase)
    # "weakness" adds nothing to "weakness and wasting, worsening".
    words = {phrase: set(phrase.replace(",", "").split()) for phrase in phrases}
    whole = (p for p in phrases if not any(words[p] < other for other in words.values()))
    return list(islice(whole, _MOST_PHRASES))


def _heads(decision: Decision, knowledge: Knowledge) -> list[list[str]]:
    """From the fullest to the shortest: twitching, where, how long."""
    say, twitch = knowledge.wording.say, decision.record.twitch
    days = ""
    if twitch.onset.exact and twitch.onset.earliest is not None:
        days = say("summary.days", days=days_between(twitch.onset.earliest, decision.record.as_of))
    name = say("summary.twitch")
    return [[name, site_label(twitch, knowledge.wording), days], [name, days], [name]]


def _abnormal(decision: Decision, knowledge: Knowledge) -> str:
    """What is out of range: "potassium 2.4 mmol/L"; the recorded disorder where no result says so."""
    table, terminology = knowledge.table, knowledge.terminology
    result = abnormal_result(decision.record, table, table.electrolytes)
    if result is not None and max(len(result.text), len(result.unit or "")) < _LONGEST_VALUE_CHARACTERS:
        label = terminology.analytes[result.analyte].label
        return f"{label} {result.text}{' ' + result.unit if result.unit else ''}"
    for disorder in table.disorders:
        if decision.facts.get(disorder.finding) in (EXAMINED, REPORTED):
            return terminology.findings[disorder.finding].label
    return "electrolyte out of range"


def _to_do(decision: Decision, knowledge: Knowledge) -> list[str]:
    """What is recommended, from the fullest form to the shortest."""
    say, actions = knowledge.wording.say, knowledge.table.actions
    wanted = [made for made in decision.recommendations if actions[made.id].kind != ADVICE]
    if wanted:
        return _recommended(wanted, knowledge)
    kinds = {withheld.kind for withheld in decision.withheld}
    if "ordered" in kinds:
        return [say("summary.pending")]
    if "act-on" in kinds or decision.has(RowRole.TREAT_B12):
        return [say("summary.act_on")]
    if "done" in kinds:
        return [say("summary.done")]
    no_tests = say("summary.no_tests")
    if decision.benign:
        return [say("summary.benign"), no_tests]
    questions = Questions(decision, knowledge)
    asked = [questions.name(question) for question in questions.first]
    return [
        no_tests + say("summary.unknowns", unknowns=joined(asked[:count]))
        for count in range(len(asked), 0, -1)
    ] + [no_tests]


def _recommended(wanted: list[Recommendation], knowledge: Knowledge) -> list[str]:
    """The urgent ones first: every action by name, and shorter with blood tests as one phrase."""
    ranked = sorted(wanted, key=lambda made: not made.urgent)
    blood = [made for made in ranked if knowledge.table.actions[made.id].kind == "blood"]
    today = any(made.urgent for made in blood)
    tests = knowledge.wording.say("summary.blood_today" if today else "summary.blood")
    names = [action_name(made.id, made.urgent, knowledge.wording) for made in ranked]
    short = [tests if made in blood else name for name, made in zip(names, ranked, strict=True)]
    return [joined(names), joined(short)]
