"""A plain patient as the Record of the service."""

from __future__ import annotations

from collections.abc import Mapping
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

Plain = Mapping[str, Any]


def _days(made: Plain | None) -> Days | None:
    return None if made is None else Days(made["earliest"], made["latest"])


def _basis(made: str | None) -> Basis | None:
    return None if made is None else Basis(made)


def _finding(name: str, made: Plain) -> Finding:
    return Finding(
        name,
        **{
            **made,
            "status": Status(made["status"]),
            "basis": _basis(made["basis"]),
            "since": _days(made["since"]),
            "start": _days(made["start"]),
            "evidence": tuple(
                Evidence(**{**e, "status": Status(e["status"]), "basis": _basis(e["basis"])})
                for e in made["evidence"]
            ),
        },
    )


def record_of(made: Plain) -> Record:
    twitch, patient = made["twitch"], made["patient"]
    seen = Evidence("Condition/t", "Condition.code", "twitching", Status.PRESENT)
    return Record(
        as_of=made["as_of"],
        patient=Patient(**{**patient, "born": _days(patient["born"])}),
        twitch=Twitch(
            **{
                **twitch,
                "status": Status(twitch["status"]),
                "onset": _days(twitch["onset"]),
                "sites": tuple(Site(**site) for site in twitch["sites"]),
                "courses": frozenset(twitch["courses"]),
                "evidence": (seen,),
                "references": ("Condition/t",),
            }
        ),
        findings={name: _finding(name, one) for name, one in made["findings"].items()},
        drugs=tuple(
            Drug(
                **{
                    **one,
                    "classes": frozenset(one["classes"]),
                    "plausible": Plausible(one["plausible"]),
                    "start": _days(one["start"]),
                    "end": _days(one["end"]),
                }
            )
            for one in made["drugs"]
        ),
        results=tuple(Result(**{**one, "band": Band(one["band"])}) for one in made["results"]),
        orders=tuple(Order(**{**one, "tests": frozenset(one["tests"])}) for one in made["orders"]),
        studies=tuple(Study(**one) for one in made["studies"]),
        not_seen=tuple(made["not_seen"]),
        unread=tuple(Note("Bundle.entry[0]", "has no resourceType") for _ in made["unread"]),
    )
