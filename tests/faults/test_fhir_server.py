"""A FHIR server that fails in every way while lists are fetched from it: the card says what was not seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.fhir_server import FhirServer, call, record, reply
from tests.contract.requests import DAY
from tests.contract.test_slow_fhir_server import ENDLESS, HEAD, slowly
from tests.faults.conftest import TIMES, WHOLE, Site
from tests.faults.known import Known
from tests.faults.load import Connection, Load
from tests.faults.tally import FEEDBACK, HOOK, REFUSED, REPLAY

Behaviour = Callable[[Any], None]
EXTENSION = {"org.fasciculation-cds": {"asOf": DAY}}
# How many wait for the FHIR server at the same time: half of all workers.
WAITING = 3


def late(server: FhirServer) -> Behaviour:
    """Slowly, and in time."""

    def behave(handler: Any) -> None:
        time.sleep(0.3)
        reply(handler, server.answer_to(handler.path))

    return behave


def breaks_off(_: FhirServer) -> Behaviour:
    def behave(handler: Any) -> None:
        handler.wfile.write(HEAD + b'{"resourceType":"Bundle","entry":[')
        handler.close_connection = True

    return behave


def says(content: bytes, status: int = 200) -> Callable[[FhirServer], Behaviour]:
    return lambda _: lambda handler: reply(handler, content, status)


# name -> (how it behaves when it is asked for the results, whether they are had)
FAULTS: dict[str, tuple[Callable[[FhirServer], Behaviour], bool]] = {
    "answers": (lambda server: lambda handler: reply(handler, server.answer_to(handler.path)), True),
    "answers slowly": (late, True),
    "hangs": (lambda server: slowly(server, *ENDLESS["hangs"]), False),
    "trickles": (lambda server: slowly(server, *ENDLESS["trickles the body"]), False),
    "answers rubbish": (says(b"\x00\xff<html>not FHIR"), False),
    "answers 500": (says(b"{}", 500), False),
    "closes in the middle": (breaks_off, False),
}


def fetch(load: Load, known: Known) -> None:
    connection = Connection(load.target)
    token = load.target.token
    assert token is not None
    for _ in range(2 * TIMES):
        signed = token(load.target.url + known.path)
        load.attempt(HOOK, connection, known.path, known.body, signed, known.answer)
    connection.close()


# What the short form leaves out, the contract tests have without load.
@pytest.mark.parametrize("name", FAULTS if WHOLE else ["hangs", "answers rubbish", "closes in the middle"])
def test_a_fhir_server(site: Site, fhir: FhirServer, name: str) -> None:
    behaviour, had = FAULTS[name]
    fhir.reset()
    fhir.behaves["labs"] = behaviour(fhir)
    whole = record()
    lacking = {key: held for key, held in whole.items() if key != "labs"}
    known = site.answers.known(
        call(lacking, fhir.base, extension=EXTENSION),
        answered_as=call(whole if had else lacking, None, extension=EXTENSION),
    )
    with (
        site.load(f"FHIR server {name}") as load,
        load.tally.fault(),
        ThreadPoolExecutor(WAITING) as together,
    ):
        for done in [together.submit(fetch, load, known) for _ in range(WAITING)]:
            done.result()
    assert fhir.asked, "it was never asked"
    assert load.tally.bad(HOOK) == []
    assert load.tally.bad(FEEDBACK) == []
    assert load.tally.bad(REPLAY, REFUSED) == []
