"""python -m tests.hurt [--size BYTES] [--known] [--filled COUNT] [--seed N] [--way WAY]: what costs much."""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hurt.filled import filled
from tests.hurt.known import KNOWN
from tests.hurt.measuring import Measured, Meter
from tests.hurt.sending import WAYS


def main(args: list[str]) -> int:
    """1 if a shape costs more than its limit."""
    parser = ArgumentParser(prog="python -m tests.hurt", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--known", action="store_true", help="the known shapes alone")
    parser.add_argument("--filled", type=int, default=0, help="so many filled shapes alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", choices=WAYS, action="append")
    parser.add_argument("--above", type=float, default=0.0, help="show only shapes of this CPU ratio or more")
    options = parser.parse_args(args)
    logging.disable(logging.CRITICAL)
    problems = count = 0
    with TemporaryDirectory() as folder:
        meter = Meter(Path(folder))
        for found in _measured(meter, options.way or list(WAYS), options):
            count += 1
            problems += bool(found.problem)
            if found.problem or found.ratio >= options.above:
                print(found, flush=True)
    print(f"{count} requests, {problems} above a limit")
    return 1 if problems else 0


def _measured(meter: Meter, ways: list[str], options: Namespace) -> Iterator[Measured]:
    size: int = options.size
    if not options.filled:
        for name, make in KNOWN.items():
            shape = make(size)
            for way in ["hook"] if shape.drafts else ways:
                yield meter.measured(name, way, shape)
    if not options.known:
        for name, way, shape in filled(options.seed, options.filled or 1_000, size, ways):
            yield meter.measured(name, way, shape)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
