"""A model that adds numbers: one of its signatures has a fixed inner shape, the other an open one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from serving.models.loading import load_version
from serving.models.version_folders import discover
from serving.models.versions import Models

if TYPE_CHECKING:
    from pathlib import Path

#: The input of each signature.
NAMES = {"fixed": "a", "open": "v"}


def load_sums(folder: Path) -> Models:
    """Save the model as ``sums`` in a folder, and load it; the caller closes it."""

    def adding(name: str, width: int | None) -> Any:
        given = tf.TensorSpec([None, width], tf.float32, name=name)
        return tf.function(lambda **x: {"sum": tf.reduce_sum(x[name], 1)}).get_concrete_function(**{name: given})

    signatures = {"fixed": adding("a", 2), "open": adding("v", None)}
    tf.saved_model.save(tf.Module(), str(folder / "sums" / "1"), signatures=signatures)
    models = Models(lambda: discover(folder, {}), load=load_version, report=lambda _: None)
    models.poll()
    return models
