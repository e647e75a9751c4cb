"""Text from a record, made safe for GitHub-flavoured Markdown that a client renders with raw HTML live."""

from __future__ import annotations

import re
import unicodedata

_LINK = re.compile(r"://|@")
_WWW = re.compile(r"www", re.IGNORECASE)
# "&" begins an entity only so; "AT&T" and "A & B" are text.
_ACTIVE = re.compile(
    r"(?P<entity>&(?=#|[A-Za-z][A-Za-z0-9]*;))"
    r"|(?P<less><)"
    r"|(?P<greater>>)"
    r"|(?P<always>[`*\[\]|~])"
    r"|(?P<underscore>(?<![^\W_])_|_(?![^\W_]))"
    r"|(?P<backslash>\\(?=[!-/:-@\[-`{-~]|$))"
)
_ENTITIES = {"entity": "&amp;", "less": "&lt;", "greater": "&gt;"}
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])|&(amp|lt|gt);")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">"}
# What begins a block where it is the first of a line: a heading, list, rule, quote or code.
_BLOCK = re.compile(r"(?:(\d{1,9})([.)])|([#+\-=]))(?=[\s#+\-=]|$)")
_PLAIN = str.maketrans(dict.fromkeys("`*_[]|~<>\\", " "))
_WORD_JOINER = "\u2060"
_LONGEST_CHARACTERS = 200
_LONGEST_NAME_CHARACTERS = 40
_LONGEST_NAME_WORDS = 4
# The end of a text of megabytes is never read.
_READ_CHARACTERS = 50 * _LONGEST_CHARACTERS


def escaped(text: str) -> str:
    """One line in which nothing is Markdown, HTML or a link any more.

    White space and control characters fold to one blank; only a mark that is active at its place gets a
    backslash (never a comma, slash, percent sign or date); < > and the "&" of an entity become entities; a
    word joiner keeps "://", "www" and "@" from being read as a link. Longer texts end in an ellipsis.
    """
    text = _ACTIVE.sub(_inert, _unlinked(folded(text)))
    return _BLOCK.sub(_no_block, text, count=1) if _BLOCK.match(text) else text


def _inert(found: re.Match[str]) -> str:
    return _ENTITIES.get(found.lastgroup or "") or "\\" + found[0]


def _no_block(found: re.Match[str]) -> str:
    return f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[0]}"


def unescaped(text: str) -> str:
    """A text with escaped parts as plain text; what was no link stays none."""
    return _ESCAPED.sub(lambda found: found[1] or _CHARACTERS[found[2]], text)


def plain(text: str) -> str:
    """One line for a text that is not Markdown, without the marks that Markdown would read, and no link."""
    text = folded(text).translate(_PLAIN)
    return _unlinked(" ".join(text.split()))


def _unlinked(text: str) -> str:
    # Hardly any text has one of these, and to search for the patterns costs five times as much.
    if "://" in text or "@" in text:
        text = _LINK.sub(rf"{_WORD_JOINER}\g<0>", text)
    return _WWW.sub(rf"\g<0>{_WORD_JOINER}", text) if "www" in text.lower() else text


def folded(text: str) -> str:
    """One line of plain text: control and format characters are dropped, white space is one blank."""
    text = text[:_READ_CHARACTERS]
    kept = text if text.isascii() and text.isprintable() else _printable(text)
    kept = " ".join(kept.split())
    return kept if len(kept) <= _LONGEST_CHARACTERS else kept[: _LONGEST_CHARACTERS - 1] + "…"


def short_name(text: str, most_words: int = _LONGEST_NAME_WORDS) -> str:
    """A name, folded, of at most so many words and 40 characters: a card has few lines."""
    text = folded(text)
    words = text.split(" ")
    kept = " ".join(words[:most_words])
    if len(kept) > _LONGEST_NAME_CHARACTERS:
        kept = kept[: _LONGEST_NAME_CHARACTERS - 1]
    return kept if kept == text else kept.rstrip() + "…"


def _printable(text: str) -> str:
    return "".join(
        " " if mark.isspace() else mark
        for mark in text
        if mark.isspace() or unicodedata.category(mark) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
