"""The detail of a card, in GitHub-flavoured Markdown: what to do and why, and below a rule the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property

from fhir_mappings.record import Basis, Status
from service.cards.card_status import CardStatus
from service.cards.evidence import EvidenceText
from service.cards.notes import notes_of
from service.cards.parts import Part, count_lines, fitted, sentence
from service.cards.reasons import Reason, Reasons
from service.cards.spans import age_of, day_month, lasting
from service.cards.text import capital, joined, small, twitch_for
from service.cards.to_do import Line, ToDo
from service.decision import Decision
from service.decision.result_facts import present
from service.decision.table import (
    ABSENT,
    EXAMINED,
    LISTED,
    PRESENT,
    REFERRAL,
    ROUTINE,
    TRUE,
    ActionRole,
    RowRole,
)
from service.knowledge import Knowledge

MOST_LINES = 30
RULE = "---"
_MOST_IN_FULL = 2
_HOLDS = PRESENT | {TRUE}


class Detail:
    """Writes the detail of one decision. first: comes before all that can wait; names: its findings."""

    def __init__(self, decision: Decision, knowledge: Knowledge, first: Line | None = None) -> None:
        self.first = first
        self.decision = decision
        self.record = decision.record
        self.as_of = decision.record.as_of
        self.knowledge = knowledge
        self.table = knowledge.table
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.to_do = ToDo(decision, knowledge)
        self.evidence = EvidenceText(decision, knowledge, self.to_do)
        self.reasons = Reasons(decision, knowledge)
        self.lines = self.to_do.lines()
        named = frozenset().union(*[line.names for line in self.lines])
        self.status = CardStatus(decision, knowledge, self.to_do, named)

    def markdown(self) -> str:
        """The whole detail."""
        above = self.above()
        below = self.evidence.blocks(MOST_LINES - count_lines(above) - 1)
        return "\n\n".join([*above, RULE, *below])

    def above(self) -> list[str]:
        """The blocks above the rule: at most 12 lines and 110 words."""
        return fitted(self._parts())

    def _parts(self) -> Iterator[Part]:
        urgent = [line for line in self.lines if line.urgency != ROUTINE]
        routine = [line for line in self.lines if line.urgency == ROUTINE]
        made = self._made()
        if made and not urgent:
            yield Part([[f"**{made}**" if self.to_do.made() else made]])
        yield Part([self._bold(form) for form in self.to_do.forms(urgent)], (2, 1, 0.5), True)
        yield Part([[made]] if made and urgent else [[]])
        yield Part([self._notices()])
        if self.first is not None:
            yield Part(
                [[sentence(self.first.full)], [sentence(self.first.brief)], [sentence(self.first.least)]],
                (3, 0.5),
                True,
            )
        yield Part(self._routine(routine), (6, 5, 5, 4, 4, 2), True)
        if not self.lines and not self.to_do.made():
            # "No tests needed" would belittle what is to be settled first.
            yield Part([[] if self.first else [self.status.text()]])
        elif self.status.abnormal():
            text = self.status.out_of_range({reason.key for reason in self._deciding})
            yield Part([[text] if text else [], []], (8,))
        if self._tests_for_paediatric_team():
            tested = any(self.table.actions[made.id].is_test for made in self.decision.recommendations)
            place = "paediatric_other_tests" if tested else "paediatric_tests"
            yield Part([[self.say(f"lead.{place}")], []], (8,))
        shown = [min(most, len(self._deciding)) for most in (10, 6, 4, 2, 1)]
        because = {most: [self.because(most)] for most in set(shown)}
        yield Part([*map(because.__getitem__, shown), []], (7, 4, 3, 1))
        asked = self.to_do.questions.on_card()
        questions = [[self._ask(asked, most)] if asked else [] for most in (4, 3, 2, 1)]
        yield Part([*questions, []], (6, 4, 2, 1))
        yield Part([[text] if text else [] for text in (self.self_care(9), self.self_care(2), "")], (9, 7))
        yield Part([list(filter(None, [self.come_back()]))])
        last = list(self._last())
        yield Part([last, list(self._last(brief=True))] if last else [[]], (0.5,))

    def _made(self) -> str:
        """What is urgent and ordered, and a referral that is made or seen, unless the status says it."""
        made = self.to_do.made()
        if not self.lines and not made:
            return ""
        text = "; ".join(filter(None, [*made, self.status.referral()]))
        return f"{capital(text)}." if text else ""

    def _bold(self, texts: Iterable[str]) -> list[str]:
        return [f"**{sentence(text)}**" for text in texts]

    def _routine(self, lines: list[Line]) -> list[list[str]]:
        """The forms of the routine actions: in full, briefly, several on one line, and by name alone."""
        brief = [line.brief for line in lines]
        forms = [[line.full for line in lines], brief]
        forms += [
            [*brief[:kept], self.to_do.briefly(lines[kept:])] for kept in (3, 2, 1) if len(lines) > kept + 1
        ]
        if len(lines) > 1:
            # The most dangerous result keeps its line, however much else there is.
            dangerous = next((place for place, line in enumerate(lines) if not line.results), len(lines))
            kept = range(min(dangerous, len(lines) - 1, _MOST_IN_FULL), 0, -1)
            forms += [[*brief[:count], self.to_do.by_name(count)] for count in kept]
            forms.append([self.to_do.by_name()])
        return [[sentence(text) for text in form] for form in forms]

    def _notices(self) -> list[str]:
        """What was not seen, where the gate rests on it; that only words opened it."""
        unseen = {"conditions", "findings"} & set(self.record.not_seen)
        notes = []
        if unseen:
            notes.append(self.say("lead.both_unseen" if len(unseen) > 1 else f"lead.{min(unseen)}"))
        if self.record.twitch.in_words:
            notes.append(self.say("lead.in_words"))
        return [" ".join(notes)] if notes else []

    def _tests_for_paediatric_team(self) -> bool:
        """Whether tests are left to the paediatric team, and a referral is due."""
        if "child" not in [withheld.why for withheld in self.decision.withheld]:
            return False
        return any(self.table.actions[made.id].order == REFERRAL for made in self.decision.recommendations)

    def because(self, most: int) -> str:
        """Because: weakness, wasting (examined 2026-06-15); worsening; hand twitch 4 months."""
        found = self._deciding
        age, *others = self._patient
        facts = [age, *_grouped(found[:most])]
        if len(found) > most:
            facts.append(self.say("lead.also", count=len(found) - most))
        text = "; ".join(filter(None, [*facts, *others]))
        return self.say("lead.because", facts=small(text, self.wording.eponyms))

    @cached_property
    def _deciding(self) -> list[Reason]:
        """The facts that decide and that no line of the actions names."""
        named = {name for line in self.lines for name in line.names}
        rows = [row for row in self.decision.rows if not row.last and RowRole.NAMED not in row.roles]
        return self.reasons.of(rows, named)

    @cached_property
    def _patient(self) -> tuple[str, str, str]:
        """The age of a child, the twitch and the examination."""
        child = self.decision.has(RowRole.CHILD)
        return (
            age_of(self.record.patient.born, self.as_of, self.wording) if child else "",
            twitch_for(self.record.twitch, self.as_of, self.wording),
            self._dated_examination(),
        )

    def examination(self) -> str:
        """examination normal; not examined yet; not fully examined; "" where a sign is recorded."""
        facts, twitch = self.decision.facts, self.record.twitch
        # "Normal" is said of the whole examination: not beside unsteadiness or spasticity either.
        if facts.get("tongue-site") == TRUE or not PRESENT.isdisjoint(
            map(facts.get, self.table.history_signs)
        ):
            return ""
        if self.decision.examined_normal:
            return self.say("summary.normal")
        if twitch.isolated_eyelid:
            return ""
        if ABSENT in map(facts.get, self.table.benign_signs):
            return self.say("summary.partly_examined")
        before = self._last_examined()
        if before is not None:
            day = day_month(before, self.as_of, self.wording)
            return self.say("summary.not_examined_since", date=day)
        known = lasting(twitch.onset, self.as_of, self.wording)
        return self.say("summary.not_examined_yet" if known else "summary.not_examined")

    def _last_examined(self) -> date | None:
        """The day of the last examination that is too old to count, or from before the twitch."""
        days = [
            evidence.day
            for sign in self.table.benign_signs
            for evidence in self.record.finding(sign).evidence
            if evidence.history and evidence.basis is Basis.EXAMINED and evidence.status is not Status.UNKNOWN
        ]
        return max(filter(None, days), default=None)

    def _dated_examination(self) -> str:
        """examination normal (2026-06-15)."""
        text = self.examination()
        days = [self.record.finding(sign).recorded for sign in self.table.benign_signs]
        known = [day for day in days if day is not None]
        return f"{text} ({min(known)})" if known and text and self.decision.examined_normal else text

    def _ask(self, asked: Sequence[str], most: int) -> str:
        questions = [capital(text) for text in asked[:most]]
        return self.say("lead.ask", questions=" ".join(questions))

    def self_care(self, most: int = 9) -> str:
        """Each as its own short sentence."""
        advice = [self.say(f"self_care.advice.{advice.id}") for advice in self.decision.self_care[:most]]
        if not advice:
            return ""
        return f"**{self.say('self_care.heading')}:** {' '.join([f'{capital(text)}.' for text in advice])}"

    def come_back(self) -> str:
        """Come back if: only what is not yet true; "" beside a referral, an urgent action or a sign."""
        facts = self.decision.facts
        if self._is_followed() or not PRESENT.isdisjoint(map(facts.get, self.table.signs)):
            return ""
        not_gone = self._not_gone()
        clauses = [not_gone]
        clauses += [
            (clause.follows if not_gone and not place else "") or clause.says
            for place, clause in enumerate(self.wording.come_back)
            if _HOLDS.isdisjoint(map(facts.get, clause.unless))
        ]
        clauses = [clause for clause in clauses if clause]
        if not clauses:
            return ""
        *others, last = clauses
        text = f"{joined(others)},{self.say('question.or')}{last}" if others else last
        return self.say("come_back.heading", clauses=text)

    def _is_followed(self) -> bool:
        """Whether a referral or an urgent action is recommended or ordered."""
        actions = self.table.actions
        for made in self.decision.recommendations:
            if made.urgency != ROUTINE or (actions[made.id].order == REFERRAL and not made.consider):
                return True
        for withheld in self.decision.withheld:
            followed = withheld.urgency != ROUTINE or actions[withheld.id].order == REFERRAL
            if followed and withheld.why in ("ordered", "seen"):
                return True
        return False

    def _not_gone(self) -> str:
        """not gone by 29 Nov; "" where it has lasted longer already."""
        facts, limits, onset = self.decision.facts, self.table.thresholds, self.record.twitch.onset
        eyelid = facts.get("isolated-eyelid") == TRUE
        if facts.get("lasts-long-for-eyelid" if eyelid else "lasts-long") == TRUE:
            return ""
        days = limits.eyelid_days if eyelid else limits.return_days
        start = onset.latest if onset.earliest is not None and onset.latest is not None else self.as_of
        try:
            day = max(start + timedelta(days=days), self.as_of + timedelta(days=limits.return_at_least_days))
        except OverflowError:
            return ""
        return self.say("come_back.not_gone", date=day_month(day, self.as_of, self.wording))

    def _last(self, *, brief: bool = False) -> Iterator[str]:
        decision = self.decision
        said = self.first.names if self.first else frozenset()
        notes = [] if brief else list(notes_of(decision, self.knowledge, said))
        if names_disease(decision, self.knowledge):
            refers = any(self.table.actions[r.id].order == REFERRAL for r in decision.recommendations)
            notes.append(self.say("exclude_disease.says" if refers else "exclude_disease.ordered"))
        suspected = self.status.suspected() if decision.suspected else ""
        if suspected and (self.lines or self.status.text() != suspected):
            notes.append(suspected)
        if not self.record.patient.born.known:
            notes.append(self.say("lead.age_unknown"))
        if notes:
            yield " ".join(notes)


def names_disease(decision: Decision, knowledge: Knowledge) -> bool:
    """Whether the card names the disease to be excluded: in an adult whose signs have no recorded cause."""
    if decision.facts.get("child-age") == TRUE or not decision.has(RowRole.EXCLUDE_DISEASE):
        return False
    # What is an emergency explains the signs first.
    actions = knowledge.table.actions
    for made in decision.recommendations:
        if ActionRole.EMERGENCY in actions[made.id].roles:
            return False
    wording, record = knowledge.wording, decision.record
    for name in wording.explains_signs & record.findings.keys():
        if present(record, name):
            return False
    return {EXAMINED, LISTED}.isdisjoint(map(decision.facts.get, wording.explains_if_examined))


def _grouped(reasons: Sequence[Reason]) -> list[str]:
    """Facts in their order; neighbours of the same basis and date share them."""
    groups: list[tuple[str, list[str]]] = []
    for reason in reasons:
        if groups and groups[-1][0] == reason.how and reason.how:
            groups[-1][1].append(reason.text)
        else:
            groups.append((reason.how, [reason.text]))
    return [f"{', '.join(texts)} ({how})" if how else ", ".join(texts) for how, texts in groups]
