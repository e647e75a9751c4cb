"""All parts together: databases, replicas that are started again when they die, the proxy."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import psycopg
import redis

from deploy.cluster.credentials import Credentials
from deploy.cluster.parts import Part, free_port
from deploy.cluster.proxy import Proxy, proxy_part

PROJECT = Path(__file__).parents[2]
HERE = Path(__file__).parents[1]
REPLICAS = ("replica1", "replica2", "replica3")
WORKERS = 2
# At one replica: what its workers decide, and one that is ready to be decided next by each.
CONNECTIONS = 2 * WORKERS
INSTALL = "apt-get install --no-install-recommends haproxy redis-server postgresql"
# Debian keeps its programs out of the PATH; newest first.
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def missing() -> list[str]:
    """The programs that are not on this machine; INSTALL brings them."""
    wanted = ("haproxy", "redis-server")
    absent = [
        name for name in wanted if shutil.which(name) is None and not Path(f"/usr/sbin/{name}").exists()
    ]
    return absent if _postgres("initdb") else [*absent, "postgresql"]


def _postgres(program: str) -> str | None:
    for folder in _POSTGRES:
        if (folder / program).exists():
            return str(folder / program)
    return shutil.which(program)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own loopback
            return True
    except (urllib.error.URLError, OSError):
        return False


class Cluster:
    """folder: an empty one; everything is made in it.

    settings: further ones, the same for all replicas; issuer: further members of the caller's entry.
    module: what a replica runs.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
        issuer: Mapping[str, object] | None = None,
        module: str = "service",
    ) -> None:
        self.folder = folder
        self.credentials = Credentials(folder / "credentials")
        self.url = f"https://127.0.0.1:{port or free_port()}"
        self._module = module
        self._settings, self._issuer = dict(settings or {}), dict(issuer or {})
        self._postgres_port, self._redis_port = free_port(), free_port()
        self.replica_ports = {name: free_port() for name in REPLICAS}
        self.proxy = Proxy(folder / "control")
        self.restarts = dict.fromkeys(REPLICAS, 0)
        self._resting: set[str] = set()
        self._closing = threading.Event()
        self._changing = threading.RLock()
        self._supervisor: threading.Thread | None = None

    def __enter__(self) -> Cluster:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def certificate(self) -> Path:
        return self.credentials.path("certificate.pem")

    @property
    def store_url(self) -> str:
        password = self.credentials.secret("postgres-password")
        return f"postgresql://cds:{password}@127.0.0.1:{self._postgres_port}/cds"

    @property
    def jti_url(self) -> str:
        return f"redis://:{self.credentials.secret('redis-password')}@127.0.0.1:{self._redis_port}/0"

    def replica_url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.replica_ports[name]}"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # The database runs as another user where we are root: it must reach its own folder.
        self.folder.chmod(0o711)
        self.credentials.make(self._issuer)
        self.postgres, self.redis = self._made_postgres(), self._made_redis()
        self.replicas = {name: self._made_replica(name) for name in REPLICAS}
        self.haproxy = self._made_proxy()
        for part in (self.postgres, self.redis):
            part.start()
        for part in (self.postgres, self.redis):
            part.wait_ready()
        self._migrate()
        for part in self.replicas.values():
            part.start()
        for part in self.replicas.values():
            part.wait_ready()
        self.haproxy.start()
        self.haproxy.wait_ready()
        for name in REPLICAS:
            self.proxy.wait_up(name)
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._supervisor.start()

    def stop(self) -> None:
        self._closing.set()
        if self._supervisor:
            self._supervisor.join()
        replicas = list(getattr(self, "replicas", {}).values())
        for part in replicas:
            if part.runs:
                part.tell(signal.SIGTERM)
        for part in [*replicas, *(getattr(self, name, None) for name in ("haproxy", "redis"))]:
            if part:
                part.stop()
        if hasattr(self, "postgres"):
            self.postgres.stop(signal.SIGINT)

    def _supervise(self) -> None:
        """Starts again what died, as systemd or Kubernetes would."""
        while not self._closing.wait(0.2):
            with self._changing:
                for name, part in self.replicas.items():
                    if not part.runs and name not in self._resting:
                        self.restarts[name] += 1
                        part.start()

    def restart(self, name: str) -> None:
        """One step of a rolling restart: drained, stopped, started, admitted when it answers."""
        with self._changing:
            self._resting.add(name)
        self.proxy.drain(name)
        part = self.replicas[name]
        part.stop()
        part.start()
        part.wait_ready()
        self.proxy.admit(name)
        with self._changing:
            self._resting.discard(name)

    def rolling_restart(self) -> None:
        for name in REPLICAS:
            self.restart(name)

    def _made_postgres(self) -> Part:
        data, user = self.folder / "postgres", "postgres" if os.geteuid() == 0 else None
        data.mkdir(mode=0o700)
        password = self.folder / "postgres-password"
        password.touch(mode=0o600)
        password.write_text(self.credentials.secret("postgres-password"))
        if user:
            shutil.chown(data, user)
            shutil.chown(password, user)
        initdb = [str(_postgres("initdb")), "--pgdata", str(data), "--username", "cds", "--encoding", "UTF8",
                  "--locale", "C.UTF-8", "--auth", "scram-sha-256", "--pwfile", str(password)]  # fmt: skip
        subprocess.run(  # noqa: S603 - our own command
            initdb, check=True, user=user, group=user, cwd="/", stdout=subprocess.DEVNULL
        )
        password.unlink()
        command = [str(_postgres("postgres")), "-D", str(data), "-p", str(self._postgres_port),
                   "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
                   "-c", "shared_buffers=16MB", "-c", "max_connections=60"]  # fmt: skip
        return Part("PostgreSQL", command, self._log("postgres"), self._postgres_answers, user=user,
                    folder=Path("/"), environ={"PATH": os.environ["PATH"]})  # fmt: skip

    def _postgres_answers(self) -> bool:
        url = self.store_url.removesuffix("cds") + "postgres"
        try:
            with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'cds'").fetchone():
                    connection.execute("CREATE DATABASE cds")
                return True
        except psycopg.Error:
            return False

    def _made_redis(self) -> Part:
        data = self.folder / "redis"
        data.mkdir()
        own = f"include {HERE / 'redis.conf'}\nbind 127.0.0.1\nport {self._redis_port}\ndir {data}\n"
        feed = own + f"requirepass {self.credentials.secret('redis-password')}\n"
        return Part(
            "Redis",
            ["redis-server", "-"],
            self._log("redis"),
            self._redis_answers,
            feed=feed,
        )

    def _redis_answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.jti_url, socket_timeout=5, socket_connect_timeout=5) as client:
                return bool(client.ping())
        except (redis.RedisError, OSError):
            return False

    def _environ(self) -> dict[str, str]:
        made = self.credentials.path
        return {
            "PATH": os.environ["PATH"],
            "PUBLIC_BASE_URL": self.url,
            "CDS_AUTH": "jwt",
            "CDS_TRUSTED_ISSUERS": str(made("issuers.json")),
            "JTI_STORE": self.jti_url,
            "ADMIN_TOKEN_FILE": str(made("admin-token")),
            "CARD_SECRET_FILE": str(made("card-secret")),
            "FEEDBACK_DB": self.store_url,
            "WEB_CONCURRENCY": str(WORKERS),
            **self._settings,
        }

    def _made_replica(self, name: str) -> Part:
        port = self.replica_ports[name]
        environ = {**self._environ(), "PORT": str(port)}
        command = [sys.executable, "-m", self._module]
        return Part(name, command, self._log(name), lambda: _answers(f"http://127.0.0.1:{port}/readyz"),
                    environ=environ, folder=PROJECT)  # fmt: skip

    def _migrate(self) -> None:
        command = [sys.executable, "-m", "service.feedback", "upgrade"]
        subprocess.run(  # noqa: S603 - our own command
            command, check=True, cwd=PROJECT, env=self._environ(), stdout=subprocess.DEVNULL
        )

    def _made_proxy(self) -> Part:
        return proxy_part(
            self.url.removeprefix("https://"),
            self.folder / "control",
            [f"127.0.0.1:{port}" for port in self.replica_ports.values()],
            CONNECTIONS,
            self._log("haproxy"),
            self._proxy_answers,
            self.credentials.path("certificate-and-key.pem"),
        )

    def _proxy_answers(self) -> bool:
        context = ssl.create_default_context(cafile=self.certificate)
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5, context=context):  # noqa: S310
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"
