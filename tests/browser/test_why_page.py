"""The page behind the link of a card: one screen for a clinician, the sources behind folds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.browser.chromium import EXECUTABLE, INSTALL, Chromium
from tests.vignettes.examples import entries, examples

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason=INSTALL)

SCREEN = (1366, 768)
# With more rows than these a page may scroll.
ROWS_OF_A_TYPICAL_CARD = 6
NAMES = [entry["name"] for entry in entries()]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


def link_of(client: FlaskClient, name: str) -> str:
    """The rows of the link of the example's first card, or ""."""
    call = examples()[f"{name}/patient-view.json"]
    cards = client.post("/cds-services/fasciculation-patient-view", json=call).get_json()["cards"]
    return str(cards[0]["links"][0]["url"]).partition("?rows=")[2] if cards else ""


@pytest.mark.parametrize("name", NAMES)
def test_one_screen_says_what_it_means_what_to_do_and_on_what_it_rests(
    browser: Chromium, client: FlaskClient, address: str, name: str
) -> None:
    rows = link_of(client, name)
    if not rows:
        return
    browser.look(*SCREEN)
    browser.open(f"{address}/knowledge?rows={rows}")
    count = browser.value("document.querySelectorAll('table.why tbody tr').length")
    assert count == len(rows.split(","))
    if count <= ROWS_OF_A_TYPICAL_CARD:
        assert browser.value("document.documentElement.scrollHeight") <= SCREEN[1]
    # The first row, which gives the card its level, is on the screen even where the page scrolls.
    assert browser.value("document.querySelector('table.why tbody tr').getBoundingClientRect().bottom") < 300
    empty = "[...document.querySelectorAll('table.why td')].filter(cell => !cell.innerText.trim()).length"
    assert browser.value(empty) == 0


def test_hashes_and_readings_are_behind_folds(browser: Chromium, client: FlaskClient, address: str) -> None:
    browser.look(*SCREEN)
    browser.open(f"{address}/knowledge?rows={link_of(client, 'weak-and-wasted')}")
    seen = "document.querySelector('main').innerText"
    shown = browser.value(seen)
    assert "SHA-256" not in shown
    assert "interpreted" not in shown.lower()
    browser.value("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    unfolded = browser.value(seen)
    assert "SHA-256" in unfolded
    assert "Stated:" in unfolded


def test_what_cannot_wait_is_first_and_bold(browser: Chromium, address: str) -> None:
    browser.look(*SCREEN)
    browser.open(f"{address}/knowledge?rows=persistent,electrolyte-critical")
    levels = browser.value("[...document.querySelectorAll('table.why .level')].map(one => one.textContent)")
    assert levels == ["critical", "calm"]
    bold = (
        "[...document.querySelectorAll('table.why tr')].map(row => row.querySelectorAll('td strong').length)"
    )
    assert browser.value(bold) == [0, 2, 0]


def test_the_level_of_a_page_with_unknown_rows_is_not_lost(browser: Chromium, address: str) -> None:
    browser.look(*SCREEN)
    browser.open(f"{address}/knowledge?rows=no-such-row,weakness")
    assert "no-such-row" in browser.value("document.querySelector('main').innerText")
    assert browser.value("document.querySelectorAll('table.why tbody tr').length") == 1
