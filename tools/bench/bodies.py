"""The requests that every contender is sent: patient-view calls with generated records.

The same arguments give the same bytes, as long as the knowledge is the same.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.vignettes.dialects import icd, snomed
from tests.vignettes.envelopes import grouped
from tests.vignettes.medicine_codes import DRUG_TEXTS
from tests.vignettes.patient import AS_OF, BY_ID, NORMAL, Course, Ordered, Person, Statement, Twitch
from tests.vignettes.resources import (
    Resource,
    patient,
)
from tools.bench.record import MIX, Record

EXTENSION = "org.fasciculation-cds"
# Resources in the record of one patient: log-normal around this median, within these limits.
SMALLEST, USUAL, LARGEST, SPREAD = 12, 75, 900, 0.95


@dataclass(frozen=True)
class Body:
    """A request. name: what the report calls it; resources: in its prefetch."""

    name: str
    resources: int
    content: bytes


def hospital_patients(count: int = 200, seed: int = 1) -> list[Body]:
    """Calls for that many different patients, one of fifty with a twitch."""
    chance = random.Random(seed)
    return [
        hospital_patient(chance, f"h{seed}-{number}", twitches=number % 50 == 25) for number in range(count)
    ]


def twitching_patients(count: int = 100, seed: int = 1) -> list[Body]:
    """Calls for that many different patients who twitch, half of them examined, with tests on file."""
    chance = random.Random(seed)
    return [hospital_patient(chance, f"t{seed}-{number}", twitches=True) for number in range(count)]


def patient_view(resources: int, seed: int = 1) -> Body:
    """The call for an examined patient who twitches, with known laboratory values; at least 18 resources."""
    chance = random.Random(seed)
    person = _person(chance, f"p{seed}", twitches=True)
    person = replace(
        person,
        twitch=Twitch(sites=("calf",), onset=10, courses=("intermittent", "stable")),
        statements=tuple(Statement(name, present=False) for name in NORMAL),
        drugs={"hydrochlorothiazide": Course(240), "sertraline": Course(90)},
        orders={"emg": Ordered(6)},
        studies={},
    )
    return _body(Record(chance, person, twitches=True), snomed, resources, recent=3)


def hospital_patient(chance: random.Random, patient_id: str, *, twitches: bool, usual: int = USUAL) -> Body:
    """The call for a patient drawn by that chance. usual: the median of the number of resources."""
    resources = round(usual * chance.lognormvariate(0, SPREAD))
    record = Record(chance, _person(chance, patient_id, twitches=twitches), twitches=twitches)
    dialect = chance.choice((snomed, snomed, icd))
    return _body(
        record,
        dialect,
        min(max(resources, min(SMALLEST, usual)), LARGEST),
        recent=chance.randint(1, 8) if twitches else 0,
    )


def _person(chance: random.Random, patient_id: str, *, twitches: bool) -> Person:
    """A patient as typed values; of one who does not twitch, only birth date and sex count."""
    person = replace(
        BY_ID["v44"],
        id=patient_id,
        age_months=chance.randint(18 * 12, 92 * 12),
        sex=chance.choice(("female", "male")),
    )
    if not twitches:
        return person
    examined = chance.random() < 0.5
    site = chance.choice(("calf", "thigh", "forearm", "hand", "lower-eyelid", "tongue"))
    courses = chance.choice(((), ("intermittent", "stable"), ("continuous", "worsening")))
    drugs = chance.sample(sorted(DRUG_TEXTS), chance.randint(0, 5))
    ordered = chance.sample(("emg", "ncs", "potassium", "tsh", "neurology-referral"), chance.randint(0, 2))
    return replace(
        person,
        twitch=Twitch(sites=(site,), onset=chance.randint(2, 400), courses=courses),
        statements=tuple(
            Statement(name, present=chance.random() < 0.1, days=chance.choice((0, 0, 5)))
            for name in NORMAL
            if examined and chance.random() < 0.9
        ),
        drugs={drug: Course(chance.randint(5, 900)) for drug in drugs},
        orders={test: Ordered(chance.randint(1, 40)) for test in ordered},
        studies={"emg": chance.randint(10, 300)} if chance.random() < 0.2 else {},
    )


def _body(record: Record, dialect: Callable[[Person], Resource], resources: int, recent: int) -> Body:
    """The call with that many resources; recent: known laboratory values of the last weeks among them."""
    person = record.person
    found = [patient(person)]
    if record.twitches:
        found = [entry["resource"] for entry in dialect(person)["entry"]]
    found += [record.known_lab(days=record.chance.randint(1, 25)) for _ in range(recent)]
    sorts = list(MIX)
    for sort in record.chance.choices(sorts, list(MIX.values()), k=max(0, resources - len(found))):
        found.append(getattr(record, sort)())
    dressed = [found[0], *(record.dressed(resource) for resource in found[1:])]
    if record.replaced:
        # The older versions of two resources are in the lists as well, in the place of others.
        dressed[-2:] = [record.older(dressed[place]) for place in (len(dressed) // 3, len(dressed) // 2)]
    call = {
        "hookInstance": str(uuid.UUID(int=record.chance.getrandbits(128), version=4)),
        "hook": "patient-view",
        "context": {"userId": "Practitioner/example", "patientId": person.id},
        # The day of the decision, so that the record does not age; HealthChain reads no such extension.
        "extension": {EXTENSION: {"asOf": AS_OF.isoformat()}},
        "prefetch": grouped(person, dressed),
    }
    return Body(f"{resources} resources", len(dressed), json.dumps(call, separators=(",", ":")).encode())
