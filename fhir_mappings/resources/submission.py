"""What came in, still raw, and where it stood: the seam between the envelope and the reading.

A submission is a bundle or a prefetch. Its entries stay undecoded until the mapping knows it needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.resources.preview import Head, Look
from fhir_mappings.resources.references import names_of

T = TypeVar("T")

# Where the places of what came from the caller's FHIR server begin.
FETCHED = "fhirServer."
_LONGEST_ID = 256


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One resource, raw. place: of its Bundle, or its own where it stands in none; number: in the Bundle.

    head: read once for all who ask; None where it could not be read. draft: it stands in the hook's context
    as a draft and is not part of the record yet. selected: it is one of those that the user is at.
    """

    raw: msgspec.Raw
    place: str
    number: int | None = None
    full_url: str | None = None
    head: Look | Head | None = None
    draft: bool = False
    selected: bool = True

    @property
    def expression(self) -> str:
        """Its place, such as "Bundle.entry[3].resource"."""
        return self.place if self.number is None else f"{self.place}.entry[{self.number}].resource"

    @property
    def kind(self) -> str:
        """Its type; "" where it has none that could be read."""
        return (self.head.kind if self.head else None) or ""

    @property
    def id(self) -> str | None:
        """None also where it is far longer than FHIR's 64 characters: all that is said of it repeats it."""
        name = self.head.id if self.head else None
        return name if name is not None and len(name) <= _LONGEST_ID else None

    @property
    def names(self) -> tuple[str, ...]:
        """Every string by which another resource may refer to it."""
        return names_of(self.kind, self.id, self.full_url)

    @property
    def reference(self) -> str:
        return f"{self.kind}/{self.id}" if self.id else self.expression


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
