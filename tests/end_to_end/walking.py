"""Runs the demo as a user does, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

UNTIL_DAY = "2013-04-25"  # pages open for 9 and 18 April
SEEDS = 3  # the median of three is that of the demo's five, so this is the demo's own model


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Where a demo ran, and the document that it printed."""

    out: Path
    found: dict[str, Any]


def walk(out: Path, *, kill: bool) -> dict[str, Any]:
    """Run the demo; `kill` ends its first server by SIGKILL once it has answered a while."""
    command = [sys.executable, "-m", "pitfalls_tf", "demo", "--out", str(out), "--json"]
    command += ["--seeds", str(SEEDS), "--until", UNTIL_DAY]
    with (out.parent / "demo.err").open("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ.copy())
        if kill:
            _kill_server(out, process)
        stdout, _ = process.communicate(timeout=540)
        errors.seek(0)
        assert process.returncode == 0, errors.read()[-3000:]
    document: dict[str, Any] = json.loads(stdout)
    return document


def _kill_server(out: Path, demo: subprocess.Popen[str]) -> None:
    """Wait until the log has grown to some megabytes, and kill the server that writes it."""
    while demo.poll() is None:
        grown = sum(path.stat().st_size for path in (out / "traffic" / "open").glob("*.arrows"))
        if grown > 2_000_000:
            os.kill(json.loads((out / "server.json").read_text())["pid"], signal.SIGKILL)
            return
        time.sleep(0.05)
    said = (out.parent / "demo.err").read_text()[-3000:]
    pytest.fail(f"The demo ended before its server could be killed: {said}")
