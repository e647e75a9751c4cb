"""The commands of fasciculation-cds. Results go to stdout, diagnostics to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from fhir_mappings.request.documents import BUNDLE
from fhir_mappings.to_findings.unknown_codes import UnknownCode
from service import __version__
from service.command_line.explain import Explainer
from service.command_line.inputs import Document, Inputs, Unusable
from service.command_line.population import (
    NoExport,
    NoSpark,
    NotComparable,
    NotEmpty,
    Stopped,
    limits_of,
    population_options,
    run_population,
)
from service.command_line.terminal import COLOURS, card_text, error_text, harmless, table
from service.command_line.validate import codes_text, json_of, text_of, validated
from service.config import Config, ConfigError
from service.errors import RequestError
from service.evaluation import Evaluation, Evaluator
from service.examples import Example, load_examples
from service.knowledge import Knowledge, KnowledgeError, load_knowledge
from service.population.run import Options

# Exit codes besides 0. click exits with 2 for a wrong option.
UNUSABLE, WRONG_USE, WARNING, CRITICAL = 1, 2, 3, 4
LEVELS = ("none", "info", "warning", "critical")
_OF_LEVEL = {"warning": WARNING, "critical": CRITICAL}
_SITE_SETTINGS = ("KNOWLEDGE_OVERLAY", "SITE_CODES")
BASE_URL = "http://127.0.0.1:8000"

_EXIT_CODES = """\b
Exit codes:
  0  everything was decided, and the highest level is none or info
  3  the highest level is warning
  4  the highest level is critical
  1  something could not be read or decided; takes precedence over 3 and 4
  2  wrong use, or broken knowledge"""
_VALIDATE_CODES = """\b
Exit codes:
  0  everything can be used
  3  something in a record is not understood, not used, not recognised or not valid FHIR
  1  a whole record cannot be read or decided; takes precedence over 3
  2  wrong use, or broken knowledge"""


def main() -> None:
    """Entry point of the installed command."""
    commands(prog_name="fasciculation-cds")


def _print_version(context: click.Context, _: click.Parameter, given: bool) -> None:
    if given:
        folder = os.environ.get("KNOWLEDGE_DIR")
        knowledge = _knowledge(Path(folder) if folder else None)
        click.echo(f"fasciculation-cds {__version__}, knowledge {knowledge.version}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Show the versions of the package and of the knowledge.")  # fmt: skip
@click.pass_context
def commands(context: click.Context) -> None:
    """Muscle twitching: benign or not, decided from files. For clinicians; not a diagnosis."""
    # See https://no-color.org. None: click decides by whether it writes to a terminal.
    context.color = False if os.environ.get("NO_COLOR") else None


_KNOWLEDGE = click.option(
    "--knowledge",
    "folder",
    envvar="KNOWLEDGE_DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with other knowledge files.",
)
_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE|FOLDER|-...")
_AS_OF = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The day of the decision; otherwise the one a hook request names, or today in UTC.",
)


@commands.command(epilog=_EXIT_CODES)
@_FILES
@click.option("--format", "form", type=click.Choice(["table", "card", "json"]), default="table",
              help="json: an object a line, as POST /evaluate answers, and its source.")  # fmt: skip
@_AS_OF
@click.option("--fail-on", type=click.Choice(["info", "warning", "critical", "never"]), default="warning",
              help="The lowest level with an exit code of its own; info has 3.")  # fmt: skip
@click.option("--base-url", envvar="PUBLIC_BASE_URL", default=BASE_URL, help="Where links in cards begin.")
@_KNOWLEDGE
def evaluate(
    files: tuple[str, ...],
    form: str,
    as_of: datetime | None,
    fail_on: str,
    base_url: str,
    folder: Path | None,
) -> None:
    """Decide Bundles, hook requests and NDJSON: from files, folders, or standard input (-).

    NDJSON holds one of them a line, or one resource a line, which are put together by patient.
    """
    # Several URLs may be set; links in cards begin with the first.
    evaluator = Evaluator(_knowledge(folder), base_url.split(",")[0].strip().rstrip("/"))
    highest, unusable = "none", False
    rows: list[tuple[str, ...]] = []
    for document in _documents(files, quiet=form != "table" and sys.stdout.isatty()):
        if isinstance(document, Unusable):
            unusable = _report(document) or unusable
            continue
        try:
            evaluation = document.evaluated(evaluator, _date(as_of))
        except RequestError as error:
            unusable = _report(Unusable(document.source, error_text(error)))
            continue
        cards, assessment = evaluation.cards, evaluation.assessment
        doubt = _why_undecided(document, evaluation)
        if doubt:
            unusable = _report(Unusable(document.source, doubt))
        highest = max(highest, assessment["level"], key=LEVELS.index)
        if form == "json":
            content = {"source": document.source, "cards": cards, "assessment": assessment}
            click.echo(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
        elif form == "card":
            no_card = doubt or f"No card: {assessment['gate']['reason']}"
            click.echo(card_text(document.source, cards, no_card))
        else:
            rows += _rows(document, assessment, cards, doubt)
    if rows:
        heads = ("source", "patient", "level", "not read", "cards")
        click.echo(table(heads, rows, COLOURS), nl=False)
    sys.exit(_exit_code(highest, fail_on, unusable))


def _why_undecided(document: Document, evaluation: Evaluation) -> str:
    """Why the absence of a card is no all clear; "" if it is one, or there is a card."""
    if not evaluation.is_undecided:
        return ""
    if document.kind == BUNDLE:
        return f"no twitch was found, and that says nothing: {evaluation.assessment['gate']['reason']}"
    try:
        evaluation.reject_if_undecided()
    except RequestError as error:
        return error_text(error)
    return ""


def _rows(
    document: Document, assessment: dict[str, Any], cards: list[dict[str, Any]], doubt: str
) -> Iterator[tuple[str, ...]]:
    level = "unknown" if doubt else assessment["level"]
    first = (document.source, assessment["patient"] or "-", level, str(len(assessment["notUnderstood"])))
    summaries = [card["summary"] for card in cards] or [doubt or "no card"]
    for number, summary in enumerate(summaries):
        yield (*(first if number == 0 else ("", "", "", "")), summary)


def _exit_code(highest: str, fail_on: str, unusable: bool) -> int:
    if unusable:
        return UNUSABLE
    if fail_on == "never" or LEVELS.index(highest) < LEVELS.index(fail_on):
        return 0
    return _OF_LEVEL.get(highest, WARNING)


@commands.command(epilog=_VALIDATE_CODES)
@_FILES
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              help="json: an object for each record, a line each.")  # fmt: skip
@click.option("--display", "displays", is_flag=True,
              help="Also show the displays of unknown codes, which can hold any text.")  # fmt: skip
@_AS_OF
@_KNOWLEDGE
def validate(
    files: tuple[str, ...], form: str, displays: bool, as_of: datetime | None, folder: Path | None
) -> None:
    """List what in Bundles, hook requests and NDJSON cannot be used, with its FHIRPath.

    At the end come the codes that no value set knows, with their counts: where mapping a site's codes begins.
    """
    evaluator = Evaluator(_knowledge(folder), BASE_URL)
    unusable, faulty = False, False
    unknown: Counter[UnknownCode] = Counter()
    for document in _documents(files, quiet=sys.stdout.isatty()):
        if isinstance(document, Unusable):
            unusable = _report(document) or unusable
            continue
        try:
            validation = validated(document, evaluator, _date(as_of))
        except RequestError as error:
            unusable = _report(Unusable(document.source, error_text(error)))
            continue
        unknown += validation.unknown
        unusable, faulty = unusable or bool(validation.refused), faulty or not validation.is_whole
        if form == "json":
            click.echo(json.dumps(json_of(validation, displays=displays), ensure_ascii=False))
        else:
            click.echo(text_of(validation))
    if form == "text":
        click.echo(codes_text(unknown, displays=displays), nl=False)
    sys.exit(UNUSABLE if unusable else WARNING if faulty else 0)


@commands.command(epilog=_EXIT_CODES)
@_AS_OF
@population_options
@_KNOWLEDGE
def population(
    export: Path,
    as_of: datetime | None,
    out: Path,
    decisions: bool,
    whole: bool,
    small_counts: bool,
    compare: Path | None,
    workers: int,
    spark: str | None,
    fail_on: str,
    folder: Path | None,
) -> None:
    """Decide every patient of a bulk export, and report how many cards there would be and of whom.

    FOLDER holds NDJSON of a FHIR bulk export, also gzipped, split in any way. Nothing is sent anywhere.
    """
    knowledge = _knowledge(folder)
    try:
        limits, site = limits_of(os.environ), Config.from_environ(_site_settings())
        options = Options(
            export=export,
            out=out,
            as_of=_date(as_of),
            workers=workers,
            decisions=decisions,
            whole=whole,
            folders=(folder, site.knowledge_overlay, site.site_codes),
            limits=limits.budget,
            most_bytes=limits.max_body_bytes,
        )
        shows = sys.stderr.isatty()
        outcome = run_population(
            options,
            knowledge,
            hides=not small_counts,
            tell=_print_error,
            shows=shows,
            compare=compare,
            spark=spark,
        )
    except (ConfigError, NoExport, NoSpark, NotComparable, NotEmpty) as error:
        raise _Broken(str(error)) from None
    except Stopped as error:
        _print_error(str(error))
        sys.exit(UNUSABLE)
    for path in outcome.files:
        click.echo(str(path))
    sys.exit(_exit_code(outcome.highest, fail_on, outcome.unusable))


@commands.command()
@click.argument("names", nargs=-1, metavar="[ID]...")
@_KNOWLEDGE
def explain(names: tuple[str, ...], folder: Path | None) -> None:
    """Explain a row, a recommendation, a finding, a claim or an anchor; without an id list them."""
    explainer = Explainer(_knowledge(folder))
    if not names:
        click.echo(explainer.names(), nl=False)
        return
    exit_code = 0
    for name in names:
        text = explainer.text(name)
        if text:
            click.echo(text)
        else:
            _print_error(f"{name}: nothing has this id; fasciculation-cds explain lists them")
            exit_code = UNUSABLE
    sys.exit(exit_code)


@commands.command(context_settings={"help_option_names": ["-h"]})
@click.option("--help", "settings", is_flag=True, help="List the settings.")
def serve(settings: bool) -> None:
    """Run the service; its settings are environment variables, and --help lists them."""
    # Imported here because the other commands need no HTTP.
    from service.server import main as served

    sys.exit(served(["--help"] if settings else [], os.environ))


@commands.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--write", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="Write the files of those examples, or of all, into a folder.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over files that are there.")
def examples(names: tuple[str, ...], folder: Path | None, force: bool) -> None:
    """List the examples, invented patients with the cards they get, or write them into a folder."""
    try:
        found = load_examples()
    except KnowledgeError as error:
        raise _Broken(str(error)) from None
    chosen = [one for one in found if not names or one.name in names]
    for name in sorted(set(names) - {one.name for one in chosen}):
        raise click.UsageError(f"No example {name}: fasciculation-cds examples lists them.")
    if folder is None:
        heads = ("name", "level", "asOf", "title")
        rows = ((one.name, _level(one), str(one.as_of), one.title) for one in chosen)
        click.echo(table(heads, rows, COLOURS), nl=False)
        return
    files = [sample for one in chosen for sample in (one.bundle, *one.requests.values())]
    there = [sample.file for sample in files if (folder / sample.file).exists()]
    if there and not force:
        raise click.UsageError(f"{folder} holds {there[0]} already: name another folder, or write --force.")
    for sample in files:
        (folder / sample.file).parent.mkdir(parents=True, exist_ok=True)
        (folder / sample.file).write_bytes(sample.body)
        click.echo(str(folder / sample.file))


def _level(example: Example) -> str:
    return max((card.indicator for card in example.bundle.expected), key=LEVELS.index, default="none")


class _Broken(click.ClickException):
    exit_code = WRONG_USE


def _site_settings() -> dict[str, str]:
    return {name: os.environ.get(name, "") for name in _SITE_SETTINGS}


def _knowledge(folder: Path | None) -> Knowledge:
    try:
        # The same decision as the service that runs with these settings.
        config = Config.from_environ(_site_settings())
        return load_knowledge(folder, config.knowledge_overlay, config.site_codes)
    except ConfigError as error:
        raise _Broken(str(error)) from None
    except KnowledgeError as error:
        raise _Broken(f"The knowledge is broken:\n{error}") from None


def _date(as_of: datetime | None) -> date | None:
    return as_of.date() if as_of else None


def _documents(files: Iterable[str], *, quiet: bool) -> Iterator[Document | Unusable]:
    """Every document; a progress bar counts the files if there are several and stderr is a terminal.

    Args:
        quiet: Show no bar, because results go to the same terminal meanwhile.
    """
    inputs = Inputs(files, sys.stdin.buffer)
    shows = len(inputs) > 1 and not quiet and sys.stderr.isatty()
    bar = click.progressbar(length=len(inputs), label="Reading", file=sys.stderr) if shows else nullcontext()
    with bar as progress:
        yield from inputs.documents((lambda: progress.update(1)) if progress else lambda: None)


def _report(unusable: Unusable) -> bool:
    """Print it as a diagnostic, and say whether it is an error."""
    _print_error(f"{unusable.source}: {unusable.why}{'' if unusable.named else '; left out'}")
    return unusable.named


def _print_error(text: str) -> None:
    click.echo(harmless(text), err=True)
