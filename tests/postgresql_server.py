"""A private PostgreSQL server of this machine, for the tests of a module."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.needs import missing


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def _user() -> str | None:
    """PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        missing("Run by root, and there is no user postgres (apt-get install postgresql makes one).")


@dataclass(frozen=True, kw_only=True)
class PostgresqlServer:
    """A server that can be stopped and started again; its data stay.

    Attributes:
        folder: Where its files are.
        programs: The folder of PostgreSQL's programs.
        user: The user that it runs as; None for this one.
        port: Its port.
    """

    folder: Path
    programs: Path
    user: str | None
    port: int

    @property
    def url(self) -> str:
        """The URL of its database."""
        return f"postgresql+pg8000://me@127.0.0.1:{self.port}/postgres"

    def url_by(self, driver: str) -> str:
        """The URL of its database for a driver."""
        return self.url.replace("pg8000", driver)

    def signal(self, number: int) -> None:
        """Send a signal to each of its processes, such as one that freezes them."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, children)):
            os.kill(process, number)

    def make(self) -> None:
        """Make its files."""
        self._run("initdb", "-U", "me", "-A", "trust", "--no-sync", "--encoding=UTF8")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder}"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, as if its machine had lost its power."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def is_running(self) -> bool:
        """Whether its first process is there."""
        command = [str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), "status"]
        done = subprocess.run(command, user=self.user, cwd=self.folder, capture_output=True, check=False)
        return done.returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(command, check=True, user=self.user, cwd=self.folder, stdout=subprocess.DEVNULL)


@contextmanager
def started_postgresql(parent: Path | None = None) -> Iterator[PostgresqlServer]:
    """A fresh server without databases of its own, started; it runs at the end of the block too.

    Args:
        parent: Where the folder of its files is made; None for the folder of temporary files.
    """
    pytest.importorskip("pg8000")
    programs = _programs()
    if programs is None:
        missing("PostgreSQL is not installed (apt-get install postgresql).")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="pitfalls-postgresql-", dir=parent))
    if user is not None:
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = PostgresqlServer(folder=folder, programs=programs, user=user, port=port)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The URL of such a server, while the block runs."""
    with started_postgresql() as server:
        yield server.url
