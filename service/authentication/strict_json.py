"""JSON that every parser reads in the same way: no duplicate members, no NaN."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from fhir_mappings.request.json_body import position_in


class NotStrict(ValueError):
    """Not UTF-8, not JSON, a duplicate member, NaN, or nested too deeply."""


def strict_json(content: bytes) -> Any:
    """Return the decoded value. Raises NotStrict, whose message repeats nothing of the content."""
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except NotStrict:
        raise
    except UnicodeDecodeError as error:
        raise NotStrict(f"not JSON: not UTF-8 ({position_in(content, error.start)})") from None
    except json.JSONDecodeError as error:
        byte = len(error.doc[: error.pos].encode())
        raise NotStrict(f"not JSON ({position_in(content, byte)})") from None
    except (ValueError, RecursionError):
        raise NotStrict("not JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise NotStrict("a member stands twice")
    return content


def _no_constant(_: str) -> NoReturn:
    raise NotStrict("NaN or Infinity")
