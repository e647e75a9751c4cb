"""Second step: each row alone, the real `row.holds` over the full product of all values of its operands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from service.decision.facts import FEATURES
from service.decision.table import ABSENT, EXAMINED, FALSE, REPORTED, TRUE, UNKNOWN, Row, Table
from tools.proof.ledger import Ledger

FINDING = (UNKNOWN, ABSENT, REPORTED, EXAMINED)
FEATURE = (UNKNOWN, FALSE, TRUE)
CURRENT = (UNKNOWN, TRUE)
DRUG = (UNKNOWN, "no", "possible", "yes")


class Watched(dict[str, str]):
    """Facts that remember which of them were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: str = UNKNOWN) -> str:  # type: ignore[override]
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        return self.get(key)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)


def domain(table: Table, variable: str) -> tuple[str, ...]:
    """Every value of that variable, the unknown first and the most dangerous last."""
    if variable.startswith("drug "):
        return DRUG
    if variable.startswith("current "):
        return CURRENT
    analytes = {f"{analyte}-abnormal" for analyte in table.electrolytes}
    return FEATURE if variable in FEATURES | analytes else FINDING


@dataclass(frozen=True, slots=True)
class RowTable:
    """The whole truth of one row. holds[i] is of the i-th combination, the last variable fastest."""

    row: Row
    variables: tuple[str, ...]
    domains: tuple[tuple[str, ...], ...]
    holds: bytes

    def slice(self, fixed: Mapping[str, str]) -> bytes:
        """The truth table of the other variables where those are fixed."""
        found = self.holds
        inner = 1
        for variable, values in zip(reversed(self.variables), reversed(self.domains), strict=True):
            if variable in fixed:
                step = inner * len(values)
                start = values.index(fixed[variable]) * inner
                found = b"".join(found[at + start : at + start + inner] for at in range(0, len(found), step))
            else:
                inner *= len(values)
        return found

    def at(self, facts: Mapping[str, str]) -> bool:
        """Whether the row holds of those facts; what they do not name is unknown."""
        place = 0
        for variable, values in zip(self.variables, self.domains, strict=True):
            place = place * len(values) + values.index(facts.get(variable, UNKNOWN))
        return self.holds[place] == 1

    def where(self, fixed: Mapping[str, str]) -> RowTable:
        """The table that is left where those are fixed; variables that it does not read are passed over."""
        own = {name: value for name, value in fixed.items() if name in self.variables}
        if not own:
            return self
        left = [
            (name, values)
            for name, values in zip(self.variables, self.domains, strict=True)
            if name not in own
        ]
        return RowTable(
            self.row,
            tuple(name for name, _ in left),
            tuple(values for _, values in left),
            self.slice(own),
        )

    def example(self, truth: bool, fixed: Mapping[str, str]) -> dict[str, str] | None:
        """A combination with those values for which the row holds, or does not; None where there is none."""
        place = self.slice(fixed).find(truth)
        if place < 0:
            return None
        found = dict(fixed)
        for variable, values in zip(reversed(self.variables), reversed(self.domains), strict=True):
            if variable not in fixed:
                place, at = divmod(place, len(values))
                found[variable] = values[at]
        return found


def tables(table: Table, ledger: Ledger) -> tuple[RowTable, ...]:
    """The truth table of every row, and what every single row must keep to."""
    found = []
    for row in table.rows:
        truth = _truth(table, row, ledger)
        found.append(truth)
        _unknown_fires_nothing(truth, ledger)
    ledger.cover(
        "an unknown never fires a row",
        f"{len(found)} rows, each over all values of its operands",
        sum(len(truth.holds) for truth in found),
        "a row was seen to read nothing but the operands of its terms",
    )
    return tuple(found)


def _truth(table: Table, row: Row, ledger: Ledger) -> RowTable:
    variables = tuple(dict.fromkeys(literal.variable for term in row.terms for literal in term))
    domains = tuple(domain(table, variable) for variable in variables)
    facts = Watched()
    holds = bytearray()
    for values in product(*domains):
        facts.update(zip(variables, values, strict=True))
        try:
            said = row.holds(facts)
        except Exception as error:
            ledger.violate("total", row.id, dict(facts), "true or false", repr(error))
            said = False
        holds.append(said)
    others = facts.asked - set(variables)
    ledger.check(not others, "operands", row.id, {}, "reads the operands of its terms", sorted(others))
    truth = RowTable(row, variables, domains, bytes(holds))
    _terms_say_the_same(truth, ledger)
    return truth


def _terms_say_the_same(truth: RowTable, ledger: Ledger) -> None:
    """The disjunctive form, from which the questions are read, against the condition."""
    size = len(truth.holds)
    said = 0
    for term in truth.row.terms:
        here = (1 << size) - 1
        for literal in term:
            place = truth.variables.index(literal.variable)
            inner = prod(map(len, truth.domains[place + 1 :]))
            block = b"".join(
                (b"1" if (value in literal.values) is literal.positive else b"0") * inner
                for value in truth.domains[place]
            )
            here &= int((block * (size // len(block))).decode(), 2)
        said |= here
    held = int(truth.holds.translate(bytes.maketrans(b"\0\1", b"01")).decode(), 2)
    if said != held:
        at = size - (said ^ held).bit_length()
        state = dict(zip(truth.variables, _combination(truth, at), strict=True))
        ledger.violate(
            "questions read the condition", truth.row.id, state, f"terms as holds: {truth.holds[at]}", "not"
        )


def _combination(truth: RowTable, at: int) -> Iterator[str]:
    for place, values in enumerate(truth.domains):
        inner = prod(map(len, truth.domains[place + 1 :]))
        yield values[at // inner % len(values)]


def _unknown_fires_nothing(truth: RowTable, ledger: Ledger) -> None:
    row, promise = truth.row, "an unknown never fires a row"
    for variable, values in zip(truth.variables, truth.domains, strict=True):
        unknown, absent = (truth.slice({variable: value}) for value in (UNKNOWN, values[1]))
        if len(values) < 3:  # current: what is not recorded is not taken
            continue
        for at, (fires, without) in enumerate(zip(unknown, absent, strict=True)):
            if fires > without:
                rest = [name for name in truth.variables if name != variable]
                sub = RowTable(
                    row,
                    tuple(rest),
                    tuple(d for n, d in zip(truth.variables, truth.domains, strict=True) if n != variable),
                    unknown,
                )
                state = {**dict(zip(rest, _combination(sub, at), strict=True)), variable: UNKNOWN}
                ledger.violate(promise, row.id, state, f"as with {variable}={values[1]}", "fires")
                break
        if variable.startswith("drug "):
            possible, yes = (truth.slice({variable: value}) for value in ("possible", "yes"))
            ledger.check(
                possible == yes,
                "a possible medicine fires as a certain one",
                row.id,
                {variable: "possible"},
                "as with yes",
                "another",
            )
            ledger.check(
                unknown == absent,
                "a medicine ruled out by time fires nothing",
                row.id,
                {variable: "no"},
                "as without it",
                "another",
            )
    if not row.last:
        nothing = {v: d[1] for v, d in zip(truth.variables, truth.domains, strict=True)}
        ledger.check(
            truth.slice(nothing) == b"\0", "nothing recorded fires no row", row.id, nothing, "not", "fires"
        )
