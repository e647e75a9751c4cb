"""What a state of the record is made of: factors, each with its values and the steps that are more dangerous.

A factor is one thing that the table reads: a finding, the site or onset of the twitch, a class of medicines,
the result of an analyte, an order, a study. The factors come from the table itself: what no row reads is left
out, and medicines that every row reads alike are represented by one class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fhir_mappings.record import (
    Band,
    Basis,
    Days,
    Drug,
    Evidence,
    Finding,
    Order,
    Patient,
    Plausible,
    Record,
    Result,
    Site,
    Status,
    Study,
    Twitch,
)
from fhir_mappings.terminology import Terminology
from service.decision.table import Table, variables

AS_OF = date(2026, 6, 15)
_SIGN_BASES = (Basis.REPORTED, Basis.LISTED, Basis.EXAMINED)
# Diagnoses whose presence may lower something, by the model: they explain a sign, or close the gate.
_EXPLAINING = frozenset({"heart-failure", "lung-disease", "multiple-sclerosis", "central-lesion"})


@dataclass(slots=True)
class Draft:
    """A record in the making."""

    findings: dict[str, Finding] = field(default_factory=dict)
    twitch: dict[str, Any] = field(default_factory=dict)
    drugs: list[Drug] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    studies: list[Study] = field(default_factory=list)
    born: Days = field(default_factory=Days)

    def record(self) -> Record:
        return Record(
            AS_OF,
            patient=Patient(id="p", born=self.born),
            twitch=Twitch(Status.PRESENT, label="twitching", first_recorded=AS_OF, **self.twitch),
            findings=dict(sorted(self.findings.items())),
            drugs=tuple(self.drugs),
            results=tuple(self.results),
            orders=tuple(self.orders),
            studies=tuple(self.studies),
        )


Patch = Callable[[Draft], None]


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that varies. The first value is "not recorded". worse: (less, more dangerous) values."""

    name: str
    values: tuple[str, ...]
    patches: tuple[Patch | None, ...]
    worse: frozenset[tuple[int, int]] = frozenset()


State = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Space:
    """The factors by name, and the state in which every sign was examined and is absent."""

    factors: Mapping[str, Factor]
    examined_absent: State

    def record(self, state: State) -> Record:
        draft = Draft()
        for name, value in state.items():
            patch = self.factors[name].patches[value]
            if patch is not None:
                patch(draft)
        return draft.record()

    def says(self, state: State) -> str:
        """The state in words: what is not at its first value."""
        return ", ".join(f"{name} {self.factors[name].values[v]}" for name, v in sorted(state.items()) if v)


def space_of(table: Table, terminology: Terminology) -> Space:
    """Every factor that a row, an action or a removal of that table reads."""
    conditions = [row.when for row in table.rows]
    conditions += [action.when for row in table.rows for action in row.actions if action.when]
    conditions += [advice.withheld_when for advice in table.self_care if advice.withheld_when]
    read = frozenset(name for condition in conditions for name in variables(condition))
    factors = [
        *_findings(read, table, terminology),
        *_twitch(),
        *_ages(),
        *_drugs(table),
        *_results(table),
        *_orders(table),
        *_studies(table),
    ]
    by_name = {factor.name: factor for factor in _one_state_of_guillain_barre(factors)}
    absent = {name: by_name[name].values.index("absent") for name in table.signs if name in by_name}
    return Space(by_name, absent)


def _findings(read: frozenset[str], table: Table, terminology: Terminology) -> Iterator[Factor]:
    names = sorted(
        name for name in read | {d.finding for d in table.disorders} if name in terminology.findings
    )
    triggers = 0
    for name in names:
        kind = terminology.findings[name].kind
        bases: tuple[Basis, ...]
        if kind in ("sign", "symptom"):
            bases = _SIGN_BASES
        else:
            triggers += kind == "trigger"
            # One trigger stands for all: no row tells them apart but by its advice.
            if kind == "trigger" and triggers > 1:
                continue
            bases = (Basis.LISTED,)
        yield _finding(name, bases, lowers=name in _EXPLAINING or name in table.closes_gate)
    yield _weakness_start()
    yield _weakness_course()


def _one_state_of_guillain_barre(factors: list[Factor]) -> list[Factor]:
    """One factor for the two findings: what is recorded as acute is read as past, too."""
    acute, past = "guillain-barre", "guillain-barre-past"
    patches = {f.name: f.patches[-1] for f in factors if f.name in (acute, past)}
    if len(patches) < 2:
        return factors

    def both(draft: Draft) -> None:
        for patch in patches.values():
            if patch is not None:
                patch(draft)

    one = Factor(
        acute, ("unknown", "past", "acute"), (None, patches[past], both), frozenset({(0, 1), (0, 2)})
    )
    return [one, *(factor for factor in factors if factor.name not in patches)]


def _finding(name: str, bases: tuple[Basis, ...], *, lowers: bool) -> Factor:
    values = ["unknown"]
    patches: list[Patch | None] = [None]
    if len(bases) > 1:
        values.append("absent")
        patches.append(_put(name, Status.ABSENT, Basis.EXAMINED))
    first = len(values)
    for basis in bases:
        values.append(basis.value)
        patches.append(_put(name, Status.PRESENT, basis))
    present = range(first, len(values))
    steps = {(less, more) for less in range(first) for more in present}
    # "Or examined rather than reported": a list counts as an examination in the rows.
    steps |= {(first, more) for more in present if more != first}
    return Factor(name, tuple(values), tuple(patches), frozenset() if lowers else frozenset(steps))


def _put(name: str, status: Status, basis: Basis) -> Patch:
    present = status is Status.PRESENT
    finding = Finding(
        name,
        status,
        basis,
        start=Days(None, AS_OF) if present else Days(),
        first_examined=AS_OF if present and basis is Basis.EXAMINED else None,
        recorded=AS_OF,
        evidence=(Evidence(f"Observation/{name}", "Observation.code", name, status, basis, AS_OF),),
    )

    def patch(draft: Draft) -> None:
        draft.findings[name] = finding

    return patch


def _weakness_start() -> Factor:
    def began(ago: int) -> Patch:
        day = AS_OF - timedelta(days=ago)
        return _changed_weakness(start=Days(day, day))

    return Factor("weakness-start", ("unknown", "28 days", "29 days"), (None, began(28), began(29)))


def _weakness_course() -> Factor:
    return Factor(
        "weakness-course",
        ("not recorded", "stable", "worsening"),
        (None, _changed_weakness(worsening=False), _changed_weakness(worsening=True)),
        frozenset({(0, 2), (1, 2)}),
    )


def _changed_weakness(**changes: Any) -> Patch:
    def patch(draft: Draft) -> None:
        finding = draft.findings.get("weakness")
        if finding is not None and finding.status is Status.PRESENT:
            draft.findings["weakness"] = replace(finding, **changes)

    return patch


def _set(**members: Any) -> Patch:
    def patch(draft: Draft) -> None:
        draft.twitch.update(members)

    return patch


_SITES = {
    "calf": Site("calf", "calf", "legs"),
    "hand": Site("hand", "hand", "arms"),
    "face": Site("face", "face", "face"),
    "tongue": Site("tongue", "tongue", "tongue"),
    "eyelid": Site("eyelid", "eyelid"),
}


def _twitch() -> Iterator[Factor]:
    days = (1, 3, 14, 15, 91, 366)
    onsets = [_set(onset=Days(day, day)) for ago in days for day in [AS_OF - timedelta(days=ago)]]
    yield Factor("onset", ("unknown", *(f"{ago} days" for ago in days)), (None, *onsets))
    places = [("eyelid",), ("calf",), ("hand",), ("face",), ("tongue",), ("calf", "hand"), ("face", "tongue")]
    patches = [_set(sites=tuple(_SITES[name] for name in names)) for names in places]
    names = [
        "not recorded",
        *(" and ".join(place) for place in places),
        "generalised",
        "face and generalised",
    ]
    # A face on record stays: a lasting twitch of it has a row beside multiple sclerosis.
    more = {(2, 6), (3, 6), (4, 7), (5, 7), (2, 8), (3, 8), (6, 8), (4, 9), (8, 9)}
    patches += [_set(generalized=True), _set(generalized=True, sites=(_SITES["face"],))]
    yield Factor("site", tuple(names), (None, *patches), frozenset(more))
    courses = ("stable", "worsening", "spreading", "continuous", "continuous and worsening")
    patches = [_set(courses=frozenset(course.split(" and "))) for course in courses]
    worse = frozenset({(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (2, 5), (4, 5)})
    yield Factor("course", ("not recorded", *courses), (None, *patches), worse)


def _ages() -> Iterator[Factor]:
    def born(years: int) -> Patch:
        day = AS_OF.replace(year=AS_OF.year - years)

        def patch(draft: Draft) -> None:
            draft.born = Days(day, day)

        return patch

    years = (4, 15, 16, 60)
    yield Factor("age", ("unknown", *(f"{age} years" for age in years)), (None, *map(born, years)))


def _drugs(table: Table) -> Iterator[Factor]:
    """One class for each set of classes that the same rows read in the same way."""
    readers: dict[str, set[str]] = {}
    for row in table.rows:
        for name in variables(row.when):
            word, _, drug_class = name.partition(" ")
            if word in ("drug", "current", "stopped") and drug_class:
                readers.setdefault(drug_class, set()).add(f"{row.id} {word}")
    alike: dict[frozenset[str], str] = {}
    for drug_class in sorted(readers):
        alike.setdefault(frozenset(readers[drug_class]), drug_class)
    for drug_class in alike.values():
        values = ("not taken", "after the twitch began", "possible", "yes", "yes, ended")
        drugs = (
            _taken(drug_class, Plausible.NO, current=True),
            _taken(drug_class, Plausible.POSSIBLE, current=True),
            _taken(drug_class, Plausible.YES, current=True),
            _taken(drug_class, Plausible.YES, current=False),
        )
        yield Factor(
            f"drug {drug_class}", values, (None, *drugs), frozenset({(0, 2), (0, 3), (1, 2), (2, 3)})
        )


def _taken(drug_class: str, plausible: Plausible, *, current: bool) -> Patch:
    start = AS_OF - timedelta(days=400)
    drug = Drug(
        drug_class, frozenset({drug_class}), plausible, "given", f"MedicationStatement/{drug_class}",
        start=Days(start, start), current=current,
    )  # fmt: skip
    return lambda draft: draft.drugs.append(drug)


def _results(table: Table) -> Iterator[Factor]:
    analytes = {name for facts in table.result_facts.values() for fact in facts for name in fact.analytes}
    below = {
        name: fact.below
        for facts in table.result_facts.values()
        for fact in facts
        if fact.below is not None
        for name in fact.analytes
    }
    tested = {name for action in table.actions.values() for name in action.analytes}
    for name in sorted(analytes & (tested | below.keys() | {"free-t4", "glucose"})):
        yield _result(name, _states_read(name, table), below.get(name))


def _states_read(analyte: str, table: Table) -> frozenset[str]:
    """The states of that analyte that facts other than "any critical result" tell apart."""
    facts = [fact for alternatives in table.result_facts.values() for fact in alternatives]
    return frozenset(fact.state for fact in facts if analyte in fact.analytes and fact.state)


def _result(name: str, read: frozenset[str], below: Decimal | None) -> Factor:
    """Directions are told apart only where a fact reads them; every analyte can be critical."""
    values: list[tuple[str, Patch | None]] = [
        ("none", None),
        ("in range", _measured(name, Band.IN_RANGE, None, 0)),
        ("low", _measured(name, Band.OUT_OF_RANGE, True, 0, below)),
        ("critically low", _measured(name, Band.CRITICAL, True, 0, below)),
    ]
    worse = {(0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}
    if read & {"low", "high"}:
        values.append(("high", _measured(name, Band.OUT_OF_RANGE, False, 0)))
        values.append(("critically high", _measured(name, Band.CRITICAL, False, 0)))
        worse |= {(0, 4), (0, 5), (1, 4), (1, 5), (4, 5)}
    if "out-of-range" in read:
        worse.add((0, len(values)))
        values.append(("low 91 days ago", _measured(name, Band.OUT_OF_RANGE, True, 91)))
    names, patches = zip(*values, strict=True)
    return Factor(f"result {name}", names, patches, frozenset(worse))


def _measured(analyte: str, band: Band, low: bool | None, ago: int, below: Decimal | None = None) -> Patch:
    result = Result(
        analyte, "1", "mmol/L", Decimal(1), AS_OF - timedelta(days=ago), None, band, low,
        reference=f"Observation/{analyte}",
        canonical=None if below is None else below - 1,
    )  # fmt: skip
    return lambda draft: draft.results.append(result)


def _orders(table: Table) -> Iterator[Factor]:
    for action in table.actions.values():
        if action.ordered_days is None:
            continue
        tests = frozenset(action.analytes or action.studies or (action.id,)) | {action.id}
        orders = [
            Order(tests, AS_OF, priority, "active", f"ServiceRequest/{action.id}")
            for priority in ("routine", "stat")
        ]
        patches = tuple(_ordered(order) for order in orders)
        yield Factor(f"order {action.id}", ("none", "routine", "stat"), (None, *patches))


def _ordered(order: Order) -> Patch:
    return lambda draft: draft.orders.append(order)


def _studies(table: Table) -> Iterator[Factor]:
    for action in table.actions.values():
        if action.studies:
            study = Study(action.studies[0], AS_OF - timedelta(days=30), f"Procedure/{action.id}")
            yield Factor(f"study {action.id}", ("none", "30 days ago"), (None, _done(study)))


def _done(study: Study) -> Patch:
    return lambda draft: draft.studies.append(study)
