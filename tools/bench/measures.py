"""What is measured, each part as lines of text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tools.bench.bodies import PEOPLE, Body, patient_view, real_shaped
from tools.bench.client import at_rate, post, request_of, throughput
from tools.bench.contenders import FLOOR, SERVICE, Contender
from tools.bench.parts import parts_of
from tools.bench.processes import Server

SIZES = (840, 560)
COUNTS = (20, 200, 2_000)
RECORDS = (300, 1_100)
# Goals of CPU per request against the floor: resources -> for those of 840 and of 560 bytes.
GOALS = {20: (2.0, 2.0), 200: (1.0, 1.1), 2_000: (0.6, 0.75)}


@dataclass(frozen=True)
class Run:
    """One run. folder: for what the servers write."""

    contenders: tuple[Contender, ...]
    folder: Path
    quick: bool

    def contender(self, name: str) -> Contender:
        return next(one for one in self.contenders if one.name == name)

    @property
    def rounds(self) -> int:
        return 3 if self.quick else 5

    @property
    def seconds(self) -> float:
        """Of CPU for one figure: the clock of a process ticks a hundred times a second."""
        return 0.4 if self.quick else 1.0


def _bodies() -> Iterator[Body]:
    for size in SIZES:
        for count in COUNTS:
            yield patient_view(count, size)
    for count in RECORDS:
        yield real_shaped(count)


def _cpu_of(server: Server, request: bytes, times: int) -> float:
    """CPU seconds per request over so many, one after the other."""
    before = server.cpu()
    for _ in range(times):
        post(server.port, request)
    return (server.cpu() - before) / times


def _times(server: Server, request: bytes, seconds: float) -> int:
    """How many requests take about that much CPU; the server is warm afterwards."""
    times = 3
    while True:
        took = _cpu_of(server, request, times) * times
        if took >= 0.1 or times > 4_000:
            return max(2, round(times * seconds / max(took, 0.01)))
        times *= 4


def cpu(run: Run) -> Iterator[str]:
    """CPU milliseconds per request (user and system, all processes of a server with one worker)"""
    with ExitStack() as stack:
        servers = [(one, stack.enter_context(one.running(run.folder))) for one in run.contenders]
        yield f"{'request':18}{'kB':>7}" + "".join(f"{one.name:>26}" for one, _ in servers)
        for body in _bodies():
            costs = _costs(run, servers, body)
            floor = costs[FLOOR]
            shown = "".join(f"{f'{cost * 1000:.2f} ms  x{cost / floor:.2f}':>26}" for cost in costs.values())
            yield f"{body.name:18}{len(body.content) / 1000:>7.0f}{shown}{_goal(body, costs)}"


def _costs(run: Run, servers: list[tuple[Contender, Server]], body: Body) -> dict[str, float]:
    """Contender -> CPU seconds per request, the median of rounds in which they take turns."""
    requests = {one.name: one.request(body) for one, _ in servers}
    share = run.seconds / run.rounds
    times = {one.name: _times(server, requests[one.name], share) for one, server in servers}
    rounds: dict[str, list[float]] = {one.name: [] for one, _ in servers}
    for _ in range(run.rounds):
        for one, server in servers:
            rounds[one.name].append(_cpu_of(server, requests[one.name], times[one.name]))
    return {name: median(found) for name, found in rounds.items()}


def _goal(body: Body, costs: dict[str, float]) -> str:
    goals = GOALS.get(body.resources) if " B" in body.name else None
    if goals is None:
        return ""
    goal = goals[SIZES.index(int(body.name.split()[2]))]
    met = costs[SERVICE] / costs[FLOOR] <= goal
    return f"   goal x{goal}: {'met' if met else 'not met'}"


def people(run: Run) -> Iterator[str]:
    """CPU milliseconds per request by what is recorded: 20 resources of 840 B about four patients"""
    servers = [one for one in run.contenders if one.name in (SERVICE, FLOOR)]
    with ExitStack() as stack:
        running = [(one, stack.enter_context(one.running(run.folder))) for one in servers]
        for person in PEOPLE:
            costs = _costs(run, running, patient_view(20, 840, person))
            service, floor = costs[SERVICE], costs[FLOOR]
            yield f"{person}  {service * 1000:.2f} ms  x{service / floor:.2f}"


def load(run: Run) -> Iterator[str]:
    """Requests per second (four clients on the same machine), and milliseconds at half of that load"""
    seconds = 2 if run.quick else 5
    yield f"{'contender':24}{'workers':>8}{'request':>16}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}"
    for one in run.contenders:
        for workers in (1, 2):
            with one.running(run.folder, workers) as server:
                for count in COUNTS if not run.quick else COUNTS[:2]:
                    body = patient_view(count, 840)
                    request = one.request(body)
                    post(server.port, request)
                    rate = throughput(server.port, request, 4, seconds)
                    took = at_rate(server.port, request, rate / 2, max(seconds, 20 / rate))
                    yield (
                        f"{one.name:24}{workers:>8}{body.name:>16}{rate:>12.0f}"
                        f"{took.p50 * 1000:>9.1f}{took.p99 * 1000:>9.1f}"
                    )


def memory(run: Run) -> Iterator[str]:
    """Memory in MiB after a hundred requests of 200 resources (PSS counts shared pages by their share)"""
    yield f"{'contender':24}{'workers':>8}{'RSS':>8}{'PSS':>8}"
    for one in run.contenders:
        for workers in (1, 2):
            with one.running(run.folder, workers) as server:
                request = one.request(patient_view(200, 840))
                for _ in range(100):
                    post(server.port, request)
                used = server.memory()
                yield f"{one.name:24}{workers:>8}{used.rss / 2**20:>8.0f}{used.pss / 2**20:>8.0f}"


def size(run: Run) -> Iterator[str]:
    """The service by size: CPU per resource, and the worker's peak memory above idle against the body"""
    counts = (1_000, 10_000, 25_000) if run.quick else (1_000, 5_000, 10_000, 25_000, 50_000, 100_000)
    service = run.contender(SERVICE)
    yield f"{'resources':>10}{'MB':>8}{'CPU ms':>10}{'us/resource':>13}{'peak above idle':>17}{'/ body':>8}"
    for count in counts:
        body = patient_view(count, 560)
        request = service.request(body)
        # A worker refuses what would make it hold more than four of the largest bodies.
        with service.running(run.folder, MAX_BODY_BYTES=str(16 * len(body.content))) as server:
            post(server.port, service.request(patient_view(20, 560)))
            server.forget_peak()
            idle = server.held()
            post(server.port, request)
            above = server.peak() - idle
            cost = _cpu_of(server, request, max(1, 30_000 // count))
        yield (
            f"{count:>10}{len(body.content) / 1e6:>8.2f}{cost * 1000:>10.1f}{cost / count * 1e6:>13.2f}"
            f"{above / 1e6:>14.1f} MB{above / len(body.content):>8.2f}"
        )


def http(run: Run) -> Iterator[str]:
    """The service without any decision: CPU milliseconds of GET /cds-services, whose answer is built once"""
    service = run.contender(SERVICE)
    request = b"GET /cds-services HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with service.running(run.folder) as server:
        times = _times(server, request, run.seconds)
        yield f"{_cpu_of(server, request, times) * 1000:.2f} ms"


def parts(run: Run) -> Iterator[str]:
    """The parts of a decision in one process, without HTTP: CPU microseconds by resources of 840 B"""
    columns = [dict(parts_of(count, 840, run.seconds)) for count in COUNTS]
    yield f"{'part':56}" + "".join(f"{count:>8}" for count in COUNTS)
    for name in columns[0]:
        yield f"{name:56}" + "".join(f"{column[name]:>8.0f}" for column in columns)


def token(run: Run) -> Iterator[str]:
    """The check of one ES384 signature, which CDS_AUTH=jwt adds to every call"""
    import jwt
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP384R1())
    written = jwt.encode({"iss": "https://ehr.example", "aud": "x"}, key, algorithm="ES384")
    public, times = key.public_key(), 200
    began = time.process_time()
    for _ in range(times):
        jwt.decode(written, public, algorithms=["ES384"], audience="x")
    yield f"{(time.process_time() - began) / times * 1000:.2f} ms of CPU"


def start(run: Run) -> Iterator[str]:
    """The start of the service with one worker, from the command to the first answer; its store is there"""
    service = run.contender(SERVICE)
    # The first start makes the store.
    with service.running(run.folder):
        pass
    walls, cpus, used = [], [], []
    for _ in range(3 if run.quick else 5):
        began = time.monotonic()
        with service.running(run.folder) as server:
            post(server.port, request_of(service.path, patient_view(20, 840).content))
            walls.append(time.monotonic() - began)
            cpus.append(server.cpu())
            used.append(server.memory())
    worker = median(one.rss for one in used), median(one.pss for one in used)
    yield f"{median(walls):.2f} s, {median(cpus):.2f} s of CPU"
    yield f"master and worker together: {worker[0] / 2**20:.0f} MiB RSS, {worker[1] / 2**20:.0f} MiB PSS"
