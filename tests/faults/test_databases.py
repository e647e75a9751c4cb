"""PostgreSQL and Redis that stop, hang, or come back without what they held."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.cluster.parts import Part
from tests.faults.conftest import CALM, Site
from tests.faults.load import Load
from tests.faults.tally import FEEDBACK, HOOK, REFUSED, REPLAY, UNAVAILABLE


@contextmanager
def stopped(part: Part, how: signal.Signals) -> Iterator[None]:
    part.stop(how)
    try:
        yield
    finally:
        part.start()
        part.wait_ready()


@contextmanager
def hanging(part: Part) -> Iterator[None]:
    """It holds its connections and says nothing."""
    part.tell_all(signal.SIGSTOP)
    try:
        yield
    finally:
        part.tell_all(signal.SIGCONT)
        part.wait_ready()


def decisions_go_on(load: Load) -> None:
    assert load.tally.bad(HOOK) == []
    assert load.tally.bad(FEEDBACK, UNAVAILABLE) == []
    assert load.tally.counts(FEEDBACK)[UNAVAILABLE], "nobody sent feedback while the store was down"
    assert load.tally.bad(REPLAY, REFUSED) == []


# Fast: connections are ended. Immediate: as if the machine lost its power.
@pytest.mark.parametrize(("name", "how"), [("stop", signal.SIGINT), ("crash", signal.SIGQUIT)])
def test_postgresql_stops_and_starts(site: Site, name: str, how: signal.Signals) -> None:
    with (
        site.load(f"PostgreSQL: {name} and restart") as load,
        load.tally.fault(),
        stopped(site.cluster.postgres, how),
    ):
        load.wait(CALM + 1)
    decisions_go_on(load)


def test_postgresql_hangs(site: Site) -> None:
    with site.load("PostgreSQL hangs") as load, load.tally.fault(), hanging(site.cluster.postgres):
        load.wait(CALM + 4)
    decisions_go_on(load)


def nobody_is_let_in(load: Load) -> None:
    """Whether a token was used cannot be known: no decision for a moment is better than one for a thief."""
    assert load.tally.bad(HOOK, UNAVAILABLE) == []
    assert load.tally.bad(FEEDBACK, UNAVAILABLE) == []
    assert load.tally.bad(REPLAY, UNAVAILABLE, REFUSED) == []
    assert load.tally.counts(HOOK)[UNAVAILABLE], "nobody called while Redis was down"


@pytest.mark.parametrize(("name", "how"), [("stop", signal.SIGTERM), ("crash", signal.SIGKILL)])
def test_redis_stops_and_starts(site: Site, name: str, how: signal.Signals) -> None:
    with (
        site.load(f"Redis: {name} and restart") as load,
        load.tally.fault(),
        stopped(site.cluster.redis, how),
    ):
        load.wait(CALM)
    nobody_is_let_in(load)


def test_redis_hangs(site: Site) -> None:
    with site.load("Redis hangs") as load, load.tally.fault(), hanging(site.cluster.redis):
        load.wait(CALM + 1)
    nobody_is_let_in(load)


def test_redis_comes_back_empty(site: Site) -> None:
    """Its disk is gone as well: what was used before must not be taken again."""
    with (
        site.load("Redis: crash and restart without its data") as load,
        load.tally.fault(),
        stopped(site.cluster.redis, signal.SIGKILL),
    ):
        load.wait(CALM)
        shutil.rmtree(site.cluster.folder / "redis")
        (site.cluster.folder / "redis").mkdir()
    assert load.tally.bad(HOOK, UNAVAILABLE, REFUSED) == []
