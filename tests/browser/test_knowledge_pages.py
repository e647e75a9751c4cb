"""The pages in a browser: width, contrast, keyboard, structure, paper."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import EXECUTABLE, INSTALL, Chromium

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason=INSTALL)

PAGES = [
    "/",
    "/knowledge",
    "/knowledge/claims",
    "/knowledge/weakness",
    "/knowledge/electrolyte-abnormal",
    "/knowledge/child-sign",
    "/knowledge/diuretic-depleting",
    "/knowledge/widespread",
    "/knowledge?rows=weakness,atrophy,progressive-weakness,electrolyte-critical,self-care",
]
EACH = pytest.mark.parametrize("path", PAGES)

# The contrast of every text with what lies behind it: WCAG 2.2, 1.4.3. Folded parts are unfolded first.
CONTRAST = """
(() => {
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = rgb(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  let looked = 0;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    looked += 1;
    const style = getComputedStyle(element);
    const [one, two] = [light(rgb(style.color)), light(behind(element))].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < (large ? 3 : 4.5)) poor.add(`${element.tagName}.${element.className}: ${ratio.toFixed(2)}`);
  }
  return [looked, [...poor]];
})()
"""
# How far the page scrolls sideways, and what reaches beyond the right edge of the screen.
TOO_WIDE = """
(() => {
  const edge = document.documentElement.clientWidth;
  const cut = [...document.body.querySelectorAll('*')].filter(element => {
    const box = element.getBoundingClientRect();
    return element.checkVisibility() && box.width && box.right > edge + 1 && box.left > -500;
  });
  return [document.documentElement.scrollWidth - edge, cut.map(element => element.outerHTML.slice(0, 80))];
})()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@EACH
@pytest.mark.parametrize("width", [320, 640, 1280])
def test_nothing_is_cut_and_no_page_scrolls_sideways(
    browser: Chromium, address: str, path: str, width: int
) -> None:
    """320: a telephone, and 1280 at 400 %. 640: 1280 at 200 %."""
    browser.look(width)
    browser.open(address + path)
    browser.value("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert browser.value(TOO_WIDE) == [0, []]


@EACH
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out(browser: Chromium, address: str, path: str, dark: bool) -> None:
    browser.look(1000, dark=dark)
    browser.open(address + path)
    looked, poor = browser.value(CONTRAST)
    assert looked > 10
    assert poor == []
    background = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is not dark


def test_the_keyboard_skips_to_the_content_and_shows_where_it_is(browser: Chromium, address: str) -> None:
    browser.look(1000)
    browser.open(f"{address}/knowledge/weakness")
    browser.press("Tab")
    assert browser.value("document.activeElement.textContent") == "Skip to the content"
    assert browser.value("document.activeElement.getBoundingClientRect().left") >= 0
    browser.press("Enter")
    assert browser.value("document.activeElement.id") == "content"
    for _ in range(6):
        browser.press("Tab")
        shown = (
            "(s => [s.outlineStyle, parseFloat(s.outlineWidth)])(getComputedStyle(document.activeElement))"
        )
        style, width = browser.value(shown)
        assert browser.value("document.activeElement.tagName") in ("A", "SUMMARY", "DIV")
        assert (style, width >= 2) == ("solid", True)


@EACH
@pytest.mark.parametrize("width", [320, 1280])
def test_the_structure_reaches_a_screen_reader(
    browser: Chromium, address: str, path: str, width: int
) -> None:
    browser.look(width)
    browser.open(address + path)
    tables = browser.value("[...document.querySelectorAll('table')].filter(t => t.checkVisibility()).length")
    browser.send("Accessibility.enable")
    nodes = [node for node in browser.send("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
    roles = [node["role"]["value"] for node in nodes]
    assert {"main", "banner", "contentinfo", "navigation", "heading", "link"} <= set(roles)
    # A narrow screen lays the rows out as blocks; they stay a table for whoever listens.
    assert roles.count("table") == tables
    for node in nodes:
        if node["role"]["value"] in ("link", "heading", "table", "region", "navigation"):
            assert node["name"]["value"].strip(), node["role"]["value"]


def test_the_browser_refuses_nothing_of_a_page(browser: Chromium, address: str) -> None:
    """The policy without unsafe-inline lets through all that a page has: its stylesheets are in force."""
    browser.look(1000)
    for path in PAGES:
        browser.open(address + path)
        wanted = browser.value("document.querySelectorAll('link[rel=stylesheet]').length")
        rules = browser.value("[...document.styleSheets].map(sheet => sheet.cssRules.length)")
        assert wanted == len(rules) > 0
        assert min(rules) > 5


def test_paper_has_the_hashes_and_no_navigation(browser: Chromium, address: str, tmp_path: Path) -> None:
    browser.look(1000, paper=True)
    browser.open(f"{address}/knowledge/weakness")
    assert browser.value("document.querySelector('header').checkVisibility()") is False
    shown = (
        "[...document.querySelectorAll('.hash')].map(e => e.checkVisibility({contentVisibilityAuto: true}))"
    )
    assert set(browser.value(shown)) == {True}
    printed = tmp_path / "weakness.pdf"
    printed.write_bytes(browser.pdf())
    assert printed.read_bytes().startswith(b"%PDF")
    if not shutil.which("pdftotext"):
        return
    text = subprocess.run(["pdftotext", str(printed), "-"], capture_output=True, text=True, check=True).stdout
    hashes = browser.value("[...document.querySelectorAll('.hash')].map(e => e.textContent)")
    assert len(hashes) == 3
    for each in hashes:
        assert each in "".join(text.split())
