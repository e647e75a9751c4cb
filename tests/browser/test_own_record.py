"""An own record in the workbench at 1366 x 768: what is in view, focused and marked, and as of which day."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.evaluation import today
from tests.browser.test_workbench import Bench, bench
from tests.contract.requests import example

__all__ = ["bench"]
SCREEN = {"width": 1366, "height": 768}
NAME = "breathless-lying-flat/bundle.json"
IN_VIEW = """element => {
  const box = element.getBoundingClientRect();
  return box.top >= 0 && box.top < innerHeight - 40 && box.left >= 0;
}"""
BAD = '{"resourceType": "Bundle",\n"type": "collection",\n"entry": [}'


def decide(bench: Bench, text: str) -> None:
    bench.page.locator("#request").fill(text)
    bench.page.get_by_role("button", name="Decide").first.click()


def in_view(bench: Bench, selector: str) -> bool:
    seen: bool = bench.page.locator(selector).first.evaluate(IN_VIEW)
    return seen


def focused(bench: Bench) -> Any:
    return bench.page.evaluate("document.activeElement.id")


def forgive(bench: Bench) -> None:
    """The browser names a refused request on its console; nothing else may be wrong."""
    assert [said for said in bench.complaints if "422" not in said] == []
    bench.complaints.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_error_is_in_view_focused_and_its_line_is_marked(bench: Bench, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    bench.page.set_viewport_size(SCREEN)
    bench.page.emulate_media(color_scheme=scheme)
    bench.open()
    decide(bench, BAD)
    bench.page.get_by_role("alert").get_by_text("in line 3, column 11").wait_for()
    assert in_view(bench, "#problem")
    assert focused(bench) == "problem"
    assert not bench.card.first.is_visible(), "the card of the text before"
    field = bench.page.locator("#request")
    assert "marked" in str(field.get_attribute("class"))
    assert field.evaluate("field => getComputedStyle(field).getPropertyValue('--line')") == "3"
    assert bench.page.locator("#problem mark").inner_text() == "}"
    bench.picture(f"error-{scheme}")
    assert Axe().run(bench.page).response["violations"] == []
    bench.page.get_by_role("button", name="Go to line 3").click()
    assert focused(bench) == "request"
    selected = field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)")
    assert selected == '"entry": [}'
    forgive(bench)
    decide(bench, json.dumps(example(NAME)))
    bench.card.first.wait_for()
    assert "marked" not in str(field.get_attribute("class"))
    assert not bench.page.locator("#problem").is_visible()


@pytest.mark.parametrize("width", [1366, 1024, 375])
def test_an_answer_is_in_view_and_focused(bench: Bench, width: int) -> None:
    bench.page.set_viewport_size({**SCREEN, "width": width})
    bench.open()
    bench.page.mouse.wheel(0, 600)
    decide(bench, json.dumps(example(NAME)))
    bench.card.first.wait_for()
    bench.decided()
    assert focused(bench) == "card-title"
    assert in_view(bench, "#card-title")
    assert in_view(bench, ".card h3")


@pytest.mark.parametrize("before", ["example", "own-day"])
def test_a_record_is_decided_as_of_today_unless_a_day_was_set(bench: Bench, before: str) -> None:
    bench.open()
    day = bench.page.get_by_label("Day of the decision")
    if before == "own-day":
        day.fill("2026-06-14")
        bench.decided()
    decide(bench, json.dumps(example(NAME)))
    bench.card.locator("h3 .level.critical").wait_for()
    assert day.input_value() == ("2026-06-14" if before == "own-day" else str(today()))


def test_ndjson_is_taken(bench: Bench) -> None:
    bench.open()
    decide(bench, "\n".join(json.dumps(entry["resource"]) for entry in example(NAME)["entry"]))
    bench.card.locator("h3 .level.critical").wait_for()
    assert json.loads(bench.page.locator("#request").input_value())["resourceType"] == "Bundle"


def test_an_entry_that_could_not_be_read_leads_to_its_line(bench: Bench) -> None:
    bench.open_example("hostile-record")
    button = bench.page.locator("#read-title ~ ul button").first
    line = int(button.inner_text().removeprefix("line "))
    button.click()
    assert focused(bench) == "request"
    field = bench.page.locator("#request")
    above = field.evaluate("field => field.value.slice(0, field.selectionStart).split('\\n').length")
    assert above == line
    assert in_view(bench, "#request")


@pytest.mark.parametrize(("width", "card"), [(1366, 644), (375, 343)])
def test_the_card_is_shown_as_an_ehr_shows_it(bench: Bench, width: int, card: int) -> None:
    bench.page.set_viewport_size({**SCREEN, "width": width})
    bench.open()
    bench.page.get_by_label("As an EHR shows it").check()
    assert bench.card.first.bounding_box()["width"] == card
    assert not bench.page.get_by_role("heading", name="Why", exact=True).is_visible()
    bench.picture(f"as-ehr-{width}")
    bench.page.get_by_label("As an EHR shows it").uncheck()
    assert bench.page.get_by_role("heading", name="Why", exact=True).is_visible()
