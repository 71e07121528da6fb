"""LitServe with the SavedModel's signature, one worker.

python litserve_app.py SAVED_MODEL PORT LARGEST_BATCH
"""

from __future__ import annotations

import sys
from typing import Any

import litserve
import numpy as np

MODEL, PORT, LARGEST = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


class Api(litserve.LitAPI):
    """The steps that LitServe asks for."""

    def setup(self, device: str) -> None:
        """Load the model, in the worker."""
        import tensorflow as tf

        self.constant = tf.constant
        self.loaded = tf.saved_model.load(MODEL)
        self.call = self.loaded.signatures["serving_default"]

    def decode_request(self, request):  # type: ignore[no-untyped-def] # LitServe reads annotations for another purpose
        """One request's rows."""
        return np.asarray(request["instances"], np.float32)

    def batch(self, inputs: list[Any]) -> Any:
        """Rows of several requests."""
        return np.concatenate(inputs)

    def predict(self, x: Any, **_: Any) -> Any:
        """All of their answers."""
        return self.call(x=self.constant(x))["outputs"].numpy()

    def unbatch(self, output: Any) -> Any:
        """One answer for each request, of one row."""
        return list(output[:, np.newaxis])

    def encode_response(self, output: Any, **_: Any) -> dict[str, Any]:
        """As JSON."""
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    api = Api(max_batch_size=LARGEST, batch_timeout=0.001 if LARGEST > 1 else 0.0)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=60)
    server.run(
        host="127.0.0.1",
        port=PORT,
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
