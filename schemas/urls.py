"""Which URLs may stand in a setting: what is wrong with one, in words that never repeat it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

# The rest is written with percent signs; a space or a backslash is read in two ways by two readers.
_PLAIN_URL = re.compile(
    r"https?://(?:[a-z0-9.\-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?(?:/[A-Za-z0-9\-._~]+)*", re.ASCII
)
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")


def is_loopback(host: str) -> bool:
    """localhost, or an address that is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url_problem(url: str) -> str | None:
    """What keeps it from being the beginning of other URLs; None if nothing does."""
    parts = _parts(url)
    if parts is None or parts.query or "?" in url:
        return "a URL that begins with http:// or https:// and has no user, query or fragment"
    return None


def fetched_url_problem(url: str) -> str | None:
    """What keeps it from being fetched: it must be https, or http on loopback."""
    parts = _parts(url)
    if parts is None:
        return "a URL that begins with https:// and has no user or fragment"
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        return "https is needed (http only on loopback)"
    return None


def fhir_server_problem(url: str) -> str | None:
    """What keeps it from being a FHIR server's base URL that every reader takes for the same place."""
    found = fetched_url_problem(url)
    if found is not None:
        return found
    path = urlsplit(url).path
    if not _PLAIN_URL.fullmatch(url) or {".", ".."} & set(path.split("/")):
        return "a base URL with its host in small letters, a path of plain letters and no query"
    return None


def _parts(url: str) -> SplitResult | None:
    if not _CHARACTERS.fullmatch(url) or not url.startswith(("http://", "https://")):
        return None
    try:
        parts = urlsplit(url)
        # Reading the port raises where it is none.
        fine = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return None
    return parts if fine else None
