"""JSON read in one way only: two readers never see two different things."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class NotStrict(ValueError):
    """Not UTF-8, not JSON, a member that stands twice, NaN, or nested too deeply."""


def strict_json(content: bytes) -> Any:
    """The value. Raises NotStrict, which never repeats the content."""
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except NotStrict:
        raise
    except (ValueError, RecursionError):
        raise NotStrict("not JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise NotStrict("a member stands twice")
    return content


def _no_constant(_: str) -> NoReturn:
    raise NotStrict("NaN or Infinity")
