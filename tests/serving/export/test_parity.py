"""An exported model that answers differently is not published; rows that a model refuses are named."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from monitoring.errors import CannotRun
from serving.export.keras_model import KerasModel
from serving.export.parity import max_difference, try_rows
from tests.serving.export_model import (
    AlwaysDropping,
    Counting,
    exported,
    of_three,
    small_model,
)


@pytest.mark.parametrize("noise", [AlwaysDropping(0.5), Counting()], ids=["random at inference", "frozen by the trace"])
def test_a_model_that_answers_otherwise_once_exported_is_not_published(
    noise: keras.layers.Layer, tmp_path: Path
) -> None:
    with pytest.raises(
        CannotRun, match=r"output (logits|probabilities) of (serving_default|explain).*differs by up to \d"
    ):
        exported(small_model(noise), tmp_path)
    assert not list((tmp_path / "small").iterdir())


def test_a_model_that_mixes_rows_is_refused() -> None:
    x = keras.Input((3,), name="x")
    with pytest.raises(CannotRun, match=r"outputs \[8, 3\] for 4 rows"):
        try_rows(KerasModel(keras.Model(x, keras.ops.concatenate([x, x], axis=0))), {"x": np.zeros((4, 3))})


def test_a_model_that_refuses_every_row_is_named() -> None:
    x = keras.Input((1,), name="x", dtype="string")
    model = keras.Model(x, keras.layers.StringLookup(vocabulary=["a"], num_oov_indices=0, name="strict")(x))
    rows = {"x": np.array([b"a", b"", b"?"], object)}
    kept, answers = try_rows(KerasModel(model), rows)
    assert (kept["x"].tolist(), answers["outputs"].shape) == ([b"a"], (1, 1))
    with pytest.raises(CannotRun, match="fails on the rows it was tried on"):
        try_rows(KerasModel(model), {"x": np.array([b"?"] * 3, object)})


def test_rows_without_a_number_to_say_are_left_out() -> None:
    rows = {"x": np.array([[0.0, 1.0, 2.0], [np.nan] * 3, [0.0, 1.0, 2.0]], np.float32)}
    kept, answers = try_rows(KerasModel(of_three()), rows)
    assert (len(kept["x"]), answers["outputs"].shape) == (1, (1, 1))


@pytest.mark.parametrize(
    ("got", "expected", "gap"),
    [
        ([1.0, np.nan], [1.0, np.nan], 0.0),
        ([1.0, np.nan], [1.0, 2.0], np.inf),
        ([np.inf], [np.inf], 0.0),
        ([np.inf], [1.0], np.inf),
        ([0.5], [0.25], 0.25),
        ([1e6 + 1], [1e6], 1e-6),
        ([1.0, 2.0], [1.0], np.inf),
        ([], [], 0.0),
    ],
)
def test_differences(got: list[float], expected: list[float], gap: float) -> None:
    assert max_difference(np.array(got), np.array(expected)) == pytest.approx(gap)


def test_texts_are_equal_or_not() -> None:
    assert max_difference(np.array([b"a"], object), np.array([b"a"], object)) == 0.0
    assert max_difference(np.array([b"a"], object), np.array([b"b"], object)) == np.inf
