"""docs/operating.md names the metrics there are and the bounds that the service and the proxy have."""

from __future__ import annotations

import re

from deploy.cluster.cluster import CONNECTIONS, WORKERS
from service import server
from service.metrics import PREFIX, Metrics
from tests.docs.conftest import PROJECT

TEXT = (PROJECT / "docs" / "operating.md").read_text(encoding="utf-8")


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
    asked = set(re.findall(r"\b([a-z_]+_(?:total|seconds|up))\b", part))
    assert asked
    assert asked <= named


def test_the_bounds_are_those_of_the_code() -> None:
    written = {what: value for what, value, _ in table("bounds")}
    why = {what: why for what, _, why in table("bounds")}
    assert written["threads of a worker"] == f"{server.THREADS}"
    assert written["a connection between requests"] == f"{server.KEEPALIVE_S} s"
    assert written["connections of a worker"] == f"{server.CONNECTIONS}"
    assert written["a worker whose main thread is silent is killed after"] == f"{server.TIMEOUT_S} s"
    assert written["what was begun at a stop"] == f"{server.GRACE_S} s"
    assert written["requests until a worker is replaced"] == f"{server.MAX_REQUESTS}"
    assert f"up to {server.JITTER} more" in why["requests until a worker is replaced"]


def test_the_bounds_of_the_proxy_are_those_of_its_file() -> None:
    proxy = (PROJECT / "deploy" / "haproxy.cfg").read_text(encoding="utf-8")
    written = {what: value for what, value, _ in table("proxy")}
    small, large = re.findall(r"timeout queue (\w+)", proxy)
    assert written["requests at a replica"] == f"{CONNECTIONS // WORKERS} for each worker"
    assert written["the longest wait for a place"] == small.replace("ms", " ms")
    limit = re.search(r"req.body_size gt (\d+)000 }", proxy)
    assert limit is not None
    assert written["bodies above"] == f"{limit[1]} kB"
    assert (
        f"up to {large.removesuffix('s')} s" in {what: why for what, _, why in table("proxy")}["bodies above"]
    )
    assert "maxconn 1 " in proxy
    arrives = re.search(r"wait-for-body time (\d+)s", proxy)
    assert arrives is not None
    assert written["a request must be there within"] == f"{arrives[1]} s"
