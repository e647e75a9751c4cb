"""Pictures and docs/cards.md: `python -m tests.browser.pictures` writes them into docs/. Look at them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge
from tests.browser.chromium import EXECUTABLE, Chromium
from tests.browser.conftest import FLAGS, PACKAGES, served
from tests.browser.reference_client import (
    CARD_WIDTH_PX,
    FIRST_SCREEN_PX,
    above_rule,
    measures,
    show,
    words_of,
)
from tests.browser.small_png import with_few_colours
from tests.docs.conftest import PROJECT
from tests.vignettes.examples import examples

WINDOW = {"width": 1366, "height": 768}
# File -> address, and the section of the page; "" = what the window shows.
PICTURES = {
    "workbench-card": ("/?example=low-calcium", ""),
    "workbench-picture": ("/?example=thiazide-potassium-in-range", "section[aria-labelledby=time-title]"),
    "workbench-why": ("/?example=diabetes-numb-feet", "section[aria-labelledby=why-title]"),
}
CARDS = PROJECT / "docs" / "cards"
CARDS_PAGE = PROJECT / "docs" / "cards.md"
# Example -> title of its picture.
SIX = {
    "calm-calf": "Calf twitch for 10 days, examined and normal",
    "thigh-furosemide": "Thigh twitch for 15 days on furosemide, potassium 3.1",
    "weak-and-wasted": "Weakness and wasting for 2 months",
    "lithium-unsteady": "Lithium, and unsteady",
    "unexamined-forearm": "Forearm twitch that nobody examined, onset unknown",
    "weak-legs-five-days": "Leg weakness for five days, with tingling",
}
_HEAD = f"""# Six cards

Made by `python -m tests.browser.pictures`: the cards of `patient-view` for six [examples](../examples). They
are {CARD_WIDTH_PX} pixels wide and have the measures of the reference client of CDS Hooks
(`tests/browser/reference_client.py`). What to do is above the rule: at most 12 lines and 110 words, within
the first {FIRST_SCREEN_PX} pixels. The client puts the buttons below the whole detail. `make test-browser`
measures the cards of every example and hook.

| Card | Level | Words of the summary | Words above the rule | Words of the detail | Buttons |
|---|---|---|---|---|---|
"""


def card_of(client: FlaskClient, name: str) -> dict[str, Any]:
    """The card of the example for patient-view."""
    call = examples()[f"{name}/patient-view.json"]
    (card,) = client.post("/cds-services/fasciculation-patient-view", json=call).get_json()["cards"]
    found: dict[str, Any] = card
    return found


def page_of(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """docs/cards.md. cards: by example."""
    rows = [
        f"| [{SIX[name]}](#{name}) | {card['indicator']} | {words_of(card['summary'])} "
        f"| {words_of(above_rule(card['detail']))} | {words_of(card['detail'])} "
        f"| {len(card.get('suggestions', ()))} |\n"
        for name, card in cards.items()
    ]
    shown = [
        f"\n## {name}\n\n{SIX[name]}.\n\n![Card: {card['summary']}](cards/{name}.png)\n"
        for name, card in cards.items()
    ]
    return _HEAD + "".join(rows) + "".join(shown)


def write_cards(client: FlaskClient) -> None:
    """Writes docs/cards/ and docs/cards.md."""
    cards = {name: card_of(client, name) for name in SIX}
    CARDS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, Chromium(Path(profile)) as browser:
        for name, card in cards.items():
            browser.look(CARD_WIDTH_PX, FIRST_SCREEN_PX)
            show(browser, [card])
            (found,) = measures(browser)
            browser.look(CARD_WIDTH_PX, found["end"])
            (CARDS / f"{name}.png").write_bytes(with_few_colours(browser.picture()))
    CARDS_PAGE.write_text(page_of(cards), encoding="utf-8")


def main() -> None:
    """Writes the files."""
    sys.path.append(str(PACKAGES))
    from playwright.sync_api import sync_playwright

    app = create_app(Config(), load_knowledge())
    write_cards(app.test_client())
    with served(app) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(EXECUTABLE), args=FLAGS)
        for name, (path, part) in PICTURES.items():
            page = browser.new_page(viewport=WINDOW)
            page.goto(url + path)
            what = page.locator(part) if part else page
            what.screenshot(path=PROJECT / "docs" / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
