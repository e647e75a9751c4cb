"""What came in, still raw, and where it stood: the seam between the envelope and the reading.

A submission is a bundle or a prefetch. Its entries stay undecoded until the mapping knows it needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from fhir_mappings.findings import Note

T = TypeVar("T")

# Where the places of what came from the caller's FHIR server begin.
FETCHED = "fhirServer."


class Meta(msgspec.Struct, frozen=True, gc=False):
    """What tells one version of a resource from another."""

    lastUpdated: str | None = None
    versionId: str | None = None


class Head(msgspec.Struct, frozen=True, gc=False):
    """What tells one resource from another."""

    resourceType: str | None = None
    id: str | None = None
    meta: Meta | None = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One resource, raw. expression: its place, such as "Bundle.entry[3].resource".

    head: read once for all who ask; None where it could not be read. draft: it stands in the hook's context
    as a draft and is not part of the record yet. selected: it is one of those that the user is at.
    """

    raw: msgspec.Raw
    expression: str
    full_url: str | None = None
    head: Head | None = None
    draft: bool = False
    selected: bool = True


@dataclass(frozen=True, slots=True)
class Submission:
    """All entries of one request.

    not_seen: prefetch keys of lists that were not supplied. patient_id: the bare id that the caller names;
    None where the bundle itself must say.
    not_understood: entries that were not even readable as an object.
    """

    entries: tuple[Entry, ...] = ()
    not_seen: tuple[str, ...] = ()
    patient_id: str | None = None
    not_understood: tuple[Note, ...] = ()


class Located(msgspec.Struct, Generic[T], frozen=True):
    """A decoded resource and its place.

    reference: "Condition/abc", or its expression where it has no id. names: every string by which another
    resource of the submission may refer to it ("Medication/m1", "urn:uuid:…", the absolute URL).
    """

    resource: T
    reference: str
    expression: str
    draft: bool = False
    names: tuple[str, ...] = ()
    selected: bool = True


class PatientError(ValueError):
    """The submission is well-formed but is not about one patient.

    kind: "none" or "several". The message names no id.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
