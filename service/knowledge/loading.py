"""The files of a knowledge folder, read and validated. Every problem is reported with its file and place."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml
from marshmallow import Schema, ValidationError

from schemas.base import places_and_reasons


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in a knowledge file.

    file: relative to the knowledge folder. place: the row or member; "" for the file as a whole.
    """

    file: str
    place: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.place, self.reason) if part)


class KnowledgeError(ValueError):
    """The knowledge cannot be used; the service does not start with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Folder:
    """A knowledge folder. changed: file -> its content, where a site's overlay changes it."""

    path: Path
    changed: Mapping[str, Any] = field(default_factory=dict)

    def content(self, name: str) -> Any:
        """The content of a file, not yet validated. Raises KnowledgeError."""
        return self.changed[name] if name in self.changed else load_yaml(self.path / name, name)

    def names(self, folder: str) -> list[str]:
        """The YAML files of a subfolder, sorted; an overlay adds none."""
        return [f"{folder}/{path.name}" for path in sorted((self.path / folder).glob("*.yaml"))]


Directory = Path | Folder


def folder_of(directory: Directory) -> Folder:
    return directory if isinstance(directory, Folder) else Folder(directory)


class _Loader(yaml.CSafeLoader):
    """The C loader, which refuses a key that occurs twice or was read as true or false.

    The general constructor takes half of the loading time: strings, lists and mappings are made here.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag == _STRING:
            return node.value
        if node.tag == _LIST and isinstance(node, yaml.SequenceNode):
            return [self.construct_object(item) for item in node.value]
        if node.tag == _MAPPING and isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        return super().construct_object(node, deep)

    def _mapping(self, node: yaml.MappingNode) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        content: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node)
            if key in content or isinstance(key, bool):
                reason = (
                    f"the key {key!r} stands twice"
                    if key in content
                    else "quote the key: it was read as a boolean"
                )
                raise yaml.constructor.ConstructorError(None, None, reason, key_node.start_mark)
            content[key] = self.construct_object(value_node)
        return content


_STRING = yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG
_LIST = yaml.resolver.BaseResolver.DEFAULT_SEQUENCE_TAG
_MAPPING = yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG


def load_yaml(path: Path, name: str = "") -> Any:
    """The content of a YAML file.

    Args:
        name: the file in a problem; by default the last part of the path.

    Raises:
        KnowledgeError: the file is missing or not YAML; with its line where there is one.
    """
    line = ""
    try:
        # A subclass of the safe loader: it makes plain values only.
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    except OSError as error:
        reason = error.strerror or "cannot be read"
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else ""
        reason = error.problem or "not YAML"
    except (yaml.YAMLError, UnicodeDecodeError):
        reason = "not YAML"
    except RecursionError:
        reason = "nested too deeply"
    raise KnowledgeError([Problem(name or path.name, line, reason)])


def load_file(directory: Directory, name: str, schema: Schema) -> dict[str, Any]:
    """The validated content of a knowledge file.

    Raises:
        KnowledgeError: with every problem of the file.
    """
    content = folder_of(directory).content(name)
    try:
        return cast(dict[str, Any], schema.load(content))
    except ValidationError as error:
        places = places_and_reasons(error.normalized_messages(), content)
        raise KnowledgeError([Problem(name, place, reason) for place, reason in places]) from None


class KnowledgeFiles:
    """Reads the files of a knowledge folder and collects their problems."""

    def __init__(self, directory: Directory) -> None:
        self.directory = folder_of(directory)
        self.problems: list[Problem] = []

    def problem(self, file: str, place: str, reason: str) -> None:
        self.problems.append(Problem(file, place, reason))

    def stop(self) -> None:
        """Raise KnowledgeError if there was any problem so far."""
        if self.problems:
            raise KnowledgeError(self.problems)

    def file(self, name: str, schema: Schema) -> dict[str, Any]:
        """The content of a file; {} where it has a problem."""
        try:
            return load_file(self.directory, name, schema)
        except KnowledgeError as error:
            self.problems += error.problems
            return {}

    def folder(self, name: str, schema: Schema) -> list[dict[str, Any]]:
        """The content of every valid file of a folder. A file is named after its `id`."""
        contents = []
        for file in self.directory.names(name):
            content = self.file(file, schema)
            if content and content["id"] != Path(file).stem:
                self.problem(file, "id", f"is {content['id']!r}, not the name of its file")
            if content:
                contents.append(content)
        if not contents:
            self.problem(name, "", "has no valid file")
        return contents
