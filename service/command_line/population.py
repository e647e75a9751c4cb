"""Runs over the population of a bulk export: settings, progress, diagnostics and the files of the report."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from service.config import Config
from service.knowledge import Knowledge
from service.population.deciding import DUPLICATE
from service.population.drift import NotComparable, Other, drift_of, read_other
from service.population.export_files import MOVED, NoExport
from service.population.figures import Figures
from service.population.report import Report, has_cards, report_of, site_codes_draft
from service.population.report_page import page_of
from service.population.run import NotEmpty, Options, Result, Run, cores
from service.population.sorting import UNKNOWN_TYPE
from service.population.spark import NoSpark, SparkRun

__all__ = [
    "NoExport",
    "NoSpark",
    "NotComparable",
    "NotEmpty",
    "Outcome",
    "Stopped",
    "limits_of",
    "run_population",
]

_LIMITS = (
    "MAX_BODY_BYTES",
    "MAX_OBJECTS",
    "MAX_ENTRIES",
    "MAX_REFERENCES",
    "MAX_DRAFTS",
    "MAX_NOTES",
    "MAX_TEXT_CHARACTERS",
)
# Faults after which every patient is decided all the same.
_HARMLESS = frozenset({DUPLICATE, UNKNOWN_TYPE})
_UNDECIDED_GATES = ("unseen", "unread")


_OPTIONS = (
    click.argument("export", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path)),
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=Path("population-report"),
        show_default=True,
        help="The folder for the report, new or empty; one of an interrupted run goes on.",
    ),
    click.option(
        "--decisions",
        is_flag=True,
        help="Also write decisions.ndjson: patient id, level, rows, recommendations.",
    ),
    click.option(
        "--whole",
        is_flag=True,
        help="Also say what is not understood in records without a twitch: several times the work.",
    ),
    click.option("--small-counts", is_flag=True, help="Show counts below 5."),
    click.option(
        "--compare",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="An earlier report.json: say what changed, and who moved where both have decisions.",
    ),
    click.option(
        "--workers", type=click.IntRange(1, 512), default=cores, help="Processes; by default one a core."
    ),
    click.option(
        "--spark",
        metavar="MASTER",
        help="Run on Apache Spark instead, such as spark://host:7077 or local[8]; needs the extra [spark].",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["info", "warning", "critical", "never"]),
        default="warning",
        help="The lowest level with an exit code of its own; info has 3.",
    ),
)


def population_options(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and the options of the command, but for those that others have."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Outcome:
    """highest: the highest level of a card. unusable: something could not be read or decided."""

    highest: str
    unusable: bool
    files: tuple[Path, ...]


class Stopped(Exception):
    """The run ended early, and can go on. The message says why."""


def limits_of(environ: Mapping[str, str]) -> Config:
    """The settings that limit a record. Raises ConfigError."""
    return Config.from_environ({name: environ.get(name, "") for name in _LIMITS})


def run_population(
    options: Options,
    knowledge: Knowledge,
    *,
    hides: bool,
    tell: Callable[[str], object],
    shows: bool,
    compare: Path | None = None,
    spark: str | None = None,
) -> Outcome:
    """Run, or go on with an interrupted run, and write the report.

    Args:
        hides: Hide small counts.
        tell: Takes each diagnostic.
        shows: Show a progress bar on stderr.
        compare: An earlier report.json.
        spark: The master of a Spark cluster that runs it.

    Raises:
        NoSpark: Spark cannot be used, or ended the run.
        NotComparable: `compare` is no report.
        NoExport: The folder is no export.
        NotEmpty: The folder for the results is not free.
        Stopped: The run was interrupted.
    """
    other = read_other(compare) if compare is not None else None
    run: Run | SparkRun
    try:
        if spark:
            run = SparkRun(options, knowledge.version, spark, shows=shows)
        else:
            run = Run(options, knowledge.version)
    except OSError as error:
        raise NotEmpty(f"{options.out} cannot be written: {error.strerror}") from None
    if run.resumed:
        tell(f"{options.out}: going on with the interrupted run for {run.as_of}")
    bars = _Bars(run, shows and not spark)
    try:
        result = run.result(bars.progress)
        bars.close()
        _tell_faults(result.figures, tell)
        report, paths = _written(result, options, knowledge, other, hides=hides)
    except (KeyboardInterrupt, BrokenProcessPool, OSError, sqlite3.Error) as error:
        then = "run it again with --out new or empty" if spark else "the same command goes on with the run"
        raise Stopped(f"{_why(error)}: {then}") from None
    finally:
        bars.close()
    run.clear()
    return Outcome(has_cards(report), _is_unusable(result.figures), paths)


def _tell_faults(figures: Figures, tell: Callable[[str], object]) -> None:
    for kind, found in figures.get("faults", {}).items():
        for file, line in found["places"]:
            tell(f"{file}:{line}: {kind}")
        if more := found["count"] - len(found["places"]):
            tell(f"{more} more: {kind}")


def _written(
    result: Result, options: Options, knowledge: Knowledge, other: Other | None, *, hides: bool
) -> tuple[Report, tuple[Path, ...]]:
    """The report, and the files of it in the folder for the results."""
    report = report_of(
        result.figures,
        knowledge.table,
        as_of=result.as_of,
        knowledge=knowledge.version,
        files=result.files,
        size=result.bytes,
        hides=hides,
    )
    if other is not None:
        report["compared"] = drift_of(other, report, options.out, hides=hides)
    texts = {
        "report.html": page_of(report, whole=options.whole),
        "report.json": _text(report),
        "site_codes_draft.json": _text(site_codes_draft(report)),
    }
    for name, text in texts.items():
        # The name of a file may be no UTF-8.
        (options.out / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    more = [MOVED] if "moved" in report.get("compared", {}) else []
    return report, tuple(options.out / name for name in (*texts, *more))


def _why(error: BaseException) -> str:
    """Why the run ended early, in words that name no patient."""
    match error:
        case KeyboardInterrupt():
            return "interrupted"
        case BrokenProcessPool():
            return "a worker ended (is there enough memory?)"
        case OSError():
            return error.strerror or type(error).__name__
    return str(error)


def _is_unusable(figures: Figures) -> bool:
    gates = figures.get("gates", {})
    return bool(
        figures.get("faults", {}).keys() - _HARMLESS
        or figures.get("refused")
        or any(gates.get(gate) for gate in _UNDECIDED_GATES)
    )


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


class _Bars:
    """A progress bar for each phase, by the bytes of the export."""

    def __init__(self, run: Run | SparkRun, shows: bool) -> None:
        self._shows, self._phase = shows, ""
        self._bar: Any = None
        self._bytes = sum(file.bytes for file in run.files)
        self._partitions = run.partitions
        self._done = 0

    def progress(self, phase: str, amount: int) -> None:
        """Move the bar of that phase: by bytes, or by partitions."""
        if not self._shows:
            return
        if phase != self._phase:
            self.close()
            self._phase, self._done = phase, 0
            label = {"reading": "1 of 2, reading "}.get(phase, "2 of 2, deciding")
            self._bar = click.progressbar(length=self._bytes, label=label, file=sys.stderr)
            self._bar.__enter__()
        if phase == "deciding":
            self._done += amount
            before = self._bytes * (self._done - amount) // self._partitions
            amount = self._bytes * self._done // self._partitions - before
        self._bar.update(amount)

    def close(self) -> None:
        """End the bar that is shown."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None
