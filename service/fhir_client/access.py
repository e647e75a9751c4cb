"""Check server, token and URLs before a request is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from fhir_mappings.resources.references import patient_id_in

MAX_TOKEN_LENGTH = 8000
MAX_URL_LENGTH = 16_000
# RFC 6750, section 2.1: no character that could end the header.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)
_PLACEHOLDER = re.compile(r"\{\{\s*context\.([A-Za-z0-9]+)\s*\}\}")
_QUERY = re.compile(r"[A-Za-z0-9\-._~:/?@!$&'()*+,;=%|\[\]]*", re.ASCII)
# The search parameters that name the patient.
_PATIENT = frozenset(("patient", "subject"))
# No percent sign: parsers differ in how they read an encoded slash or dot.
_PATH = re.compile(r"(?:/[A-Za-z0-9\-._~:@!$&'()*+,;=]+)*/?", re.ASCII)


class NoAccess(Exception):
    """No request is allowed. kind: a word for the log, without anything of the call."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class NoAnswer(Exception):
    """The GET failed. kind: a word for the log, without anything of the request or the answer."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Access:
    """A server and its token, "" = none. base: from the settings, not from the call."""

    base: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Template:
    """A filled prefetch template. address: relative to the base URL. kind: the resource type."""

    address: str
    kind: str
    searches: bool


def template_of(text: str, context: Mapping[str, object]) -> Template | None:
    """Fill the template from the context; None if a value is missing or neither text nor a number."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        filled = context.get(match[1])
        if isinstance(filled, bool) or not isinstance(filled, str | int) or not str(filled):
            missing = True
            return ""
        bare = str(filled).removeprefix("Patient/") if match[1] == "patientId" else str(filled)
        return quote(bare, safe="")

    address = _PLACEHOLDER.sub(value, text)
    if missing or "{{" in address:
        return None
    path, mark, _ = address.partition("?")
    return Template(address, path.partition("/")[0], bool(mark))


def access_to(
    call: Mapping[str, object], patient_id: str, bases: Sequence[str], own: Sequence[str] | None
) -> Access:
    """Return server and token of the call. Raises NoAccess.

    The URL in the call is compared with those of the settings and never parsed, so no parser can find another
    host in it.
    """
    named = call.get("fhirServer")
    base = next((base for base in bases if named in (base, f"{base}/")), None)
    if base is None:
        raise NoAccess("server-not-allowed")
    if own is not None and base not in {url.rstrip("/") for url in own}:
        raise NoAccess("server-of-another-issuer")
    granted = call.get("fhirAuthorization")
    if not isinstance(granted, Mapping):
        raise NoAccess("no-token")
    token, kind = _usable(granted.get("access_token")), granted.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise NoAccess("token-not-bearer")
    about = granted.get("patient")
    # With a token of another patient an empty list would read as nothing recorded.
    if about is not None and (not isinstance(about, str | int) or patient_id_in(about) != patient_id):
        raise NoAccess("token-of-another-patient")
    return Access(base, token)


def typed_access(base: str, token: str, bases: Sequence[str]) -> Access:
    """Return a server that the settings name, and a token that a user typed in. Raises NoAccess.

    Args:
        token: "" for a server that asks for none.
    """
    if base not in bases:
        raise NoAccess("server-not-allowed")
    return Access(base, _usable(token) if token else "")


def _usable(token: object) -> str:
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_LENGTH or not _TOKEN.fullmatch(token):
        raise NoAccess("token-unusable")
    return token


def is_under(base: str, url: str) -> bool:
    """Return whether the URL is below the base for every parser, without dot segments."""
    if len(url) > MAX_URL_LENGTH or not url.startswith((f"{base}/", f"{base}?")):
        return False
    path, _, query = url[len(base) :].partition("?")
    if not _PATH.fullmatch(path) or not _QUERY.fullmatch(query):
        return False
    return not {".", ".."} & set(path.split("/"))


def is_page_of(base: str, kind: str, patient_id: str, url: str) -> bool:
    """Return whether the URL may be a page of a search for that resource type and patient.

    Its path is that of the search, or begins with it; some servers page at the base URL itself. It names no
    operation and no other patient.
    """
    if not is_under(base, url):
        return False
    path, _, query = url[len(base) :].partition("?")
    first, *below = path.strip("/").split("/")
    if first not in ("", kind) or any(segment.startswith("$") for segment in below):
        return False
    patients = (
        patient
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name.partition(":")[0] in _PATIENT
        for patient in value.split(",")
    )
    return all(patient.rpartition("/")[2] == patient_id for patient in patients)
