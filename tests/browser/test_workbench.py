"""The workbench in a real browser, as a newcomer uses it: by mouse, by keyboard, on a telephone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import PATIENCE
from tests.browser.test_knowledge_pages import TOO_WIDE
from tests.contract.requests import example
from tests.docs.conftest import PROJECT

PICTURES = PROJECT / ".pictures"
PAGES = [
    "/",
    "/?example=hostile-record",
    "/?example=all-tests-pending&hook=order-sign",
    "/knowledge",
    "/knowledge/weakness",
    "/knowledge?rows=weakness,self-care",
    "/knowledge/claims",
    "/feedback/summary",
]
UNEXAMINED = "unexamined-forearm"
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true; })"


class Bench:
    """A page on the workbench. complaints: what the browser refused or failed at. asked: every address."""

    def __init__(self, page: Any, site: str) -> None:
        self.page, self.site = page, site
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str = "/") -> None:
        self.page.goto(self.site + path)

    def open_example(self, name: str) -> None:
        self.open(f"/?example={name}")

    @property
    def card(self) -> Any:
        return self.page.locator("article.card")

    def level(self) -> str:
        text: str = self.card.first.locator("h3 .level").inner_text()
        return text

    def decided(self) -> None:
        """Waits until what was asked is answered."""
        self.page.get_by_role("status").get_by_text(re.compile("^Decided")).wait_for()

    def picture(self, name: str) -> None:
        PICTURES.mkdir(exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture
def bench(chromium: Any, site: str) -> Iterator[Bench]:
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    found = Bench(context.new_page(), site)
    yield found
    context.close()
    assert found.complaints == []
    assert {url for url in found.asked if not url.startswith((site, "blob:"))} == set()


def test_it_opens_with_a_patient_a_card_and_the_reason(bench: Bench) -> None:
    bench.open()
    assert bench.level() == "info"
    assert bench.page.get_by_role("heading", name="Why", exact=True).is_visible()
    mark = bench.page.locator("mark").first.inner_text()
    assert mark == "twitching for more than 14 days"
    assert bench.page.locator(".asked").get_by_text("muscle rigidity on examination?").is_visible()
    assert bench.page.locator("svg.timeline:visible").count() == 1
    bench.picture("load")


def test_a_bundled_patient_is_chosen_and_has_a_link(bench: Bench) -> None:
    bench.open()
    bench.page.get_by_role("link", name=re.compile("^Low calcium")).click()
    bench.card.filter(has_text="1.78").wait_for()
    assert bench.level() == "critical"
    assert "example=low-calcium" in bench.page.url
    # The page is whole before its script has run.
    link = bench.page.locator("#link a[href*=low-calcium]").get_attribute("href")
    bench.page.get_by_role("button", name="Copy the link").click()
    bench.page.get_by_role("status").get_by_text("Copied.").wait_for()
    copied = bench.page.evaluate("navigator.clipboard.readText()")
    assert copied == bench.site + str(link)
    bench.page.goto(copied)
    assert bench.level() == "critical"
    bench.picture("choose")


def test_a_call_of_another_hook_is_one_click_away(bench: Bench) -> None:
    bench.open()
    bench.page.get_by_role("link", name="order-sign", exact=True).click()
    bench.page.wait_for_url(re.compile("hook=order-sign"))
    assert json.loads(bench.page.locator("#request").input_value())["hook"] == "order-sign"
    assert bench.card.count() >= 1


def test_what_is_pasted_is_decided_and_leaves_no_trace(bench: Bench) -> None:
    bench.open()
    bundle = json.dumps(example("breathless-lying-flat/bundle.json"))
    bench.page.evaluate("text => navigator.clipboard.writeText(text)", bundle)
    field = bench.page.locator("#request")
    field.click()
    bench.page.keyboard.press("Control+A")
    bench.page.keyboard.press("Control+V")
    bench.card.locator("h3 .level.critical").wait_for()
    assert bench.page.url == f"{bench.site}/"
    kept = "[localStorage.length, sessionStorage.length, document.cookie, history.state]"
    assert bench.page.evaluate(kept) == [0, 0, "", None]
    bench.page.reload()
    assert bench.level() == "info"


@pytest.mark.parametrize("how", ["opened", "dropped"])
def test_a_file_is_opened_or_dropped(bench: Bench, how: str) -> None:
    bench.open()
    file = PROJECT / "examples" / "breathless-lying-flat/bundle.json"
    if how == "opened":
        bench.page.locator("#file").set_input_files(file)
    else:
        moved = bench.page.evaluate_handle(
            "text => { const moved = new DataTransfer();"
            " moved.items.add(new File([text], 'a.json', {type: 'application/json'})); return moved; }",
            file.read_text(encoding="utf-8"),
        )
        bench.page.dispatch_event("#request", "drop", {"dataTransfer": moved})
    bench.card.locator("h3 .level.critical").wait_for()


def test_another_day_decides_otherwise(bench: Bench) -> None:
    bench.open()
    bench.page.get_by_label("Day of the decision").fill("2026-06-14")
    bench.card.locator("h3").filter(has_text="14 days").wait_for()
    assert "asOf=2026-06-14" in bench.page.url


def test_everything_goes_by_keyboard(bench: Bench) -> None:
    bench.open_example(UNEXAMINED)
    page = bench.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    seen = []
    at_last = "document.activeElement.textContent === 'Record the answers'"
    for _ in range(200):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            "(e => { const s = getComputedStyle(e.id === 'file' ? e.previousElementSibling : e); return"
            " [e.tagName + '#' + e.id, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1]; })"
            "(document.activeElement)"
        )
        seen.append(shown)
        if "date-onset" in seen[-1][0]:
            page.keyboard.type("2026")
        if seen[-1][0] == "INPUT#" and page.evaluate("document.activeElement.name === 'author'"):
            page.keyboard.press("Space")
        if page.evaluate(at_last):
            break
    assert page.evaluate(at_last), "the button was not reached"
    assert [name for name, outlined in seen if not outlined] == []
    reached = {name for name, _ in seen}
    assert {"TEXTAREA#request", "INPUT#as-of", "INPUT#file", "BUTTON#"} <= reached
    page.keyboard.press("Enter")
    page.get_by_text("What became of the answers").wait_for()
    assert "2026" in page.locator("#after").inner_text()
    assert page.evaluate("document.activeElement.id") == "card-title"


def test_hostile_text_is_shown_as_text(bench: Bench) -> None:
    bench.open_example("hostile-record")
    html = bench.page.locator("#answer").inner_html()
    assert bench.page.locator("#answer").locator("script, img, iframe, object, style").count() == 0
    assert bench.page.evaluate(
        "[...document.querySelectorAll('#answer *')].every(e =>"
        " [...e.attributes].every(a => !a.name.startsWith('on') && a.name !== 'style')"
        " && !(e.href?.baseVal ?? e.href ?? '').startsWith('javascript:'))"
    )
    assert "&lt;" in html
    bench.page.evaluate(UNFOLD)
    bench.picture("hostile")


def test_request_and_response_can_be_copied(bench: Bench) -> None:
    bench.open()
    bench.page.get_by_text("The same call with curl").click()
    bench.page.get_by_role("button", name="Copy as curl").click()
    bench.page.get_by_role("status").get_by_text("Copied.").wait_for()
    copied = bench.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -s -H 'Content-Type: application/fhir+json'")
    bench.page.get_by_text("The response as JSON").click()
    bench.page.get_by_role("button", name="Copy the response").click()
    bench.page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('{'))")
    response = json.loads(bench.page.evaluate("navigator.clipboard.readText()"))
    assert response["assessment"]["level"] == "info"


@pytest.mark.parametrize("width", [320, 375, 640])
@pytest.mark.parametrize("name", ["thiazide-potassium-in-range", "hostile-record"])
def test_nothing_is_cut_on_a_telephone_or_at_twice_the_size(bench: Bench, name: str, width: int) -> None:
    """640: a window of 1280 at 200 %."""
    bench.page.set_viewport_size({"width": width, "height": 900})
    bench.open_example(name)
    bench.page.evaluate(UNFOLD)
    assert bench.page.evaluate(TOO_WIDE) == [0, []]
    bench.picture(f"{name}-{width}")


def test_on_paper_the_card_and_its_reasons_stay(bench: Bench) -> None:
    bench.open()
    bench.page.emulate_media(media="print")
    assert bench.card.is_visible()
    assert not bench.page.locator("#request").is_visible()
    assert not bench.page.locator("#answer button:visible").count()


def test_without_a_script_the_bundled_patients_and_the_form_work(chromium: Any, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(site)
    page.get_by_role("link", name=re.compile("^Low calcium")).click()
    page.locator("article.card.critical").wait_for()
    assert page.get_by_text("Without JavaScript only the bundled patients and the form work").is_visible()
    page.goto(f"{site}/?example={UNEXAMINED}")
    page.locator("#field-weakness").get_by_label("Yes", exact=True).check()
    page.get_by_label("the clinician who examined").check()
    page.get_by_role("button", name="Record the answers").click()
    page.locator("#after article.card.warning").wait_for()
    assert page.locator("#group-weakness-start").is_visible()
    context.close()


def test_axe_finds_on_the_page_of_the_api_only_what_swagger_ui_brings(bench: Bench) -> None:
    """Contrast, headings, buttons in rows that are buttons, an unnamed select, text outside its main."""
    from axe_playwright_python.sync_playwright import Axe

    bench.open("/docs")
    bench.page.locator(".opblock").first.wait_for()
    found = Axe().run(bench.page).response
    assert found["passes"]
    of_swagger_ui = {"color-contrast", "heading-order", "nested-interactive", "region", "select-name"}
    assert {one["id"] for one in found["violations"]} <= of_swagger_ui
    inside = "(selector) => document.querySelector(selector).closest('#swagger-ui') !== null"
    for one in found["violations"]:
        assert all(bench.page.evaluate(inside, node["target"][0]) for node in one["nodes"]), one["id"]
    assert bench.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(bench: Bench, path: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    bench.page.emulate_media(color_scheme=scheme)
    bench.open(path)
    for width in (1280, 320):
        bench.page.set_viewport_size({"width": width, "height": 900})
        for unfold in ("", UNFOLD):
            if unfold:
                bench.page.evaluate(unfold)
            found = Axe().run(bench.page).response
            assert found["passes"]
            wrong = [
                (one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]])
                for one in found["violations"]
            ]
            assert wrong == []


# Texts that stand on one of the vertical lines: [text, line], in pixels of the screen.
ON_A_LINE = """
[...document.querySelectorAll("svg.timeline")].filter(svg => svg.checkVisibility()).flatMap(svg => {
  const lines = [...svg.querySelectorAll("line.limit, line.today")].map(line => line.getBoundingClientRect());
  return [...svg.querySelectorAll("text")].flatMap(text => {
    const box = text.getBoundingClientRect();
    return lines
      .filter(line => line.left < box.right && line.right > box.left)
      .filter(line => line.top < box.bottom && line.bottom > box.top)
      .map(line => [text.textContent, Math.round(line.left)]);
  });
})
"""


@pytest.mark.parametrize("width", [1366, 375])
@pytest.mark.parametrize("name", ["thiazide-potassium-in-range", "eyelid-exam-weeks", "hostile-record"])
def test_no_label_of_the_timeline_stands_on_a_line(bench: Bench, name: str, width: int) -> None:
    bench.page.set_viewport_size({"width": width, "height": 768})
    bench.open_example(name)
    assert bench.page.locator("svg.timeline:visible line.limit").count() > 0
    assert bench.page.evaluate(ON_A_LINE) == []
