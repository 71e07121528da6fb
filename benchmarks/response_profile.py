"""Time per stage of one request, from complete request to complete response, in one process without sockets."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from benchmarks.peer_models import ModelRequests, export_models
from benchmarks.results import Cell, Result, Settings, Table
from monitoring.traffic.format.segments import SegmentFile
from monitoring.traffic.log.writer import TrafficWriter
from serving.capture.capture import Capture
from serving.inference.inference import Inference
from serving.models.model_list import ModelList, ModelsFolder
from serving.models.runner import Runner
from serving.models.versions import Models
from serving.rest import calls, instances
from serving.server.http_app import HttpApp, HttpDependencies
from serving.transport.http_request import HttpRequest
from serving.transport.http_response import HttpResponse

CONCURRENCY = (1, 16, 64)
ALL = "all"
PARSING, LOGGING = "read head and JSON, find the model", "log: record and write"
Stage = tuple[Any, str, str]
#: Timed stages; inner stages follow the stages that contain them.
STAGES: tuple[Stage, ...] = (
    (HttpApp, "answer", PARSING),
    (calls, "parse_object", "  of it: JSON"),
    (calls, "read_number_rows", "  of it: JSON"),
    (instances.InstancesFormat, "read_regular", "numbers into tensors"),
    (Runner, "run", "the model, by a session callable"),
    (instances, "write_batch", "tensors into JSON"),
    (Capture, "record", LOGGING),
    (SegmentFile, "append", "  of it: the system call"),
)
HEADERS = ((b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"content-length", b"999"))

Times = dict[str, list[int]]


def measure(settings: Settings) -> Result:
    """Measure both models with 1, 16 and 64 concurrent requests, with and without the log. Cost: about a minute."""
    responses = 640 if settings.quick else 12_800
    with tempfile.TemporaryDirectory() as scratch:
        models = export_models(Path(scratch) / "models")
        tables = [_table(model, Path(scratch), responses) for model in models]
    return Result(tables=tuple(tables))


def _table(model: ModelRequests, scratch: Path, responses: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for concurrency in CONCURRENCY:
        with LoggedCapture(scratch / f"{model.name}-{concurrency}") as capture:
            logged = _profile(model, capture, concurrency, responses)
        bare = _profile(model, Capture(None), concurrency, responses)
        stages = list(dict.fromkeys(stage for _, _, stage in STAGES))
        other = logged[ALL] - sum(logged[stage] for stage in stages if not stage.startswith(" "))
        rows += [(concurrency, stage, logged[stage]) for stage in stages]
        rows += [
            (concurrency, "the rest: batching, counting, deadlines", other),
            (concurrency, "all, logged", logged[ALL]),
            (concurrency, "all, without the log", bare[ALL]),
        ]
    return Table(
        title=f"{model.name}: time per stage of a request",
        columns=("concurrent requests", "stage", "µs per response"),
        rows=tuple(rows),
        note="Medians over rounds. Timing adds about half a microsecond per stage and round.",
    )


class LoggedCapture:
    """A capture into its own traffic log."""

    def __init__(self, folder: Path) -> None:
        self._writer = TrafficWriter(folder, clock=lambda: datetime.now(UTC))

    def __enter__(self) -> Capture:
        return Capture(self._writer)

    def __exit__(self, *_: object) -> None:
        self._writer.close()


def _profile(model: ModelRequests, capture: Capture, concurrency: int, responses: int) -> dict[str, float]:
    """Microseconds per response by stage."""
    folder = model.saved_model.parents[1]
    models = Models(ModelList(ModelsFolder(folder=folder)), load=Runner, report=lambda _: None)
    models.poll()
    inference = Inference(capture=capture)
    app = HttpApp(HttpDependencies(models=models, inference=inference, capture=capture))
    target = f"/v1/models/{model.name}:predict"
    requests = [HttpRequest("POST", target, HEADERS, body) for body in model.rows.splitlines()]
    with timed(STAGES) as times:
        uvloop.run(_send(app, requests, concurrency, responses, times))
    inference.close()
    models.close()
    rounds = len(times[ALL])
    return {
        stage: float(np.median(samples)) * len(samples) / rounds / concurrency / 1e3 for stage, samples in times.items()
    } | {stage: 0.0 for _, _, stage in STAGES if stage not in times}


async def _send(app: HttpApp, requests: Sequence[HttpRequest], concurrency: int, responses: int, times: Times) -> None:
    loop = asyncio.get_running_loop()
    sent = 0

    async def run_round() -> None:
        nonlocal sent
        open_requests = concurrency
        done = loop.create_future()

        def reply(response: HttpResponse) -> None:
            nonlocal open_requests
            assert response.status == 200, response.body
            open_requests -= 1
            if not open_requests:
                done.set_result(None)

        for _ in range(concurrency):
            sent += 1
            app.answer(requests[sent % len(requests)], reply)
        await done

    for _ in range(50):
        await run_round()
    times.clear()
    for _ in range(responses // concurrency):
        begin = time.perf_counter_ns()
        await run_round()
        times[ALL].append(time.perf_counter_ns() - begin)


@contextmanager
def timed(stages: Sequence[Stage], clock_ns: Callable[[], int] = time.perf_counter_ns) -> Iterator[Times]:
    """Time every stage while the context lasts, in nanoseconds per call."""
    times: Times = defaultdict(list)
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in stages]
    for owner, name, stage in stages:
        setattr(owner, name, _timed_call(getattr(owner, name), times, stage, clock_ns))
    try:
        yield times
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _timed_call(
    function: Callable[..., Any], times: Times, stage: str, clock_ns: Callable[[], int]
) -> Callable[..., Any]:
    @wraps(function)
    def timed_call(*arguments: Any, **options: Any) -> Any:
        begin = clock_ns()
        try:
            return function(*arguments, **options)
        finally:
            times[stage].append(clock_ns() - begin)

    return timed_call
