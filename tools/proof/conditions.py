"""Conditions that are no row's: when an action is asked for at all, and when an advice is not given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product

from service.decision.table import EXAMINED, REPORTED, TRUE, UNKNOWN, Facts, Table
from tools.proof.ledger import Ledger
from tools.proof.rows import Watched, domain

FILTER = "self-care is filtered for the patient"
REVIEW = "a medicine that bears on an abnormal electrolyte is reviewed"
# Section 4.3: what no advice to drink may stand beside, and what none with potassium may.
NO_FLUIDS = {
    "heart-failure": (REPORTED, EXAMINED),
    "chronic-kidney-disease": (REPORTED, EXAMINED),
    "low-sodium": (TRUE,),
}
NO_POTASSIUM = {
    "any-electrolyte-abnormal": (TRUE,),
    "raises-potassium": (TRUE,),
    "drug potassium-sparing-diuretic": ("possible", "yes"),
    "current potassium-sparing-diuretic": (TRUE,),
}
DRINK, DRINKING = "electrolyte-drink", "dehydration"


def check_conditions(table: Table, ledger: Ledger) -> None:
    """Every condition over all values of what it was seen to read."""
    asked = 0
    for place, condition in _conditions(table):
        asked += _only_rises(table, place, condition, ledger)
    ledger.cover(
        "a condition of an action or advice only rises", "all of them", asked, "seen to read nothing else"
    )
    asked = 0
    for advice in table.self_care:
        if advice.trigger != DRINKING:
            continue
        barred = {**NO_FLUIDS, **(NO_POTASSIUM if advice.id == DRINK else {})}
        for variable, values in barred.items():
            for value in values:
                asked += 1
                # A low sodium is an electrolyte out of range.
                facts = {variable: value} | (
                    {"any-electrolyte-abnormal": TRUE} if variable == "low-sodium" else {}
                )
                given = advice.unless is None or not advice.unless(facts)
                ledger.check(not given, FILTER, advice.id, facts, "not given", "given")
    ledger.cover(
        FILTER, f"advice for {DRINKING}", asked, "conditions only rise, so each reason alone is enough"
    )
    asked = 0
    for row in table.rows:
        for action in row.actions:
            if table.actions[action.id].kind != "review" or row.drug_classes:
                continue
            for name in _disturbing(table):
                asked += 1
                facts = {f"current {name}": TRUE}
                held = action.condition is None or action.condition(facts)
                ledger.check(held, REVIEW, row.id, facts, "reviewed", "not")
    ledger.cover(REVIEW, "classes whose row asks for electrolytes", asked, "conditions only rise")


def _disturbing(table: Table) -> list[str]:
    rows = [row for row in table.rows if any(table.actions[a.id].repeat_abnormal for a in row.actions)]
    return sorted({name for row in rows for name in row.drug_classes})


def _conditions(table: Table) -> Iterator[tuple[str, Callable[[Facts], bool]]]:
    for row in table.rows:
        for action in row.actions:
            if action.condition is not None:
                yield f"{row.id}, {action.id}", action.condition
    for advice in table.self_care:
        if advice.unless is not None:
            yield f"self-care, {advice.id}", advice.unless


def _only_rises(table: Table, place: str, condition: Callable[[Facts], bool], ledger: Ledger) -> int:
    """Over the full product: nothing recorded makes it hold, and one value more never stops it."""
    ends = {name: _ends(table, name) for name in _operands(table, condition)}
    names = tuple(ends)
    facts = dict.fromkeys(names, UNKNOWN)
    said = bytearray()
    for values in product(*ends.values()):
        facts.update(zip(names, values, strict=True))
        said.append(condition(facts))
    ledger.check(not said[0], "nothing recorded asks for nothing", place, {}, "not", "holds")
    inner = 1
    for name in reversed(names):
        count = len(ends[name])
        for at, held in enumerate(said):
            if held and at // inner % count < count - 1 and not said[at + inner]:
                state = _combination(ends, at + inner)
                ledger.violate("a condition of an action or advice only rises", place, state, "holds", "not")
                break
        inner *= count
    return len(said)


def _ends(table: Table, name: str) -> tuple[str, ...]:
    values = domain(table, name)
    # The absent and the unknown are one to a condition: what is not recorded as wanted.
    return (values[0], *values[2:]) if len(values) > 2 else values


def _combination(ends: Mapping[str, tuple[str, ...]], at: int) -> dict[str, str]:
    found = {}
    for name, values in reversed(list(ends.items())):
        at, place = divmod(at, len(values))
        found[name] = values[place]
    return found


def _operands(table: Table, condition: Callable[[Facts], bool]) -> tuple[str, ...]:
    """What it reads: each thing that was asked for, in turn, is also said, until nothing new is asked for."""
    watched = Watched()
    condition(watched)
    said: set[str] = set()
    while watched.asked - said:
        name = min(watched.asked - said)
        said.add(name)
        for value in domain(table, name):
            dict.__setitem__(watched, name, value)
            condition(watched)
            for other in said:
                # Beside all else at its highest and lowest, since one answer may hide the next question.
                for end in (domain(table, other)[0], domain(table, other)[-1]):
                    condition(_With(watched, {other: end}))
        dict.__setitem__(watched, name, UNKNOWN)
    return tuple(sorted(watched.asked))


class _With(dict[str, str]):
    def __init__(self, watched: Watched, more: Mapping[str, str]) -> None:
        super().__init__({**watched, **more})
        self.watched = watched

    def get(self, key: str, default: str = UNKNOWN) -> str:  # type: ignore[override]
        self.watched.asked.add(key)
        return super().get(key, default)
