"""What can vary about a patient, every value that the table can tell apart among it.

A facet is one thing about a patient that can vary; a state picks a value of some of them. Numbers are the
table's own, each with its two neighbours: a `<` that became a `<=` shows only there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, product
from typing import Any

from fhir_mappings.record import (
    Band,
    Basis,
    Days,
    Drug,
    Evidence,
    Finding,
    Note,
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
from tests.second_opinion.opinion_knowledge import actions_of, knowledge, leaves

TODAY = date(2026, 11, 24)
TABLE = knowledge()
LIMITS: Mapping[str, int] = TABLE["thresholds"]
ACTIONS: Mapping[str, dict[str, Any]] = {action["id"]: action for action in TABLE["actions"]}
# A day on which a result, a study, a medicine or an onset can stand, with others just beside it.
MEETING = 100


def around(*numbers: int) -> tuple[int, ...]:
    """Each number with its neighbours, none below a day to come."""
    return tuple(sorted({near for number in numbers for near in (number - 1, number, number + 1)}))


def days_ago(days: int | None) -> date | None:
    return None if days is None else TODAY - timedelta(days=days)


def interval(earliest: int | None, latest: int | None) -> Days:
    return Days(days_ago(earliest), days_ago(latest))


ADULT = Patient(id="p", born=Days(date(1980, 1, 1), date(1980, 1, 1)))
TWITCH = Twitch(
    Status.PRESENT,
    evidence=(Evidence("Condition/t", "Condition.code", "twitching", Status.PRESENT),),
    references=("Condition/t",),
)


@dataclass
class Sketch:
    """A record in the making."""

    findings: dict[str, Finding] = field(default_factory=dict)
    drugs: list[Drug] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    studies: list[Study] = field(default_factory=list)
    patient: Patient = ADULT
    twitch: Twitch = TWITCH
    not_seen: tuple[str, ...] = ()
    unread: tuple[Note, ...] = ()

    def record(self) -> Record:
        return Record(
            as_of=TODAY,
            patient=self.patient,
            twitch=self.twitch,
            findings=self.findings,
            drugs=tuple(self.drugs),
            results=tuple(self.results),
            orders=tuple(self.orders),
            studies=tuple(self.studies),
            not_seen=self.not_seen,
            unread=self.unread,
        )


Change = Callable[[Sketch], None]


def _finding(name: str, status: Status, basis: Basis | None = None, **more: Any) -> Change:
    def change(sketch: Sketch) -> None:
        before = sketch.findings.get(name, Finding(name))
        sketch.findings[name] = replace(before, status=status, basis=basis, **more)

    return change


def _attributes(name: str, **more: Any) -> Change:
    def change(sketch: Sketch) -> None:
        sketch.findings[name] = replace(sketch.findings.get(name, Finding(name)), **more)

    return change


def _findings() -> Iterator[tuple[str, list[Change]]]:
    """What the table reads, each examined (lately, on the meeting day and beside it), reported and absent."""
    rows = [row["when"] for row in TABLE["rows"]] + [a["unless"] for a in TABLE["self_care"] if "unless" in a]
    read = {leaf.split()[0] for condition in rows for leaf, _ in leaves(condition)}
    read |= {advice["trigger"] for advice in TABLE["self_care"]} | set(TABLE["closes_gate"])
    read |= {name for name, head in TABLE["findings"].items() if {"analyte", "any_electrolyte"} & set(head)}
    for name in sorted(read & set(TABLE["findings"])):
        changes = [
            _finding(
                name, Status.PRESENT, Basis.EXAMINED, first_examined=days_ago(day), recorded=days_ago(day)
            )
            for day in (0, *around(MEETING), None)
        ]
        changes += [
            _finding(name, Status.PRESENT, Basis.REPORTED, recorded=days_ago(day))
            for day in (0, *around(MEETING))
        ]
        changes += [
            # Seen once, not seen since, and told again.
            _finding(name, Status.PRESENT, Basis.REPORTED, first_examined=days_ago(MEETING), recorded=TODAY),
            _finding(name, Status.PRESENT, Basis.REPORTED, suspected=True),
            _finding(name, Status.ABSENT, Basis.EXAMINED, recorded=TODAY),
            _finding(name, Status.ABSENT, Basis.REPORTED, recorded=TODAY),
        ]
        yield name, changes


def _drug(name: str, **more: Any) -> Change:
    return lambda sketch: sketch.drugs.append(Drug(name, classes=frozenset({name}), **more))


def _drugs() -> Iterator[tuple[str, list[Change]]]:
    conditions = [row["when"] for row in TABLE["rows"]]
    conditions += [a["when"] for row in TABLE["rows"] for a in actions_of(row) if "when" in a]
    words = (leaf.split() for condition in conditions for leaf, _ in leaves(condition))
    classes = {word[1] for word in words if word[0] in ("drug", "current")}
    starts = (
        Days(),
        *(interval(day, day) for day in around(MEETING, 10)),
        interval(20, 9),
        interval(20, None),
    )
    for name in sorted({*classes, "corticosteroid-inhaled"}):
        yield (
            f"drug {name}",
            [
                _drug(name, plausible=plausible, start=start, current=current)
                for plausible, start, current in product(Plausible, starts, (True, False))
            ],
        )
    yield (
        "raises potassium",
        [
            lambda sketch: sketch.drugs.append(
                Drug("ramipril", plausible=Plausible.NO, raises_potassium=True, current=True)
            ),
            lambda sketch: sketch.drugs.append(
                Drug("ramipril", plausible=Plausible.NO, raises_potassium=True, current=False)
            ),
        ],
    )


def result_days() -> tuple[int | None, ...]:
    """The ages of results that the table can tell apart, and the meeting day."""
    limits = ("out_of_range_days", "critical_days", "low_b12_days", "thyroid_days", "benign_test_days")
    done = [action["done_days"] for action in ACTIONS.values() if "done_days" in action]
    return (None, -1, 0, *around(MEETING, 10, *done, *(LIMITS[name] for name in limits)))


def result(analyte: str, band: Band, day: int | None, low: bool | None, preliminary: bool = False) -> Result:
    return Result(
        analyte,
        text="1",
        unit="mmol/L",
        value=Decimal(1),
        day=days_ago(day),
        band=band,
        low=low if band in (Band.OUT_OF_RANGE, Band.CRITICAL) else None,
        preliminary=preliminary,
        reference=f"Observation/{analyte}{'-p' if preliminary else ''}",
    )


def _result(*values: Any, **more: Any) -> Change:
    return lambda sketch: sketch.results.append(result(*values, **more))


def analytes() -> list[str]:
    """Every analyte that a condition or an action reads."""
    asked = {analyte for action in ACTIONS.values() for analyte in action.get("analytes", ())}
    return sorted(asked | {"calcium-ionised", "free-t4", "total-t4", "free-t3"})


def _results() -> Iterator[tuple[str, list[Change]]]:
    for analyte in analytes():
        yield (
            f"result {analyte}",
            [
                _result(analyte, band, day, low)
                for band, day in product(Band, result_days())
                for low in ((True, False, None) if band in (Band.OUT_OF_RANGE, Band.CRITICAL) else (None,))
            ],
        )
        yield (
            f"preliminary {analyte}",
            [_result(analyte, band, day, True, preliminary=True) for band, day in product(Band, (0, 3))],
        )


def _order(tests: frozenset[str], number: str, **more: Any) -> Change:
    return lambda sketch: sketch.orders.append(
        Order(tests, reference=f"ServiceRequest/{number}-{len(sketch.orders)}", **more)
    )


def _orders() -> Iterator[tuple[str, list[Change]]]:
    tests = {test for action in ACTIONS.values() for test in action.get("analytes", ())}
    tests |= {test for action in ACTIONS.values() for test in action.get("studies", ())}
    tests |= {name for name, action in ACTIONS.items() if "ordered_days" in action}
    days = (None, 0, *around(*{a["ordered_days"] for a in ACTIONS.values() if "ordered_days" in a}))

    panels = [frozenset({test}) for test in sorted(tests)]
    panels += [frozenset(ACTIONS["electrolytes"]["analytes"]), frozenset({"sodium", "potassium"})]
    for panel in panels:
        name = "+".join(sorted(panel))
        changes = [
            _order(panel, name, day=days_ago(day), priority=priority)
            for day, priority in product(days, (None, "routine", "urgent", "asap", "stat"))
        ]
        changes += [
            _order(panel, name, day=days_ago(day), priority=priority, status="draft", draft=True)
            for day, priority in product((None, 0, 400), (None, "urgent"))
        ]
        yield f"order {name}", changes


def _studies() -> Iterator[tuple[str, list[Change]]]:
    def study(name: str, day: int | None) -> Change:
        return lambda sketch: sketch.studies.append(Study(name, days_ago(day), f"Procedure/{name}"))

    for name in sorted({study for action in ACTIONS.values() for study in action.get("studies", ())}):
        days = (None, 0, *around(MEETING, LIMITS["study_days"]))
        yield f"study {name}", [study(name, day) for day in days]


def onsets() -> list[Days]:
    """Exact onsets beside each limit, intervals across each, and half-open ones."""
    limits = [LIMITS[name] for name in ("persistent_days", "eyelid_days", "rapid_weakness_days")]
    exact = [interval(day, day) for day in (0, *around(*limits, MEETING, LIMITS["benign_test_days"]))]
    wide = [
        interval(limit + far, limit + near) for limit in limits for far, near in ((1, 0), (2, 1), (0, -1))
    ]
    wide += [interval(120, 5), interval(40, 20), interval(20, 5)]
    half = [interval(None, day) for day in around(*limits)] + [interval(day, None) for day in around(*limits)]
    return [*exact, *wide, *half]


SITES = {
    "eyelid": (Site("eyelid", "eyelid"),),
    "face": (Site("face", "face", "face"),),
    "tongue": (Site("tongue", "tongue", "tongue"),),
    "hand": (Site("hand", "hand", "arms"),),
    "hand and forearm": (Site("hand", "hand", "arms", "left"), Site("forearm", "forearm", "arms", "right")),
    "calf": (Site("calf", "calf", "legs"),),
    "trunk": (Site("trunk", "trunk", "trunk"),),
    "hand and calf": (Site("hand", "hand", "arms"), Site("calf", "calf", "legs")),
    "face and tongue": (Site("face", "face", "face"), Site("tongue", "tongue", "tongue")),
    "eyelid and hand": (Site("eyelid", "eyelid"), Site("hand", "hand", "arms")),
    "two eyelids": (Site("eyelid", "eyelid", None, "left"), Site("eyelid", "eyelid", None, "right")),
}
COURSES = (
    "worsening",
    "spreading",
    "continuous",
    "intermittent",
    "recurrent",
    "stable",
    "improving",
    "persistent",
)


def _twitch(**more: Any) -> Change:
    def change(sketch: Sketch) -> None:
        sketch.twitch = replace(sketch.twitch, **more)

    return change


def _patient(**more: Any) -> Change:
    def change(sketch: Sketch) -> None:
        sketch.patient = replace(sketch.patient, **more)

    return change


def births() -> list[Days]:
    """Birth days on which childhood ended yesterday, today and tomorrow; others; and imprecise ones."""
    years = LIMITS["child_years"]
    birthday = TODAY.replace(year=TODAY.year - years)
    beside = [birthday + timedelta(days=shift) for shift in (-1, 0, 1)]
    exact = [Days(day, day) for day in (*beside, date(2020, 2, 29), date(1950, 1, 1))]
    return [*exact, Days(beside[0], beside[2]), Days(beside[0], beside[1]), Days(beside[2], None), Days()]


def _together(*changes: Change) -> Change:
    def change(sketch: Sketch) -> None:
        for one in changes:
            one(sketch)

    return change


def _meetings() -> Iterator[tuple[str, list[Change]]]:
    """What facets seldom draw at once: every test of a duration answered; a disorder cleared or not."""
    asked = (*ACTIONS["electrolytes"]["analytes"], *ACTIONS["thyroid"]["analytes"])

    def measured(names: Iterable[str], day: int) -> list[Change]:
        return [_result(name, Band.IN_RANGE, day, None) for name in names]

    def lasting(onset: int, day: int) -> Change:
        return _together(_twitch(onset=interval(onset, onset)), *measured(asked, day))

    benign = LIMITS["benign_test_days"]
    days = [
        (20, 3),
        *((MEETING, near) for near in around(MEETING)),
        *((400, near) for near in around(benign)),
    ]
    order = _order(frozenset(asked), "all", day=days_ago(3))
    yield (
        "duration and its tests",
        [*(lasting(*both) for both in days), _together(_twitch(onset=interval(20, 20)), order)],
    )
    disorders = {
        name: [head["analyte"]] if "analyte" in head else TABLE["electrolytes"]
        for name, head in TABLE["findings"].items()
        if {"analyte", "any_electrolyte"} & set(head)
    }
    recorded = {
        name: _finding(name, Status.PRESENT, Basis.EXAMINED, recorded=days_ago(MEETING)) for name in disorders
    }
    yield (
        "disorder and its result",
        [
            _together(recorded[name], *measured(names, near))
            for name, names in disorders.items()
            for near in around(MEETING)
        ],
    )


def _not_seen(*names: str) -> Change:
    def change(sketch: Sketch) -> None:
        sketch.not_seen = tuple(sorted({*sketch.not_seen, *names}))

    return change


def _unread(sketch: Sketch) -> None:
    sketch.unread = (Note("Bundle.entry[0]", "has no resourceType"),)


def _whole() -> Iterator[tuple[str, list[Change]]]:
    yield "onset", [_twitch(onset=onset) for onset in onsets()]
    yield "site", [_twitch(sites=sites) for sites in SITES.values()]
    # Two facets that one row reads together.
    days = around(LIMITS["eyelid_days"])
    yield "eyelid since", [_twitch(sites=SITES["eyelid"], onset=interval(day, day)) for day in days]
    yield "generalized", [_twitch(generalized=True)]
    pairs = [frozenset(some) for size in (1, 2) for some in combinations(COURSES, size)]
    yield "course", [_twitch(courses=courses) for courses in pairs]
    yield "born", [_patient(born=born) for born in births()]
    starts = around(LIMITS["rapid_weakness_days"])
    since = [interval(day, day) for day in starts] + [
        interval(40, 20),
        interval(None, 20),
        interval(None, 29),
    ]
    yield "weakness since", [_attributes("weakness", since=days) for days in since]
    for sign in ("weakness", "atrophy"):
        yield f"{sign} course", [_attributes(sign, worsening=worse) for worse in (True, False)]


def _gate() -> Iterator[tuple[str, list[Change]]]:
    yield "deceased", [_patient(deceased=True)]
    yield "no twitch", [_twitch(status=status) for status in (Status.ABSENT, Status.UNKNOWN)]
    lists = ("conditions", "findings", "labs", "medications", "medicationStatements", "orders")
    yield "not read", [_unread]
    yield "not seen", [_not_seen(*some) for size in (1, 2) for some in combinations(lists, size)]


# Present first, then what is said of it: the order in which a state applies its changes.
FACETS: Mapping[str, list[Change]] = {
    name: changes
    for made in (_findings(), _drugs(), _results(), _orders(), _studies(), _whole(), _meetings())
    for name, changes in made
}
GATE_FACETS: Mapping[str, list[Change]] = dict(_gate())
