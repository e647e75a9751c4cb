"""A knowledge folder as it is written: no schema, so that a folder of any age can be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.knowledge.loading import KnowledgeError, Problem, load_yaml


def written(directory: Path) -> Mapping[str, Any]:
    """File, relative to the folder -> its content. Comments and the order of members are gone.

    Raises KnowledgeError where the folder has no YAML or a file is none.
    """
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for path in sorted(directory.rglob("*.yaml")):
        file = path.relative_to(directory).as_posix()
        try:
            found[file] = load_yaml(path)
        except KnowledgeError as error:
            problems += [Problem(file, problem.place, problem.reason) for problem in error.problems]
    if not found and not problems:
        problems.append(Problem(directory.name, "", "no knowledge files in this folder"))
    if problems:
        raise KnowledgeError(problems)
    return found
