"""One record written as R4 and as another version, and what must come of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fhir_mappings.record import Record, Version
from tests.spec.records import KNOWLEDGE, as_of, concept, observation, read

PERSON = {"reference": "Patient/p"}
DOCTOR = {"reference": "Practitioner/d"}
EMG = concept("http://loinc.org", KNOWLEDGE.templates.orders["emg"]["code"]["coding"][0]["code"])
# As every version writes it, so that it tells nothing.
TWITCH = observation(
    "fasciculation",
    effectiveDateTime=None,
    effectivePeriod={"start": as_of(30)},
    issued=f"{as_of(0)}T09:00:00Z",
)


def resource(kind: str, **members: Any) -> dict[str, Any]:
    named = {"resourceType": kind, "id": "one", "subject": PERSON, **members}
    return {member: value for member, value in named.items() if value is not None}


def same(one: Mapping[str, Any], other: Mapping[str, Any], version: Version, *more: Any) -> Record:
    """Both give one record, but for the version and the type that a reference names; it is given back."""
    first, second = read(TWITCH, dict(one), *more), read(TWITCH, dict(other), *more)
    assert (first.version, second.version) == (Version.R4, version)
    renamed = replace(second, version=Version.R4)
    text = repr(renamed).replace(str(other["resourceType"]), str(one["resourceType"]))
    assert text == repr(first)
    return second
