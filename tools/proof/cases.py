"""Inputs of the reading, group by group, each with the facts that section 1 gives for it.

A group is what is recorded of one thing (the onset, the sites, one finding, one drug class). Its cases are
its whole discrete input space: every threshold and its neighbours, every subset. The expected facts are
worked out here by counting, not by the code under test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations, product

from fhir_mappings.record import Basis, Days, Drug, Plausible, Record, Site, Status
from service.decision.table import ABSENT, FALSE, TRUE, UNKNOWN, Table

AS_OF = date(2027, 3, 1)
REGIONS = ("face", "tongue", "arms", "legs", "trunk")
COURSES = ("worsening", "spreading", "continuous", "intermittent", "recurrent", "stable", "improving")
WORSE = frozenset({"worsening", "spreading", "continuous"})
UNBOUNDED = None

Patch = Callable[[Record], Record]


@dataclass(frozen=True, slots=True)
class Case:
    """One input. state names it; patch writes it into a record; facts: what it must be read as."""

    state: Mapping[str, object]
    patch: Patch
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """steps: pairs of cases of which the second is more dangerous in the sense of section 6."""

    id: str
    cases: tuple[Case, ...]
    steps: tuple[tuple[int, int], ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for case in self.cases for name in case.facts))

    def representatives(self, matter: Callable[[str], bool]) -> tuple[Case, ...]:
        """One case for each set of those facts that matter."""
        found: dict[tuple[tuple[str, str], ...], Case] = {}
        for case in self.cases:
            facts = tuple(sorted(fact for fact in case.facts.items() if matter(fact[0])))
            found.setdefault(facts, case)
        return tuple(found.values())


def day(ago: int | None) -> date | None:
    """The day so many days before the decision date."""
    return None if ago is None else AS_OF - timedelta(days=ago)


def beside(limits: Iterable[int]) -> list[int]:
    """Every threshold with its neighbours, today and tomorrow."""
    return sorted({-1, 0, *(limit + step for limit in limits for step in (-1, 0, 1))})


def spans(limits: Iterable[int]) -> list[tuple[int | None, int | None]]:
    """(earliest, latest) in days ago, each bounded or not."""
    ages = [UNBOUNDED, *beside(limits)]
    return [(one, two) for one, two in product(ages, ages) if one is None or two is None or one >= two]


def ages_within(earliest: int | None, latest: int | None, beyond: int) -> list[int]:
    """Every age in days that the onset can have; an open side reaches past every threshold."""
    return list(range(-3 if latest is None else latest, (beyond if earliest is None else earliest) + 1))


def always(ages: Iterable[int], test: Callable[[int], bool]) -> str:
    """true if that holds of every age, false if of none, else unknown."""
    answers = {test(age) for age in ages}
    return UNKNOWN if len(answers) > 1 else TRUE if answers == {True} else FALSE


def onset(table: Table) -> Group:
    """The twitch's onset and the weakness's own, from which one question is answered together."""
    limits = table.thresholds
    short, long, rapid = limits.persistent_days, limits.eyelid_days, limits.rapid_weakness_days
    beyond = max(short, long, rapid) + 3

    def case(twitch: tuple[int | None, int | None], own: tuple[int | None, int | None]) -> Case:
        ages = ages_within(*twitch, beyond)
        began = own if own != (None, None) else twitch

        def patch(record: Record) -> Record:
            weakness = replace(record.finding("weakness"), since=Days(day(own[0]), day(own[1])))
            when = Days(day(twitch[0]), day(twitch[1]))
            return replace(
                record,
                twitch=replace(record.twitch, onset=when),
                findings={**record.findings, "weakness": weakness},
            )

        return Case(
            {"onset (days ago)": twitch, "weakness since (days ago)": own},
            patch,
            {
                "lasts-long": always(ages, lambda age: age > short),
                "lasts-long-for-eyelid": always(ages, lambda age: age > long),
                "weakness-recent": always(ages_within(*began, beyond), lambda age: age <= rapid),
            },
        )

    cases = product(spans({short, long, rapid}), spans({rapid}))
    return Group("onset", tuple(case(twitch, own) for twitch, own in cases))


def subsets(items: tuple[str, ...]) -> Iterator[frozenset[str]]:
    for size in range(len(items) + 1):
        yield from map(frozenset, combinations(items, size))


def _raised(sets: list[frozenset[str]], by: Iterable[str]) -> tuple[tuple[int, int], ...]:
    place = {subset: index for index, subset in enumerate(sets)}
    return tuple(
        (index, place[subset | {more}])
        for subset, index in place.items()
        for more in by
        if more not in subset
    )


def sites() -> Group:
    """Every subset of the regions, the eyelid, a site of no region and a generalized one."""
    chosen = list(subsets((*REGIONS, "eyelid", "elsewhere", "generalized")))

    def case(subset: frozenset[str]) -> Case:
        regions = subset & frozenset(REGIONS)
        named = sorted(subset - {"generalized"})

        def patch(record: Record) -> Record:
            # Each region by both sides, which are one region.
            found = tuple(
                Site(name, name, name if name in REGIONS else None, side)
                for name in named
                for side in ("left", "right")
            )
            twitch = replace(record.twitch, sites=found, generalized="generalized" in subset)
            return replace(record, twitch=twitch)

        def said(true: bool) -> str:
            return UNKNOWN if not subset else TRUE if true else FALSE

        return Case(
            {"sites": "+".join(sorted(subset)) or "none"},
            patch,
            {
                "several-regions": said("generalized" in subset or len(regions) >= 2),
                "isolated-eyelid": said(subset == {"eyelid"}),
                "leg-site": said("legs" in subset),
                "tongue-site": said("tongue" in subset),
            },
        )

    return Group("site", tuple(map(case, chosen)), _raised(chosen, (*REGIONS, "generalized")))


def courses() -> Group:
    """Every subset of the courses."""
    chosen = list(subsets(COURSES))

    def case(subset: frozenset[str]) -> Case:
        def patch(record: Record) -> Record:
            return replace(record, twitch=replace(record.twitch, courses=subset))

        def said(word: str, *against: str) -> str:
            return TRUE if word in subset else FALSE if subset & set(against) else UNKNOWN

        return Case(
            {"courses": "+".join(sorted(subset)) or "none"},
            patch,
            {
                "worsening": said("worsening", "stable", "improving"),
                "spreading": said("spreading", "stable", "improving"),
                "continuous": said("continuous", "intermittent", "recurrent"),
            },
        )

    return Group("course", tuple(map(case, chosen)), _raised(chosen, WORSE))


def worsening(sign: str) -> Group:
    """The sign's own course: worsening, not, or not said."""

    def case(worse: bool | None) -> Case:
        def patch(record: Record) -> Record:
            found = replace(record.finding(sign), worsening=worse)
            return replace(record, findings={**record.findings, sign: found})

        said = UNKNOWN if worse is None else TRUE if worse else FALSE
        return Case({f"{sign} worsening": worse}, patch, {f"{sign}-worsening": said})

    return Group(f"{sign}'s course", tuple(map(case, (None, False, True))), ((0, 2), (1, 2)))


def age(table: Table) -> Group:
    """Birth dates about the birthday that ends childhood, and about 29 February."""
    years = table.thresholds.child_years
    birthday = date(AS_OF.year - years, AS_OF.month, AS_OF.day)
    about = {birthday + timedelta(days=step) for step in (-366, -2, -1, 0, 1, 366)}
    leap = max(year for year in range(AS_OF.year - years - 8, AS_OF.year - years + 1) if year % 4 == 0)
    days = [None, *sorted(about | {date(leap, 2, 28), date(leap, 2, 29), date(leap, 3, 1), AS_OF})]

    def reached(born: date) -> bool:
        before = (AS_OF.month, AS_OF.day) < (born.month, born.day)
        return AS_OF.year - born.year - before >= years

    def case(earliest: date | None, latest: date | None) -> Case:
        # Who was born last is youngest: between two days the answer changes once at most.
        oldest = True if earliest is None else reached(earliest)
        youngest = False if latest is None else reached(latest)
        said = UNKNOWN if oldest != youngest else FALSE if oldest else TRUE

        def patch(record: Record) -> Record:
            return replace(record, patient=replace(record.patient, born=Days(earliest, latest)))

        return Case({"born": (str(earliest), str(latest))}, patch, {"child-age": said})

    pairs = [(one, two) for one, two in product(days, days) if one is None or two is None or one <= two]
    return Group("age", tuple(case(*pair) for pair in pairs))


def finding(name: str, *, settled: bool) -> Group:
    """One finding. settled: a list was seen that would name it, so that unknown is absent."""
    unknown = ABSENT if settled else UNKNOWN
    statuses: list[tuple[Status, Basis | None, str]] = [
        (Status.UNKNOWN, None, unknown),
        (Status.ABSENT, None, ABSENT),
        (Status.ABSENT, Basis.REPORTED, ABSENT),
        (Status.ABSENT, Basis.EXAMINED, ABSENT),
        (Status.PRESENT, Basis.REPORTED, "reported"),
        (Status.PRESENT, Basis.EXAMINED, "examined"),
        (Status.PRESENT, None, "examined"),
    ]

    def case(status: Status, basis: Basis | None, said: str) -> Case:
        def patch(record: Record) -> Record:
            found = replace(record.finding(name), status=status, basis=basis)
            return replace(record, findings={**record.findings, name: found})

        return Case({name: f"{status}{f' {basis}' if basis else ''}"}, patch, {name: said})

    nothing = Case({name: "not recorded"}, lambda record: record, {name: unknown})
    cases = (nothing, *(case(*status) for status in statuses))
    steps = tuple((low, high) for low in range(6) for high in (5, 6) if low < high)
    return Group(name, cases, steps)


def drug(name: str) -> Group:
    """One class: any two medicines of it, each plausible, possible or not, current or not, or not there."""
    kinds = [None, *product(Plausible, (True, False))]

    def case(*taken: tuple[Plausible, bool]) -> Case:
        def patch(record: Record) -> Record:
            more = (Drug(name, frozenset({name}), plausible, current=now) for plausible, now in taken)
            return replace(record, drugs=(*record.drugs, *more))

        plausible = {plausible.value for plausible, _ in taken}
        best = next((word for word in ("yes", "possible", "no") if word in plausible), UNKNOWN)
        state = " and ".join(f"{p}{', current' if now else ', ended'}" for p, now in taken) or "none"
        current = TRUE if any(now for _, now in taken) else UNKNOWN
        return Case({f"drug {name}": state}, patch, {f"drug {name}": best, f"current {name}": current})

    return Group(
        f"drug {name}", tuple(case(*(k for k in pair if k is not None)) for pair in product(kinds, kinds))
    )


def potassium_raisers() -> Group:
    """What raises potassium: a current medicine that does, or medicines of which nothing was seen."""
    lists = ("medications", "medicationStatements")

    def case(unseen: frozenset[str], taken: tuple[tuple[bool, bool], ...]) -> Case:
        def patch(record: Record) -> Record:
            more = (
                Drug("another", plausible=Plausible.NO, current=now, raises_potassium=raises)
                for raises, now in taken
            )
            return replace(record, drugs=(*record.drugs, *more), not_seen=(*record.not_seen, *sorted(unseen)))

        true = len(unseen) == len(lists) or any(raises and now for raises, now in taken)
        state = {"not seen": "+".join(sorted(unseen)) or "nothing", "raises, current": taken}
        return Case(state, patch, {"raises-potassium": TRUE if true else FALSE})

    kinds = list(product((True, False), (True, False)))
    pairs: list[tuple[tuple[bool, bool], ...]] = [(), *((kind,) for kind in kinds), *product(kinds, kinds)]
    return Group("potassium", tuple(case(unseen, pair) for unseen in subsets(lists) for pair in pairs))


def base(*, conditions_seen: bool) -> Record:
    """A patient with a twitch and nothing else."""
    record = Record(AS_OF, not_seen=() if conditions_seen else ("conditions",))
    return replace(record, twitch=replace(record.twitch, status=Status.PRESENT))
