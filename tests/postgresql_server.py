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


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The URL of a fresh server without databases of its own, while the block runs."""
    pytest.importorskip("pg8000")
    programs = _programs()
    if programs is None:
        missing("PostgreSQL is not installed (apt-get install postgresql).")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="pitfalls-postgresql-"))
    if user is not None:
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    try:
        run("initdb", "-U", "me", "-A", "trust", "--no-sync", "--encoding=UTF8")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-p {port} -h 127.0.0.1 -k {folder}", "start")
        try:
            yield f"postgresql+pg8000://me@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
