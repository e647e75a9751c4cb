"""The examples: invented patients as Bundles and hook requests, with the cards they get. Checked at load."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.examples import index_problems
from schemas.hooks import EXTENSION
from service.knowledge.loading import KnowledgeError, Problem, load_yaml
from service.package_files import shipped

FOLDER = "examples"
INDEX = "index.yaml"


@dataclass(frozen=True, slots=True)
class ExpectedCard:
    """What one sees of a card. suggestions: their labels, in order."""

    indicator: str
    summary: str
    suggestions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of the folder, and the cards it gets on the day of its example; none: no card.

    body: as it is posted.
    """

    file: str
    body: bytes
    expected: tuple[ExpectedCard, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """An invented patient. bundle: for /evaluate?asOf=as_of. requests: hook -> a call of it, which holds the
    day itself and asks for the assessment.
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
    """The examples of that folder, by default those shipped, in the order of the index.

    None where there is no such folder: the service runs without. Raises ExamplesError with every problem.
    """
    directory = directory or shipped(FOLDER)
    if not directory.is_dir():
        return ()
    try:
        content = load_yaml(directory / INDEX)
    except KnowledgeError as error:
        raise _broken(error.problems) from None
    problems = [Problem(INDEX, place, reason) for place, reason in index_problems(content)]
    if problems:
        raise _broken(problems)
    reading = _Reading(directory)
    examples = tuple(reading.example(entry) for entry in content["examples"])
    reading.problems += _not_single(examples)
    reading.problems += _left_over(directory, examples)
    if reading.problems:
        raise _broken(reading.problems)
    return examples


def _broken(problems: Sequence[Problem]) -> ExamplesError:
    return ExamplesError([Problem(f"{FOLDER}/{one.file}", one.place, one.reason) for one in problems])


class _Reading:
    """Reads the files that the index names, and collects what is wrong with them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.problems: list[Problem] = []

    def example(self, entry: Mapping[str, Any]) -> Example:
        # Unquoted in YAML a date is one already.
        as_of = entry["asOf"] if isinstance(entry["asOf"], date) else date.fromisoformat(entry["asOf"])
        bundle, content = self._sample(entry["bundle"])
        if content is not None and content.get("resourceType") != "Bundle":
            self._problem(bundle.file, "resourceType", "not a Bundle")
        requests = {}
        for hook, raw in entry["requests"].items():
            requests[hook], content = self._sample(raw)
            if content is None:
                continue
            if content.get("hook") != hook:
                self._problem(raw["file"], "hook", f"not {hook}, as the index says")
            own = content.get("extension")
            own = own.get(EXTENSION) if isinstance(own, dict) else None
            if own != {"assessment": True, "asOf": as_of.isoformat()}:
                self._problem(raw["file"], f"extension.{EXTENSION}", f"not the assessment on {as_of}")
        return Example(entry["name"], entry["title"], entry["about"], as_of, bundle, requests)

    def _sample(self, raw: Mapping[str, Any]) -> tuple[Sample, dict[str, Any] | None]:
        expected = tuple(
            ExpectedCard(card["indicator"], card["summary"], tuple(card["suggestions"]))
            for card in raw["expected"]
        )
        body, content = b"", None
        try:
            body = (self._directory / raw["file"]).read_bytes()
            content = json.loads(body)
        except OSError:
            self._problem(raw["file"], "", "no such file")
        except (ValueError, RecursionError):
            self._problem(raw["file"], "", "not JSON")
        if content is not None and not isinstance(content, dict):
            self._problem(raw["file"], "", "not an object")
            content = None
        return Sample(raw["file"], body, expected), content

    def _problem(self, file: str, place: str, reason: str) -> None:
        self.problems.append(Problem(file, place, reason))


def _samples(examples: Sequence[Example]) -> Iterator[Sample]:
    for example in examples:
        yield from (example.bundle, *example.requests.values())


def _not_single(examples: Sequence[Example]) -> Iterator[Problem]:
    names = Counter(example.name for example in examples)
    files = Counter(sample.file for sample in _samples(examples))
    for kind, counted in (("name", names), ("file", files)):
        for value, count in counted.items():
            if count > 1:
                yield Problem(INDEX, f"{kind} {value}", "stands twice")


def _left_over(directory: Path, examples: Sequence[Example]) -> Iterator[Problem]:
    named = {sample.file for sample in _samples(examples)}
    for path in sorted(directory.glob("*.json")):
        if path.name not in named:
            yield Problem(INDEX, "", f"does not name {path.name}")
