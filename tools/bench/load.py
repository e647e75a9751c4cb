"""Offered load against what is answered, below and past saturation, on loopback.

    python -m tools.bench.load [--direct] [--workers 1] [--resources 20] [--large 0]
        [--slow 0] [--slow-resources 20] [--at 0.25 0.5 …] [--seconds 5]

The service stands behind HAProxy with deploy/haproxy.cfg, without TLS, unless --direct is given.
First a few clients ask as fast as they are answered: that is the capacity of this machine now, with the
clients on it. Then requests are sent at multiples of it, each at its own moment (exponential pauses, always
the same), whether or not earlier ones were answered. A latency counts from that moment. Bounded: about
(multiples + 1) * seconds, and what is open after ten more seconds counts as a time-out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.cluster.parts import Part, free_port
from deploy.cluster.proxy import proxy_part

PROJECT = Path(__file__).parents[2]
PATH = "/cds-services/fasciculation-patient-view"
PATIENCE = 10.0
CLIENTS = 8


@dataclass
class Outcome:
    """seconds: of each request, by end ("200", "503", how it failed). lasted: until the last ended."""

    offered: float
    lasted: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def line(self) -> str:
        answered, refused, late = (self.seconds.get(end, []) for end in ("200", "503", "time-out"))
        rest = sum(map(len, self.seconds.values())) - len(answered) - len(refused) - len(late)
        cells = (
            f"{self.offered:.0f}",
            f"{len(answered) / self.lasted:.0f}",
            f"{len(refused) / self.lasted:.0f}",
            str(len(late)),
            str(rest),
            _milliseconds(answered, 0.5),
            _milliseconds(answered, 0.99),
            _milliseconds(refused, 0.99),
        )
        return "| " + " | ".join(cells) + " |"


HEAD = (
    "| Offered /s | Answered 200 /s | Refused 503 /s | Time-outs | Other failures | p50 ms | p99 ms"
    " | p99 ms of a 503 |\n|---|---|---|---|---|---|---|---|"
)


def _milliseconds(seconds: list[float], share: float) -> str:
    if not seconds:
        return "–"
    return f"{sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000:.0f}"


def body_of(resources: int) -> bytes:
    """A call of the patient of the examples, with laboratory results that say nothing added to it."""
    call = json.loads(
        (PROJECT / "examples" / "thigh-day-fifteen/patient-view.json").read_text(encoding="utf-8")
    )
    labs = call["prefetch"].get("labs") or {"resourceType": "Bundle", "type": "searchset"}
    subject = {"reference": "Patient/" + call["context"]["patientId"].removeprefix("Patient/")}
    filler = {"resourceType": "Observation", "status": "final", "subject": subject}
    told = {"code": {"text": "not of interest"}, "note": [{"text": "x" * 600}]}
    entries = [{"resource": {**filler, **told, "id": f"filler-{n}"}} for n in range(resources)]
    labs["entry"] = [*labs.get("entry", []), *entries]
    call["prefetch"]["labs"] = labs
    return json.dumps(call).encode()


def as_request(body: bytes) -> bytes:
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Clients:
    """Connections that are kept where the server keeps them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: bytes) -> str:
        """The status, or how it failed."""
        try:
            return await asyncio.wait_for(self._ask(request), PATIENCE)
        except TimeoutError:
            return "time-out"
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            return type(error).__name__

    async def _ask(self, request: bytes) -> str:
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        keep = False
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0])
            await reader.readexactly(length)
            keep = "connection: close" not in head
            return head.split(" ", 2)[1]
        finally:
            if keep:
                self._idle.append((reader, writer))
            else:
                writer.close()

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


async def capacity(port: int, requests: list[bytes], seconds: float) -> float:
    """Requests a second that a few clients get answered, each asking when the last was answered."""
    clients, until, answered = Clients(port), time.monotonic() + seconds, 0

    async def one(number: int) -> None:
        nonlocal answered
        while time.monotonic() < until:
            end = await clients.ask(requests[number % len(requests)])
            answered += end == "200"
            number += 1

    await asyncio.gather(*(one(number) for number in range(CLIENTS)))
    clients.close()
    return answered / seconds


async def offered(port: int, requests: list[bytes], rate: float, seconds: float) -> Outcome:
    clients, outcome, pauses = Clients(port), Outcome(rate), random.Random(1)
    running: set[asyncio.Task[None]] = set()

    async def one(due: float, request: bytes) -> None:
        end = await clients.ask(request)
        outcome.seconds.setdefault(end, []).append(time.monotonic() - due)

    begun = due = time.monotonic()
    number = 0
    while (due := due + pauses.expovariate(rate)) < begun + seconds:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        task = asyncio.create_task(one(due, requests[number % len(requests)]))
        running.add(task)
        task.add_done_callback(running.discard)
        number += 1
    if running:
        await asyncio.wait(running)
    clients.close()
    outcome.lasted = time.monotonic() - begun
    return outcome


class RestingClients:
    """Connections that have sent half of a request and rest; each that is closed is opened again."""

    def __init__(self, port: int, count: int, request: bytes) -> None:
        self._port, self._count, self._half = port, count, request[: len(request) // 2]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> RestingClients:
        self._tasks = [asyncio.create_task(self._rest()) for _ in range(self._count)]
        await asyncio.sleep(1.0 if self._count else 0.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _rest(self) -> None:
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    writer.write(self._half)
                    await reader.read()
                finally:
                    writer.close()
            await asyncio.sleep(0.1)


async def beside(
    resting: RestingClients, port: int, requests: list[bytes], rate: float, seconds: float
) -> Outcome:
    async with resting:
        return await offered(port, requests, rate, seconds)


def cost_of(master: int) -> tuple[float, float]:
    """CPU seconds of all workers so far, and MiB of one (resident, shared pages included)."""
    pids = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    ticks, pages = 0, 0
    for pid in pids:
        counted = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(counted[11]) + int(counted[12])
        pages += int(counted[21])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / len(pids) / 2**20


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own loopback
            return True
    except OSError:
        return False


@contextmanager
def started(workers: int, proxied: bool) -> Iterator[tuple[int, int]]:
    """The port of a replica, or of the proxy in front of it, and the process id of gunicorn's master."""
    with tempfile.TemporaryDirectory() as name:
        folder, port, front = Path(name), free_port(), free_port()
        environ = {
            "PATH": os.environ["PATH"],
            "PORT": str(port),
            "WEB_CONCURRENCY": str(workers),
            "FEEDBACK_DB": f"sqlite:///{folder}/feedback.sqlite3",
        }
        # The clients must not be late because the service is busy.
        command = ["nice", "-n", "5", sys.executable, "-m", "service"]
        replica = Part(
            "the service",
            command,
            folder / "service.log",
            lambda: answers(f"http://127.0.0.1:{port}/healthz"),
            environ=environ,
            folder=PROJECT,
        )
        proxy = proxy_part(
            f"127.0.0.1:{front}",
            folder / "control",
            [f"127.0.0.1:{port}"],
            2 * workers,
            folder / "proxy.log",
            lambda: answers(f"http://127.0.0.1:{front}/healthz"),
        )
        replica.start()
        try:
            replica.wait_ready()
            if proxied:
                proxy.start()
                proxy.wait_ready()
            yield front if proxied else port, replica.process.pid
        finally:
            if proxied:
                proxy.stop()
            replica.stop()


def main(args: list[str]) -> int:
    """Prints the curve as a table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.load")
    parser.add_argument("--direct", action="store_true", help="ask the service itself, without the proxy")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--resources", type=int, default=20)
    parser.add_argument("--large", type=int, default=0, help="one request in ten has so many resources")
    parser.add_argument("--slow", type=int, default=0, help="clients that rest in the middle of a request")
    parser.add_argument("--slow-resources", type=int, default=20, help="resources in a request that rests")
    parser.add_argument("--at", type=float, nargs="+", default=[0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0])
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args(args)
    requests = [as_request(body_of(asked.resources))] * 9
    requests.append(as_request(body_of(asked.large)) if asked.large else requests[0])
    resting = as_request(body_of(asked.slow_resources))
    with started(asked.workers, not asked.direct) as (port, master):
        asyncio.run(capacity(port, requests, 1.0))
        before = cost_of(master)[0]
        most = asyncio.run(capacity(port, requests, asked.seconds))
        seconds, size = cost_of(master)
        each = (seconds - before) / (most * asked.seconds) * 1000
        print("\ndirect" if asked.direct else "\nbehind HAProxy", end="")
        print(f", {asked.workers} workers, {len(requests[0]) // 1000} kB", end="")
        print(f", every tenth {len(requests[-1]) // 1000} kB" if asked.large else "", end="")
        print(f", {asked.slow} clients rest in {len(resting) // 1000} kB:" if asked.slow else ":")
        print(f"{most:.0f} /s, {each:.2f} ms of CPU a request, {size:.0f} MiB a worker\n\n{HEAD}", flush=True)
        for share in asked.at:
            slow = RestingClients(port, asked.slow, resting)
            print(asyncio.run(beside(slow, port, requests, most * share, asked.seconds)).line(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
