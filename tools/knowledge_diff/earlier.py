"""The knowledge of an earlier version, loaded with today's code: as much of it as answers need."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from service.knowledge import Knowledge, load_knowledge, version_of
from service.knowledge.claims import Claims
from service.knowledge.decision_table import load_table
from service.knowledge.templates import check_templates, templates_of
from service.knowledge.terminology_files import load_order_codes, load_terminology
from service.knowledge.wording import FILE as WORDING
from service.knowledge.wording import load_wording
from tools.knowledge_diff.files import written

# Texts by the id of a row, an action, a feature: what an earlier version had no text for, it did not say.
_BY_ID = ("found", "actions", "order_text", "rests_on", "self_care.advice", "table.rows")


@dataclass(frozen=True, slots=True)
class Earlier:
    """knowledge None: today's code cannot answer with it. problems: why it does not load as a whole.

    lent: texts from today's wording, where it has none or one with names that nobody fills in any more.
    """

    version: str
    knowledge: Knowledge | None
    problems: tuple[str, ...] = ()
    lent: tuple[str, ...] = ()


def earlier_knowledge(directory: Path, today: Path) -> Earlier:
    """The knowledge in that folder; where it is not whole, what is left of it that answers.

    Claims and hooks are not needed for an answer. today: the folder whose texts are lent.
    """
    version = version_of(directory)
    problems: tuple[str, ...] = ()
    whole = None
    try:
        whole = load_knowledge(directory)
    except ValueError as error:
        problems = tuple(str(error).splitlines())
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "knowledge"
        shutil.copytree(directory, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        try:
            lent = _lend(copy, today)
            knowledge = whole if whole is not None and not lent else _answering(copy, version)
            return Earlier(version, knowledge, problems, lent)
        except (ValueError, TypeError, AttributeError, KeyError):
            # Files of another shape altogether.
            return Earlier(version, whole, problems)


def _answering(directory: Path, version: str) -> Knowledge:
    """Knowledge without claims and hooks. Raises KnowledgeError, or ValueError for a template."""
    terminology = load_terminology(directory)
    table = load_table(directory, terminology)
    wording = load_wording(directory, table)
    order_codes = load_order_codes(directory)
    templates = templates_of(table, terminology, order_codes, wording)
    check_templates(templates)
    return Knowledge(table, terminology, Claims({}, {}, {}), wording, order_codes, templates, (), version)


def _lend(directory: Path, today: Path) -> tuple[str, ...]:
    """Writes today's texts into the copy where it has none; the places."""
    own, lender = (written(folder)[WORDING] for folder in (directory, today))
    filled, lent = dict(own), []
    for place, text in _lacking(own, lender):
        *parents, name = place.split(".")
        inner: dict[str, Any] = filled
        for parent in parents:
            inner[parent] = dict(inner.get(parent, {}))
            inner = inner[parent]
        inner[name] = text
        lent.append(place)
    unread = _unread(filled.get("actions", {}), lender["actions"])
    if unread:
        filled["actions"] = unread
    # JSON is YAML too.
    if lent or unread:
        (directory / WORDING).write_text(json.dumps(filled), encoding="utf-8")
    return tuple(lent)


def _unread(actions: Mapping[str, Any], lender: Mapping[str, Any]) -> dict[str, Any]:
    """The actions without members that no action has today and that are refused; {} where none has any."""
    known = {member for words in lender.values() for member in words}
    kept = {name: {m: text for m, text in words.items() if m in known} for name, words in actions.items()}
    return kept if kept != actions else {}


def _lacking(own: Any, lender: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in lender.items():
        place = f"{prefix}{name}"
        if place in _BY_ID:
            continue
        if isinstance(value, Mapping):
            inner = own.get(name, {})
            yield from _lacking(inner if isinstance(inner, Mapping) else {}, value, f"{place}.")
        elif name not in own or _names(own[name]) - _names(value):
            # A name that today's code does not fill in would end every answer.
            yield place, value


def _names(text: Any) -> set[str]:
    """The names that a text, or the texts of a list, have filled in."""
    if isinstance(text, (list, Mapping)):
        inner = text.values() if isinstance(text, Mapping) else text
        return set().union(*(_names(one) for one in inner))
    return {name for _, name, _, _ in Formatter().parse(str(text)) if name}
