"""References to resources: relative, absolute, versioned, logical, conditional, urn:uuid or a bare id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from fhir_mappings.resources.shapes import NOT_THERE, UNDECODABLE, Observation

OTHER_PATIENT = "belongs to another patient"
NO_ID = "has no id, so it cannot be compared"
NO_PATIENT = "names no patient, so it cannot be checked"
NOT_A_PATIENT = "is about something that is not a patient"
OTHER_FOCUS = "its focus is not known to be this patient"
_CONTAINED = "names a patient of its own, so it cannot be checked"
_UNMATCHED = "names a patient that cannot be matched with this one"

# Each reference is compared with the names of resources: a name of megabytes would hold a worker.
_MAX_URL_LENGTH = 2048
_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")
# What is of the patient as the Observation is: a focus on it leaves the Observation about the patient.
_OF_THE_PATIENT = frozenset(
    {
        "BodyStructure",
        "Condition",
        "DiagnosticReport",
        "Encounter",
        "MedicationAdministration",
        "MedicationRequest",
        "MedicationStatement",
        "Observation",
        "Procedure",
        "ServiceRequest",
        "Specimen",
    }
)
# A focus in STU3, and as a code in R4.
_FOCUS_EXTENSIONS = frozenset(
    f"http://hl7.org/fhir/StructureDefinition/observation-{name}" for name in ("focal-subject", "focusCode")
)

Identifiers = frozenset[tuple[str, str]]


def plain(reference: str) -> str:
    """The reference without blanks, version and outer slashes; URLs and URNs as they are compared.

    A server behind a proxy writes its own address with another scheme, port or case.

    >>> plain(" http://EHR.example:80/r4/Patient/p1/_history/2")
    'https://ehr.example/r4/Patient/p1'
    """
    text = reference.strip().split("/_history/")[0].strip("/")
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        host, slash, path = rest.partition("/")
        host = host.lower().removesuffix(":80").removesuffix(":443")
        return f"https://{host}{slash}{path}"
    return text.lower() if text[:4].lower() == "urn:" else text


def id_in(target: str, kind: str) -> str | None:
    """The id that a plain reference to a resource of that type has, on whatever server."""
    if target.startswith("urn:"):
        return target.removeprefix("urn:uuid:")
    if "?" in target or "#" in target:
        # What stands in a query or a fragment is not the resource that the address names.
        return None
    *before, last = target.rsplit("/", 2)
    return last if not before or before[-1] == kind else None


def patient_id_in(value: object) -> str:
    """The bare id of a patient, however a client writes it.

    >>> patient_id_in("https://ehr.example/r4/Patient/p1/_history/2")
    'p1'
    """
    name = plain(str(value)).removeprefix("urn:uuid:")
    return name.rpartition("/Patient/")[2].removeprefix("Patient/")


def names_of(kind: str, resource_id: str | None, full_url: str | None) -> tuple[str, ...]:
    """Every string by which another resource may refer to that one; its type and id are the last."""
    url = plain(full_url) if full_url and len(full_url) <= _MAX_URL_LENGTH else ""
    name = resource_id or (url and id_in(url, kind))
    return (*([url] if url else []), *([f"{kind}/{name}"] if name else []))


def refers_to(reference: str, kind: str, names: Sequence[str]) -> bool:
    """Whether the reference means the resource of that type with those names: by URL, or by its id.

    The server may have several addresses, so the rest of an absolute URL does not matter.
    """
    target = plain(reference)
    if target in names:
        return True
    wanted = id_in(target, kind)
    own = names[-1].removeprefix(f"{kind}/") if names else None
    if own is not None and target.startswith("urn:"):
        return wanted == own.lower()
    return wanted is not None and wanted == own


def identifiers_in(raw: msgspec.Raw) -> Identifiers:
    """(system, value) of an Identifier, or of each in a list; those without either are left out."""
    return frozenset(
        (system.strip(), value.strip())
        for identifier in objects_in(raw)
        if isinstance(system := identifier.get("system"), str)
        and isinstance(value := identifier.get("value"), str)
        and system.strip()
        and value.strip()
    )


def why_of_another(
    reference: str, names: Sequence[str], identifiers: Callable[[], Identifiers] = frozenset
) -> str:
    """Why a resource with that subject is not the patient's; "" where it is.

    Args:
        names: of the patient.
        identifiers: gives those of the patient, for a conditional reference.
    """
    if reference.startswith("#"):
        return _CONTAINED
    if refers_to(reference, "Patient", names):
        return ""
    target = plain(reference)
    address, question, query = target.partition("?")
    if question:
        return "" if _asks_for(address, query, names, identifiers()) else _UNMATCHED
    if target.startswith("urn:"):
        return OTHER_PATIENT if names and names[0].startswith("urn:") else _UNMATCHED
    other = id_in(target, "Patient")
    if other is not None:
        return OTHER_PATIENT if names and _ID.fullmatch(other) else _UNMATCHED
    kind = target.partition("#")[0].rpartition("/")[0].rpartition("/")[2]
    return NOT_A_PATIENT if kind != "Patient" and _TYPE.fullmatch(kind) else _UNMATCHED


def _asks_for(address: str, query: str, names: Sequence[str], identifiers: Identifiers) -> bool:
    """Whether a conditional reference, such as "Patient?identifier=system|value", asks for the patient."""
    if address.rsplit("/", 1)[-1] != "Patient" or len(query) > _MAX_URL_LENGTH:
        return False
    match parse_qsl(query):
        case [("identifier", token)]:
            system, _, value = token.partition("|")
            return (system.strip(), value.strip()) in identifiers
        case [("_id", name)]:
            return f"Patient/{name}" in names
    return False


def why_of_another_logically(
    kind: str | None, identifier: msgspec.Raw, identifiers: Callable[[], Identifiers]
) -> str:
    """As `why_of_another`, of a subject without a reference: by its identifier."""
    if kind and kind != "Patient":
        return NOT_A_PATIENT
    own = identifiers_in(identifier)
    if not own:
        return NO_PATIENT
    return "" if own <= identifiers() else _UNMATCHED


def is_elsewhere(observation: Observation, names: Sequence[str]) -> bool:
    """Whether an Observation's focus is, or may be, a person or thing other than the patient."""
    extensions = observation.extension
    if extensions and any(item is not None and item.url in _FOCUS_EXTENSIONS for item in extensions):
        return True
    if observation.focus == NOT_THERE:
        return False
    return any(_elsewhere(item.get("reference"), names) for item in objects_in(observation.focus))


def _elsewhere(reference: Any, names: Sequence[str]) -> bool:
    if not isinstance(reference, str) or reference.startswith("#"):
        return True
    if refers_to(reference, "Patient", names):
        return False
    parts = plain(reference).rsplit("/", 2)
    return len(parts) < 2 or parts[-2] not in _OF_THE_PATIENT


def objects_in(raw: msgspec.Raw) -> Iterator[dict[str, Any]]:
    """The objects of a list, or the only one; what has another shape is left out."""
    if raw == NOT_THERE:
        return
    try:
        value = msgspec.json.decode(raw)
    except UNDECODABLE:
        return
    items: Iterable[Any] = value if isinstance(value, list) else [value]
    yield from (item for item in items if isinstance(item, dict))
