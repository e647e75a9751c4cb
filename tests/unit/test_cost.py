"""What a request costs, without a clock: calls of functions, decodings and memory, by the size of the record.

docs/performance.md holds what `make bench` measured; this keeps the cost linear.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from collections import Counter
from io import BytesIO
from types import FrameType
from typing import Any

import pytest
from flask import Flask

from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge
from tests.vignettes.patient import PEOPLE
from tools.bench.bodies import patient_view

PATH = "/cds-services/fasciculation-patient-view"


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Config(), load_knowledge())


def posted(app: Flask, body: bytes) -> str:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "SERVER_NAME": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    statuses: list[str] = []
    b"".join(app(environ, lambda status, headers, error=None: statuses.append(status)))
    return statuses[0]


def calls(app: Flask, body: bytes) -> Counter[str]:
    """Name of a function -> how often it was called, those written in C included."""
    assert posted(app, body) == "200 OK"
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, called: Any) -> None:
        if event == "call":
            counted[frame.f_code.co_name] += 1
        elif event == "c_call":
            counted[called.__qualname__] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        posted(app, body)
    finally:
        sys.setprofile(before)
    return counted


def test_twice_the_record_costs_twice_the_calls(app: Flask) -> None:
    few, some, many = (calls(app, patient_view(n, 560).content).total() for n in (250, 500, 1_000))
    assert many - some < 2.2 * (some - few)
    # Of Python and C together; each is a tenth of a microsecond or less.
    assert (many - some) / 500 < 40


def test_a_resource_is_decoded_once(app: Flask) -> None:
    """For what it is, and whether it can say anything; a prescription, which may name anything, once more."""
    few, many = (patient_view(n, 560).content for n in (250, 1_000))
    prescribed = many.count(b'"MedicationRequest"') - few.count(b'"MedicationRequest"')
    decoded = calls(app, many)["Decoder.decode"] - calls(app, few)["Decoder.decode"]
    assert decoded == 750 + prescribed


@pytest.mark.parametrize("key", ["conditions", "findings", "labs", "medications"])
def test_no_kind_of_resource_costs_more_the_more_there_are(app: Flask, key: str) -> None:
    """Resources that decide, each of its own: none is compared with all the others."""
    few, some, many = (calls(app, deciding(key, n)).total() for n in (100, 200, 400))
    assert many - some < 2.2 * (some - few)


def deciding(key: str, copies: int) -> bytes:
    """A call that holds what decides under that key so often."""
    records = (json.loads(patient_view(0, 560, person.id).content) for person in PEOPLE)
    call = next(record for record in records if record["prefetch"][key].get("entry"))
    entries = call["prefetch"][key]["entry"]
    call["prefetch"][key]["entry"] = [
        {"resource": {**entry["resource"], "id": f"{number}-{place}"}}
        for number in range(copies // len(entries))
        for place, entry in enumerate(entries)
    ]
    return json.dumps(call).encode()


@pytest.mark.parametrize("resources", [500, 2_000])
def test_the_peak_of_memory_is_at_most_three_times_the_body(app: Flask, resources: int) -> None:
    body = patient_view(resources, 840).content
    posted(app, body)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        posted(app, body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # What the request is read from stands for the socket, which holds no body.
    assert (peak - before) / len(body) < 3


def test_the_server_loads_neither_migrations_nor_what_it_does_not_use() -> None:
    started = """
import sys
import service.server
from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge
create_app(Config(), load_knowledge())
print([name for name in ("alembic", "redis", "psycopg", "pytest") if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", started], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
