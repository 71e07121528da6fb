"""The FT-Transformer: one token per feature, and a shape that must say which columns form one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.architectures.ft_transformer import FtTransformer
from tests.pitfalls_tf.architectures.families import TABLE


def tokens(network: object, rows: np.ndarray) -> np.ndarray:
    import keras

    assert isinstance(network, keras.Model)
    inner = keras.Model(network.input, network.get_layer("tokens").output)
    found: np.ndarray = inner(rows).numpy()
    return found


def test_there_is_a_token_for_each_feature_and_one_for_the_class(rng: np.random.Generator) -> None:
    network = FtTransformer(units=8, heads=2).build(TABLE)
    rows = np.repeat(rng.normal(size=(1, 6)).astype(np.float32), 2, axis=0)
    rows[1, 4] += 1.0
    found = tokens(network, rows)
    assert found.shape == (2, 1 + 4, 8)
    assert (found[0, :4] == found[1, :4]).all(), "only the category's token changed"
    assert (found[0, 4] != found[1, 4]).any()


def test_tables_of_categories_or_of_numbers_alone_are_fine() -> None:
    for widths in ((6,), (1,) * 6, (2, 0, 4)):
        network = FtTransformer(units=8, heads=2, blocks=1).build(replace(TABLE, tokens=widths))
        assert network(np.ones((2, 6), dtype=np.float32))["logits"].shape == (2, 3)


@pytest.mark.parametrize("widths", [(), (1, 1, 1), (1, 1, 1, 4)])
def test_columns_that_form_no_features_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="which columns form a feature"):
        FtTransformer().build(replace(TABLE, tokens=widths))


def test_width_stays_a_multiple_of_the_heads() -> None:
    assert FtTransformer(units=32, heads=4).scaled(width=0.3).units == 8
    assert FtTransformer(units=32, heads=4).scaled(width=0.01).units == 4
    assert FtTransformer(blocks=2).scaled(depth=2).blocks == 4
