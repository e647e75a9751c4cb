"""Clocks that are set back, or ahead and back, while the service runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

from deploy.cluster import Cluster, missing
from deploy.cluster.cluster import INSTALL
from service.knowledge import Knowledge
from tests.faults.conftest import CALM, Site
from tests.faults.known import Answers
from tests.faults.load import Connection
from tests.faults.tally import FEEDBACK, HOOK, REFUSED, REPLAY

HOUR = 3600


class Clocks:
    """Seconds by which the clocks of replicas and of callers are wrong; both run on while it changes."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.callers = 0
        self.set_replicas(0)

    def set_replicas(self, seconds: int) -> None:
        # Whole from one moment to the next: it is read at every look at the clock.
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self._file)

    def set(self, seconds: int, *, callers: bool) -> None:
        self.set_replicas(seconds)
        if callers:
            self.callers = seconds

    @property
    def environ(self) -> dict[str, str]:
        return {"CLOCK_FILE": str(self._file)}


@pytest.fixture(scope="module")
def clocks(_when_asked: None) -> Iterator[Clocks]:
    with TemporaryDirectory(prefix="cds-clocks-") as folder:
        yield Clocks(Path(folder))


@pytest.fixture(scope="module")
def cluster(clocks: Clocks) -> Iterator[Cluster]:
    if absent := missing():
        pytest.skip(f"needs {', '.join(absent)}; run: {INSTALL}")
    with (
        TemporaryDirectory(prefix="cds-faults-") as folder,
        Cluster(Path(folder), clocks.environ, module="tests.faults.clocked") as running,
    ):
        yield running


@pytest.fixture
def site(cluster: Cluster, clocks: Clocks, knowledge: Knowledge, show: Callable[[str], None]) -> Site:
    def token(audience: str) -> str:
        now = int(time.time()) + clocks.callers
        return cluster.credentials.token(audience, iat=now, exp=now + 300)

    answers = Answers(knowledge, cluster.url, cluster.credentials.secret("card-secret"))
    made = Site(cluster, answers, answers.people(), show, token)
    # As if Redis had been asked for two hours: no token is taken from before it was first asked.
    clocks.set(-2 * HOUR, callers=True)
    with redis.Redis.from_url(cluster.jti_url) as client:
        client.delete(*client.scan_iter("fasciculation-cds:began:*"))
    known, connection = made.calls[0], Connection(made.target)
    assert connection.post(known.path, known.body, token(cluster.url + known.path))[0] == 200
    connection.close()
    clocks.set(0, callers=True)
    return made


def test_the_clocks_of_the_replicas_step_back(site: Site, clocks: Clocks) -> None:
    """What callers sign lies in the future then: nobody is let in until the clocks are right again."""
    with site.load("clocks of the replicas step back by an hour") as load, load.tally.fault():
        clocks.set(-HOUR, callers=False)
        load.wait(CALM)
        clocks.set(0, callers=False)
    assert load.tally.bad(HOOK, REFUSED) == []
    assert load.tally.counts(HOOK)[REFUSED], "the clock did not step"


@pytest.mark.parametrize(("name", "seconds"), [("back by", -HOUR), ("ahead by", HOUR)])
def test_all_clocks_of_a_site_step(site: Site, clocks: Clocks, name: str, seconds: int) -> None:
    """The callers' as well: only a call at the moment of a step is refused, and what was used stays used."""
    with site.load(f"all clocks step {name} an hour, and are put right") as load:
        with load.tally.fault():
            clocks.set(seconds, callers=True)
        load.recovered()
        load.wait(CALM)
        with load.tally.fault():
            clocks.set(0, callers=True)
    assert load.tally.bad(HOOK, REFUSED) == []


def test_the_clock_of_redis_steps(site: Site) -> None:
    """Ahead by an hour: every key is nearer to its end by as much, and those that end are gone."""
    with site.load("the clock of Redis steps ahead by an hour") as load, load.tally.fault():
        with redis.Redis.from_url(site.cluster.jti_url) as client:
            for key in client.scan_iter("fasciculation-cds:jti:*"):
                client.pexpire(key, client.pttl(key) - 1000 * HOUR)
        load.wait(CALM)
    assert load.tally.bad(HOOK) == []
    assert load.tally.bad(FEEDBACK) == []
    assert load.tally.bad(REPLAY, REFUSED) == []
