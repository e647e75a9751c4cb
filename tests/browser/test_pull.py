"""A patient of a FHIR server in the workbench: fetched by the page, decided, and its token kept nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from tests.browser.conftest import served
from tests.browser.test_own_record import SCREEN, focused, forgive, in_view
from tests.browser.test_workbench import Bench, bench
from tests.contract.fhir_server import PERSON, FhirServer, addresses_of, fhir_serving, reply

__all__ = ["bench"]
TYPED = "typed-in-by-the-user"


@pytest.fixture(scope="module")
def far(knowledge: Knowledge) -> Iterator[FhirServer]:
    with fhir_serving(addresses_of(knowledge)) as server:
        yield server


@pytest.fixture(scope="module")
def site(knowledge: Knowledge, far: FhirServer) -> Iterator[str]:
    with served(create_app(Config(fhir_servers=(far.base,), fhir_timeout=30.0), knowledge)) as url:
        yield url


def pull(bench: Bench, patient: str) -> None:
    bench.page.set_viewport_size(SCREEN)
    bench.open()
    bench.page.get_by_label("Id of the patient").fill(patient)
    bench.page.get_by_label("Bearer token").fill(TYPED)
    bench.page.get_by_role("button", name="Fetch and decide").click()


def test_a_patient_is_fetched_and_decided(bench: Bench, far: FhirServer) -> None:
    far.reset()
    far.behaves["orders"] = lambda handler: reply(handler, {}, 403)
    pull(bench, PERSON.id)
    bench.page.get_by_role("alert").get_by_text("Not fetched (orders)").wait_for()
    bench.card.first.wait_for()
    assert focused(bench) == "card-title"
    assert in_view(bench, ".card h3")
    assert {headers["Authorization"] for _, headers in far.asked} == {f"Bearer {TYPED}"}
    assert TYPED not in bench.page.locator("#request").input_value()
    kept: Any = bench.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    assert kept == [0, 0, ""]
    bench.picture("pulled")


def test_a_patient_that_is_not_there_is_told_in_plain_words(bench: Bench, far: FhirServer) -> None:
    from axe_playwright_python.sync_playwright import Axe

    far.reset()
    pull(bench, "nobody")
    bench.page.get_by_role("alert").get_by_text("no such address or patient (404)").wait_for()
    assert focused(bench) == "problem"
    assert in_view(bench, "#problem")
    bench.picture("not-there")
    forgive(bench)
    assert Axe().run(bench.page).response["violations"] == []
