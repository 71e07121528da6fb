"""MLServer with the SavedModel's signature; the model's path is in PEER_MODEL."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Peer(MLModel):
    """One model in the process that answers."""

    async def load(self) -> bool:
        """Load it."""
        self.loaded = tf.saved_model.load(os.environ["PEER_MODEL"])
        self.call = self.loaded.signatures["serving_default"]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One answer for each row."""
        rows = NumpyCodec.decode_input(payload.inputs[0])
        answers = self.call(x=tf.constant(rows.astype(np.float32)))["outputs"].numpy()
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("outputs", answers)])
