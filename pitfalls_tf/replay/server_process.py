"""`pitfalls serve` in a separate process, as in production: started, restarted if it dies, stopped by SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from monitoring.errors import CannotRun

#: Maximum wait for the server to stop, in seconds.
DRAIN_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFolders:
    """Folders of a server."""

    models: Path
    traffic: Path
    process: Path


class ServerProcess:
    """`pitfalls serve` on a free port of the loopback interface; a context manager that always ends the process.

    Args:
        token: token for posting labels; passed in the environment, where other users cannot read it.
    """

    def __init__(self, folders: ServerFolders, *, token: str) -> None:
        self._folders = folders
        self._token = token
        self._process: subprocess.Popen[str] | None = None
        self.starts = 0

    def start(self) -> str:
        """Start the server, or restart it if it died."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        command = [sys.executable, "-m", "pitfalls_tf", "serve", "--models", str(self._folders.models)]
        command += ["--rest-port", "0", "--grpc-port", "off", "--traffic", str(self._folders.traffic), "--json"]
        command += ["--any-event-time"]  # the rows are replayed with their own times
        log = self._folders.process / "server.log"
        with log.open("a", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | {"PITFALLS_TOKEN": self._token},
            )
        self.starts += 1
        document = _read_document(self._process.stdout)
        if document is None:
            raise CannotRun(
                "The server did not start.",
                got=f"exit code {self._process.wait()}: {_last_line(log)}",
                expected="a server that prints its URL",
                fix=f"Read {log}.",
            )
        (self._folders.process / "server.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        return str(document["url"])

    def stop(self) -> int:
        """Send SIGTERM and wait until all accepted requests are answered."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(DRAIN_SECONDS)
        self._close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


def _read_document(stream: IO[str] | None) -> dict[str, object] | None:
    """Read one JSON document of several lines; None if the stream ends before it is complete."""
    text = ""
    for line in stream or ():
        text += line
        if line.rstrip() == "}":
            document: dict[str, object] = json.loads(text)
            return document
    return None


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").split("\n") if log.is_file() else []
    return next((line for line in reversed(lines) if line.strip()), "no message")
