"""What a user of ``grpclib``, HTTP/2 and gRPC in pure Python, does with a server: ``grpclib_user.py HOST PORT``."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import numpy as np
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.config import Configuration
from grpclib.exceptions import GRPCError
from grpclib.health.v1.health_grpc import HealthStub
from grpclib.health.v1.health_pb2 import HealthCheckRequest
from grpclib.reflection.v1.reflection_grpc import ServerReflectionStub
from grpclib.reflection.v1.reflection_pb2 import ServerReflectionRequest
from grpclib.reflection.v1alpha.reflection_grpc import ServerReflectionStub as EarlierReflectionStub
from grpclib.reflection.v1alpha.reflection_pb2 import ServerReflectionRequest as EarlierReflectionRequest
from ovmsclient.tfs_compat.protos.tensorflow_serving.apis import predict_pb2

SERVICE = "/tensorflow.serving.PredictionService"


def asked(values: Any, model: str = "half_plus_two") -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    tensor = request.inputs["x"]
    tensor.dtype = 1
    tensor.tensor_shape.dim.add(size=len(values))
    tensor.tensor_content = np.asarray(values, np.float32).tobytes()
    return request


def numbers(answer: Any) -> list[float]:
    tensor = answer.outputs["y"]
    return (
        np.frombuffer(tensor.tensor_content, np.float32).tolist() if tensor.tensor_content else list(tensor.float_val)
    )


async def code_of(call: Any) -> str:
    try:
        await call
    except GRPCError as error:
        return str(error.status.name)
    except TimeoutError:
        return "TIMEOUT"
    return "OK"


async def services(stub: Any, request: Any) -> list[str]:
    (answer,) = await stub.ServerReflectionInfo([request(list_services="")])
    return sorted(each.name for each in answer.list_services_response.service)


async def main(host: str, port: int) -> dict[str, Any]:
    room = Configuration(http2_connection_window_size=1 << 20, http2_stream_window_size=1 << 20)
    async with Channel(host, port, config=room) as channel:
        messages = (predict_pb2.PredictRequest, predict_pb2.PredictResponse)
        predict = UnaryUnaryMethod(channel, f"{SERVICE}/Predict", *messages)
        unknown = UnaryUnaryMethod(channel, f"{SERVICE}/Nothing", *messages)
        large = np.arange(2 << 20, dtype=np.float32)
        at_once = await asyncio.gather(*(predict(asked([number])) for number in range(500)))
        cancelled = asyncio.ensure_future(predict(asked(large)))
        await asyncio.sleep(0)
        cancelled.cancel()
        return {
            "plain": numbers(await predict(asked([1.0, 2.0]), metadata={"x-request-id": "mine"})),
            "at_once": [numbers(answer)[0] for answer in at_once] == [2 + number / 2 for number in range(500)],
            "large": bool((np.array(numbers(await predict(asked(large))), np.float32) == 2 + large / 2).all()),
            "codes": [
                await code_of(predict(asked([1.0], "nobody"))),
                await code_of(unknown(asked([1.0]))),
                await code_of(predict(asked(large), timeout=0.000_1)),
            ],
            "health": (await HealthStub(channel).Check(HealthCheckRequest())).status,
            "services": [
                await services(ServerReflectionStub(channel), ServerReflectionRequest),
                await services(EarlierReflectionStub(channel), EarlierReflectionRequest),
            ],
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2])))))
