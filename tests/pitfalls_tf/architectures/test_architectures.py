"""Small files of pitfalls_tf.architectures, each test named after what it is about."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from pitfalls_tf.architectures.blocks import image_input, normalise, scale_units
from pitfalls_tf.architectures.lenet import LeNet
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.architectures.mobilenet import MobileNet
from pitfalls_tf.architectures.resnet8 import ResNet8
from pitfalls_tf.architectures.tabular_resnet import TabularResNet
from pitfalls_tf.architectures.wide_and_deep import WideAndDeep
from pitfalls_tf.rows.examples import Shape
from tests.pitfalls_tf.architectures.families import IMAGE, TABLE


@given(units=st.integers(1, 1000), factor=st.floats(0.01, 10), multiple=st.integers(1, 16))
def test_scaled_units_are_a_multiple_nearest_to_the_product(units: int, factor: float, multiple: int) -> None:
    found = scale_units(units, factor, multiple=multiple)
    assert found >= multiple
    assert found % multiple == 0
    assert found == multiple or abs(found - units * factor) <= multiple / 2 + 1e-9


def test_a_norm_is_a_layer_of_its_kind_or_none() -> None:
    signal = keras.Input((4,))
    assert normalise(signal, "none", name="norm") is signal
    for norm, kind in (("batch", keras.layers.BatchNormalization), ("layer", keras.layers.LayerNormalization)):
        model = keras.Model(signal, normalise(signal, norm, name="norm"))  # type: ignore[arg-type] # a literal
        assert type(model.get_layer("norm")) is kind


def test_rows_of_a_table_are_not_images() -> None:
    assert image_input(Shape(inputs=(8, 8, 3), tokens=(), classes=2, domains=1)).shape == (None, 8, 8, 3)
    with pytest.raises(BadInput, match=r"is for images.*\(6,\)"):
        image_input(Shape(inputs=(6,), tokens=(6,), classes=2, domains=1))


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


def test_layers_are_dense_norm_relu_dropout_and_the_embedding_is_the_last_relu() -> None:
    network = Mlp(hidden=(8, 4), dropout=0.5, norm="layer").build(TABLE)
    assert [layer.name for layer in network.layers] == [
        *("encoded", "hidden_0", "norm_0", "relu_0", "dropout_0"),
        *("hidden_1", "norm_1", "embedding", "dropout_1", "logits"),
    ]
    assert network.output["embedding"].shape == (None, 4)


def test_a_bias_that_batch_normalisation_subtracts_is_left_out() -> None:
    biases = [
        [layer.use_bias for layer in Mlp(hidden=(8, 4), norm=norm).build(TABLE).layers if hasattr(layer, "use_bias")]
        for norm in ("none", "batch")
    ]
    assert biases == [[True, True, True], [False, False, True]]


def test_scaling_repeats_first_layers_or_leaves_last_ones_out() -> None:
    plain = Mlp(hidden=(64, 32))
    assert plain.scaled(depth=2).hidden == (64, 64, 32, 32)
    assert plain.scaled(depth=0.5).hidden == (64,)
    assert plain.scaled(width=0.25).hidden == (16, 8)


def test_images_are_flattened() -> None:
    network = Mlp(hidden=(4,)).build(Shape(inputs=(3, 3, 2), tokens=(), classes=2, domains=1))
    assert network.layers[1].name == "flat"
    assert network.input_shape == (None, 3, 3, 2)


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


def test_a_block_that_gives_nothing_changes_nothing(rng: np.random.Generator) -> None:
    network = TabularResNet(blocks=3, units=8, norm="none").build(TABLE)
    for block in range(3):
        narrow = network.get_layer(f"narrow_{block}")
        narrow.kernel.assign(np.zeros(narrow.kernel.shape, dtype=np.float32))
    rows = rng.normal(size=(5, 6)).astype(np.float32)
    first = network.get_layer("first")(rows).numpy()
    assert network(rows)["embedding"].numpy() == pytest.approx(np.maximum(first, 0), abs=1e-6)


def test_hidden_layers_are_wider_by_their_factor() -> None:
    network = TabularResNet(blocks=1, units=8, hidden=2.5).build(TABLE)
    assert network.get_layer("wide_0").units == 20
    assert network.get_layer("narrow_0").units == 8


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
