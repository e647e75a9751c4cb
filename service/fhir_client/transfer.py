"""GET without redirects, proxy and cookies, limited in bytes and by a deadline."""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from service.fhir_client.access import NoAnswer

MAX_ANSWER_BYTES = 8 * 1024 * 1024
# Of all answers of one call: the same as MAX_BODY_BYTES.
MAX_CALL_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_RETRIED = frozenset((502, 503, 504))
_KINDS = {401: "unauthorized", 403: "forbidden", 404: "not-found", 410: "gone", 429: "too-many-requests"}

# Its warnings hold URLs, and a URL names the patient.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


class Transfer:
    """The GETs of one call: one token ("" = none), one deadline. until: the deadline on the clock."""

    def __init__(
        self,
        token: str,
        until: float,
        clock: Callable[[], float] = time.monotonic,
        ca_file: Path | None = None,
    ) -> None:
        self._headers = {
            **({"Authorization": f"Bearer {token}"} if token else {}),
            "Accept": "application/fhir+json, application/json;q=0.9",
            "Accept-Encoding": "gzip",
            "User-Agent": "fasciculation-cds",
        }
        self._until, self._clock = until, clock
        self._verify: bool | str = str(ca_file) if ca_file else True
        self._left = MAX_CALL_BYTES
        self._counting = threading.Lock()

    @contextmanager
    def session(self) -> Iterator[Callable[[str], bytes]]:
        """Yield a function that returns the body at a URL or raises NoAnswer; for one thread."""
        with requests.Session() as session:
            # No proxy, no .netrc, no cookies.
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(pool_maxsize=1, max_retries=0))
            yield lambda url: self._body(session, url)

    def _body(self, session: requests.Session, url: str) -> bytes:
        try:
            return self._get(session, url)
        except NoAnswer as error:
            if error.kind not in ("no-connection", "unavailable") or self._clock() >= self._until:
                raise
        # A GET is safe to retry.
        return self._get(session, url)

    def _get(self, session: requests.Session, url: str) -> bytes:
        request = session.prepare_request(requests.Request("GET", url, headers=self._headers))
        # requests may normalise the URL: send only what was checked.
        if request.url is None or request.url.partition("?")[0].rstrip("/") != url.partition("?")[0].rstrip(
            "/"
        ):
            raise NoAnswer("address")
        left = self._until - self._clock()
        if left <= 0:
            raise NoAnswer("timeout")
        try:
            answer = session.send(
                request,
                timeout=(left, left),
                allow_redirects=False,
                stream=True,
                verify=self._verify,
                proxies={},
            )
        except requests.Timeout:
            raise NoAnswer("timeout") from None
        except requests.exceptions.SSLError:
            raise NoAnswer("tls") from None
        except requests.ConnectionError:
            raise NoAnswer("no-connection") from None
        except requests.RequestException:
            raise NoAnswer("no-answer") from None
        with answer:
            self._check(answer)
            return self._content(answer)

    def _check(self, answer: requests.Response) -> None:
        status = answer.status_code
        if status == 200:
            return
        if 300 <= status < 400:
            raise NoAnswer("redirect")
        raise NoAnswer("unavailable" if status in _RETRIED else _KINDS.get(status, f"status-{status}"))

    def _content(self, answer: requests.Response) -> bytes:
        encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise NoAnswer("encoding")
        unpack = None if encoding == "identity" else zlib.decompressobj(16 + zlib.MAX_WBITS)
        content = bytearray()
        try:
            while chunk := answer.raw.read1(_CHUNK_BYTES, decode_content=False):
                # Unpack one byte more than is allowed, to detect an answer that is too large.
                content += unpack.decompress(chunk, MAX_ANSWER_BYTES + 1 - len(content)) if unpack else chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise NoAnswer("too-large")
                if self._clock() >= self._until:
                    raise NoAnswer("timeout")
                if unpack and unpack.eof:
                    break
        except NoAnswer:
            raise
        except Exception as error:
            raise NoAnswer("timeout" if "Timeout" in type(error).__name__ else "broken-off") from None
        if unpack is not None and not unpack.eof:
            raise NoAnswer("broken-off")
        with self._counting:
            self._left -= len(content)
            if self._left < 0:
                raise NoAnswer("too-large")
        return bytes(content)
