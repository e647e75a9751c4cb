"""The page of the API in a browser: its forms send every example, to this service alone."""

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

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason=INSTALL)

# Chooses an example of a form, changes what is asked, sends it, and waits for what is said then.
SEND = """
(async () => {
  const form = document.querySelector(`form[data-operation="${%(operation)s}"]`);
  const said = form.querySelector(".said");
  const settled = (ready) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("nothing more is said")), 60000);
    const look = () => ready() ? (watching.disconnect(), resolve()) : undefined;
    const watching = new MutationObserver(look);
    watching.observe(form, { subtree: true, childList: true, characterData: true, attributes: true });
    look();
  });
  form.closest("details").open = true;
  form.elements.example.selectedIndex = %(example)s;
  said.textContent = "choosing";
  form.elements.example.dispatchEvent(new Event("change"));
  await settled(() => said.textContent !== "choosing");
  for (const [name, value] of Object.entries(%(fields)s)) form.elements[name].value = value;
  form.requestSubmit();
  await settled(() => !["", "Sending"].includes(said.textContent) && !form.querySelector("button").disabled);
  const shows = form.querySelector(".answer");
  return JSON.stringify([said.textContent, shows.hidden ? "" : shows.textContent, shows.childElementCount]);
})()
"""


@pytest.fixture(scope="module")
def docs(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The page, of a service that keeps feedback."""
    store = f"sqlite:///{tmp_path_factory.mktemp('feedback') / 'feedback.sqlite3'}"
    upgrade(store)
    config = Config(card_secrets=("for-these-tests-alone-and-long-enough",), feedback_db=store)
    server = make_server("127.0.0.1", 0, create_app(config, knowledge), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        browser.look(1280)
        browser.open(f"http://127.0.0.1:{server.server_port}/docs")
        yield browser
    server.shutdown()
    thread.join()


def sent(docs: Chromium, operation: str, example: int, **fields: str) -> tuple[str, str, int]:
    script = SEND % {
        "operation": json.dumps(operation),
        "example": example,
        "fields": json.dumps(fields),
    }
    said, shown, elements = json.loads(docs.value(script))
    return said, shown, elements


def test_every_example_is_answered_as_it_says(docs: Chromium) -> None:
    number: dict[str, int] = {}
    wrong = []
    for call in sample_calls():
        example = number.get(call.operation, 0)
        number[call.operation] = example + 1
        said, _, _ = sent(docs, call.operation, example)
        if not said.startswith(f"Answer: {call.status} "):
            wrong.append((call.id, call.status, said))
    assert wrong == []
    assert sum(number.values()) > 60


def test_what_is_written_is_what_is_sent(docs: Chromium) -> None:
    body = json.dumps({"resourceType": "Patient"})
    said, shown, _ = sent(docs, "evaluate", 0, address="/evaluate?asOf=2026-06-14", body=body)
    assert said == "Answer: 422 UNPROCESSABLE ENTITY, application/fhir+json"
    assert "single resource" in shown
    said, _, _ = sent(docs, "evaluate", 0, headers="Content-Type: text/plain")
    assert said.startswith("Answer: 415")
    said, _, _ = sent(docs, "knowledgeRow", 0, address="/knowledge/none")
    assert said.startswith("Answer: 404")


def test_an_answer_of_markup_is_shown_as_text(docs: Chromium) -> None:
    said, shown, elements = sent(docs, "knowledge", 1)
    assert said.startswith("Answer: 200 OK, text/html")
    assert shown.startswith("<!doctype html>")
    assert elements == 0


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/x", "//elsewhere.example/x", "javascript:alert(1)"]
)
def test_nothing_is_sent_elsewhere(docs: Chromium, address: str) -> None:
    said, shown, _ = sent(docs, "evaluate", 0, address=address)
    assert said == "Not sent: Only addresses of this service: begin with a slash."
    assert shown == ""


def test_a_header_that_is_none_is_named(docs: Chromium) -> None:
    said, _, _ = sent(docs, "healthz", 0, headers="no colon")
    assert said == "Not sent: Not a header, which is a name, a colon and a value: no colon"


def test_the_keyboard_sends_and_stays_where_it_is(docs: Chromium) -> None:
    docs.value("document.getElementById('healthz-headers').closest('details').open = true")
    docs.value("document.getElementById('healthz-headers').value = ''")
    docs.value("document.getElementById('healthz-headers').focus()")
    docs.press("Tab")
    assert docs.value("document.activeElement.textContent") == "Send GET"
    docs.value("document.activeElement.form.querySelector('.said').textContent = ''")
    docs.press("Enter")
    waited = """
    new Promise((resolve) => {
      const said = document.querySelector('form[data-operation="healthz"] .said');
      const look = () => {
        if (["", "Sending"].includes(said.textContent)) setTimeout(look, 20);
        else resolve(said.textContent);
      };
      look();
    })
    """
    assert docs.value(waited).startswith("Answer: 200 OK")
    assert docs.value("document.activeElement.textContent") == "Send GET"
