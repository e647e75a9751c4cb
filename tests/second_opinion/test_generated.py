"""Generated FHIR records through the mapping and both implementations; the generator held to its reach.

AGREE_EXAMPLES=20000 draws more.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from fhir_mappings.record import Band, Basis, Plausible, Record, Status
from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.to_findings import record_of
from service.decision import decide
from tests.second_opinion.abstract import LIMITS, MEDICINES, TABLE, Measured, Person, resources_of
from tests.second_opinion.agreement import disagreements
from tests.second_opinion.expected import (
    expected_band,
    expected_finding,
    expected_onset,
    expected_open,
    expected_plausible,
)
from tests.second_opinion.opinion_knowledge import leaves, names_in
from tests.second_opinion.people import NEIGHBOURS, ROWS, THRESHOLDS, people
from tests.spec import records

EXAMPLES = int(os.environ.get("AGREE_EXAMPLES", "0"))
# The same people on every machine; more of them where asked.
DRAWN = settings(
    max_examples=EXAMPLES // len(ROWS) or 3,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def read(person: Person) -> Record:
    """The record that the mapping makes of the person's FHIR."""
    patient = {"resourceType": "Patient", "id": "p"}
    if person.born is not None:
        patient["birthDate"] = person.born.isoformat()
    if person.deceased:
        patient["deceasedBoolean"] = True
    entries = [{"resource": resource} for resource in (patient, *resources_of(person))]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    submission = decode_bundle(json.dumps(bundle).encode())
    return record_of(submission, records.KNOWLEDGE.terminology, records.DAY, records.KNOWLEDGE.reading)


@pytest.mark.parametrize("row", ROWS)
def test_both_decide_the_same_of_what_the_mapping_read(row: str) -> None:
    @DRAWN
    @given(people(row))
    def check(person: Person) -> None:
        found = disagreements(read(person), records.KNOWLEDGE.table, questions=bool(EXAMPLES))
        assert found == []

    check()


@pytest.mark.parametrize("row", ROWS)
def test_the_mapping_reads_what_was_written(row: str) -> None:
    @DRAWN
    @given(people(row))
    def check(person: Person) -> None:
        record = read(person)
        seen = record.twitch.status is Status.PRESENT and not person.deceased
        assert seen is expected_open(person)
        if seen:
            _check_findings(person, record)
            _check_medicines(person, record)
        _check_results(person, record)

    check()


def _check_findings(person: Person, record: Record) -> None:
    earliest, latest = expected_onset(person.twitch)
    assert (record.twitch.onset.earliest, record.twitch.onset.latest) == (earliest, latest)
    said = defaultdict(list)
    for statement in person.statements:
        said[statement.finding].append(statement)
    for name, statements in said.items():
        found = record.finding(name)
        word = found.basis.value if found.status is Status.PRESENT else found.status.value
        assert (name, word) == (name, expected_finding(statements, earliest))


def _check_medicines(person: Person, record: Record) -> None:
    taken = defaultdict(list)
    for made in person.medicines:
        taken[MEDICINES[made.medicine]].append(made)
    found = {name: drug for drug in record.drugs for name in drug.classes}
    for name, some in taken.items():
        expected = expected_plausible(some, expected_onset(person.twitch))
        assert (name, found[name].plausible.value if name in found else None) == (name, expected)


def _check_results(person: Person, record: Record) -> None:
    finals = defaultdict(list)
    for made in person.results:
        finals[made.analyte].append(made)
    for name, (made,) in finals.items():
        kept = [result for result in record.results if result.analyte == name]
        if made.days < -LIMITS["future_days"]:
            assert kept == []
        else:
            (result,) = kept
            assert (name, result.band.value) == (name, expected_band(made))
            assert result.day == records.DAY - timedelta(days=made.days)
            assert result.preliminary is (made.status == "preliminary")


class Reached:
    """Everything that a fixed run of the generator reached."""

    def __init__(self) -> None:
        self.fired: Counter[str] = Counter()
        self.unfired: Counter[str] = Counter()
        self.values: Counter[str] = Counter()
        self.days: Counter[int] = Counter()
        self.births: Counter[int] = Counter()
        self.beside: Counter[tuple[str, str]] = Counter()
        for row in ROWS:
            settings(DRAWN, max_examples=22)(given(people(row))(self.add))()

    def add(self, person: Person) -> None:
        record = read(person)
        decision = decide(record, records.KNOWLEDGE.table)
        fired = {row.id for row in decision.rows}
        self.fired.update(fired)
        if decision.open:
            self.unfired.update(name for name in ROWS if name not in fired and operand(name, record))
        found = record.findings.values()
        self.values.update(f"Status {finding.status.value}" for finding in found)
        self.values.update(f"Basis {finding.basis.value}" for finding in found if finding.basis)
        self.values.update(f"Plausible {drug.plausible.value}" for drug in record.drugs)
        self.values.update(f"Band {result.band.value}" for result in record.results)
        self.values.update(f"withheld {withheld.kind}" for withheld in decision.withheld)
        self.values.update(f"course {course}" for course in record.twitch.courses)
        self.values.update(f"region {region}" for region in record.twitch.regions)
        self.values[f"gate {decision.gate}"] += 1
        self.values[f"level {decision.level}"] += 1
        self.days.update(_days_of(person))
        for made in person.results:
            self.beside.update(_sides(made))
        if person.born is not None:
            shift = person.born.replace(year=person.born.year + LIMITS["child_years"]) - records.DAY
            self.births[shift.days] += 1


def operand(name: str, record: Record) -> bool:
    """Whether something that the row reads is on record, so that it might have fired."""
    row = ROWS[name]
    words = {leaf.split()[1] for leaf, _ in leaves(row["when"]) if leaf.startswith("drug ")}
    if any(words & drug.classes for drug in record.drugs):
        return True
    names = names_in(TABLE, row)
    if any(record.finding(one).status is Status.PRESENT for one in names):
        return True
    abnormal = {r.analyte for r in record.results if r.band in (Band.OUT_OF_RANGE, Band.CRITICAL)}
    measured = {
        "any-electrolyte-abnormal": set(TABLE["electrolytes"]),
        "any-electrolyte-critical": set(TABLE["electrolytes"]),
        "thyroid-result-abnormal": {"tsh"},
        "b12-result-low": {"vitamin-b12"},
    }
    if any(measured.get(one, set()) & abnormal for one in names):
        return True
    recorded = {
        "lasts-long": record.twitch.onset.known,
        "lasts-long-for-eyelid": record.twitch.onset.known,
        "several-regions": bool(record.twitch.sites),
        "tongue-site": bool(record.twitch.sites),
        "child-age": record.patient.born.known,
    }
    # The two that are read last hang on the other rows.
    return any(recorded.get(one, False) for one in names) or row.get("reads") == "last"


def _days_of(person: Person) -> list[int]:
    found = [made.days for made in person.results] + [made.start for made in person.medicines]
    found += [days for _, days, *_ in person.orders] + [days for _, days in person.studies]
    found += [statement.days for statement in person.statements]
    if person.twitch is not None and person.twitch.onset is not None:
        found.append(person.twitch.onset[1])
    return [days for days in found if days is not None]


@pytest.fixture(scope="module")
def reached() -> Reached:
    return Reached()


# A finding named alone and without a basis: on record, it fires.
ALWAYS = {
    name for name, row in ROWS.items() if isinstance(row["when"], str) and row["when"] in TABLE["findings"]
}
# Two findings of which either does.
ALWAYS |= {"pain"}


def test_every_row_fires(reached: Reached) -> None:
    assert [name for name in ROWS if not reached.fired[name]] == []


def test_every_row_stays_unfired_with_its_operand_present(reached: Reached) -> None:
    assert [name for name in ROWS if not reached.unfired[name] and name not in ALWAYS] == []
    assert set(ROWS) >= ALWAYS


@pytest.mark.parametrize("kind", [Status, Basis, Plausible, Band])
def test_every_value_is_reached(reached: Reached, kind: type[Status]) -> None:
    assert [value for value in kind if not reached.values[f"{kind.__name__} {value.value}"]] == []


def test_every_course_region_gate_level_and_kind_of_withheld_is_reached(reached: Reached) -> None:
    wanted = [f"course {name}" for name in ("worsening", "stable", "continuous", "intermittent")]
    wanted += [f"region {name}" for name in ("face", "tongue", "arms", "legs", "trunk")]
    wanted += [f"gate {name}" for name in ("", "no-twitch", "deceased", "known-disease", "unseen")]
    wanted += [f"level {name}" for name in ("none", "info", "warning", "critical")]
    wanted += [f"withheld {name}" for name in ("done", "act-on", "ordered", "child")]
    assert [name for name in wanted if not reached.values[name]] == []


def test_the_neighbours_of_every_threshold_are_drawn(reached: Reached) -> None:
    assert [days for days in NEIGHBOURS if not reached.days[days]] == []
    assert set(NEIGHBOURS) == {near for days in THRESHOLDS for near in (days - 1, days, days + 1)}
    assert [shift for shift in (-1, 0, 1) if not reached.births[shift]] == []


def test_the_limits_of_every_analyte_are_drawn_and_their_neighbours(reached: Reached) -> None:
    limits = [
        (name, f"{part} {side}")
        for name in TABLE["electrolytes"]
        for part in ("critical", "default_range")
        for side in TABLE["analytes"][name].get(part, {})
        if side in ("low", "high")
    ]
    missed = [(name, f"{limit} {way}") for name, limit in limits for way in ("below", "at", "above")]
    assert [one for one in missed if not reached.beside[one]] == []


def _sides(made: Measured) -> list[tuple[str, str]]:
    head = TABLE["analytes"][made.analyte]
    factor = Decimal(head["units"][made.unit]) if "units" in head else Decimal(1)
    found = []
    for part in ("critical", "default_range"):
        for side in ("low", "high"):
            if side in head.get(part, {}):
                apart = made.value * factor - Decimal(head[part][side])
                if abs(apart) <= 1:
                    way = "below" if apart < 0 else "above" if apart > 0 else "at"
                    found.append((made.analyte, f"{part} {side} {way}"))
    return found
