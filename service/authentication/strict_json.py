"""JSON that every parser reads in the same way: no duplicate members, no NaN."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class NotStrict(ValueError):
    """Not UTF-8, not JSON, a duplicate member, NaN, or nested too deeply."""


def strict_json(content: bytes) -> Any:
    """Return the decoded value. Raises NotStrict, whose message repeats nothing of the content."""
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except NotStrict:
        raise
    except (ValueError, RecursionError):
        raise NotStrict("not JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise NotStrict("a member stands twice")
    return content


def _no_constant(_: str) -> NoReturn:
    raise NotStrict("NaN or Infinity")
