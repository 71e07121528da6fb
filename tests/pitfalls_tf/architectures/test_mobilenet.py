"""MobileNet: depthwise separable blocks, every second of which halves the image."""

from __future__ import annotations

from pitfalls_tf.architectures.mobilenet import MobileNet
from pitfalls_tf.rows.examples import Shape


def sizes(side: int) -> list[int]:
    network = MobileNet(norm="none").build(Shape(inputs=(side, side, 1), tokens=(), classes=10, domains=1))
    return [layer.output.shape[1] for layer in network.layers if layer.name.startswith("depthwise_") and layer.weights]


def test_every_second_block_halves_the_image_down_to_one_pixel() -> None:
    assert sizes(28) == [14, 7, 7, 4]
    assert sizes(2) == [1, 1, 1, 1]


def test_a_pointwise_convolution_follows_each_depthwise_one() -> None:
    network = MobileNet(channels=(4, 8, 16)).build(Shape(inputs=(8, 8, 1), tokens=(), classes=10, domains=1))
    assert network.get_layer("pointwise_0").kernel.shape == (1, 1, 4, 8)
    assert network.get_layer("pointwise_1").kernel.shape == (1, 1, 8, 16)
    assert network.output["embedding"].shape == (None, 16)
