"""kill -9 of a server under load: every answer that a client received is in the log, once, and the log can be read."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2

from monitoring.traffic.log.log import TrafficLog
from serving.grpc_api.v2_messages import V2_SERVICE, v2_message
from tests.serving.nursery import nursery

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS = 16
V1, V2 = "/v1/models/half_plus_two:predict", "/v2/models/half_plus_two/infer"
BODIES = {
    V1: b'{"instances": [1.0, 2.0]}',
    V2: b'{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1.0, 2.0]}]}',
}
PREDICT, MODEL_INFER = "/tensorflow.serving.PredictionService/Predict", f"/{V2_SERVICE}/ModelInfer"
PROTOCOLS = (V1, PREDICT, V2, MODEL_INFER)
# Small enough that servers die in the middle of conversions, too: a server of this test logs about so much.
SEGMENT_BYTES = 60_000


@dataclass(slots=True)
class Load:
    """Sixteen connections that ask until the server is gone."""

    name: str
    protocol: str
    patience: int
    """After so many answers the server is killed; the others are on their way."""
    pid: int
    answered: list[str] = field(default_factory=list)
    sent: int = 0

    async def run(self, port: int, target: str) -> None:
        over_http = self.protocol in BODIES
        asked = (self._ask(port, each) if over_http else self._call(target, each) for each in range(CONNECTIONS))
        await asyncio.gather(*asked)

    async def _call(self, target: str, connection: int) -> None:
        """Ask over gRPC, by a connection of its own."""
        with suppress(grpc.RpcError):
            async with grpc.aio.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
                call = channel.unary_unary(self.protocol)
                for number in range(1_000_000):
                    request_id = f"{self.name}-{connection}-{number}"
                    self.sent += 1
                    await call(message(self.protocol, request_id), metadata=(("x-request-id", request_id),))
                    self._count(request_id)

    async def _ask(self, port: int, connection: int) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                for number in range(1_000_000):
                    await self._once(reader, writer, f"{self.name}-{connection}-{number}")
            finally:
                writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request_id: str) -> None:
        body = BODIES[self.protocol]
        head = f"POST {self.protocol} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {request_id}\r\n"
        self.sent += 1
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        self._count(request_id)

    def _count(self, request_id: str) -> None:
        self.answered.append(request_id)
        if len(self.answered) == self.patience:
            os.kill(self.pid, signal.SIGKILL)


def message(protocol: str, request_id: str) -> bytes:
    """A request of two rows."""
    if protocol == PREDICT:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "half_plus_two"
        request.inputs["x"].dtype = 1
        request.inputs["x"].tensor_shape.dim.add(size=2)
        request.inputs["x"].float_val.extend([1.0, 2.0])
        return bytes(request.SerializeToString())
    infer = v2_message("ModelInferRequest")()
    infer.model_name, infer.id = "half_plus_two", request_id
    infer.inputs.add(name="x", datatype="FP32", shape=[2]).contents.fp32_contents.extend([1.0, 2.0])
    return bytes(infer.SerializeToString())


def check(traffic: Path, loads: list[Load]) -> None:
    log = TrafficLog(traffic)
    logged = Counter(log.read(model="half_plus_two").column("prediction_id").to_pylist())
    answered = {f"{request_id}:{row}" for load in loads for request_id in load.answered for row in (0, 1)}
    missing, twice = sorted(answered - logged.keys()), [row for row, count in logged.items() if count != 1]
    assert (len(missing), missing[:5]) == (0, []), "answers are missing from the log"
    assert (len(twice), twice[:5]) == (0, []), "rows are in the log twice"
    summary = log.summary()
    assert (summary.rows, summary.repeats, summary.lost_rows) == (len(logged), 0, 0)
    # Other rows belong to requests whose answer was on its way when the server died.
    assert len(logged) - len(answered) <= 2 * CONNECTIONS * len(loads)


@pytest.mark.parametrize("rounds", [4, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_every_answer_is_logged_once_after_kill_9(models_folder: Path, tmp_path: Path, rounds: int) -> None:
    chance = random.Random(rounds)  # noqa: S311 - where a server dies need not be a secret
    traffic = tmp_path / "traffic"
    loads: list[Load] = []
    with nursery(tmp_path) as made:
        for number in range(rounds):
            argv = ["--models", models_folder, "--traffic", traffic, "--rest-port", 0, "--grpc-port", 0]
            server = made.start(*argv, "--log-segment-bytes", SEGMENT_BYTES)
            protocol = PROTOCOLS[number % len(PROTOCOLS)]
            loads.append(Load(f"k{number}", protocol, chance.randint(1, 2000), server.pid))
            asyncio.run(loads[-1].run(server.port, server.grpc or ""))
            assert len(loads[-1].answered) >= loads[-1].patience
            if number % 5 == 2:  # the dead leave segments behind, which the next server converts
                check(traffic, loads)
    check(traffic, loads)
