"""JSON text to objects and back, its numbers as they were written: 4.10 stays 4.10, whatever its length."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from typing import Any

# No text holds it but by guessing.
_MARK = f"number-{secrets.token_hex(16)}:"
_MARKED = re.compile(f'"{_MARK}([^"]+)"')


class NotAnObject(ValueError):
    """Not JSON, or no object. The message says where, and nothing of the content."""


def decoded(text: str | bytes) -> dict[str, Any]:
    """The object; each number in it is a string that only `written` understands. Raises NotAnObject."""
    return _loaded(text, number)


def without_numbers(text: str | bytes) -> dict[str, Any]:
    """The object, of which no number is wanted: each is nought, whatever its length. Raises NotAnObject."""
    return _loaded(text, lambda _: 0)


def _loaded(text: str | bytes, reads: Callable[[str], Any]) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_int=reads, parse_float=reads)
    except RecursionError:
        raise NotAnObject("The JSON is nested too deeply.") from None
    except UnicodeDecodeError:
        raise NotAnObject("The text is not valid UTF-8.") from None
    except json.JSONDecodeError as error:
        raise NotAnObject(
            f"Not valid JSON, in line {error.lineno}, column {error.colno}: {error.msg}."
        ) from None
    if not isinstance(document, dict):
        raise NotAnObject("Not a Bundle or a hook request: the JSON is no object.")
    return document


def written(document: dict[str, Any]) -> str:
    """The text of what `decoded` gave, laid out; numbers that were added stay numbers."""
    return _MARKED.sub(r"\1", json.dumps(document, ensure_ascii=False, indent=2))


def number(text: str) -> str:
    """A number for `written`, as it is written in the text."""
    return _MARK + text
