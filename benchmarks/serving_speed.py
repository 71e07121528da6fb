"""Throughput of `pitfalls serve` with one row per request, with and without the traffic log, and of a bare app."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import orjson

from benchmarks.flights import demo_folder
from benchmarks.load_generator import Load
from benchmarks.results import Cell, Result, Settings, Table
from monitoring.baseline.folder import load_baseline
from monitoring.config import load_config
from monitoring.deployment.places import BASELINE, EXTRAS, find_bundle
from monitoring.errors import CannotRun

CONNECTIONS = (1, 16, 64)
BODIES = 256
BARE, SERVE, LOGGED = "bare app, no model", "pitfalls serve", "pitfalls serve --traffic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server in its own process."""

    port: int
    pid: int
    grpc: int = 0
    """Port of gRPC; 0 without gRPC."""

    def cpu_seconds(self) -> float:
        """CPU seconds of the process, as Linux reports them."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(settings: Settings) -> Result:
    """Measure every server under every load, in turns. Cost: two minutes, and 1.5 GB for two servers with the model."""
    demo = demo_folder(settings)
    bodies = one_row_bodies(demo)
    seconds, rounds = (1.0, 1) if settings.quick else (4.0, 3)
    loads: dict[tuple[str, int], list[tuple[Load, float]]] = {}
    with ExitStack() as stack:
        traffic = stack.enter_context(tempfile.TemporaryDirectory())
        serve = ("-m", "pitfalls_tf", "serve", "--models", str(demo / "models"), "--rest-port", "0", "--json")
        servers = {
            BARE: stack.enter_context(started(("-m", "benchmarks.bare_app"))),
            SERVE: stack.enter_context(started(serve)),
            LOGGED: stack.enter_context(started((*serve, "--traffic", traffic))),
        }
        for _ in range(rounds):
            for connections in CONNECTIONS:
                for name, server in servers.items():
                    before = server.cpu_seconds()
                    load = generated(server.port, bodies, connections, seconds)
                    used = server.cpu_seconds() - before
                    loads.setdefault((name, connections), []).append((load, used))
    return Result(tables=(_table(loads, rounds, seconds),), remarks=_remarks(loads))


def one_row_bodies(demo: Path) -> bytes:
    """Request bodies with one row each, from rows of the baseline without missing values; one per line."""
    bundle, _ = find_bundle(load_config(demo / "monitor.toml"))
    features = load_baseline(bundle / EXTRAS / BASELINE).reference.features
    table = features.to_pandas().dropna().head(BODIES)
    rows = table.to_dict(orient="records")
    assert rows, "every row of the baseline has a missing value"
    return b"\n".join(orjson.dumps({"instances": [row]}) for row in rows)


@contextmanager
def started(arguments: Sequence[str]) -> Iterator[Server]:
    """Start a server, wait until it prints its URL, and stop it by SIGTERM at the end."""
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        text = ""
        assert process.stdout is not None
        for line in process.stdout:
            text += line
            if line.rstrip() == "}":
                break
        else:
            raise CannotRun(
                "A server did not start.",
                got=f"exit code {process.wait()}",
                expected="a server that prints its URL",
                fix=f"Start it manually: python {' '.join(arguments)}",
            )
        ready = json.loads(text)
        grpc = int(ready["grpc"].rpartition(":")[2]) if ready.get("grpc") else 0
        yield Server(port=urlsplit(ready["url"]).port or 0, pid=process.pid, grpc=grpc)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)  # longer than a server takes to drain and to convert its log
        assert process.stdout is not None
        process.stdout.close()


def load_command(port: int, path: str, connections: int, seconds: float) -> list[str]:
    """The command of one closed loop, which reads bodies from its standard input."""
    return [sys.executable, "-m", "benchmarks.load_generator", str(port), path, str(connections), str(seconds)]


def generated(
    port: int, bodies: bytes, connections: int, seconds: float, path: str = "/v1/models/flights:predict"
) -> Load:
    """Run one closed loop in its own process."""
    command = load_command(port, path, connections, seconds)
    done = subprocess.run(command, input=bodies, stdout=subprocess.PIPE, check=True, timeout=60 + 10 * seconds)
    return Load(**json.loads(done.stdout))


def _table(loads: dict[tuple[str, int], list[tuple[Load, float]]], rounds: int, seconds: float) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for connections in CONNECTIONS:
        bare = statistics.median(load.rate for load, _ in loads[BARE, connections])
        for name in (BARE, SERVE, LOGGED):
            pairs = loads[name, connections]
            rate = statistics.median(load.rate for load, _ in pairs)
            rows.append(
                (
                    name,
                    connections,
                    rate,
                    statistics.median(load.p50_ms for load, _ in pairs),
                    statistics.median(load.p99_ms for load, _ in pairs),
                    statistics.median(used / load.with_warm_up for load, used in pairs) * 1e3,
                    bare / rate,
                    float(np.median([load.cpu_seconds / load.seconds for load, _ in pairs])),
                )
            )
    return Table(
        title="One row per request over HTTP/1.1, closed loop",
        columns=(
            "server",
            "connections",
            "responses/s",
            "p50 ms",
            "p99 ms",
            "server CPU ms per response",
            "times slower than bare",
            "generator busy",
        ),
        rows=tuple(rows),
        note=(
            f"Median of {rounds} rounds of {seconds:.0f} s each, servers in turns. Server and generator share the"
            " cores; a generator that is busy near 1 is the bottleneck. The bare app is uvicorn with httptools and"
            " uvloop; it parses the body and returns a constant."
        ),
    )


def _remarks(loads: dict[tuple[str, int], list[tuple[Load, float]]]) -> tuple[str, ...]:
    failures = {key: sum(load.failures for load, _ in pairs) for key, pairs in loads.items()}
    return tuple(
        f"{name}, {connections} connections: {count} requests failed."
        for (name, connections), count in failures.items()
        if count
    )
