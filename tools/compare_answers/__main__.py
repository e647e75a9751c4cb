"""Compare the answers of two versions; see `python -m tools.compare_answers --help`."""

from __future__ import annotations

import re
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tools.compare_answers import recordings
from tools.compare_answers.comparison import Difference, NotComparable, compare, knowledge_version
from tools.compare_answers.recordings import RecordingError, read
from tools.compare_answers.requests import ROOT, RequestsError, requests

CACHE = ROOT / ".compare"
SHOWN = 10
SHOWN_LINES = 60
LONGEST_LINE = 300

USAGE = """
  python -m tools.compare_answers OLD [NEW] [--show N] [--expect FILE]        record both, and compare
  python -m tools.compare_answers record VERSION --out FILE [--requests RECORDING]
  python -m tools.compare_answers compare OLD_FILE NEW_FILE [--show N] [--expect FILE]

OLD, NEW and VERSION are git revisions, or folders with the code: `.` (the default of NEW) or a path with `/`.
The recording of a revision is kept in .compare/ and used again, that of a folder is made anew. NEW answers
the requests that are in the recording of OLD; the first recording takes them from the tests of this tree.

--expect FILE: a YAML list of declared differences, each with `ids` (a shell pattern such as "examples/*"),
`why`, and optionally `lines`: regular expressions, one of which matches each line that the diff removes or
adds, without its blanks at both ends.

Exit codes: 0 no undeclared difference; 1 at least one; 2 nothing could be compared.
"""


def main(arguments: list[str]) -> int:
    """Run a command and return its exit code."""
    command = arguments[0] if arguments[:1] in (["record"], ["compare"]) else ""
    parser = ArgumentParser(prog="python -m tools.compare_answers", usage=USAGE)
    if command == "record":
        parser.add_argument("version")
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--requests", type=Path)
    else:
        parser.add_argument("old")
        parser.add_argument("new", nargs=None if command else "?", default=".")
        parser.add_argument("--show", type=int, default=SHOWN, help="number of differences that are printed")
        parser.add_argument("--expect", type=Path)
    options = parser.parse_args(arguments[1:] if command else arguments)
    try:
        if command == "record":
            record(options.version, options.out, options.requests)
            return 0
        declared = yaml.safe_load(options.expect.read_text(encoding="utf-8")) if options.expect else []
        if command == "compare":
            return report(Path(options.old), Path(options.new), declared, options.show)
        old = recording_of(options.old)
        return report(old, recording_of(options.new, old), declared, options.show)
    except (RecordingError, RequestsError, NotComparable, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def record(version: str, target: Path, source: Path | None = None) -> None:
    """Record a version. source: another recording, whose requests are sent."""
    print(f"recording {version} in {target}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        if source is None:
            source = Path(scratch) / "requests.gz"
            recordings.write_requests(requests(), source)
        recordings.record(version, source, target)


def recording_of(version: str, old: Path | None = None) -> Path:
    """The recording of a version, made if it is missing. old: the recording whose requests it answers."""
    is_tree = recordings.is_tree(version)
    name = Path(version).resolve().name if is_tree else recordings.commit_of(version)[:12]
    answers = f"-with-requests-of-{old.name.partition('.')[0]}" if old else ""
    file = CACHE / f"{name}{answers}.ndjson.gz"
    if is_tree or not file.exists():
        record(version, file, old)
    return file


def report(old: Path, new: Path, declared: list[dict[str, Any]], show: int) -> int:
    """Print the first differences and the counts of each group, and return the exit code."""
    statuses: defaultdict[str, Counter[int]] = defaultdict(Counter)
    undeclared: Counter[str] = Counter()
    expected: Counter[int] = Counter()
    versions = {knowledge_version(read(file)) for file in (old, new)}
    for recorded, difference in zip(read(old), compare(read(old), read(new), versions), strict=True):
        statuses[recorded["group"]][recorded["status"]] += 1
        if difference is None:
            continue
        number = declaration_of(difference, declared)
        if number is not None:
            expected[number] += 1
            continue
        undeclared[difference.group] += 1
        if undeclared.total() <= show:
            lines = [line[:LONGEST_LINE] for line in difference.lines()]
            more = [f"... {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
            print(f"\n== {difference.id}", *lines[:SHOWN_LINES], *more, sep="\n")
    print(f"\n{'':20}{'requests':>9}{'differ':>8}   answers of OLD by status")
    for group, counts in statuses.items():
        listed = ", ".join(f"{status}: {counts[status]}" for status in sorted(counts))
        print(f"{group:20}{counts.total():9}{undeclared[group]:8}   {listed}")
    print(f"{'all':20}{sum(counts.total() for counts in statuses.values()):9}{undeclared.total():8}")
    for number, declaration in enumerate(declared):
        print(f"declared and seen {expected[number]} times: {declaration['ids']}: {declaration['why']}")
    return 1 if undeclared else 0


def declaration_of(difference: Difference, declared: list[dict[str, Any]]) -> int | None:
    """The index of the declaration that covers the difference, or None."""
    changed = [line.strip() for line in difference.changed_lines()]
    for number, declaration in enumerate(declared):
        patterns = declaration.get("lines")
        if fnmatchcase(difference.id, declaration["ids"]) and (
            patterns is None or (changed and all(_matches_one(line, patterns) for line in changed))
        ):
            return number
    return None


def _matches_one(line: str, patterns: list[str]) -> bool:
    return any(re.fullmatch(pattern, line) for pattern in patterns)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
