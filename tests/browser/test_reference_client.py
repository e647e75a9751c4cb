"""Each example's cards fit the first screen of the reference client, and nothing of them is cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.browser.chromium import EXECUTABLE, INSTALL, Chromium
from tests.browser.reference_client import (
    CARD_WIDTH_PX,
    FIRST_SCREEN_PX,
    FONTS_NEEDED,
    above_rule,
    has_arial,
    measures,
    show,
    words_of,
)
from tests.vignettes.examples import HOOKS, entries, examples

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason=INSTALL)
NAMES = [entry["name"] for entry in entries()]


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
        print(name, hook, measure["rule"], measure["button"], measure["end"], words_of(above_rule(card["detail"])))
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
    assert found["button"] == pytest.approx(1 + 20 + 16 + 27 + 13.6 * 1.5 + 16 + 24 + 16 + 14 * 1.75 + 12, abs=1)
    assert browser.value("document.querySelector('.card').offsetWidth") == CARD_WIDTH_PX
    assert browser.value("document.querySelector('.content').clientWidth") == CARD_WIDTH_PX - 2 * 20 - 1 - 5
