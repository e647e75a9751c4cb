"""What changed in the knowledge and in its answers to test patients, examples and the rows' examples.

    python -m tools.knowledge_diff OLD [--new PATH] [--format text|markdown|json] [--exit-code]

OLD is a git revision, or a folder with knowledge files. The test patients come from tests/vignettes. Where
today's code cannot load OLD (another version of the decision model), what is written is compared all the
same, and the examples are asked of the program of that revision and of this one; a folder has no program.
Exit codes: 2 = there is no such version; 1 = something differs, only with --exit-code; else 0.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import msgspec

from fhir_mappings.request.bundles import decode_bundle, submission_of_prefetch
from fhir_mappings.request.hook_call import decode_call
from fhir_mappings.resources.submission import Submission
from fhir_mappings.to_findings.unknown_codes import Unknown
from service.assessment import assessment_of
from service.cards import Call, cards_of
from service.decision import decide
from service.evaluation import Evaluation, Evaluator
from service.knowledge import HERE, Knowledge, KnowledgeError, load_knowledge
from tests.knowledge.patients import record_of_example
from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.patient import AS_OF, PEOPLE
from tools.knowledge_diff import (
    Case,
    Comparison,
    Report,
    Version,
    compared,
    differences,
    earlier_knowledge,
    written,
)
from tools.knowledge_diff.programs import ProgramError, compared_programs
from tools.knowledge_diff.report import FORMATS

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
_BASE = "https://cds.example.org"
_INSTANCE = "00000000-0000-4000-8000-000000000000"


class NoSuchVersion(ValueError):
    """Neither a folder of knowledge files nor a git revision that has one."""


def _asked(submission: Submission, as_of: date, knowledge: Knowledge) -> Evaluation:
    return Evaluator(knowledge, _BASE).evaluate(submission, as_of, hook_instance=_INSTANCE)


def patients() -> Iterator[Case]:
    """Every test patient in every dialect, and as a prefetch."""
    for person in PEOPLE:
        for form, dialect in DIALECTS.items():
            body = json.dumps(dialect(person)).encode()
            if form in BUNDLES:
                submission = decode_bundle(body)
            else:
                prefetch = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
                submission = submission_of_prefetch(prefetch, person.id)
            yield Case(
                "Test patients", f"{person.id}, {person.title}", form, partial(_asked, submission, AS_OF)
            )


def example_files(directory: Path = EXAMPLES) -> Iterator[Case]:
    """Every bundle and hook request of the examples."""
    for path in sorted(directory.glob("*/*.json")):
        body = path.read_bytes()
        if b'"hook"' in body[:200]:
            call = decode_call(body)
            submission = submission_of_prefetch(call.prefetch, call.members["context"]["patientId"])
            form = "hook request"
        else:
            submission, form = decode_bundle(body), "bundle"
        subject = path.relative_to(directory).as_posix()
        yield Case("Examples", subject, form, partial(_asked, submission, AS_OF))


def row_examples(*tables: Knowledge) -> Iterator[Case]:
    """Every example of every row of those tables; one that both have is asked once."""
    seen = set()
    for knowledge in tables:
        for row in knowledge.table.rows:
            for example in row.examples:
                key = (row.id, json.dumps(example.given, sort_keys=True, default=str))
                if key not in seen:
                    seen.add(key)
                    subject = f"{row.id}, {example.title}"
                    yield Case("Rows' examples", subject, "given", partial(_of_example, example.given))


def _of_example(given: Mapping[str, Any], knowledge: Knowledge) -> Evaluation:
    decision = decide(record_of_example(given), knowledge.table)
    cards = cards_of(decision, knowledge, Call(_INSTANCE, _BASE, "Patient/p", None))
    return Evaluation(
        Submission(()), decision, cards, assessment_of(decision, knowledge, Unknown()), decision.gate
    )


def _git(*words: str, root: Path) -> bytes:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=False)
    except OSError:
        raise NoSuchVersion("it is no folder, and there is no git to ask") from None
    if done.returncode:
        raise NoSuchVersion(f"it is no folder, and git says: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def unpacked(name: str, into: Path, root: Path = ROOT) -> tuple[Path, str]:
    """The knowledge folder of that version, and what the version is. Raises NoSuchVersion."""
    if name and Path(name).is_dir():
        return Path(name), "a folder"
    # A name that begins with a dash would be an option of git.
    commit = _git("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}", root=root)
    revision = commit.decode().strip()
    _extract(revision, into, root, "service/knowledge")
    said = _git("show", "-s", "--format=%h of %cs", revision, root=root).decode().strip()
    folder = into / "service" / "knowledge"
    # Revisions before the folder `data` hold the files beside the modules.
    return (folder / "data" if (folder / "data").is_dir() else folder), said


def _extract(revision: str, into: Path, root: Path, *parts: str) -> None:
    archive = _git("archive", "--format=zip", revision, *parts, root=root)
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        packed.extractall(into)


def asked_of_programs(name: str, root: Path = ROOT) -> Comparison | None:
    """The examples asked of the program of that revision and of this one; None for a folder."""
    if Path(name).is_dir():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch)
        commit = _git("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}", root=root)
        _extract(commit.decode().strip(), tree, root)
        try:
            return compared_programs(tree, root, EXAMPLES, AS_OF)
        except ProgramError:
            return None


def _now(directory: Path, root: Path = ROOT) -> str:
    """What the working tree is."""
    if directory != HERE:
        return "a folder"
    try:
        said = _git("show", "-s", "--format=%h of %cs", "HEAD", root=root).decode().strip()
        changed = _git("status", "--porcelain", "--", "service/knowledge", root=root)
    except NoSuchVersion:
        return "not under version control"
    return f"{said}{', with changes that are not committed' if changed else ''}"


def report(old: str, new: Path = HERE, made_on: date | None = None) -> Report:
    """The whole comparison. Raises NoSuchVersion, or KnowledgeError where today's knowledge is broken."""
    today = load_knowledge(new)
    with tempfile.TemporaryDirectory() as scratch:
        directory, said = unpacked(old, Path(scratch))
        try:
            sections = differences(written(directory), written(new))
        except KnowledgeError as error:
            raise NoSuchVersion(f"its files cannot be read:\n{error}") from None
        earlier = earlier_knowledge(directory, new)
    comparison = None
    if earlier.knowledge is not None:
        cases = [*patients(), *example_files(), *row_examples(earlier.knowledge, today)]
        comparison = compared(cases, earlier.knowledge, today)
    elif new == HERE:
        comparison = asked_of_programs(old)
    return Report(
        made_on=made_on or date.today(),
        before=Version(old, said, earlier.version),
        after=Version("working tree" if new == HERE else str(new), _now(new), today.version),
        sections=sections,
        comparison=comparison,
        problems=earlier.problems,
        lent=earlier.lent,
        by_programs=earlier.knowledge is None and comparison is not None,
    )


def main(args: list[str], out: TextIO = sys.stdout) -> int:
    """Prints the comparison; see the exit codes above."""
    words = argparse.ArgumentParser(prog="python -m tools.knowledge_diff", description=__doc__.split("\n")[0])
    words.add_argument("old", help="a git revision, or a folder with knowledge files")
    words.add_argument("--new", type=Path, default=HERE, help="another folder than the working tree's")
    words.add_argument("--format", choices=FORMATS, default="text")
    words.add_argument("--exit-code", action="store_true", help="1 where something differs")
    given = words.parse_args(args)
    try:
        found = report(given.old, given.new)
    except (NoSuchVersion, KnowledgeError) as error:
        print(f"{given.old} cannot be compared: {error}", file=sys.stderr)
        return 2
    out.write(found.shown(given.format))
    return 1 if given.exit_code and found.differs else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
