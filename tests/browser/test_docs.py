"""/docs in a browser: Swagger UI shows every operation and sends what is tried, to this service alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from service.app import create_app
from service.config import Config
from service.feedback.upgrade import upgrade
from service.knowledge import Knowledge
from tests.browser.chromium import EXECUTABLE, INSTALL, Chromium
from tests.contract.calls import sample_calls
from tools.openapi.document import document

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason=INSTALL)

# What the policy refused, and errors of scripts.
WATCH = """
window.complaints = [];
addEventListener("securitypolicyviolation", (event) => complaints.push(event.violatedDirective));
addEventListener("error", (event) => complaints.push(String(event.message)));
"""
# Resolves with what the function returns, as soon as it is neither null nor false.
UNTIL = """
const until = (ready) => new Promise((resolve, reject) => {
  const end = Date.now() + 15000;
  const look = () => {
    const found = ready();
    if (found) resolve(found);
    else if (Date.now() > end) reject(new Error(`never: ${ready}`));
    else setTimeout(look, 20);
  };
  look();
});
"""
# Opens an operation, fills its fields in as a person would, presses Execute, and reads what came back.
TRY = (
    "(async () => {"
    + UNTIL
    + """
  const place = document.getElementById("operations-" + %(operation)s);
  if (!place.classList.contains("is-open")) place.querySelector(".opblock-summary button").click();
  const button = await until(() => place.querySelector(".try-out__btn"));
  if (!button.classList.contains("cancel")) button.click();
  const execute = await until(() => place.querySelector(".execute"));
  for (const [selector, value] of Object.entries(%(fields)s)) {
    const field = await until(() => place.querySelector(selector));
    const kind = Object.getPrototypeOf(field);
    Object.getOwnPropertyDescriptor(kind, "value").set.call(field, value);
    field.dispatchEvent(new Event(field.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
    // Swagger UI takes what is typed over a moment later, or when the field is left.
    field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  }
  place.querySelector(".btn-clear")?.click();
  await until(() => !place.querySelector(".live-responses-table"));
  execute.click();
  const answer = await until(() => place.querySelector(".live-responses-table tbody .response-col_status"));
  const body = place.querySelector(".live-responses-table tbody pre");
  return JSON.stringify([
    answer.textContent.trim().slice(0, 3),
    body ? body.textContent : "",
    place.querySelector(".request-url").textContent,
  ]);
})()
"""
)


@pytest.fixture(scope="module")
def docs(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The page, of a service that keeps feedback."""
    store = f"sqlite:///{tmp_path_factory.mktemp('feedback') / 'feedback.sqlite3'}"
    upgrade(store)
    config = Config(card_secrets=("for-these-tests-alone-and-long-enough",), feedback_db=store)
    server = make_server("127.0.0.1", 0, create_app(config, knowledge), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with Chromium(tmp_path_factory.mktemp("profile")) as browser:
            browser.look(1280)
            browser.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            browser.open(f"http://127.0.0.1:{server.server_port}/docs")
            loaded = "until(() => document.querySelector('.opblock'))"
            browser.value(f"(async () => {{ {UNTIL} await {loaded}; }})()")
            yield browser
    finally:
        server.shutdown()
        thread.join()


def tried(docs: Chromium, operation: str, **fields: str) -> tuple[str, str, str]:
    """Status, body and URL of an answer.

    Args:
        operation: tag and operationId as Swagger UI writes them into ids.
        fields: values by CSS selector.
    """
    script = TRY % {"operation": json.dumps(operation), "fields": json.dumps(fields)}
    status, body, url = json.loads(docs.value(script))
    return status, body, url


def test_every_operation_is_shown(docs: Chromium) -> None:
    shown = docs.value(
        "[...document.querySelectorAll('.opblock')].map((one) =>"
        " [one.querySelector('.opblock-summary-method').textContent.toLowerCase(),"
        " one.querySelector('.opblock-summary-path').dataset.path])"
    )
    described = [[method, path] for path, methods in document()["paths"].items() for method in methods]
    assert sorted(shown) == sorted(described)
    assert docs.value("document.querySelector('.errors-wrapper') === null")


@pytest.mark.parametrize("hook", ["patient-view", "order-sign", "encounter-discharge"])
def test_a_hook_is_called_with_its_example(docs: Chromium, hook: str) -> None:
    status, body, url = tried(docs, f"CDS_Hooks-fasciculation-{hook}")
    assert status == "200"
    assert url.endswith(f"/cds-services/fasciculation-{hook}")
    assert "cards" in body


def test_a_bundle_is_evaluated(docs: Chromium) -> None:
    status, body, _ = tried(docs, "Records-evaluate")
    assert status == "200"
    assert "assessment" in body


def test_what_is_written_is_what_is_sent(docs: Chromium) -> None:
    (call,) = [one for one in sample_calls() if one.id == "evaluate a-single-resource"]
    assert call.body is not None
    status, body, _ = tried(docs, "Records-evaluate", **{"textarea": call.body})
    assert status == "422"
    assert "single resource" in body
    status, body, url = tried(docs, "Knowledge-knowledgeRow", **{"input[type=text]": "none"})
    assert status == "404"
    assert url.endswith("/knowledge/none")
    assert "OperationOutcome" in body


def test_an_answer_of_markup_is_shown_as_text(docs: Chromium) -> None:
    before = docs.value("document.querySelectorAll('#swagger-ui h1, title').length")
    status, body, _ = tried(docs, "Pages-home")
    assert status == "200"
    assert "<!doctype html>" in body
    assert docs.value("document.querySelectorAll('#swagger-ui h1, title').length") == before


def test_everything_was_asked_of_this_service_and_the_policy_refused_nothing(docs: Chromium) -> None:
    """Of all that the tests above did."""
    assert docs.value("complaints") == []
    asked = docs.value("performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)")
    assert len(asked) > 5
    assert set(asked) == {docs.value("location.origin")}
