"""Worker processes under steady load while their model's version is swapped every 20 s: failed requests, and memory.

`python -m benchmarks.soak FOLDER` writes the served model as a version folder and prints a gRPC request for it.
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
#: Float32 values of the model's largest variable, large enough that a version left in memory is visible.
WIDTH = 4_000_000
#: Swaps before memory is measured; by then every code path was taken and every pool is full.
WARM_SWAPS = 3


@dataclass(slots=True)
class Swaps:
    """Versions, and memory of all workers together after each swap."""

    rss_mb: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def measure(settings: Settings) -> Result:
    """Run the soak test. Cost: the requested minutes, the start of a server, and 100 MB on disk."""
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
    """Load both APIs concurrently, each from its own process."""
    rest = ["load_generator", str(server.port), f"/v1/models/{MODEL}:predict", str(CONNECTIONS), str(seconds)]
    grpc = ["grpc_load_generator", str(server.grpc), str(GRPC_CONNECTIONS), str(seconds)]
    with ExitStack() as stack:
        running = []
        for (module, *arguments), requests in ((rest, BODY), (grpc, grpc_request)):
            command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
            process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            assert process.stdin is not None
            process.stdin.write(requests)
            process.stdin.close()
            process.stdin = None
            running.append(process)
        time.sleep(WARM_UP)
        when_warm()
        outputs = [process.communicate()[0] for process in running]
    return {name: Load(**json.loads(out)) for name, out in zip(("REST", "gRPC"), outputs, strict=True)}


def _keep_swapping(
    server: Server, template: Path, models: Path, every_s: float, swaps: Swaps, stop: threading.Event
) -> None:
    """Publish new versions, and delete the folder of the old one when the new one serves, so that it is unloaded."""
    number = 1
    while not stop.wait(every_s):
        begun = time.perf_counter()
        number += 1
        _publish(template, models, number)
        while not _serves(server, number):
            if stop.wait(0.2):
                return
        swaps.seconds.append(time.perf_counter() - begun)
        shutil.rmtree(models / str(number - 1))
        if stop.wait(every_s / 4):
            return
        swaps.rss_mb.append(sum(_rss_mb(pid) for pid in _processes(server.pid)))


def _publish(template: Path, models: Path, number: int) -> None:
    temporary = models / f".{number}"
    shutil.copytree(template, temporary)
    temporary.rename(models / str(number))


def _serves(server: Server, number: int) -> bool:
    url = f"http://127.0.0.1:{server.port}/v1/models/{MODEL}"
    with urllib.request.urlopen(url, timeout=60) as reply:
        statuses = json.load(reply)["model_version_status"]
    return any(status["version"] == str(number) and status["state"] == "AVAILABLE" for status in statuses)


def _processes(pid: int) -> list[int]:
    """Processes of the server: its workers and itself."""
    return [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())]


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * 4096 / 1e6


def _load_table(loads: Mapping[str, Load], rows: int) -> Table:
    return Table(
        title=f"Both APIs concurrently, for {loads['REST'].seconds:.0f} s",
        columns=("API", "connections", "responses", "failed", "p50 ms", "p99 ms"),
        rows=tuple(
            (name, load.connections, load.with_warm_up, load.failures, load.p50_ms, load.p99_ms)
            for name, load in loads.items()
        ),
        note=(
            "Closed loops, one row per request; failed counts responses other than 200 or OK and closed connections. "
            f"The traffic log has {rows} rows."
        ),
    )


def _swap_table(swaps: Swaps, workers: int, every_s: float) -> Table:
    warm = swaps.rss_mb[WARM_SWAPS:]
    median_s = statistics.median(swaps.seconds) if swaps.seconds else None
    ends = (warm[0], warm[-1]) if warm else (None, None)
    return Table(
        title=f"A new version every {every_s:.0f} s",
        columns=("workers", "swaps", "s until it serves", "RSS MB when warm", "last", "growth MB per swap"),
        rows=((workers, len(swaps.rss_mb), median_s, *ends, growth(warm)),),
        note=(
            "RSS: of all processes, a quarter of the interval after a swap; when warm: after "
            f"{WARM_SWAPS} swaps. Growth: slope of the regression line through all later ones. A version has "
            f"{4 * WIDTH / 1e6:.0f} MB of variables in each worker."
        ),
    )


def growth(values: Sequence[float]) -> float | None:
    """Slope of the regression line.

    Returns:
        The slope per value; None for fewer than three values.

    >>> growth([1.0, 3.0, 5.0])
    2.0
    """
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 2 else None


def _remarks(swaps: Swaps, loads: Mapping[str, Load], rows: int) -> tuple[str, ...]:
    failures, responses = (
        sum(getattr(load, field_name) for load in loads.values()) for field_name in ("failures", "with_warm_up")
    )
    remarks = [f"{failures} requests failed."] if failures else []
    if rows != responses - failures:
        remarks.append(f"The log has {rows} rows for {responses - failures} responses.")
    if growth(swaps.rss_mb[WARM_SWAPS:]) is None:
        remarks.append("Too short to decide whether memory grows.")
    return tuple(remarks)


def write_model(folder: Path) -> None:
    """Write a SavedModel with one large variable and little computation."""
    import tensorflow as tf  # noqa: PLC0415 - in its own process

    module = tf.Module()
    module.weights = tf.Variable(tf.ones([4, WIDTH // 4]))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def call(x: object) -> dict[str, object]:
        return {"y": tf.matmul(x, module.weights[:, :2])}

    tf.saved_model.save(module, str(folder), signatures=call)


def grpc_request() -> bytes:
    """BODY as a ``PredictRequest`` in base64."""
    from tensorflow import make_tensor_proto  # noqa: PLC0415 - in its own process
    from tensorflow_serving.apis import predict_pb2  # noqa: PLC0415 - as above

    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    request.inputs["x"].CopyFrom(make_tensor_proto(json.loads(BODY)["instances"], "float32"))
    return base64.b64encode(request.SerializeToString())


if __name__ == "__main__":
    write_model(Path(sys.argv[1]))
    sys.stdout.buffer.write(grpc_request())
