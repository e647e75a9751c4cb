"""docs/operations.md names the metrics there are and the bounds the worker has."""

from __future__ import annotations

import re

from service import connections, fhir_server, server, worker
from service.metrics import PREFIX, Metrics
from tests.docs.conftest import PROJECT

TEXT = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")


def table(name: str) -> list[list[str]]:
    """The cells of the lines of that table, without its head."""
    part = re.search(rf"<!-- {name}:.*?-->\n(.*?)<!-- /{name} -->", TEXT, re.S)
    assert part is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part[1].splitlines()[2:]]


def test_the_metrics_are_those_of_the_service() -> None:
    text = Metrics().exposition({"version": "1", "knowledge_version": "2"}, {"feedback": True}).decode()
    there = set(re.findall(rf"^# TYPE {PREFIX}(\w+) (?:counter|gauge|histogram)$", text, re.M))
    there = {name for name in there if not name.endswith("_created")}
    assert {name.strip("`") for name, *_ in table("metrics")} == there


def test_what_alerts_look_at_is_measured() -> None:
    named = {name.strip("`") for name, *_ in table("metrics")}
    part = TEXT.partition("### What to alert on")[2].partition("\n## ")[0]
    asked = set(re.findall(r"\b([a-z_]+_(?:total|seconds|up|waiting))\b", part))
    assert asked
    assert asked <= named


def test_the_bounds_are_those_of_the_code() -> None:
    written = {what: value for what, value, _ in table("bounds")}
    why = {what: why for what, _, why in table("bounds")}
    assert written["decided at the same time, by a worker"] == f"{worker.AT_ONCE}"
    assert written["until others go on beside it"] == f"{worker.LONG * 1000:g} ms"
    assert f"up to {worker.THREADS} such" in why["until others go on beside it"]
    assert f"the {fhir_server.PLACES} requests" in why["until others go on beside it"]
    assert worker.THREADS > fhir_server.PLACES
    assert written["the longest wait for a turn"] == f"{worker.WAITS:g} s"
    assert f"{worker.FEW} always wait" in why["the longest wait for a turn"]
    assert written["a client may rest"] == f"{connections.RESTS:g} s"
    assert written["a request must be there within"] == f"{connections.ARRIVES:g} s"
    assert written["a connection between requests"] == f"{connections.IDLE:g} s"
    assert written["connections of a worker"] == f"{worker.CONNECTIONS}"
    assert written["bodies in memory, of a worker"].startswith(f"{worker.BYTES_OF_BODIES} times ")
    assert written["a decision hangs after"] == f"{worker.HANGS:g} s"
    assert written["after the signal to stop"] == f"{worker.STOPS:g} s"
    assert written["requests until a worker is replaced"] == f"{server.MAX_REQUESTS}"
    assert f"up to {server.JITTER} more" in why["requests until a worker is replaced"]
