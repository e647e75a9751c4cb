"""Every deliberate error in decision_table.yaml, one at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.mutation.conditions import Operands, Path, at, changes, condition_paths
from tests.mutation.errors import (
    DROPPED,
    Mutant,
    each_dropped,
    each_name_dropped,
    nudged,
    roles_changed,
    swapped,
    title,
    toggled,
)

_LEVELS = ("info", "warning", "critical", "calm", "until-done")
_READINGS = ("stated", "interpreted", "addition")
_LISTS = (
    "electrolytes",
    "long_analytes",
    "signs",
    "benign_signs",
    "benign_ignores",
    "triggers",
    "history_signs",
    "electrolytes_with_drafts_of",
    "named",
    "closes_gate",
    "shown_results",
)
_KINDS = ("order", "result", "advice", "ask")
_ORDERS = ("blood", "study", "referral")
_STATES = ("out-of-range", "low", "high", "critical")
_URGENCIES = ("routine", "urgent", "now")


def mutants(raw: Mapping[str, Any]) -> tuple[Mutant, ...]:
    """All of them, in the order of the file. No two have the same name."""
    found = [
        *_thresholds(raw),
        *_actions(raw),
        *_conditions(raw),
        *_rows(raw),
        *_support(raw),
        *_lists(raw),
        *_self_care(raw),
        *_removals(raw),
        *_questions(raw),
        *_result_facts(raw),
        *_critical_beside(raw),
    ]
    # Two ways to the same file are one error; the same words in two places of a condition are two.
    by_file = {repr(mutant.applied(raw)): mutant for mutant in reversed(found)}
    by_file.pop(repr(raw), None)
    names: Counter[str] = Counter()
    unique = []
    for mutant in reversed(by_file.values()):
        names[mutant.name] += 1
        number = names[mutant.name]
        unique.append(replace(mutant, says=f"{mutant.says} ({number})") if number > 1 else mutant)
    return tuple(unique)


def _thresholds(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    for name, value in raw["thresholds"].items():
        yield from nudged("thresholds", ("thresholds", name), value)
    for index, action in enumerate(raw["actions"]):
        for name in ("done_days", "ordered_days"):
            if name in action:
                yield from nudged(f"actions.{action['id']}", ("actions", index, name), action[name])


def _actions(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    kind = "action definition"
    yield from each_dropped(kind, "actions", ("actions",), raw["actions"])
    yield from swapped(kind, "actions", ("actions",), raw["actions"])
    for index, action in enumerate(raw["actions"]):
        place, path = f"actions.{action['id']}", ("actions", index)
        for other in _KINDS:
            if other != action["kind"]:
                yield Mutant(kind, place, f"kind {other} for {action['kind']}", (*path, "kind"), other)
        for other in _ORDERS:
            if other != action.get("order", other):
                yield Mutant(kind, place, f"order {other} for {action['order']}", (*path, "order"), other)
        for name in ("analytes", "studies"):
            tests = action.get(name, [])
            yield from each_dropped(kind, place, (*path, name), tests)
            yield from swapped(kind, place, (*path, name), tests)
        for name in ("done_days", "ordered_days"):
            if name in action:
                yield Mutant(kind, place, f"no {name}", (*path, name), DROPPED)
        yield from roles_changed(place, path, action, raw["actions"])
        yield toggled(kind, place, (*path, "child"), action, "withheld")
        yield toggled(kind, place, (*path, "repeat_abnormal"), action, True)
        yield toggled(kind, place, (*path, "beside_now"), action, "withheld")
        yield toggled(kind, place, (*path, "beside_urgent"), action, "withheld")
        yield toggled(kind, place, (*path, "can_be_ordered"), action, False)


def _conditions(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    operands = Operands(raw)
    for path in condition_paths(raw):
        owner = f"{path[0]}.{path[1] if path[0] == 'definitions' else at(raw, path[:2])['id']}"
        if "actions" in path:
            owner += f".{at(raw, path[:4])['id']}"
        for change in changes(at(raw, path), operands):
            yield Mutant(change.kind, owner, change.says, (*path, *change.path), change.value)


def _rows(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    order = [action["id"] for action in raw["actions"]]
    yield from each_dropped("row dropped", "rows", ("rows",), raw["rows"])
    yield from swapped("rows swapped", "rows", ("rows",), raw["rows"])
    for index, row in enumerate(raw["rows"]):
        place, path = f"rows.{row['id']}", ("rows", index)
        for level in _LEVELS:
            if level != row["level"]:
                yield Mutant("level", place, f"{level} for {row['level']}", (*path, "level"), level)
        for name in ("asks_nothing", "supports_studies", "beside_benign"):
            yield toggled(name.replace("_", " "), place, (*path, name), row, True)
        yield toggled("reads last", place, (*path, "reads"), row, "last")
        yield from roles_changed(place, path, row, raw["rows"])
        yield from _row_actions(place, (*path, "actions"), row["actions"], order)


def _row_actions(place: str, path: Path, actions: Sequence[Any], order: Sequence[str]) -> Iterator[Mutant]:
    own = [title(action) for action in actions]
    others = [action_id for action_id in order if action_id not in own]
    yield from each_dropped("action dropped", place, path, actions)
    for other in others:
        yield Mutant("action added", place, f"{other} too", path, [*actions, other])
    for index, action in enumerate(actions):
        long = action if isinstance(action, dict) else {"id": action}
        here = (*path, index)

        def without(member: str, long: Mapping[str, Any] = long) -> dict[str, Any]:
            return {key: value for key, value in long.items() if key != member}

        for urgency in _URGENCIES:
            if urgency != long.get("urgency", "routine"):
                changed = {**without("urgency"), **({} if urgency == "routine" else {"urgency": urgency})}
                yield Mutant("urgency", place, f"{long['id']} {urgency}", here, changed)
        if "weeks" in long:
            for weeks in (long["weeks"] - 1, long["weeks"] + 1):
                yield Mutant("threshold", place, f"{long['id']} in {weeks} weeks", (*here, "weeks"), weeks)
        yield Mutant(
            "consider", place, f"{long['id']} {'' if 'consider' in long else 'to be '}considered", here,
            without("consider") if "consider" in long else {**long, "consider": True},
        )  # fmt: skip
        yield from each_dropped("finding to examine", place, (*here, "findings"), long.get("findings", ()))
        adult = without("paediatric") if "paediatric" in long else {**long, "paediatric": True}
        team = "paediatric" if "paediatric" in adult else "not paediatric"
        yield Mutant("paediatric", place, f"{long['id']} {team}", here, adult)
        if "when" in long:
            yield Mutant("action without its when", place, str(long["id"]), here, without("when"))
        after = order.index(long["id"]) + 1
        other = next(a for a in [*order[after:], *order] if a not in own)
        yield Mutant("action replaced", place, f"{other} for {long['id']}", here, {**long, "id": other})


def _support(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    every = sorted({i for row in raw["rows"] for support in row["rests_on"] for i in support["ids"]})
    for index, row in enumerate(raw["rows"]):
        place, path = f"rows.{row['id']}", ("rows", index, "rests_on")
        for number, support in enumerate(row["rests_on"]):
            here = (*path, number)
            yield Mutant("support", place, f"no support by {' '.join(support['ids'])}", here, DROPPED)
            for reading in _READINGS:
                if reading != support["reading"]:
                    says = f"{' '.join(support['ids'])} {reading}"
                    yield Mutant("reading", place, says, (*here, "reading"), reading)
            yield from _claims("support", place, (*here, "ids"), support["ids"], every)


def _claims(kind: str, place: str, path: Path, ids: Sequence[str], every: Sequence[str]) -> Iterator[Mutant]:
    yield from each_dropped(kind, place, path, ids)
    for index, claim in enumerate(ids):
        other = next(c for c in [*every[every.index(claim) + 1 :], *every] if c not in ids)
        yield Mutant(kind, place, f"{other} for {claim}", (*path, index), other)


def _lists(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    for name in _LISTS:
        yield from each_dropped(f"{name} entry dropped", name, (name,), raw[name])
        yield from swapped(f"{name} entries swapped", name, (name,), raw[name])


def _self_care(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    kind, advice = "self-care", raw["self_care"]
    triggers = list(dict.fromkeys(entry["trigger"] for entry in advice))
    yield from each_dropped(kind, "self_care", ("self_care",), advice)
    yield from swapped(kind, "self_care", ("self_care",), advice)
    for index, entry in enumerate(advice):
        place, path = f"self_care.{entry['id']}", ("self_care", index)
        for other in triggers:
            if other != entry["trigger"]:
                says = f"trigger {other} for {entry['trigger']}"
                yield Mutant(kind, place, says, (*path, "trigger"), other)
        if "unless" in entry:
            yield Mutant(kind, place, "no unless", (*path, "unless"), DROPPED)


def _removals(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    kind = "removal"
    every = sorted({claim for removal in raw["removals"] for claim in removal["claims"]})
    yield from each_dropped(kind, "removals", ("removals",), raw["removals"])
    for index, removal in enumerate(raw["removals"]):
        path = ("removals", index, "claims")
        yield from _claims(kind, f"removals.{removal['id']}", path, removal["claims"], every)


def _questions(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    kind, asked = "question", raw["questions"]
    yield from each_dropped(kind, "questions", ("questions",), asked)
    for index, question in enumerate(asked):
        place, path = f"questions.{question['id']}", ("questions", index)
        for order in (question["order"] - 1, question["order"] + 1):
            yield Mutant(kind, place, f"order {order} for {question['order']}", (*path, "order"), order)
        if "on_card" in question:
            yield Mutant(kind, place, "no on_card", (*path, "on_card"), DROPPED)
        else:
            yield Mutant(kind, place, "never on a card", (*path, "on_card"), "never")
        for name in ("on_critical_card", "in_range", "always_beside_now"):
            yield toggled(kind, place, (*path, name), question, True)
        yield from each_dropped(kind, place, (*path, "findings"), question.get("findings", ()))
        answers = question.get("answers", ())
        yield from each_dropped(kind, place, (*path, "answers"), answers)
        yield from swapped(kind, place, (*path, "answers"), answers)
        for number, answer in enumerate(answers):
            for name, value in answer["sets"].items():
                here = (*path, "answers", number, "sets", name)
                yield Mutant(kind, place, f"{answer['says']}: {name} {not value}", here, not value)
                yield Mutant(kind, place, f"{answer['says']}: {name} not set", here, DROPPED)


def _result_facts(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    kind = "fact about results"
    yield from each_name_dropped(kind, "result_facts", raw["result_facts"])
    for name, value in raw["result_facts"].items():
        place = f"result_facts.{name}"
        parts = value if isinstance(value, list) else [value]
        for index, fact in enumerate(parts):
            path: Path = ("result_facts", name, *((index,) if isinstance(value, list) else ()))
            for days in ("from_days", "at_most_days"):
                if days in fact:
                    yield from nudged(place, (*path, days), fact[days])
            for state in _STATES:
                if state != fact.get("state", state):
                    yield Mutant(kind, place, f"{state} for {fact['state']}", (*path, "state"), state)
            for list_name in ("analytes", "except"):
                yield from each_dropped(kind, place, (*path, list_name), fact.get(list_name, ()))
            if "below" in fact:
                for step in (-1, 1):
                    below = str(int(fact["below"]) + step)
                    yield Mutant(kind, place, f"below {below}", (*path, "below"), below)


def _critical_beside(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    kind = "critical beside"
    yield from each_name_dropped(kind, "critical_beside", raw["critical_beside"])
    for analyte, limit in raw["critical_beside"].items():
        place, path = f"critical_beside.{analyte}", ("critical_beside", analyte)
        for other in ("1.8", "2.0"):
            yield Mutant(kind, place, f"low {other} for {limit['low']}", (*path, "low"), other)
        yield from each_dropped(kind, place, (*path, "findings"), limit["findings"])
