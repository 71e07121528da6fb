"""Shared parts of networks."""

from __future__ import annotations

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from pitfalls_tf.architectures.blocks import image_input, normalise, scale_units
from pitfalls_tf.rows.examples import Shape


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
