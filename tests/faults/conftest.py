"""One cluster for the tests of faults, and the load on it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.cluster import Cluster, missing
from deploy.cluster.cluster import INSTALL
from service.knowledge import Knowledge
from tests.contract.fhir_server import FhirServer, addresses_of, fhir_serving
from tests.faults.known import Answers, Known
from tests.faults.load import Load, Target
from tests.faults.stored import stored
from tests.faults.tally import FEEDBACK, HOOK, REFUSED, REPLAY, RIGHT, UNAVAILABLE, WRONG, Tally

WHOLE = os.environ.get("FAULTS") == "whole"
# Seconds that the load runs before and after a fault, and how often a short fault is repeated.
CALM = 5.0 if WHOLE else 1.5
TIMES = 10 if WHOLE else 1


@dataclass
class Site:
    """A cluster, and what its answers must be."""

    cluster: Cluster
    answers: Answers
    calls: list[Known]
    show: Callable[[str], None]
    token: Callable[[str], str] | None = None

    @property
    def target(self) -> Target:
        tls = ssl.create_default_context(cafile=self.cluster.certificate)
        return Target(self.cluster.url, tls, self.token or self.cluster.credentials.token)

    @contextmanager
    def load(self, name: str, calls_a_second: float = 12.0) -> Iterator[Load]:
        """Load for the time of the scenario; afterwards its counts are shown, and what no fault excuses."""
        rates = {HOOK: calls_a_second, FEEDBACK: 3.0, REPLAY: 2.0}
        load = Load(self.target, self.calls, Tally(name), rates)
        with load.running():
            load.wait(CALM)
            load.recovered()
            yield load
            load.recovered()
            load.recovered(FEEDBACK, 3)
            load.wait(CALM)
        load.tally.stored = stored(self.cluster.store_url, load.acknowledged)
        self.show(load.tally.line())
        holds(load.tally)


def holds(tally: Tally) -> None:
    """What no fault excuses."""
    hook, replay = tally.counts(HOOK), tally.counts(REPLAY)
    assert hook[RIGHT], "nothing was answered at all"
    assert hook[WRONG] == 0, tally.bad(HOOK)
    assert replay[RIGHT] + replay[WRONG] == 0, "a token was taken twice"
    if replay:
        assert replay[REFUSED], "no token was sent twice"
    assert tally.stored is not None
    assert tally.stored.acknowledged
    assert (tally.stored.lost, tally.stored.twice, tally.stored.torn) == (0, 0, 0)
    for kind, fine in ((HOOK, ()), (FEEDBACK, ()), (REPLAY, (REFUSED,))):
        assert tally.outside(tally.bad(kind, *fine)) == [], "it failed where nothing was broken"
    assert tally.bad(REPLAY, REFUSED, UNAVAILABLE) == [] or tally.windows


@pytest.fixture(scope="session", autouse=True)
def _when_asked() -> None:
    if not os.environ.get("FAULTS"):
        pytest.skip("breaks a cluster under load, which takes minutes; run: make test-faults")


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints, whatever pytest makes of output."""

    def shown(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", flush=True)

    return shown


@pytest.fixture(scope="session")
def fhir(knowledge: Knowledge) -> Iterator[FhirServer]:
    with fhir_serving(addresses_of(knowledge)) as served:
        yield served


@pytest.fixture(scope="session")
def cluster(_when_asked: None, fhir: FhirServer) -> Iterator[Cluster]:
    if absent := missing():
        pytest.skip(f"needs {', '.join(absent)}; run: {INSTALL}")
    settings = {"FHIR_SERVERS": fhir.base, "FHIR_TIMEOUT": "1"}
    # Where we are root PostgreSQL runs as another user, whom pytest's own folder is closed to.
    with (
        TemporaryDirectory(prefix="cds-faults-") as folder,
        Cluster(Path(folder), settings, issuer={"fhirServers": [fhir.base]}) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def known(cluster: Cluster, knowledge: Knowledge) -> tuple[Answers, list[Known]]:
    answers = Answers(knowledge, cluster.url, cluster.credentials.secret("card-secret"))
    return answers, answers.people()


@pytest.fixture
def site(cluster: Cluster, known: tuple[Answers, list[Known]], show: Callable[[str], None]) -> Site:
    return Site(cluster, known[0], known[1], show)
