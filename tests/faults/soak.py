"""Mixed load on the cluster for a long time: memory, descriptors and latency of each quarter."""

from __future__ import annotations

import argparse
import base64
import os
import ssl
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic

from deploy.cluster import Cluster, missing
from deploy.cluster.cluster import INSTALL
from service.knowledge import load_knowledge
from tests.contract.fhir_server import addresses_of, call, fhir_serving, record
from tests.contract.requests import DAY
from tests.faults.known import Answers
from tests.faults.load import Load, Target
from tests.faults.stored import stored
from tests.faults.tally import FEEDBACK, HOOK, REFUSED, REPLAY, RIGHT, Tally

RATES = {HOOK: 30.0, FEEDBACK: 4.0, REPLAY: 2.0}
EVERY = 2.0
# What the last quarter may have above the second one, by which caches and threads are there.
MIB, SHARE, DESCRIPTORS = 12.0, 0.06, 12
_PAGE = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass
class Usage:
    """Of one process, one for every look. mib: resident, shared pages included; descriptors: open ones."""

    mib: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)


@dataclass
class Soaked:
    """usage: by the name of the process. seconds: how long it took."""

    tally: Tally
    usage: Mapping[str, Usage]
    began: float
    seconds: float

    def quarters(self, usage: Usage) -> list[tuple[float, int]]:
        """(MiB, descriptors), medians of each quarter."""
        found = []
        for number in range(4):
            part = slice(len(usage.mib) * number // 4, len(usage.mib) * (number + 1) // 4)
            found.append((median(usage.mib[part]), int(median(usage.descriptors[part]))))
        return found

    def latencies(self) -> list[tuple[float, float]]:
        """(p50, p99) of the hook calls that began in each quarter, milliseconds."""
        found = []
        for number in range(4):
            low, high = (self.began + self.seconds * part / 4 for part in (number, number + 1))
            took = sorted(
                1000 * (attempt.ended - attempt.began)
                for attempt in self.tally.of(HOOK)
                if low <= attempt.began < high
            )
            found.append((took[len(took) // 2], took[len(took) * 99 // 100]))
        return found

    def problems(self) -> list[str]:
        """What does not hold; times are only told, never judged."""
        tally, found = self.tally, []
        for kind, fine in ((HOOK, RIGHT), (FEEDBACK, RIGHT), (REPLAY, REFUSED)):
            if bad := [attempt for attempt in tally.of(kind) if attempt.outcome != fine]:
                found.append(f"{len(bad)} {kind} attempts did not end as they should, the first: {bad[0]}")
        if tally.stored is None or (tally.stored.lost, tally.stored.twice, tally.stored.torn) != (0, 0, 0):
            found.append(f"feedback: {tally.stored}")
        for name, usage in self.usage.items():
            (_, _), (mib, descriptors), (_, _), (last_mib, last_descriptors) = self.quarters(usage)
            if last_mib > mib + max(MIB, SHARE * mib):
                found.append(f"{name} grew from {mib:.1f} to {last_mib:.1f} MiB")
            if last_descriptors > descriptors + DESCRIPTORS:
                found.append(f"{name} grew from {descriptors} to {last_descriptors} descriptors")
        return found

    def report(self) -> str:
        lines = [f"{self.seconds / 60:.1f} minutes; {self.tally.line()}"]
        lines.append("hook calls, p50 / p99 ms by quarter: " + ", ".join(
            f"{middle:.0f} / {late:.0f}" for middle, late in self.latencies()))  # fmt: skip
        for name, usage in self.usage.items():
            told = ", ".join(f"{mib:.1f} MiB {open_} open" for mib, open_ in self.quarters(usage))
            lines.append(f"{name}: {told}")
        return "\n".join(lines)


def soaked(cluster: Cluster, load: Load, seconds: float) -> Soaked:
    """Runs the load for that long. Raises AssertionError when a process was replaced meanwhile."""
    pids = processes(cluster)
    usage = {name: Usage() for name in pids}
    began = monotonic()
    with load.running():
        while monotonic() < began + seconds:
            for name, pid in pids.items():
                look(usage[name], pid)
            scrape(cluster)
            load.wait(EVERY)
        took = monotonic() - began
    assert processes(cluster) == pids, "a process was replaced"
    load.tally.stored = stored(cluster.store_url, load.acknowledged)
    return Soaked(load.tally, usage, began, took)


def processes(cluster: Cluster) -> dict[str, int]:
    """Names of all processes of the replicas and of the proxy, with their numbers."""
    found = {"HAProxy": cluster.haproxy.pids[0]}
    for name, part in cluster.replicas.items():
        master, *workers = part.pids
        found[f"{name} master"] = master
        found |= {f"{name} worker {number}": pid for number, pid in enumerate(workers, 1)}
    return found


def look(usage: Usage, pid: int) -> None:
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    usage.mib.append(resident * _PAGE)
    usage.descriptors.append(len(list(Path(f"/proc/{pid}/fd").iterdir())))


def scrape(cluster: Cluster) -> None:
    """What Prometheus and a probe ask for."""
    password = base64.b64encode(f"admin:{cluster.credentials.secret('admin-token')}".encode()).decode()
    for name in cluster.replicas:
        for path in ("/metrics", "/readyz"):
            request = urllib.request.Request(cluster.replica_url(name) + path)
            request.add_header("Authorization", f"Basic {password}")
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.status == 200


def mixed_load(cluster: Cluster, answers: Answers, base: str, name: str) -> Load:
    """Every test patient, and one whose results are fetched from the FHIR server at base."""
    extension = {"org.fasciculation-cds": {"asOf": DAY}}
    whole = record()
    lacking = {key: held for key, held in whole.items() if key != "labs"}
    fetched = answers.known(
        call(lacking, base, extension=extension), answered_as=call(whole, None, extension=extension)
    )
    tls = ssl.create_default_context(cafile=cluster.certificate)
    target = Target(cluster.url, tls, cluster.credentials.token)
    return Load(target, [*answers.people(), fetched], Tally(name), RATES)


def main(args: Sequence[str]) -> int:
    """0 = flat, 1 = not, 2 = a program is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    minutes = parser.parse_args(args).minutes
    if absent := missing():
        print(f"Not on this machine: {', '.join(absent)}. On Debian and Ubuntu: {INSTALL}", file=sys.stderr)
        return 2
    knowledge = load_knowledge()
    with (
        fhir_serving(addresses_of(knowledge)) as fhir,
        TemporaryDirectory(prefix="cds-soak-") as folder,
        Cluster(Path(folder), {"FHIR_SERVERS": fhir.base}, issuer={"fhirServers": [fhir.base]}) as cluster,
    ):
        answers = Answers(knowledge, cluster.url, cluster.credentials.secret("card-secret"))
        result = soaked(cluster, mixed_load(cluster, answers, fhir.base, "soak"), 60 * minutes)
    print(result.report())
    for problem in result.problems():
        print(problem, file=sys.stderr)
    return 1 if result.problems() else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
