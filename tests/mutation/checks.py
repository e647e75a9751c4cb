"""The checks that a mutant has to get past: the tests, each against a table with one error.

The tests are collected once, with one shared Knowledge. Each mutant is then tried in a fork of that process:
the mutated file is loaded by the strict loader, its table is put in the place of the shared one, and the
tests run until the first that fails. What they expect stays as it is: it is never read from the mutated file.
"""

from __future__ import annotations

import gc
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

import service.knowledge as loader
from service.knowledge import HERE, Knowledge, KnowledgeError
from service.knowledge.conditions import FILE
from service.knowledge.loading import folder_of, load_yaml
from tests.mutation.errors import Mutant

ROOT = Path(__file__).parents[2]
# In this order: the cheapest first. What reads the shipped file itself or compares a generated file with it
# is no check of a table; nor is the second implementation, which reads the same one.
CHECKS = (
    "tests/knowledge/test_row_examples.py",
    "tests/knowledge/test_actions_and_questions.py",
    "tests/knowledge/test_support.py",
    "tests/spec/test_result_facts.py",
    "tests/spec/test_gate_and_named.py",
    "tests/spec/test_answers_in_words.py",
    "tests/spec/test_self_care.py",
    "tests/spec/test_actions.py",
    "tests/spec/test_facts_together.py",
    "tests/spec/test_diseases_and_medicines_together.py",
    "tests/spec/test_children_and_self_care.py",
    "tests/spec/test_one_fact.py",
    "tests/spec",
    "tests/unit/test_removals.py",
    "tests/unit/test_levels.py",
    "tests/unit/test_studies_and_consultations.py",
    "tests/unit/test_withheld_and_advised.py",
    "tests/unit/test_questions.py",
    "tests/unit/test_answers_of_questions.py",
    "tests/unit/test_question_words.py",
    "tests/unit/test_cards.py",
    "tests/unit/test_card_suggestions.py",
    "tests/vignettes/test_vignettes.py",
    "tests/golden",
)
# Those of them that take seconds.
QUICK = tuple(check for check in CHECKS if check.startswith(("tests/knowledge", "tests/spec/test_")))
# A mutant that is not decided in so many seconds of a processor counts as killed by time.
LIMIT = 300
_COPY = "mutant-"
_WORD = re.compile(r"[a-z0-9]{4,}")
UNCHANGED = Mutant("unchanged", "the table", "as it is", (), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """by: the test that failed, "loader", "proof" or "time"; "" = it survived. seconds: of a processor."""

    mutant: str
    kind: str
    by: str
    seconds: float

    @property
    def killed(self) -> bool:
        return bool(self.by)


def try_all(
    mutants: Sequence[Mutant],
    report: Callable[[Verdict], None],
    *,
    jobs: int = 1,
    checks: Iterable[str] = CHECKS,
    stop: float = float("inf"),
    control: bool = True,
    proof: bool = False,
) -> None:
    """Reports the verdict on each mutant as it comes; begins none after that time (`time.monotonic`).

    Before the first, the table as it is has to pass every check, unless control is False: RuntimeError if it
    does not. That verdict is reported as well. With proof, what survives is put to `python -m tools.proof`.
    To be called once in a process: it is not the same afterwards.
    """
    load = loader.load_knowledge
    for name in ("load_terminology", "load_claims", "load_order_codes"):
        setattr(loader, name, _of_the_shipped(getattr(loader, name)))
    shared = load()
    loader.load_knowledge = lambda directory=None: load(directory) if directory else shared
    settings.register_profile("mutation", derandomize=True, database=None)
    settings.load_profile("mutation")
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / f"{_COPY}{number}" for number in range(jobs)]
        for folder in folders:
            shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        trials = _Trials(shared, load, mutants, report, folders, stop, control, proof)
        quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "--assert=plain", "-s", "-o", "addopts="]
        code = pytest.main([*quiet, f"--rootdir={ROOT}", *(str(ROOT / c) for c in checks)], plugins=[trials])
    if trials.refused:
        raise RuntimeError(f"the table as it is does not pass {trials.refused}")
    if code != pytest.ExitCode.OK:
        raise RuntimeError(f"the tests cannot be collected: pytest ends with {code!r}")


def _of_the_shipped(load: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """The same, but for the copies what the shipped folder has: it does not depend on the table."""
    shipped = load(HERE)

    def loaded(directory: Any) -> Any:
        path = folder_of(directory).path
        return shipped if path == HERE or path.name.startswith(_COPY) else load(directory)

    return loaded


class _Trials:
    """A plugin for pytest that runs the collected tests once for every mutant, each time in a fork."""

    def __init__(
        self,
        shared: Knowledge,
        load: Callable[[Path], Knowledge],
        mutants: Sequence[Mutant],
        report: Callable[[Verdict], None],
        folders: Sequence[Path],
        stop: float,
        control: bool,
        proof: bool,
    ) -> None:
        self.shared, self.load = shared, load
        self.mutants, self.report = mutants, report
        self.folders, self.stop, self.control = folders, stop, control
        self.raw = load_yaml(HERE / FILE)
        self.items: list[pytest.Item] = []
        self.refused = ""
        self.failed = ""
        self.proof = proof

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("a test file cannot be read")
        self.items = session.items
        session.config.option.tbstyle = "native"
        gc.collect()
        gc.freeze()
        if self.control:
            self._each([UNCHANGED], self._unchanged)
        if not self.refused:
            self._each(self.mutants, self.report)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def _unchanged(self, verdict: Verdict) -> None:
        self.refused = verdict.by
        if not verdict.killed:
            self.report(verdict)

    def _each(self, mutants: Sequence[Mutant], report: Callable[[Verdict], None]) -> None:
        waiting = list(reversed(mutants))
        free = list(self.folders)
        running: dict[int, tuple[Mutant, Path, int]] = {}
        while waiting or running:
            while waiting and free and time.monotonic() < self.stop:
                mutant, folder = waiting.pop(), free.pop()
                child, answer = self._begun(mutant, folder)
                running[child] = (mutant, folder, answer)
            if not running:
                return
            child, status, used = os.wait4(-1, 0)
            mutant, folder, answer = running.pop(child)
            free.append(folder)
            with os.fdopen(answer, encoding="utf-8") as said:
                by = said.read() if status == 0 else "time" if os.WIFSIGNALED(status) else "crash"
            report(Verdict(mutant.name, mutant.kind, by, round(used.ru_utime + used.ru_stime, 2)))

    def _begun(self, mutant: Mutant, folder: Path) -> tuple[int, int]:
        """The process in which the mutant is tried, and where it will say what killed it."""
        answer, saying = os.pipe()
        child = os.fork()
        if child:
            os.close(saying)
            return child, answer
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            os.write(saying, self._killer(mutant, folder).encode())
            code = 0
        finally:
            os._exit(code)

    def _killer(self, mutant: Mutant, folder: Path) -> str:
        content = self.raw if mutant is UNCHANGED else mutant.applied(self.raw)
        (folder / FILE).write_text(
            yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
        try:
            changed = self.load(folder)
        except KnowledgeError:
            return "loader"
        _put(changed.table, self.shared.table)
        _put(changed, self.shared, leaving="table")
        items = likely_first(self.items, mutant)
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return self.failed
        return "proof" if self.proof and self._disproved(folder) else ""

    def _disproved(self, folder: Path) -> bool:
        command = [sys.executable, "-m", "tools.proof", "--knowledge", str(folder)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode != 0


def likely_first(items: Sequence[pytest.Item], mutant: Mutant) -> list[pytest.Item]:
    """The same tests, first those that have the words of the error in their names."""
    words = set(_WORD.findall(f"{mutant.place} {mutant.kind} {mutant.says}".lower()))
    return sorted(items, key=lambda item: -sum(word in item.nodeid.lower() for word in words))


def _put(source: Any, target: Any, leaving: str = "") -> None:
    """Every field of one frozen dataclass into another: each test has hold of that one already."""
    for field in fields(source):
        if field.name != leaving:
            object.__setattr__(target, field.name, getattr(source, field.name))
