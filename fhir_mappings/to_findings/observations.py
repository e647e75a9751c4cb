"""Observations with what all their readers ask of them first: signs, results and studies."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import CodeKey


class Observed(msgspec.Struct, frozen=True, gc=False):
    """An Observation. status: as a word. keys: of its code. components: those that are there."""

    resource: fhir.Observation
    reference: str
    status: str
    keys: list[CodeKey]
    components: list[fhir.Component]


def observed(observations: Iterable[Located[fhir.Observation]]) -> list[Observed]:
    """Each Observation, its code and status read once."""
    return [
        Observed(
            located.resource,
            located.reference,
            (located.resource.status or "").strip().lower(),
            keys_of(located.resource.code),
            [one for one in located.resource.component or () if one is not None],
        )
        for located in observations
    ]
