"""A server in a process of its own, as an operator starts it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProcess:
    """A server that answers."""

    popen: subprocess.Popen[str]
    http_target: str
    grpc_target: str
    said: list[str] = field(default_factory=list)
    """What it wrote to stderr so far."""

    @property
    def port(self) -> int:
        return int(self.http_target.rpartition(":")[2])

    def peak_kib(self) -> int:
        """The most memory it has had since it started (Linux)."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


@contextmanager
def serving(models: Path | None, *flags: str, open_files: int | None = None) -> Iterator[ServerProcess]:
    """Start one on free ports, with these flags; it is killed when the block ends.

    ``models`` is None where a flag says which; ``open_files`` is as many as the process may have.
    """
    command = [sys.executable, "-m", "pitfalls_tf", "serve", "--json"]
    if models is not None:
        command += ["--models", str(models)]
    if open_files is not None:
        command = ["sh", "-c", f'ulimit -n {open_files}; exec "$@"', "sh", *command]
    ports = ["--rest-port", "0", "--grpc-port", "0"]
    said: list[str] = []
    with subprocess.Popen(
        [*command, *ports, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as popen:
        assert popen.stdout is not None
        assert popen.stderr is not None
        listener = threading.Thread(target=said.extend, args=(popen.stderr,))
        listener.start()
        try:
            document = ""
            while not document.endswith("}\n") or document.count("{") != document.count("}"):
                line = popen.stdout.readline()
                assert line, "".join(said)
                document += line
            ready = json.loads(document)
            yield ServerProcess(
                popen=popen, http_target=ready["url"].removeprefix("http://"), grpc_target=ready["grpc"], said=said
            )
        finally:
            popen.kill()
            listener.join()
