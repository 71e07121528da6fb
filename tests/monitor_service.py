"""`pitfalls monitor serve` in a process of its own, for tests that need the whole service."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx


class Served:
    """A service in a process of its own, and what it prints."""

    def __init__(self, process: subprocess.Popen[str], token: str | None = None) -> None:
        self.process = process
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = process.stdout.readline()
            assert line, self.lines
            text += line
        self.url = json.loads(text)["url"]

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    def wait_for(self, *words: str) -> None:
        """Wait for a line on stderr with all of some words."""
        until = time.monotonic() + 300
        while not any(all(word in line for word in words) for line in self.lines):
            assert time.monotonic() < until, self.lines
            time.sleep(0.05)

    def wait_until(self, holds: Callable[[], bool], patience: float = 120) -> None:
        """Wait until something holds."""
        until = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < until, self.lines
            time.sleep(0.1)

    def get(self, path: str) -> httpx.Response:
        """Ask the dashboard."""
        return httpx.get(self.url + path, headers=self._headers, timeout=60)

    def place(self) -> str:
        """The path of the only deployment in the API."""
        [deployment] = self.get("api/v1/deployments").json()["deployments"]
        return f"api/v1/deployments/{deployment['store']}/{deployment['number']}"

    def post(self, path: str, document: dict[str, str]) -> httpx.Response:
        """Change something by the API."""
        return httpx.post(self.url + path, json=document, headers=self._headers, timeout=60)

    def stop(self) -> int:
        """Send SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        self._reader.join(10)
        return code


@contextmanager
def served(
    folder: Path,
    token_file: Path | None = None,
    more: Sequence[str] = (),
    *,
    prefix: Sequence[str] = (),
    release: Path | None = None,
) -> Iterator[Served]:
    """A service over a folder of configs; with a token it takes changes.

    Args:
        prefix: A program that starts it, with its arguments.
        release: The folder of another release's packages.
    """
    command = [*prefix, sys.executable, "-m", "pitfalls_tf", "monitor", "serve", "--configs", str(folder)]
    command += ["--port", "0", "--state", str(folder.parent / f"{folder.name}.state"), *more]
    token = None if token_file is None else token_file.read_text("utf-8").strip()
    if token_file is not None:
        command += ["--token-file", str(token_file)]
    with subprocess.Popen(
        [*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1, cwd=release
    ) as process:
        try:
            yield Served(process, token)
        finally:
            process.kill()
