"""What another machine says of itself, for those who cannot wait long for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

# A probe of readiness gives up after a second.
SOON_SECONDS = 0.5
SILENT = "unavailable (it does not answer)"


class Soon:
    """ask: "ok", or what is wrong; it may take long. keeps: seconds for which an answer serves again."""

    def __init__(
        self, ask: Callable[[], str], keeps: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._keeps, self._clock = ask, keeps, clock
        # Its thread starts when it is first asked: after the fork.
        self._asker = ThreadPoolExecutor(1, "soon")
        self._asking: Future[str] | None = None
        self._asked = 0.0

    def __call__(self) -> str:
        """What it says, or that it does not answer: never waits longer than half a second."""
        now, asking = self._clock(), self._asking
        if asking is None or (asking.done() and now - self._asked >= self._keeps):
            self._asked = now
            asking = self._asking = self._asker.submit(self._ask)
        try:
            return asking.result(SOON_SECONDS)
        except TimeoutError:
            return SILENT
