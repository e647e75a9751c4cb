"""Workers and replicas that die, and replicas that are replaced by plan."""

from __future__ import annotations

import os
import signal

from deploy.cluster.cluster import REPLICAS
from deploy.cluster.parts import children, wait_gone
from tests.faults.conftest import CALM, TIMES, Site
from tests.faults.tally import FEEDBACK, HOOK, REFUSED, REPLAY

# Calls a second at which a worker that is killed rather often holds one.
BUSY = 40.0


def test_no_fault(site: Site) -> None:
    with site.load("no fault") as load:
        load.wait(CALM)
    assert load.tally.bad(HOOK) == []
    assert load.tally.bad(FEEDBACK) == []
    assert load.tally.bad(REPLAY, REFUSED) == []


def test_kill_9_of_workers(site: Site) -> None:
    with site.load(f"kill -9 of {3 * TIMES} workers", BUSY) as load:
        for name in REPLICAS * TIMES:
            worker = children(site.cluster.replicas[name].process.pid)[-1]
            with load.tally.fault():
                os.kill(worker, signal.SIGKILL)
                wait_gone(worker)
            load.wait(1)


def test_kill_9_of_a_replica(site: Site) -> None:
    before = sum(site.cluster.restarts.values())
    with site.load(f"kill -9 of {TIMES} replicas", BUSY) as load:
        for name in (REPLICAS * TIMES)[:TIMES]:
            with load.tally.fault():
                site.cluster.replicas[name].kill()
            load.recovered(calls=40)
            site.cluster.proxy.wait_up(name)
    assert sum(site.cluster.restarts.values()) == before + TIMES


def test_kill_9_of_a_master_alone(site: Site) -> None:
    """Its workers must see that it is gone, and leave the port to its successor."""
    part, before = site.cluster.replicas["replica3"], site.cluster.restarts["replica3"]
    with site.load("kill -9 of a master alone", BUSY) as load:
        with load.tally.fault():
            workers = part.pids[1:]
            part.tell(signal.SIGKILL)
            for worker in workers:
                wait_gone(worker)
        load.recovered(calls=40)
        site.cluster.proxy.wait_up("replica3")
    assert site.cluster.restarts["replica3"] >= before + 1


def test_rolling_restart(site: Site) -> None:
    before = {name: part.process.pid for name, part in site.cluster.replicas.items()}
    with site.load("rolling restart of all replicas") as load:
        site.cluster.rolling_restart()
    assert not {part.process.pid for part in site.cluster.replicas.values()} & set(before.values())
    assert load.tally.bad(HOOK) == []
    assert load.tally.bad(FEEDBACK) == []


def test_replicas_that_are_stopped_without_a_word_to_the_proxy(site: Site) -> None:
    """SIGTERM, and a new one."""
    with site.load("SIGTERM to replicas that were not drained", BUSY) as load:
        for name in REPLICAS:
            # The supervisor starts it again.
            site.cluster.replicas[name].stop()
            load.recovered()
            site.cluster.proxy.wait_up(name)
    assert load.tally.bad(HOOK) == []
    assert load.tally.bad(FEEDBACK) == []
