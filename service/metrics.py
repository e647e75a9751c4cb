"""What is counted and timed, for Prometheus. No label is of a patient, and every set of labels has an end.

Each worker counts into files of its own in a folder that all of them and the master share; whoever is asked
reads them together. Without a folder, as in tests, one process counts for itself.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# Memory, and not the disk that feedback may fill: a worker that counts onto a full disk dies of it.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
PREFIX = "fasciculation_cds_"
# Where the answers of one service lie: from what decides nothing to what waited for a FHIR server.
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)
# A word of our own code; what is not one is a class of an exception.
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")
_STATUS = re.compile(r"status-([1-9])\d\d")
OTHER = "other"
_FOLDER, _ALIVE = "fasciculation-cds-", "alive"


class Metrics:
    """All instruments. folder: where processes share them; it must be there before the first fork."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        if folder is not None:
            # The library looks at its environment once, when it is imported, which may be long before.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
            values.ValueClass = values.get_value_class()
        else:
            values.ValueClass = values.MutexValue
        self._registry = CollectorRegistry()
        self._children: dict[tuple[str, ...], Any] = {}
        self._requests = self._counter("requests", "Requests answered", "route", "method", "status")
        self._seconds = Histogram(
            f"{PREFIX}request_seconds",
            "From the head of a request to its answer, in seconds",
            ["route"],
            buckets=_SECONDS,
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
        self._not_seen = self._counter("not_seen", "Lists that were neither sent nor fetched", "prefetch")
        self._feedback = self._counter(
            "feedback", "Feedback that was acknowledged, repeats included", "row", "outcome"
        )
        self._fetches = self._counter(
            "fetches", "Lists asked of a caller's FHIR server", "prefetch", "result"
        )

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}{name}", says, labels, registry=self._registry)

    def _child(self, instrument: Counter | Histogram, *labels: str) -> Any:
        # labels() of the library checks and converts each time; this is called for every request.
        key = (instrument._name, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = instrument.labels(*labels)
        return child

    def began(self) -> None:
        self._running.inc()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request, however it ended. route: its template."""
        self._running.dec()
        self._child(self._requests, route, method, str(status)).inc()
        self._child(self._seconds, route).observe(seconds)

    def refused(self, status: int) -> None:
        """One that never reached the application."""
        self._child(self._refused, str(status)).inc()

    def card(self, hook: str, level: str, row: str, shown: bool) -> None:
        """row: the leading one, "none" for a card without."""
        self._child(self._cards, hook, level, row, "yes" if shown else "no").inc()

    def withheld(self, recommendation: str, why: str) -> None:
        self._child(self._withheld, recommendation, why).inc()

    def not_understood(self, resource: str, count: int) -> None:
        """resource: a type that is read, or OTHER."""
        self._child(self._not_understood, resource).inc(count)

    def not_seen(self, prefetch: str) -> None:
        self._child(self._not_seen, prefetch).inc()

    def feedback(self, row: str, outcome: str) -> None:
        self._child(self._feedback, row, outcome).inc()

    def fetched(self, prefetch: str, why_not: str | None) -> None:
        """why_not: the kind of reason; None for a list that came whole."""
        self._child(self._fetches, prefetch, _result(why_not)).inc()

    def worker_gone(self, pid: int) -> None:
        """In the master: what a worker counted is added to what others left, so that files do not pile up."""
        self._workers.inc()
        if self._folder is None:
            return
        with self._locked():
            mark_process_dead(pid, str(self._folder))
            for kind in ("counter", "histogram"):
                left = self._folder / f"{kind}_{pid}.db"
                if left.is_file():
                    _add_up(left, self._folder / f"{kind}_gone.db")
                    left.unlink()

    def exposition(self, facts: Mapping[str, str], up: Mapping[str, bool]) -> bytes:
        """All of it as text. facts: versions; up: whether each store answers."""
        shown = CollectorRegistry()
        shown.register(_State(facts, up))
        if self._folder is None:
            return generate_latest(self._registry) + generate_latest(shown)
        with self._locked():
            MultiProcessCollector(shown, str(self._folder))
            return generate_latest(shown)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody reads while files of a worker that ended are added up; a process that dies lets go."""
        assert self._folder is not None  # noqa: S101 - asked by those who checked
        with (self._folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder for master and workers; gone when the master ends, and not when a copy of it does."""
    master = os.getpid()
    place = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for left in place.glob(f"{_FOLDER}*"):
        _remove_if_left(left)
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=place))
    with (folder / "new").open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        # Under the name by which others look for it only once it is held.
        (folder / "new").rename(folder / _ALIVE)
        try:
            yield folder
        finally:
            if os.getpid() == master:
                shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    """Removes the folder of a service whose processes were all killed: nobody holds its file any more."""
    with suppress(OSError), (folder / _ALIVE).open("r+") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)


class _State:
    """What is so at the moment of asking: nothing to add up over workers."""

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
    return why_not if _WORD.fullmatch(why_not) else "failed"


def _add_up(left: Path, total: Path) -> None:
    """Adds the values of one worker's file to those of another."""
    sums = MmapedDict(str(total))
    try:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(left)):
            before, _ = sums.read_value(key)
            sums.write_value(key, before + value, 0.0)
    finally:
        sums.close()
