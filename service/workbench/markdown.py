"""The Markdown of a card as safe HTML: GitHub's tables, only tags of text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TAGS = frozenset(
    {"p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "h4", "h5", "h6"}
    | {"table", "thead", "tbody", "tr", "th", "td", "div"}
)
# A wide table scrolls by itself, also by keyboard.
_TABLE_OPEN = '<div class="scroll" role="region" tabindex="0"><table>\n'
_ATTRIBUTES = {
    "div": {"class", "role", "aria-label", "tabindex"},
    "ol": {"start"},
    "table": {"aria-label"},
    "th": {"scope"},
    "td": {"data-label"},
}


def html_of(markdown: str, name: str) -> str:
    """Safe HTML of the Markdown, without links: a card has its links beside its text.

    Args:
        name: The accessible name of its tables.
    """
    # Imported here because hook calls do not need it.
    import nh3

    renderer = _renderer()
    tokens = renderer.parse(markdown)
    _name_cells(tokens)
    html = renderer.renderer.render(tokens, renderer.options, {})
    labels = {"div": {"aria-label": name}, "table": {"aria-label": name}}
    return nh3.clean(html, tags=set(_TAGS), attributes=dict(_ATTRIBUTES), set_tag_attribute_values=labels)


def _name_cells(tokens: Sequence[Token]) -> None:
    """Label each cell with its column: on a narrow screen a row becomes a block."""
    names: list[str] = []
    column = 0
    for before, token in pairwise(tokens):
        if before.type == "table_open":
            names = []
        elif before.type == "tr_open":
            column = 0
        elif before.type == "th_open":
            names.append("".join(part.content for part in token.children or ()))
        if token.type == "td_open" and column < len(names):
            token.attrSet("data-label", names[column])
            column += 1


@cache
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    renderer.disable(["link", "image", "autolink", "reference", "html_block", "html_inline"])
    renderer.add_render_rule("table_open", lambda *_: _TABLE_OPEN)
    renderer.add_render_rule("table_close", lambda *_: "</table></div>\n")
    renderer.add_render_rule("th_open", lambda *_: '<th scope="col">')
    return renderer
