"""What a request costs, without a clock: calls of functions, decodings and memory, by the size of the record.

docs/performance.md holds what `make bench` measured; this keeps the cost linear.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from flask import Flask

from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge
from tests.vignettes.dialects import prefetch
from tests.vignettes.patient import PEOPLE
from tools.bench.bodies import hospital_patients, patient_view
from tools.bench.counts import calls, posted


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Config(), load_knowledge())


def test_twice_the_record_costs_twice_the_calls(app: Flask) -> None:
    few, some, many = (calls(app, patient_view(n).content).total() for n in (250, 500, 1_000))
    assert many - some < 2.2 * (some - few)
    # Of Python and C together, a quarter of them known results; each is a tenth of a microsecond or less.
    assert (many - some) / 500 < 110


def test_a_patient_who_twitches_costs_at_most_so_many_calls(app: Flask) -> None:
    """Of Python functions: the goal is 3,000."""
    assert calls(app, patient_view(20).content, python_alone=True).total() < 3_500


def test_a_patient_without_a_twitch_costs_next_to_nothing(app: Flask) -> None:
    # The first patients of the ward have none.
    body = max(hospital_patients(20), key=lambda body: body.resources)
    counted = calls(app, body.content, python_alone=True)
    assert counted.total() / body.resources < 15
    # No medicine, result, order or study is read.
    read = [counted[name] for name in ("drugs_of", "results_of", "orders_of", "studies_of")]
    assert read == [0, 0, 0, 0]


def test_only_what_is_relevant_is_decoded_again(app: Flask) -> None:
    """For what it is, and whether it can say anything; then known results and medicines as a whole."""
    few, many = (calls(app, patient_view(n).content)["Decoder.decode"] for n in (250, 1_000))
    assert 0 < many - few < 0.6 * 750


@pytest.mark.parametrize("key", ["conditions", "findings", "labs", "medications"])
def test_no_kind_of_resource_costs_more_the_more_there_are(app: Flask, key: str) -> None:
    """Resources that decide, each of its own: none is compared with all the others."""
    few, some, many = (calls(app, deciding(key, n)).total() for n in (100, 200, 400))
    assert many - some < 2.2 * (some - few)


def deciding(key: str, copies: int) -> bytes:
    """A call that holds what decides under that key so often."""
    call = json.loads(patient_view(0).content)
    found = ((person, prefetch(person)) for person in PEOPLE)
    person, call["prefetch"] = next((who, lists) for who, lists in found if lists[key].get("entry"))
    call["context"]["patientId"] = person.id
    entries = call["prefetch"][key]["entry"]
    call["prefetch"][key]["entry"] = [
        {"resource": {**entry["resource"], "id": f"{number}-{place}"}}
        for number in range(copies // len(entries))
        for place, entry in enumerate(entries)
    ]
    return json.dumps(call).encode()


@pytest.mark.parametrize("resources", [500, 2_000])
def test_the_peak_of_memory_is_at_most_three_times_the_body(app: Flask, resources: int) -> None:
    body = patient_view(resources).content
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


_STARTED = """
import sys
import service.server
from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge
create_app(Config({settings}), load_knowledge())
print([name for name in {names} if name in sys.modules])
"""


def loaded(names: tuple[str, ...], settings: str = "") -> list[str]:
    """Which of these packages a start with these settings imports."""
    program = _STARTED.format(settings=settings, names=names)
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return list(json.loads(found.stdout.replace("'", '"')))


def test_the_server_loads_neither_migrations_nor_what_it_does_not_use() -> None:
    migrations = ("alembic", "pytest")
    by_setting = ("redis", "jwt", "cryptography", "requests", "psycopg", "sqlalchemy.dialects.postgresql")
    # For an invalid resource alone.
    models = ("fhir", "pydantic")
    assert loaded((*migrations, *by_setting, *models)) == []


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ("fhir_servers=('https://ehr.example/fhir',)", "requests"),
        ("feedback_db='postgresql://db.example/feedback'", "sqlalchemy.dialects.postgresql"),
    ],
)
def test_what_a_setting_asks_for_is_loaded_before_the_fork(settings: str, name: str) -> None:
    """Each worker would load it anew, and hold a copy of its own."""
    assert loaded((name,), settings) == [name]


def test_no_collection_runs_before_the_fork(tmp_path: Path) -> None:
    program = """
import gc, sys
from gunicorn.app.base import BaseApplication
import service.package_files
BaseApplication.run = lambda self: print(collections, gc.isenabled(), gc.get_freeze_count() > 100_000)
collections = []
gc.callbacks.append(lambda phase, about: collections.append(phase))
sys.argv = ["service"]
import service.__main__
"""
    environ = {**os.environ, "FEEDBACK_DB": f"sqlite:///{tmp_path}/feedback.sqlite3"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=False
    )
    assert done.stdout.splitlines()[-1:] == ["[] True True"], done.stderr
