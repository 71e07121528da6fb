"""A nursery of servers: TensorFlow is imported once, in a process from which every server is forked."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A server that answers."""

    pid: int
    url: str | None
    grpc: str | None

    @property
    def port(self) -> int:
        """Of its REST interface."""
        assert self.url is not None
        return int(self.url.rpartition(":")[2])

    def wait(self) -> None:
        """Until the process is gone. Its parent does not wait for the dead, so that none of them lingers."""
        with suppress(ProcessLookupError):
            watched = os.pidfd_open(self.pid)
            try:
                select.select([watched], [], [])
            finally:
                os.close(watched)


class Nursery:
    """A process that makes servers; what they say on stderr is in one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self.stderr = folder / "stderr"
        script = Path(__file__).with_name("server_nursery.py")
        self.popen = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._said() == b"ready\n"

    def start(self, *arguments: object) -> Child:
        """``pitfalls serve`` with these arguments, when it answers."""
        self._made += 1
        fifo = self._folder / f"ready-{self._made}"
        os.mkfifo(fifo)
        argv = ["serve", *map(str, arguments), "--json"]
        order = {"argv": argv, "out": str(fifo), "err": str(self.stderr)}
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps(order).encode() + b"\n")
        self.popen.stdin.flush()
        pid = int(self._said())
        with fifo.open("rb") as said:
            document = b""
            for line in said:
                document += line
                with suppress(json.JSONDecodeError):
                    ready = json.loads(document)
                    return Child(pid=pid, url=ready["url"], grpc=ready["grpc"])
        raise AssertionError(self.stderr.read_text())

    def _said(self) -> bytes:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline()


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """One that is there while the block runs; its servers outlive it unless they are ended."""
    made = Nursery(folder)
    try:
        yield made
    finally:
        made.popen.kill()
        made.popen.communicate()
