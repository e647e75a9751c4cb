"""Whether a resource is of the patient."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.resources.references import (
    NO_PATIENT,
    Identifiers,
    identifiers_in,
    why_of_another,
    why_of_another_logically,
)
from fhir_mappings.resources.shapes import NOT_THERE
from fhir_mappings.resources.submission import Entry


class Belonging:
    """Tells the resources of the patient of those names from others, which are noted in not_used."""

    def __init__(self, names: tuple[str, ...], raw_identifiers: msgspec.Raw, not_used: list[Note]) -> None:
        self.names = names
        self._raw_identifiers = raw_identifiers
        self._not_used = not_used
        # Reference -> why it does not mean the patient, "" where it does: nearly all use the same reference.
        self.meant: dict[str | None, str] = {}

    def of(self, entry: Entry, resource: Any) -> bool:
        """Whether the resource, or its preview, is of the patient; noted where it is not."""
        subject = getattr(resource, "subject", None) or getattr(resource, "patient", None)
        subject = subject or getattr(resource, "for_", None)
        if entry.draft and _is_blank(subject):
            # An order form may not have filled it in yet: the context names the patient.
            return True
        why = NO_PATIENT if subject is None else self._why_of_another(subject)
        if why:
            self._not_used.append(Note(entry.reference, why))
        return not why

    @cached_property
    def _identifiers(self) -> Identifiers:
        """Those of the patient."""
        return identifiers_in(self._raw_identifiers)

    def _why_of_another(self, subject: Any) -> str:
        reference = subject.reference
        if not reference:
            return why_of_another_logically(subject.type, subject.identifier, lambda: self._identifiers)
        if reference not in self.meant:
            self.meant[reference] = why_of_another(reference, self.names, lambda: self._identifiers)
        return self.meant[reference]


def _is_blank(subject: Any) -> bool:
    """Whether that subject names nobody, if in words."""
    return subject is None or not (subject.reference or subject.type or subject.identifier != NOT_THERE)
