"""Prometheus metrics. No label holds patient data, and each label has a bounded set of values.

Each worker writes files in a folder that all workers and the master share, and any of them reads all files.
Without a folder, as in tests, the process counts in its own memory.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# In memory: a worker that writes into a mapped file on a full disk is killed, and feedback may fill the disk.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
PREFIX = "fasciculation_cds_"
_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)
# The kinds of failure that the FHIR client names; an exception class is not one of them.
_KIND = re.compile(r"[a-z]+(?:-[a-z]+)*")
_STATUS = re.compile(r"status-([1-9])\d\d")
OTHER = "other"


class Metrics:
    """The counters, gauges and histograms of the service.

    Args:
        folder: Where the processes of one service share their files; it must exist before the first fork.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        # Names the files of this process.
        self._process = "master"
        if folder is None:
            values.ValueClass = values.MutexValue
        else:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
            values.ValueClass = values.MultiProcessValue(lambda: self._process)
        self._registry = CollectorRegistry()
        self._requests = self._counter("requests", "Requests answered", "route", "method", "status")
        self._seconds = Histogram(
            f"{PREFIX}request_seconds",
            "From the head of a request to its answer, in seconds",
            ["route"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._running = Gauge(
            f"{PREFIX}requests_in_flight",
            "Requests that are being answered",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._refused = self._counter("refused", "Refused before the application looked at it", "status")
        self._workers = self._counter("worker_exits", "Worker processes that ended")
        self._cards = self._counter("cards", "Cards made, shown or not", "hook", "level", "row", "shown")
        self._withheld = self._counter(
            "withheld",
            "Recommendations that a row asked for and that were not given",
            "recommendation",
            "why",
        )
        self._not_understood = self._counter(
            "not_understood", "Resources, or parts of them, that were not understood", "resource"
        )
        self._unknown_codes = self._counter(
            "unknown_codes",
            "Entries with codes that no value set has, where the assessment was asked for",
            "resource",
        )
        self._not_seen = self._counter("not_seen", "Lists that were neither sent nor fetched", "prefetch")
        self._feedback = self._counter(
            "feedback", "Feedback that was acknowledged, repeats included", "row", "outcome"
        )
        self._rejected_ids = self._counter(
            "rejected_ids", "Ids in feedback that this service did not sign, for that service id"
        )
        self._fetches = self._counter(
            "fetches", "Lists asked of a caller's FHIR server", "prefetch", "result"
        )

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}{name}", description, labels, registry=self._registry)

    def began(self) -> None:
        """Count a request that is being answered."""
        self._running.inc()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered. route: the template of its URL."""
        self._running.dec()
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, status: int) -> None:
        """Count a request that never reached the application."""
        self._refused.labels(str(status)).inc()

    def card(self, hook: str, level: str, row: str, shown: bool) -> None:
        """Count a card. row: the leading row, "none" for a card without one."""
        self._cards.labels(hook, level, row, "yes" if shown else "no").inc()

    def withheld(self, recommendation: str, why: str) -> None:
        """Count a recommendation that was not given."""
        self._withheld.labels(recommendation, why).inc()

    def not_understood(self, resource: str, count: int) -> None:
        """Count resources that were not understood. resource: a type that the service reads, or OTHER."""
        self._not_understood.labels(resource).inc(count)

    def unknown_codes(self, resource: str, count: int) -> None:
        """Count entries that carry unknown codes. resource: a type that the service reads."""
        self._unknown_codes.labels(resource).inc(count)

    def not_seen(self, prefetch: str) -> None:
        """Count a list that was not supplied."""
        self._not_seen.labels(prefetch).inc()

    def feedback(self, row: str, outcome: str) -> None:
        """Count feedback on a card."""
        self._feedback.labels(row, outcome).inc()

    def rejected_ids(self, count: int) -> None:
        """Count ids of cards and suggestions that were not signed here."""
        self._rejected_ids.inc(count)

    def fetched(self, prefetch: str, why_not: str | None) -> None:
        """Count a list asked of a FHIR server. why_not: the kind of failure; None for a complete list."""
        self._fetches.labels(prefetch, _result(why_not)).inc()

    def worker_started(self, number: int) -> None:
        """Write from now on into the files of worker `number`, and go on from the values in them.

        Call it in the worker. A replacement has the number of the worker that ended, so no file is left over.
        """
        self._process = str(number)

    def worker_ended(self, number: int) -> None:
        """Count a worker that ended, and forget the requests that it was answering. Call it in the master."""
        self._workers.inc()
        if self._folder is not None:
            mark_process_dead(number, str(self._folder))

    def exposition(self, facts: Mapping[str, str], up: Mapping[str, bool]) -> bytes:
        """Return all metrics in the text format of Prometheus.

        Args:
            facts: Versions, as labels of `info`.
            up: Store to whether it answers.
        """
        registry = CollectorRegistry()
        registry.register(_State(facts, up))
        if self._folder is None:
            return generate_latest(self._registry) + generate_latest(registry)
        MultiProcessCollector(registry, str(self._folder))
        return generate_latest(registry)


@contextmanager
def shared_folder() -> Iterator[Path]:
    """Make a folder for the files of master and workers, and remove it when the master ends."""
    master = os.getpid()
    parent = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix="fasciculation-cds-", dir=parent))
    try:
        yield folder
    finally:
        # A worker leaves this block, too.
        if os.getpid() == master:
            shutil.rmtree(folder, ignore_errors=True)


class _State:
    """Gauges that are the same in every worker: versions, and whether the stores answer."""

    def __init__(self, facts: Mapping[str, str], up: Mapping[str, bool]) -> None:
        self._facts, self._up = facts, up

    def collect(self) -> Iterable[GaugeMetricFamily]:
        versions = GaugeMetricFamily(f"{PREFIX}info", "Always 1; what runs", labels=sorted(self._facts))
        versions.add_metric([self._facts[name] for name in sorted(self._facts)], 1)
        yield versions
        stores = GaugeMetricFamily(f"{PREFIX}store_up", "1 if the store answers, 0 if not", labels=["store"])
        for store, answers in sorted(self._up.items()):
            stores.add_metric([store], float(answers))
        yield stores


def _result(why_not: str | None) -> str:
    if why_not is None:
        return "whole"
    if status := _STATUS.fullmatch(why_not):
        return f"status-{status[1]}xx"
    return why_not if _KIND.fullmatch(why_not) else "failed"
