"""Puts every deliberate error into the decision table, one at a time, and says which of them no check sees.

    python -m tests.mutation [--jobs 2] [--minutes 60] [--every N] [--only WORD] [--survivors] [--quick]
                             [--write]

It goes on where it stopped, as long as neither the code nor the tests have changed. --every and --only take
a part of the errors; --survivors takes those that survived the last time, whatever has changed since; --quick
asks only the checks that take seconds; --write writes docs/mutation.md, which says how
many of the errors were tried. Ends with 0 if
every error was seen or is explained, else with 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from service.knowledge import HERE
from service.knowledge.conditions import FILE
from service.knowledge.loading import load_yaml
from tests.mutation import report
from tests.mutation.checks import CHECKS, QUICK, ROOT, UNCHANGED, Verdict, try_all
from tests.mutation.mutants import mutants

PAGE = ROOT / "docs" / "mutation.md"
_RESULTS = ROOT / ".mutation" / "results.jsonl"
_READ = ("service", "schemas", "fhir_mappings", "tools", "tests")


def main(args: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=2, help="processes at a time")
    parser.add_argument("--minutes", type=float, default=60, help="begin nothing new after that time")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth error")
    parser.add_argument("--only", default="", metavar="WORD", help="only errors with that in their name")
    parser.add_argument("--survivors", action="store_true", help="only those that survived the last time")
    parser.add_argument("--quick", action="store_true", help="only the checks that take seconds")
    parser.add_argument("--results", type=Path, default=_RESULTS, help="where the verdicts are kept")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    chosen = parser.parse_args(args)

    raw = load_yaml(HERE / FILE)
    every = mutants(raw)
    checks = QUICK if chosen.quick else CHECKS
    store = Results(chosen.results, checks, keep=chosen.survivors)
    wanted = [m for m in every[:: chosen.every] if chosen.only in m.name]
    if chosen.survivors:
        wanted = [m for m in wanted if m.name in store.verdicts and not store.verdicts[m.name].killed]
        waiting = wanted
    else:
        waiting = [m for m in wanted if m.name not in store.verdicts]
    print(f"{len(every)} errors, {len(waiting)} of {len(wanted)} to be tried", flush=True)
    if waiting:
        try_all(
            waiting,
            store.add,
            jobs=chosen.jobs,
            checks=checks,
            stop=time.monotonic() + chosen.minutes * 60,
            control=UNCHANGED.name not in store.verdicts,
            proof=not chosen.quick and find_spec("tools.proof") is not None,
        )

    verdicts = {m.name: store.verdicts[m.name] for m in wanted if m.name in store.verdicts}
    left = len(wanted) - len(verdicts)
    survived = report.survivors(wanted, verdicts, raw)
    print("\n".join(report.table(verdicts.values())))
    for name, reason in survived:
        print(f"survived: {name}{f' ({reason})' if reason else ''}")
    if left:
        print(f"{left} not tried yet: give the same command again")
    elif chosen.write and not chosen.only:
        PAGE.write_text(report.page(every, verdicts, raw), encoding="utf-8")
    return 1 if left or any(not reason for _, reason in survived) else 0


class Results:
    """The verdicts so far, kept in a file. Those of other code or other tests are forgotten unless kept."""

    def __init__(self, path: Path, checks: Sequence[str], *, keep: bool = False) -> None:
        self.path = path
        self.verdicts: dict[str, Verdict] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        now = json.dumps({"of": fingerprint(), "by": checks})
        if lines and (keep or lines[0] == now):
            for line in lines[1:]:
                verdict = Verdict(**json.loads(line))
                self.verdicts[verdict.mutant] = verdict
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(now + "\n", encoding="utf-8")

    def add(self, verdict: Verdict) -> None:
        self.verdicts[verdict.mutant] = verdict
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")


def fingerprint(folders: Sequence[str] = _READ) -> str:
    """A hash of all that decides whether a mutant is killed."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".yaml", ".md"):
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
