"""Where the time of one answer goes, from a whole request to its whole response, in one process and without sockets."""

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

from benchmarks.peer_models import Asked, exported
from benchmarks.results import Cell, Result, Settings, Table
from monitoring.traffic.format.segments import SegmentFile
from monitoring.traffic.log.writer import TrafficWriter
from serving.capture.capture import Capture
from serving.inference.inference import Inference
from serving.models.model_list import ModelList, ModelsFolder
from serving.models.runner import Runner
from serving.models.versions import Models
from serving.rest import calls, instances_format
from serving.server.http_app import HttpApp, HttpDependencies
from serving.transport.http_request import HttpRequest
from serving.transport.http_response import HttpResponse

AT_ONCE = (1, 16, 64)
ALL = "all"
ASKING, LOGGING = "read head and JSON, find the model", "log: record and write"
Stage = tuple[Any, str, str]
#: What is timed, inner stages after those they are part of.
STAGES: tuple[Stage, ...] = (
    (HttpApp, "answer", ASKING),
    (calls, "parse_object", "  of it: JSON"),
    (calls, "read_number_rows", "  of it: JSON"),
    (instances_format.InstancesFormat, "read_regular", "numbers into tensors"),
    (Runner, "run", "the model, by a session callable"),
    (instances_format, "write_batch", "tensors into JSON"),
    (Capture, "record", LOGGING),
    (SegmentFile, "append", "  of it: the system call"),
)
HEADERS = ((b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"content-length", b"999"))

Times = dict[str, list[int]]


def measure(settings: Settings) -> Result:
    """Each model under one, 16 and 64 requests at once, with and without the log. Cost: about a minute."""
    answers = 640 if settings.quick else 12_800
    with tempfile.TemporaryDirectory() as scratch:
        models = exported(Path(scratch) / "models")
        tables = [_table(model, Path(scratch), answers) for model in models]
    return Result(tables=tuple(tables))


def _table(model: Asked, scratch: Path, answers: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for at_once in AT_ONCE:
        with TrafficLogged(scratch / f"{model.name}-{at_once}") as capture:
            logged = _profile(model, capture, at_once, answers)
        bare = _profile(model, Capture(None), at_once, answers)
        stages = list(dict.fromkeys(stage for _, _, stage in STAGES))
        other = logged[ALL] - sum(logged[stage] for stage in stages if not stage.startswith(" "))
        rows += [(at_once, stage, logged[stage]) for stage in stages]
        rows += [
            (at_once, "the rest: batching, counting, deadlines", other),
            (at_once, "all, logged", logged[ALL]),
            (at_once, "all, without the log", bare[ALL]),
        ]
    return Table(
        title=f"{model.name}: where an answer's time goes",
        columns=("requests at once", "stage", "µs an answer"),
        rows=tuple(rows),
        note="Medians over rounds of so many requests. Timing itself adds about half a microsecond a stage and round.",
    )


class TrafficLogged:
    """A capture into a traffic log of its own."""

    def __init__(self, folder: Path) -> None:
        self._writer = TrafficWriter(folder, clock=lambda: datetime.now(UTC))

    def __enter__(self) -> Capture:
        return Capture(self._writer)

    def __exit__(self, *_: object) -> None:
        self._writer.close()


def _profile(model: Asked, capture: Capture, at_once: int, answers: int) -> dict[str, float]:
    """Microseconds an answer by stage."""
    folder = model.saved_model.parents[1]
    models = Models(ModelList(ModelsFolder(folder=folder)), load=Runner, report=lambda _: None)
    models.poll()
    inference = Inference(capture=capture)
    app = HttpApp(HttpDependencies(models=models, inference=inference, capture=capture))
    target = f"/v1/models/{model.name}:predict"
    requests = [HttpRequest("POST", target, HEADERS, body) for body in model.rows.splitlines()]
    with timed(STAGES) as times:
        uvloop.run(_asked(app, requests, at_once, answers, times))
    inference.close()
    models.close()
    rounds = len(times[ALL])
    return {stage: float(np.median(found)) * len(found) / rounds / at_once / 1e3 for stage, found in times.items()} | {
        stage: 0.0 for _, _, stage in STAGES if stage not in times
    }


async def _asked(app: HttpApp, requests: Sequence[HttpRequest], at_once: int, answers: int, times: Times) -> None:
    loop = asyncio.get_running_loop()
    asked = 0

    async def one_round() -> None:
        nonlocal asked
        left = at_once
        done = loop.create_future()

        def reply(response: HttpResponse) -> None:
            nonlocal left
            assert response.status == 200, response.body
            left -= 1
            if not left:
                done.set_result(None)

        for _ in range(at_once):
            asked += 1
            app.answer(requests[asked % len(requests)], reply)
        await done

    for _ in range(50):
        await one_round()
    times.clear()
    for _ in range(answers // at_once):
        begin = time.perf_counter_ns()
        await one_round()
        times[ALL].append(time.perf_counter_ns() - begin)


@contextmanager
def timed(stages: Sequence[Stage], clock_ns: Callable[[], int] = time.perf_counter_ns) -> Iterator[Times]:
    """Every stage with a clock around it, in nanoseconds a call, while the block runs."""
    times: Times = defaultdict(list)
    originals = [(place, name, getattr(place, name)) for place, name, _ in stages]
    for place, name, stage in stages:
        setattr(place, name, _clocked(getattr(place, name), times, stage, clock_ns))
    try:
        yield times
    finally:
        for place, name, original in originals:
            setattr(place, name, original)


def _clocked(function: Callable[..., Any], times: Times, stage: str, clock_ns: Callable[[], int]) -> Callable[..., Any]:
    @wraps(function)
    def clocked(*arguments: Any, **options: Any) -> Any:
        begin = clock_ns()
        try:
            return function(*arguments, **options)
        finally:
            times[stage].append(clock_ns() - begin)

    return clocked
