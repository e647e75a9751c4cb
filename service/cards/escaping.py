"""Text from a record, made safe for GitHub-flavoured Markdown that a client renders with raw HTML live."""

from __future__ import annotations

import re
import string
import unicodedata

_LINK = re.compile(r"://|@")
_WWW = re.compile(r"www", re.IGNORECASE)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ESCAPES = str.maketrans({mark: "\\" + mark for mark in string.punctuation} | _ENTITIES)
_WORD_JOINER = "\u2060"
_LONGEST_CHARACTERS = 200
# The end of a text of megabytes is never read.
_READ_CHARACTERS = 50 * _LONGEST_CHARACTERS


def escaped(text: str) -> str:
    """One line in which nothing is Markdown, HTML or a link any more.

    White space and control characters fold to one blank, every ASCII punctuation mark gets a backslash, & < >
    become entities, and a word joiner keeps "://", "www" and "@" from being read as a link. Longer texts end
    in an ellipsis, so that a card stays a card.
    """
    text = folded(text)
    # Hardly any text has one of these, and to search for the patterns costs five times as much.
    if "://" in text or "@" in text:
        text = _LINK.sub(rf"{_WORD_JOINER}\g<0>", text)
    if "www" in text.lower():
        text = _WWW.sub(rf"\g<0>{_WORD_JOINER}", text)
    return text.translate(_ESCAPES)


def folded(text: str) -> str:
    """One line of plain text: control and format characters are dropped, white space is one blank."""
    text = text[:_READ_CHARACTERS]
    kept = text if text.isascii() and text.isprintable() else _printable(text)
    kept = " ".join(kept.split())
    return kept if len(kept) <= _LONGEST_CHARACTERS else kept[: _LONGEST_CHARACTERS - 1] + "…"


def _printable(text: str) -> str:
    return "".join(
        " " if mark.isspace() else mark
        for mark in text
        if mark.isspace() or unicodedata.category(mark) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
