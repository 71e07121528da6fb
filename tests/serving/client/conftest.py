"""A real server of a model with inputs and outputs of several types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from serving import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="package")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the traffic log."""
    return tmp_path_factory.mktemp("traffic")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, traffic: Path) -> Iterator[Server]:
    """The server, with REST and gRPC."""
    import tensorflow as tf

    def answer(km: tf.Tensor, items: tf.Tensor, vehicle: tf.Tensor) -> dict[str, tf.Tensor]:
        minutes = km * 2.0 + tf.cast(items, tf.float32)
        return {"minutes": minutes, "who": tf.strings.join([vehicle, "!"]), "twice": items * 2}

    given = {"km": tf.float32, "items": tf.int64, "vehicle": tf.string}
    several = tf.function(answer).get_concrete_function(
        **{name: tf.TensorSpec([None], dtype, name=name) for name, dtype in given.items()}
    )
    one = tf.function(lambda x: {"y": tf.reduce_sum(x, 1)}).get_concrete_function(
        x=tf.TensorSpec([None, 2], tf.float64, name="x")
    )
    models = tmp_path_factory.mktemp("models")
    tf.saved_model.save(tf.Module(), str(models / "trips" / "1"), {"serving_default": several, "sums": one})
    with Server(models, traffic=traffic, grpc_port=0) as running:
        yield running
