"""python -m tests.fuzz [--requests N] [--seed N] [--index N] [--minutes N]: what breaks."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from service.knowledge import load_knowledge
from tests.fuzz.properties import Failure, Fuzz, app_for

SHOWN = 20
SAID_EVERY = 10_000


def main(args: list[str]) -> int:
    """1 if a request broke a property. --index: that one request alone."""
    parser = ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--index", type=int)
    parser.add_argument("--minutes", type=float, default=120)
    options = parser.parse_args(args)
    knowledge = load_knowledge()
    with TemporaryDirectory() as folder:
        return _run(Fuzz(app_for(knowledge, Path(folder)), knowledge, options.seed), options)


def _run(fuzz: Fuzz, options: Namespace) -> int:
    indexes = range(options.requests) if options.index is None else [options.index]
    failures: list[Failure] = []
    until, sent = time.monotonic() + options.minutes * 60, 0
    for index in indexes:
        if time.monotonic() > until:
            break
        failure = fuzz.failure(index)
        sent += 1
        if sent % SAID_EVERY == 0:
            print(f"{sent} sent, {len(failures)} failures", flush=True)
        if failure:
            failures.append(failure)
            print(failure, flush=True)
            if len(failures) >= SHOWN:
                break
    print(
        f"{sent} of {len(indexes)} requests, seed {options.seed}: {len(failures)} failures;"
        f" answers by status {dict(sorted(fuzz.statuses.items()))}"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
