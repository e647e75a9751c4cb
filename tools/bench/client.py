"""Posts requests over loopback: one after the other, as many as go, or at a rate."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


class Refused(RuntimeError):
    """An answer that is not 200; the message holds its beginning."""


@dataclass(frozen=True)
class Latency:
    """Seconds, from the moment a request was due to its whole answer."""

    p50: float
    p99: float


def request_of(path: str, content: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + content


def post(port: int, request: bytes) -> bytes:
    """The whole answer, head included. Raises Refused."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(262_144):
            parts.append(part)
    answer = b"".join(parts)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Refused(answer[:600].decode(errors="replace"))
    return answer


def throughput(port: int, request: bytes, clients: int, seconds: float) -> float:
    """Requests a second with so many clients that each wait for their answer."""
    until = time.monotonic() + seconds

    def client() -> int:
        count = 0
        while time.monotonic() < until:
            post(port, request)
            count += 1
        return count

    began = time.monotonic()
    total = sum(_together([client] * clients))
    return total / (time.monotonic() - began)


def at_rate(port: int, request: bytes, rate: float, seconds: float, clients: int = 16) -> Latency:
    """Requests come by chance, so many a second on average, whether or not the earlier ones are answered."""
    chance = random.Random(1)
    due, at = [], 0.0
    while at < seconds:
        at += chance.expovariate(rate)
        due.append(at)
    began, turn, took = time.monotonic(), iter(due), []
    lock = threading.Lock()

    def client() -> int:
        while True:
            with lock:
                moment = next(turn, None)
            if moment is None:
                return 0
            time.sleep(max(0.0, began + moment - time.monotonic()))
            post(port, request)
            took.append(time.monotonic() - began - moment)

    _together([client] * clients)
    took.sort()
    return Latency(took[len(took) // 2], took[min(len(took) - 1, len(took) * 99 // 100)])


def _together(jobs: list[Callable[[], int]]) -> list[int]:
    results: list[int] = []
    failures: list[BaseException] = []

    def run(job: Callable[[], int]) -> None:
        try:
            results.append(job())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results
