"""Where two knowledge folders differ in what is written. No difference of content goes without a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.knowledge_diff import readable
from tools.knowledge_diff.codes import codes_of
from tools.knowledge_diff.fates import statements_of

_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One place, what stood there alone before and what stands there alone now; () = nothing.

    counted: the two are lists of codes.
    """

    place: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    changes: tuple[Change, ...]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Section, ...]:
    """Every section, also those without a change, of two folders as `written` gives them."""
    old_table, new_table = (_mapping(tree.get("decision_table.yaml")) for tree in (old, new))
    rest = [
        file
        for file in sorted({*old, *new})
        if file not in ("decision_table.yaml", "wording.yaml", "hooks.yaml")
        and not file.startswith("sources/")
    ]
    others = sorted({*old_table, *new_table} - {"thresholds", "rows", "removals", "self_care", "named"})
    shaping = ("removals", "self_care", "named", *others)
    return (
        Section("Thresholds", tuple(_walked("", *_both(old_table, new_table, "thresholds")))),
        Section("Rows", tuple(_entries("", *_both(old_table, new_table, "rows")))),
        Section(
            "Removals, self-care, named conditions and what else shapes a card",
            tuple(
                change for name in shaping for change in _entries(name, *_both(old_table, new_table, name))
            ),
        ),
        Section("Wording", tuple(_walked("", *_both(old, new, "wording.yaml")))),
        Section(
            "Codes and concepts",
            tuple(change for file in rest for change in _concepts(file, *_both(old, new, file))),
        ),
        Section("Claims and anchors", tuple(_walked("", statements_of(old), statements_of(new)))),
        Section("Hooks", tuple(_walked("", *_both(old, new, "hooks.yaml")))),
    )


def only_in_each(
    before: Sequence[str], after: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The lines that stand in one of the two alone; both as a whole where only their order differs."""
    if tuple(before) == tuple(after):
        return None
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    if gone or come:
        return _kept(before, gone), _kept(after, come)
    return tuple(before), tuple(after)


def _kept(found: Iterable[str], wanted: Counter[str]) -> tuple[str, ...]:
    left = Counter(wanted)
    kept = []
    for line in found:
        if left[line]:
            left[line] -= 1
            kept.append(line)
    return tuple(kept)


def _both(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    return old.get(name, _MISSING), new.get(name, _MISSING)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _walked(place: str, old: Any, new: Any) -> Iterator[Change]:
    """Member by member; lists of entries by their id."""
    if old is _MISSING and new is _MISSING:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            yield from _walked(f"{place}.{name}".strip("."), *_both(old, new, name))
    elif _by_id(old) and _by_id(new):
        yield from _entries(place, old, new)
    else:
        before = () if old is _MISSING else readable.lines(old)
        after = () if new is _MISSING else readable.lines(new)
        yield from _change(place, before, after)


def _change(place: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Change]:
    alone = only_in_each(before, after)
    if alone is not None:
        yield Change(place, *alone)


def _by_id(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) and "id" in item for item in value)


def _entries(place: str, old: Any, new: Any) -> Iterator[Change]:
    """Entries of a list by id: whole ones that came or went, members of those that stayed, their order."""
    if not _by_id([] if old is _MISSING else old) or not _by_id([] if new is _MISSING else new):
        yield from _walked(place, old, new)
        return
    before = {str(item["id"]): item for item in ([] if old is _MISSING else old)}
    after = {str(item["id"]): item for item in ([] if new is _MISSING else new)}
    for name in dict.fromkeys((*before, *after)):
        where = f"{place}.{name}".strip(".")
        if name not in after:
            yield Change(where, readable.entry(before[name]), ())
        elif name not in before:
            yield Change(where, (), readable.entry(after[name]))
        else:
            for member in dict.fromkeys((*before[name], *after[name])):
                pair = (
                    readable.member(member, entry[member]) if member in entry else ()
                    for entry in (before[name], after[name])
                )
                yield from _change(f"{where}, {member.replace('_', ' ')}", *pair)
    order = [[name for name in names if name in before and name in after] for names in (before, after)]
    if order[0] != order[1]:
        yield Change(f"{place}, order".strip(", "), (", ".join(order[0]),), (", ".join(order[1]),))


def _concepts(file: str, old: Any, new: Any) -> Iterator[Change]:
    """A file of the terminology: its head member by member, its codes by system and concept."""
    place = file.removesuffix(".yaml")
    (old_head, old_codes), (new_head, new_codes) = (
        codes_of(_mapping(value)) for value in (None if x is _MISSING else x for x in (old, new))
    )
    if old is _MISSING or new is _MISSING:
        before = () if old is _MISSING else readable.lines(old_head)
        after = () if new is _MISSING else readable.lines(new_head)
        yield Change(place, before, after)
    else:
        yield from _walked(place, old_head, new_head)
    for where in sorted({*old_codes, *new_codes}):
        alone = only_in_each(sorted(old_codes.get(where, ())), sorted(new_codes.get(where, ())))
        if alone is not None:
            yield Change(f"{place}, {where}", *alone, counted=True)
