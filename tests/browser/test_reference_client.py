"""Each example's cards fit the first screen of the reference client, and nothing of them is cut."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.browser.chromium import EXECUTABLE, INSTALL, Chromium
from tests.browser.pictures import CARDS, CARDS_PAGE, SIX, card_of, page_of
from tests.browser.reference_client import (
    CARD_WIDTH_PX,
    FIRST_SCREEN_PX,
    FONTS_NEEDED,
    has_arial,
    measures,
    show,
)
from tests.browser.small_png import size_of, with_few_colours
from tests.vignettes.examples import HOOKS, entries, examples

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason=INSTALL)
NAMES = [entry["name"] for entry in entries()]
MOST_BYTES_OF_A_PICTURE = 60_000


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        chromium.look(1366, 768)
        show(chromium, [])
        if not has_arial(chromium):
            pytest.skip(FONTS_NEEDED)
        yield chromium


@pytest.mark.parametrize("name", NAMES)
def test_what_to_do_is_on_the_first_screen_and_nothing_is_cut(
    browser: Chromium, client: FlaskClient, name: str
) -> None:
    cards = []
    for hook in HOOKS:
        answer = client.post(f"/cds-services/fasciculation-{hook}", json=examples()[f"{name}/{hook}.json"])
        cards += [(hook, card) for card in answer.get_json()["cards"]]
    show(browser, [card for _, card in cards])
    found = measures(browser)
    assert len(found) == len(cards)
    for (hook, card), measure in zip(cards, found, strict=True):
        reached = [measure[part] for part in ("rule", "button") if measure[part] is not None]
        assert min(reached, default=measure["end"]) <= FIRST_SCREEN_PX, (hook, card["summary"], measure)
        assert measure["cut"] == [], (hook, card["summary"])


CARD = {"summary": "A summary", "indicator": "info", "source": {"label": "A source"}}


def test_a_card_that_is_too_long_or_too_wide_is_seen(browser: Chromium) -> None:
    line = "\n\n".join(["A paragraph."] * 13)
    button = {"suggestions": [{"label": "Order"}]}
    show(browser, [
        {**CARD, "detail": "Short.\n\n---\n\n" + line, **button},
        {**CARD, "detail": line + "\n\n---\n\nEnd."},
        {**CARD, "detail": line, **button},
        {**CARD, "detail": "x" * 90},
        {**CARD, "detail": "x", "suggestions": [{"label": "Wide" * 40}]},
        {**CARD, "detail": f"| a | b |\n|---|---|\n| {'x' * 50} | {'y' * 50} |"},
    ])  # fmt: skip
    first, rule_late, button_late, *wide = measures(browser)
    assert first["rule"] < FIRST_SCREEN_PX < first["button"]
    assert rule_late["rule"] > button_late["button"] - 60 > FIRST_SCREEN_PX - 60
    assert first["cut"] == rule_late["cut"] == button_late["cut"] == []
    assert all(each["cut"] for each in wide)


def test_the_figures_add_up(browser: Chromium) -> None:
    """A summary of one line, a source, a line of text and a button, by hand."""
    show(browser, [{**CARD, "detail": "One line.", "suggestions": [{"label": "Order"}]}])
    (found,) = measures(browser)
    # Border and padding, summary, source and its margin, paragraph with its margins, button.
    assert found["button"] == pytest.approx(
        1 + 20 + 16 + 27 + 13.6 * 1.5 + 16 + 24 + 16 + 14 * 1.75 + 12, abs=1
    )
    assert browser.value("document.querySelector('.card').offsetWidth") == CARD_WIDTH_PX
    assert browser.value("document.querySelector('.content').clientWidth") == CARD_WIDTH_PX - 2 * 20 - 1 - 5


def test_the_six_cards_of_the_documentation_are_the_cards_of_today(client: FlaskClient) -> None:
    """A card that has changed needs its picture again."""
    cards = {name: card_of(client, name) for name in SIX}
    assert CARDS_PAGE.read_text(encoding="utf-8") == page_of(cards), "python -m tests.browser.pictures"
    assert {path.stem for path in CARDS.iterdir()} == set(SIX)
    for path in CARDS.iterdir():
        assert path.stat().st_size < MOST_BYTES_OF_A_PICTURE
        assert size_of(path.read_bytes())[0] == CARD_WIDTH_PX


def test_a_picture_keeps_its_text_with_few_colours(browser: Chromium) -> None:
    browser.look(CARD_WIDTH_PX, 200)
    show(browser, [{**CARD, "detail": "Text."}])
    before = browser.picture()
    after = with_few_colours(before)
    assert len(after) < len(before)
    assert size_of(after) == size_of(before)
    source = "data:image/png;base64," + base64.b64encode(after).decode()
    # The browser reads it, and its pixels are about those of the page.
    read = f"""(async () => {{
      const read = async (source) => {{
        const image = new Image();
        image.src = source;
        await image.decode();
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        return context.getImageData(0, 0, canvas.width, canvas.height).data;
      }};
      const [one, other] = [await read({json.dumps(source)}), await read({
        json.dumps("data:image/png;base64," + base64.b64encode(before).decode())
    })];
      return one.filter((value, at) => Math.abs(value - other[at]) > 32).length / one.length;
    }})()"""
    assert browser.value(read) < 0.002
