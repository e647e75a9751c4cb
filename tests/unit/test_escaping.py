"""Text of a record never becomes Markdown, HTML or a link, and is otherwise left as it was written."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from service.cards.escaping import escaped, folded, plain, short_name, unescaped

MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": False})
# What a client may read as a link, without the word joiner that parts it.
LINK = re.compile("(?<!\u2060)(?:://|@)|www(?!\u2060)", re.IGNORECASE)
# Marks that Markdown can read, and letters, so that the marks meet each other often.
ACTIVE = st.text(alphabet="ab1 *_`~[]()<>&#;|\\!-+=.:/@w\t\n", max_size=24)


def shown(markdown: str) -> str:
    """The text that a client shows of that Markdown; tags stay in it."""
    body = MARKDOWN.render(markdown).strip()
    match = re.fullmatch(r"<p>(.*)</p>", body, re.S)
    assert match, body
    return html.unescape(match[1]).replace("\u2060", "")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain words", "plain words"),
        ("<iframe srcdoc='x'>", "&lt;iframe srcdoc='x'&gt;"),
        ("CYP2D6*1/*4", "CYP2D6\\*1/\\*4"),
        ("5~10", "5\\~10"),
        ("K <low", "K &lt;low"),
        ("1985. a list", "1985\\. a list"),
        ("- a list", "\\- a list"),
        ("a|b\nc", "a\\|b c"),
        ("[a](b)", "\\[a\\](b)"),
        ("snake_case", "snake_case"),
        ("_emphasis_", "\\_emphasis\\_"),
        ("a\\*b", "a\\\\\\*b"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("www.example", "www\u2060.example"),
        ("WWW.example", "WWW\u2060.example"),
        ("https://example", "https\u2060://example"),
        ("a@b", "a\u2060@b"),
        ("a\x00b\u202ec", "abc"),
    ],
)
def test_what_is_active_is_escaped(text: str, safe: str) -> None:
    assert escaped(text) == safe


@pytest.mark.parametrize(
    "text",
    [
        "salbutamol 100 micrograms/dose, inhaler",
        "budesonide 0.5%, cream",
        "2026-06-15",
        "beta-2 agonist (inhaled)",
        "A & B",
        "C:\\dir",
        'it\'s 5 mmol/L; "high"!',
        "vitamin B12 #2",
    ],
)
def test_what_is_not_active_stays(text: str) -> None:
    assert escaped(text) == text


@given(ACTIVE | st.text())
def test_a_client_shows_the_text_as_it_was_written(text: str) -> None:
    safe = escaped(text)
    if safe:
        assert shown(safe) == folded(text)
        assert shown(f"Recorded: {safe}, and more") == f"Recorded: {folded(text)}, and more"


@given(ACTIVE | st.text())
def test_unescaped_it_is_the_text_as_it_was_written(text: str) -> None:
    assert unescaped(escaped(text)).replace("\u2060", "") == folded(text)
    assert not LINK.search(unescaped(escaped(text)))


@given(ACTIVE)
def test_a_cell_of_a_table_stays_one_cell(text: str) -> None:
    body = MARKDOWN.render(f"| a | b |\n|---|---|\n| {escaped(text)} | end |\n")
    cells = re.findall(r"<td>(.*?)</td>", body, re.S)
    assert len(cells) == 2
    assert html.unescape(cells[0]).replace("\u2060", "") == folded(text)
    assert cells[1] == "end"


@given(ACTIVE | st.text() | st.text(alphabet="aw@:/", max_size=12))
def test_no_tag_and_no_link_is_left(text: str) -> None:
    safe = escaped(text)
    assert not set("<>\n") & set(safe)
    assert not LINK.search(safe)
    assert not LINK.search(plain(text))
    assert not set("`*[]|~<>\\_") & set(plain(text))


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("see www.evil.example", "see www\u2060.evil.example"),
        ("https://evil.example", "https\u2060://evil.example"),
        ("mailto:a@evil.example", "mailto:a\u2060@evil.example"),
        ("<WWW.a>", "WWW\u2060.a"),
        ("furosemide 40 mg", "furosemide 40 mg"),
    ],
)
def test_a_summary_has_no_link(text: str, safe: str) -> None:
    assert plain(text) == safe


@given(st.text(min_size=300))
def test_long_text_is_cut(text: str) -> None:
    assert len(folded(text)) <= 200
    assert len(short_name(text)) <= 41
    assert len(short_name(text).split()) <= 4


def test_a_short_name_stays() -> None:
    assert short_name("co-amilofruse 5 mg/40 mg") == "co-amilofruse 5 mg/40 mg"
    assert short_name("one two three four five") == "one two three four…"
