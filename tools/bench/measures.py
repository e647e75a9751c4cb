"""What is measured, each part as lines of a Markdown table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean, median

from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge
from tools.bench.bodies import Body, hospital_patients, patient_view, twitching_patients
from tools.bench.client import at_rate, post, request_of, throughput
from tools.bench.contenders import FLOOR, SERVICE, Contender
from tools.bench.counts import calls
from tools.bench.processes import Server

COUNTS = (20, 200, 2_000)
# Of the contenders in the measure of one body.
TURNS = 8
# Goals of CPU against the floor, by name of the bodies.
GOALS = {"hospital": 1.0, "twitching": 1.8, "20": 2.5, "200": 1.2, "2000": 0.65}


@dataclass(frozen=True)
class Run:
    """One run. folder: for what the servers write."""

    contenders: tuple[Contender, ...]
    folder: Path
    quick: bool

    @property
    def service(self) -> Contender:
        return next(one for one in self.contenders if one.name == SERVICE)

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 3

    @property
    def seconds(self) -> float:
        """Of CPU for one figure: the clock of a process ticks a hundred times a second."""
        return 0.6 if self.quick else 1.2


@cache
def _hospital() -> list[Body]:
    return hospital_patients()


def _row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _head(*cells: object) -> Iterator[str]:
    yield _row(*cells)
    yield "|---" * len(cells) + "|"


def cpu(run: Run) -> Iterator[str]:
    """CPU milliseconds per call, and the ratio to the floor (user and system, a server with one worker).

    Different patients: each is sent once, after nothing but the start of the server.
    """
    yield from _head("Calls", *(one.name for one in run.contenders), "Goal")
    for name, bodies in (("hospital", _hospital()), ("twitching", twitching_patients())):
        yield _costs_row(f"{len(bodies)} patients, {name}", _of_different(run, bodies), GOALS[name])
    with ExitStack() as stack:
        servers = [(one, stack.enter_context(one.running(run.folder))) for one in run.contenders]
        for count in COUNTS:
            body = patient_view(count)
            name = f"the same, {count} resources, {len(body.content) / 1000:.0f} kB"
            yield _costs_row(name, _of_one(run, servers, body), GOALS[str(count)])


def _costs_row(name: str, costs: dict[str, float], goal: float) -> str:
    floor = costs[FLOOR]
    return _row(name, *(f"{cost * 1000:.2f} ms, x{cost / floor:.2f}" for cost in costs.values()), f"x{goal}")


def _of_different(run: Run, bodies: Sequence[Body]) -> dict[str, float]:
    """Contender -> CPU seconds per call, the median of rounds with new servers that take turns."""
    rounds: dict[str, list[float]] = {one.name: [] for one in run.contenders}
    for _ in range(run.rounds):
        with ExitStack() as stack:
            servers = [(one, stack.enter_context(one.running(run.folder))) for one in run.contenders]
            before = [server.cpu() for _, server in servers]
            for body in bodies:
                for one, server in servers:
                    post(server.port, one.request(body))
            for (one, server), was in zip(servers, before, strict=True):
                rounds[one.name].append((server.cpu() - was) / len(bodies))
    return {name: median(found) for name, found in rounds.items()}


def _of_one(run: Run, servers: Sequence[tuple[Contender, Server]], body: Body) -> dict[str, float]:
    """The same of one body, sent again and again to warm servers."""
    requests = {one.name: one.request(body) for one, _ in servers}
    rounds: dict[str, list[float]] = {one.name: [] for one, _ in servers}
    times = {one.name: _times(server, requests[one.name], run.seconds / TURNS) for one, server in servers}
    for _ in range(TURNS):
        for one, server in servers:
            rounds[one.name].append(_cpu_of(server, requests[one.name], times[one.name]))
    return {name: mean(found) for name, found in rounds.items()}


def _cpu_of(server: Server, request: bytes, times: int) -> float:
    """CPU seconds per request over so many, one after the other."""
    before = server.cpu()
    for _ in range(times):
        post(server.port, request)
    return (server.cpu() - before) / times


def _times(server: Server, request: bytes, seconds: float) -> int:
    """How many requests take about that much CPU; the server is warm afterwards."""
    times = 3
    while (took := _cpu_of(server, request, times) * times) < 0.05 and times < 4_000:
        times *= 4
    return max(1, round(times * seconds / max(took, 0.01)))


def counts(run: Run) -> Iterator[str]:
    """Calls of functions, Python and C, in one request by the package that makes them (no server)"""
    app = create_app(Config(), load_knowledge())
    columns = [calls(app, patient_view(count).content, by_place=True) for count in COUNTS]
    patients = [calls(app, body.content, by_place=True) for body in _hospital()[:25]]
    columns.append(Counter({name: n // 25 for name, n in sum(patients, Counter()).items()}))
    yield from _head("Calls in", *COUNTS, "a hospital patient")
    yield _row("all", *(column.total() for column in columns))
    for name in sorted({name for column in columns for name in column}):
        yield _row(name, *(column[name] for column in columns))


def load(run: Run) -> Iterator[str]:
    """Two workers: calls a second with four clients on the same machine, and milliseconds at half of that"""
    seconds = 3 if run.quick else 6
    yield from _head("Server", "Resources", "calls/s", "p50 ms", "p99 ms")
    for one in run.contenders:
        with one.running(run.folder, 2) as server:
            for count in COUNTS:
                request = one.request(patient_view(count))
                post(server.port, request)
                rate = throughput(server.port, request, 4, seconds)
                took = at_rate(server.port, request, rate / 2, max(seconds, 20 / rate))
                yield _row(one.name, count, f"{rate:.0f}", f"{took.p50 * 1000:.1f}", f"{took.p99 * 1000:.1f}")


def memory(run: Run) -> Iterator[str]:
    """MiB after 200 different patients; PSS counts a shared page by its share. Goal: a worker at most 80"""
    yield from _head("Server", "workers", "one worker, PSS", "all processes, PSS", "all, RSS")
    for one in run.contenders:
        for workers in (1, 2):
            with one.running(run.folder, workers) as server:
                for body in _hospital() * workers:
                    post(server.port, one.request(body))
                used, worker = server.memory(), server.memory(server.worker())
                mib = (f"{size / 2**20:.0f}" for size in (worker.pss, used.pss, used.rss))
                yield _row(one.name, workers, *mib)


def size(run: Run) -> Iterator[str]:
    """Large records: CPU per resource, and the peak of the worker's memory above idle against the body"""
    yield from _head("Resources", "MB", "CPU ms", "µs a resource", "peak, MB", "/ body")
    for count in (1_000, 5_000, 25_000):
        body = patient_view(count)
        # A worker refuses what would make it hold more than four of the largest bodies.
        with run.service.running(
            run.folder, MAX_BODY_BYTES=str(16 * len(body.content)), MAX_OBJECTS=str(10**7)
        ) as server:
            post(server.port, run.service.request(patient_view(20)))
            server.forget_peak()
            idle = server.held()
            post(server.port, run.service.request(body))
            above = (server.peak() - idle) / 1e6
            cost = _cpu_of(server, run.service.request(body), max(1, 30_000 // count))
        mb = len(body.content) / 1e6
        yield _row(
            count,
            f"{mb:.1f}",
            f"{cost * 1000:.0f}",
            f"{cost / count * 1e6:.1f}",
            f"{above:.1f}",
            f"{above / mb:.2f}",
        )


def start(run: Run) -> Iterator[str]:
    """Start with one worker, from the command to the first answer; the store is there. Goal: 1.2 s of CPU"""
    # The first start makes the store.
    with run.service.running(run.folder):
        pass
    walls, cpus = [], []
    for _ in range(3 if run.quick else 5):
        began = time.monotonic()
        with run.service.running(run.folder) as server:
            post(server.port, request_of(run.service.path, patient_view(20).content))
            walls.append(time.monotonic() - began)
            cpus.append(server.cpu())
    yield f"{median(walls):.2f} s, {median(cpus):.2f} s of CPU"


# Name of a part -> what measures it; the quick ones are those of `--quick`.
PARTS: dict[str, Callable[[Run], Iterator[str]]] = {
    "counts": counts,
    "start": start,
    "cpu": cpu,
    "memory": memory,
    "load": load,
    "size": size,
}
QUICK = ("counts", "start", "cpu")
