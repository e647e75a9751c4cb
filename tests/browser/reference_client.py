"""Cards as the reference client of CDS Hooks lays them out: its order of parts and its measures.

Sources of the figures:
- github cds-hooks/sandbox at 3b7e25546771c6e7fc5e360aa7db6eb64af0b8b6, src/components/CardList/card-list.jsx
  (order of the parts, summary), src/components/CardList/card-list.css (card, source, icon) and
  src/theme/index.js (fonts, colours).
- npm @mui/material 5.18.0, which that commit locks: CardContent/CardContent.js, Button/Button.js,
  ButtonBase/ButtonBase.js, Card/Card.js (what reaches beyond a card is cut), CssBaseline/CssBaseline.js,
  styles/createTypography.js (body1, button).
The client renders GitHub Flavored Markdown and leaves lists, tables and rules to the browser's own styles.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from tests.browser.chromium import Chromium

CARD_WIDTH_PX = 644
FIRST_SCREEN_PX = 632
FONT = '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
# Body text. The theme's font is not Roboto alone: no letter spacing.
TEXT_PX, TEXT_LINE, TEXT_COLOUR = 16, 1.5, "#333"
CARD_PADDING_PX, CARD_BORDER_PX, CARD_LEFT_BORDER_PX, CARD_RADIUS_PX = 20, 1, 5, 12
CONTENT_PADDING_PX, CONTENT_BOTTOM_PX = 16, 24
SUMMARY_PX, SUMMARY_WEIGHT = 18, 700
SOURCE_EM, SOURCE_BOTTOM_PX, ICON_PX = 0.85, 5, 100
BUTTON_PX, BUTTON_LINE, BUTTON_WEIGHT, BUTTON_PADDING, LINK_PADDING = 14, 1.75, 500, "6px 16px", "6px 8px"
BUTTON_MIN_PX, BUTTON_RADIUS_PX, BUTTON_COLOUR = 64, 4, "#384e77"
COLOURS = {"info": "#0079be", "warning": "#ffae42", "critical": "#c00"}

STYLE = f"""
html {{ box-sizing: border-box; }}
*, ::before, ::after {{ box-sizing: inherit; }}
body {{ margin: 0; font: {TEXT_PX}px/{TEXT_LINE} {FONT}; color: {TEXT_COLOUR}; background: #fff; }}
.card {{
  width: {CARD_WIDTH_PX}px; overflow: hidden; padding: {CARD_PADDING_PX}px; background: #fff;
  border: {CARD_BORDER_PX}px solid #e0e0e0; border-left: {CARD_LEFT_BORDER_PX}px solid;
  border-radius: {CARD_RADIUS_PX}px;
}}
.content {{ padding: {CONTENT_PADDING_PX}px {CONTENT_PADDING_PX}px {CONTENT_BOTTOM_PX}px; }}
.summary {{ margin: 0; font-size: {SUMMARY_PX}px; font-weight: {SUMMARY_WEIGHT}; }}
.source {{ margin: 0 0 {SOURCE_BOTTOM_PX}px; font-size: {SOURCE_EM}em; font-style: italic; }}
.source img {{ display: block; width: {ICON_PX}px; height: {ICON_PX}px; margin: 0 0 5px; }}
button {{
  display: inline-flex; justify-content: center; align-items: center; vertical-align: middle; margin: 0;
  border: 0; border-radius: {BUTTON_RADIUS_PX}px; min-width: {BUTTON_MIN_PX}px; padding: {BUTTON_PADDING};
  font-family: inherit; font-size: {BUTTON_PX}px; font-weight: {BUTTON_WEIGHT}; line-height: {BUTTON_LINE};
  color: #fff; background: {BUTTON_COLOUR};
}}
.links button {{ padding: {LINK_PADDING}; color: {BUTTON_COLOUR}; background: none; }}
{"".join(f".{level} {{ border-left-color: {colour}; }}" for level, colour in COLOURS.items())}
{"".join(f".{level} .summary {{ color: {colour}; }}" for level, colour in COLOURS.items())}
"""
# The client lets HTML in a detail through.
_MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": False})
# Each card: pixels from its top to the end of the part above the rule, to the end of its first button, to its
# own end (null: it has none); and what reaches beyond it.
_MEASURES = """
[...document.querySelectorAll(".card")].map(card => {
  const box = card.getBoundingClientRect();
  const below = element => element && Math.round(element.getBoundingClientRect().bottom - box.top);
  const rule = card.querySelector(".detail hr");
  const content = card.querySelector(".content").getBoundingClientRect();
  const cut = [...card.querySelectorAll("*")].filter(element => {
    const own = element.getBoundingClientRect();
    return own.right > content.right + 0.5 || own.left < content.left - 0.5 || own.bottom > box.bottom
      || element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline";
  });
  return {
    rule: below(rule && rule.previousElementSibling),
    button: below(card.querySelector(".suggestions button")),
    end: below(card),
    cut: cut.map(element => element.outerHTML.slice(0, 120)),
  };
})
"""
# A letter that every font with Arial's measures sets 0.833 em wide.
_FONT_WIDTH = """
(() => {
  const probe = document.createElement("span");
  probe.style.fontSize = "100px";
  probe.textContent = "m";
  document.body.append(probe);
  const width = probe.getBoundingClientRect().width;
  probe.remove();
  return Math.round(width);
})()
"""
ARIAL_M_PX = 83
FONTS_NEEDED = "no font with Arial's measures: apt-get update && apt-get install -y fonts-liberation"


def html_of(card: Mapping[str, Any]) -> str:
    """The card: summary, source, detail, suggestions, links, in the client's order.

    Left out is what follows the links (the button that dismisses the card).
    """
    source = card["source"]
    icon = f'<img src="{escape(source["icon"])}" alt="">' if source.get("icon") else ""
    buttons = "".join(f"<button>{escape(one['label'])}</button>" for one in card.get("suggestions", ()))
    links = "".join(f"<div><button>{escape(one['label'])}</button></div>" for one in card.get("links", ()))
    return (
        f'<article class="card {escape(card["indicator"])}"><div class="content">'
        f'<p class="summary">{escape(card["summary"])}</p>'
        f'<div class="source">Source: <a href="#">{escape(source["label"])}</a>{icon}</div>'
        f'<div class="detail">{_MARKDOWN.render(card.get("detail", ""))}</div>'
        f'<div class="suggestions">{buttons}</div><div class="links">{links}</div></div></article>'
    )


def show(browser: Chromium, cards: Sequence[Mapping[str, Any]]) -> None:
    """Opens a page with the cards, one below the other."""
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Cards</title><style>{STYLE}</style>'
        f"<body>{''.join(map(html_of, cards))}</body></html>"
    )
    browser.open("data:text/html;base64," + base64.b64encode(page.encode()).decode())


def measures(browser: Chromium) -> list[dict[str, Any]]:
    """Of each card shown: rule, button, end (pixels from its top or None), cut (what is not wholly seen)."""
    found: list[dict[str, Any]] = browser.value(_MEASURES)
    return found


def has_arial(browser: Chromium) -> bool:
    """Whether the page's font has the measures of Arial."""
    return bool(browser.value(_FONT_WIDTH) == ARIAL_M_PX)


def above_rule(detail: str) -> str:
    """The part of a detail above its first rule; all of it where it has none."""
    return detail.partition("\n---\n")[0]


def words_of(markdown: str) -> int:
    """Words that a reader sees: tokens with a letter or digit."""
    return sum(any(letter.isalnum() for letter in token) for token in markdown.split())
