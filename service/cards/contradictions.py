"""A problem that is put on the list although an examination disagrees: a line of the work-up card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fhir_mappings.record import Basis, Finding, Status
from service.cards.card import Situation
from service.cards.fitting import LIMIT_CHARACTERS, fitting
from service.cards.spans import day_month
from service.cards.text import capital, counted, finding_name, small, twitch_for
from service.cards.to_do import Line
from service.decision.table import ROUTINE, ActionRole

_OPPOSITE = {Status.PRESENT: Status.ABSENT, Status.ABSENT: Status.PRESENT}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A finding whose new entry says one thing and an examination another. day: of the examination."""

    finding: str
    listed: Status
    day: date


def contradictions(situation: Situation) -> tuple[Contradiction, ...]:
    """The new entries that contradict an examination on file; none where the gate is closed."""
    if not situation.decision.open:
        return ()
    before = situation.before().record
    return tuple(
        found
        for finding in situation.decision.record.findings.values()
        if (found := _contradicted(finding, before.finding(finding.id), before.as_of))
    )


def contradiction_line(found: Sequence[Contradiction], situation: Situation) -> Line:
    """The line that names them, before any test."""
    texts = [_said(found, situation, most) for most in (3, 1)]
    full, brief = (situation.knowledge.wording.say("open_ends.contradicts_says", says=text) for text in texts)
    least = situation.knowledge.wording.say("open_ends.contradicts_least", says=_listed(found, situation))
    return Line(ROUTINE, full, brief, frozenset(one.finding for one in found), least)


def with_contradiction(summary: str, found: Sequence[Contradiction], situation: Situation) -> str:
    """The summary, and what is in doubt where there is room; that alone where nothing else is to be done."""
    decision, wording = situation.decision, situation.knowledge.wording
    listed = _listed(found, situation)
    if not any(made for made in decision.recommendations if not _is_advice(made.id, situation)):
        twitch = twitch_for(decision.record.twitch, decision.record.as_of, wording)
        forms = [_said(found, situation, most) for most in (3, 1)]
        return fitting([(*forms, listed), (twitch, "")])
    text = f"{summary} {capital(listed)}." if summary.endswith("?") else f"{summary.rstrip('.')}; {listed}."
    return text if len(text) < LIMIT_CHARACTERS else summary


def _is_advice(action: str, situation: Situation) -> bool:
    return ActionRole.SELF_CARE in situation.knowledge.table.actions[action].roles


def _said(found: Sequence[Contradiction], situation: Situation, most: int) -> str:
    """Weakness, wasting and 2 more put on the problem list, but examination found none 24 Nov: settle it."""
    wording, as_of = situation.knowledge.wording, situation.decision.record.as_of
    texts: list[str] = []
    for listed in Status:
        group = [one for one in found if one.listed is listed]
        if group:
            names = counted([_name(one, situation) for one in group], most, wording)
            day = day_month(max(one.day for one in group), as_of, wording)
            text = wording.say(f"open_ends.contradicts_{listed.value}", findings=names, date=day)
            texts.append(small(text) if texts else capital(text))
    return "; ".join(texts)


def _listed(found: Sequence[Contradiction], situation: Situation) -> str:
    """weakness listed, none found: for the summary."""
    first = found[0]
    names = counted(
        [_name(one, situation) for one in found if one.listed is first.listed], 1, situation.knowledge.wording
    )
    return situation.knowledge.wording.say(
        f"open_ends.contradicts_{first.listed.value}_short", findings=names
    )


def _name(one: Contradiction, situation: Situation) -> str:
    return small(finding_name(one.finding, situation.knowledge.terminology, situation.knowledge.wording))


def _contradicted(now: Finding, before: Finding, as_of: date) -> Contradiction | None:
    """An entry that an examination contradicts. A sign that is listed after an older one may be new."""
    old = {(evidence.reference, evidence.expression) for evidence in before.evidence}
    examined = _examined(before)
    for entry in now.evidence:
        opposite = _OPPOSITE.get(entry.status)
        if opposite is None or entry.history or (entry.reference, entry.expression) in old:
            continue
        day = examined.get(opposite)
        if day is None:
            continue
        # What was found does not end by being refuted: only a later examination ends it.
        refuted = entry.status is Status.ABSENT and day >= examined.get(entry.status, day)
        if refuted or day >= (entry.day or as_of):
            return Contradiction(now.id, entry.status, day)
    return None


def _examined(finding: Finding) -> dict[Status, date]:
    """Status -> the newest day on which an examination found it."""
    newest: dict[Status, date] = {}
    for one in finding.evidence:
        if one.day is not None and one.basis is Basis.EXAMINED and not one.history:
            newest[one.status] = max(one.day, newest.get(one.status, one.day))
    return newest
