"""What a large request needed stays with the process for the next one."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.requests import SERVICE
from tests.docs.conftest import PROJECT, free_port, wait_for
from tools.bench.bodies import patient_view
from tools.bench.client import post, request_of
from tools.bench.processes import Server


def page_faults(server: Server) -> int:
    """Pages that its processes asked of the system so far."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in server.pids()]
    return sum(int(one[7]) for one in stats)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators keep what they keep")
def test_a_large_request_asks_for_no_page_that_the_one_before_it_had() -> None:
    port = free_port()
    environ = {"PATH": os.environ["PATH"], "PORT": str(port), "CDS_AUTH": "off", "WEB_CONCURRENCY": "1"}
    process = subprocess.Popen([sys.executable, "-m", "service"], cwd=PROJECT, env=environ)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        server = Server(process.pid, port)
        request = request_of(SERVICE, patient_view(2_000).content)
        for _ in range(5):
            post(port, request)
        rounds = []
        # Each thread of the worker has memory of its own, which its first requests fill.
        while len(rounds) < 6 and min(rounds, default=100) >= 100:
            before = page_faults(server)
            for _ in range(5):
                post(port, request)
            rounds.append((page_faults(server) - before) / 5)
        # The body alone has four hundred.
        assert min(rounds) < 100, rounds
    finally:
        process.terminate()
        process.wait(20)
