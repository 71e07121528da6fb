"""What a user of KServe's client does with a server: ``kserve_user.py GRPC_HOST:PORT HTTP_URL``. Answers as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

import grpc
import kserve
import numpy as np
from kserve import InferInput, InferRequest
from kserve.inference_client import InferenceGRPCClient, InferenceRESTClient, RESTConfig

DTYPES = {"float32": "FP32", "float64": "FP64", "float16": "FP16", "int8": "INT8", "int64": "INT64", "bool": "BOOL"}


def request(model: str, value: Any, datatype: str, signature: str | None = None, *, is_raw: bool = False) -> Any:
    one = InferInput("x", list(value.shape), datatype)
    one.set_data_from_numpy(value, binary_data=is_raw)
    parameters = None if signature is None else {"signature_name": signature}
    return InferRequest(model, [one], request_id="mine", parameters=parameters)


async def over_grpc(url: str) -> dict[str, Any]:
    logging.getLogger(kserve.__name__).setLevel(logging.CRITICAL)  # it writes the errors that are expected, too
    x = np.array([1.0, 2.0], np.float32)
    found: dict[str, Any] = {"types": {}}
    async with InferenceGRPCClient(url) as client:
        found["health"] = [await client.is_server_live(), await client.is_server_ready()]
        found["model"] = await client.is_model_ready("half_plus_two")
        for is_raw in (False, True):
            answer = await client.infer(request("half_plus_two", x, "FP32", is_raw=is_raw))
            found[f"infer raw {is_raw}"] = [answer.id, answer.model_name, answer.outputs[0].as_numpy().tolist()]
            for name, datatype in DTYPES.items():
                if name == "float16" and not is_raw:
                    continue  # the client itself refuses it
                value = np.array([[0, 1], [1, 1]]).astype(name)
                answer = await client.infer(request("typed", value, datatype, name, is_raw=is_raw))
                back = answer.outputs[0].as_numpy()
                found["types"][f"{name} {is_raw}"] = bool(back.dtype == value.dtype and (back == value).all())
        try:
            await client.infer(request("nobody", x, "FP32"))
        except grpc.RpcError as error:
            found["nobody"] = error.code().name
    return found


async def over_rest(url: str) -> Any:
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    answer = await client.infer(
        url, request("half_plus_two", np.array([1.0, 2.0], np.float32), "FP32"), model_name="half_plus_two"
    )
    return [await client.is_server_live(url), answer.outputs[0].as_numpy().tolist()]


def main(grpc_url: str, http_url: str) -> dict[str, Any]:
    return {"grpc": asyncio.run(over_grpc(grpc_url)), "rest": asyncio.run(over_rest(http_url))}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2])))
