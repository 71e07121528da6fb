"""What a user of ``tritonclient.grpc`` does with a server: ``triton_grpc_user.py HOST:PORT TOKEN``. Answers as JSON."""

from __future__ import annotations

import json
import queue
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

if TYPE_CHECKING:
    from collections.abc import Callable

DTYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "bool"]


def given(name: str, value: Any) -> Any:
    """An input, as the guides build one."""
    tensor = triton.InferInput(name, list(value.shape), np_to_triton_dtype(value.dtype))
    tensor.set_data_from_numpy(value)
    return tensor


def every_type(client: Any) -> dict[str, bool]:
    values: dict[str, Any] = {name: np.array([[0, 1], [2, 100]]).astype(name) for name in DTYPES}
    values["string"] = np.array([[b"a", "é".encode()], [b"", b"\xff"]], object)
    found = {}
    for name, value in values.items():
        wanted = [triton.InferRequestedOutput("y")]
        result = client.infer("typed", [given("x", value)], outputs=wanted, parameters={"signature_name": name})
        back = result.as_numpy("y")
        found[name] = bool(back.shape == value.shape and back.dtype == value.dtype and (back == value).all())
    return found


def refusals(client: Any, headers: dict[str, str]) -> list[list[Any]]:
    x = np.array([1.0], np.float32)
    attempts: list[Callable[[], Any]] = [
        lambda: client.infer("nobody", [given("x", x)]),
        lambda: client.infer("half_plus_two", [given("x", x)], model_version="9"),
        lambda: client.infer("half_plus_two", [given("x", x.astype(np.int64))]),
        lambda: client.infer("half_plus_two", [given("z", x)]),
        lambda: client.get_model_config("nobody"),
        lambda: client.unload_model("half_plus_two"),
        lambda: client.load_model("nobody", headers=headers),
        lambda: client.load_model("half_plus_two", headers=headers, config="{}"),
        client.get_system_shared_memory_status,
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


def at_once(client: Any) -> list[float]:
    answers: queue.Queue[Any] = queue.Queue()
    for number in range(20):
        client.async_infer(
            "half_plus_two",
            [given("x", np.array([float(number)], np.float32))],
            callback=lambda result, error: answers.put(error or float(result.as_numpy("y")[0])),
            client_timeout=30,
        )
    return sorted(answers.get(timeout=60) for _ in range(20))


def switched(client: Any, headers: dict[str, str]) -> list[Any]:
    """A model's readiness while it is unloaded and loaded again, and its state in between."""
    found: list[Any] = [client.is_model_ready("half_plus_three")]
    client.unload_model("half_plus_three", headers=headers)
    found.append(client.is_model_ready("half_plus_three"))
    found += [one.state for one in client.get_model_repository_index().models if one.name == "half_plus_three"]
    client.load_model("half_plus_three", headers=headers)
    return [*found, client.is_model_ready("half_plus_three"), client.is_server_ready()]


def main(url: str, token: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {token}"}
    with triton.InferenceServerClient(url) as client:
        x = np.array([1.0, 2.0], np.float32)
        plain = client.infer("half_plus_two", [given("x", x)], request_id="mine", timeout=20_000_000)
        empty = client.infer("half_plus_two", [given("x", np.zeros((0, 3), np.float32))])
        config = client.get_model_config("dense4", as_json=True)["config"]
        (statistics,) = client.get_inference_statistics("half_plus_two", "123").model_stats
        return {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": [client.is_model_ready("half_plus_two", "123"), client.is_model_ready("nobody")],
            "server": client.get_server_metadata().name,
            "metadata": client.get_model_metadata("half_plus_two", as_json=True)["outputs"],
            "config": [config["max_batch_size"], config["input"], sorted(config["dynamic_batching"])],
            "statistics": [statistics.inference_count, statistics.execution_count],
            "index": sorted(one.name for one in client.get_model_repository_index().models),
            "plain": [plain.as_numpy("y").tolist(), plain.get_response().id],
            "empty": list(empty.as_numpy("y").shape),
            "types": every_type(client),
            "refusals": refusals(client, headers),
            "at_once": at_once(client),
            "switched": switched(client, headers),
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2])))
