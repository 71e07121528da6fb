"""What a user of ``ovmsclient`` does with a server: ``ovms_user.py GRPC_HOST:PORT HTTP_HOST:PORT``. Answers as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import ovmsclient


def call(client: Any, **version: int) -> dict[str, Any]:
    """The calls of the client's guide, with the version it sends by default (0) or an explicit one."""
    x = {"x": np.array([1.0, 2.0], np.float32)}
    status = client.get_model_status("half_plus_two", **version)
    return {
        "predict": np.asarray(client.predict(x, "half_plus_two", **version)).tolist(),
        "status": {str(number): one["state"] for number, one in status.items()},
        "several": {
            name: np.asarray(value).tolist()
            for name, value in client.predict(
                {"ints": np.array([[1, 2]], np.int32), "name": [b"a"], "feat": np.array([[1, 2]], np.float32)},
                "named",
                model_version=1 if version else 0,
            ).items()
            if name in {"isum", "fx2"}
        },
    }


def refusal(client: Any) -> str:
    try:
        client.predict({"x": np.array([1.0], np.float32)}, "nobody")
    except ovmsclient.tfs_compat.base.errors.ModelServerError as error:
        return type(error).__name__
    return ""


def main(grpc_url: str, http_url: str) -> dict[str, Any]:
    over_grpc, over_http = ovmsclient.make_grpc_client(grpc_url), ovmsclient.make_http_client(http_url)
    metadata = over_grpc.get_model_metadata("half_plus_two")
    return {
        "metadata": [str(metadata["model_version"]), sorted(metadata["inputs"]), sorted(metadata["outputs"])],
        **{
            f"{name} {what}": call(client, **version)
            for name, client in (("grpc", over_grpc), ("http", over_http))
            for what, version in (("default", {}), ("explicit", {"model_version": 123}))
        },
        "refusals": [refusal(over_grpc), refusal(over_http)],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2])))
