"""Health of a dependency, checked in a background thread and returned within 0.5 s."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

# A readiness probe gives up after one second.
TIMEOUT_S = 0.5
SILENT = "unavailable (it does not answer)"


class HealthCheck:
    """A check that may take long, called by clients that may not.

    Args:
        check: Returns "ok", or what is wrong.
        max_age_s: A result younger than this is returned again without a new check.
        clock: Seconds that only grow.
    """

    def __init__(
        self, check: Callable[[], str], max_age_s: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._check, self._max_age_s, self._clock = check, max_age_s, clock
        # The executor starts its thread at the first check, which is after the fork.
        self._executor = ThreadPoolExecutor(1, "health-check")
        self._running: Future[str] | None = None
        self._started = 0.0

    def __call__(self) -> str:
        """Return the result of the check, or SILENT after TIMEOUT_S."""
        now, running = self._clock(), self._running
        if running is None or (running.done() and now - self._started >= self._max_age_s):
            self._started = now
            running = self._running = self._executor.submit(self._check)
        try:
            return running.result(TIMEOUT_S)
        except TimeoutError:
            return SILENT
