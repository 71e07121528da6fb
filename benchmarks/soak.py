"""Worker processes under steady load while their model's version is swapped every 20 s: failed requests, and memory.

python -m benchmarks.soak FOLDER writes the model that is served, as a version folder, and prints a gRPC request for it.
"""

from __future__ import annotations

import base64
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load_generator import WARM_UP, Load
from benchmarks.results import Result, Settings, Table
from benchmarks.serving_speed import Server, started
from monitoring.traffic.log.log import TrafficLog

CONNECTIONS = 16
GRPC_CONNECTIONS = 4
SWAP_S = 20.0
QUICK_SWAP_S = 5.0
MODEL = "soak"
BODY = b'{"instances": [[1.0, 2.0, 3.0, 4.0]]}'
#: Float32 values of the model's largest variable: large enough for a version that stays in memory to show.
WIDTH = 4_000_000
#: Swaps before memory is looked at: by then every code path has been taken and every pool is full.
SETTLED = 3


@dataclass(slots=True)
class Swaps:
    """What happened to the versions, and how large all workers together were after each swap."""

    rss_mb: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def measure(settings: Settings) -> Result:
    """Cost: the minutes asked for, and the start of a server; 100 MB on disk."""
    seconds, every_s = (30.0, QUICK_SWAP_S) if settings.quick else (60 * settings.minutes, SWAP_S)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        template = folder / "template"
        wrote = subprocess.run(
            [sys.executable, "-m", "benchmarks.soak", str(template)], check=True, stdout=subprocess.PIPE
        )
        models = folder / "models" / MODEL
        models.mkdir(parents=True)
        _publish(template, models, 1)
        serve = ("-m", "pitfalls_tf", "serve", "--models", str(models.parent), "--rest-port", "0", "--grpc-port", "0")
        traffic = folder / "traffic"
        with started((*serve, "--json", "--traffic", str(traffic), "--workers", str(settings.workers))) as server:
            swaps = Swaps()
            stop = threading.Event()
            swapping = threading.Thread(target=_keep_swapping, args=(server, template, models, every_s, swaps, stop))
            loads = _loads(server, wrote.stdout, seconds, swapping.start)
            stop.set()
            swapping.join()
        rows = TrafficLog(traffic).summary().rows
    tables = (_load_table(loads, rows), _swap_table(swaps, settings.workers, every_s))
    return Result(tables=tables, remarks=_remarks(swaps, loads, rows))


def _loads(server: Server, grpc_request: bytes, seconds: float, when_warm: Callable[[], None]) -> dict[str, Load]:
    """Both dialects at once, each from a process of its own."""
    rest = ["load_generator", str(server.port), f"/v1/models/{MODEL}:predict", str(CONNECTIONS), str(seconds)]
    grpc = ["grpc_load_generator", str(server.grpc), str(GRPC_CONNECTIONS), str(seconds)]
    with ExitStack() as stack:
        running = []
        for (module, *arguments), requests in ((rest, BODY), (grpc, grpc_request)):
            command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
            one = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            assert one.stdin is not None
            one.stdin.write(requests)
            one.stdin.close()
            one.stdin = None
            running.append(one)
        time.sleep(WARM_UP)
        when_warm()
        said = [one.communicate()[0] for one in running]
    return {name: Load(**json.loads(out)) for name, out in zip(("REST", "gRPC"), said, strict=True)}


def _keep_swapping(
    server: Server, template: Path, models: Path, every_s: float, swaps: Swaps, stop: threading.Event
) -> None:
    """A new version, and when it answers the old one's folder is deleted, so that it is let go."""
    number = 1
    while not stop.wait(every_s):
        begun = time.perf_counter()
        number += 1
        _publish(template, models, number)
        while not _answers(server, number):
            if stop.wait(0.2):
                return
        swaps.seconds.append(time.perf_counter() - begun)
        shutil.rmtree(models / str(number - 1))
        if stop.wait(every_s / 4):
            return
        swaps.rss_mb.append(sum(_rss_mb(pid) for pid in _processes(server.pid)))


def _publish(template: Path, models: Path, number: int) -> None:
    aside = models / f".{number}"
    shutil.copytree(template, aside)
    aside.rename(models / str(number))


def _answers(server: Server, number: int) -> bool:
    url = f"http://127.0.0.1:{server.port}/v1/models/{MODEL}"
    with urllib.request.urlopen(url, timeout=60) as reply:
        known = json.load(reply)["model_version_status"]
    return any(one["version"] == str(number) and one["state"] == "AVAILABLE" for one in known)


def _processes(pid: int) -> list[int]:
    """Of the server: its workers and itself."""
    return [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())]


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * 4096 / 1e6


def _load_table(loads: Mapping[str, Load], rows: int) -> Table:
    return Table(
        title=f"Both dialects at once, for {loads['REST'].seconds:.0f} s",
        columns=("dialect", "connections", "answers", "failed", "p50 ms", "p99 ms"),
        rows=tuple(
            (name, load.connections, load.with_warm_up, load.failures, load.p50_ms, load.p99_ms)
            for name, load in loads.items()
        ),
        note=(
            "Closed loops, one row a request; failed counts answers other than 200 or OK and hang-ups. "
            f"The traffic log has {rows} rows."
        ),
    )


def _swap_table(swaps: Swaps, workers: int, every_s: float) -> Table:
    settled = swaps.rss_mb[SETTLED:]
    taken = statistics.median(swaps.seconds) if swaps.seconds else None
    ends = (settled[0], settled[-1]) if settled else (None, None)
    return Table(
        title=f"A new version every {every_s:.0f} s",
        columns=("workers", "swaps", "s to take over", "RSS MB settled", "last", "growth MB a swap"),
        rows=((workers, len(swaps.rss_mb), taken, *ends, growth(settled)),),
        note=(
            "RSS: of all processes, a quarter of the interval after a swap; settled: after "
            f"{SETTLED} swaps. Growth: slope of the straight line through all that follow. A version holds "
            f"{4 * WIDTH / 1e6:.0f} MB of variables in each worker."
        ),
    )


def growth(values: Sequence[float]) -> float | None:
    """The slope of the straight line that fits best; None for fewer than three values.

    >>> growth([1.0, 3.0, 5.0])
    2.0
    """
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 2 else None


def _remarks(swaps: Swaps, loads: Mapping[str, Load], rows: int) -> tuple[str, ...]:
    failures, answers = (sum(getattr(load, what) for load in loads.values()) for what in ("failures", "with_warm_up"))
    remarks = [f"{failures} requests failed."] if failures else []
    if rows != answers - failures:
        remarks.append(f"The log has {rows} rows for {answers - failures} answers.")
    if growth(swaps.rss_mb[SETTLED:]) is None:
        remarks.append("Too short to say whether memory grows.")
    return tuple(remarks)


def write_model(folder: Path) -> None:
    """A SavedModel with one large variable that little is computed with."""
    import tensorflow as tf  # noqa: PLC0415 - in a process of its own

    module = tf.Module()
    module.weights = tf.Variable(tf.ones([4, WIDTH // 4]))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def call(x: object) -> dict[str, object]:
        return {"y": tf.matmul(x, module.weights[:, :2])}

    tf.saved_model.save(module, str(folder), signatures=call)


def grpc_request() -> bytes:
    """What BODY asks, as a ``PredictRequest`` in base64."""
    from tensorflow import make_tensor_proto  # noqa: PLC0415 - in a process of its own
    from tensorflow_serving.apis import predict_pb2  # noqa: PLC0415 - as above

    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    request.inputs["x"].CopyFrom(make_tensor_proto(json.loads(BODY)["instances"], "float32"))
    return base64.b64encode(request.SerializeToString())


if __name__ == "__main__":
    write_model(Path(sys.argv[1]))
    sys.stdout.buffer.write(grpc_request())
