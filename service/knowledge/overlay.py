"""A site's overlay: YAML files that replace or extend single entries of the shipped ones.

Mappings merge by key, lists of entries with an `id` by that id, everything else is replaced. The loaders
check the merged content; here is checked only what they cannot see: what the shipped file said before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from service.knowledge.loading import Folder, KnowledgeError, Problem, load_yaml

SETTING = "KNOWLEDGE_OVERLAY"
# It describes artifacts that are not served with an overlay.
_WITHOUT_EFFECT = frozenset({"fhir.yaml"})
# Members to which a name can be added; elsewhere the loaders cannot tell a new name from a slip of the pen.
_TEXT_FILES = frozenset({"wording.yaml", "pages.yaml"})
_OPEN_TEXTS = ("actions", "effects", "found", "medicine_names", "rests_on", "self_care.advice", "units")
_CLOSED_MEMBERS = {"decision_table.yaml": ("critical_beside", "definitions", "result_facts")}
# Their lists hold codes and names: without one, a record would not be recognised any more.
_NOT_TERMINOLOGY = frozenset({*_TEXT_FILES, *_CLOSED_MEMBERS, "hooks.yaml"})
# The shipped file writes each of these once, and its result_facts refer to it.
_RESULT_DAYS = ("critical_days", "recent_result_days", "out_of_range_days", "long_result_days")
_PLACEHOLDER = re.compile(r"\{+[^{}]*\}+")


def named(problem: Problem) -> Problem:
    """The problem under the name of the setting."""
    return Problem(f"{SETTING}: {problem.file}", problem.place, problem.reason)


def files_of(overlay: Path) -> list[Path]:
    """The files of an overlay without notes (*.md) and hidden ones, among them those of Kubernetes mounts."""
    paths = sorted(path for path in overlay.rglob("*") if path.is_file() and path.suffix != ".md")
    return [
        path for path in paths if not any(part.startswith(".") for part in path.relative_to(overlay).parts)
    ]


def overlaid(shipped: Path, overlay: Path) -> tuple[Folder, list[Problem]]:
    """The shipped folder with an overlay merged in, as far as it can be, and every problem of the merge."""
    changed: dict[str, Any] = {}
    problems: list[Problem] = []
    for path in files_of(overlay):
        name = path.relative_to(overlay).as_posix()
        if name in _WITHOUT_EFFECT or path.suffix != ".yaml" or not (shipped / name).is_file():
            problems.append(
                Problem(name, "", "no such file in the knowledge, or none that has an effect here")
            )
            continue
        try:
            own = load_yaml(path, name)
        except KnowledgeError as error:
            problems += error.problems
            continue
        if not isinstance(own, dict) or not own:
            problems.append(Problem(name, "", "is empty, or not a mapping"))
            continue
        merge = _Merge(name)
        before = load_yaml(shipped / name, name)
        changed[name] = merge.merged(before, own, "")
        problems += [*merge.problems, *_stale_days(name, before, changed[name])]
    if not changed and not problems:
        problems.append(Problem("the folder", "", "has no YAML file"))
    return Folder(shipped, changed), problems


def _stale_days(file: str, before: Mapping[str, Any], merged: Mapping[str, Any]) -> Iterator[Problem]:
    """Facts about results that still count the days of a threshold that is changed."""
    old, new = (content.get("thresholds") or {} for content in (before, merged))
    for limit in _RESULT_DAYS if isinstance(new, dict) else ():
        days = old.get(limit)
        if days is None or new.get(limit) == days:
            continue
        for name, parts in merged["result_facts"].items():
            for part in parts if isinstance(parts, list) else [parts]:
                if isinstance(part, dict) and days in (
                    part.get("at_most_days"),
                    part.get("from_days", 0) - 1,
                ):
                    reason = f"still counts the {days} days of thresholds.{limit}: change both"
                    yield Problem(file, f"result_facts.{name}", reason)


class _Merge:
    """Merges one file and collects its problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def problem(self, place: str, reason: str) -> None:
        self.problems.append(Problem(self.file, place, reason))

    def merged(self, shipped: Any, own: Any, place: str) -> Any:
        if isinstance(shipped, dict) and isinstance(own, dict):
            return self._mapping(shipped, own, place)
        if _has_ids(shipped) and _has_ids(own):
            by_id = {entry["id"]: entry for entry in shipped}
            changes = {entry["id"]: entry for entry in own}
            if len(changes) < len(own):
                self.problem(place, "an id stands twice")
            return list(self._mapping(by_id, changes, place).values())
        self._check_placeholders(shipped, own, place)
        if self.file not in _NOT_TERMINOLOGY and isinstance(shipped, list) and isinstance(own, list):
            for entry in shipped:
                if entry not in own:
                    self.problem(place, f"takes {entry!r} away: a site only adds, so repeat what is shipped")
        return own

    def _mapping(self, shipped: Mapping[Any, Any], own: Mapping[Any, Any], place: str) -> dict[Any, Any]:
        merged = dict(shipped)
        for key, value in own.items():
            inner = f"{place}.{key}".lstrip(".")
            if key in shipped:
                merged[key] = self.merged(shipped[key], value, inner)
                continue
            if self._is_closed(inner):
                self.problem(inner, "no such entry in the shipped file")
            self._check_placeholders("", value, inner)
            merged[key] = value
        return merged

    def _is_closed(self, place: str) -> bool:
        """Whether nothing reads an entry of a new name there. At the top the schemas refuse it."""
        if "." not in place:
            return False
        if self.file in _TEXT_FILES:
            return not place.startswith(tuple(f"{member}." for member in _OPEN_TEXTS))
        closed = tuple(f"{member}." for member in _CLOSED_MEMBERS.get(self.file, ()))
        return bool(closed) and place.startswith(closed) and place.count(".") == 1

    def _check_placeholders(self, shipped: Any, own: Any, place: str) -> None:
        """A text keeps its {names}; a new one, or one of a list that is replaced, has no others."""
        needed = _placeholders(shipped)
        for text in _texts(own):
            found = _placeholders(text)
            if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
                self.problem(place, "a brace is left open")
            for name in sorted(found - needed):
                self.problem(place, f"nothing fills {name}")
            if isinstance(shipped, str):
                for name in sorted(needed - found):
                    self.problem(place, f"{name} is missing")


def _has_ids(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in value)
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _placeholders(value: Any) -> set[str]:
    return {name for text in _texts(value) for name in _PLACEHOLDER.findall(text)}
