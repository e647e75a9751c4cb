"""Compare the answers of two revisions; see `python -m tools.compare_answers --help`."""

from __future__ import annotations

import re
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tools.compare_answers.comparison import Difference, NotComparable, compare
from tools.compare_answers.recordings import (
    RecordingError,
    commit_of,
    read,
    record_revision,
    record_tree,
    write_requests,
)
from tools.compare_answers.requests import ROOT, requests

CACHE = ROOT / ".compare"
WORK_TREE = "."
SHOWN = 10

USAGE = """
python -m tools.compare_answers OLD [NEW]                 record what is missing, and compare
python -m tools.compare_answers record REVISION --out FILE [--requests RECORDING]
python -m tools.compare_answers compare OLD_FILE NEW_FILE

OLD, NEW and REVISION are git revisions; `.` is the work tree with what is not committed, the default of NEW.
Recordings of revisions are kept in .compare/ and used again; the work tree is always recorded anew. NEW
answers the requests of the recording of OLD.

--expect FILE: a YAML list of declared differences, each with `ids` (a pattern as of the shell, such as
"examples/*"), `why`, and optionally `lines`: regular expressions; the difference is the declared one only if
each line that the diff removes or adds matches one of them.

Exit codes: 0 no undeclared difference; 1 at least one; 2 nothing could be compared.
"""


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    command = arguments[0] if arguments[:1] in (["record"], ["compare"]) else ""
    parser = ArgumentParser(
        prog="python -m tools.compare_answers", usage=USAGE, formatter_class=RawDescriptionHelpFormatter
    )
    if command == "record":
        parser.add_argument("revision")
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--requests", type=Path)
    else:
        parser.add_argument("old")
        parser.add_argument("new", **({} if command else {"nargs": "?", "default": WORK_TREE}))  # type: ignore[arg-type]
        parser.add_argument("--expect", type=Path)
        parser.add_argument("--show", type=int, default=SHOWN, help="differences that are printed")
    options = parser.parse_args(arguments[1:] if command else arguments)
    try:
        if command == "record":
            record(options.revision, options.out, options.requests)
            return 0
        declared = yaml.safe_load(options.expect.read_text(encoding="utf-8")) if options.expect else []
        if command == "compare":
            return report(Path(options.old), Path(options.new), declared, options.show)
        old = _recording(options.old, None)
        return report(old, _recording(options.new, old), declared, options.show)
    except (RecordingError, NotComparable, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def record(revision: str, target: Path, source: Path | None) -> None:
    """Record a revision or the work tree, with the requests of another recording if one is given."""
    with tempfile.TemporaryDirectory() as scratch:
        if source is None:
            source = Path(scratch) / "requests.gz"
            write_requests(requests(), source)
        if revision == WORK_TREE:
            record_tree(ROOT, source, target)
        else:
            record_revision(revision, source, target)


def _recording(revision: str, old: Path | None) -> Path:
    """The recording of a revision, made if it is missing. old: the recording whose requests it answers."""
    name = "work-tree" if revision == WORK_TREE else commit_of(revision)[:12]
    if old is not None:
        name += f"-as-{old.name.partition('.')[0]}"
    file = CACHE / f"{name}.ndjson.gz"
    if revision == WORK_TREE or not file.exists():
        print(f"recording {revision} in {file}", file=sys.stderr)
        record(revision, file, old)
    return file


def report(old: Path, new: Path, declared: list[dict[str, Any]], show: int) -> int:
    """Print the first differences and the counts of each group, and return the exit code."""
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    expected: Counter[int] = Counter()
    statuses: Counter[str] = Counter()
    for recorded, difference in zip(read(old), compare(read(old), read(new)), strict=True):
        total[recorded["group"]] += 1
        statuses[f"{recorded['group']} {recorded['status']}"] += 1
        if difference is None:
            continue
        number = declaration_of(difference, declared)
        if number is not None:
            expected[number] += 1
            continue
        found[difference.group] += 1
        if found.total() <= show:
            print(f"\n== {difference.id}", *difference.lines(), sep="\n")
    print(f"\n{'':24}{'requests':>9}{'differ':>8}   answers of OLD by status")
    for group, number in total.items():
        by_status = {
            key.rpartition(" ")[2]: n for key, n in statuses.items() if key.rpartition(" ")[0] == group
        }
        shown = ", ".join(f"{status}: {n}" for status, n in sorted(by_status.items()))
        print(f"{group:24}{number:9}{found[group]:8}   {shown}")
    print(f"{'all':24}{total.total():9}{found.total():8}")
    for number, declaration in enumerate(declared):
        print(f"declared: {expected[number]} of {declaration['ids']}: {declaration['why']}")
    return 1 if found else 0


def declaration_of(difference: Difference, declared: list[dict[str, Any]]) -> int | None:
    """The number of the declaration that covers the difference, or None."""
    for number, declaration in enumerate(declared):
        patterns = declaration.get("lines", [".*"])
        if fnmatchcase(difference.id, declaration["ids"]) and all(
            any(re.fullmatch(pattern, line.strip()) for pattern in patterns)
            for line in difference.changed_lines()
        ):
            return number
    return None


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
