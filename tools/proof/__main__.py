"""Prove the decision table over its whole input space; the exit code is 1 if anything is violated."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time

from service.knowledge import KnowledgeError, load_knowledge
from tools.proof import Ledger, proved


def main(args: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.proof", description=__doc__)
    parser.add_argument("--whole", action="store_true", help="also the walks that take minutes")
    parser.add_argument("--knowledge", type=Path, metavar="DIR", help="another folder of knowledge files")
    given = parser.parse_args(args)
    try:
        knowledge = load_knowledge(given.knowledge)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    ledger = proved(knowledge.table, knowledge.terminology.findings, whole=given.whole)
    print("\n".join(report(ledger)))
    return 1 if ledger.total else 0


def report(ledger: Ledger) -> list[str]:
    """Every walk under its promise, the counterexamples, and the sum."""
    lines = []
    for promise in dict.fromkeys(walk.promise for walk in ledger.covered):
        lines.append(promise)
        for walk in ledger.covered:
            if walk.promise == promise:
                lines.append(f"  {walk.states:>26,} states {walk.seconds:7.2f} s  {walk.factor}")
                lines.append(f"  {'':>26}                   {walk.why}")
    lines += [f"VIOLATED {violation}" for violation in ledger.violations]
    if ledger.total > len(ledger.violations):
        lines.append(f"and {ledger.total - len(ledger.violations)} more of the same kinds")
    lines.append(f"{ledger.states:,} states in {process_time():.1f} s of CPU: {ledger.total} violations")
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
