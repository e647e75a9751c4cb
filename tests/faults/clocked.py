"""The service with a clock that a file sets wrong: CLOCK_FILE holds seconds, to be changed while it runs.

libfaketime would do it from outside; under its version 0.9.10 Redis does not start, and the service fails
where the monotonic clock is left alone.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_FILE = Path(os.environ["CLOCK_FILE"])
_right = time.time


def wrong() -> float:
    """Seconds since 1970, as this machine's clock would say."""
    return _right() + float(_FILE.read_text())


if __name__ == "__main__":
    # Before the service is imported: it keeps the function.
    time.time = wrong
    from service.server import main

    raise SystemExit(main(sys.argv[1:], os.environ))
