"""Text for a terminal: cards, tables and errors. Nothing from a record can move the cursor."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from service.errors import RequestError

COLOURS = {"info": "blue", "warning": "yellow", "critical": "red"}
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def harmless(text: str) -> str:
    """The text without control and format characters, such as those that begin an escape sequence."""
    return "".join(
        character
        if character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def plain(markdown: str) -> str:
    """The Markdown of a card without its escapes."""
    # Cards put a word joiner into addresses, so that no renderer makes a link of them.
    return harmless(html.unescape(_ESCAPED.sub(r"\1", markdown.replace("\N{WORD JOINER}", ""))))


def error_text(error: RequestError) -> str:
    """Every issue with its place."""
    return "; ".join(
        issue.diagnostics
        if not issue.expression or issue.diagnostics.startswith(f"{issue.expression}: ")
        else f"{issue.expression}: {issue.diagnostics}"
        for issue in error.issues
    )


def card_text(source: str, cards: Sequence[Mapping[str, Any]], no_card: str) -> str:
    """The cards of one record. no_card: the text if there is none."""
    lines = [click.style(harmless(source), bold=True)]
    if not cards:
        lines += ["", no_card]
    for card in cards:
        indicator = click.style(f"[{card['indicator']}]", fg=COLOURS[card["indicator"]], bold=True)
        lines += ["", f"{indicator} {harmless(card['summary'])}"]
        if card.get("detail"):
            lines += ["", plain(card["detail"])]
        if card.get("suggestions"):
            lines += ["", "Suggestions:"]
            lines += [f"- {harmless(suggestion['label'])}" for suggestion in card["suggestions"]]
        if card.get("links"):
            lines += ["", "Rests on:"]
            lines += [f"- {harmless(link['label'])}: {link['url']}" for link in card["links"]]
    return "\n".join(lines) + "\n"


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], styles: Mapping[str, str] | None = None
) -> str:
    """Columns of text. styles: text of a cell -> its colour."""
    cells = [[harmless(cell).replace("\n", " ") for cell in row] for row in rows]
    # The last column is not padded.
    widths = [max(map(len, column)) for column in list(zip(heads, *cells, strict=True))[:-1]] + [0]
    lines = [_line(heads, widths, {head: {"bold": True} for head in heads})]
    colours = {text: {"fg": colour} for text, colour in (styles or {}).items()}
    lines += [_line(row, widths, colours) for row in cells]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int], styles: Mapping[str, Mapping[str, Any]]) -> str:
    padded = (text.ljust(width) for text, width in zip(cells, widths, strict=True))
    styled = (
        click.style(text, **styles[cell]) if cell in styles else text
        for cell, text in zip(cells, padded, strict=True)
    )
    return "  ".join(styled).rstrip()


def indented(lines: Iterable[str], by: int) -> Iterator[str]:
    """Each line after so many blanks."""
    for line in lines:
        yield " " * by + line if line else ""
