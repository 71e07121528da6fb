"""Latency of a small model beside a slow one, and beside large responses over gRPC, on the same server."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.grpc_load_generator import METHOD
from benchmarks.load_generator import Load
from benchmarks.results import Result, Settings, Table
from benchmarks.serving_speed import Server, generated, load_command, started

#: Clients of the slow model, and those of the small one.
SLOW_CLIENTS, CLIENTS = (0, 1, 16), 1

#: How long one call of the slow model takes, about, by itself.
SLOW_S = 2.0

#: Sizes of large responses, in MiB.
SIZES = (8, 16, 32, 64)

#: The small model may wait so many times as long as alone.
GOAL = 5.0

_BODY = b'{"instances": [1.0]}'


def measure(settings: Settings) -> Result:
    """Load the small model in turns beside each number of slow clients. Cost: a minute, and 1 GB."""
    seconds, rounds = (2.0, 1) if settings.quick else (6.0, 3)
    loads: dict[int, list[Load]] = {count: [] for count in SLOW_CLIENTS}
    with tempfile.TemporaryDirectory() as name:
        _export(Path(name))
        serve = ("-m", "pitfalls_tf", "serve", "--models", name, "--rest-port", "0", "--json")
        with started((*serve, "--traffic", str(Path(name) / "traffic"))) as server:
            slow = generated(server.port, _BODY, 1, 3 * SLOW_S, path=_path("slow"))
            assert slow.responses > slow.failures, "the slow model does not answer"
            for _ in range(rounds):
                for count in SLOW_CLIENTS:
                    with _slow_clients(server, count):
                        loads[count].append(generated(server.port, _BODY, CLIENTS, seconds, path=_path("small")))
            beside = {("yes", size): load for size, load in _beside_large(server, seconds)}
        with started(serve) as server:
            beside |= {("no", size): load for size, load in _beside_large(server, seconds)}
    medians = {count: statistics.median(load.p50_ms for load in parts) for count, parts in loads.items()}
    return Result(
        tables=(
            Table(
                title=f"A small model beside one of {SLOW_S:g} s, {rounds} rounds of {seconds:g} s each in turns",
                columns=("clients of the slow model", "p50, ms", "times alone", "p99, ms", "responses", "failures"),
                rows=tuple(
                    (
                        count,
                        medians[count],
                        medians[count] / medians[0],
                        statistics.median(load.p99_ms for load in parts),
                        sum(load.responses for load in parts),
                        sum(load.failures for load in parts),
                    )
                    for count, parts in loads.items()
                ),
                note=f"One client of the small model, logged. The goal is at most {GOAL:g} times alone.",
            ),
            Table(
                title="A small model beside large responses over gRPC",
                columns=("logged", "MiB a response", "p50, ms", "p99, ms", "longest, ms", "responses", "failures"),
                rows=tuple(
                    (logged, size, load.p50_ms, load.p99_ms, load.max_ms, load.responses, load.failures)
                    for (logged, size), load in beside.items()
                ),
                note=(
                    "One client of the small model over REST, and one of large responses, one after the other, by "
                    "gRPC's own client; it shares the processors. 0: no large responses."
                ),
            ),
        ),
        remarks=(f"One call of the slow model took {slow.p50_ms / 1e3:.1f} s by itself.",),
    )


def _beside_large(server: Server, seconds: float) -> Iterator[tuple[int, Load]]:
    """The small model beside responses of each size, and alone."""
    for size in (0, *SIZES):
        with _large_responses(server, size):
            yield size, generated(server.port, _BODY, CLIENTS, seconds, path=_path("small"))


def _path(model: str) -> str:
    return f"/v1/models/{model}:predict"


@contextmanager
def _slow_clients(server: Server, count: int) -> Iterator[None]:
    """Clients that each send the slow model one request after the other."""
    if not count:
        yield
        return
    command = load_command(server.port, _path("slow"), count, 3600.0)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as popen:
        assert popen.stdin is not None
        popen.stdin.write(_BODY)
        popen.stdin.close()
        time.sleep(SLOW_S)  # until the slow model is busy
        try:
            yield
        finally:
            popen.kill()


@contextmanager
def _large_responses(server: Server, size: int) -> Iterator[None]:
    """A client that asks for responses of so many MiB over gRPC, once the first has come; none for 0."""
    if not size:
        yield
        return
    command = [sys.executable, "-m", "benchmarks.model_isolation", "ask", str(server.grpc), str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as popen:
        try:
            assert popen.stdout is not None
            assert popen.stdout.readline(), "the large model does not answer"
            yield
        finally:
            popen.kill()


def _ask(port: int, size: int) -> NoReturn:
    import grpc  # noqa: PLC0415 - only in the process that asks
    from tensorflow import make_tensor_proto  # noqa: PLC0415 - as above
    from tensorflow_serving.apis import predict_pb2  # noqa: PLC0415 - as above

    request = predict_pb2.PredictRequest()
    request.model_spec.name = "large"
    request.inputs["x"].CopyFrom(make_tensor_proto([float(size << 18)], "float32"))  # so many numbers of 4 bytes
    message = request.SerializeToString()
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.max_receive_message_length", -1)]) as channel:
        call = channel.unary_unary(METHOD)
        while True:
            assert len(call(message)) > size << 20
            print(size, flush=True)


def _export(folder: Path) -> None:
    """Export the models, in a process of its own: two answer with half of their input plus two, one with many ones."""
    subprocess.run([sys.executable, "-m", "benchmarks.model_isolation", "export", str(folder)], check=True)


def _export_here(folder: Path) -> None:
    import tensorflow as tf  # noqa: PLC0415 - only in the process that exports

    def function(steps: int) -> Any:
        def serve(x: Any) -> dict[str, Any]:
            matrix = tf.eye(64) * x[0] / x[0]
            if steps:
                matrix = tf.while_loop(lambda _: True, lambda each: [each @ each], [matrix], maximum_iterations=steps)[
                    0
                ]
            return {"y": x / 2.0 + 1.0 + matrix[0, 0]}

        return tf.function(serve, input_signature=[tf.TensorSpec([None], tf.float32, name="x")])

    @tf.function(input_signature=[tf.TensorSpec([1], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def ones(x: Any) -> dict[str, Any]:
        return {"y": tf.fill([1, tf.cast(x[0], tf.int32)], 1.0)}

    trial = function(20_000)
    trial(tf.constant([1.0]))
    begun = time.perf_counter()
    trial(tf.constant([1.0]))
    steps = round(20_000 * SLOW_S / (time.perf_counter() - begun))
    for name, serve in {"small": function(0), "slow": function(steps), "large": ones}.items():
        module = tf.Module()
        module.serve = serve
        tf.saved_model.save(module, str(folder / name / "1"), signatures=module.serve)


if __name__ == "__main__":
    if sys.argv[1] == "export":
        _export_here(Path(sys.argv[2]))
    else:
        _ask(*map(int, sys.argv[2:]))
