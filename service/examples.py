"""The examples: invented patients, each a folder with a Bundle, hook requests and the cards they get.

Checked at load.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.example_files import BUNDLE, expected_problems, index_problems
from schemas.hooks import EXTENSION
from service.knowledge.loading import KnowledgeError, Problem, load_yaml
from service.package_files import shipped

FOLDER = "examples"
INDEX = "index.yaml"
EXPECTED = "expected.yaml"


@dataclass(frozen=True, slots=True)
class ExpectedCard:
    """The visible parts of a card. suggestions: their labels, in order."""

    indicator: str
    summary: str
    suggestions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of an example and the cards it gets on the day of the example; none: no card.

    file: path in the folder of the examples, such as thigh-day-fifteen/bundle.json. body: as it is posted.
    """

    file: str
    body: bytes
    expected: tuple[ExpectedCard, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """An invented patient. bundle: for /evaluate?asOf=as_of. requests: hook -> a request of it.

    A request contains the day itself and asks for the assessment.
    """

    name: str
    title: str
    about: str
    as_of: date
    bundle: Sample
    requests: Mapping[str, Sample]


class ExamplesError(KnowledgeError):
    """The examples are broken; the service does not start with them."""


def load_examples(directory: Path | None = None) -> tuple[Example, ...]:
    """Read the examples of a folder, by default the shipped ones.

    Returns:
        The examples in the order of index.yaml; none if there is no such folder: the service runs without.

    Raises:
        ExamplesError: With every problem.
    """
    directory = directory or shipped(FOLDER)
    if not directory.is_dir():
        return ()
    reader = _Reader(directory)
    names = (reader.yaml(INDEX, index_problems) or {"examples": ()})["examples"]
    folders = {path.name for path in directory.iterdir() if path.is_dir()}
    if not reader.problems:
        for name in sorted(folders.symmetric_difference(names)):
            reason = "is not listed" if name in folders else "no such folder"
            reader.problems.append(Problem(INDEX, name, reason))
        if len(names) > len(set(names)):
            reader.problems.append(Problem(INDEX, "examples", "a name is listed twice"))
    examples = tuple(filter(None, (reader.example(name) for name in names if name in folders)))
    if reader.problems:
        raise ExamplesError([Problem(f"{FOLDER}/{p.file}", p.place, p.reason) for p in reader.problems])
    return examples


class _Reader:
    """Reads the files of the examples and collects their problems."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.problems: list[Problem] = []

    def yaml(self, file: str, check: Callable[[Any], Iterator[tuple[str, str]]]) -> dict[str, Any] | None:
        """The content of a YAML file; None if the check finds a problem."""
        try:
            content = load_yaml(self._directory / file)
        except KnowledgeError as error:
            self.problems += [Problem(file, problem.place, problem.reason) for problem in error.problems]
            return None
        problems = [Problem(file, place, reason) for place, reason in check(content)]
        self.problems += problems
        return None if problems else content

    def example(self, name: str) -> Example | None:
        """The example in the folder of that name; None if its expected.yaml cannot be loaded."""
        expected = self.yaml(f"{name}/{EXPECTED}", expected_problems)
        if expected is None:
            return None
        # Unquoted in YAML a date is one already.
        as_of = expected["asOf"]
        as_of = as_of if isinstance(as_of, date) else date.fromisoformat(as_of)
        samples = {}
        if BUNDLE not in expected["cards"]:
            self._problem(f"{name}/{EXPECTED}", f"cards.{BUNDLE}", "missing")
        for path in sorted((self._directory / name).glob("*.json")):
            if path.stem not in expected["cards"]:
                self._problem(f"{name}/{EXPECTED}", "cards", f"does not name {path.name}")
        for stem, cards in expected["cards"].items():
            samples[stem] = self._sample(f"{name}/{stem}.json", cards, as_of)
        requests = {stem: sample for stem, sample in samples.items() if stem != BUNDLE}
        bundle = samples.get(BUNDLE) or Sample("", b"", ())
        return Example(name, expected["title"], expected["about"], as_of, bundle, requests)

    def _sample(self, file: str, cards: list[Mapping[str, Any]], as_of: date) -> Sample:
        body, content = b"", None
        try:
            body = (self._directory / file).read_bytes()
            content = json.loads(body)
        except OSError:
            self._problem(file, "", "no such file")
        except (ValueError, RecursionError):
            self._problem(file, "", "not JSON")
        else:
            self._check(file, content, as_of)
        expected = (
            ExpectedCard(card["indicator"], card["summary"], tuple(card["suggestions"])) for card in cards
        )
        return Sample(file, body, tuple(expected))

    def _check(self, file: str, content: Any, as_of: date) -> None:
        """Check that the file is what its name says: a Bundle, or a request of that hook on that day."""
        stem = Path(file).stem
        if not isinstance(content, dict):
            self._problem(file, "", "not an object")
        elif stem == BUNDLE:
            if content.get("resourceType") != "Bundle":
                self._problem(file, "resourceType", "not a Bundle")
        else:
            if content.get("hook") != stem:
                self._problem(file, "hook", f"not {stem}, as the name of the file says")
            extension = content.get("extension")
            extension = extension.get(EXTENSION) if isinstance(extension, dict) else None
            if extension != {"assessment": True, "asOf": as_of.isoformat()}:
                self._problem(file, f"extension.{EXTENSION}", f"not the assessment on {as_of}")

    def _problem(self, file: str, place: str, reason: str) -> None:
        self.problems.append(Problem(file, place, reason))
