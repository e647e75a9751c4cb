"""/metrics: everything that is counted, once, under labels that come from us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from service.metrics import PREFIX, Metrics
from tests.contract import fhir_server
from tests.contract.feedback_site import Site, accepted, overridden
from tests.contract.fhir_server import FhirServer
from tests.contract.requests import DAY, SERVICE, example, hook_call
from tests.docs.conftest import PROJECT, free_port

WORD = "Wolkenstein-4711"
Labels = frozenset[tuple[str, str]]


def samples(text: str) -> dict[tuple[str, Labels], float]:
    """(name without prefix, labels) -> value."""
    return {
        (sample.name.removeprefix(PREFIX), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(client: FlaskClient, name: str, **labels: str) -> float:
    """The value of what has exactly these labels; 0 of what was never counted."""
    return samples(client.get("/metrics").get_data(as_text=True)).get((name, frozenset(labels.items())), 0)


@pytest.fixture
def client(knowledge: Knowledge) -> FlaskClient:
    """An application that has counted nothing."""
    return create_app(Config(public_base_url="https://cds.example"), knowledge).test_client()


def test_it_is_text_of_prometheus_with_versions(client: FlaskClient, knowledge: Knowledge) -> None:
    answered = client.get("/metrics")
    assert answered.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    (labels,) = (dict(labels) for name, labels in samples(answered.get_data(as_text=True)) if name == "info")
    assert labels["knowledge_version"] == knowledge.version
    assert labels["version"]


def test_requests_by_route_method_and_status(client: FlaskClient) -> None:
    for _ in range(3):
        client.post(SERVICE, json=hook_call())
    client.post("/cds-services/other", json=hook_call())
    client.get(f"/knowledge/{WORD}")
    client.get(f"/{WORD}")
    client.open("/healthz", method="PATIENT")
    call = "/cds-services/{service_id}"
    assert counted(client, "requests_total", route=call, method="POST", status="200") == 3
    assert counted(client, "requests_total", route=call, method="POST", status="404") == 1
    assert counted(client, "requests_total", route="/knowledge/{row}", method="GET", status="404") == 1
    assert counted(client, "requests_total", route="other", method="GET", status="404") == 1
    assert counted(client, "requests_total", route="other", method="other", status="405") == 1
    assert counted(client, "request_seconds_count", route=call) == 4
    assert counted(client, "request_seconds_bucket", route=call, le="+Inf") == 4
    # The one that asks.
    assert counted(client, "requests_in_flight") == 1


def test_cards_by_hook_level_and_leading_row(client: FlaskClient) -> None:
    (card,) = client.post(SERVICE, json=hook_call()).get_json()["cards"]
    client.post(f"/evaluate?asOf={DAY}", json=example("thigh-day-fifteen/bundle.json"))
    row = card["extension"]["org.fasciculation-cds"]["rows"][0]
    labels = {"level": card["indicator"], "row": row, "shown": "yes"}
    assert counted(client, "cards_total", hook="patient-view", **labels) == 1
    assert counted(client, "cards_total", hook="evaluate", **labels) == 1


@pytest.mark.parametrize("setting", [{"silent": True}, {"min_indicator": "critical"}])
def test_a_card_that_does_not_leave_is_counted_as_such(knowledge: Knowledge, setting: dict[str, Any]) -> None:
    client = create_app(Config(**setting), knowledge).test_client()
    assert client.post(SERVICE, json=hook_call()).get_json()["cards"] == []
    found = samples(client.get("/metrics").get_data(as_text=True))
    assert [dict(labels)["shown"] for name, labels in found if name == "cards_total"] == ["no"]


def test_what_was_withheld_is_counted_by_recommendation(client: FlaskClient) -> None:
    withheld: dict[str, int] = {}
    for file in sorted((PROJECT / "examples").glob("*/bundle.json")):
        answered = client.post(f"/evaluate?asOf={DAY}", json=json.loads(file.read_bytes())).get_json()
        for one in answered["assessment"]["withheld"]:
            withheld[one["id"]] = withheld.get(one["id"], 0) + 1
    assert withheld
    found: dict[str, float] = {}
    for (name, labels), value in samples(client.get("/metrics").get_data(as_text=True)).items():
        if name == "withheld_total":
            recommendation = dict(labels)["recommendation"]
            found[recommendation] = found.get(recommendation, 0) + value
    assert found == withheld


def test_what_was_not_understood_is_counted_by_type(client: FlaskClient) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    for kind in ("Condition", "Condition", "Observation", WORD):
        bundle["entry"].append({"resource": {"resourceType": kind, "id": "a b", "code": WORD}})
    bundle["entry"].append({"resource": {"resourceType": "Condition", "id": "c", "code": WORD}})
    answered = client.post(f"/evaluate?asOf={DAY}", json=bundle).get_json()
    found = {
        dict(labels)["resource"]: value
        for (name, labels), value in samples(client.get("/metrics").get_data(as_text=True)).items()
        if name == "not_understood_total"
    }
    assert sum(found.values()) == len(answered["assessment"]["notUnderstood"]) > 1
    assert set(found) <= {"Condition", "Observation", "other"}
    assert found["Condition"] >= 1


def test_unknown_codes_are_counted_by_type_where_the_assessment_was_asked_for(client: FlaskClient) -> None:
    call = hook_call()
    subject = {"reference": f"Patient/{call['context']['patientId'].removeprefix('Patient/')}"}
    for name in "abc":
        code = {"coding": [{"code": WORD}, {"system": WORD, "code": name}], "text": WORD}
        resource = {"resourceType": "Condition", "id": name, "subject": subject, "code": code}
        call["prefetch"]["conditions"].setdefault("entry", []).append({"resource": resource})
    call["extension"]["org.fasciculation-cds"]["assessment"] = False
    assert "extension" not in client.post(SERVICE, json=call).get_json()
    assert counted(client, "unknown_codes_total", resource="Condition") == 0
    call["extension"]["org.fasciculation-cds"]["assessment"] = True
    client.post(SERVICE, json=call)
    assert counted(client, "unknown_codes_total", resource="Condition") == 3
    assert WORD not in client.get("/metrics").get_data(as_text=True)


def test_what_was_not_seen_is_counted_by_key(client: FlaskClient) -> None:
    prefetch = {key: value for key, value in hook_call()["prefetch"].items() if key not in ("labs", "orders")}
    client.post(SERVICE, json=hook_call(prefetch=prefetch))
    assert counted(client, "not_seen_total", prefetch="labs") == 1
    assert counted(client, "not_seen_total", prefetch="orders") == 1
    assert counted(client, "not_seen_total", prefetch="conditions") == 0


def test_feedback_by_row_and_outcome(site: Site) -> None:
    card = site.card()
    row = card["extension"]["org.fasciculation-cds"]["rows"][0]
    assert site.post(accepted(card), overridden(card)).status_code == 200
    assert site.post(accepted(card, outcome="nothing")).status_code == 400
    assert counted(site.client, "feedback_total", row=row, outcome="accepted") == 1
    assert counted(site.client, "feedback_total", row=row, outcome="overridden") == 1
    assert counted(site.client, "store_up", store="feedback") == 1


def test_rejected_ids_are_counted_one_by_one(site: Site) -> None:
    card = site.card()
    assert site.post(accepted(card)).status_code == 200
    assert counted(site.client, "rejected_ids_total") == 0
    forged = f"{card['uuid'][:-1]}{int(card['uuid'][-1], 16) ^ 1:x}"
    assert site.post(accepted(card, acceptedSuggestions=[{"id": forged}, {"id": WORD}])).status_code == 400
    assert site.post(overridden(card, card=forged), overridden(card)).status_code == 400
    assert counted(site.client, "rejected_ids_total") == 3
    # Signed here: a mistake, not a forgery.
    assert site.post(accepted(card, acceptedSuggestions=[{"id": card["uuid"]}])).status_code == 400
    assert counted(site.client, "rejected_ids_total") == 3
    assert WORD not in site.client.get("/metrics").get_data(as_text=True)


def test_feedback_that_was_not_kept_is_not_counted(site: Site, tmp_path: Path, knowledge: Knowledge) -> None:
    card = site.card()
    down = Site(f"sqlite:///{tmp_path}/none/there.sqlite3", knowledge)
    assert down.post(accepted(card)).status_code == 503
    found = samples(down.client.get("/metrics").get_data(as_text=True))
    assert not [name for name, _ in found if name == "feedback_total"]
    assert found["store_up", frozenset({("store", "feedback")})] == 0


def test_fetches_by_key_and_result(knowledge: Knowledge, server: FhirServer) -> None:
    client = fhir_server.site(knowledge, server).test_client()
    prefetch = fhir_server.record()
    del prefetch["labs"]
    assert client.post(SERVICE, json=fhir_server.call(prefetch, server.base)).status_code == 200
    assert counted(client, "fetches_total", prefetch="labs", result="whole") == 1
    found = samples(client.get("/metrics").get_data(as_text=True))
    assert [dict(labels)["prefetch"] for name, labels in found if name == "fetches_total"] == ["labs"]


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("timeout", "timeout"),
        ("status-418", "status-4xx"),
        ("too-many-pages", "too-many-pages"),
        ("UnicodeDecodeError", "failed"),
        (WORD, "failed"),
    ],
)
def test_results_of_fetches_come_from_a_short_list(kind: str, result: str) -> None:
    metrics = Metrics()
    metrics.fetched("labs", kind)
    found = samples(metrics.exposition({}, {}).decode())
    assert found["fetches_total", frozenset({("prefetch", "labs"), ("result", result)})] == 1


def test_nothing_that_was_sent_is_a_label(client: FlaskClient) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    bundle["entry"].append({"resource": {"resourceType": WORD, "id": WORD, "code": WORD}})
    client.post(f"/evaluate?asOf={DAY}&patient={WORD}", json=bundle)
    client.post(f"/evaluate?asOf={DAY}", json=bundle, headers={"X-Request-ID": WORD, "traceparent": WORD})
    client.post(SERVICE, json=hook_call(hook=WORD, context={"userId": WORD, "patientId": WORD}))
    client.post(f"{SERVICE}/feedback", json={"feedback": [{"card": WORD}]})
    client.open(f"/{WORD}", method=WORD[:10].upper())
    text = client.get("/metrics").get_data(as_text=True)
    assert WORD[:10].lower() not in text.lower()


class Started:
    """A service with two workers, as it is started."""

    def __init__(self, pid: int, url: str, folder: Callable[[], set[str]]) -> None:
        self.pid, self.url, self.folder = pid, url, folder

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=20) as answered:
            return str(answered.read().decode())

    def counted(self, name: str, **labels: str) -> float:
        return samples(self.get("/metrics")).get((name, frozenset(labels.items())), 0)

    def workers(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    environ = {
        "PATH": os.environ["PATH"],
        "PORT": str(free_port()),
        "FEEDBACK_DB": f"sqlite:///{tmp_path}/feedback.sqlite3",
    }
    shared = tmp_path / "shared"
    shared.mkdir()
    program = (
        "import os, sys; from pathlib import Path; from service import metrics, server;"
        f" metrics.MEMORY = Path({str(shared)!r}); sys.exit(server.main([], os.environ))"
    )
    command = [sys.executable, "-c", program]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env=environ, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{environ['PORT']}"
        try:
            until_true(lambda: answers(url))
            yield Started(process.pid, url, lambda: {path.name for path in shared.glob("*/*.db")})
        finally:
            process.terminate()
            process.wait(60)
    for line in (tmp_path / "log").read_text().splitlines():
        assert json.loads(line)["message"]
    assert list(shared.iterdir()) == [], "the folder is left when the service has ended"


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url + "/healthz", timeout=5).close()
    except OSError:
        return False
    return True


def until_true(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_workers_count_together_and_one_that_dies_takes_nothing_along(started: Started) -> None:
    route = {"route": "/knowledge/{row}", "method": "GET", "status": "200"}
    for _ in range(20):
        started.get("/knowledge/persistent")
    assert started.counted("requests_total", **route) == 20
    # The first worker may have answered all of them before the second was there.
    until_true(lambda: len(started.workers()) == 2)
    before = started.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until_true(lambda: len(set(started.workers()) - set(before)) == 2 and answers(started.url))
    until_true(lambda: started.counted("worker_exits_total") == 2)
    assert started.counted("requests_total", **route) == 20
    assert started.counted("request_seconds_count", route="/knowledge/{row}") == 20
    assert started.counted("request_seconds_bucket", route="/knowledge/{row}", le="+Inf") == 20
    # The request that asks, and none that died with its worker.
    assert started.counted("requests_in_flight") == 1
    started.get("/knowledge/persistent")
    assert started.counted("requests_total", **route) == 21
    owners = {name.rpartition("_")[2] for name in started.folder()}
    assert owners <= {"master.db", "0.db", "1.db"}, "a worker goes on with the files of the one it replaces"


def test_two_applications_of_one_process_count_apart(knowledge: Knowledge) -> None:
    one, other = (create_app(Config(), replace(knowledge)).test_client() for _ in range(2))
    one.get("/healthz")
    assert counted(one, "requests_total", route="/healthz", method="GET", status="200") == 1
    assert counted(other, "requests_total", route="/healthz", method="GET", status="200") == 0
