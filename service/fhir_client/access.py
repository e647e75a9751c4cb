"""Which server is asked, as whom, and for which addresses: decided before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

MAXIMUM_TOKEN = 8000
MAXIMUM_URL = 16_000
# RFC 6750: what a header can hold without ending it.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)
_PLACEHOLDER = re.compile(r"\{\{\s*context\.([A-Za-z0-9]+)\s*\}\}")
_QUERY = re.compile(r"[A-Za-z0-9\-._~:/?@!$&'()*+,;=%|\[\]]*", re.ASCII)
# No percent sign: an encoded slash or dot is another path to another reader.
_PATH = re.compile(r"(?:/[A-Za-z0-9\-._~:@!$&'()*+,;=]+)*/?", re.ASCII)


class NoAccess(Exception):
    """Nothing is sent. kind: a word for the log, never what was named."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Access:
    """base: as this site wrote it, not as the caller did. token: the caller's, for that server alone."""

    base: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Template:
    """A prefetch template, filled. address: what follows the base URL. kind: its resource type."""

    address: str
    kind: str
    searches: bool


def template_of(text: str, context: Mapping[str, object]) -> Template | None:
    """The template with the context's values; None where one is missing or is no text and no number."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        found = context.get(match[1])
        if isinstance(found, bool) or not isinstance(found, str | int) or not str(found):
            missing = True
            return ""
        bare = str(found).removeprefix("Patient/") if match[1] == "patientId" else str(found)
        return quote(bare, safe="")

    address = _PLACEHOLDER.sub(value, text)
    if missing or "{{" in address:
        return None
    path, mark, _ = address.partition("?")
    return Template(address, path.partition("/")[0], bool(mark))


def access_to(
    call: Mapping[str, object], patient_id: str, bases: Sequence[str], own: Sequence[str] | None
) -> Access:
    """The server and the token of that call. Raises NoAccess.

    What the caller names is compared letter by letter and never taken apart: no reader of URLs can see
    another host in it than this site wrote down.
    """
    named = call.get("fhirServer")
    base = next((base for base in bases if named in (base, f"{base}/")), None)
    if base is None:
        raise NoAccess("server-not-allowed")
    if own is not None and base not in {one.rstrip("/") for one in own}:
        raise NoAccess("server-of-another-issuer")
    granted = call.get("fhirAuthorization")
    if not isinstance(granted, Mapping):
        raise NoAccess("no-token")
    token, kind = granted.get("access_token"), granted.get("token_type", "Bearer")
    if not isinstance(token, str) or not 0 < len(token) <= MAXIMUM_TOKEN or not _TOKEN.fullmatch(token):
        raise NoAccess("token-unusable")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise NoAccess("token-not-bearer")
    about = granted.get("patient")
    # Such a token may find nothing of the patient asked for, which would read as nothing recorded.
    if about is not None and (not isinstance(about, str) or about.removeprefix("Patient/") != patient_id):
        raise NoAccess("token-of-another-patient")
    return Access(base, token)


def is_under(base: str, url: str) -> bool:
    """Whether the URL lies under the base for every reader: it begins with it, and nothing leads out."""
    if len(url) > MAXIMUM_URL or not url.startswith((f"{base}/", f"{base}?")):
        return False
    path, _, query = url[len(base) :].partition("?")
    if not _PATH.fullmatch(path) or not _QUERY.fullmatch(query):
        return False
    return not {".", ".."} & set(path.split("/"))
