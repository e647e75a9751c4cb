"""Inputs of the reading that are results, and the recorded disorders that results answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from fhir_mappings.record import Band, Finding, Record, Result, Status
from service.decision.table import ABSENT, EXAMINED, FALSE, TRUE, UNKNOWN, Disorder, Table
from tools.proof.cases import Case, Group, beside, day

OUT = (Band.OUT_OF_RANGE, Band.CRITICAL)
RISING = (Band.IN_RANGE, Band.OUT_OF_RANGE, Band.CRITICAL)


@dataclass(frozen=True, slots=True)
class Measured:
    """A result. ago: its age in days, None = undated."""

    analyte: str
    band: Band
    ago: int | None = 0
    low: bool | None = None
    preliminary: bool = False

    @property
    def age(self) -> int:
        # An undated abnormal result is not known to be old.
        return 0 if self.ago is None else self.ago

    def __str__(self) -> str:
        direction = {True: " low", False: " high", None: ""}[self.low]
        when = "undated" if self.ago is None else f"{self.ago} days ago"
        return f"{self.analyte} {self.band}{direction}, {when}{', preliminary' if self.preliminary else ''}"

    def result(self) -> Result:
        return Result(
            self.analyte,
            "1",
            day=day(self.ago),
            band=self.band,
            low=self.low,
            preliminary=self.preliminary,
            reference=f"Observation/{self.analyte}-{self.ago}",
        )


@dataclass(frozen=True, slots=True)
class Named:
    """A recorded disorder. ago: the age of the record in days, None = undated."""

    finding: str
    status: Status
    ago: int | None = None


def case(results: Sequence[Measured], facts: Mapping[str, str], disorders: Sequence[Named] = ()) -> Case:
    """A case of those results and disorders."""

    def patch(record: Record) -> Record:
        found = {d.finding: Finding(d.finding, d.status, recorded=day(d.ago)) for d in disorders}
        return replace(
            record,
            results=(*record.results, *(m.result() for m in results)),
            findings={**record.findings, **found},
        )

    state: dict[str, object] = {"results": "; ".join(map(str, results)) or "none"}
    if disorders:
        state["disorders"] = "; ".join(
            f"{d.finding} {d.status}, recorded {d.ago} days ago" for d in disorders
        )
    return Case(state, patch, facts)


class Electrolytes:
    """The electrolytes and the disorders that name one of them, or none.

    settled: the list that would name a disorder was seen, so that one not on it is absent.
    """

    def __init__(self, table: Table, *, settled: bool) -> None:
        self.table = table
        self.unknown = ABSENT if settled else UNKNOWN
        self.analytes = table.electrolytes
        self.counting = {
            analyte: (analyte, *(a for a, counts in table.counts_as.items() if counts == analyte != a))
            for analyte in table.electrolytes
        }

    def of(self, results: Sequence[Measured], analyte: str) -> list[Measured]:
        return [m for m in results if m.analyte in self.counting[analyte]]

    def is_out(self, measured: Measured) -> bool:
        return measured.band in OUT and measured.age <= self.table.thresholds.out_of_range_days

    def is_critical(self, measured: Measured) -> bool:
        return measured.band is Band.CRITICAL and measured.age <= self.table.thresholds.critical_days

    def stands(self, named: Named, disorder: Disorder, results: Sequence[Measured]) -> bool:
        def cleared(analyte: str) -> bool:
            return any(
                m.band is Band.IN_RANGE
                and not m.preliminary
                and m.ago is not None
                and (named.ago is None or m.ago < named.ago)
                for m in self.of(results, analyte)
            )

        of = [disorder.analyte] if disorder.analyte else list(self.analytes)
        return named.status is Status.PRESENT and not all(map(cleared, of))

    def facts(self, results: Sequence[Measured], disorders: Sequence[Named]) -> dict[str, str]:
        """What section 1 and the row electrolyte-abnormal say of those."""
        known = {d.finding: d for d in self.table.disorders}
        standing = [known[n.finding] for n in disorders if self.stands(n, known[n.finding], results)]
        facts = {}
        for analyte in self.analytes:
            out = any(map(self.is_out, self.of(results, analyte)))
            facts[f"{analyte}-abnormal"] = out or any(d.analyte == analyte for d in standing)
        all_of_them = [m for analyte in self.analytes for m in self.of(results, analyte)]
        facts["any-electrolyte-abnormal"] = any(facts.values()) or bool(standing)
        facts["any-electrolyte-critical"] = any(map(self.is_critical, all_of_them))
        facts["low-sodium"] = any(
            m.low is True and self.is_out(m) for m in self.of(results, "sodium")
        ) or any(d.analyte == "sodium" and d.low is True for d in standing)
        said = {Status.PRESENT: EXAMINED, Status.ABSENT: ABSENT, Status.UNKNOWN: self.unknown}
        of = {named.finding: said[named.status] for named in disorders}
        return {
            **{name: TRUE if value else FALSE for name, value in facts.items()},
            **{disorder: of.get(disorder, self.unknown) for disorder in known},
        }

    def inputs(self) -> Iterator[tuple[tuple[Measured, ...], tuple[Named, ...]]]:
        """Each analyte alone, two results of one, each disorder with a later result, all together."""
        limits = self.table.thresholds
        ages = [None, *beside({limits.critical_days, limits.out_of_range_days})]
        yield (), ()
        for analyte in self.analytes:
            for band, ago, low, early in product(Band, ages, (None, True, False), (False, True)):
                yield (Measured(analyte, band, ago, low, early),), ()
            names = self.counting[analyte]
            for one, other in product(names, names):
                for bands in product(Band, Band):
                    yield (Measured(one, bands[0], 1, True), Measured(other, bands[1], 0, False)), ()
        for disorder in self.table.disorders:
            of = [disorder.analyte] if disorder.analyte else list(self.analytes)
            for status, noted in product(Status, (None, 10)):
                named = (Named(disorder.finding, status, noted),)
                for band, ago, early in product(Band, (None, 9, 10, 11), (False, True)):
                    yield tuple(Measured(a, band, ago, None, early) for a in of if a), named
                # All of them in range later but one.
                for missing in of:
                    yield tuple(Measured(a, Band.IN_RANGE, 9) for a in of if a and a != missing), named
        seen = (None, Band.IN_RANGE, Band.OUT_OF_RANGE, Band.CRITICAL)
        for all_bands in product(seen, repeat=len(self.analytes)):
            together = tuple(
                Measured(analyte, band, 0, True)
                for analyte, band in zip(self.analytes, all_bands, strict=True)
                if band is not None
            )
            yield together, ()
            for disorder in self.table.disorders:
                # A critical result beside a disorder that names an analyte is a result out of range.
                if disorder.analyte is None or Band.CRITICAL not in all_bands:
                    yield together, (Named(disorder.finding, Status.PRESENT),)

    def group(self) -> Group:
        inputs = list(dict.fromkeys(self.inputs()))
        place = {given: index for index, given in enumerate(inputs)}
        steps = []
        for (results, disorders), index in place.items():
            for number, measured in enumerate(results):
                for band in RISING[RISING.index(measured.band) + 1 :] if measured.band in RISING else ():
                    worse = (*results[:number], replace(measured, band=band), *results[number + 1 :])
                    if (worse, disorders) in place:
                        steps.append((index, place[worse, disorders]))
            for number, named in enumerate(disorders):
                present = (
                    *disorders[:number],
                    replace(named, status=Status.PRESENT),
                    *disorders[number + 1 :],
                )
                if named.status is not Status.PRESENT and (results, present) in place:
                    steps.append((index, place[results, present]))
        cases = tuple(case(results, self.facts(results, named), named) for results, named in inputs)
        return Group("electrolytes", cases, tuple(steps))


def other_results(table: Table, feature: str, analytes: Sequence[str], days: int, *, low: bool) -> Group:
    """One or two results of those analytes. low: only below the range counts."""
    ages = [None, *beside({days})]

    def facts(*results: Measured) -> dict[str, str]:
        true = any(m.band in OUT and m.age <= days and (not low or m.low is True) for m in results)
        return {feature: TRUE if true else FALSE}

    def inputs() -> Iterator[tuple[Measured, ...]]:
        yield ()
        for analyte, band, ago, direction, early in product(
            analytes, Band, ages, (None, True, False), (False, True)
        ):
            yield (Measured(analyte, band, ago, direction, early),)
        for one, other in product(analytes, analytes):
            for bands in product(Band, Band):
                yield Measured(one, bands[0], 1, True), Measured(other, bands[1], days + 1, True)

    found = list(dict.fromkeys(inputs()))
    place = {given: index for index, given in enumerate(found)}
    steps = [
        (index, place[worse])
        for given, index in place.items()
        if len(given) == 1 and given[0].band in RISING
        for band in RISING[RISING.index(given[0].band) + 1 :]
        if (worse := (replace(given[0], band=band),)) in place
    ]
    return Group(feature, tuple(case(given, facts(*given)) for given in found), tuple(steps))
