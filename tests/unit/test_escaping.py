"""Text of a record never becomes Markdown, HTML or a link."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cards.escaping import escaped, folded


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain words", "plain words"),
        ("<iframe srcdoc='x'>", "&lt;iframe srcdoc\\=\\'x\\'&gt;"),
        ("CYP2D6*1/*4", "CYP2D6\\*1\\/\\*4"),
        ("5~10", "5\\~10"),
        ("K <low", "K &lt;low"),
        ("1985. a list", "1985\\. a list"),
        ("a|b\nc", "a\\|b c"),
        ("www.example", "www\u2060\\.example"),
        ("WWW.example", "WWW\u2060\\.example"),
        ("https://example", "https\u2060\\:\\/\\/example"),
        ("a@b", "a\u2060\\@b"),
        ("a\x00b\u202ec", "abc"),
    ],
)
def test_escaped(text: str, safe: str) -> None:
    assert escaped(text) == safe


@given(st.text())
def test_nothing_active_is_left(text: str) -> None:
    safe = escaped(text)
    assert "<" not in safe
    assert ">" not in safe
    assert "\n" not in safe
    assert "://" not in safe
    bare = safe.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    for before, mark in zip(" " + bare, bare, strict=False):
        if mark in string.punctuation and mark != "\\":
            assert before == "\\"


@given(st.text(min_size=300))
def test_long_text_stays_short(text: str) -> None:
    assert len(folded(text)) <= 200
