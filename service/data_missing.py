"""Why a hook call that got no card is no all clear: issues for a 412, one for each reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from fhir_mappings.record import Note, Record
from fhir_mappings.request.bundles import PREFETCH_KEYS
from fhir_mappings.request.hook_call import Prefetch
from fhir_mappings.resources.preview import type_of
from fhir_mappings.resources.references import OTHER_PATIENT
from fhir_mappings.resources.submission import FETCHED, KEYS_OF_TYPE, Entry, Submission, key_of
from service.errors import Issue

# Other names could hold anything of a patient.
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
MAX_UNKNOWN = 20
_IN_REQUEST = re.compile(r"(Bundle|prefetch|context|fhirServer)\b")
# Kind of failure -> why nothing was asked.
_NOT_ASKED = {
    "server-not-allowed": "it is none of FHIR_SERVERS",
    "server-of-another-issuer": "it is none of the caller's fhirServers",
    "fetching-off": "FHIR_SERVERS is empty",
    "no-server": "the call has no fhirServer",
    "no-token": "the call has no fhirAuthorization",
    "token-unusable": "access_token is not the text of a bearer token",
    "token-not-bearer": "token_type is not Bearer",
    "token-of-another-patient": "the patient of fhirAuthorization is not that of context.patientId",
    "busy": "it has too many requests, or did not answer a moment ago",
}
# What a client may call a list -> its keys.
_NAMES = {key.lower(): (key,) for key in PREFETCH_KEYS} | {
    name: keys for kind, keys in KEYS_OF_TYPE.items() for name in (kind.lower(), f"{kind.lower()}s")
}


def is_plain(name: str, patient_id: str | None) -> bool:
    """Whether an answer may repeat the name of a member."""
    return bool(_PLAIN_NAME.fullmatch(name)) and not (patient_id and patient_id in name)


def unknown_keys(prefetch: Prefetch | None, patient_id: str | None) -> Iterator[tuple[str, str]]:
    """(place, why) for keys of a prefetch that are none of this service; the first of very many."""
    unknown = [key for key in prefetch or () if key not in PREFETCH_KEYS]
    if "resourceType" in unknown:
        why = "says that prefetch is one resource: send an object whose members are"
        yield "prefetch.resourceType", f"{why} {', '.join(PREFETCH_KEYS)}"
        return
    for key in unknown[:MAX_UNKNOWN]:
        near = [
            name for match in get_close_matches(key[:64].lower(), _NAMES, 2, 0.8) for name in _NAMES[match]
        ]
        known = (
            f"perhaps {' or '.join(dict.fromkeys(near))}" if near else f"they are {', '.join(PREFETCH_KEYS)}"
        )
        place = f"prefetch.{key}" if is_plain(key, patient_id) else "prefetch"
        yield place, f"is no prefetch key of this service ({known})"


def missing_data(
    submission: Submission, record: Record, prefetch: Prefetch | None, failures: Mapping[str, str]
) -> list[Issue]:
    """The reasons, in words that repeat nothing of the patient.

    Args:
        failures: Prefetch key -> why the client's FHIR server did not give that list.
    """
    lists = [key for key in ("conditions", "findings") if key in record.not_seen]
    issues = [*_other_patients(submission)] if lists else []
    if lists:
        for place, why in unknown_keys(prefetch, submission.patient_id):
            name = place if place != "prefetch" else "A member of prefetch"
            issues.append(Issue("value", f"{name} {why}.", place))
    given = {key_of(entry.expression) for entry in submission.entries if entry.place.startswith(FETCHED)}
    for key in lists:
        why = _why_missing(key, submission, record, prefetch, bool(issues), key in given)
        if key in failures:
            why += f" {_of_server(failures[key])}"
        issues.append(Issue("required", f"No twitch was found, and {why}", f"prefetch.{key}"))
    for note in record.unread:
        place = place_of(note)
        if place.partition("prefetch.")[2] in lists:
            # It is the reason why the whole list is missing.
            continue
        words = (
            f"No twitch was found, and a resource that may record one could not be read ({note.why}):"
            " correct it or leave it out."
        )
        issues.append(Issue("structure", words, place))
    return issues


def place_of(note: Note) -> str:
    """Where in the request the note is about."""
    if note.expression is None or note.reference.startswith(note.expression):
        return note.reference
    if _IN_REQUEST.match(note.reference) and not note.expression.startswith(note.reference):
        return f"{note.reference}.{note.expression}"
    return note.expression


def _other_patients(submission: Submission) -> Iterator[Issue]:
    """An issue where the prefetch has a Patient, and none is that of the context."""
    patients = [entry for entry in submission.entries if key_of(entry.expression) == "patient"]
    if any(entry.id == submission.patient_id for entry in patients):
        return
    for entry in patients[:1]:
        text = (
            f"{entry.expression} is another patient than context.patientId names: send both of the same one."
        )
        if not entry.id:
            text = f"{entry.expression} has no id, so it cannot be compared with context.patientId."
        yield Issue("business-rule", text, f"{entry.expression}.id")


def _of_server(kind: str) -> str:
    """What the client's FHIR server has to do with it."""
    if kind in _NOT_ASKED:
        return f"fhirServer was not asked for them ({kind}): {_NOT_ASKED[kind]}."
    return f"fhirServer did not give them: {kind}."


def _why_missing(
    key: str,
    submission: Submission,
    record: Record,
    prefetch: Prefetch | None,
    is_other: bool,
    is_given: bool,
) -> str:
    raw = (prefetch or {}).get(key)
    if raw is None and not is_given:
        return f"{key} were not sent: send prefetch.{key}."
    entries = [entry for entry in submission.entries if key_of(entry.expression) == key]
    not_used = {note.reference: note.why for note in record.not_used}
    foreign: dict[str, Entry] = {}
    for entry in entries:
        if entry.reference in not_used:
            foreign.setdefault(not_used[entry.reference], entry)
    if OTHER_PATIENT in foreign:
        first = foreign[OTHER_PATIENT].expression
        return f"the subject of {first} is another patient than context.patientId names."
    if foreign:
        why, entry = next(iter(foreign.items()))
        return f"{entry.expression} {why}: its subject must be the patient of context.patientId."
    place = f"{FETCHED}{key}" if is_given else f"prefetch.{key}"
    notes = [note.why for note in record.not_understood if note.reference.startswith(place)]
    if notes:
        return f"{place} is not the whole list ({notes[0]}): correct it."
    if raw is not None and type_of(bytes(raw)) == "OperationOutcome":
        return (
            f"{place} holds an OperationOutcome in place of {key}: the client's FHIR server did not answer."
        )
    if is_other and not entries:
        return f"{place} is empty, which says nothing beside another patient."
    reasons = "a next link, a total above what came, or an OperationOutcome"
    return f"{place} holds a part of the {key} alone ({reasons}): send all of them."
