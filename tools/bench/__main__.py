"""python -m tools.bench [--quick] [--only PART …]: what the service costs beside others, on this machine.

CPU time is what counts: it hardly hangs on what else the machine does. The contenders take turns within one
run, so that a ratio compares like with like.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from inspect import getdoc
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.bench.contenders import FLOOR, SERVICE, contenders
from tools.bench.measures import PARTS, QUICK, Run


def main(args: list[str]) -> int:
    """Prints each part; raises where the service or the floor cannot be measured."""
    parser = ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"service and floor: {', '.join(QUICK)}")
    parser.add_argument("--only", nargs="*", choices=PARTS, help="these parts")
    options = parser.parse_args(args)
    with TemporaryDirectory() as folder:
        found = contenders(Path(folder))
        if options.quick:
            found = tuple(one for one in found if one.name in (SERVICE, FLOOR))
        for one in found:
            if not one.installed:
                print(f"{one.name} is not installed, so it is left out: {one.command[0]} is missing")
        run = Run(tuple(one for one in found if one.installed), Path(folder), options.quick)
        for part in options.only or (QUICK if options.quick else PARTS):
            print(f"\n{getdoc(PARTS[part])}\n", flush=True)
            for line in PARTS[part](run):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
