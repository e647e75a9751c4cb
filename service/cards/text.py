"""Names, durations, results, actions and questions in words. Text of a record is escaped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from fhir_mappings.record import Band, Basis, Finding, Result, Status, Twitch
from fhir_mappings.terminology import Terminology
from service.cards.escaping import escaped
from service.decision import Decision, Recommendation
from service.decision.facts import days_between
from service.decision.outcome import RANK, Key, Wanted, key_of
from service.decision.questions import Question, foremost
from service.decision.table import Action
from service.knowledge import Knowledge
from service.knowledge.wording import Wording

# A duration from here on is given in months as well.
_SHOWN_IN_MONTHS_FROM_DAYS = 60
_DAYS_IN_MONTH = 30.44
_ROWS_NAMED_AS_REASON = 3


def joined(parts: Iterable[str]) -> str:
    """The parts that are not empty, without repeats, separated by commas."""
    return ", ".join(dict.fromkeys(filter(None, parts)))


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def test_label(test: str, terminology: Terminology, wording: Wording) -> str:
    """The name of an analyte, else of an action or study."""
    analyte = terminology.analytes.get(test)
    if analyte is not None:
        return analyte.label
    return wording.maybe(f"actions.{test}.short") or study_label(test, wording)


def study_label(study: str, wording: Wording) -> str:
    """The name of a study: "MRI brain" for mri-brain; of an action where that is not known: "MRI"."""
    label = wording.maybe(f"studies.{study}") or wording.maybe(f"actions.{study}.short")
    kind, _, part = study.partition("-")
    return label or f"{kind.upper()} {part}".strip()


def study_names(actions: Iterable[Action], tests: Collection[str], wording: Wording) -> str:
    """MRI brain where the tests say which part, else EMG, nerve conduction."""
    return joined(
        study_label(study, wording)
        for action in actions
        for study in ([name for name in action.studies if name in tests] or [action.id])
    )


def site_label(twitch: Twitch, wording: Wording) -> str:
    """Where it twitches, as recorded: "right thigh, left hand"; "" where no site is recorded."""
    names = [f"{site.side} {site.label}" if site.side else site.label for site in twitch.sites]
    if twitch.generalized:
        names.append(wording.say("table.generalized"))
    return joined(sorted(set(names)))


def duration(twitch: Twitch, as_of: date, wording: Wording) -> str:
    """How long it has lasted, in days and as a date; that it is unknown where it is."""
    earliest, latest = twitch.onset.earliest, twitch.onset.latest
    if earliest is not None and earliest == latest:
        days = days_between(earliest, as_of)
        return wording.say("table.since", days=days, months=_in_months(days, wording), date=earliest)
    if earliest is not None and latest is not None:
        low, high = max(days_between(latest, as_of), 0), days_between(earliest, as_of)
        return wording.say(
            "table.since_about",
            low=low,
            high=high,
            months=_in_months((low + high) // 2, wording),
            earliest=earliest,
            latest=latest,
        )
    if latest is not None:
        days = days_between(latest, as_of)
        # "0 days" would read as "began today", which no record says.
        place = "at_least_since" if days > 0 else "on_record_today"
        return wording.say(f"table.{place}", days=days, date=latest)
    return wording.say("table.onset_unknown")


def _in_months(days: int, wording: Wording) -> str:
    if days < _SHOWN_IN_MONTHS_FROM_DAYS:
        return ""
    return wording.say("table.in_months", months=round(days / _DAYS_IN_MONTH))


def result_text(result: Result, band: Band, terminology: Terminology, wording: Wording) -> str:
    """One result on file with value, unit, date and band."""
    analyte = terminology.analytes.get(result.analyte)
    flag = wording.say(f"bands.{band.value}")
    if band in (Band.OUT_OF_RANGE, Band.CRITICAL) and result.low is not None:
        flag = f"{flag}, {wording.say('result_low' if result.low else 'result_high')}"
    text = wording.say(
        "result",
        label=analyte.label if analyte else result.analyte,
        value=escaped(result.text),
        unit=f" {escaped(result.unit)}" if result.unit else "",
        date=f", {result.day}" if result.day else wording.say("undated"),
        flag=wording.say("result_flag", band=flag),
    )
    return text + (wording.say("result_preliminary") if result.preliminary else "")


def finding_text(finding: Finding, wording: Wording) -> str:
    """present, examined 2026-11-24; earlier records and conflicts are named."""
    say = wording.say
    status = say(f"status.{finding.status.value}")
    if finding.status is Status.UNKNOWN:
        earlier = joined(
            f"{say(f'status.{e.status.value}')} {e.day or ''}".strip()
            for e in finding.evidence
            if e.history and e.status is not Status.UNKNOWN
        )
        return f"{status}; {say('table.history', text=earlier)}" if earlier else status
    if finding.status is Status.PRESENT or finding.basis is not None:
        on = say("table.on_date", date=finding.recorded) if finding.recorded else ""
        place = "table.reported" if finding.basis is Basis.REPORTED else "table.examined"
        text = say(place, status=status, on=on)
    else:
        text = say("table.status_only", status=status)
    return text + (say("table.conflict") if finding.conflict else "")


def action_name(action: str, urgent: bool, wording: Wording) -> str:
    """EMG; urgent neurology referral."""
    place = f"actions.{action}.short"
    return (urgent and wording.maybe(f"{place}_urgent")) or wording.say(place)


def recommendation_text(recommendation: Recommendation, knowledge: Knowledge) -> str:
    """**Blood test: sodium, potassium** – because: muscle wasting; twitching for more than two weeks."""
    wording, made = knowledge.wording, recommendation
    rows = [row for name in made.because if (row := knowledge.table.row(name))]
    rows.sort(key=lambda row: -RANK[row.level])
    reasons = "; ".join(dict.fromkeys(row.label for row in rows[:_ROWS_NAMED_AS_REASON]))
    place, names = f"actions.{made.id}", _test_names(made.analytes, knowledge)
    places = []
    if made.paediatric:
        places.append(f"{place}.paediatric_urgent" if made.urgent else f"{place}.paediatric")
    if made.urgent:
        places.append(f"{place}.urgent")
    elif len(made.because) == 1:
        places.append(f"{place}.for_row.{made.because[0]}")
    places.append(f"{place}.says")
    action = next(text for name in places if (text := wording.maybe(name, analytes=names)))
    return f"**{action}** – {wording.say('reasons', rows=reasons)}"


def _test_names(tests: Iterable[str], knowledge: Knowledge) -> str:
    return joined(test_label(test, knowledge.terminology, knowledge.wording) for test in tests)


class Questions:
    """The questions of one decision in words: the first few as sentences, the rest by name."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.questions = decision.questions
        self.knowledge = knowledge
        self.findings = knowledge.terminology.findings
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.now = key_of(decision.level, decision.recommendations)
        self.first = foremost(decision.questions, knowledge.table.thresholds.at_most_questions)

    def lines(self) -> Iterator[str]:
        """The Markdown list of all questions."""
        for question in self.first:
            yield f"- {self.sentence(question)}"
        rest = joined(self.name(question) for question in self.questions if question not in self.first)
        if rest:
            yield f"- {self.say('question.rest', questions=rest)}"

    def name(self, question: Question) -> str:
        """onset; muscle wasting."""
        if question.in_words:
            return self.say(f"question.name_{question.id}")
        return self.findings[question.id].label

    def sentence(self, question: Question) -> str:
        """Is there weakness on examination? If present: EMG; if absent: no change."""
        if question.in_words:
            text = self.say(f"question.{question.id}")
            return f"{text} {capital(self._effects_of_answers(question))}."
        definition = self.findings[question.id]
        text = definition.question or f"{capital(definition.label)}?"
        return f"{text} {capital(self._effect_of_finding(question))}."

    def _effect_of_finding(self, question: Question) -> str:
        present, absent = question.present.outcome.key, question.absent.outcome.key
        if question.together:
            # Against each other: what is assumed would change the advice as well.
            others, what = self._assumed(question), self._change(absent, present)
            return self.say("question.effect_together", others=others, what=what)
        return self.say(
            "question.effect",
            present=self._change(self.now, present),
            absent=self._change(self.now, absent),
        )

    def _effects_of_answers(self, question: Question) -> str:
        """If the tongue: urgent referral; if several regions: electrolytes; otherwise: no change."""
        before = question.absent.outcome.key if question.together else self.now
        changes: dict[str, list[str]] = {}
        for answer in question.answers:
            answers = changes.setdefault(self._change(before, answer.outcome.key), [])
            # "worsening" covers "worsening, and continuous" too.
            if not any(shorter in answer.says for shorter in answers):
                answers.append(answer.says)
        nothing = self.say("question.no_change")
        usual = max(changes, key=lambda change: (len(changes[change]), change == nothing))
        parts = [
            self.say("question.effect_of_answer", answer=self._either(answers), what=change)
            for change, answers in changes.items()
            if change != usual
        ]
        text = "; ".join([*parts, self.say("question.effect_otherwise", what=usual)])
        if not question.together:
            return text
        return self.say("question.with", others=self._assumed(question), effects=text)

    def _either(self, names: list[str]) -> str:
        *others, last = names
        return f"{joined(others)}{self.say('question.or')}{last}" if others else last

    def _assumed(self, question: Question) -> str:
        return self.say("summary.and").join(
            self.say(f"question.assumed_{answer}", finding=self.findings[group].label)
            if group in self.findings
            else self.say(f"question.assumed_{group}", answer=answer)
            for group, answer in question.together
        )

    def _change(self, before: Key, after: Key) -> str:
        """What the second outcome recommends that the first does not, else what is no longer recommended."""
        if after == before:
            return self.say("question.no_change")
        (old_level, old_wanted), (new_level, new_wanted) = before, after
        old = {wanted.id: wanted for wanted in old_wanted}
        new = {wanted.id for wanted in new_wanted}
        added = joined(
            self._added(wanted, old.get(wanted.id))
            for wanted in sorted(new_wanted, key=lambda wanted: not wanted.urgent)
        )
        gone = [name for name in old if name not in new]
        # Beside other changes only tests that fall away are named, not self-care.
        tests = [name for name in gone if self.knowledge.table.actions[name].is_test]
        names = [self.say(f"actions.{name}.short") for name in tests or ([] if added else gone)]
        removed = self.say("question.removed", what=self._either(names)) if names else ""
        if added or removed:
            return joined([added, removed])
        if new_level != old_level:
            higher = RANK[new_level] > RANK[old_level]
            return self.say(f"question.{'raised' if higher else 'lowered'}_{new_level}")
        return self.say("question.less")

    def _added(self, new: Wanted, old: Wanted | None) -> str:
        """Its short name if it is new or more urgent; else the analytes that it asks for as well."""
        if old is None or (new.urgent and not old.urgent):
            return action_name(new.id, new.urgent, self.wording)
        more = [analyte for analyte in new.analytes if analyte not in old.analytes]
        return _test_names(more, self.knowledge)
