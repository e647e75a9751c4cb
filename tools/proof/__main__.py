"""Hold the promises of the decision over generated states; the exit code is 1 if one is broken."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from service.knowledge import KnowledgeError, load_knowledge
from tools.proof import proved

QUICK = {"facts": 1, "random_states": 3_000}
WHOLE = {"facts": 3, "random_states": 1_000_000}


def main(args: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.proof", description=__doc__)
    parser.add_argument("--whole", action="store_true", help="up to three facts, and a million random states")
    parser.add_argument("--facts", type=int, help="up to so many facts off each baseline")
    parser.add_argument("--random", type=int, dest="random_states", help="so many random states")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--knowledge", type=Path, metavar="DIR", help="another folder of knowledge files")
    given = parser.parse_args(args)
    try:
        knowledge = load_knowledge(given.knowledge)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    sizes = dict(WHOLE if given.whole else QUICK)
    for name in sizes:
        if (size := getattr(given, name)) is not None:
            sizes[name] = size
    report = proved(knowledge.table, knowledge.terminology, seed=given.seed, **sizes)
    print("\n".join(report.lines()))
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
