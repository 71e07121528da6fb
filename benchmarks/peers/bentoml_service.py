"""BentoML with the SavedModel's signature and its adaptive batching; the model's path is in PEER_MODEL."""

from __future__ import annotations

import os

import bentoml
import numpy as np


@bentoml.service(workers=1, traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Peer:
    """One worker."""

    def __init__(self) -> None:
        import tensorflow as tf

        self.constant = tf.constant
        self.loaded = tf.saved_model.load(os.environ["PEER_MODEL"])
        self.call = self.loaded.signatures["serving_default"]

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    def predict(self, instances: np.ndarray) -> np.ndarray:
        """One answer for each row."""
        return self.call(x=self.constant(instances.astype(np.float32)))["outputs"].numpy()
