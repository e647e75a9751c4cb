"""Section 5 by trying: decide once with each answer to a question, everything else as recorded."""

from __future__ import annotations

from typing import Any

from tests.second_opinion.opinion_facts import NOWHERE, Plain
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


def open_findings(case: Case, question: Plain) -> list[str]:
    """What is unknown, and a sign that was reported absent but not examined (safer: examine it)."""
    found = []
    for name in question.get("findings", ()):
        is_sign = case.table["findings"][name].get("category") == "exam"
        if case.facts[name] == "unknown" or (is_sign and case.facts[name] == "absent-not-examined"):
            found.append(name)
    return found


def matters(case: Case, name: str) -> bool:
    """Whether the two answers about a finding lead to different advice."""
    yes, no = (Case(case.table, answered(case.table, case.record, {name: found})) for found in (True, False))
    return essence(yes) != essence(no)


def matters_in_words(case: Case, question: Plain) -> bool:
    """The same of an answer in words, which settles what is unknown and leaves the rest."""
    after = set()
    for answer in question["answers"]:
        sets = {name: value for name, value in answer["sets"].items() if case.facts[name] is None}
        after.add(essence(Case(case.table, case.record, sets)))
    return len(after) > 1


def questions(case: Case) -> list[Plain]:
    """The questions in their order: id, findings asked, on_card."""
    found: list[Plain] = []
    for question in sorted(case.table["questions"], key=lambda q: q["order"]):
        if "answers" in question:
            if matters_in_words(case, question):
                # Those in words of one order are one line of a card.
                line = ("in words", question["order"])
                found.append(_question(case, question, question["id"], [], line, first=False))
            continue
        forced = _forced(case, question)
        names = [name for name in open_findings(case, question) if forced or matters(case, name)]
        old = [name for name in names if _old(case, name)]
        for name in old:
            found.append(_question(case, question, name, [name], (name, 0), first=True))
        rest = names if question["order"] == 1 else [name for name in names if name not in old]
        if rest:
            line = (question["id"], question["order"])
            found.append(_question(case, question, question["id"], rest, line, first=forced))
    lines = [one["line"] for one in sorted(found, key=lambda one: not one["first"]) if one["on_card"]]
    kept = list(dict.fromkeys(lines))[: case.table["thresholds"]["at_most_questions"]]
    return [
        {"id": one["id"], "findings": one["findings"], "on_card": one["on_card"] and one["line"] in kept}
        for one in found
    ]


def _question(
    case: Case, question: Plain, name: str, findings: list[str], line: tuple[str, int], *, first: bool
) -> Plain:
    """first: on the card whatever its order (an old sign, or breathing beside a referral for today)."""
    placed = question.get("on_card")
    on_card = first or placed is None or (placed != "never" and case.why(placed, case.facts) is not None)
    if case.level == "critical":
        critical = [row for row in case.fired if row["level"] == "critical"]
        silent = all(row["asks_nothing"] for row in critical)
        on_card = on_card and not silent and question.get("on_critical_card", False)
    return {"id": name, "findings": findings, "on_card": on_card, "line": line, "first": first}


def _forced(case: Case, question: Plain) -> bool:
    """Bulbar signs and breathing beside a referral for today that rests on weakness."""
    if not set(question.get("findings", ())) & {BULBAR, *BREATHING}:
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
    """Lowest and highest of today's level and of the unknowns of orders 1 to 3 all absent, all present."""
    names = [
        name
        for question in case.table["questions"]
        if question.get("in_range")
        for name in open_findings(case, question)
    ]
    levels = [case.level]
    for present in (False, True):
        record = answered(case.table, case.record, dict.fromkeys(names, present), "examined")
        levels.append(Case(case.table, record).level)
    return [min(levels, key=LEVELS.index), max(levels, key=LEVELS.index)]
