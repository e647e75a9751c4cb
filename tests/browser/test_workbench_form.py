"""The form of the workbench in a real browser: an answer, and the card before and after it."""

from __future__ import annotations

import re

import pytest

from tests.browser.test_knowledge_pages import TOO_WIDE
from tests.browser.test_workbench import UNEXAMINED, UNFOLD, Bench, bench

__all__ = ["bench"]


def answer(bench: Bench, link: str, says: str) -> None:
    bench.page.locator(f"#field-{link}").get_by_label(says, exact=True).check()


def record(bench: Bench, author: str = "clinician") -> None:
    bench.page.get_by_label(re.compile(f"the {author},? who")).check()
    bench.page.get_by_role("button", name="Record the answers").click()
    bench.page.get_by_text("What became of the answers").wait_for()


def test_an_answer_of_the_form_shows_the_card_before_and_after(bench: Bench) -> None:
    """The whole way, at the size of a small laptop: an example, weakness, its beginning, and back."""
    bench.page.set_viewport_size({"width": 1366, "height": 768})
    bench.open_example(UNEXAMINED)
    start = bench.page.locator("#group-weakness-start")
    assert not start.is_visible()
    answer(bench, "weakness", "Yes")
    assert start.is_visible()
    record(bench)
    page, before, after = bench.page, bench.page.locator("#before"), bench.page.locator("#after")
    assert before.locator(".side .level").inner_text() == "info"
    assert after.locator(".side .level").inner_text() == "warning"
    boxes = [part.bounding_box() for part in (before, after, page.locator(".form-part"))]
    left, middle, right = (box for box in boxes if box is not None)
    assert left["x"] + left["width"] <= middle["x"]
    assert middle["x"] + middle["width"] <= right["x"]
    assert right["x"] + right["width"] <= 1366
    assert abs(left["y"] - middle["y"]) < 2
    assert max(left["y"], right["y"]) < 768 / 2
    assert page.evaluate("document.activeElement.id") == "card-title"
    assert page.url == f"{bench.site}/"
    assert '"QuestionnaireResponse"' in page.locator("#request").input_value()
    bench.picture("form")
    page.get_by_label("When did the weakness begin?").fill("1 May 2026")
    record(bench)
    assert page.get_by_label("When did the weakness begin?").input_value() == "2026-05-01"
    answer(bench, "weakness", "open")
    assert not start.is_visible()
    record(bench)
    assert after.locator(".side .level").inner_text() == "info"
    assert '"QuestionnaireResponse"' not in page.locator("#request").input_value()


def test_a_wrong_date_is_said_beside_its_field(bench: Bench) -> None:
    bench.open_example(UNEXAMINED)
    bench.page.get_by_label("Since when has it been twitching?").fill("3/4/2026")
    bench.page.get_by_label("the clinician who examined").check()
    bench.page.get_by_role("button", name="Record the answers").click()
    bench.page.get_by_role("alert").get_by_text("Nothing was recorded").wait_for()
    assert bench.page.locator("#wrong-onset").is_visible()
    assert bench.page.get_by_label("Since when has it been twitching?").input_value() == "3/4/2026"
    assert bench.page.evaluate("document.activeElement.getAttribute('role')") == "alert"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_beside_two_cards(bench: Bench, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    bench.page.emulate_media(color_scheme=scheme)
    bench.open_example(UNEXAMINED)
    answer(bench, "weakness", "Yes")
    record(bench)
    for width in (1366, 320):
        bench.page.set_viewport_size({"width": width, "height": 768})
        bench.page.evaluate(UNFOLD)
        found = Axe().run(bench.page).response
        assert found["passes"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
        assert bench.page.evaluate(TOO_WIDE) == [0, []]


def test_an_own_record_is_answered_as_of_its_day(bench: Bench) -> None:
    """After an answer the page holds a record of its own, and keeps the day until another is set."""
    bench.open_example(UNEXAMINED)
    answer(bench, "bulbar", "No")
    record(bench, "patient")
    bench.page.get_by_role("button", name="Decide", exact=True).click()
    bench.decided()
    assert bench.page.get_by_label("Day of the decision").input_value() == "2026-06-15"
    assert bench.page.locator("#before").count() == 0
    assert bench.page.locator("#field-bulbar").get_by_label("No", exact=True).is_checked()
