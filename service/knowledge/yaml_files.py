"""YAML as the knowledge files use it: the C loader, and a key that stands twice is an error."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from service.knowledge.problems import KnowledgeError, Problem


class _Loader(yaml.CSafeLoader):
    pass


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    loader.flatten_mapping(node)
    content: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in content:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", key_node.start_mark
            )
        if isinstance(key, bool):
            raise yaml.constructor.ConstructorError(
                None, None, "a key read as true or false: quote it", key_node.start_mark
            )
        content[key] = loader.construct_object(value_node, deep=True)
    return content


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_yaml(path: Path) -> Any:
    """The content of one file. Raises KnowledgeError with file, line and reason."""
    try:
        # A subclass of the safe loader: it makes plain values only.
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    except OSError as error:
        raise KnowledgeError([Problem(path.name, "", error.strerror or "cannot be read")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"line {mark.line + 1}" if mark else ""
        raise KnowledgeError([Problem(path.name, line, error.problem or "not YAML")]) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise KnowledgeError([Problem(path.name, "", "not YAML")]) from None
