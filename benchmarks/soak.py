"""One server under steady load while its model's version is swapped every 20 s: failed requests, and memory.

python -m benchmarks.soak FOLDER writes the model that is served, as a version folder.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load_generator import WARM_UP, Load
from benchmarks.results import Result, Settings, Table
from benchmarks.serving_speed import Server, started

CONNECTIONS = 16
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
    """What happened to the versions, and how large the server was after each swap."""

    rss_mb: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def measure(settings: Settings) -> Result:
    """Cost: the minutes asked for, and the start of a server; 100 MB on disk."""
    seconds, every_s = (30.0, QUICK_SWAP_S) if settings.quick else (60 * settings.minutes, SWAP_S)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        template = folder / "template"
        subprocess.run([sys.executable, "-m", "benchmarks.soak", str(template)], check=True, capture_output=True)
        models = folder / "models" / MODEL
        models.mkdir(parents=True)
        _publish(template, models, 1)
        serve = ("-m", "pitfalls_tf", "serve", "--models", str(models.parent), "--rest-port", "0", "--grpc-port", "off")
        with started((*serve, "--json", "--traffic", str(folder / "traffic"))) as server:
            swaps, load = _soak(server, template, models, seconds, every_s)
    return Result(tables=(_table(swaps, load),), remarks=_remarks(swaps, load))


def _soak(server: Server, template: Path, models: Path, seconds: float, every_s: float) -> tuple[Swaps, Load]:
    command = [sys.executable, "-m", "benchmarks.load_generator", str(server.port), f"/v1/models/{MODEL}:predict"]
    command += [str(CONNECTIONS), str(seconds)]
    swaps = Swaps()
    stop = threading.Event()
    swapping = threading.Thread(target=_keep_swapping, args=(server, template, models, every_s, swaps, stop))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as loading:
        time.sleep(WARM_UP)
        swapping.start()
        out, _ = loading.communicate(BODY)
        stop.set()
        swapping.join()
    return swaps, Load(**json.loads(out))


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
        swaps.rss_mb.append(_rss_mb(server.pid))


def _publish(template: Path, models: Path, number: int) -> None:
    aside = models / f".{number}"
    shutil.copytree(template, aside)
    aside.rename(models / str(number))


def _answers(server: Server, number: int) -> bool:
    url = f"http://127.0.0.1:{server.port}/v1/models/{MODEL}"
    with urllib.request.urlopen(url, timeout=60) as reply:
        known = json.load(reply)["model_version_status"]
    return any(one["version"] == str(number) and one["state"] == "AVAILABLE" for one in known)


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * 4096 / 1e6


def _table(swaps: Swaps, load: Load) -> Table:
    settled = swaps.rss_mb[SETTLED:]
    return Table(
        title=f"{CONNECTIONS} connections for {load.seconds:.0f} s, a new version every {SWAP_S:.0f} s",
        columns=(
            "swaps",
            "answers",
            "failed",
            "p50 ms",
            "p99 ms",
            "s to take over",
            "RSS MB settled",
            "last",
            "growth MB a swap",
        ),
        rows=(
            (
                len(swaps.rss_mb),
                load.with_warm_up,
                load.failures,
                load.p50_ms,
                load.p99_ms,
                statistics.median(swaps.seconds) if swaps.seconds else None,
                settled[0] if settled else None,
                settled[-1] if settled else None,
                growth(settled),
            ),
        ),
        note=(
            "Closed loop, one row a request, with the traffic log; failed counts answers other than 200 and hang-ups. "
            f"RSS: the server's, a quarter of the interval after a swap; settled: after {SETTLED} swaps. Growth: slope "
            f"of the straight line through all that follow. A version holds {4 * WIDTH / 1e6:.0f} MB of variables."
        ),
    )


def growth(values: Sequence[float]) -> float | None:
    """The slope of the straight line that fits best; None for fewer than three values.

    >>> growth([1.0, 3.0, 5.0])
    2.0
    """
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 2 else None


def _remarks(swaps: Swaps, load: Load) -> tuple[str, ...]:
    remarks = [f"{load.failures} requests failed."] if load.failures else []
    slope = growth(swaps.rss_mb[SETTLED:])
    if slope is None:
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


if __name__ == "__main__":
    write_model(Path(sys.argv[1]))
