"""The pictures of the workbench in docs/: `python -m tests.browser.pictures` takes them. Look at them."""

from __future__ import annotations

import sys

from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge
from tests.browser.chromium import EXECUTABLE
from tests.browser.conftest import FLAGS, PACKAGES, served
from tests.docs.conftest import PROJECT

WINDOW = {"width": 1366, "height": 768}
# File -> address, and the section of the page; "" = what the window shows.
PICTURES = {
    "workbench-card": ("/?example=low-calcium", ""),
    "workbench-picture": ("/?example=thiazide-potassium-in-range", "section[aria-labelledby=time-title]"),
    "workbench-why": ("/?example=diabetes-numb-feet", "section[aria-labelledby=why-title]"),
}


def main() -> None:
    """Writes the files."""
    sys.path.append(str(PACKAGES))
    from playwright.sync_api import sync_playwright

    app = create_app(Config(), load_knowledge())
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
