"""python -m deploy.cluster [FOLDER]; python -m deploy.cluster token FOLDER URL"""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path

from deploy.cluster.cluster import INSTALL, REPLICAS, Cluster, missing
from deploy.cluster.credentials import Credentials
from deploy.cluster.parts import NotReady

SERVICE = "/cds-services/fasciculation-patient-view"


def main(args: list[str]) -> int:
    """Runs until it is told to end. 1 = it does not start, 2 = asked wrongly or a program is missing."""
    if args[:1] == ["token"] and len(args) == 3:
        print(Credentials(Path(args[1]) / "credentials").token(args[2]))
        return 0
    if len(args) > 1:
        print(__doc__)
        return 2
    if absent := missing():
        print(f"Not on this machine: {', '.join(absent)}. On Debian and Ubuntu: {INSTALL}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="cds-") as made:
        folder = Path(args[0]) if args else Path(made)
        # A stop by another program ends as Ctrl-C does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with Cluster(folder) as cluster:
                _tell(cluster)
                signal.pause()
        except NotReady as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0
    return 0


def _tell(cluster: Cluster) -> None:
    url = cluster.url + SERVICE
    token = f"{sys.executable} -m deploy.cluster token {cluster.folder} {url}"
    print(f"{len(REPLICAS)} replicas behind {cluster.url}; logs, certificate and secrets in {cluster.folder}")
    print(
        f"""Try: curl -s --cacert {cluster.certificate} -H 'Content-Type: application/json' \\
  -H "Authorization: Bearer $({token})" \\
  --data-binary @examples/thigh-day-fifteen/patient-view.json {url}
Ctrl-C ends all of it and removes the folder.""",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
