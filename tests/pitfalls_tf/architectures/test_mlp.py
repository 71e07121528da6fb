"""The multilayer perceptron: its layers in order, and what scaling does to them."""

from __future__ import annotations

from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.rows.examples import Shape
from tests.pitfalls_tf.architectures.families import TABLE


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
