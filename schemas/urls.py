"""Checks of the URLs in settings. The reasons never repeat the URL."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

# Other characters must be percent-encoded: readers differ about a space or a backslash.
_PLAIN_URL = re.compile(
    r"https?://(?:[a-z0-9.\-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?(?:/[A-Za-z0-9\-._~]+)*", re.ASCII
)
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")


def is_loopback(host: str) -> bool:
    """Whether a host is localhost or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url_problem(url: str) -> str | None:
    """Why other URLs cannot begin with this URL; None if they can."""
    parts = _parts(url)
    if parts is None or parts.query or "?" in url:
        return "a URL that begins with http:// or https:// and has no user, query or fragment"
    return None


def fetched_url_problem(url: str) -> str | None:
    """Why the URL must not be fetched; None if it is https, or http on loopback."""
    parts = _parts(url)
    if parts is None:
        return "a URL that begins with https:// and has no user or fragment"
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        return "https is needed (http only on loopback)"
    return None


def fhir_server_problem(url: str) -> str | None:
    """Why the URL cannot be the base URL of a FHIR server; None if every client reads it in the same way."""
    reason = fetched_url_problem(url)
    if reason is not None:
        return reason
    path = urlsplit(url).path
    if not _PLAIN_URL.fullmatch(url) or {".", ".."} & set(path.split("/")):
        return "a base URL with its host in small letters, a path of plain letters and no query"
    return None


def _parts(url: str) -> SplitResult | None:
    if not _CHARACTERS.fullmatch(url) or not url.startswith(("http://", "https://")):
        return None
    try:
        parts = urlsplit(url)
        # Reading an invalid port raises ValueError.
        valid = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return None
    return parts if valid else None
