"""Section 5 by trying: decide once with each answer to a question, everything else as recorded."""

from __future__ import annotations

from typing import Any

from tests.second_opinion.opinion_facts import NOWHERE, Facts, Plain
from tests.second_opinion.opinion_outcome import Case
from tests.second_opinion.opinion_table import LEVELS, PRESENT, Table

BULBAR = "bulbar"
BREATHING = ("breathing-difficulty", "orthopnea")


def answered(table: Table, record: Plain, answers: dict[str, bool], basis: str | None = None) -> Plain:
    """The record after those findings were answered today; signs on examination, symptoms as reported."""
    findings = dict(record["findings"])
    for name, present in answers.items():
        category = table["findings"].get(name, {}).get("category")
        used = basis or ("examined" if category == "exam" else "reported")
        today, onset = record["as_of"], record["twitch"]["onset"]["earliest"]
        began = onset if onset is not None and onset <= today else None
        findings[name] = {
            "status": "present" if present else "absent",
            "basis": used,
            "since": NOWHERE,
            # Section 1, Start of a finding: first recorded today.
            "start": {"earliest": began, "latest": today} if present else NOWHERE,
            "suspected": False,
            "worsening": None,
            "first_examined": today if present and used == "examined" else None,
            "recorded": today,
            "evidence": record["findings"].get(name, {}).get("evidence", []),
        }
    return {**record, "findings": findings}


def essence(case: Case) -> tuple[Any, ...]:
    """What an answer can change: the level and the actions."""
    actions = [(r["id"], r["urgency"], tuple(r["analytes"])) for r in case.recommended]
    return (case.level, tuple(sorted(actions)))


def unknown_of(case: Case, question: Plain) -> list[str]:
    return [name for name in question.get("findings", ()) if case.facts[name] == "unknown"]


def answers_of(case: Case, question: Plain) -> list[Case]:
    """The decision after each answer; none where nothing of the question is unknown."""
    table, record = case.table, case.record
    if "answers" in question:
        settings: list[Facts] = []
        for answer in question["answers"]:
            # An answer settles what is unknown and leaves the rest.
            sets = {name: value for name, value in answer["sets"].items() if case.facts[name] is None}
            if sets not in settings:
                settings.append(sets)
        return [Case(table, record, sets) for sets in settings] if any(settings) else []
    names = unknown_of(case, question)
    tried = [{name: True} for name in names]
    tried += [dict.fromkeys(names, False)] if names else []
    return [Case(table, answered(table, record, setting)) for setting in tried]


def questions(case: Case) -> list[Plain]:
    """The questions in their order: id, findings asked, on_card."""
    critical_rows = [row for row in case.fired if row["level"] == "critical"]
    silent = case.level == "critical" and all(row["asks_nothing"] for row in critical_rows)
    found = []
    for question in sorted(case.table["questions"], key=lambda q: q["order"]):
        after = answers_of(case, question)
        forced = _forced(case, question)
        names = unknown_of(case, question)
        old = any(_old(case, name) for name in names)
        if not after or not (forced or any(essence(one) != essence(case) for one in after)):
            continue
        critical = case.level == "critical" and not question.get("on_critical_card", False)
        placed = question.get("on_card", True)
        allowed = placed is True or (placed != "never" and case.why(placed, case.facts) is not None)
        on_card = not silent and (forced or old or (allowed and not critical))
        found.append({"id": question["id"], "findings": names, "on_card": on_card, "first": forced or old})
    shown = [q for q in found if q["on_card"]]
    kept = sorted(shown, key=lambda q: not q["first"])[: case.table["thresholds"]["at_most_questions"]]
    return [
        {"id": q["id"], "findings": q["findings"], "on_card": any(q is one for one in kept)} for q in found
    ]


def _forced(case: Case, question: Plain) -> bool:
    """Bulbar signs and breathing beside a referral for today that rests on weakness."""
    if not set(question.get("findings", ())) & {BULBAR, *BREATHING} or not unknown_of(case, question):
        return False
    weak = {row["id"] for row in case.fired if "weakness" in row["names"]}
    return case.facts["weakness"] in PRESENT and any(
        one["urgency"] == "now"
        and "referral" in case.actions[one["id"]].get("roles", ())
        and weak & set(one["because"])
        for one in case.recommended
    )


def _old(case: Case, name: str) -> bool:
    evidence = case.record["findings"].get(name, {}).get("evidence", ())
    return any(e["history"] and e["status"] == "present" for e in evidence)


def span(case: Case) -> list[str]:
    """The lowest and highest of today's level and of the unknowns of orders 1 to 3 all absent, all present."""
    names = [
        name
        for question in case.table["questions"]
        if question.get("in_range")
        for name in unknown_of(case, question)
    ]
    levels = [case.level]
    for present in (False, True):
        record = answered(case.table, case.record, dict.fromkeys(names, present), "examined")
        levels.append(Case(case.table, record).level)
    return [min(levels, key=LEVELS.index), max(levels, key=LEVELS.index)]
