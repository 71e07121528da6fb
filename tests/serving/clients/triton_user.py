"""What a user of ``tritonclient`` does with a server: ``triton_user.py HOST:PORT``. Says what came back, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

if TYPE_CHECKING:
    from collections.abc import Callable

DTYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "bool"]


def given(name: str, value: Any, *, is_binary: bool = True) -> Any:
    """An input, as the guides build one."""
    tensor = triton.InferInput(name, list(value.shape), np_to_triton_dtype(value.dtype))
    tensor.set_data_from_numpy(value, binary_data=is_binary)
    return tensor


def there_and_back(client: Any, value: Any, signature: str, *, to_server: bool, from_server: bool) -> bool:
    """Whether a tensor comes back as it went, in this pair of encodings."""
    result = client.infer(
        "typed",
        [given("x", value, is_binary=to_server)],
        outputs=[triton.InferRequestedOutput("y", binary_data=from_server)],
        parameters={"signature_name": signature},
    )
    back = result.as_numpy("y")
    if value.dtype == np.object_:
        return [one if isinstance(one, bytes) else one.encode() for one in back.reshape(-1).tolist()] == [
            one if isinstance(one, bytes) else one.encode() for one in value.reshape(-1).tolist()
        ]
    return back.dtype == value.dtype and np.array_equal(back, value)


def every_type(client: Any) -> dict[str, bool]:
    values: dict[str, Any] = {name: np.array([[0, 1], [2, 100]]).astype(name) for name in DTYPES}
    values["string"] = np.array([["a", "é"], ["", "\U0001f600"]], object)
    found = {}
    for name, value in values.items():
        for to_server in (True, False):
            if not to_server and name == "float16":
                continue  # the client itself refuses it in JSON
            for from_server in (True, False):
                key = f"{name} {'raw' if to_server else 'JSON'} {'raw' if from_server else 'JSON'}"
                found[key] = there_and_back(client, value, name, to_server=to_server, from_server=from_server)
    return found


def refusals(client: Any) -> list[list[Any]]:
    x = np.array([1.0], np.float32)
    attempts: list[Callable[[], Any]] = [
        lambda: client.infer("nobody", [given("x", x)]),
        lambda: client.infer("half_plus_two", [given("x", x)], model_version="9"),
        lambda: client.infer("half_plus_two", [given("x", x.astype(np.int64))]),
        lambda: client.infer("half_plus_two", [given("z", x)]),
        lambda: client.unload_model("half_plus_two"),
    ]
    said = []
    for attempt in attempts:
        try:
            attempt()
        except InferenceServerException as error:
            said.append([error.status(), bool(error.message())])
        else:
            said.append([None, False])
    return said


async def at_once(url: str) -> list[float]:
    client = triton_aio.InferenceServerClient(url)
    try:
        asked = [
            client.infer("half_plus_two", [given("x", np.array([float(number)], np.float32))]) for number in range(20)
        ]
        return [float(result.as_numpy("y")[0]) for result in await asyncio.gather(*asked)]
    finally:
        await client.close()


def main(url: str) -> dict[str, Any]:
    client = triton.InferenceServerClient(url)
    try:
        x = np.array([1.0, 2.0], np.float32)
        plain = client.infer("half_plus_two", [given("x", x)], request_id="mine")
        squeezed = client.infer("half_plus_two", [given("x", x)], request_compression_algorithm="gzip")
        later = client.async_infer("half_plus_two", [given("x", x)], model_version="123", timeout=20_000_000)
        empty = client.infer("half_plus_two", [given("x", np.zeros((0, 3), np.float32))])
        return {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": client.is_model_ready("half_plus_two", "123"),
            "nobody_ready": client.is_model_ready("nobody"),
            "server": client.get_server_metadata()["name"],
            "metadata": client.get_model_metadata("half_plus_two")["outputs"],
            "index": sorted(one["name"] for one in client.get_model_repository_index()),
            "plain": [plain.as_numpy("y").tolist(), plain.get_response()["id"]],
            "squeezed": squeezed.as_numpy("y").tolist(),
            "later": later.get_result().as_numpy("y").tolist(),
            "empty": list(empty.as_numpy("y").shape),
            "types": every_type(client),
            "refusals": refusals(client),
            "at_once": asyncio.run(at_once(url)),
        }
    finally:
        client.close()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
