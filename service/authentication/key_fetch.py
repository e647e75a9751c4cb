"""A JWK Set from its one allow-listed URL: no redirects, few bytes, little time."""

from __future__ import annotations

import queue
import threading
import time
from urllib.parse import urlsplit

import requests

from service.authentication.issuer_keys import MAXIMUM_BYTES, KeySetError

TOTAL_SECONDS = 3.0


class KeyFetch:
    """Called, it returns the bytes at the URL or raises KeySetError, within that many seconds in all."""

    def __init__(self, url: str, seconds: float = TOTAL_SECONDS) -> None:
        self._url, self._seconds = url, seconds
        self._at_work: threading.Thread | None = None

    def __call__(self) -> bytes:
        # A socket's timeout starts anew with every byte: only a thread of its own bounds the whole.
        if self._at_work is not None and self._at_work.is_alive():
            raise KeySetError("the last request still hangs")
        answers: queue.SimpleQueue[bytes | KeySetError] = queue.SimpleQueue()
        self._at_work = threading.Thread(target=self._answer_into, args=(answers,), daemon=True)
        self._at_work.start()
        try:
            answer = answers.get(timeout=self._seconds)
        except queue.Empty:
            raise KeySetError(f"no whole answer within {self._seconds:g} seconds") from None
        if isinstance(answer, KeySetError):
            raise answer
        return answer

    def _answer_into(self, answers: queue.SimpleQueue[bytes | KeySetError]) -> None:
        try:
            answers.put(self._bytes())
        except KeySetError as error:
            answers.put(error)
        except Exception as error:
            # Whatever it was, the caller must not wait for it; its text could name what was sent.
            answers.put(KeySetError(f"no answer ({type(error).__name__})"))

    def _bytes(self) -> bytes:
        until = time.monotonic() + self._seconds
        with requests.Session() as session:
            # The machine's proxy and CA settings hold, but no proxy stands before loopback.
            session.trust_env = urlsplit(self._url).scheme == "https"
            response = session.get(
                self._url,
                headers={
                    "Accept": "application/jwk-set+json, application/json",
                    "Accept-Encoding": "identity",
                },
                auth=_nobody,
                timeout=self._seconds,
                allow_redirects=False,
                stream=True,
            )
            if response.status_code != 200:
                raise KeySetError(f"answered with status {response.status_code}")
            content = b""
            while chunk := response.raw.read1(MAXIMUM_BYTES):
                content += chunk
                if len(content) > MAXIMUM_BYTES:
                    raise KeySetError(f"larger than {MAXIMUM_BYTES} bytes")
                if time.monotonic() > until:
                    raise KeySetError("too slow")
            return content


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials, whatever a .netrc holds."""
    return request
