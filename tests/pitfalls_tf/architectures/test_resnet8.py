"""ResNet-8: three stages of one residual block, whose shortcut is the identity where it can be."""

from __future__ import annotations

import numpy as np
import pytest

from pitfalls_tf.architectures.resnet8 import ResNet8
from tests.pitfalls_tf.architectures.families import IMAGE


def test_stages_halve_the_image_and_double_the_channels() -> None:
    network = ResNet8().build(IMAGE)
    shapes = [network.get_layer(f"stage_{stage}_0_out").output.shape[1:] for stage in range(3)]
    assert shapes == [(28, 28, 16), (14, 14, 32), (7, 7, 64)]
    names = {layer.name for layer in network.layers}
    assert "stage_0_0_shortcut" not in names
    assert {"stage_1_0_shortcut", "stage_2_0_shortcut"} <= names


def test_a_block_that_gives_nothing_passes_its_input_on(rng: np.random.Generator) -> None:
    import keras

    network = ResNet8(channels=(4,), norm="none").build(IMAGE)
    two = network.get_layer("stage_0_0_two")
    two.kernel.assign(np.zeros(two.kernel.shape, dtype=np.float32))
    ends = keras.Model(
        network.input, [network.get_layer("first_relu").output, network.get_layer("stage_0_0_out").output]
    )
    before, after = (tensor.numpy() for tensor in ends(rng.normal(size=(2, 28, 28, 1)).astype(np.float32)))
    assert after == pytest.approx(before, abs=1e-6)
