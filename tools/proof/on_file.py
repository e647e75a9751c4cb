"""What is on file and removes an action: results, orders and studies about every threshold of section 4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from fhir_mappings.record import (
    Band,
    Basis,
    Days,
    Drug,
    Finding,
    Order,
    Plausible,
    Record,
    Site,
    Status,
    Study,
)
from service.decision.table import Action, Row, Table
from tools.proof.cases import AS_OF, base, day
from tools.proof.result_cases import OUT, Measured

URGENT = ("urgent", "asap", "stat")
PRIORITIES = (None, "routine", *URGENT)


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order. ago: its age in days, None = undated. test: what its code names."""

    test: str
    ago: int | None = 1
    priority: str | None = None
    draft: bool = False

    def order(self) -> Order:
        draft = "draft" if self.draft else "active"
        name = f"ServiceRequest/{self.test}-{self.ago}-{self.priority}-{draft}"
        return Order(frozenset({self.test}), day(self.ago), self.priority, draft, name, draft=self.draft)

    def counts(self, action: Action) -> bool:
        limit = action.ordered_days
        return self.draft or (self.ago is not None and (limit is None or self.ago <= limit))


@dataclass(frozen=True, slots=True)
class Asking:
    """A record in which rows ask for an action, and how old things are in it.

    onset: the latest possible onset in days ago. start: the start of a plausible medicine.
    """

    name: str
    record: Record
    onset: int | None = None
    start: int | None = None


def _found(name: str, basis: Basis, first: int | None = None) -> Finding:
    return Finding(name, Status.PRESENT, basis, first_examined=day(first), recorded=AS_OF)


def patients(table: Table) -> Iterator[Asking]:
    """Records that fire every row in one way or another, together and apart: who asks differs in each."""
    blank = base(conditions_seen=True)
    limits = table.thresholds

    def of(record: Record, *, onset: int | None = None, site: str = "", **found: Basis) -> Record:
        names = {name.replace("_", "-"): basis for name, basis in found.items()}
        sites = (Site(site, site, None if site == "eyelid" else site),) if site else ()
        return replace(
            record,
            findings={name: _found(name, basis, 0) for name, basis in names.items()},
            twitch=replace(record.twitch, onset=Days(day(onset), day(onset)), sites=sites),
        )

    def aged(record: Record, years: int) -> Record:
        born = AS_OF.replace(year=AS_OF.year - years)
        return replace(record, patient=replace(record.patient, born=Days(born, born)))

    seen, told = Basis.EXAMINED, Basis.REPORTED
    long = limits.persistent_days + 1
    yield Asking("nothing", blank)
    yield Asking("twitching for long", of(blank, onset=long), onset=long)
    yield Asking("twitching for a year", of(blank, onset=400), onset=400)
    eyelid = limits.eyelid_days + 1
    yield Asking("an eyelid for long", of(blank, onset=eyelid, site="eyelid"), onset=eyelid)
    yield Asking("for long, and pain", of(blank, onset=long, pain=told), onset=long)
    yield Asking("weakness told", of(blank, weakness=told))
    every = of(blank, weakness=seen, atrophy=seen, sensory_loss=seen, coordination=seen, malabsorption=seen)
    yield Asking("every sign", every)
    yield Asking("every sign, a child", aged(every, limits.child_years - 1))
    yield Asking("a tongue", of(blank, site="tongue"))
    yield Asking("a tongue and multiple sclerosis", of(blank, site="tongue", multiple_sclerosis=seen))
    yield Asking("multiple sclerosis", of(blank, multiple_sclerosis=seen))
    yield Asking("thyroid disease", of(blank, thyroid_disease=seen))
    cramps = of(blank, cramps=told)
    twitch = replace(cramps.twitch, generalized=True, courses=frozenset({"continuous"}))
    yield Asking("continuous, widespread, cramps", replace(cramps, twitch=twitch))
    asking = {name for row in table.rows for name in row.drug_classes if row.actions}
    for start, plausible in product((None, 10), Plausible):
        for name in sorted(asking)[:: len(asking) - 1 or 1]:
            drug = Drug(name, frozenset({name}), plausible, start=Days(day(start), day(start)))
            known = None if plausible is Plausible.NO else start
            yield Asking(f"{name}, {plausible}", replace(blank, drugs=(drug,)), start=known)


def results_of(table: Table, action: Action, asking: Asking, analyte: str) -> Iterator[tuple[Measured, ...]]:
    """No result of that analyte, and one about every threshold that bears on the action."""
    limits = table.thresholds
    bounds = {action.done_days, limits.benign_test_days, limits.critical_days, limits.out_of_range_days}
    bounds |= {asking.onset, asking.start}
    ages = sorted({limit + step for limit in bounds if limit is not None for step in (-1, 0, 1)})
    yield ()
    for band, ago in product(Band, (None, 0, *ages)):
        yield (Measured(analyte, band, ago),)
    yield (Measured(analyte, Band.IN_RANGE, 0, preliminary=True),)
    yield (Measured(analyte, Band.CRITICAL, 0, preliminary=True), Measured(analyte, Band.IN_RANGE, 1))


def orders_of(action: Action, tests: Sequence[str]) -> Iterator[tuple[Ordered, ...]]:
    """No order, one about the threshold in each priority, and two of which the older is urgent."""
    limit = action.ordered_days or 0
    yield ()
    for test in (*tests, "another-test"):
        for ago, priority in product((None, 0, limit, limit + 1), PRIORITIES):
            yield (Ordered(test, ago, priority),)
        for priority in PRIORITIES:
            yield (Ordered(test, None, priority, draft=True),)
        yield Ordered(test, 1, "routine"), Ordered(test, 2, "urgent")


def studies_of(table: Table, action: Action) -> Iterator[tuple[Study, ...]]:
    """No study, one about the threshold, two of one day."""
    limit = table.thresholds.study_days
    yield ()
    for name in (*action.studies, "another-study"):
        for ago in (None, 0, 1, limit, limit + 1):
            yield (Study(name, day(ago), f"Procedure/{name}"),)
    yield tuple(Study(name, day(1), f"Procedure/{name}") for name in action.studies)
    yield tuple(Study(name, day(ago), f"Procedure/{name}-{ago}") for name in action.studies for ago in (1, 5))


def done(
    table: Table,
    action: Action,
    asking: Asking,
    rows: Iterable[Row],
    mine: Sequence[Measured],
    *,
    abnormal: bool,
) -> bool:
    """Section 4.1 by counting: whether one of those results makes another needless."""
    if action.done_days is None or (action.repeat_abnormal and abnormal):
        return False
    rows = tuple(rows)
    duration_alone = all(row.downgraded_when_tests_done for row in rows)
    drugs = frozenset(name for row in rows for name in row.drug_classes)
    bound = asking.start if any(drug.classes & drugs for drug in asking.record.drugs) else None
    for m in mine:
        # What could not be judged may be abnormal.
        if m.preliminary or m.ago is None or m.band is Band.NOT_JUDGED:
            continue
        if m.ago <= action.done_days and (bound is None or m.ago <= bound):
            return True
        since = asking.onset is not None and m.ago <= asking.onset
        if (
            duration_alone
            and m.band is Band.IN_RANGE
            and since
            and m.ago <= table.thresholds.benign_test_days
        ):
            return True
    return False


def still_out(table: Table, measured: Measured) -> bool:
    return measured.band in OUT and measured.age <= table.thresholds.out_of_range_days
