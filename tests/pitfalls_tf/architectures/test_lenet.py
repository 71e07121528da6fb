"""LeNet: as many channels and units as in the paper."""

from __future__ import annotations

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.architectures.lenet import LeNet
from pitfalls_tf.rows.examples import Shape
from tests.pitfalls_tf.architectures.families import IMAGE


def test_two_convolutions_halve_the_image_and_feed_120_and_84_units() -> None:
    network = LeNet().build(IMAGE)
    assert [network.get_layer(f"pool_{position}").output.shape for position in (0, 1)] == [
        (None, 14, 14, 6),
        (None, 7, 7, 16),
    ]
    assert network.get_layer("hidden_0").units == 120
    assert network.output["embedding"].shape == (None, 84)


def test_without_dense_layers_the_embedding_is_the_flat_image() -> None:
    assert LeNet(hidden=()).build(IMAGE).output["embedding"].shape == (None, 7 * 7 * 16)


def test_rows_of_a_table_are_refused() -> None:
    with pytest.raises(BadInput, match="is for images"):
        LeNet().build(Shape(inputs=(6,), tokens=(6,), classes=2, domains=1))
