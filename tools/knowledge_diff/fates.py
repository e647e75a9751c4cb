"""The claims and anchors as written, each with its fate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def statements_of(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Document or claim or anchor -> its members; `declined` is replaced by its fate."""
    cited = set(_cited(tree))
    found: dict[str, Any] = {}
    for file, content in tree.items():
        if not file.startswith("sources/") or not isinstance(content, Mapping):
            continue
        document = {name: value for name, value in content.items() if name not in ("claims", "anchors")}
        if document:
            found[file] = document
        for item in (*content.get("claims", ()), *content.get("anchors", ())):
            members = {name: value for name, value in item.items() if name not in ("id", "declined")}
            found[str(item["id"])] = members | {"fate": _fate(item, cited)}
    return found


def _fate(item: Mapping[str, Any], cited: set[str]) -> str:
    used = "cited" if item["id"] in cited else ""
    declined = f"declined: {item['declined']}" if item.get("declined") else ""
    return " and ".join(part for part in (used, declined) if part) or "not cited"


def _cited(tree: Mapping[str, Any]) -> Iterator[str]:
    """Every id that a row, a removal or a text cites."""
    table = tree.get("decision_table.yaml") or {}
    for row in table.get("rows", ()):
        for support in row.get("rests_on", ()):
            yield from support.get("ids", ())
    for removal in table.get("removals", ()):
        yield from removal.get("claims", ())
    wording = tree.get("wording.yaml") or {}
    for ids in wording.get("rests_on", {}).values():
        yield from ids
