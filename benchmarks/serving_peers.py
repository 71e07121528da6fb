"""This server and other Python model servers: same models, same load, in one run."""

from __future__ import annotations

import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import grpc_profile, response_profile
from benchmarks.load_generator import Load
from benchmarks.peer_models import ModelRequests, export_models
from benchmarks.peer_rounds import LoadResult, ResultsByServer, Round, Rounds, fingerprint
from benchmarks.peer_servers import PEERS, Server, environment, free_port, running, write_mlserver
from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.serving_speed import started
from benchmarks.speed_page import Goal, write_page
from monitoring.errors import CannotRun

CONNECTIONS = (1, 16, 64)
BARE, OURS, LOGGED = "bare app, no model (the ceiling)", "pitfalls serve", "pitfalls serve, logged"
GRPC_LOGGED = "pitfalls serve, gRPC, logged"
LITSERVE, LITSERVE_BATCHES = "LitServe", "LitServe, batches of 64"
FASTAPI, BENTOML, MLSERVER = "FastAPI with the signature", "BentoML, adaptive batching", "MLServer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A server under load: its address and its requests."""

    server: Server
    path: str
    bodies: bytes


def measure(settings: Settings) -> Result:
    """Measure every server under every load, in turns, with the others paused.

    Finished rounds are stored in OUT, so that an interrupted run resumes; they are deleted when all rounds are done.
    Cost: about 25 minutes on an idle machine, 8 GB of memory, and the first time a download of some GB.
    """
    seconds, rounds = (1.0, 1) if settings.quick else (3.0, 3)
    stored = settings.out / "serving_peers" / f"{fingerprint()}-{rounds}x{seconds:g}"
    stored.mkdir(parents=True, exist_ok=True)
    tables, remarks, goals = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        for model in export_models(Path(scratch) / "models"):
            rounds_done = Rounds.read(stored / f"{model.name}.json")
            if len(rounds_done.done) < rounds:
                _measure(model, Path(scratch), seconds, rounds, rounds_done)
            results = rounds_done.results_by_server()
            tables.append(_table(model.name, results, rounds, seconds))
            remarks += [f"{model.name}: {line}" for line in (*rounds_done.missing, *_failures(results))]
            goals += _goals(model.name, results)
    profiles = (*response_profile.measure(settings).tables, *grpc_profile.measure(settings).tables)
    result = Result(tables=(*tables, *profiles, _goal_table(goals)), remarks=tuple(remarks))
    write_page(settings.out / "speed.md", result)
    shutil.rmtree(stored.parent)
    return result


def _measure(model: ModelRequests, scratch: Path, seconds: float, rounds: int, rounds_done: Rounds) -> None:
    """Run the remaining rounds."""
    with ExitStack() as stack:
        candidates, rounds_done.missing = _start_all(model, scratch, stack)
        servers = {candidate.server.pid: candidate.server for candidate in candidates.values()}
        for server in servers.values():
            server.send(signal.SIGSTOP)
        try:
            while len(rounds_done.done) < rounds:
                round_results: Round = {}
                for connections in CONNECTIONS:
                    for name, candidate in candidates.items():
                        candidate.server.send(signal.SIGCONT)
                        try:
                            round_results[name, connections] = _measure_load(name, candidate, connections, seconds)
                        finally:
                            candidate.server.send(signal.SIGSTOP)
                rounds_done.add(round_results)
                print(f"{model.name}: round {len(rounds_done.done)} of {rounds} finished.", file=sys.stderr)
        finally:
            for server in servers.values():
                server.send(signal.SIGCONT)


def _measure_load(name: str, candidate: Candidate, connections: int, seconds: float) -> LoadResult:
    before = candidate.server.cpu_seconds()
    if name == GRPC_LOGGED:
        command = ["benchmarks.grpc_load_generator", str(candidate.server.port)]
    else:
        command = ["benchmarks.load_generator", str(candidate.server.port), candidate.path]
    done = subprocess.run(
        [sys.executable, "-m", *command, str(connections), str(seconds)],
        input=candidate.bodies,
        stdout=subprocess.PIPE,
        check=True,
        timeout=120 + 10 * seconds,
    )
    load = Load(**json.loads(done.stdout))
    used = candidate.server.cpu_seconds() - before
    return LoadResult(load=load, cpu_ms=used / max(load.with_warm_up, 1) * 1e3, megabytes=candidate.server.megabytes())


def _start_all(model: ModelRequests, scratch: Path, stack: ExitStack) -> tuple[dict[str, Candidate], list[str]]:
    """Start every server with this model; yields also the reasons why others did not start."""
    serve = ("-m", "pitfalls_tf", "serve", "--models", str(model.saved_model.parents[1]), "--rest-port", "0", "--json")
    path = f"/v1/models/{model.name}:predict"
    candidates = {
        BARE: Candidate(server=_product_server(stack, ("-m", "benchmarks.bare_app")), path=path, bodies=model.rows)
    }
    candidates[OURS] = Candidate(server=_product_server(stack, serve), path=path, bodies=model.rows)
    port = free_port()
    server = _product_server(stack, (*serve, "--grpc-port", str(port), "--traffic", str(scratch / model.name)))
    candidates[LOGGED] = Candidate(server=server, path=path, bodies=model.rows)
    candidates[GRPC_LOGGED] = Candidate(server=Server(port=port, pid=server.pid), path="", bodies=model.messages)
    missing = []
    for number, (name, start) in enumerate(PEER_STARTS.items()):
        folder = scratch / f"{model.name}-{number}"
        try:
            candidates[name] = start(model, folder, stack)
        except CannotRun as error:
            missing.append(f"{name} did not run: {error}")
    return candidates, missing


def _product_server(stack: ExitStack, arguments: tuple[str, ...]) -> Server:
    begun = stack.enter_context(started(arguments))
    return Server(port=begun.port, pid=begun.pid)


Start = Callable[[ModelRequests, Path, ExitStack], Candidate]


def _peer(requirements: str, path: str, command: Callable[[Path, ModelRequests, int], list[str]]) -> Start:
    def start(model: ModelRequests, folder: Path, stack: ExitStack) -> Candidate:
        programs = environment(requirements)
        port = free_port()
        tensors = path.startswith("/v2/")
        bodies = model.tensors if tensors else model.rows
        if tensors:
            write_mlserver(folder, port)
        else:
            folder.mkdir()
        probe = (path, bodies.split(b"\n", 1)[0])
        context = running(
            command(programs, model, port), port=port, probe=probe, folder=folder, model=model.saved_model
        )
        return Candidate(server=stack.enter_context(context), path=path, bodies=bodies)

    return start


PEER_STARTS: Mapping[str, Start] = {
    LITSERVE: _peer(
        "requirements.txt",
        "/predict",
        lambda programs, model, port: [
            str(programs / "python"), str(PEERS / "litserve_app.py"), str(model.saved_model), str(port), "1",
        ],
    ),
    LITSERVE_BATCHES: _peer(
        "requirements.txt",
        "/predict",
        lambda programs, model, port: [
            str(programs / "python"), str(PEERS / "litserve_app.py"), str(model.saved_model), str(port), "64",
        ],
    ),
    BENTOML: _peer(
        "requirements.txt",
        "/predict",
        lambda programs, _, port: [
            str(programs / "bentoml"), "serve", "bentoml_service:Peer",
            "--host", "127.0.0.1", "--port", str(port), "--working-dir", str(PEERS),
        ],
    ),
    MLSERVER: _peer(
        "requirements-mlserver.txt",
        "/v2/models/peer/infer",
        lambda programs, *_: [str(programs / "mlserver"), "start", "."],
    ),
    FASTAPI: _peer(
        "requirements.txt",
        "/predict",
        lambda programs, model, port: [
            str(programs / "python"), str(PEERS / "fastapi_app.py"), str(model.saved_model), str(port),
        ],
    ),
}  # fmt: skip


def _median(results: Iterable[LoadResult], figure: Callable[[LoadResult], float]) -> float:
    return statistics.median(figure(result) for result in results)


def _rate(result: LoadResult) -> float:
    return result.load.rate


def _table(model: str, results: ResultsByServer, rounds: int, seconds: float) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for connections in CONNECTIONS:
        for name in dict.fromkeys(name for name, _ in results):
            group = results[name, connections]
            rows.append(
                (
                    name,
                    connections,
                    _median(group, _rate),
                    _median(group, lambda result: result.load.p50_ms),
                    _median(group, lambda result: result.load.p99_ms),
                    _median(group, lambda result: result.cpu_ms),
                    _median(group, lambda result: result.megabytes),
                    _median(group, lambda result: result.load.cpu_seconds / result.load.seconds),
                )
            )
    return Table(
        title={"dense": "Dense 32→64→64→10", "convnet": "Convnet of 16 by 16 pixels"}[model] + ", one row per request",
        columns=("server", "connections", "responses/s", "p50 ms", "p99 ms", "CPU ms", "RSS MB", "generator busy"),
        rows=tuple(rows),
        note=(
            f"Median of {rounds} rounds of {seconds:g} s after {min(seconds, 1.0):g} s of warm-up, closed loop, "
            "servers in turns with the others paused. CPU: per response, of all processes of a server. Server and "
            "generator share the cores; a generator that is busy near 1 is the bottleneck."
        ),
    )


def _goals(model: str, results: ResultsByServer) -> list[Goal]:
    """Goals as ratios: the median over rounds of the ratio within a round."""

    def ratio(name: str, other: str, connections: int, figure: Callable[[LoadResult], float]) -> float:
        pairs = zip(results[name, connections], results[other, connections], strict=True)
        ratios = [figure(a) / figure(b) for a, b in pairs if b.load.responses]
        return statistics.median(ratios) if ratios else float("nan")

    def p50(result: LoadResult) -> float:
        return result.load.p50_ms

    goals = [
        Goal(model=model, of="of the ceiling's throughput at 64 connections, logged", least=0.5,
             got=ratio(LOGGED, BARE, 64, _rate)),
        Goal(model=model, of="times the ceiling's p50 at 1 connection, logged", most=2.5,
             got=ratio(LOGGED, BARE, 1, p50)),
        Goal(model=model, of="of the throughput without the log at 64 connections", least=0.9,
             got=ratio(LOGGED, OURS, 64, _rate)),
        Goal(model=model, of="of REST's throughput for gRPC's at 64 connections, logged", least=0.35,
             got=ratio(GRPC_LOGGED, LOGGED, 64, _rate)),
        Goal(model=model, of="times REST's CPU for gRPC's at 64 connections, logged", most=3.0,
             got=ratio(GRPC_LOGGED, LOGGED, 64, lambda result: result.cpu_ms)),
        Goal(model=model, of="times p50 for p99 at 64 connections, logged", most=4.0,
             got=statistics.median(result.load.p99_ms / result.load.p50_ms for result in results[LOGGED, 64])),
    ]  # fmt: skip
    rivals = [name for name in (LITSERVE, LITSERVE_BATCHES) if (name, 64) in results]
    if rivals:
        best = max(rivals, key=lambda name: _median(results[name, 64], _rate))
        got = ratio(LOGGED, best, 64, _rate)
        goals.insert(0, Goal(model=model, of=f"times {best} at 64 connections, logged", least=8.0, got=got))
    return goals


def _goal_table(goals: list[Goal]) -> Table:
    return Table(
        title="Goals",
        columns=("goal", "model", "got", "reached"),
        rows=tuple((str(goal), goal.model, goal.got, "yes" if goal.reached else "no") for goal in goals),
        note="Each is the median over rounds of the ratio within one round. One worker each.",
    )


def _failures(results: ResultsByServer) -> list[str]:
    return [
        f"{name}, {connections} connections: {failed} requests failed."
        for (name, connections), group in results.items()
        if (failed := sum(result.load.failures for result in group))
    ]
