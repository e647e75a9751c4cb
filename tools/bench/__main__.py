"""python -m tools.bench [--quick] [--only PART …]: what the service costs beside others, on this machine.

CPU time is what counts: it hardly hangs on what else the machine does. The contenders take turns within one
run, so that a ratio compares like with like.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.bench import measures
from tools.bench.contenders import contenders

PARTS = {
    "cpu": measures.cpu,
    "people": measures.people,
    "load": measures.load,
    "memory": measures.memory,
    "size": measures.size,
    "http": measures.http,
    "parts": measures.parts,
    "token": measures.token,
    "start": measures.start,
}


def main(args: list[str]) -> int:
    """1 if the service or the floor could not be measured."""
    parser = ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer requests, smaller bodies: a few minutes")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    options = parser.parse_args(args)
    with TemporaryDirectory() as folder:
        found = contenders(Path(folder))
        for one in found:
            if not one.installed:
                print(f"{one.name} is not installed, so it is left out: {one.command[0]} is missing")
        run = measures.Run(tuple(one for one in found if one.installed), Path(folder), options.quick)
        for part in options.only:
            print(f"\n{PARTS[part].__doc__}\n", flush=True)
            for line in PARTS[part](run):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
