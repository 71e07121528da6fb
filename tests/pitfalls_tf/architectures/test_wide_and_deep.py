"""Wide and deep: the logits are the sum of a linear function and a perceptron's."""

from __future__ import annotations

import numpy as np
import pytest

from pitfalls_tf.architectures.wide_and_deep import WideAndDeep
from tests.pitfalls_tf.architectures.families import TABLE


def test_logits_are_the_sum_of_both_parts(rng: np.random.Generator) -> None:
    network = WideAndDeep(hidden=(8, 4)).build(TABLE)
    rows = rng.normal(size=(5, 6)).astype(np.float32)
    outputs = network(rows)
    wide = network.get_layer("wide_logits")
    deep = network.get_layer("deep_logits")
    expected = rows @ wide.kernel.numpy() + deep(outputs["embedding"]).numpy()
    assert outputs["logits"].numpy() == pytest.approx(expected, abs=1e-5)
    assert not wide.use_bias, "the deep part has one"
    assert outputs["embedding"].shape == (5, 4)
